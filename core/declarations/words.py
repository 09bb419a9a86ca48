"""Counts and lists in words, for sentences and tables alike."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, noun: str) -> str:
    """A count with its noun: "1 run", "2 runs"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


LEVELS_OF_SIGNIFICANCE = (0.05, 0.01, 0.001)


def p_value(p: float) -> str:
    """A p-value in two significant digits, or in as many as keep it on its own side of 0.05, 0.01 and 0.001."""
    for digits in range(2, 17):
        text = f"{p:.{digits}g}"
        said = float(text)
        if all((said < level, said > level) == (p < level, p > level) for level in LEVELS_OF_SIGNIFICANCE):
            return text
    return repr(p)


def uncapitalised(sentence: str) -> str:
    """A sentence as a part of another one: "The set is empty." -> "the set is empty"."""
    return sentence[:1].lower() + sentence[1:].removesuffix(".")


def enumerate_words(items: Sequence[object]) -> str:
    """Words in a row, one at least: "a, b and c"."""
    *others, last = map(str, items)
    return f"{', '.join(others)} and {last}" if others else last
