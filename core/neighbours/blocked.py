"""Exact search by matrix products: float32 proposes candidates, a rounding bound proves them, float64 ranks.

Let q be a query, t a training image, c the training mean in whole grey levels, a = q - c, b = t - c. Then
|q - t|^2 = |a|^2 + s(t) with the score s(t) = |b|^2 - 2 a.b, and all scores are one matrix product. Taking c
away makes the norms, and with them the rounding, smaller; it is whole so that b is exact in float32.

The rounding of a score. With u = 2^-24, |a| rounded to float32 is off by at most u|a|, and so is |b|^2. A sum
of n products in any order, fused or not, is off by at most gamma_n sum|x_i y_i|, gamma_n = n u / (1 - n u)
(Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1 and lemma 3.3). With the d + 1
products here and Cauchy-Schwarz,
    |computed s - s| <= gamma_(d+2) (2 |a||b| + |b|^2) <= gamma_(d+4) (|a| + max|b|)^2 = margin,
where the last step leaves 2u for the float64 roundings, each below u / 1000 for any image that fits a memory.

So an image that was not proposed lies at least at |a|^2 + (smallest score left out) - margin. Where that
exceeds the z-th distance measured in float64 the candidates are proven. Where it does not (many images almost
equally far), every image whose score does not prove it farther than that z-th distance is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.neighbours.projection import UNIT_ROUNDOFF
from core.neighbours.search import (
    BlockAnswer,
    Effort,
    Neighbours,
    Pixels,
    check_training,
    rank,
    search_in_blocks,
)


class BlockedSearch:
    """Exact search that compares a block of queries with all training images at once, on any torch device.

    Holds the training images once more as float32 on the device (188 MB for 60,000 of 28x28) and takes
    query_block * N * 4 bytes while it searches.
    """

    def __init__(
        self,
        training: NDArray[np.uint8],
        *,
        device: str | torch.device = "cpu",
        query_block: int = 256,
        slack: int = 16,
    ) -> None:
        """training: (N, d) uint8, kept, not copied. slack: candidates proposed beyond z, at least 0.

        Block and slack change the time, never the answer. Raises ValueError for another shape or dtype.
        """
        check_training(training)
        if query_block < 1 or slack < 0:
            raise ValueError(f"query_block = {query_block} must be at least 1, slack = {slack} at least 0")
        self._training = training
        self._query_block = query_block
        self._slack = slack
        self._centre = np.rint(training.mean(axis=0))
        # Row t is (b, |b|^2): its product with (-2 a, 1) is the score.
        table = np.empty((len(training), training.shape[1] + 1), dtype=np.float32)
        table[:, :-1] = training
        table[:, :-1] -= self._centre
        squared_norms = np.einsum("td,td->t", table[:, :-1], table[:, :-1], dtype=np.float64)
        table[:, -1] = squared_norms
        self._table = torch.from_numpy(table).to(device)
        self._largest_norm = float(np.sqrt(squared_norms.max()))

    def search(self, queries: Pixels, z: int, near: NDArray[np.int64] | None = None) -> Neighbours:
        """See `NeighbourSearch.search`; guesses are of no use here."""
        with _full_float32_products():
            return search_in_blocks(
                self._search_block, queries, z, near, training=self._training, block=self._query_block
            )

    def _search_block(
        self, queries: NDArray[np.float32], z: int, near: NDArray[np.int64] | None
    ) -> BlockAnswer:
        total = len(self._training)
        width = min(z + self._slack, total)
        centred = queries - self._centre  # float64
        square = np.square(centred).sum(axis=1)
        margin = self._rounding_margin(square)
        scores = self._scores(centred)
        candidates, left_out = _smallest(scores, width)
        row = np.repeat(np.arange(len(queries)), width)
        index, distance = rank(queries, row, candidates.ravel(), self._training, z)
        effort = np.full(len(queries), Effort.COMPLETE if width == total else Effort.CERTIFIED)
        measured = row.size
        proven = square + left_out - margin > distance[:, -1]
        for doubtful in np.flatnonzero(~proven).tolist():
            limit = distance[doubtful, -1] - square[doubtful] + margin[doubtful]
            possible = np.flatnonzero(scores[doubtful].cpu().numpy().astype(np.float64) <= limit)
            query, own = queries[doubtful : doubtful + 1], np.zeros_like(possible)
            index[doubtful], distance[doubtful] = rank(query, own, possible, self._training, z)
            effort[doubtful] = Effort.COMPLETE if len(possible) == total else Effort.WIDENED
            measured += len(possible)
        return BlockAnswer(index, distance, effort, measured)

    def _scores(self, centred: NDArray[np.float64]) -> Tensor:
        left = np.ones((len(centred), self._table.shape[1]), dtype=np.float32)
        left[:, :-1] = -2 * centred
        return torch.from_numpy(left).to(self._table.device) @ self._table.T

    def _rounding_margin(self, square: NDArray[np.float64]) -> NDArray[np.float64]:
        terms = (self._training.shape[1] + 4) * UNIT_ROUNDOFF
        margin: NDArray[np.float64] = terms / (1 - terms) * (np.sqrt(square) + self._largest_norm) ** 2
        return margin


def _smallest(scores: Tensor, width: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Columns of each row's `width` smallest scores, (b, width), and the smallest left out, (b,) or inf."""
    if width == scores.shape[1]:
        everything = np.broadcast_to(np.arange(width), tuple(scores.shape))
        return everything, np.full(len(scores), np.inf)
    values, columns = scores.topk(width + 1, largest=False, sorted=True)
    return columns[:, :width].cpu().numpy(), values[:, width].cpu().numpy().astype(np.float64)


@contextmanager
def _full_float32_products() -> Iterator[None]:
    """Forbid TF32 and bfloat16 inside float32 products for a while: the rounding bound would not hold."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
