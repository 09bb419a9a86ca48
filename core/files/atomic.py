"""The only place that replaces files so that a reader sees the old file or the whole new one, never half of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from core.files.ownership import owned_name

TITLE_LENGTH = 99
"""Bytes of a file's name that its half-written copy's name takes over: many file systems allow 255 for a name."""


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk, so that a rename in it outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Bring a file's content to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def replace_file(path: Path, write: Callable[[BinaryIO], object], *, durable: bool = True) -> None:
    """Have `write` fill a new file and put it in the place of `path`. Raises OSError, leaving what was there.

    `write` may read back what it has written. A process that is killed leaves the new file under an `owned_name`
    with the prefix `half_written(path)`. durable: the file outlives a power cut once this returns; else, which is
    faster, a power cut may lose or damage it.
    """
    temporary = path.with_name(owned_name(half_written(path)))
    try:
        with temporary.open("x+b") as file:
            write(file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def half_written(path: Path) -> str:
    """The prefix of the names of a file's half-written copies, for `owned_name` and `sweep`."""
    return "." + path.name.encode("utf-8", "surrogateescape")[:TITLE_LENGTH].decode("utf-8", "ignore")


def write_atomically(path: Path, content: str | bytes) -> None:
    """Put a text, as UTF-8, or bytes into `path`, replacing what is there. Raises OSError."""
    data = content.encode() if isinstance(content, str) else content
    replace_file(path, lambda file: file.write(data))
