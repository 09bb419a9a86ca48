"""Random parts of a run's training images: its two halves, and random halves of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def draw_halves(labels: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.uint8]:
    """(N,) uint8, 0 or 1: the half of every training image; the halves of a class differ by one image at most.

    labels: (N,). Where a class has an odd number of images, either half may have one more.
    """
    half = np.empty(len(labels), dtype=np.uint8)
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        half[members] = (np.arange(len(members)) + random.integers(2)) % 2
    return half


def draw_subsets(part: NDArray[np.bool_], count: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """(count, N) bool: random halves, rounded down, of a part of the training images, drawn independently.

    part: (N,) bool.
    """
    members = np.flatnonzero(part)
    subsets = np.zeros((count, len(part)), dtype=bool)
    for subset in subsets:
        subset[random.permutation(members)[: len(members) // 2]] = True
    return subsets
