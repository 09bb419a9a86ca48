"""How large a data set is, and with it each run of an experiment."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.attacks.registry import ATTACKS
from core.data.catalogue import CATALOGUE
from core.spec.spec import Spec


@dataclass(frozen=True)
class Size:
    """Of a data set. test: images of the test part of a run, unless the specification says otherwise.

    shape: of an image.
    """

    images: int
    classes: int
    test: int
    shape: tuple[int, ...]

    @property
    def values(self) -> int:
        """Of an image."""
        return math.prod(self.shape)

    def test_of(self, spec: Spec) -> int:
        """Test images of a run."""
        return spec.test_size or self.test

    def train_of(self, spec: Spec) -> int:
        """Training images of a run."""
        return self.images - self.test_of(spec)

    def candidates_of(self, spec: Spec) -> int:
        """What the attack of a run makes of all its test images; fewer where it gives some up."""
        return self.test_of(spec) * (self.classes - 1 if ATTACKS[spec.attack].per_target else 1)


def size_of(dataset: str) -> Size | None:
    """The size of a named set, as published; None for a path."""
    if dataset not in CATALOGUE:
        return None
    entry = CATALOGUE[dataset]
    return Size(entry.train_size + entry.test_size, entry.classes, entry.test_size, entry.shape)
