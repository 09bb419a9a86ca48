"""A lower bound of distances in few dimensions: principal axes, and the length of what they leave out.

Let W be a (d, m) matrix of norm at most 1, h(x) = W^T x and rest(x) = sqrt(|x|^2 - |h(x)|^2). As I - W W^T is
then positive semidefinite, rest(x) = |S x| for its square root S, and for any two images a and b
    |a - b|^2 = |h(a - b)|^2 + |S (a - b)|^2 >= |h(a) - h(b)|^2 + (rest(a) - rest(b))^2.
So images as points (h, rest) of m + 1 dimensions are at most as far from each other as they are. W need not
be exactly orthogonal for that; the closer its columns are to the principal axes, the tighter the bound.

Points are computed in float64. Of |x|^2 - |h|^2 little may be left, so that a point is off by up to
sqrt(8 d 2^-53) |x|, whatever the image.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.tensors.batches import batches

UNIT_ROUNDOFF = 2.0**-24
"""Of float32."""
SAMPLE = 8192
"""Training images that the axes are found from, at most: they must be good, not perfect."""
ITERATIONS = 4
SPARE_AXES = 16
"""Axes that are iterated besides those wanted, which makes those converge."""
ROWS_AT_ONCE = 2048


class Projection:
    """Images of d grey levels as points of `axes` + 1 dimensions, around the mean training image.

    centre: (d,) float64, whole grey levels. share: (axes,) the part of the training images' variance that
    the first 1, 2, ... axes hold, estimated from a sample.
    """

    def __init__(self, training: NDArray[np.uint8], axes: int) -> None:
        """training: (N, d) uint8, N and d at least 1. axes: at least 1; more than d are d."""
        self.centre: NDArray[np.float64] = np.rint(training.mean(axis=0))
        sample = training[:: -(-len(training) // SAMPLE)].astype(np.float32) - self.centre.astype(np.float32)
        self._axes, variance = _principal_axes(sample, min(axes, training.shape[1]))
        total = np.square(sample, dtype=np.float64).sum()
        self.share: NDArray[np.float64] = np.cumsum(variance) / (total or 1.0)
        self.point_error = np.sqrt(8 * training.shape[1] * 2.0**-53)

    def points(
        self, images: NDArray[np.floating | np.uint8], every_axes: Sequence[int]
    ) -> list[NDArray[np.float64]]:
        """(n, d) images in grey levels -> (n, axes + 1) points: the heads on the first axes, then the rest.

        For every one of these numbers of axes.
        """
        centred = images - self.centre
        heads = centred @ self._axes[:, : max(every_axes)]
        square = np.square(centred, out=centred).sum(axis=1)
        found = []
        for axes in every_axes:
            points = np.empty((len(images), axes + 1))
            points[:, :axes] = heads[:, :axes]
            rest = square - np.square(points[:, :axes]).sum(axis=1)
            points[:, axes] = np.sqrt(np.maximum(rest, 0))
            found.append(points)
        return found

    def tables(self, training: NDArray[np.uint8], every_axes: Sequence[int]) -> list[NDArray[np.float32]]:
        """(N, axes + 2): each training image's point u, and |u|^2: a row times (-2 p, 1) is |u - p|^2 - |p|^2.

        For every one of these numbers of axes.
        """
        tables = [np.empty((len(training), axes + 2), dtype=np.float32) for axes in every_axes]
        for rows in batches(len(training), ROWS_AT_ONCE):
            for table, points in zip(tables, self.points(training[rows], every_axes), strict=True):
                table[rows, :-1] = points
                table[rows, -1] = np.square(points).sum(axis=1)
        return tables

    def score_error(self, axes: int, norm: NDArray[np.float64], largest_norm: float) -> NDArray[np.float64]:
        """(n,) how much a float32 product of (-2 p, 1) with a row of `table` is off, at most.

        norm: (n,) |p|. largest_norm: of a training image, from the centre. A sum of n products in any order
        is off by at most gamma_n = n u / (1 - n u) of the sum of their sizes (Higham, Accuracy and Stability
        of Numerical Algorithms, 2nd ed., section 3.1), here at most (|p| + |u|)^2; the roundings of p, of u
        and of |u|^2 to float32 are three more, and the errors of the points themselves come four times.
        """
        terms = (axes + 6) * UNIT_ROUNDOFF
        error: NDArray[np.float64] = (terms / (1 - terms) + 4 * self.point_error) * (norm + largest_norm) ** 2
        return error


def queries_of(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """(n, m) points p as the (n, m + 1) rows (-2 p, 1) that a table is multiplied with."""
    rows = np.ones((len(points), points.shape[1] + 1), dtype=np.float32)
    rows[:, :-1] = -2 * points
    return rows


def _principal_axes(
    sample: NDArray[np.float32], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(d, count) of norm at most 1, and the (count,) sums of squares of the sample along its columns, descending.

    By subspace iteration with a Rayleigh-Ritz step (Golub and Van Loan, Matrix Computations, section 8.2).
    """
    pixels = sample.shape[1]
    # Any beginning would do: the axes decide how fast a search is, never what it finds.
    generator = np.random.default_rng(0)
    width = min(count + SPARE_AXES, pixels)
    basis = np.linalg.qr(generator.standard_normal((pixels, width), dtype=np.float32))[0]
    for _ in range(ITERATIONS):
        basis = np.linalg.qr(sample.T @ (sample @ basis))[0]
    heads = (sample @ basis).astype(np.float64)
    variance, rotation = np.linalg.eigh(heads.T @ heads)
    axes = np.linalg.qr(basis.astype(np.float64) @ rotation[:, ::-1][:, :count])[0]
    # The largest row sum of |W^T W| bounds its norm.
    norm = np.abs(axes.T @ axes).sum(axis=1).max()
    return axes / (np.sqrt(norm) * (1 + 1e-12)), np.maximum(variance[::-1][:count], 0)
