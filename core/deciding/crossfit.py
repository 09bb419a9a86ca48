"""Cross-fitted selection: the classifier of one half selects a set, that of the other half is measured on it.

A set that is selected by the errors of a classifier has accuracy 0 for that classifier, and any other can only
raise it. Measured by a classifier that did not select, what is left of the rise is not selection.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.families.ladder import Ladder
from core.records.deciding import DECIDING_SETS, CrossFit, DecidingSet
from core.sets.tally import Tally

ORDERS = (0, 1)
"""Which half selects; the other one is measured."""


class CrossFitTally:
    """Counts right answers on the deciding sets, which come in blocks, in both orders of the halves."""

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        self._other: dict[DecidingSet, tuple[Tally, Tally]] = {}
        self._own: dict[DecidingSet, tuple[Tally, Tally]] = {}

    def add(
        self,
        name: DecidingSet,
        selected: NDArray[np.bool_],
        prediction: NDArray[np.int64],
        label: NDArray[np.int64],
    ) -> None:
        """Take images. selected: (2, n), by the classifier of each half. prediction: (2, levels, n), of each."""
        other = self._other.setdefault(name, (Tally(self._ladder), Tally(self._ladder)))
        own = self._own.setdefault(name, (Tally(self._ladder), Tally(self._ladder)))
        for half in ORDERS:
            places = np.flatnonzero(selected[half])
            own[half].add(prediction[half][:, places], label[places])
            other[half].add(prediction[1 - half][:, places], label[places])

    def figures(self) -> CrossFit:
        """Of what came so far."""
        accuracy = {name: self._mean(tallies) for name, tallies in self._other.items()}
        return CrossFit(
            **{name: accuracy.get(name) for name in DECIDING_SETS},
            own={name: self._mean(tallies) for name, tallies in self._own.items()},
            counts={name: (one.count, two.count) for name, (one, two) in self._own.items()},
        )

    def _mean(self, tallies: tuple[Tally, Tally]) -> dict[str, float | None]:
        """Of both orders."""
        one, two = (tally.accuracy() for tally in tallies)
        return {level: _mean(one[level], two[level]) for level in self._ladder.levels}


def _mean(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None else (one + two) / 2


def wrong_at(
    place: int,
    prediction: NDArray[np.int64],
    label: NDArray[np.int64],
    source: NDArray[np.int64] | None = None,
) -> NDArray[np.bool_]:
    """(2, n): the images that the classifier of each half gets wrong at one level, their sources right.

    place: of the level in the ladder. prediction: (2, levels, n) of the images; source: the same of what they were
    made from, None where they were not.
    """
    wrong: NDArray[np.bool_] = prediction[:, place] != label
    return wrong if source is None else wrong & (source[:, place] == label)
