"""Accuracy at every level of one set whose images come in blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Tally:
    """Counts right answers at each level; `levels` are ordered from general to fitted."""

    def __init__(self, levels: Sequence[int]) -> None:
        self._levels = tuple(levels)
        self._right = np.zeros(len(self._levels), dtype=np.int64)
        self.count = 0

    def add(self, prediction: NDArray[np.int64], label: NDArray[np.int64]) -> None:
        """Count (levels, n) predictions against (n,) true labels."""
        self._right += (prediction == label).sum(axis=1)
        self.count += len(label)

    def accuracy(self) -> dict[int, float | None]:
        """Level -> share of right answers, 0 to 1; None at every level where nothing was counted."""
        if not self.count:
            return dict.fromkeys(self._levels)
        return {
            level: int(right) / self.count for level, right in zip(self._levels, self._right, strict=True)
        }
