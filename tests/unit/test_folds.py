"""Folds are disjoint and stratified, cover what they can, and are the same in whatever order runs are computed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from core.data.split import Split, folds_of, stratified_fold
from core.errors import DataError
from core.protocol.run import compute_run
from core.protocol.streams import Streams
from core.spec.spec import Spec
from tests.fakes.images import made_up_pool


def fold_of(
    labels: NDArray[np.int64], test_size: int, fold: int, partition: int = 0, order: int = 0
) -> Split:
    """A fold of a partition; both streams by their seeds."""
    return stratified_fold(
        labels,
        test_size,
        fold,
        partition=np.random.default_rng([1, partition]),
        order=np.random.default_rng([2, order]),
    )


def every_fold(labels: NDArray[np.int64], test_size: int) -> list[Split]:
    """All folds of one partition."""
    count = folds_of(len(labels), test_size)
    return [fold_of(labels, test_size, fold, order=fold) for fold in range(count)]


@pytest.mark.slow
@settings(max_examples=150)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=8).filter(lambda sizes: sum(sizes) > 1),
    data=st.data(),
)
def test_folds_are_disjoint_stratified_and_as_large_as_asked_for(
    sizes: list[int], data: st.DataObject
) -> None:
    total = sum(sizes)
    test_size = data.draw(st.integers(1, total - 1))
    labels = np.random.default_rng(total).permutation(np.repeat(np.arange(len(sizes)), sizes))
    try:
        splits = every_fold(labels, test_size)
    except DataError:
        # Refused as a split of this size is, whose own test says exactly when.
        assume(False)
    assert len(splits) == max(total // test_size, 1)
    held_out = np.concatenate([split.test_index for split in splits])
    assert len(np.unique(held_out)) == len(held_out) == len(splits) * test_size, "no image twice"
    for split in splits:
        assert split.train_index.dtype == split.test_index.dtype == np.int64
        assert len(split.test_index) == test_size
        both = np.concatenate([split.train_index, split.test_index])
        assert_array_equal(np.sort(both), np.arange(total))
        counts = np.bincount(labels[split.test_index], minlength=len(sizes))
        assert (np.abs(counts * total - np.array(sizes) * test_size) <= total).all(), "within one image"
        assert ((counts < np.array(sizes)) | (np.array(sizes) == 1)).all(), "a training image of each class"


@pytest.mark.parametrize(
    ("images", "test_size", "folds"),
    [(70_000, 10_000, 7), (60_000, 10_000, 6), (420, 60, 7), (10, 6, 1), (10, 3, 3)],
)
def test_there_are_as_many_folds_as_fit(images: int, test_size: int, folds: int) -> None:
    assert folds_of(images, test_size) == folds


def test_where_the_folds_use_up_all_images_every_image_is_held_out_once() -> None:
    labels = np.repeat(np.arange(10), [6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958])
    splits = every_fold(labels, 10_000)
    held_out = np.sort(np.concatenate([split.test_index for split in splits]))
    assert_array_equal(held_out, np.arange(70_000))


def test_both_parts_are_shuffled_by_the_run_s_own_stream() -> None:
    labels = np.arange(210) % 3
    one, same, other = (fold_of(labels, 30, 2, order=order) for order in (0, 0, 1))
    for name in ("train_index", "test_index"):
        first, second, third = (getattr(split, name) for split in (one, same, other))
        assert_array_equal(first, second)
        assert_array_equal(np.sort(first), np.sort(third), "the same fold")
        assert (first != third).any(), "in another order"
        assert len(set((labels[first[:10]]).tolist())) > 1, "the first ten come from one class"


def test_another_partition_has_other_folds() -> None:
    labels = np.arange(210) % 3
    one, other = (np.sort(fold_of(labels, 30, 2, partition=seed).test_index) for seed in (0, 1))
    assert (one != other).any()


@pytest.mark.parametrize("fold", [-1, 7])
def test_a_fold_that_there_is_not_is_a_defect(fold: int) -> None:
    with pytest.raises(ValueError, match=rf"fold = {fold}: expected 0 to 6"):
        fold_of(np.arange(70) % 2, 10, fold)


def test_a_fold_that_would_empty_a_class_is_refused() -> None:
    with pytest.raises(DataError, match="without training images"):
        fold_of(np.repeat(np.arange(10), [1000] + [2] * 9), 1008, 0)


# Through a run


POOL = replace(made_up_pool(images=60, classes=3), test_size=19)
SPEC = Spec(
    dataset="/made/up.npz",
    runs=5,
    epochs=1,
    controls=(),
    splits="folds",
    options={"z": 3, "search": "blocked"},
)
FOLDS = 3


@pytest.fixture(scope="module")
def test_index() -> dict[int, NDArray[np.int64]]:
    """Run -> its test images, the last run computed first."""
    return {
        run: compute_run(SPEC, run, POOL).arrays["test_index"].astype(np.int64) for run in (4, 3, 2, 1, 0)
    }


def test_the_runs_of_one_partition_test_on_disjoint_images(test_index: dict[int, NDArray[np.int64]]) -> None:
    for one, other in itertools.combinations(range(FOLDS), 2):
        assert not np.isin(test_index[one], test_index[other]).any()
    assert not np.isin(test_index[3], test_index[4]).any(), "the next partition's"


def test_when_its_folds_are_used_up_another_partition_is_drawn(
    test_index: dict[int, NDArray[np.int64]],
) -> None:
    assert set(test_index[3].tolist()) not in [set(test_index[run].tolist()) for run in range(FOLDS)]
    for run, index in test_index.items():
        partition, fold = divmod(run, FOLDS)
        split = stratified_fold(
            POOL.labels,
            19,
            fold,
            partition=Streams(SPEC.seed, partition).numpy("folds"),
            order=Streams(SPEC.seed, run).numpy("split"),
        )
        assert_array_equal(index, split.test_index)


def test_a_run_does_not_depend_on_those_before_it(test_index: dict[int, NDArray[np.int64]]) -> None:
    assert_array_equal(compute_run(SPEC, 1, POOL).arrays["test_index"], test_index[1])


def test_reshuffled_runs_share_test_images(test_index: dict[int, NDArray[np.int64]]) -> None:
    one, other = (
        compute_run(SPEC.changed(splits="reshuffle"), run, POOL).arrays["test_index"] for run in (0, 1)
    )
    assert np.isin(one, other).any()
    assert (np.sort(one) != np.sort(test_index[0])).any()
