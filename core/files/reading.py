"""Reads files that anybody may have put there: plain files only, and of bounded size."""

from __future__ import annotations

import errno
import os
import stat
from io import DEFAULT_BUFFER_SIZE, BufferedReader, FileIO
from pathlib import Path


def open_plain(path: Path, *, buffering: int = DEFAULT_BUFFER_SIZE) -> BufferedReader:
    """Open a plain file for reading. Raises OSError, also for a folder, a pipe or a device.

    A pipe would make its reader wait, and a device such as /dev/zero has no end. buffering: bytes read at a time,
    at least.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a plain file", str(path))
    return BufferedReader(FileIO(descriptor), buffering)


def read_plain(path: Path, limit: int) -> bytes:
    """The content of a plain file. Raises OSError, also for anything else, and for more than `limit` bytes."""
    with open_plain(path) as file:
        # `read` allocates all that it is asked for: so ask for no more than there is, unless the file grows.
        there = min(os.fstat(file.fileno()).st_size, limit)
        content = file.read(there + 1)
        if len(content) > there:
            content += file.read(limit + 1 - len(content))
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit:,} bytes", str(path))
    return content


def read_end(path: Path, length: int) -> bytes:
    """The last `length` bytes of a plain file, all of a shorter one. Raises OSError, also for anything else."""
    with open_plain(path) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - length))
        return file.read(length)
