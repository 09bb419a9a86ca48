"""The split is a partition of the pool, keeps class shares, and depends on its generator alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.data.split import check_test_size, one_seventh, stratified_split
from core.errors import DataError


def _shuffled_labels(class_sizes: list[int], seed: int) -> np.ndarray:
    labels = np.repeat(np.arange(len(class_sizes)), class_sizes)
    return np.random.default_rng(seed).permutation(labels)


@settings(max_examples=150)
@given(st.lists(st.integers(2, 60), min_size=1, max_size=12), st.integers(0, 2**32 - 1), st.data())
def test_split_is_a_partition_that_keeps_class_shares(
    class_sizes: list[int], seed: int, data: st.DataObject
) -> None:
    total = sum(class_sizes)
    test_size = data.draw(st.integers(1, total - len(class_sizes)))
    labels = _shuffled_labels(class_sizes, seed)
    try:
        split = stratified_split(labels, test_size, np.random.default_rng(seed))
    except DataError:
        most = sum(min(size - 1, size * test_size // total + 1) for size in class_sizes)
        assume(
            most >= test_size
        )  # the shares and a training image a class contradict each other: refusing is right
        raise
    train, test = split.train_index, split.test_index
    assert train.dtype == test.dtype == np.int64
    assert len(test) == test_size
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(total))
    held_out = np.bincount(labels[test], minlength=len(class_sizes))
    exact = np.array(class_sizes) * test_size / total
    assert np.all(np.abs(held_out - exact) <= 1)
    assert np.all(np.array(class_sizes) - held_out >= 1)


def test_mnist_sizes_are_allotted_by_largest_remainder() -> None:
    """The 70,000 labels' class counts, 10,000 for test; the allotment by hand from n_c / 7."""
    sizes = [6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958]
    split = stratified_split(_shuffled_labels(sizes, 0), 10_000, np.random.default_rng(1))
    # Sevenths: 986 1/7, 1125 2/7, 998 4/7, 1020 1/7, 974 6/7, 901 6/7, 982 2/7, 1041 6/7, 975 0/7, 994 0/7;
    # the floors sum to 9,996, so the four largest fractions (6/7 three times, 4/7) get one more.
    expected = [986, 1125, 999, 1020, 975, 902, 982, 1042, 975, 994]
    assert np.bincount(_shuffled_labels(sizes, 0)[split.test_index]).tolist() == expected


def test_both_parts_are_shuffled() -> None:
    split = stratified_split(np.repeat(np.arange(4), 100), 40, np.random.default_rng(0))
    for index in (split.train_index, split.test_index):
        assert np.any(np.diff(index) < 0)
        assert len(set((index[:10] // 100).tolist())) > 1, "the first ten come from one class"


def test_same_generator_state_gives_the_same_split_and_another_a_different_one() -> None:
    labels = _shuffled_labels([30, 40, 50], 5)
    one, again, other = (stratified_split(labels, 24, np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert np.array_equal(one.train_index, again.train_index)
    assert np.array_equal(one.test_index, again.test_index)
    assert not np.array_equal(one.test_index, other.test_index)


def test_equal_remainders_do_not_always_favour_the_same_classes() -> None:
    labels = np.repeat(np.arange(4), 5)
    winners = {
        tuple(np.bincount(labels[stratified_split(labels, 6, np.random.default_rng(seed)).test_index]))
        for seed in range(40)
    }
    assert len(winners) == 6, "two of four classes get the odd image: six ways"


def test_every_image_of_a_class_is_equally_likely_to_be_held_out() -> None:
    labels = np.repeat(np.arange(2), 10)
    generator = np.random.default_rng(0)
    draws = 4000
    held = np.zeros(20)
    for _ in range(draws):
        held[stratified_split(labels, 4, generator).test_index] += 1
    # Binomial(4000, 0.2): standard deviation 25; five of them.
    assert np.all(np.abs(held - draws * 0.2) < 127)


def test_a_class_of_two_keeps_one_image_for_training_where_its_share_would_take_both() -> None:
    labels = _shuffled_labels([2, 50, 50], 3)
    split = stratified_split(labels, 80, np.random.default_rng(0))
    assert np.bincount(labels[split.train_index]).tolist()[0] == 1


def test_a_test_part_that_empties_a_class_is_refused() -> None:
    labels = np.repeat(np.arange(10), [1000] + [2] * 9)
    with pytest.raises(DataError, match="without training images"):
        stratified_split(labels, 1008, np.random.default_rng(0))


@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5).filter(lambda sizes: sum(sizes) > 1),
    data=st.data(),
)
@settings(max_examples=80)
def test_a_test_size_is_refused_beforehand_exactly_where_no_split_exists(
    sizes: list[int], data: st.DataObject
) -> None:
    test_size = data.draw(st.integers(1, sum(sizes) - 1))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    # By hand: the shares rounded down, and one more wherever a class of two or more has two left.
    shares = [size * test_size // sum(sizes) for size in sizes]
    room = sum(share < max(size - 1, min(size, 1)) for size, share in zip(sizes, shares, strict=True))
    if test_size - sum(shares) > room:
        with pytest.raises(DataError, match="without training images") as refused:
            check_test_size(labels, test_size)
        possible = int(refused.value.hint.rpartition(" ")[2])
        assert possible < test_size
        check_test_size(labels, possible)
        with pytest.raises(DataError, match="without training images"):
            check_test_size(labels, possible + 1)
    else:
        check_test_size(labels, test_size)
        assert len(stratified_split(labels, test_size, np.random.default_rng(0)).test_index) == test_size


@pytest.mark.parametrize("test_size", [0, 6, -1])
def test_a_test_size_outside_the_pool_is_a_defect(test_size: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 5"):
        stratified_split(np.array([0, 0, 0, 1, 1, 1]), test_size, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("images", "classes", "expected"), [(5000, 10, 714), (1797, 10, 256), (70_000, 10, 10_000), (8, 4, 4)]
)
def test_one_seventh_is_rounded_down_and_reaches_one_a_class(
    images: int, classes: int, expected: int
) -> None:
    assert one_seventh(images, classes) == expected
