"""Bias and variance are those of a plain loop over images and predictions, and add up to the error."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.deciding.bias_variance import BiasVarianceTally, DecompositionTally
from core.families.ladder import Ladder
from core.records.deciding import Decomposition

LADDER = Ladder("depth", ("shallow", "deep"))
NAMES = ("bias", "variance", "unbiased", "biased", "error")


def domingos(predictions: list[list[int]], labels: list[int]) -> dict[str, float]:
    """The decomposition of one level. predictions: of each image, by every part."""
    sums = dict.fromkeys(NAMES, 0.0)
    for votes, label in zip(predictions, labels, strict=True):
        counts = Counter(votes)
        main = min(one for one, number in counts.items() if number == max(counts.values()))
        variance = sum(vote != main for vote in votes) / len(votes)
        sums["bias"] += main != label
        sums["variance"] += variance
        sums["unbiased"] += variance if main == label else 0
        sums["biased"] += sum(vote == label for vote in votes) / len(votes) if main != label else 0
        sums["error"] += sum(vote != label for vote in votes) / len(votes)
    return {name: value / len(labels) for name, value in sums.items()}


def draw(
    n: int, subsets: int, classes: int, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Predictions, (subsets, levels, n), more often right than any one wrong label; labels."""
    label = random.integers(0, classes, n)
    drawn = random.integers(0, classes, (subsets, len(LADDER.levels), n))
    answers: NDArray[np.int64] = np.where(random.random(drawn.shape) < 0.3, label, drawn)
    return answers, label


@settings(max_examples=80)
@given(
    n=st.integers(1, 12),
    subsets=st.integers(1, 9),
    classes=st.integers(2, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_decomposition_is_that_of_a_plain_loop(n: int, subsets: int, classes: int, seed: int) -> None:
    predictions, label = draw(n, subsets, classes, np.random.default_rng(seed))
    tally = DecompositionTally(LADDER, classes, subsets)
    for rows in (slice(0, n // 3), slice(n // 3, n)):  # blocks make no difference
        tally.add(predictions[:, :, rows], label[rows])
    shares = tally.shares()
    assert shares is not None
    for row in range(len(LADDER.levels)):
        expected = domingos(predictions[:, row].T.tolist(), label.tolist())
        found = dict(zip(NAMES, shares[:, row].tolist(), strict=True))
        assert found == pytest.approx(expected, abs=1e-12)
        assert found["error"] == pytest.approx(found["bias"] + found["unbiased"] - found["biased"], abs=1e-12)


def test_of_labels_that_are_equally_frequent_the_lowest_is_the_main_prediction() -> None:
    tally = DecompositionTally(LADDER, 3, 4)
    votes = np.array([2, 1, 2, 1])
    tally.add(np.tile(votes[:, None, None], (1, 2, 2)), np.array([1, 2]))
    shares = tally.shares()
    assert shares is not None
    # Of label 1 the main prediction 1 is right, of label 2 it is wrong; each is predicted by half of the parts.
    expected = {"bias": 0.5, "variance": 0.5, "unbiased": 0.25, "biased": 0.25, "error": 0.5}
    assert dict(zip(NAMES, shares[:, 0].tolist(), strict=True)) == expected


def test_each_order_of_the_halves_counts_the_same_whatever_its_images() -> None:
    random = np.random.default_rng(3)
    tally = BiasVarianceTally(LADDER, 4, 7)
    expected = []
    for half, n in enumerate((30, 5)):
        predictions, label = draw(n, 7, 4, random)
        tally.add("adversarial", half, predictions, label)
        expected.append(
            [domingos(predictions[:, row].T.tolist(), label.tolist()) for row in range(len(LADDER.levels))]
        )
    found = tally.figures()
    assert found.subsets == 7
    assert list(found.sets) == ["adversarial"]
    for row, level in enumerate(LADDER.levels):
        by_name = {name: (expected[0][row][name] + expected[1][row][name]) / 2 for name in NAMES}
        one = found.sets["adversarial"][level]
        for name, value in by_name.items():
            assert math.isclose(getattr(one, name), value, abs_tol=1e-12), name


def test_a_set_without_images_in_one_order_is_not_decomposed() -> None:
    tally = BiasVarianceTally(LADDER, 3, 2)
    some, none = np.zeros((2, 2, 4), dtype=np.int64), np.zeros((2, 2, 0), dtype=np.int64)
    tally.add("noise", 0, some, np.zeros(4, dtype=np.int64))
    tally.add("noise", 1, none, np.zeros(0, dtype=np.int64))
    tally.add("test", 0, some, np.zeros(4, dtype=np.int64))
    assert tally.figures().sets == {}
    tally.add("noise", 1, some, np.ones(4, dtype=np.int64))
    half = Decomposition(bias=0.5, variance=0, unbiased=0, biased=0, error=0.5)
    assert tally.figures().sets == {"noise": dict.fromkeys(LADDER.levels, half)}


def test_predictions_of_another_number_of_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="predictions of 3 parts, not of 4"):
        DecompositionTally(LADDER, 3, 4).add(np.zeros((3, 2, 1), dtype=np.int64), np.zeros(1, dtype=np.int64))
