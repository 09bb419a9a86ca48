"""Counts and lists in words, for sentences and tables alike."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, noun: str) -> str:
    """A count with its noun: "1 run", "2 runs"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def uncapitalised(sentence: str) -> str:
    """A sentence as a part of another one: "The set is empty." -> "the set is empty"."""
    return sentence[:1].lower() + sentence[1:].removesuffix(".")


def enumerate_words(items: Sequence[object]) -> str:
    """Words in a row, one at least: "a, b and c"."""
    *others, last = map(str, items)
    return f"{', '.join(others)} and {last}" if others else last
