"""The time left is what a person would reckon from how long the stages have taken so far."""

from __future__ import annotations

import pytest

from tui_aefit.following.estimate import TRUST, AtWork, estimate

TYPICAL = {"split": 1.0, "classifier": 9.0, "candidates": 30.0}


def left(
    *at_work: AtWork,
    waiting: int = 0,
    jobs: int = 1,
    typical: dict[str, float] | None = None,
    expected: dict[str, float] | None = None,
) -> float | None:
    known = TYPICAL if typical is None else typical
    stages = list(TYPICAL)
    return estimate(known, at_work, waiting=waiting, jobs=jobs, stages=stages, expected=expected).seconds


def test_waiting_runs_take_as_long_as_others_did_one_after_another_in_each_job() -> None:
    assert left(waiting=3) == 3 * 40
    assert left(waiting=3, jobs=2) == 2 * 40
    assert left(waiting=4, jobs=4) == 40
    assert left() == 0


def test_jobs_beyond_the_runs_that_wait_change_nothing() -> None:
    # A journal may say any number; a list of as many would not fit in memory.
    assert left(waiting=3, jobs=2**52) == left(waiting=3, jobs=3) == 40
    assert left(jobs=2**52) == 0


def test_a_run_at_work_goes_on_at_its_own_pace_and_then_as_others_did() -> None:
    halfway = AtWork({"split": 1.0}, "classifier", share=0.5, elapsed=6.0, silent=0.0)
    assert left(halfway) == pytest.approx(6 + 30)
    silent = AtWork({"split": 1.0}, "classifier", share=0.5, elapsed=6.0, silent=2.0)
    assert left(silent) == pytest.approx(4 + 30)
    lost = AtWork({"split": 1.0}, "classifier", share=0.5, elapsed=6.0, silent=500.0)
    assert left(lost) == pytest.approx(30)
    just_begun = AtWork({"split": 1.0}, "classifier", share=0.0, elapsed=0.0, silent=1.0)
    assert left(just_begun) == pytest.approx(8 + 30)
    assert left(AtWork({}, "", 0.0, 0.0, 0.0)) == pytest.approx(40)


def test_waiting_runs_begin_where_a_job_becomes_free_first() -> None:
    late = AtWork({"split": 1.0, "classifier": 9.0}, "candidates", share=0.9, elapsed=27.0, silent=0.0)
    early = AtWork({"split": 1.0}, "classifier", share=0.0, elapsed=0.0, silent=0.0)
    assert left(late, early, jobs=2, waiting=1) == pytest.approx(3 + 40)
    assert left(late, early, jobs=2, waiting=2) == pytest.approx(39 + 40)


def test_a_stage_that_nobody_has_finished_is_judged_by_who_is_in_it_or_not_at_all() -> None:
    first = {"split": 1.0, "classifier": 9.0}
    in_it = AtWork(first, "candidates", share=0.25, elapsed=10.0, silent=0.0)
    assert left(in_it, typical=first) == pytest.approx(30)
    assert left(in_it, typical=first, waiting=1) == pytest.approx(30 + 50)
    just_begun = AtWork(first, "candidates", share=0.01, elapsed=1.0, silent=0.0)
    assert left(just_begun, typical=first) is None
    assert left(waiting=3, typical={}) is None


def test_before_anything_is_known_the_time_is_what_was_expected() -> None:
    expected = {"split": 2.0, "classifier": 18.0, "candidates": 60.0}
    assert left(waiting=3, jobs=2, typical={}, expected=expected) == 2 * 80
    just_begun = AtWork({}, "split", share=0.0, elapsed=0.0, silent=1.0)
    assert left(just_begun, typical={}, expected=expected) == pytest.approx(80 - 1)
    assert left(waiting=3, typical={}, expected={"split": 2.0}) is None


def test_what_others_took_tells_how_the_expectation_is_to_be_taken() -> None:
    expected = {"split": 0.0, "classifier": 20.0, "candidates": 60.0}
    weight = TRUST * 80
    # The classifier took three times as long as was expected, the moment of the split tells nothing.
    seen = {"split": 0.01, "classifier": 60.0}
    behind = AtWork(seen, "candidates", share=0.0, elapsed=0.0, silent=0.0)
    pace = (weight + 60.01) / (weight + 20)
    assert left(behind, typical=seen, expected=expected) == pytest.approx(60 * pace)
    assert 2 < pace < 3
    first = AtWork({"split": 0.01}, "classifier", share=0.0, elapsed=0.0, silent=0.0)
    assert left(first, typical={"split": 0.01}, expected=expected) == pytest.approx(80, rel=0.01)
    # A stage at work counts as soon as a good part of it is done, and then for itself.
    amid = AtWork(seen, "candidates", share=0.5, elapsed=100.0, silent=0.0)
    assert left(amid, typical=seen, expected=expected) == pytest.approx(100)


def test_the_share_of_a_run_at_work_is_what_it_has_not_left() -> None:
    halfway = AtWork({"split": 1.0, "classifier": 9.0}, "candidates", share=0.5, elapsed=15.0, silent=0.0)
    begun = AtWork({}, "", 0.0, 0.0, 0.0)
    found = estimate(TYPICAL, [halfway, begun], waiting=0, jobs=2, stages=list(TYPICAL))
    assert found.each == pytest.approx((15, 40))
    assert found.shares == pytest.approx((25 / 40, 0))
    assert estimate({}, [halfway], waiting=0, jobs=1, stages=list(TYPICAL)).shares == ()
