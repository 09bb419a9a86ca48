"""Cross-fitted accuracy is that of a plain loop over images: one half selects, the other is measured."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from core.deciding.crossfit import CrossFitTally, wrong_at
from core.families.ladder import Ladder
from core.records.deciding import CrossFit

LADDER = Ladder("K", ("5", "3", "1"), (5, 3, 1))
NONE = dict.fromkeys(LADDER.levels)


def draw(
    n: int, seed: int, classes: int = 3
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Answers of both halves, (2, levels, n), the same on the sources, and labels."""
    random = np.random.default_rng(seed)
    label = random.integers(0, classes, n)
    drawn = random.integers(0, classes, (2, 2, len(LADDER.levels), n))
    right = random.random(drawn.shape) < 0.4
    answers: NDArray[np.int64] = np.where(right, label, drawn)
    return answers[0], answers[1], label


def accuracy_by_hand(
    answers: NDArray[np.int64], label: NDArray[np.int64], chosen: list[list[int]], *, own: bool
) -> dict[str, float]:
    """Level -> the mean over both orders of the share of right answers on what each half chose."""
    found = {}
    for row, level in enumerate(LADDER.levels):
        shares = []
        for half in (0, 1):
            judge = half if own else 1 - half
            right = [int(answers[judge, row, place]) == int(label[place]) for place in chosen[half]]
            shares.append(sum(right) / len(right))
        found[level] = sum(shares) / 2
    return found


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("has_sources", [True, False])
def test_what_a_half_selects_is_wrong_there_and_its_source_is_not(place: int, has_sources: bool) -> None:
    answers, sources, label = draw(60, 1)
    found = wrong_at(place, answers, label, sources if has_sources else None)
    assert found.shape == (2, 60)
    for half in (0, 1):
        for image in range(60):
            wrong = answers[half, place, image] != label[image]
            known = not has_sources or sources[half, place, image] == label[image]
            assert found[half, image] == (wrong and known)
    assert 0 < found.sum() < found.size


def test_the_other_half_is_measured_on_what_one_half_selects_in_both_orders() -> None:
    answers, sources, label = draw(200, 2)
    selected = wrong_at(0, answers, label, sources)
    tally = CrossFitTally(LADDER)
    tally.add("adversarial", selected, answers, label)
    found = tally.figures()
    chosen = [[image for image in range(200) if selected[half, image]] for half in (0, 1)]
    assert len(chosen[0]) != len(chosen[1]), "each order counts the same, whatever its images"
    expected = accuracy_by_hand(answers, label, chosen, own=False)
    own = accuracy_by_hand(answers, label, chosen, own=True)
    assert found.adversarial == pytest.approx(expected, abs=1e-12)
    assert found.own == {"adversarial": pytest.approx(own, abs=1e-12)}
    assert found.counts == {"adversarial": (len(chosen[0]), len(chosen[1]))}
    assert own["5"] == 0 < expected["5"], "the half that selected knows none of them"
    assert (found.test, found.misclassified, found.noise) == (None, None, None)
    assert list(found.accuracy) == ["adversarial"]


def test_blocks_make_no_difference() -> None:
    answers, sources, label = draw(90, 3)
    selected = wrong_at(2, answers, label, sources)
    whole, parts = CrossFitTally(LADDER), CrossFitTally(LADDER)
    whole.add("noise", selected, answers, label)
    for rows in (slice(0, 1), slice(1, 1), slice(1, 60), slice(60, 90)):
        parts.add("noise", selected[:, rows], answers[:, :, rows], label[rows])
    assert parts.figures() == whole.figures()


def test_a_set_that_is_empty_in_one_order_has_no_accuracy() -> None:
    answers, _, label = draw(20, 4)
    tally = CrossFitTally(LADDER)
    selected = np.zeros((2, 20), dtype=bool)
    selected[1, 3] = True
    tally.add("misclassified", selected, answers, label)
    found = tally.figures()
    assert found.misclassified == found.own["misclassified"] == NONE
    assert found.counts == {"misclassified": (0, 1)}


def test_what_did_not_come_is_not_measured() -> None:
    assert CrossFitTally(LADDER).figures() == CrossFit(own={}, counts={})


def test_selecting_all_gives_the_accuracy_of_both_halves() -> None:
    answers, _, label = draw(50, 5)
    tally = CrossFitTally(LADDER)
    tally.add("test", np.ones((2, 50), dtype=bool), answers, label)
    found = tally.figures()
    means = (answers == label).mean(axis=(0, 2))
    assert found.test is not None
    assert_array_equal(list(found.test), LADDER.levels)
    assert list(found.test.values()) == pytest.approx(means.tolist(), abs=1e-12)
    assert found.own["test"] == pytest.approx(found.test, abs=1e-15)
