"""Robustness without selection: every level on all candidates of all test images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.families.ladder import Ladder
from core.records.deciding import Flips, LevelRobustness, Robustness


class RobustnessTally:
    """Counts candidates, which come in blocks, all of one source in the same block.

    source_right: (levels, n) bool, whether each level gets the n test images right.
    """

    def __init__(self, ladder: Ladder, source_right: NDArray[np.bool_]) -> None:
        self._ladder = ladder
        self._source_right = source_right
        self._never_wrong = source_right.copy()
        levels = len(ladder.levels)
        self._right, self._recognised, self._fooled = np.zeros((3, levels), dtype=np.int64)
        self.count = self._gained = self._lost = self._both = 0

    def add(self, right: NDArray[np.bool_], source: NDArray[np.intp]) -> None:
        """Take m candidates. right: (levels, m), whether each level gets them right. source: (m,) rows."""
        known = self._source_right[:, source]
        self.count += len(source)
        self._right += right.sum(axis=1)
        self._recognised += known.sum(axis=1)
        self._fooled += (known & ~right).sum(axis=1)
        level, wrong = np.nonzero(~right)
        self._never_wrong[level, source[wrong]] = False
        both = known[0] & known[-1]
        self._both += int(both.sum())
        self._gained += int((both & ~right[0] & right[-1]).sum())
        self._lost += int((both & right[0] & ~right[-1]).sum())

    def figures(self) -> Robustness:
        """Of what came so far."""
        images = self._never_wrong.shape[1]
        levels = zip(
            self._ladder.levels,
            self._right.tolist(),
            self._recognised.tolist(),
            self._fooled.tolist(),
            self._never_wrong.sum(axis=1).tolist(),
            strict=True,
        )
        return Robustness(
            robustness={
                level: LevelRobustness(
                    accuracy=right / self.count if self.count else None,
                    success=fooled / recognised if recognised else None,
                    worst_case=never_wrong / images,
                )
                for level, right, recognised, fooled, never_wrong in levels
            },
            flips=Flips(gained=self._gained, lost=self._lost, n=self._both),
        )
