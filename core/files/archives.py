"""What goes wrong when a damaged or forged archive of arrays is read, and how much memory that would take."""

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
"""What NumPy and zipfile were seen to raise for damaged or forged bytes, and what they are documented to raise."""


class TooLarge(Exception):
    """What an archive holds would take `size` bytes, more than it may."""

    def __init__(self, size: int) -> None:
        super().__init__(f"it holds {size:,} bytes")
        self.size = size


def check_sizes(file: BinaryIO, limit: int) -> None:
    """Look at what an archive of arrays says of their sizes, before any room is made for them.

    Of a member no more than its declared size is ever unpacked. Raises TooLarge where all of these together are
    above the limit of bytes, ValueError where an array claims more than its member holds, others of UNREADABLE for
    damage.
    """
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if (size := sum(member.file_size for member in members)) > limit:
            raise TooLarge(size)
        for member in members:
            # Also what is no array by its name: opening tells where that is damaged in one of its two places.
            with archive.open(member) as content:
                if member.filename.endswith(".npy"):
                    _check_claim(content, member)


def _check_claim(content: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Raises ValueError where an array claims to be larger than what there is of it."""
    version = np.lib.format.read_magic(content)
    # Version 3 differs from 2 in how names of fields are written.
    head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = head(content)
    claimed = math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and claimed > member.file_size:
        name = member.filename.removesuffix(".npy")
        raise ValueError(f"the array {name} claims {claimed:,} bytes, and {member.file_size:,} are there")
