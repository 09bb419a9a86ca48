"""Votes are counted as by hand, and ties go where the rule says."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from core.errors import SpecError
from core.families.voting import TIE_RULES
from core.neighbours.vote import vote, vote_counts


def labels_of(*rows: list[int]) -> NDArray[np.int64]:
    return np.array(rows, dtype=np.int64)


def winner_by_hand(voters: list[int], tie_rule: str) -> int:
    counts = Counter(voters)
    tied = [label for label, votes in counts.items() if votes == max(counts.values())]
    return min(tied) if tie_rule == "lowest" else min(tied, key=voters.index)


@settings(max_examples=150)
@given(
    classes=st.integers(1, 5), z=st.integers(1, 9), n=st.integers(0, 12), seed=st.integers(0, 2**32 - 1),
    tie_rule=st.sampled_from(sorted(TIE_RULES)),
)  # fmt: skip
def test_every_k_is_voted_as_by_hand(classes: int, z: int, n: int, seed: int, tie_rule: str) -> None:
    labels = np.random.default_rng(seed).integers(0, classes, (n, z))
    for k in range(1, z + 1):
        by_hand = [winner_by_hand(row[:k], tie_rule) for row in labels.tolist()]
        voted = vote(labels, k, classes, tie_rule)
        assert voted.dtype == np.int64
        assert voted.tolist() == by_hand
        counts = vote_counts(labels, k, classes)
        assert counts.shape == (n, classes)
        for row, found in zip(labels.tolist(), counts.tolist(), strict=True):
            assert found == [Counter(row[:k])[label] for label in range(classes)]


def test_tie_rules_differ_where_a_higher_label_is_closer() -> None:
    labels = labels_of([2, 0, 0, 2, 1], [1, 2, 2, 1, 0], [3, 3, 3, 0, 0], [3, 2, 1, 0, 3])
    assert vote(labels, 5, 4, "lowest").tolist() == [0, 1, 3, 3]
    assert vote(labels, 5, 4, "nearest").tolist() == [2, 1, 3, 3]
    assert vote(labels, 4, 4, "lowest").tolist() == [0, 1, 3, 0]
    assert vote(labels, 4, 4, "nearest").tolist() == [2, 1, 3, 3]


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6])
def test_the_lowest_rule_is_scikit_learns(k: int) -> None:
    # On a line, at strictly increasing distances from 0, every order of labels can be set up.
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, (80, 6))
    position = np.arange(1.0, 7.0)[:, None]
    expected = [
        KNeighborsClassifier(k, algorithm="kd_tree").fit(position, row).predict([[0.0]])[0] for row in labels
    ]
    assert vote(labels, k, 4, "lowest").tolist() == expected
    if k > 1:
        assert vote(labels, k, 4, "nearest").tolist() != expected


def test_impossible_votes_are_refused() -> None:
    labels = labels_of([0, 1, 2])
    for k in (0, 4):
        with pytest.raises(ValueError, match=f"k = {k} votes asked of 3"):
            vote_counts(labels, k, 3)
    for wrong in (labels_of([0, 3, 0]), labels_of([0, -1, 0])):
        with pytest.raises(ValueError, match="0 to 2"):
            vote(wrong, 3, 3)


def test_an_unknown_tie_rule_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SpecError, match="expected one of lowest, nearest") as caught:
        vote(labels_of([0, 1]), 1, 2, "neares")
    assert caught.value.hint == "did you mean nearest?"
