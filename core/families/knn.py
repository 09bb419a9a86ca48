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
from core.neighbours.registry import build_search
from core.neighbours.search import NeighbourSearch, Pixels
from core.neighbours.vote import vote

NEARBY = 9
"""Neighbours looked for besides the z: with them, the first z of an image like this one are nearly always known."""


@dataclass(frozen=True, kw_only=True)
class KNearestNeighbours:
    """K = z, z - 2, ..., 3, 1 by uniform vote.

    z: odd, at least 3. tie_rule, search: names of `core.neighbours.catalogue`. device: a torch device name.
    threads: of the search on the CPU. Raises SpecError for another z.
    """

    z: int
    tie_rule: str = "lowest"
    search: str = "pruned"
    device: str = "cpu"
    threads: int = 1

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
        return FittedNeighbours(self, search, images.shape[1:], labels, classes)


@dataclass(frozen=True)
class FittedNeighbours:
    """All K of a `KNearestNeighbours`, answered from one search of z neighbours."""

    family: KNearestNeighbours
    search: NeighbourSearch
    image_shape: tuple[int, ...]
    labels: NDArray[np.int64]
    classes: int
    _effort: Counter[str] = field(default_factory=Counter)

    def predict(self, images: Pixels, near: NDArray[np.int64] | None = None) -> Predictions:
        """See `FittedLevels.predict`; the notes on an image are its nearest training images."""
        if images.shape[1:] != self.image_shape:
            raise ValueError(f"images are {images.shape[1:]}, those fitted were {self.image_shape}")
        # Not -1: no adversarial image at all is an ordinary answer, and an empty array cannot infer it.
        queries = images.reshape(len(images), prod(self.image_shape))
        z = self.family.z
        wanted = min(z + NEARBY, len(self.labels)) if near is None else z
        found = self.search.search(queries, wanted, near)
        self._effort.update({"queries": len(images), **asdict(found.report)})
        return Predictions(self.votes(self.labels[found.index[:, :z]]), found.index)

    @property
    def effort(self) -> Mapping[str, int]:
        """How many `queries` took which `Effort` (certified, widened, complete), and the distances measured."""
        return dict(self._effort)

    def votes(self, neighbour_labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """(levels, n) int64 predictions from (n, z) neighbour labels."""
        rule = self.family.tie_rule
        return np.stack([vote(neighbour_labels, k, self.classes, rule) for k in self.family.levels])
