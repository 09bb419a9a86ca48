"""Words of the command line of the computing processes."""

from __future__ import annotations

import argparse


def at_least_one(word: str) -> int:
    """The whole number that a word stands for. Raises argparse.ArgumentTypeError where it is below 1."""
    try:
        number = int(word)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is not possible: expected a whole number from 1")
    return number
