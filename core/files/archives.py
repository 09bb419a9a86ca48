"""Checks an archive of arrays before it is read: the memory it would take, and what a damaged one raises."""

from __future__ import annotations

import math
import struct
import tokenize
import zipfile
import zlib
from typing import IO, BinaryIO

from core.declarations.lazy import np

UNREADABLE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    SystemError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""The exceptions that NumPy and zipfile raise for damaged or forged bytes, as documented and as seen."""


class TooLarge(Exception):
    """The error for an archive whose content would take `size` bytes of memory, more than it may."""

    def __init__(self, size: int) -> None:
        super().__init__(f"it holds {size:,} bytes")
        self.size = size


def check_sizes(file: BinaryIO, limit: int) -> None:
    """Check the sizes that an archive of arrays declares, before memory is allocated for them.

    Raises TooLarge where the declared sizes of its members add up to more than `limit` bytes (of a member no more
    than its declared size is ever unpacked), ValueError where an array claims more than its member holds, others of
    UNREADABLE for damage.
    """
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if (size := sum(member.file_size for member in members)) > limit:
            raise TooLarge(size)
        for member in members:
            # Members with other names are opened too: that raises where their two headers do not agree.
            with archive.open(member) as content:
                if member.filename.endswith(".npy"):
                    _check_claim(content, member)


def _check_claim(content: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Raises ValueError where the header of an array claims more bytes than its member has."""
    version = np.lib.format.read_magic(content)
    # Version 3 differs from 2 in how names of fields are written.
    head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = head(content)
    claimed = math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and claimed > member.file_size:
        name = member.filename.removesuffix(".npy")
        raise ValueError(f"the array {name} claims {claimed:,} bytes, and {member.file_size:,} are there")
