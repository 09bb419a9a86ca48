"""The size of a data set, and of the runs of an experiment on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.attacks.registry import ATTACKS
from core.data.catalogue import CATALOGUE
from core.spec.spec import Spec


@dataclass(frozen=True)
class Size:
    """The size of a data set. images: in all. test: test images of a run, unless the specification sets them.

    shape: of an image.
    """

    images: int
    classes: int
    test: int
    shape: tuple[int, ...]

    @property
    def values(self) -> int:
        """Values of an image: pixels times channels."""
        return math.prod(self.shape)

    def test_of(self, spec: Spec) -> int:
        """Test images of a run."""
        return spec.test_size or self.test

    def train_of(self, spec: Spec) -> int:
        """Training images of a run."""
        return self.images - self.test_of(spec)

    def candidates_of(self, spec: Spec) -> int:
        """Candidates of the attack in a run, at most: it makes them from all test images and may give some up."""
        return self.test_of(spec) * (self.classes - 1 if ATTACKS[spec.attack].per_target else 1)


def size_of(dataset: str) -> Size | None:
    """The size of a named set, as published; None for a path."""
    if dataset not in CATALOGUE:
        return None
    entry = CATALOGUE[dataset]
    return Size(entry.train_size + entry.test_size, entry.classes, entry.test_size, entry.shape)
