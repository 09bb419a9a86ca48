"""A bounded cache of arrays that take long to compute, shared by any number of processes.

An entry is one file, CACHE/KIND/KEY, where KEY is the SHA-256 of all that its content depends on. It is replaced
whole, and begins with a mark and with the checksum of its kind, key and content: a reader gets the entry that it
asked for, whole, or none. Where a cache cannot be written, everything is computed each time.

The folder may hold a person's own files too; only what the cache wrote is removed.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.files.archives import UNREADABLE
from core.files.atomic import replace_file
from core.files.ownership import sweep
from core.files.reading import open_plain

LIMIT = 4 * 2**30
"""Bytes that a cache may take: decoded data sets of 200 MB, surrogates and neighbours of a few hundred kB a run."""
MARK = b"aefit-tui cache\n"
"""What every entry begins with."""
CHECKSUM_BYTES = hashlib.sha256().digest_size
"""Bytes of an entry's checksum, which follows its mark."""
EARLIER = re.compile(r"(neighbours|surrogates)/[0-9a-f]{64}|datasets/[0-9a-f]{32}\.npz")
"""The paths of entries of earlier versions, without a mark: they are no longer read, but may be removed."""
_KEY = "[0-9a-f]{64}"


class Cache:
    """Arrays by kind and key in a folder. Above `limit` bytes the least recently used entries are removed."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit

    def get(self, kind: str, key: str) -> dict[str, NDArray[Any]] | None:
        """The arrays under a key, by name; None where there are none, or damaged ones."""
        path = self._path(kind, key)
        try:
            with open_plain(path) as file:
                if file.read(len(MARK)) != MARK or file.read(CHECKSUM_BYTES) != _checksum(file, kind, key):
                    return None
                with suppress(
                    OSError
                ):  # it counts as used now; another user's file, or one just removed, cannot
                    os.utime(path)
                file.seek(len(MARK) + CHECKSUM_BYTES)
                with np.load(file, allow_pickle=False) as archive:
                    return {name: archive[name] for name in archive.files}
        except UNREADABLE:  # nothing there, or what fits its checksum and yet is no archive of arrays
            return None

    def put(self, kind: str, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """As `store`, but does nothing where that is impossible (a full disk, no permission)."""
        with suppress(OSError):
            self.store(kind, key, arrays)

    def store(self, kind: str, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Store arrays under a key. Raises OSError."""
        members: dict[str, Any] = {**arrays}

        def write(file: BinaryIO) -> None:
            file.write(MARK + bytes(CHECKSUM_BYTES))
            np.savez(file, **members)
            file.seek(len(MARK) + CHECKSUM_BYTES)
            checksum = _checksum(file, kind, key)
            file.seek(len(MARK))
            file.write(checksum)

        path = self._path(kind, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        # An entry that a power cut damages is found by its checksum.
        replace_file(path, write, durable=False)
        sweep(path.parent, rf"\.{_KEY}")
        self._trim()

    def holds(self, kind: str, key: str) -> bool:
        """Whether there is a file for this entry, be it damaged."""
        return os.path.lexists(self._path(kind, key))

    def _path(self, kind: str, key: str) -> Path:
        """The path of an entry. Raises ValueError for a key not made by `key_of`: any file might have that name."""
        if re.fullmatch(_KEY, key) is None:
            raise ValueError(f"{key!r} is no key: expected what `key_of` gives")
        return self._folder / kind / key

    def _trim(self) -> None:
        """Remove entries, the least recently used first, until the rest fits."""
        entries = self._entries()
        if sum(size for _, size, _ in entries) <= self._limit:
            return
        # Only now are they looked into: most often there is room enough for whatever lies there.
        own = [(used, size, path) for used, size, path in entries if self._is_own(path)]
        total = sum(size for _, size, _ in own)
        for _, size, path in sorted(own):
            if total <= self._limit:
                return
            with suppress(OSError):
                path.unlink()
                total -= size

    def _entries(self) -> list[tuple[int, int, Path]]:
        """Time of last use (nanoseconds since 1970), bytes and path of every file with the name of an entry."""
        found = []
        for path in self._folder.glob("*/*"):
            if re.fullmatch(_KEY, path.name) or EARLIER.fullmatch(f"{path.parent.name}/{path.name}"):
                with suppress(OSError):  # removed by another process meanwhile
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode) and not path.parent.is_symlink():
                        found.append((status.st_mtime_ns, status.st_size, path))
        return found

    def _is_own(self, path: Path) -> bool:
        """Whether the cache wrote a file: others name files after checksums too."""
        if EARLIER.fullmatch(f"{path.parent.name}/{path.name}"):
            return True
        try:
            with open_plain(path) as file:
                return file.read(len(MARK)) == MARK
        except OSError:
            return False


def _checksum(file: BinaryIO, kind: str, key: str) -> bytes:
    """The SHA-256 of an entry's kind, key, and of the rest of the file."""
    digest = hashlib.sha256(f"{kind}/{key}\n".encode())
    while block := file.read(2**20):
        digest.update(block)
    return digest.digest()


def key_of(*parts: object) -> str:
    """The key for what depends on `parts`: arrays count by content, dtype and shape, all else by its `repr`."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"array {part.dtype.str} {part.shape};".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            text = repr(part).encode()
            digest.update(f"{len(text)} ".encode() + text)
    return digest.hexdigest()
