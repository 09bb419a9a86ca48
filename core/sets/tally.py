"""Accuracy at every level of one set whose images come in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.families.ladder import Ladder

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Tally:
    """Counts right answers at each level of a ladder."""

    def __init__(self, ladder: Ladder) -> None:
        self._levels = ladder.levels
        self._right = np.zeros(len(self._levels), dtype=np.int64)
        self.count = 0

    def add(self, prediction: NDArray[np.int64], label: NDArray[np.int64]) -> None:
        """Count (levels, n) predictions against (n,) true labels."""
        self._right += (prediction == label).sum(axis=1)
        self.count += len(label)

    def accuracy(self) -> dict[str, float | None]:
        """Level -> share of right answers, 0 to 1; None at every level where nothing was counted."""
        if not self.count:
            return dict.fromkeys(self._levels)
        return {
            level: int(right) / self.count for level, right in zip(self._levels, self._right, strict=True)
        }
