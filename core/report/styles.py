"""How a set and a test look wherever they are drawn: one table for the terminal and for exported figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.sets.registry import SETS, is_known

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A7A7A")
"""Okabe and Ito's palette for the colour-blind, with grey for its black and without its yellow, which white paper
swallows. On a dark screen they are made lighter.
"""


@dataclass(frozen=True)
class Marker:
    """glyph: in a terminal. shape, filled: the same by matplotlib's names."""

    glyph: str
    shape: str | tuple[int, int, int]
    filled: bool = True


MARKERS = (
    Marker("●", "o"), Marker("▲", "^"), Marker("◆", "D"),
    Marker("○", "o", filled=False), Marker("△", "^", filled=False), Marker("◇", "D", filled=False),
    Marker("■", "s"), Marker("□", "s", filled=False), Marker("▼", "v"), Marker("▽", "v", filled=False),
    Marker("★", "*"), Marker("☆", "*", filled=False), Marker("×", "x"), Marker("+", "+"), Marker("*", (6, 2, 0)),
)  # fmt: skip
"""By number: a symbol means the same set everywhere."""
TEST_NUMBERS = {"welch": 0, "paired": 1, "nadeau_bengio": 2, "wilcoxon": 6}
"""The numbers of the tests' looks."""


def set_number(name: str, names: Iterable[str] = ()) -> int:
    """The number of a set's look, the same in every experiment: its place in SETS.

    Those that are not in SETS follow, in the order in which they stand among `names`.
    """
    if is_known(name):
        return list(SETS).index(name)
    others = [other for other in names if not is_known(other)]
    return len(SETS) + (others.index(name) if name in others else 0)
