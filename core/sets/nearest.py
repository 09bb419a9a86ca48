"""The training images by which the classifier judges the members of a sample: for looking at, not for measuring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 15
"""Of one image, at most."""


@dataclass(frozen=True, eq=False)
class NearestToMembers:
    """For each of g members the k training images nearest to its original and to the image made of it.

    source: (g, 2, k) int64 into the pooled data set, the nearest first; [:, 0] of the original, [:, 1] of the
    image. distance: (g, 2, k) float64, Euclidean, pixels in [0, 1]. counted: how many of the nearest each level of
    the ladder counts, the most general first; k may be less.
    """

    source: NDArray[np.int64]
    distance: NDArray[np.float64]
    counted: tuple[int, ...]
