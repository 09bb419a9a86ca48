"""What "the Z nearest training images" means, to the last tie, for every search that finds them.

Distances are squared Euclidean distances on the grey-level scale, 0 to 255, in float64. On that scale an
unperturbed image has whole numbers for pixels, so its distances are exact and equal distances are equal: the
training index breaks a tie, never rounding, as it would between multiples of 1/255. A float32 image is
brought to the scale by a float32 product with 255, which gives k back exactly for a pixel float32(k / 255).

A search may choose its candidates as it likes; `rank` alone measures and orders them.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.tensors.batches import batches

GREY_LEVELS = 255
_MEASURED_AT_ONCE = 2**17  # pixels: 1 MB of float64, which suits a cache

Pixels = NDArray[np.uint8] | NDArray[np.float32]
"""uint8 grey levels from 0 to 255, or float32 in [0, 1]."""


class Effort(IntEnum):
    """What it took to be sure of one query's neighbours; the answer is exact in every case."""

    CERTIFIED = 0  # the first candidates were proven to hold the z nearest
    WIDENED = 1  # the proof failed, so more candidates were measured
    COMPLETE = 2  # every training image was measured


@dataclass(frozen=True)
class SearchReport:
    """How many queries took which `Effort`, and how many distances were measured for all of them together."""

    certified: int
    widened: int
    complete: int
    measured: int


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

    def search(self, queries: Pixels, z: int, near: NDArray[np.int64] | None = None) -> Neighbours:
        """The z nearest training images of each of the (n, d) queries.

        near: (n, g) distinct training images a row, g at least z, that are likely to be near the query, such
        as the neighbours of the image that it was made from. A good guess saves time; the answer is the same.

        Raises ValueError unless 1 <= z <= number of training images, for queries of another length or
        dtype, for pixels outside [0, 1], and for guesses of another shape or no training image's.
        """
        ...


@dataclass(frozen=True)
class BlockAnswer:
    """The answer for b queries: index and squared_distance (b, z) as in `Neighbours`.

    effort: (b,) of `Effort`. measured: distances measured for all of them.
    """

    index: NDArray[np.int64]
    squared_distance: NDArray[np.float64]
    effort: NDArray[np.int64]
    measured: int


BlockSearch = Callable[[NDArray[np.float32], int, NDArray[np.int64] | None], BlockAnswer]
"""(b, d) queries in grey levels, z, and (b, g) guesses or None."""


def check_training(training: NDArray[np.uint8]) -> None:
    """Raises ValueError unless `training` is (N, d) uint8 with N and d at least 1."""
    if training.dtype != np.uint8 or training.ndim != 2 or not training.size:
        raise ValueError(f"training images must be (N, d) uint8, not {training.shape} {training.dtype}")


def to_grey_levels(pixels: Pixels) -> NDArray[np.float32]:
    """Pixels as float32 from 0 to 255: uint8 exactly, float32 in [0, 1] rounded once.

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


def rank(
    queries: NDArray[np.float32],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    training: NDArray[np.uint8],
    z: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The z best of each query's candidates by distance, then index: (n, z) int64 and (n, z) float64.

    queries: (n, d) in grey levels. row, column: (p,) the pairs of a query and a training image of (N, d) to
    measure, in any order; every query has at least z, and no pair comes twice.
    """
    distance = np.empty(len(row))
    for pairs in batches(len(row), max(1, _MEASURED_AT_ONCE // training.shape[1])):
        # Always the same summation along a row: a pair of images has one distance, whichever search asks
        # and whatever it asks about besides.
        difference = training[column[pairs]].astype(np.float64)
        difference -= queries[row[pairs]]
        distance[pairs] = np.square(difference, out=difference).sum(axis=1)
    order = np.lexsort((column, distance, row))
    first = np.searchsorted(row[order], np.arange(len(queries)))
    best = order[first[:, None] + np.arange(z)]
    return column[best], distance[best]


def search_in_blocks(
    search_block: BlockSearch,
    queries: Pixels,
    z: int,
    near: NDArray[np.int64] | None,
    *,
    training: NDArray[np.uint8],
    block: int,
    threads: int = 1,
) -> Neighbours:
    """Check the request as `NeighbourSearch.search` says, then answer it `block` queries at a time.

    threads: blocks at the same time.
    """
    total, pixels = training.shape
    if not 1 <= z <= total:
        raise ValueError(f"z = {z} neighbours asked of {total} training images")
    if queries.ndim != 2 or queries.shape[1] != pixels:
        raise ValueError(f"queries must be (n, {pixels}), not {queries.shape}")
    if near is not None:
        _check_guesses(near, len(queries), z, total)

    def answer(part: slice) -> BlockAnswer:
        return search_block(to_grey_levels(queries[part]), z, None if near is None else near[part])

    # A block of none, so that no query is an ordinary case.
    slices = list(batches(len(queries), block)) or [slice(0, 0)]
    if threads > 1 and len(slices) > 1:
        with ThreadPoolExecutor(threads) as pool:
            answers = list(pool.map(answer, slices))
    else:
        answers = [answer(part) for part in slices]
    certified, widened, complete = np.bincount(
        np.concatenate([a.effort for a in answers]), minlength=len(Effort)
    ).tolist()
    return Neighbours(
        np.concatenate([a.index for a in answers]),
        np.concatenate([a.squared_distance for a in answers]),
        SearchReport(certified, widened, complete, sum(a.measured for a in answers)),
    )


def _check_guesses(near: NDArray[np.int64], queries: int, z: int, total: int) -> None:
    if near.ndim != 2 or len(near) != queries or near.shape[1] < z:
        raise ValueError(f"guesses must be ({queries}, at least {z}), not {near.shape}")
    if near.size and not (near.min() >= 0 and near.max() < total):
        raise ValueError(f"guesses must be from 0 to {total - 1}")
    ordered = np.sort(near, axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        raise ValueError("guesses must be distinct within a row")
