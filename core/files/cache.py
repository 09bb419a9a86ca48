"""A bounded cache of arrays that take long to compute, shared by any number of processes.

An entry is one file, CACHE/KIND/KEY, where KEY is the SHA-256 of all that its content follows from. The file is
replaced whole and begins with its checksum: a reader gets an entry whole or not at all. Where a cache cannot be
written, everything is computed each time.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.files.atomic import replace_file

LIMIT = 4 * 2**30
"""Bytes that a cache may take: decoded data sets of 200 MB, surrogates and neighbours of a few hundred kB a run."""
CHECKSUM_BYTES = 32
"""Of a file before its content: the content's SHA-256."""


class Cache:
    """Arrays by key in a folder. Above its limit of bytes the least recently used entries are removed."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit

    def get(self, kind: str, key: str) -> dict[str, NDArray[Any]] | None:
        """The arrays under a key, or None where there are none, or damaged ones."""
        path = self._folder / kind / key
        try:
            content = path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content[CHECKSUM_BYTES:]).digest() != content[:CHECKSUM_BYTES]:
            return None
        with suppress(OSError):  # it counts as used now; another user's file, or one just removed, cannot
            os.utime(path)
        with np.load(io.BytesIO(content[CHECKSUM_BYTES:]), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    def put(self, kind: str, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Store arrays under a key, or not where that is impossible (a full disk, no permission)."""
        buffer = io.BytesIO()
        members: dict[str, Any] = {**arrays}
        np.savez(buffer, **members)
        content = buffer.getvalue()
        path = self._folder / kind / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # An entry that a power cut damages is found by its checksum.
            replace_file(
                path, lambda file: file.write(hashlib.sha256(content).digest() + content), durable=False
            )
        except OSError:
            return
        self._trim()

    def _trim(self) -> None:
        """Remove files, the least recently used first, until the rest fits; half-written ones count too."""
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
