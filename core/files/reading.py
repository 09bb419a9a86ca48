"""Reading files that anybody may have put there: plain files only, never more than is said."""

from __future__ import annotations

import errno
import os
import stat
from io import DEFAULT_BUFFER_SIZE, BufferedReader, FileIO
from pathlib import Path


def open_plain(path: Path, *, buffering: int = DEFAULT_BUFFER_SIZE) -> BufferedReader:
    """A plain file, opened to be read. Raises OSError, also for a folder, a pipe or a device.

    A pipe would have its reader wait, and a device such as /dev/zero has no end. buffering: bytes read
    at a time, at least.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a plain file", str(path))
    return BufferedReader(FileIO(descriptor), buffering)


def read_plain(path: Path, limit: int) -> bytes:
    """What a plain file holds. Raises OSError, also where it is none, or has more than `limit` bytes."""
    with open_plain(path) as file:
        # Room for all that may be read is made first: not for more than there is, unless it grows meanwhile.
        there = min(os.fstat(file.fileno()).st_size, limit)
        content = file.read(there + 1)
        if len(content) > there:
            content += file.read(limit + 1 - len(content))
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit:,} bytes", str(path))
    return content


def read_end(path: Path, length: int) -> bytes:
    """The last `length` bytes of a plain file, all of a shorter one. Raises OSError, also where it is none."""
    with open_plain(path) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - length))
        return file.read(length)
