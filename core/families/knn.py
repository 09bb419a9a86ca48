"""The family of the paper: K-nearest-neighbour classifiers, general at K = Z, fitted at K = 1."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from core.errors import SpecError
from core.neighbours.registry import build_search
from core.neighbours.search import NeighbourSearch, Pixels
from core.neighbours.vote import vote


@dataclass(frozen=True, kw_only=True)
class KNearestNeighbours:
    """K = z, z - 2, ..., 3, 1 by uniform vote.

    z: odd, at least 3. tie_rule, search: names of `core.neighbours.catalogue`. device: a torch device name.
    Raises SpecError for another z.
    """

    z: int
    tie_rule: str = "lowest"
    search: str = "blocked"
    device: str = "cpu"

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
        search = build_search(self.search, training, self.device)
        return FittedNeighbours(self, search, images.shape[1:], labels, classes)


@dataclass(frozen=True)
class FittedNeighbours:
    """All K of a `KNearestNeighbours`, answered from one search of z neighbours."""

    family: KNearestNeighbours
    search: NeighbourSearch
    image_shape: tuple[int, ...]
    labels: NDArray[np.int64]
    classes: int

    def predict(self, images: Pixels) -> NDArray[np.int64]:
        """See `FittedLevels.predict`."""
        return self.votes(self.neighbour_labels(images))

    def neighbour_labels(self, images: Pixels) -> NDArray[np.int64]:
        """(n, z) int64 labels of the nearest training images of (n, H, W, C) images, nearest first."""
        if images.shape[1:] != self.image_shape:
            raise ValueError(f"images are {images.shape[1:]}, those fitted were {self.image_shape}")
        # Not -1: no adversarial image at all is an ordinary answer, and an empty array cannot infer it.
        queries = images.reshape(len(images), prod(self.image_shape))
        return self.labels[self.search.search(queries, self.family.z).index]

    def votes(self, neighbour_labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """(levels, n) int64 predictions from (n, z) neighbour labels."""
        rule = self.family.tie_rule
        return np.stack([vote(neighbour_labels, k, self.classes, rule) for k in self.family.levels])
