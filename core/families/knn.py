"""The family of the paper: K-nearest-neighbour classifiers, general at K = Z, fitted at K = 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from core.errors import SpecError
from core.families.family import Predictions
from core.files.cache import Cache, key_of
from core.neighbours.registry import build_search
from core.neighbours.search import NeighbourSearch, Pixels
from core.neighbours.vote import vote, vote_counts

KIND = "neighbours"
"""Of the entries in the cache."""
NEARBY = 9
"""Neighbours looked for besides the z: with them, the first z of an image like this one are nearly always known."""


@dataclass(frozen=True, kw_only=True)
class KNearestNeighbours:
    """K = z, z - 2, ..., 3, 1 by uniform vote.

    z: odd, at least 3. tie_rule, search: names of `core.neighbours.catalogue`. device: a torch device name.
    threads: of the search on the CPU. cache: where the neighbours of unperturbed images are kept.
    Raises SpecError for another z.
    """

    z: int
    tie_rule: str = "lowest"
    search: str = "pruned"
    device: str = "cpu"
    threads: int = 1
    cache: Cache | None = None

    def __post_init__(self) -> None:
        if self.z < 3 or self.z % 2 == 0:
            raise SpecError("z", self.z, "Z must be odd and at least 3, so that K falls in steps of 2 to 1")

    @property
    def knob(self) -> str:
        """ "K", the number of neighbours that vote."""
        return "K"

    @property
    def levels(self) -> tuple[int, ...]:
        """Every K from z to 1."""
        return tuple(range(self.z, 0, -2))

    def fit(self, images: NDArray[np.uint8], labels: NDArray[np.int64], classes: int) -> FittedNeighbours:
        """See `FittingFamily.fit`. Raises SpecError where z exceeds N, or for an unknown search or rule."""
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} images with {len(labels)} labels")
        if self.z > len(images):
            raise SpecError("z", self.z, f"there are only {len(images)} training images to choose from")
        training = images.reshape(len(images), -1)
        search = build_search(self.search, training, device=self.device, threads=self.threads)
        digest = key_of(images) if self.cache is not None else ""
        return FittedNeighbours(self, search, images.shape[1:], labels, classes, digest)


@dataclass(frozen=True)
class FittedNeighbours:
    """All K of a `KNearestNeighbours`, answered from one search of z neighbours.

    training_key: names the training images' content in the cache.
    """

    family: KNearestNeighbours
    search: NeighbourSearch
    image_shape: tuple[int, ...]
    labels: NDArray[np.int64]
    classes: int
    training_key: str = ""
    _effort: Counter[str] = field(default_factory=Counter)

    def predict(self, images: Pixels, near: NDArray[np.int64] | None = None) -> Predictions:
        """See `FittedLevels.predict`; support is votes, the notes on an image are its nearest training images."""
        if images.shape[1:] != self.image_shape:
            raise ValueError(f"images are {images.shape[1:]}, those fitted were {self.image_shape}")
        # Not -1: no adversarial image at all is an ordinary answer, and an empty array cannot infer it.
        queries = images.reshape(len(images), prod(self.image_shape))
        z = self.family.z
        index = self._nearest(queries) if near is None else self._searched(queries, z, near)
        labels = self.labels[index[:, :z]]
        return Predictions(self.votes(labels), vote_counts(labels, z, self.classes), index)

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
        wanted, cache = min(self.family.z + NEARBY, len(self.labels)), self.family.cache
        if cache is None:
            return self._searched(queries, wanted)
        # Every search gives the same answer, so that none is named in the key.
        key = key_of(self.training_key, queries)
        kept = cache.get(KIND, key)
        if kept is not None and kept["index"].shape[1] >= wanted:
            self._effort["reused"] += len(queries)
            return kept["index"][:, :wanted].astype(np.int64)
        index = self._searched(queries, wanted)
        cache.put(KIND, key, {"index": index.astype(np.int32)})
        return index

    def _searched(
        self, queries: Pixels, count: int, near: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        found = self.search.search(queries, count, near)
        self._effort.update({"searched": len(queries), **asdict(found.report)})
        return found.index

    def votes(self, neighbour_labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """(levels, n) int64 predictions from (n, z) neighbour labels."""
        rule = self.family.tie_rule
        return np.stack([vote(neighbour_labels, k, self.classes, rule) for k in self.family.levels])
