"""What "the Z nearest training images" means, to the last tie, for every search that finds them.

Distances are squared Euclidean distances on the grey-level scale, 0 to 255, in float64. On that scale an
unperturbed image has whole numbers for pixels, so its distances are exact and equal distances are equal: the
training index breaks a tie, never rounding, as it would between multiples of 1/255. A float32 image is
brought to the scale by a float32 product with 255, which gives k back exactly for a pixel float32(k / 255).

A search may choose its candidates as it likes; `nearest` alone measures and orders them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

GREY_LEVELS = 255
_MEASURED_AT_ONCE = 4096  # training images: 26 MB of float64 for 28x28 pixels

Pixels = NDArray[np.uint8] | NDArray[np.float32]
"""uint8 grey levels from 0 to 255, or float32 in [0, 1]."""


class Effort(IntEnum):
    """What it took to be sure of one query's neighbours; the answer is exact in every case."""

    CERTIFIED = 0  # the first candidates were proven to hold the z nearest
    WIDENED = 1  # the proof failed, so more candidates were measured
    COMPLETE = 2  # every training image was measured


@dataclass(frozen=True)
class SearchReport:
    """How many queries took which `Effort`."""

    certified: int
    widened: int
    complete: int


@dataclass(frozen=True)
class Neighbours:
    """The nearest training images of n queries, each row ordered by distance, then training index.

    index: (n, z) int64 into the training images.
    squared_distance: (n, z) float64 in squared grey levels, 0 to 255**2 * d.
    report: the effort it took.
    """

    index: NDArray[np.int64]
    squared_distance: NDArray[np.float64]
    report: SearchReport

    @property
    def distance(self) -> NDArray[np.float64]:
        """(n, z) float64 Euclidean distances between images with pixels in [0, 1]."""
        distance: NDArray[np.float64] = np.sqrt(self.squared_distance) / GREY_LEVELS
        return distance


class NeighbourSearch(Protocol):
    """An exact search among the training images that it was built with."""

    def search(self, queries: Pixels, z: int) -> Neighbours:
        """The z nearest training images of each of the (n, d) queries.

        Raises ValueError unless 1 <= z <= number of training images, for queries of another length or
        dtype, and for pixels outside [0, 1].
        """
        ...


BlockSearch = Callable[
    [NDArray[np.float32], int], tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]
]
"""(b, d) queries in grey levels and z -> index (b, z), squared distance (b, z), `Effort` (b,)."""


def check_training(training: NDArray[np.uint8]) -> None:
    """Raises ValueError unless `training` is (N, d) uint8 with N and d at least 1."""
    if training.dtype != np.uint8 or training.ndim != 2 or not training.size:
        raise ValueError(f"training images must be (N, d) uint8, not {training.shape} {training.dtype}")


def to_grey_levels(pixels: Pixels) -> NDArray[np.float32]:
    """The same pixels as float32 from 0 to 255: uint8 exactly, float32 rounded once.

    Raises ValueError for another dtype, and for float32 outside [0, 1] or not a number.
    """
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float32)
    if pixels.dtype != np.float32:
        raise ValueError(f"pixels must be uint8 or float32, not {pixels.dtype}")
    # Written so that a NaN fails too.
    if pixels.size and not (pixels.min() >= 0 and pixels.max() <= 1):
        raise ValueError("float32 pixels must lie in [0, 1]")
    return pixels.astype(np.float32, copy=False) * np.float32(GREY_LEVELS)


def nearest(
    query: NDArray[np.float32], candidates: NDArray[np.int64], training: NDArray[np.uint8], z: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The z best of the candidates by distance, then index: (z,) int64 and (z,) float64.

    query: (d,) in grey levels. candidates: (m,) distinct indices into training (N, d), m >= z, in any order.
    """
    distances = np.empty(len(candidates))
    for start in range(0, len(candidates), _MEASURED_AT_ONCE):
        part = slice(start, start + _MEASURED_AT_ONCE)
        # One query a time, and always the same summation along a row: a pair of images has one distance,
        # whichever search asks and whatever it asks about besides.
        differences = training[candidates[part]] - query.astype(np.float64)
        distances[part] = np.square(differences, out=differences).sum(axis=1)
    order = np.lexsort((candidates, distances))[:z]
    return candidates[order], distances[order]


def search_in_blocks(
    search_block: BlockSearch, queries: Pixels, z: int, *, training: NDArray[np.uint8], block: int
) -> Neighbours:
    """Check the request as `NeighbourSearch.search` says, then answer it `block` queries at a time."""
    total, pixels = training.shape
    if not 1 <= z <= total:
        raise ValueError(f"z = {z} neighbours asked of {total} training images")
    if queries.ndim != 2 or queries.shape[1] != pixels:
        raise ValueError(f"queries must be (n, {pixels}), not {queries.shape}")
    index = np.empty((len(queries), z), dtype=np.int64)
    squared_distance = np.empty((len(queries), z))
    effort = np.empty(len(queries), dtype=np.int64)
    for start in range(0, len(queries), block):
        part = slice(start, start + block)
        index[part], squared_distance[part], effort[part] = search_block(to_grey_levels(queries[part]), z)
    counts = np.bincount(effort, minlength=len(Effort)).tolist()
    return Neighbours(index, squared_distance, SearchReport(*counts))
