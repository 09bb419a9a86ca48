"""What an experiment needs of a classifier family: members that run from general to fitted by one knob."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.neighbours.search import Pixels


class FittedLevels(Protocol):
    """All members of a family, from the most general to the most fitted, trained on the same images."""

    def predict(self, images: Pixels) -> NDArray[np.int64]:
        """The label that each member gives to each image: (levels, n) int64, the most general member first.

        images: (n, H, W, C), uint8 or float32 in [0, 1], as large as those fitted; n may be large, memory
        beside the answer is bounded. Raises ValueError for other images.
        """
        ...


class FittingFamily(Protocol):
    """A classifier with an ordered knob between generalising and fitting: neighbours, epochs, depth."""

    @property
    def knob(self) -> str:
        """The knob's name as a person knows it, for example "K"."""
        ...

    @property
    def levels(self) -> tuple[int, ...]:
        """The knob's settings from general to fitted, for example (7, 5, 3, 1)."""
        ...

    def fit(self, images: NDArray[np.uint8], labels: NDArray[np.int64], classes: int) -> FittedLevels:
        """Train every member on (N, H, W, C) uint8 images with (N,) int64 labels from 0 to classes - 1."""
        ...
