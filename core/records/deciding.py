"""The records of a run that decide the claim: cross-fitted accuracy, bias and variance, robustness.

For definitions see docs/protocol.md, "Deciding the claim". Mappings by level have the level's label as key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar, get_args

from core.records.types import Count, Name, Record, Share

DecidingSet = Literal["test", "misclassified", "adversarial", "noise"]
"""The sets that are selected on one half of the training images and measured on the other."""
DECIDING_SETS: tuple[DecidingSet, ...] = get_args(DecidingSet)
UNSELECTED: DecidingSet = "test"
"""The one among them that no half selects: all test images."""

T = TypeVar("T")

ByLevel = dict[Name, Share | None]
"""Level -> accuracy; None where the set is empty in one of the two orders."""


class CrossFit(Record, frozen=True, kw_only=True):
    """Accuracy on sets that one half's classifier selects, by the classifier of the other half.

    Each set is None where it was not measured, else level -> the mean over both orders of the halves. own: set ->
    level -> the accuracy of the classifier that selected the set. counts: set -> its images in each order.
    """

    test: ByLevel | None = None
    misclassified: ByLevel | None = None
    adversarial: ByLevel | None = None
    noise: ByLevel | None = None
    own: dict[Name, ByLevel]
    counts: dict[Name, tuple[Count, Count]]

    @property
    def accuracy(self) -> Mapping[DecidingSet, ByLevel]:
        """The sets that were measured."""
        found: dict[DecidingSet, ByLevel | None] = {name: getattr(self, name) for name in DECIDING_SETS}
        return _measured(found)


class Decomposition(Record, frozen=True, kw_only=True):
    """0-1 loss at one level over random parts of the training images (Domingos, 2000), means over a set's images.

    bias: whether the main prediction, the most frequent one, is wrong. variance: how often a prediction differs
    from the main one. unbiased: how often it differs where the main one is right, else 0. biased: how often a
    prediction is right where the main one is wrong, else 0. error: how often a prediction is wrong: bias +
    unbiased - biased.
    """

    bias: Share
    variance: Share
    unbiased: Share
    biased: Share
    error: Share


Decompositions = dict[Name, Decomposition]
"""Level -> its decomposition."""


class BiasVariance(Record, frozen=True, kw_only=True):
    """The decomposition on every set; selected on one half, measured on random parts of the other.

    Each set has the mean over both orders of the halves; None where it was not measured or is empty in one of them.
    subsets: the number of random parts in each order.
    """

    test: Decompositions | None = None
    misclassified: Decompositions | None = None
    adversarial: Decompositions | None = None
    noise: Decompositions | None = None
    subsets: Count

    @property
    def sets(self) -> Mapping[DecidingSet, Decompositions]:
        """The sets that were measured."""
        found: dict[DecidingSet, Decompositions | None] = {
            name: getattr(self, name) for name in DECIDING_SETS
        }
        return _measured(found)


class LevelRobustness(Record, frozen=True, kw_only=True):
    """The robustness of one level on all candidates of all test images, unselected; None where nothing counts.

    accuracy: the share of candidates that the level gets right. success: of the candidates whose source it gets
    right, the share that it gets wrong. worst_case: the share of test images that it gets right with all their
    candidates.
    """

    accuracy: Share | None
    success: Share | None
    worst_case: Share


class Flips(Record, frozen=True, kw_only=True):
    """Among the n candidates whose source both ends of the ladder get right: how many only one end gets right.

    gained: right at the most fitted level only. lost: right at the most general one only.
    """

    gained: Count
    lost: Count
    n: Count

    @property
    def net(self) -> float | None:
        """(gained - lost) / n; None without candidates."""
        return (self.gained - self.lost) / self.n if self.n else None


class Robustness(Record, frozen=True, kw_only=True):
    """The robustness of all levels. robustness: level -> its figures. flips: between the ladder's two ends."""

    robustness: dict[Name, LevelRobustness]
    flips: Flips


def _measured(found: Mapping[DecidingSet, T | None]) -> dict[DecidingSet, T]:
    return {name: value for name, value in found.items() if value is not None}
