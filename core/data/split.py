"""The stratified split with which every run begins: shuffled anew, or one fold of a partition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError


@dataclass(frozen=True)
class Split:
    """Shuffled int64 indices into the pool; disjoint, and together the whole pool."""

    train_index: NDArray[np.int64]
    test_index: NDArray[np.int64]


def one_seventh(images: int, classes: int) -> int:
    """The test size of a set that has none: a seventh as in MNIST, rounded down, but at least `classes`."""
    return max(images // 7, classes)


def check_test_size(labels: NDArray[np.int64], test_size: int) -> None:
    """Raises DataError where `stratified_split` would: a part of 1 to N - 1 images that leaves a class empty.

    labels: (N,) integers, 0 or more. The hint names the largest part that is possible.
    """
    class_sizes = np.bincount(labels)
    if _lacking(class_sizes, test_size):
        # There is one: a single image can always be held out.
        possible = next(size for size in range(test_size, 0, -1) if not _lacking(class_sizes, size))
        raise DataError(
            f"a test part of {test_size} of {len(labels)} images would leave a class without training images",
            f"ask for a test part of at most {possible}",
        )


def stratified_split(labels: NDArray[np.int64], test_size: int, generator: np.random.Generator) -> Split:
    """Hold out `test_size` of the N images, each class in proportion to its size.

    labels: (N,) integers, 0 or more. test_size: 1 to N - 1.
    Class c with n_c images gets within one of q = n_c * test_size / N test images (largest remainders: the
    floor of q for all, then one more for the classes with the largest fractions, equal fractions in random
    order). A class of two or more images keeps at least one for training; DataError where the test part is
    so large that this contradicts the proportions.
    """
    total = len(labels)
    if not 1 <= test_size < total:
        raise ValueError(f"test_size = {test_size}: expected 1 to {total - 1} for {total} images")
    check_test_size(labels, test_size)
    held_out = _test_counts(np.bincount(labels), test_size, generator)
    train, test = [], []
    for label, count in enumerate(held_out):
        members = generator.permutation(np.flatnonzero(labels == label))
        test.append(members[:count])
        train.append(members[count:])
    return Split(
        train_index=generator.permutation(np.concatenate(train)).astype(np.int64, copy=False),
        test_index=generator.permutation(np.concatenate(test)).astype(np.int64, copy=False),
    )


def _test_counts(
    class_sizes: NDArray[np.int64], test_size: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Test images of each class, (C,), summing to test_size; integer arithmetic, so shares are exact."""
    counts, remainder, can_take_more = _proportions(class_sizes, test_size)
    shuffled = generator.permutation(len(class_sizes))
    by_remainder = shuffled[np.argsort(-remainder[shuffled], kind="stable")]
    extra = test_size - int(counts.sum())
    counts[by_remainder[can_take_more[by_remainder]][:extra]] += 1
    return counts


def _lacking(class_sizes: NDArray[np.int64], test_size: int) -> bool:
    """Whether a test part cannot be allotted without taking a class's last training image."""
    counts, _, can_take_more = _proportions(class_sizes, test_size)
    return test_size - int(counts.sum()) > int(can_take_more.sum())


def _proportions(
    class_sizes: NDArray[np.int64], test_size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Each class's share rounded down, what is left of it (over N), and whether it may give one image more."""
    counts, remainder = np.divmod(class_sizes * test_size, int(class_sizes.sum()))
    return counts, remainder, counts < np.where(class_sizes > 1, class_sizes - 1, class_sizes)


def folds_of(images: int, test_size: int) -> int:
    """How many disjoint test parts of one size so many images have, at least 1."""
    return max(images // test_size, 1)


def stratified_fold(
    labels: NDArray[np.int64],
    test_size: int,
    fold: int,
    *,
    partition: np.random.Generator,
    order: np.random.Generator,
) -> Split:
    """Hold out one of the disjoint folds of `test_size` images, each class in proportion to its size.

    labels, test_size: as in `stratified_split`, also for the number of images of a class, which is within one of
    its share in every fold, and for the errors. fold: from 0 to `folds_of` - 1. partition: at the same place for
    all folds of one partition. order: what shuffles the two parts.
    """
    folds = folds_of(len(labels), test_size)
    if not 0 <= fold < folds:
        raise ValueError(f"fold = {fold}: expected 0 to {folds - 1}")
    check_test_size(labels, test_size)
    counts = _fold_counts(np.bincount(labels), test_size, folds)
    held_out = np.zeros(len(labels), dtype=bool)
    for label in range(counts.shape[1]):
        members = partition.permutation(np.flatnonzero(labels == label))
        begin = int(counts[:fold, label].sum())
        held_out[members[begin : begin + int(counts[fold, label])]] = True
    return Split(
        train_index=order.permutation(np.flatnonzero(~held_out)).astype(np.int64, copy=False),
        test_index=order.permutation(np.flatnonzero(held_out)).astype(np.int64, copy=False),
    )


def _fold_counts(class_sizes: NDArray[np.int64], test_size: int, folds: int) -> NDArray[np.int64]:
    """Test images of each class in every fold, (folds, C), each row summing to test_size.

    The floor of a class's share for all folds; those that are left go, in each fold, to the classes that are owed
    most so far, one each, of those that have images left.
    """
    floor, remainder, can_take_more = _proportions(class_sizes, test_size)
    extra = test_size - int(floor.sum())
    counts = np.tile(floor, (folds, 1))
    left = class_sizes - folds * floor
    owed = np.zeros(len(class_sizes), dtype=np.int64)
    for row in counts:
        owed += remainder
        able = np.flatnonzero(can_take_more & (left > 0))
        chosen = able[np.argsort(-owed[able], kind="stable")][:extra]
        row[chosen] += 1
        left[chosen] -= 1
        owed[chosen] -= int(class_sizes.sum())
    return counts
