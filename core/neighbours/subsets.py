"""K-nearest-neighbour classifiers on parts of the training images, answered from the neighbours in the whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from core.families.family import Predictions
from core.neighbours.classifier import FittedNeighbours
from core.neighbours.search import Pixels
from core.neighbours.vote import vote_at_each
from core.tensors.batches import batches

PLACES_AT_ONCE = 2**21
"""Places in the lists of neighbours, of all parts together, that are looked at together."""
MOST_IN_INT16 = 2**15 - 1


@dataclass(frozen=True)
class NeighboursOfParts:
    """All K of K-nearest-neighbour classifiers on parts of the training images, from one search of the whole.

    The members of a part that come first in the list of the whole's nearest are the part's nearest, in their
    order, wherever z of them are in the list. Where they are not, a longer list is searched for.

    parts: (p, N) bool. Raises ValueError for a part with fewer than z images.
    """

    whole: FittedNeighbours
    parts: NDArray[np.bool_]

    @classmethod
    def of(cls, whole: FittedNeighbours, parts: NDArray[np.bool_]) -> NeighboursOfParts:
        """With a whole that lists as many neighbours as these parts need. Raises as the class does."""
        made = cls(whole, parts)
        return replace(made, whole=replace(whole, wanted=made.wanted))

    def __post_init__(self) -> None:
        if self.parts.ndim != 2 or self.parts.shape[1] != len(self.whole.labels):
            raise ValueError(f"parts must be (p, {len(self.whole.labels)}), not {self.parts.shape}")
        if self._smallest < self.whole.voting.z:
            raise ValueError(f"a part has {self._smallest} images, fewer than z = {self.whole.voting.z}")

    def predict(
        self, images: Pixels, whole: Predictions, near: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """See `PartLevels.predict`."""
        answer = np.empty((len(self.parts), len(self.whole.voting.every_k), len(images)), dtype=np.int64)
        listed, left = whole.near, np.arange(len(images))
        queries = images.reshape(len(images), prod(self.whole.image_shape))
        if listed.shape[1] < self.wanted:
            listed = self.whole.search_like(queries, self.wanted, near)
        while len(left):
            served = np.empty(len(left), dtype=bool)
            for rows in batches(len(left), max(1, PLACES_AT_ONCE // (len(self.parts) * listed.shape[1]))):
                served[rows] = self._vote(listed[rows], left[rows], answer)
            left = left[~served]
            if len(left):
                # At the latest with a list of all training images every part has its z.
                count = min(2 * listed.shape[1], self.parts.shape[1])
                listed = self.whole.search_like(queries[left], count)
        return answer

    @property
    def wanted(self) -> int:
        """How many neighbours a list of the whole should have."""
        return self.whole.listed(self._smallest / self.parts.shape[1], len(self.parts))

    @cached_property
    def _smallest(self) -> int:
        """The number of images of the smallest part."""
        return int(self.parts.sum(axis=1).min(initial=self.parts.shape[1]))

    def _vote(
        self, listed: NDArray[np.int64], rows: NDArray[np.intp], answer: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Put the labels of all parts into the rows of the answer; which rows had z neighbours in every part.

        What is put into the other rows is of no use.
        """
        z, tie_rule = self.whole.voting.z, self.whole.voting.tie_rule
        member = self.parts[:, listed]  # (p, rows, listed)
        place = member.cumsum(axis=2, dtype=np.int16 if listed.shape[1] <= MOST_IN_INT16 else np.int64)
        served: NDArray[np.bool_] = np.all(place[:, :, -1] >= z, axis=0)
        first: NDArray[np.bool_] = np.logical_and(member, place <= z)[:, served]
        voters = np.broadcast_to(self.whole.labels[listed[served]], first.shape)[first].reshape(-1, z)
        labels = vote_at_each(self.whole.voting.every_k, voters, self.whole.classes, tie_rule)
        by_part = labels.reshape(len(labels), len(self.parts), int(served.sum()))
        answer[:, :, rows[served]] = by_part.swapaxes(0, 1)
        return served
