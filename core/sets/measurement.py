"""What a run finds of one set of images: how many of them every level gets right, and a sample to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.families.ladder import Ladder
from core.sets.members import Candidates, Members
from core.sets.sample import Sample, choose
from core.sets.tally import Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.records.metrics import AttackFigures


@dataclass(frozen=True)
class Measured:
    """One set. sample: its `source` are indices into the pooled data set.

    distinct: how many different images are in it, None where each is counted once. attack: how the attack of its
    own did, None where it has none.
    """

    count: int
    accuracy: Mapping[str, float | None]
    sample: Members
    distinct: int | None = None
    attack: AttackFigures | None = None


class CandidateTally:
    """Counts and samples those candidates that belong to a set, while they come in blocks."""

    def __init__(self, ladder: Ladder, sample: Sample) -> None:
        self._tally = Tally(ladder)
        self._sample = sample

    def add(self, block: Candidates, places: NDArray[np.intp]) -> None:
        """Take those candidates of a block that are at these places."""
        self._tally.add(block.prediction[:, places], block.label[places])
        self._sample.add(block, places)

    def measured(self, source_index: NDArray[np.int64], attack: AttackFigures | None = None) -> Measured:
        """The set so far. source_index: (n,) where the attacked images are in the pooled data set."""
        sample = self._sample.members()
        return Measured(
            self._tally.count,
            self._tally.accuracy(),
            replace(sample, source=source_index[sample.source]),
            attack=attack,
        )


@dataclass(frozen=True, eq=False)
class ClassifiedImages:
    """The n test images of a run and what the classifier says of them.

    image: (n, H, W, C) uint8. label: (n,) int64. index: (n,) into the pooled data set. prediction: (levels, n)
    int64. support: (n, classes), see `core.families.family.Predictions`. classes: of the data set.
    """

    image: NDArray[np.uint8]
    label: NDArray[np.int64]
    index: NDArray[np.int64]
    prediction: NDArray[np.int64]
    support: NDArray[np.int64]
    ladder: Ladder
    classes: int
    correct: NDArray[np.bool_] = field(init=False)
    """(n,) whether the most general level classifies it correctly."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "correct", self.prediction[0] == self.label)

    def measure(self, places: NDArray[np.intp], shown: int, *, count_distinct: bool = False) -> Measured:
        """The set of the images at these places: counted as often as named, sampled once each, `shown` at most."""
        tally = Tally(self.ladder)
        tally.add(self.prediction[:, places], self.label[places])
        distinct = np.unique(places)
        target = np.full(len(distinct), -1)
        chosen = distinct[choose(self.label[distinct], target, self.classes, shown)]
        image = np.divide(self.image[chosen], np.float32(255), dtype=np.float32)
        sample = Members(
            image, self.index[chosen], self.label[chosen], target[: len(chosen)], self.prediction[:, chosen]
        )
        return Measured(
            tally.count, tally.accuracy(), sample, distinct=len(distinct) if count_distinct else None
        )
