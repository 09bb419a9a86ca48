"""Robustness is that of a plain loop over test images and their candidates, some of which were thrown away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.deciding.robustness import RobustnessTally
from core.families.ladder import Ladder
from core.records.deciding import Flips, LevelRobustness, Robustness

LADDER = Ladder("K", ("5", "3", "1"), (5, 3, 1))


def by_hand(
    source_right: NDArray[np.bool_], right: NDArray[np.bool_], source: NDArray[np.int64]
) -> Robustness:
    """Image by image, candidate by candidate."""
    levels = {}
    for row, level in enumerate(LADDER.levels):
        known = [place for place, image in enumerate(source) if source_right[row, image]]
        fooled = [place for place in known if not right[row, place]]
        never_wrong = [
            image
            for image in range(source_right.shape[1])
            if source_right[row, image]
            and all(right[row, place] for place in np.flatnonzero(source == image))
        ]
        levels[level] = LevelRobustness(
            accuracy=sum(right[row].tolist()) / len(source) if len(source) else None,
            success=len(fooled) / len(known) if known else None,
            worst_case=len(never_wrong) / source_right.shape[1],
        )
    both = [place for place, image in enumerate(source) if source_right[0, image] and source_right[-1, image]]
    return Robustness(
        robustness=levels,
        flips=Flips(
            gained=sum(bool(right[-1, place] and not right[0, place]) for place in both),
            lost=sum(bool(right[0, place] and not right[-1, place]) for place in both),
            n=len(both),
        ),
    )


@settings(max_examples=80)
@given(
    images=st.integers(1, 8),
    each=st.integers(0, 4),
    kept=st.sampled_from([0.0, 0.5, 1.0]),
    blocks=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_robustness_is_that_of_a_plain_loop_whatever_the_blocks(
    images: int, each: int, kept: float, blocks: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    source = np.repeat(np.arange(images), each)
    source = source[random.random(len(source)) < kept]  # the others were thrown away
    source_right = random.random((3, images)) < 0.7
    right = random.random((3, len(source))) < 0.6
    tally = RobustnessTally(LADDER, source_right)
    before = source_right.copy()
    for sources in np.array_split(np.arange(images), blocks):
        rows = np.isin(source, sources)
        tally.add(right[:, rows], source[rows])
    assert tally.figures() == by_hand(source_right, right, source)
    assert tally.count == len(source)
    np.testing.assert_array_equal(source_right, before, "what was handed over is left as it was")


def test_an_image_whose_candidates_were_all_thrown_away_is_judged_by_itself() -> None:
    source_right = np.array([[True, True, False], [True, True, True], [True, False, True]])
    tally = RobustnessTally(LADDER, source_right)
    tally.add(np.array([[True, False], [True, True], [False, True]]), np.array([0, 0]))
    found = tally.figures()
    assert {level: one.worst_case for level, one in found.robustness.items()} == {
        "5": pytest.approx(1 / 3),
        "3": 1.0,
        "1": pytest.approx(1 / 3),
    }
    assert found.flips == Flips(gained=1, lost=1, n=2)


def test_without_candidates_there_is_nothing_but_the_test_images() -> None:
    tally = RobustnessTally(LADDER, np.array([[True, False]] * 3))
    found = tally.figures()
    assert tally.count == 0
    assert found.robustness["1"] == LevelRobustness(accuracy=None, success=None, worst_case=0.5)
    assert found.flips == Flips(gained=0, lost=0, n=0)


def test_success_is_undefined_where_no_source_is_known() -> None:
    tally = RobustnessTally(LADDER, np.array([[False], [True], [True]]))
    tally.add(np.array([[True], [False], [True]]), np.array([0]))
    found = tally.figures().robustness
    assert (found["5"].success, found["3"].success, found["1"].success) == (None, 1.0, 0.0)
    assert (found["5"].accuracy, found["3"].accuracy) == (1.0, 0.0)
