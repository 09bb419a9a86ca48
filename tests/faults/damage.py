"""What can become of bytes and files: spoiled by a disk, cut by a transfer, or put there by anybody."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

ESCAPES = "\x1b]0;owned\x07\x9b2J\u202egnp."
FORGED = (
    b"", b"\n", b"{}", b"[]", b"null", b"0", b"-1", b"1e999", b"[" * 5000, b'{"a":' * 3000, b"a = " + b"[" * 3000,
    b"runs = 0x" + b"f" * 4000, b"runs = 3", ESCAPES.encode(), b"label = " + repr(ESCAPES).encode(), bytes(500),
    b"\xff\xfe\x00", b"x" * 100_000, b"a.a.a.a = 1", b"PK\x05\x06" + bytes(18),
)  # fmt: skip
"""Contents that somebody may put in any file's place."""
KINDS = (
    "flip", "flip", "flip", "cut", "insert", "zeros", "noise", "forged", "forged", "gone", "exchanged", "copied",
    "folder", "pipe", "endless", "dangling", "link", "link to a folder",
)  # fmt: skip


def damaged(rng: random.Random, content: bytes) -> bytes:
    """Bytes as a disk or a transfer spoils them, or somebody forges them."""
    return _spoiled(rng, content, rng.choice(KINDS[:9]))


def _spoiled(rng: random.Random, content: bytes, kind: str) -> bytes:
    data = bytearray(content)
    place = rng.randrange(len(data) + 1)
    if kind == "flip" and data:
        for _ in range(rng.choice([1, 1, 2, 8])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del data[place : place + rng.choice([1, 20, len(data)])]
    elif kind == "insert":
        data[place:place] = rng.randbytes(rng.randrange(1, 100))
    elif kind == "zeros":
        data[place : place + 512] = bytes(len(data[place : place + 512]))
    elif kind == "noise":
        data = bytearray(rng.randbytes(rng.choice([0, 1, 10, 300])))
    else:
        return rng.choice(FORGED)
    return bytes(data)


def damage_home(rng: random.Random, home: Path, outside: Path) -> str:
    """Do something to one of the files of a home; what, in words. outside: what links lead to."""
    files = sorted(path for path in home.rglob("*") if path.is_file() and not path.is_symlink())
    # An experiment's own folder may be a link: a person put it there.
    below = (home / "experiments").glob("*/*/**")
    folders = sorted(path for path in below if path.is_dir() and not path.is_symlink())
    kind = rng.choice(KINDS if folders else KINDS[:-1])
    if not files:
        return "nothing, for nothing is left"
    path = rng.choice(folders if kind == "link to a folder" else files)
    told = f"{kind} {path.relative_to(home)}"
    if kind in KINDS[:9]:
        path.write_bytes(_spoiled(rng, path.read_bytes(), kind))
    elif kind in ("exchanged", "copied"):
        other = rng.choice(files)
        told += f" and {other.relative_to(home)}"
        content = path.read_bytes()
        path.write_bytes(other.read_bytes())
        if kind == "exchanged":
            other.write_bytes(content)
    elif kind == "link to a folder":
        shutil.rmtree(path)
        path.symlink_to(outside)
    else:
        path.unlink()
        _put(path, kind, outside)
    return told


def damage_file(rng: random.Random, path: Path, outside: Path) -> str:
    """Do something to one file; what, in words."""
    kind = rng.choice([kind for kind in KINDS[:-1] if kind not in ("exchanged", "copied")])
    if kind in KINDS[:9]:
        path.write_bytes(_spoiled(rng, path.read_bytes(), kind))
    else:
        path.unlink()
        _put(path, kind, outside)
    return f"{kind} {path.name}"


def _put(path: Path, kind: str, outside: Path) -> None:
    if kind == "folder":
        path.mkdir()
        (path / "precious").write_bytes(b"precious")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "endless":
        path.symlink_to("/dev/zero")
    elif kind == "dangling":
        path.symlink_to(outside / "nowhere" / "file")
    elif kind == "link":
        path.symlink_to(outside / "precious")
