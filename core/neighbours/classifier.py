"""All K of K-nearest-neighbour classifiers, answered from one search of the nearest training images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from math import ceil, prod, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from core.families.family import ONE_PROCESSOR, Nearest, Predictions, Resources
from core.families.voting import SUBSETS, TIE_RULES, Voting
from core.files.cache import key_of
from core.neighbours.search import NeighbourSearch, Pixels
from core.neighbours.vote import vote_at_each, vote_counts

CACHE_KIND = "neighbours"
"""Of the entries in the cache."""
NEARBY = 9
"""Neighbours looked for besides those needed: with them, those of an image like it are nearly always known."""
QUARTER = 0.25
"""The share of the training images in the smallest parts that a run asks about."""


class OtherTieRules(Mapping[str, NDArray[np.int64]]):
    """What all K would say by the tie rules that are not followed: (levels, n) each, made when asked for.

    voters: (n, z) the labels of the nearest training images.
    """

    def __init__(self, voting: Voting, voters: NDArray[np.int64], classes: int) -> None:
        self._voting, self._voters, self._classes = voting, voters, classes
        self._rules = {f"ties: {rule}": rule for rule in TIE_RULES if rule != voting.tie_rule}

    def __getitem__(self, name: str) -> NDArray[np.int64]:
        return vote_at_each(self._voting.every_k, self._voters, self._classes, self._rules[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)


@dataclass(frozen=True)
class FittedNeighbours:
    """All K of K-nearest-neighbour classifiers, answered from one search of z neighbours.

    training_key: names the training images' content in the cache. wanted: how many neighbours of an image like
    another are looked for, 0 for z.
    """

    voting: Voting
    search: NeighbourSearch
    image_shape: tuple[int, ...]
    labels: NDArray[np.int64]
    classes: int
    resources: Resources = ONE_PROCESSOR
    training_key: str = ""
    wanted: int = 0
    _effort: Counter[str] = field(default_factory=Counter)

    def predict(self, images: Pixels, near: NDArray[np.int64] | None = None) -> Predictions:
        """See `FittedLevels.predict`; support is votes, the notes on an image are its nearest training images."""
        queries = self._queries(images)
        z = self.voting.z
        index = self._nearest(queries) if near is None else self.search_like(queries, self.wanted or z, near)
        voters = self.labels[index[:, :z]]
        return Predictions(
            vote_at_each(self.voting.every_k, voters, self.classes, self.voting.tie_rule),
            vote_counts(voters, z, self.classes),
            index,
            OtherTieRules(self.voting, voters, self.classes),
        )

    def nearest(self, images: Pixels, most: int, near: NDArray[np.int64] | None = None) -> Nearest:
        """See `Family.nearest`: of z at most."""
        count = min(self.voting.z, most)
        guesses = near if near is not None and near.shape[1] >= count else None
        found = self.search.search(self._queries(images), count, guesses)
        return Nearest(found.index, found.distance, tuple(self.voting.every_k))

    def _queries(self, images: Pixels) -> Pixels:
        """(n, d) of (n, H, W, C). Raises ValueError where they are not as large as those fitted."""
        if images.shape[1:] != self.image_shape:
            raise ValueError(f"images are {images.shape[1:]}, those fitted were {self.image_shape}")
        # Not -1: no adversarial image at all is an ordinary answer, and an empty array cannot infer it.
        return images.reshape(len(images), prod(self.image_shape))

    def listed(self, share: float, parts: int) -> int:
        """How many neighbours a list needs, so that random parts with this share of the images have z among them.

        That is so for all the parts of 99 lists in 100: a part's members in it, whose number is about normal, are
        z or more where their mean is z and some standard deviations.
        """
        z, total = self.voting.z, len(self.labels)
        sure = NormalDist().inv_cdf(1 - 0.01 / parts)
        deviation = sure * sqrt(share * (1 - share))
        root = (deviation + sqrt(deviation**2 + 4 * share * z)) / (2 * share)
        return min(ceil(root**2), total)

    @property
    def effort(self) -> Mapping[str, int]:
        """How many queries were `searched`, each with which `Effort` (certified, widened, complete), with how many
        distances `measured`; how many were `reused` from the cache instead."""
        return {
            "searched": 0,
            "certified": 0,
            "widened": 0,
            "complete": 0,
            "measured": 0,
            "reused": 0,
            **self._effort,
        }

    def _nearest(self, queries: Pixels) -> NDArray[np.int64]:
        """(n, z + NEARBY) nearest training images, or all there are; from the cache where they are known."""
        wanted = min(self.listed(QUARTER, SUBSETS) + NEARBY, len(self.labels))
        cache = self.resources.cache
        if cache is None:
            return self.search_like(queries, wanted)
        # Every search gives the same answer, so that none is named in the key.
        key = key_of(self.training_key, queries)
        found = cache.get(CACHE_KIND, key)
        if found is not None and found["index"].shape[1] >= wanted:
            self._effort["reused"] += len(queries)
            return found["index"][:, :wanted].astype(np.int64)
        index = self.search_like(queries, wanted)
        cache.put(CACHE_KIND, key, {"index": index.astype(np.int32)})
        return index

    def search_like(
        self, queries: Pixels, count: int, near: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """(n, count) nearest training images of (n, d) queries; near: (n, g) guesses, of use where g >= count."""
        if near is not None and near.shape[1] < count:
            near = None
        found = self.search.search(queries, count, near)
        self._effort.update({"searched": len(queries), **asdict(found.report)})
        return found.index
