"""What an experiment needs of a classifier family: members that run from general to fitted by one knob."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.neighbours.search import Pixels


@dataclass(frozen=True)
class Predictions:
    """What all members of a family say of n images.

    label: (levels, n) int64, the most general member first.
    support: (n, classes), how strongly the most general member speaks for each class; the largest is its label's.
    near: (n, g) int64, a family's own notes on each image, which help it with images like that one; g may be 0.
    """

    label: NDArray[np.int64]
    support: NDArray[np.int64]
    near: NDArray[np.int64]


class FittedLevels(Protocol):
    """All members of a family, from the most general to the most fitted, trained on the same images."""

    def predict(self, images: Pixels, near: NDArray[np.int64] | None = None) -> Predictions:
        """The label that each member gives to each image.

        images: (n, H, W, C), uint8 or float32 in [0, 1], as large as those fitted; n may be large, memory
        beside the answer is bounded. near: (n, g), for each image the notes of an earlier answer on one like
        it; it saves time and changes nothing. Raises ValueError for other images.
        """
        ...

    @property
    def effort(self) -> Mapping[str, int]:
        """What all predictions so far have taken, in the family's own terms."""
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
