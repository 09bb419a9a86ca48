"""What takes long and can be made again, kept under a name that says what it depends on; bounded.

An entry is one file, CACHE/KIND/KEY, where KEY is the SHA-256 of all that its content follows from. It is
written by rename and begins with its checksum: whatever happens to it, a reader gets it whole or not at all.
Any number of processes may share a cache. It is a convenience: that it cannot be written stops nobody.
"""

from __future__ import annotations

import hashlib
import io
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LIMIT = 4 * 2**30
"""Bytes that a cache may take: decoded data sets of 200 MB, surrogates and neighbours of a few hundred kB a run."""
TAKEN_ALONG = 32
"""Bytes of a file before its content: the content's SHA-256."""


class Cache:
    """Arrays by key in a folder. When it outgrows its limit, what was not used for longest goes first."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit

    def get(self, kind: str, key: str) -> dict[str, NDArray[Any]] | None:
        """The arrays kept under a key, or None where there are none, or none that are whole."""
        path = self._folder / kind / key
        try:
            content = path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content[TAKEN_ALONG:]).digest() != content[:TAKEN_ALONG]:
            return None
        with suppress(OSError):  # only its age: somebody else's cache, or just removed
            os.utime(path)
        with np.load(io.BytesIO(content[TAKEN_ALONG:]), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    def put(self, kind: str, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep arrays under a key; where that is not possible (a full disk, no permission), do without."""
        buffer = io.BytesIO()
        members: dict[str, Any] = {**arrays}
        np.savez(buffer, **members)
        content = buffer.getvalue()
        path = self._folder / kind / key
        temporary = path.with_name(f".{key}.{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(hashlib.sha256(content).digest() + content)
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            return
        self._trim()

    def _trim(self) -> None:
        """Remove the files that were not used for longest until the rest fits, left-overs of killed writers too."""
        files = []
        for path in self._folder.glob("*/*"):
            with suppress(OSError):  # removed by another process meanwhile
                status = path.stat()
                files.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._limit:
                return
            with suppress(OSError):
                path.unlink()
                total -= size


def key_of(*parts: object) -> str:
    """A key for what follows from these: arrays of numbers by content, dtype and shape, all else by its `repr`."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"array {part.dtype.str} {part.shape};".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            text = repr(part).encode()
            digest.update(f"{len(text)} ".encode() + text)
    return digest.hexdigest()
