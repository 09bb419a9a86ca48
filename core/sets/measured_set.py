"""What a measured set says of itself: a set of images whose accuracy a run measures at every level.

A module of a set is read by the terminal program too: it takes NumPy from `core.declarations.lazy`, which
imports it when it is first used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from core.families.ladder import Ladder

if TYPE_CHECKING:
    from core.records.metrics import RunMetrics
    from core.sets.measurement import Measured
    from core.sets.run_so_far import RunSoFar

T = TypeVar("T")


@dataclass(frozen=True)
class Counterpart:
    """What a verdict says of a control that would have to rise less, were adversarial examples what rises.

    subject: the beginning of the sentence, up to its verb, which is in the plural; "rise" follows.
    """

    subject: str


class MeasuredSet(ABC):
    """One set; a new object for each run that measures it.

    description: what is in the set, in one line.
    selected_at: the end of the ladder whose errors its images were selected by, None where they were not. The
        accuracy there is 0 whatever the classifier, and a ratio over it says nothing. "fitted": its slopes are
        counted from there, so that they are compared with steps equally far from where another set was selected.
    perturbed: whether its images were made from others; else they are images of the data set.
    shown: how many of its images a run's gallery holds at most.
    in_charts: whether charts draw it unless they are asked for all sets. in_report: whether a report shows
        some of its images.
    draws: whether it attacks anew, as many candidates as the experiment's attack has.
    decides: whether what decides the claim (docs/protocol.md) is measured on it too; it then draws from every test
        image. Only of sets that results have a place for, `core.records.deciding.DECIDING_SETS`.
    adversarial_itself: whether it consists of candidates of the attack, so that it cannot stand for images without
        an adversary.
    shuffles: the set of the paper's whose images it holds, judged in a random order of nearness; None for others.
        Its rise is compared with that of this set, all others with that of the adversarial one.
    counterpart: see there; None where the set cannot account for a rise.
    """

    description: ClassVar[str]
    selected_at: ClassVar[Literal["general", "fitted"] | None] = None
    perturbed: ClassVar[bool] = True
    shown: ClassVar[int] = 100
    in_charts: ClassVar[bool] = False
    in_report: ClassVar[bool] = False
    draws: ClassVar[bool] = False
    decides: ClassVar[bool] = False
    adversarial_itself: ClassVar[bool] = False
    shuffles: ClassVar[Literal["adversarial", "misclassified"] | None] = None
    counterpart: ClassVar[Counterpart | None] = None

    name: str = ""
    """What it is registered as; set by who makes it."""

    @abstractmethod
    def measure(self, run: RunSoFar) -> Measured:
        """Count and sample the set in a run whose attack has been made."""

    @classmethod
    def begins_at_zero(cls) -> bool:
        """Whether the accuracy at the level that slopes are counted from is 0 by construction."""
        return cls.selected_at is not None

    @classmethod
    def zero_level(cls, ladder: Ladder) -> str | None:
        """The level at which its accuracy is 0 by construction."""
        ends = {"general": ladder.general, "fitted": ladder.fitted, None: None}
        return ends[cls.selected_at]

    @classmethod
    def rise_ends_at(cls, ladder: Ladder) -> str:
        """The level at which the rise from that zero ends: the other end of the ladder."""
        return ladder.general if cls.selected_at == "fitted" else ladder.fitted

    @classmethod
    def as_counted(cls, values: Mapping[str, T], ladder: Ladder) -> dict[str, T]:
        """The values by the level that stands as far from where slopes are counted from: level -> value."""
        if cls.selected_at == "fitted":
            return ladder.mirrored(values)
        return {level: values[level] for level in ladder.levels}

    @classmethod
    def remarks(cls, runs: list[RunMetrics]) -> str:
        """In what it is less like the adversarial set than its name says, a clause for brackets, "" for nothing.

        runs: those in which both have images, at least one.
        """
        return ""
