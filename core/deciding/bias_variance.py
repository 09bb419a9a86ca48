"""Bias and variance of 0-1 loss (Domingos, 2000: "A unified bias-variance decomposition"), counted over parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.families.ladder import Ladder
from core.records.deciding import DECIDING_SETS, BiasVariance, DecidingSet, Decomposition, Decompositions


class DecompositionTally:
    """Counts over one set's images, which come in blocks. subsets: B, the parts whose predictions are taken."""

    def __init__(self, ladder: Ladder, classes: int, subsets: int) -> None:
        self._ladder, self._classes, self._subsets = ladder, classes, subsets
        # bias (of images); variance, unbiased, biased, error (of predictions), by level
        self._counts = np.zeros((5, len(ladder.levels)), dtype=np.int64)
        self._images = 0

    def add(self, prediction: NDArray[np.int64], label: NDArray[np.int64]) -> None:
        """Take n images. prediction: (B, levels, n), by each part. label: (n,), the truth.

        Of the predictions that are equally frequent the lowest label is the main one.
        """
        subsets, levels, n = prediction.shape
        if subsets != self._subsets:
            raise ValueError(f"predictions of {subsets} parts, not of {self._subsets}")
        cells = np.arange(levels * n).reshape(levels, n) * self._classes + prediction
        votes = np.bincount(cells.ravel(), minlength=levels * n * self._classes)
        votes = votes.reshape(levels, n, self._classes)
        main = votes.argmax(axis=2)
        from_main = subsets - votes.max(axis=2)
        right = np.take_along_axis(votes, np.broadcast_to(label, (levels, n))[:, :, None], axis=2)[:, :, 0]
        is_biased = main != label
        self._counts += np.stack(
            [
                is_biased.sum(axis=1),
                from_main.sum(axis=1),
                np.where(is_biased, 0, from_main).sum(axis=1),
                np.where(is_biased, right, 0).sum(axis=1),
                (subsets - right).sum(axis=1),
            ]
        )
        self._images += n

    def shares(self) -> NDArray[np.float64] | None:
        """(5, levels): bias, variance, unbiased, biased, error; None where no image came."""
        if not self._images:
            return None
        shares: NDArray[np.float64] = self._counts / self._images
        shares[1:] /= self._subsets
        return shares


class BiasVarianceTally:
    """Counts the deciding sets in both orders of the halves."""

    def __init__(self, ladder: Ladder, classes: int, subsets: int) -> None:
        self._ladder, self._classes, self._subsets = ladder, classes, subsets
        self._tallies: dict[DecidingSet, tuple[DecompositionTally, DecompositionTally]] = {}

    def add(
        self, name: DecidingSet, half: int, prediction: NDArray[np.int64], label: NDArray[np.int64]
    ) -> None:
        """Take images of a set that was selected by the classifier of a half: see `DecompositionTally.add`."""
        if name not in self._tallies:
            self._tallies[name] = (self._new(), self._new())
        self._tallies[name][half].add(prediction, label)

    def figures(self) -> BiasVariance:
        """Of what came so far."""
        found = {name: self._mean(*tallies) for name, tallies in self._tallies.items()}
        return BiasVariance(**{name: found.get(name) for name in DECIDING_SETS}, subsets=self._subsets)

    def _new(self) -> DecompositionTally:
        return DecompositionTally(self._ladder, self._classes, self._subsets)

    def _mean(self, one: DecompositionTally, two: DecompositionTally) -> Decompositions | None:
        """Of both orders; None where one has no image."""
        first, second = one.shares(), two.shares()
        if first is None or second is None:
            return None
        columns = ((first + second) / 2).T.tolist()
        names = ("bias", "variance", "unbiased", "biased", "error")
        return {
            level: Decomposition(**dict(zip(names, column, strict=True)))
            for level, column in zip(self._ladder.levels, columns, strict=True)
        }
