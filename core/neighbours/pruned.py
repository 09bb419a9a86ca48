"""Exact search by certified pruning: cheap lower bounds exclude nearly all training images, the rest are measured.

Let tau be at least the z-th smallest distance of a query q. A training image whose distance is provably above
tau is no neighbour, nor tied with one. Such a tau is the z-th smallest distance to any few images, and is close
to the true one where these are good guesses. Then, in the points of `core.neighbours.projection`:

1. Queries with the same guesses are alike (the candidates of one source are). With p the mean of their points
   and r how far a query is from it, an image at point u is no neighbour of that one where |u - p| > sqrt(tau) + r:
   one product with all training images serves them all. A query on its own has r = 0, so that more axes pay.
2. What is left is looked up with more axes, twice, and kept where it is within the tau of any one of them.
3. What is left then is compared whole, in float32, which gives a closer tau for each query.
4. What cannot be told from the z nearest by that is measured and ordered by `rank`.

Every comparison allows for the rounding on both sides, so that all images left out are proven to be farther.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.neighbours.projection import UNIT_ROUNDOFF, Projection, queries_of
from core.neighbours.search import (
    BlockAnswer,
    Effort,
    Neighbours,
    Pixels,
    check_training,
    rank,
    search_in_blocks,
)
from core.tensors.batches import batches

BLOCK = 576
"""Queries at a time: 64 sources with nine candidates each."""
TILE = 2**17
"""Bounds computed at a time: 0.5 MB of float32, which stays in a processor's own cache."""
SHARES = (0.9, 0.93, 0.98)
"""The shares of the variance that decide how many axes the bounds have, one after the other."""
AXES_STEP, MOST_AXES = 16, 256
COMPARED_AT_ONCE = 2**16
"""Numbers of training images, pixels or heads, multiplied at a time: 256 kB of float32, a part of a cache. BLAS
multiplies the few rows of a group with so few without copying them once more, which takes half the time."""
SEEDS = 32
"""Where there are no guesses: the training images are cut into this many parts more than neighbours are asked
for, and the best of each part by the first bound is a guess."""


@dataclass(frozen=True)
class _Level:
    """A lower bound on a number of axes: every training image's point, ready to be multiplied with."""

    axes: int
    table: NDArray[np.float32]


class PrunedSearch:
    """Exact search on the CPU that measures a few dozen of the training images for each query.

    Holds (axes + 2) * 4 bytes of each training image for each of up to three bounds, 117 MB for 60,000 of 28x28.
    """

    def __init__(self, training: NDArray[np.uint8], *, threads: int = 1, block: int = BLOCK) -> None:
        """training: (N, d) uint8, kept, not copied. threads: blocks of queries at the same time, at least 1.

        Threads and block change the time, never the answer. Raises ValueError for another shape or dtype.
        """
        check_training(training)
        if threads < 1 or block < 1:
            raise ValueError(f"threads = {threads} and block = {block} must be at least 1")
        self._training, self._threads, self._block = training, threads, block
        self._projection = Projection(training, MOST_AXES)
        # A bound is not asked twice, where two shares need the same axes.
        every_axes = sorted({_axes_for(self._projection.share, share) for share in SHARES})
        tables = self._projection.tables(training, every_axes)
        self._levels = [_Level(axes, table) for axes, table in zip(every_axes, tables, strict=True)]
        self._squared_norm = np.concatenate(
            [
                np.square(training[rows], dtype=np.float64).sum(axis=1)
                for rows in batches(len(training), COMPARED_AT_ONCE // training.shape[1] + 1)
            ]
        )
        self._largest_centred_norm = float(np.sqrt(self._levels[0].table[:, -1].max())) * (1 + 1e-6)

    def search(self, queries: Pixels, z: int, near: NDArray[np.int64] | None = None) -> Neighbours:
        """See `NeighbourSearch.search`."""
        return search_in_blocks(
            self._search_block,
            queries,
            z,
            near,
            training=self._training,
            block=self._block,
            threads=self._threads,
        )

    def _search_block(
        self, queries: NDArray[np.float32], z: int, near: NDArray[np.int64] | None
    ) -> BlockAnswer:
        if not len(queries):
            nothing = np.empty((0, z))
            return BlockAnswer(nothing.astype(np.int64), nothing, np.empty(0, dtype=np.int64), 0)
        points = self._projection.points(queries, [level.axes for level in self._levels])
        levels = list(zip(self._levels, points, strict=True))
        if near is None:
            levels = levels[1:] or levels
            near = self._seeds(*levels[0], z)
            alike = [slice(row, row + 1) for row in range(len(queries))]
        else:
            alike = _runs_of_equal_rows(near)
        limit = np.empty(len(queries))
        for group in alike:
            limit[group] = self._limit(queries[group], near[group.start], z)
        left = self._within_reach(*levels[0], limit, alike)
        rows, columns = [], []
        effort = np.empty(len(queries), dtype=np.int64)
        measured = 0
        for group, possible in zip(alike, left, strict=True):
            for level, point in levels[1:]:
                possible = self._within_limits(level, point[group], limit[group], possible)
            row, column = self._contenders(queries[group], possible, z)
            rows.append(row + group.start)
            columns.append(column)
            effort[group] = Effort.COMPLETE if len(possible) == len(self._training) else Effort.CERTIFIED
            measured += len(possible) * (group.stop - group.start)
        index, distance = rank(queries, np.concatenate(rows), np.concatenate(columns), self._training, z)
        return BlockAnswer(index, distance, effort, measured)

    def _seeds(self, level: _Level, points: NDArray[np.float64], z: int) -> NDArray[np.int64]:
        """(n, g) guesses, g at least z: the best by this bound of as many parts of the training images."""
        rows, table = queries_of(points), level.table
        width = max(1, len(table) // (z + SEEDS))
        return np.stack(
            [(rows @ table[part].T).argmin(axis=1) + part.start for part in batches(len(table), width)],
            axis=1,
        )

    def _limit(self, queries: NDArray[np.float32], near: NDArray[np.int64], z: int) -> NDArray[np.float64]:
        """(n,): no less than the z-th smallest squared distance of each query, from the guesses for all of them."""
        distance, error = self._compared(queries, near)
        limit: NDArray[np.float64] = np.partition(distance + error, z - 1, axis=1)[:, z - 1]
        return limit

    def _within_reach(
        self, level: _Level, points: NDArray[np.float64], limit: NDArray[np.float64], alike: list[slice]
    ) -> list[NDArray[np.int64]]:
        """Step 1: for each group the training images that may be neighbours of one of its queries."""
        centre = np.stack([points[group].mean(axis=0) for group in alike])
        norm = np.sqrt(np.square(centre).sum(axis=1))
        reach = np.empty(len(alike))
        for number, group in enumerate(alike):
            radius = np.sqrt(np.square(points[group] - centre[number]).sum(axis=1))
            reach[number] = (np.sqrt(limit[group]) + radius).max()
        # The radius has the errors of the points too.
        slack = 4 * self._projection.point_error * (norm + self._largest_centred_norm + reach) ** 2
        error = self._projection.score_error(level.axes, norm, self._largest_centred_norm) + slack
        bound = _not_below(np.square(reach) - np.square(norm) + error)[:, None]
        rows = queries_of(centre)
        within = np.empty((len(alike), len(level.table)), dtype=bool)
        for part in batches(len(level.table), max(1, TILE // len(alike))):
            np.less_equal(rows @ level.table[part].T, bound, out=within[:, part])
        return [np.flatnonzero(row) for row in within]

    def _within_limits(
        self,
        level: _Level,
        points: NDArray[np.float64],
        limit: NDArray[np.float64],
        possible: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Step 2: those of the possible training images that may be neighbours of one of the queries."""
        square = np.square(points).sum(axis=1)
        error = self._projection.score_error(level.axes, np.sqrt(square), self._largest_centred_norm)
        bound = _not_below(limit - square + error)
        rows = queries_of(points)
        kept = [
            (level.table[possible[part]] @ rows.T <= bound).any(axis=1)
            for part in batches(len(possible), max(1, COMPARED_AT_ONCE // level.table.shape[1]))
        ]
        return possible[np.concatenate(kept)]

    def _contenders(
        self, queries: NDArray[np.float32], possible: NDArray[np.int64], z: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Step 3: the pairs of a query and a possible training image that only `rank` can decide on."""
        distance, error = self._compared(queries, possible)
        limit = np.partition(distance + error, z - 1, axis=1)[:, z - 1]
        row, place = np.nonzero(distance - error <= limit[:, None])
        return row, possible[place]

    def _compared(
        self, queries: NDArray[np.float32], columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n, m) squared distances to these training images, and by how much each may be off, (n, m).

        |q|^2 + |t|^2 - 2 q.t with the product alone in float32. Its d terms are not negative, so that it is off
        by at most gamma_d q.t, which is at most gamma_d / (1 - gamma_d) of what was computed. The float64
        roundings, here and in `rank`, are far below one float32 rounding of |q|^2 + |t|^2 each.
        """
        square = np.square(queries, dtype=np.float64).sum(axis=1)
        product = np.empty((len(queries), len(columns)), dtype=np.float32)
        for part in batches(len(columns), max(1, COMPARED_AT_ONCE // self._training.shape[1])):
            product[:, part] = queries @ self._training[columns[part]].astype(np.float32).T
        twice = 2 * product.astype(np.float64)
        norms = square[:, None] + self._squared_norm[columns]
        terms = self._training.shape[1] * UNIT_ROUNDOFF  # gamma_d = terms / (1 - terms)
        error = terms / (1 - 2 * terms) * twice + 2 * UNIT_ROUNDOFF * norms
        return norms - twice, error


def _axes_for(share: NDArray[np.float64], wanted: float) -> int:
    """The fewest axes, a multiple of AXES_STEP or all there are, that hold the wanted share of the variance."""
    fewest = int(np.searchsorted(share, wanted)) + 1
    return min(-(-fewest // AXES_STEP) * AXES_STEP, len(share))


def _runs_of_equal_rows(near: NDArray[np.int64]) -> list[slice]:
    """The rows in order, those that follow each other and are equal together."""
    begins = np.flatnonzero((near[1:] != near[:-1]).any(axis=1)) + 1
    edges = [0, *begins.tolist(), len(near)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _not_below(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """The values as float32, rounded up."""
    return np.nextafter(values.astype(np.float32), np.float32(np.inf))
