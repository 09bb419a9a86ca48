"""Keeps the pool decoded from a folder or zip: its images are decoded once, not in every process."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL

from core.data.image_tree import Decoded
from core.files.atomic import replace_file

_RULES = 1
"""Raised whenever `image_tree` reads the same files differently; what was kept before is then dropped."""


def read(
    path: Path, cache_dir: Path, note: Callable[[str], None], decode: Callable[[Path], Decoded]
) -> Decoded:
    """What `decode(path)` gives, from the cache where the source has not changed since.

    One file a source, `<hash of its path>.npz`, which holds the source's fingerprint; a changed source
    overwrites it. A cache that cannot be read is replaced and one that cannot be written is done without,
    both said through `note`.
    """
    kept = cache_dir / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]}.npz"
    now = fingerprint(path)
    if kept.is_file():
        try:
            found = _load(kept, now)
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            note(f"the decoded copy {kept} is damaged ({error}): decoding {path} again")
        else:
            if found is not None:
                with suppress(OSError):  # only its age, by which `core.files.cache` decides what goes first
                    os.utime(kept)
                return found
    note(f"decoding the images of {path}, once")
    decoded = decode(path)
    try:
        _save(kept, now, decoded)
    except OSError as error:
        note(f"the decoded images cannot be kept in {cache_dir} ({error}): they will be decoded each time")
    return decoded


def fingerprint(path: Path) -> str:
    """Changes with the source: size and time of a file; names, sizes and times of all files in a folder."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    stats = [(file.relative_to(path).as_posix(), file.stat()) for file in files]
    stamps = sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
    return hashlib.sha256(repr((_RULES, PIL.__version__, stamps)).encode()).hexdigest()


def _load(kept: Path, expected: str) -> Decoded | None:
    """The kept pool, or None where it belongs to an earlier state of the source."""
    with np.load(kept, allow_pickle=False) as file:
        if str(file["fingerprint"]) != expected:
            return None
        return Decoded(
            file["images"],
            file["labels"],
            tuple(str(name) for name in file["class_names"]),
            tuple(str(notice) for notice in file["notices"]),
        )


def _save(kept: Path, stamp: str, decoded: Decoded) -> None:
    """Replace the copy whole. Raises OSError."""
    kept.parent.mkdir(parents=True, exist_ok=True)

    def write(file: BinaryIO) -> None:
        np.savez(
            file,
            fingerprint=np.array(stamp),
            images=decoded.images,
            labels=decoded.labels,
            class_names=np.array(decoded.class_names, dtype=np.str_),
            notices=np.array(decoded.notices, dtype=np.str_),
        )

    replace_file(kept, write, durable=False)
