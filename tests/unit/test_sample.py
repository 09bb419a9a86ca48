"""A sample is bounded and even, and the same whatever the blocks in which the members came."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from core.sets.members import Members, concatenate, no_members
from core.sets.sample import Sample, choose

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 4)), max_size=120)


class TestChoosing:
    @settings(max_examples=150)
    @given(PAIRS, st.integers(1, 60))
    def test_rounds_visit_every_pair_that_has_one_left(self, pairs, most):
        """By hand: sort into one queue a pair, then take the heads of all queues again and again."""
        label, target = np.array(pairs, dtype=np.int16).reshape(-1, 2).T
        chosen = choose(label, target, 5, most).tolist()
        queues: dict[tuple[int, int], list[int]] = {}
        for position, pair in enumerate(pairs):
            queues.setdefault(pair, []).append(position)
        rounds = list(itertools.zip_longest(*queues.values()))
        expected = [{position for position in heads if position is not None} for heads in rounds]
        assert len(chosen) == min(most, len(pairs))
        for heads in expected:
            now, chosen = chosen[: len(heads)], chosen[len(heads) :]
            assert set(now) <= heads
            assert len(set(now)) == len(now)
            assert len(now) == len(heads) or not chosen
        assert chosen == []

    def test_a_large_set_gives_equal_shares(self):
        generator = np.random.default_rng(0)
        label = generator.integers(0, 10, 20_000)
        target = (label + generator.integers(1, 10, 20_000)) % 10
        chosen = choose(label, target, 10, most=600)
        assert len(chosen) == 600
        shares = Counter(zip(label[chosen].tolist(), target[chosen].tolist(), strict=True))
        assert len(shares) == 90
        assert set(shares.values()) == {6, 7}

    def test_a_round_cut_short_covers_every_label_and_target(self):
        pairs = np.array([(y, t) for y in range(20) for t in range(20) if y != t])
        chosen = pairs[choose(pairs[:, 0], pairs[:, 1], 20, most=20)]
        assert sorted(chosen[:, 0]) == sorted(chosen[:, 1]) == list(range(20))

    def test_without_targets_labels_take_turns(self):
        label = np.array([2, 2, 2, 0, 1, 1])
        assert choose(label, np.full(6, -1), 3, most=5).tolist() == [3, 4, 0, 5, 1]


@settings(max_examples=150)
@given(PAIRS, st.integers(1, 60), st.lists(st.integers(0, 120), max_size=5), st.integers(0, 2**32))
def test_whatever_the_blocks_the_sample_is_what_is_chosen_of_all(pairs, most, cuts, seed):
    generator = np.random.default_rng(seed)
    label, target = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    every = Members(
        image=generator.random((len(label), 2, 1, 1), dtype=np.float32),
        source=np.arange(len(label)),
        label=label,
        target=target,
        prediction=generator.integers(0, 5, (3, len(label))),
    )
    passing = generator.integers(0, 2, len(label)).astype(bool)
    sample = Sample(3, (2, 1, 1), 5, most)
    edges = sorted({0, len(label), *(min(cut, len(label)) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        block = np.arange(start, end)
        sample.add(every.take(block), np.flatnonzero(passing[block]))
    expected = every.take(np.flatnonzero(passing))
    order = np.random.default_rng(0).random(len(expected.label))
    expected = expected.take(choose(expected.label, expected.target, 5, most, order))
    found = sample.members()
    for name in ("image", "source", "label", "target", "prediction"):
        assert_array_equal(getattr(found, name), getattr(expected, name), strict=True)


def test_many_sources_are_seen_where_each_has_many_members():
    """Nine candidates of each of 500 sources, one toward every other class, side by side as attacks make them."""
    label = np.repeat(np.arange(500) % 10, 9)
    target = (label + np.tile(np.arange(1, 10), 500)) % 10
    source = np.repeat(np.arange(500), 9)
    sample = Sample(1, (1, 1, 1), 10, 100)
    image, prediction = np.zeros((len(label), 1, 1, 1), np.float32), np.zeros((1, len(label)), np.int64)
    every = Members(image, source, label, target, prediction)
    sample.add(every, np.arange(len(label)))
    members = sample.members()
    # Of 100 drawn with replacement from 500 as many are expected to differ: 500 (1 - (1 - 1 / 500)^100) = 90.7.
    assert len(set(members.source.tolist())) > 80
    assert len(set(zip(members.label.tolist(), members.target.tolist(), strict=True))) == 90


def test_the_order_within_a_pair_can_be_given():
    label, target = np.zeros(4, np.int64), np.array([1, 1, 1, 2])
    assert choose(label, target, 3, 3, np.array([0.5, 0.1, 0.3, 0.9])).tolist() == [1, 3, 2]


def test_members_are_concatenated_in_the_order_of_the_parts():
    none = no_members(2, (1, 1, 1))
    source, label, target = (np.array([number]) for number in (7, 1, -1))
    one = Members(np.full((1, 1, 1, 1), 0.5, np.float32), source, label, target, np.array([[1], [0]]))
    assert concatenate([none, one]).source.tolist() == [7]
    twice = concatenate([one, none, one])
    assert twice.prediction.tolist() == [[1, 1], [0, 0]]
    assert [one.image.dtype for one in (twice, none)] == [np.dtype(np.float32)] * 2
