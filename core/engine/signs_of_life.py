"""How a worker behind a launcher says that it lives. Loaded before all else, so it imports nothing of ours.

Until the first sign a worker may be waiting in a queue, and nobody can say for how long; after it, silence is a
loss. So the first is given before what takes seconds to load.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import unquote

SIGN_SECONDS = 10.0
"""How often a sign is given."""
MARKED = "--marked"
"""The option that names the word behind which a worker's lines come."""


def sign_of_life(mark: str) -> bytes:
    """A line that says nothing but that its sender lives: the mark alone."""
    return b"\n" + mark.encode() + b"\n"


def give_first_sign(words: Sequence[str]) -> None:
    """Give one on standard output, where a worker's words, percent-encoded or not, ask for marked lines."""
    decoded = [unquote(word) for word in words]
    if MARKED in decoded[:-1]:
        with suppress(OSError):  # nobody hears us: that our input has ended tells so
            os.write(sys.stdout.fileno(), sign_of_life(decoded[decoded.index(MARKED) + 1]))
