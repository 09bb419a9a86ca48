"""The halves of the training images are stratified, their random halves independent, all from the stream alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from core.deciding.halves import draw_halves, draw_subsets


@settings(max_examples=100)
@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6), seed=st.integers(0, 2**32 - 1))
def test_every_class_is_halved_to_within_one_image(sizes: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    half = draw_halves(labels, random)
    assert half.dtype == np.uint8
    assert half.shape == labels.shape
    for label, size in enumerate(sizes):
        counts = np.bincount(half[labels == label], minlength=2)
        assert counts.sum() == size
        assert abs(counts[0] - counts[1]) == size % 2


def test_every_image_is_in_either_half_equally_often_and_any_two_of_a_class_are_more_often_apart() -> None:
    labels = np.array([0, 0, 0, 0, 0, 1, 1])
    random = np.random.default_rng(0)
    draws = np.array([draw_halves(labels, random) for _ in range(4000)])
    # Of 4000 draws: standard deviation 0.008; five of them.
    assert np.abs(draws.mean(axis=0) - 0.5).max() < 0.04
    # 5 images: 2 and 3 of them, so 6 of the 10 pairs are apart.
    assert abs((draws[:, 0] != draws[:, 4]).mean() - 0.6) < 0.04
    assert (draws[:, 5] != draws[:, 6]).all()
    assert abs((draws[:, 0] != draws[:, 5]).mean() - 0.5) < 0.04


@settings(max_examples=60)
@given(
    members=st.lists(st.booleans(), min_size=1, max_size=30),
    count=st.integers(0, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_subset_is_half_of_its_part(members: list[bool], count: int, seed: int) -> None:
    part = np.array(members)
    subsets = draw_subsets(part, count, np.random.default_rng(seed))
    assert subsets.dtype == np.bool_
    assert subsets.shape == (count, len(part))
    assert (subsets.sum(axis=1) == part.sum() // 2).all()
    assert not subsets[:, ~part].any()


def test_every_member_is_in_a_subset_equally_often_and_any_two_subsets_are_drawn_independently() -> None:
    part = np.arange(12) % 3 > 0
    subsets = draw_subsets(part, 4000, np.random.default_rng(0))[:, part]
    assert np.abs(subsets.mean(axis=0) - 0.5).max() < 0.04
    # Two images are in one subset in 4/8 * 3/7 of the draws.
    assert abs((subsets[:, 0] & subsets[:, 7]).mean() - 3 / 14) < 0.033
    assert abs((subsets[1:, 0] & subsets[:-1, 0]).mean() - 1 / 4) < 0.035


def test_the_generator_alone_determines_the_parts() -> None:
    labels = np.arange(40) % 3
    one, again, other = (draw_halves(labels, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert_array_equal(one, again)
    assert (one != other).any()
    first, second, third = (draw_subsets(one == 0, 5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert_array_equal(first, second)
    assert (first != third).any()
