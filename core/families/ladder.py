"""A ladder: the levels of a classifier family's fitting knob, from general to fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")

OTHER_ARRAYS = ("label", "source", "target", "prediction", "surrogate_prediction", "half", "image")
"""Arrays that stand beside a ladder's in files, apart from those of the test and the adversarial images."""


@dataclass(frozen=True)
class Step:
    """From one level to the next more fitted one, by their labels."""

    general: str
    fitted: str


@dataclass(frozen=True)
class Ladder:
    """Levels ordered from general to fitted.

    knob: what is turned, as people call it, for example "K". levels: the labels, distinct, at least two, for
    example ("7", "5", "3", "1"). values: what the knob is set to at each level, numbers or words.
    Raises ValueError for fewer than two levels, two with one label, words with control characters, or another
    number of values.
    """

    knob: str
    levels: tuple[str, ...]
    values: tuple[int | float | str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.levels) < 2 or len(set(self.levels)) != len(self.levels):
            raise ValueError(f"a ladder needs two levels or more, all different: {self.levels}")
        if not all(word.isprintable() for word in (self.knob, *self.levels)):
            raise ValueError(f"a knob or a level that cannot be shown: {self.knob!r}, {self.levels}")
        if not self.values:
            object.__setattr__(self, "values", self.levels)
        elif len(self.values) != len(self.levels):
            raise ValueError(f"{len(self.values)} values for {len(self.levels)} levels")

    @property
    def general(self) -> str:
        """The most general level."""
        return self.levels[0]

    @property
    def fitted(self) -> str:
        """The most fitted level."""
        return self.levels[-1]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every pair of neighbouring levels, the most general first."""
        return tuple(Step(general, fitted) for general, fitted in pairwise(self.levels))

    @property
    def span(self) -> str:
        """The whole ladder in two or three words: "K 7 to 1"."""
        return f"{self.knob} {self.general} to {self.fitted}"

    @property
    def array_name(self) -> str:
        """What the array of the knob's values is called in files: its name in lower-case letters and digits.

        A name that another array of these files may have is followed by "_levels".
        """
        name = "".join(c if c.isalnum() and c.isascii() else "_" for c in self.knob.lower()) or "level"
        taken = name in OTHER_ARRAYS or name.startswith(("train_", "test_", "adversarial_", "crossfit_"))
        return f"{name}_levels" if taken else name

    def before(self, level: str) -> str:
        """The next more general level. Raises ValueError for the most general one, or one that is not there."""
        place = self.levels.index(level)
        if place == 0:
            raise ValueError(f"{self.at(level)} is the most general level")
        return self.levels[place - 1]

    def at(self, level: str) -> str:
        """A level in words: "K = 7"."""
        return f"{self.knob} = {level}"

    def move(self, level: str) -> str:
        """The step that ends at a level, in words: "K = 3 to 1"."""
        return f"{self.knob} = {self.before(level)} to {level}"

    def mirrored(self, values: Mapping[str, T]) -> dict[str, T]:
        """Values by level with the levels reversed: each gets the value of the level as far from the other end."""
        return {level: values[other] for level, other in zip(self.levels, reversed(self.levels), strict=True)}


def slope_name(level: str) -> str:
    """The paper's letter for the ratio A_level / A_before: "S_3"."""
    return f"S_{level}"


def rise_name(ladder: Ladder, level: str) -> str:
    """The name of the difference A_level - A_before: "A_3 - A_5"."""
    return f"A_{level} - A_{ladder.before(level)}"
