"""The time left is what a person would reckon from how long the stages have taken so far."""

from __future__ import annotations

import pytest

from tui_aefit.following.estimate import AtWork, seconds_left

TYPICAL = {"split": 1.0, "classifier": 9.0, "candidates": 30.0}


def left(
    *at_work: AtWork, waiting: int = 0, jobs: int = 1, typical: dict[str, float] | None = None
) -> float | None:
    known = TYPICAL if typical is None else typical
    return seconds_left(known, at_work, waiting=waiting, jobs=jobs, stages=list(TYPICAL))


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
