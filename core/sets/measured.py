"""What a run says of one set of images: how many of them every level gets right, and a sample to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.sets.catalogue import SETS
from core.sets.sample import Members, choose
from core.sets.selection import Part
from core.sets.tally import Tally


@dataclass(frozen=True)
class Measured:
    """One set. sample: its `source` are indices into the pooled data set."""

    tally: Tally
    sample: Members


def of_candidates(part: Part, source_index: NDArray[np.int64]) -> Measured:
    """A part of the candidates. source_index: (n,) where the attacked sources are in the pooled data set."""
    sample = part.sample.members()
    return Measured(part.tally, replace(sample, source=source_index[sample.source]))


@dataclass(frozen=True)
class TestedImages:
    """The n test images. image: (n, H, W, C) uint8. label: (n,) int64. index: (n,) into the pooled data set.

    prediction: (levels, n) int64. levels: the most general first. classes: of the data set.
    """

    image: NDArray[np.uint8]
    label: NDArray[np.int64]
    index: NDArray[np.int64]
    prediction: NDArray[np.int64]
    levels: Sequence[int]
    classes: int

    def measured(self, name: str, places: NDArray[np.intp]) -> Measured:
        """The set of this name, which are those at these places: counted as often as named, sampled but once."""
        tally = Tally(self.levels)
        tally.add(self.prediction[:, places], self.label[places])
        distinct = np.unique(places)
        target = np.full(len(distinct), -1)
        chosen = distinct[choose(self.label[distinct], target, self.classes, SETS[name].shown)]
        image = np.divide(self.image[chosen], np.float32(255), dtype=np.float32)
        sample = Members(
            image, self.index[chosen], self.label[chosen], target[: len(chosen)], self.prediction[:, chosen]
        )
        return Measured(tally, sample)
