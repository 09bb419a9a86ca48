"""How a worker behind a launcher says that it lives. Loaded before all else, so it imports nothing of ours.

Until the first sign a worker may be waiting in a queue, and nobody can say for how long; after it, a silent worker
counts as lost. So the first sign is given before the imports that take seconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import unquote

SIGN_SECONDS = 10.0
"""Seconds between two signs."""
MARKED = "--marked"
"""The option that names the mark, the word that precedes each of a worker's answers and signs."""


def sign_of_life(mark: str) -> bytes:
    """A sign of life: a line that has only the mark."""
    return b"\n" + mark.encode() + b"\n"


def give_first_sign(words: Sequence[str]) -> None:
    """Write a sign of life to standard output, where a worker's command-line words, encoded or not, have MARKED."""
    decoded = [unquote(word) for word in words]
    if MARKED in decoded[:-1]:
        with suppress(OSError):  # nobody hears us: that our input has ended tells so
            os.write(sys.stdout.fileno(), sign_of_life(decoded[decoded.index(MARKED) + 1]))
