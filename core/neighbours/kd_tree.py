"""Exact search by scikit-learn's KD-tree, the search of the paper, with ties put in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KDTree

from core.neighbours.search import (
    BlockAnswer,
    Effort,
    Neighbours,
    Pixels,
    check_training,
    rank,
    search_in_blocks,
)

_QUERY_BLOCK = 1024
_SLACK = 1  # with exactly z the tree would not say whether another image is as near as the z-th


class KDTreeSearch:
    """A KD-tree over the training images in grey levels; holds them once more as float64.

    The tree leaves the order of equally near images open, and which of them it returns. So one more than
    asked is fetched, and more again until the last one is clearly farther than the z-th.
    """

    def __init__(self, training: NDArray[np.uint8]) -> None:
        """training: (N, d) uint8, kept, not copied. Raises ValueError for another shape or dtype."""
        check_training(training)
        self._training = training
        self._tree = KDTree(training.astype(np.float64))
        # The tree sums d squares in its own order and takes a root: both sides of the comparison in
        # `_search_block` may be off by that much, relative, in float64 (unit roundoff 2^-53).
        self._rounding = 4 * (training.shape[1] + 4) * 2.0**-53

    def search(self, queries: Pixels, z: int, near: NDArray[np.int64] | None = None) -> Neighbours:
        """See `NeighbourSearch.search`; guesses are of no use here."""
        return search_in_blocks(
            self._search_block, queries, z, near, training=self._training, block=_QUERY_BLOCK
        )

    def _search_block(
        self, queries: NDArray[np.float32], z: int, near: NDArray[np.int64] | None
    ) -> BlockAnswer:
        total = len(self._training)
        index = np.empty((len(queries), z), dtype=np.int64)
        distance = np.empty((len(queries), z))
        effort = np.empty(len(queries), dtype=np.int64)
        first = width = min(z + _SLACK, total)
        open_rows = np.arange(len(queries))
        measured = 0
        while len(open_rows):
            reached, candidates = self._tree.query(queries[open_rows], k=width)
            row = np.repeat(np.arange(len(open_rows)), width)
            index[open_rows], distance[open_rows] = rank(
                queries[open_rows], row, candidates.ravel(), self._training, z
            )
            measured += row.size
            widened = Effort.CERTIFIED if width == first else Effort.WIDENED
            effort[open_rows] = Effort.COMPLETE if width == total else widened
            farthest = np.square(reached[:, -1]) * (1 - self._rounding)
            proven = (farthest > distance[open_rows, -1]) | (width == total)
            open_rows = open_rows[~proven]
            width = min(4 * width, total)
        return BlockAnswer(index, distance, effort, measured)
