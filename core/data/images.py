"""A data set in memory: the pooled images, their labels, and the size of the test part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ImageSet:
    """The pool that every run splits anew; an index into it names an image everywhere.

    images: (N, H, W, C) uint8, 0 to 255, C is 1 or 3; train part first, then test, each in file order.
    labels: (N,) int64, 0 to len(class_names) - 1.
    test_size: how many of the N images a run holds out, 1 to N - 1.
    notices: what a person should know about how the set was read (resized images, for instance).
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    test_size: int
    notices: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """One image's height, width and channels."""
        _, height, width, channels = self.images.shape
        return height, width, channels

    @property
    def classes(self) -> int:
        """How many classes the labels number."""
        return len(self.class_names)

    @cached_property
    def sha256(self) -> str:
        """Hex digest of shape, pixels and labels: equal digests mean the same pool in the same order."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels.astype("<i8")).data)
        return digest.hexdigest()
