"""arrays.npz: all that is needed, beside the data set, to compute a run's predictions again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.families.ladder import Ladder

ARRAY_NAMES = (
    "train_index",
    "test_index",
    "test_label",
    "test_prediction",
    "adversarial_image",
    "adversarial_label",
    "adversarial_source",
    "adversarial_target",
    "adversarial_prediction",
)
"""The arrays in every arrays.npz. N: pooled images, n: test images, m: adversarial images, L: levels.

train_index, test_index: (N - n,), (n,) int32 into the pooled data set, as the split shuffled them.
test_label: (n,) int16. test_prediction: (L, n) int16, one row a level.
adversarial_image: (m, H, W, C) float32 in [0, 1]. adversarial_label: (m,) int16, the source's true label.
adversarial_source: (m,) int32, the source's index into the pooled data set.
adversarial_target: (m,) int16, the class attacked toward, -1 for an untargeted attack or noise.
adversarial_prediction: (L, m) int16.

One more, named after the knob (`Ladder.array_name`; `k` for nearest neighbours), holds the knob's value at each
level, the most general first: (L,), int32 where these are whole numbers.
"""
CROSSFIT_NAMES = ("half", "crossfit_test_prediction", "subset")
"""Further arrays of arrays.npz, where the run has them. B: random parts of a half.

half: (N - n,) uint8, 0 or 1, the half of every training image, in the order of train_index.
crossfit_test_prediction: (2, L, n) int16, by the classifier of half 0 and by that of half 1.
subset: (2, B, N - n) bool, the random parts of half 0 and of half 1 on which bias and variance were measured; only
where all candidates are kept.
"""


def write_arrays(path: Path, arrays: Mapping[str, NDArray[np.generic]], ladder: Ladder) -> None:
    """Write a run's arrays. Raises ValueError where one is missing, not known, or holds Python objects."""
    expected = {*ARRAY_NAMES, ladder.array_name}
    if set(arrays) - set(CROSSFIT_NAMES) != expected:
        raise ValueError(f"expected exactly the arrays {sorted(expected)}, got {sorted(arrays)}")
    # Not by savez's own allow_pickle: the older of the NumPy 2 versions store that as one more array.
    if objects := [name for name, array in arrays.items() if array.dtype.hasobject]:
        raise ValueError(f"{objects} hold Python objects, which could only be read by unpickling")
    members: dict[str, Any] = {**arrays}
    np.savez_compressed(path, **members)


def knob_values(ladder: Ladder) -> NDArray[np.generic]:
    """The knob's value at each level: (L,), int32 for whole numbers, else of the dtype that NumPy chooses."""
    numeric = all(isinstance(value, int) for value in ladder.values)
    return np.array(ladder.values, dtype=np.int32 if numeric else None)
