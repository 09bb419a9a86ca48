"""What goes wrong when an archive of arrays is read that is damaged or forged."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib

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
