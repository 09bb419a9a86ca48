"""Whether a file in the IDX format of MNIST is whole, said before anything tries to read it."""

from __future__ import annotations

import math
import struct
from pathlib import Path

from core.errors import DataError

_GZIP = b"\x1f\x8b"
_UNSIGNED_BYTES = 0x08


def checked_shape(path: Path, dimensions: int, hint: str) -> tuple[int, ...]:
    """The array shape that the header of an IDX file of unsigned bytes promises, and the file's size keeps.

    The header is two zero bytes, the type, the number of dimensions, then each dimension as a big-endian
    32-bit integer (Y. LeCun, "The MNIST database", file formats). `hint` is what a DataError tells to do.
    """
    with path.open("rb") as file:
        header = file.read(4 + 4 * dimensions)
    if header[:2] == _GZIP:
        raise DataError(
            f"{path} is still gzip-packed: expected the unpacked IDX file", f"gunzip it, or {hint}"
        )
    magic = bytes((0, 0, _UNSIGNED_BYTES, dimensions))
    if header[:4] != magic:
        raise DataError(
            f"{path} begins with 0x{header[:4].hex()}: an IDX file of {dimensions}-dimensional bytes begins "
            f"with 0x{magic.hex()}",
            hint,
        )
    found = path.stat().st_size
    if len(header) < 4 + 4 * dimensions:
        raise DataError(f"{path} ends inside its header, after {found} bytes", hint)
    shape = struct.unpack(f">{dimensions}I", header[4:])
    expected = len(header) + math.prod(shape)
    if found != expected:
        raise DataError(
            f"{path} holds {found} bytes: its header promises {'x'.join(map(str, shape))}, {expected} bytes",
            hint,
        )
    if not math.prod(shape):
        raise DataError(f"{path} is empty: its header promises {'x'.join(map(str, shape))}", hint)
    return shape
