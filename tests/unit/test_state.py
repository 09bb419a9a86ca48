"""The events of an experiment make the snapshot that its folder deserves, whatever the journals hold."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.records.events import (
    CoordinatorStarted,
    DatasetLoaded,
    Ending,
    EnvironmentReported,
    EpochFinished,
    Event,
    Finished,
    Notice,
    Progress,
    RunCompleted,
    RunFailed,
    RunStarted,
    StageFinished,
    StageStarted,
    StatisticsComputed,
    WorkerLost,
)
from core.records.journal import read_all
from core.records.metrics import RunMetrics
from core.records.stages import stages_of
from core.records.state import read_state
from core.records.status import RunStatus
from core.spec.spec import Spec
from tests.fakes.experiments import NOW, State, lock_of_the_dead, make_experiment, snapshot_of
from tests.fakes.numbers import draw_metrics
from tui_aefit.following.fold import Fold
from tui_aefit.following.pace import expected_stages
from tui_aefit.following.past_runs import PastRun
from tui_aefit.following.size import Size, size_of
from tui_aefit.following.snapshot import LOG_LINES, RunView, Snapshot

SPEC = Spec(dataset="mnist", runs=3)
OWN = SPEC.changed(dataset="/data/own.npz")
STAGES = stages_of(SPEC)
ENVIRONMENT = EnvironmentReported(time=1, versions={}, device="cpu", threads=2, cpu="a CPU")
DATASET = DatasetLoaded(
    time=2, name="mnist", sha256="5", images=70000, shape=(28, 28, 1), classes=("0", "1"), test_size=10000,
    notices=("3 images were cut",),
)  # fmt: skip
RESULT = draw_metrics(SPEC, 0)
FOUND = (
    f"{RESULT.counts.misclassified:,} of 10,000 test images misclassified, "
    f"{RESULT.counts.adversarial:,} of {RESULT.counts.candidates:,} candidates adversarial"
)


def begun(time: float = 0.0, jobs: int = 2, host: str = "node1", pending: Sequence[int] = (0, 1, 2)) -> Event:
    return CoordinatorStarted(time=time, host=host, pid=1, jobs=jobs, pending=tuple(pending))


def start(run: int, time: float, attempt: int = 1) -> Event:
    return RunStarted(time=time, run=run, worker=1, attempt=attempt)


def stage(run: int, name: str, time: float, total: int = 100) -> Event:
    return StageStarted(time=time, run=run, stage=name, total=total)


def progress(run: int, name: str, time: float, done: int, total: int = 100) -> Event:
    return Progress(time=time, run=run, stage=name, done=done, total=total)


def stage_end(run: int, name: str, time: float, seconds: float) -> Event:
    return StageFinished(time=time, run=run, stage=name, seconds=seconds)


def epoch(run: int, number: int, time: float, loss: float) -> Event:
    return EpochFinished(time=time, run=run, epoch=number, epochs=3, loss=loss)


def completed(run: int, time: float) -> Event:
    return RunCompleted(time=time, run=run)


def failed(run: int, time: float, *, retry: bool) -> Event:
    return RunFailed(time=time, run=run, error="no luck", hint="try again", retry=retry)


def folded(
    *events: Event,
    alive: bool = True,
    now: float = 100.0,
    metrics: dict[int, RunMetrics] | None = None,
    spec: Spec = SPEC,
) -> Snapshot:
    fold = Fold("an-id", spec)
    fold.add(events)
    return fold.snapshot(now=now, alive=alive, metrics=metrics or {}, problems=(), newer=False)


def statuses(snapshot: Snapshot) -> list[str]:
    return [run.status for run in snapshot.runs]


def log_texts(snapshot: Snapshot) -> list[str]:
    return [line.text for line in snapshot.log]


# The whole


@pytest.mark.parametrize("state", get_args(State))
def test_a_snapshot_has_the_statuses_that_the_folder_has(tmp_path: Path, state: State) -> None:
    experiment = make_experiment(tmp_path, state=state, runs=6)
    snapshot, folder = snapshot_of(experiment), read_state(experiment)
    assert snapshot.status == folder.status
    assert statuses(snapshot) == [folder.run_status(run) for run in range(6)]
    assert snapshot.metrics == folder.results
    assert snapshot.complete == len(folder.results)
    assert (snapshot.id, snapshot.spec, snapshot.now) == (experiment.id, experiment.spec, NOW)
    assert snapshot.newer == (state == "newer")


def test_a_killed_coordinator_leaves_an_interrupted_experiment_that_says_so(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, state="running", runs=6)
    lock_of_the_dead(experiment)
    snapshot = snapshot_of(experiment)
    assert snapshot.status == read_state(experiment).status == "interrupted"
    assert "without a word" in snapshot.error
    assert snapshot.hint
    assert set(statuses(snapshot)) == {"complete", "pending"}


def test_the_last_statistics_are_those_of_the_journal(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=4)
    last = read_state(experiment).last(StatisticsComputed)
    snapshot = snapshot_of(experiment)
    assert last is not None
    assert snapshot.summary == last.summary
    assert snapshot.tests == last.tests
    assert snapshot.claims == last.claims != ()
    assert snapshot.verdict == last.verdict
    assert snapshot.ladder == experiment.spec.ladder
    assert snapshot.statistics_runs == (0, 1, 2, 3)
    assert snapshot.verdict[1].endswith("over 4 complete runs.")


@settings(max_examples=20)
@given(st.data())
def test_one_at_a_time_or_all_at_once_gives_the_same_snapshot(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    experiment = make_experiment(tmp_path_factory.mktemp("home"), state="failed", runs=3)
    events, metrics = read_all(experiment.journal), experiment.results()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=6)))
    fold = Fold(experiment.id, experiment.spec)
    for first, last in itertools.pairwise([0, *cuts, len(events)]):
        fold.add(events[first:last])
        fold.snapshot(now=1.0, alive=True, metrics={}, problems=(), newer=False)
    whole = Fold(experiment.id, experiment.spec)
    whole.add(events)
    state: dict[str, Any] = {
        "now": 2.0,
        "alive": False,
        "metrics": metrics,
        "problems": ("a",),
        "newer": True,
    }
    assert fold.snapshot(**state) == whole.snapshot(**state)


def test_a_snapshot_stays_what_it_was() -> None:
    fold = Fold("an-id", SPEC)
    fold.add([begun(), start(0, 1), stage(0, "split", 2), stage_end(0, "split", 3, 1.0)])
    state: dict[str, Any] = {"now": 4.0, "alive": True, "problems": (), "newer": False}
    first = fold.snapshot(metrics={}, **state)
    kept = copy.deepcopy(first)
    fold.add([stage(0, "classifier", 4), stage_end(0, "classifier", 5, 1.0), completed(0, 6)])
    second = fold.snapshot(metrics={0: RESULT}, **state)
    assert first == kept
    assert second.runs[0].seconds == {"split": 1.0, "classifier": 1.0}
    assert second.runs[1] is first.runs[1]


def events_of(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Any event of a type, its runs and stages more often than not those of an experiment."""
    likely: dict[str, st.SearchStrategy[Any]] = {
        "seq": st.just(1),
        "time": st.floats(-1e9, 1e9),
        "v": st.just(2),
        "run": st.integers(0, 4) | st.integers(0, 10**6),
        "pending": st.lists(st.integers(0, 4), max_size=4).map(tuple),
        "stage": st.sampled_from(STAGES) | st.text(max_size=3),
        "seconds": st.floats(0, 1e12),
        "loss": st.floats(-1e300, 1e300),
    }
    made = {name: likely[name] for name in kind.__struct_fields__ if name in likely}
    return st.builds(kind, **made)


@pytest.mark.slow
@settings(max_examples=150)
@given(st.lists(st.one_of([events_of(kind) for kind in Event.__subclasses__()]), max_size=12))
def test_no_order_of_events_stops_it(events: list[Event]) -> None:
    fold = Fold("an-id", SPEC)
    for one in events:
        fold.add([one])
        snapshot = fold.snapshot(now=one.time, alive=True, metrics={}, problems=(), newer=False)
        assert [run.index for run in snapshot.runs] == [0, 1, 2]
        assert snapshot.remaining is None or snapshot.remaining >= 0
        assert all(text.replace("\n", "").isprintable() for text in log_texts(snapshot))


# Runs


def test_a_run_is_followed_through_its_stages() -> None:
    events = [
        begun(), start(1, 1.0), stage(1, "split", 1.5, 1), stage_end(1, "split", 2.0, 0.5),
        stage(1, "surrogate", 2.1), progress(1, "surrogate", 4.1, 40),
        epoch(1, 1, 4.2, 0.25),
    ]  # fmt: skip
    snapshot = folded(*events)
    assert statuses(snapshot) == ["pending", "running", "pending"]
    assert snapshot.runs[0] == RunView(0)
    assert snapshot.runs[1] == RunView(
        1, RunStatus.RUNNING, "surrogate", 40, 100, stage_started=2.1, started=1.0, seconds={"split": 0.5},
        epochs=3, losses=(0.25,), attempt=1,
    )  # fmt: skip
    assert snapshot.throughput == {"surrogate": pytest.approx(40 / 2)}
    assert snapshot.jobs == 2


def test_throughput_is_that_of_all_runs_in_a_stage_together() -> None:
    events = [begun(), start(0, 0), start(1, 0)]
    events += [
        stage(0, "noise", 1),
        stage(1, "noise", 2),
        progress(0, "noise", 3, 10),
        progress(1, "noise", 4, 30),
    ]
    assert folded(*events).throughput == {"noise": pytest.approx(10 / 2 + 30 / 2)}
    assert folded(*events, stage_end(0, "noise", 5, 4.0)).throughput == {"noise": pytest.approx(30 / 2)}
    assert folded(*events, alive=False).throughput == {}


def test_a_run_is_complete_by_its_result_not_by_what_is_said() -> None:
    events = [begun(), start(0, 1), completed(0, 9)]
    assert folded(*events).runs[0].status == "pending"
    complete = folded(*events, metrics={0: RESULT}).runs[0]
    assert (complete.status, complete.started, complete.finished) == ("complete", 1, 9)


def test_a_run_whose_worker_died_waits_and_is_begun_again_from_nothing() -> None:
    events = [
        begun(),
        start(0, 1),
        stage(0, "split", 1.5),
        stage_end(0, "split", 2, 0.5),
        failed(0, 3, retry=True),
    ]
    assert folded(*events).runs[0] == RunView(0)
    again = folded(*events, start(0, 4, attempt=2)).runs[0]
    assert (again.status, again.attempt, again.stage, again.seconds) == ("running", 2, "", {})


def test_the_last_lines_of_a_lost_attempt_may_come_late() -> None:
    events = [
        begun(),
        start(0, 1),
        failed(0, 3, retry=True),
        start(0, 4, attempt=2),
        progress(0, "split", 2.9, 50),
    ]
    late = folded(*events, stage(0, "noise", 2.8), stage_end(0, "noise", 2.9, 0.1))
    assert late.runs[0] == RunView(0, RunStatus.RUNNING, started=4, attempt=2)


@pytest.mark.parametrize("run", [3, 10**6])
def test_a_run_that_the_experiment_does_not_have_changes_no_other(run: int) -> None:
    events = [
        start(run, 1),
        stage(run, "split", 2),
        progress(run, "split", 3, 1),
        failed(run, 4, retry=False),
    ]
    assert folded(begun(), *events).runs == (RunView(0), RunView(1), RunView(2))


def test_a_failed_run_keeps_its_error_until_it_is_begun_again() -> None:
    events = [begun(), start(2, 1), failed(2, 3, retry=False), Finished(time=4, status="failed")]
    snapshot = folded(*events, alive=False)
    assert snapshot.status == "failed"
    run = snapshot.runs[2]
    assert (run.status, run.error, run.hint, run.finished) == ("failed", "no luck", "try again", 3)
    resumed = folded(*events, begun(5), alive=True)
    assert resumed.status == "running"
    assert statuses(resumed) == ["pending", "pending", "failed"]
    anew = folded(*events, begun(5), start(2, 6)).runs[2]
    assert (anew.status, anew.error, anew.hint) == ("running", "", "")


def test_what_a_dead_coordinator_left_at_work_waits_for_the_next_one() -> None:
    events = [begun(), start(0, 1), stage(0, "split", 2)]
    assert statuses(folded(*events, alive=False)) == ["pending"] * 3
    resumed = folded(*events, begun(50, jobs=1))
    assert statuses(resumed) == ["pending"] * 3
    assert resumed.jobs == 1


@pytest.mark.parametrize("status", ["failed", "cancelled", "interrupted"])
def test_an_ending_is_the_status_once_nobody_computes(status: Ending) -> None:
    ended = Finished(time=9, status=status)
    assert folded(begun(), ended, alive=False).status == status
    assert folded(begun(), ended, alive=True).status == "running"
    assert folded(begun(), ended, alive=False).error == ""
    assert folded(begun(), ended, alive=False, metrics=dict.fromkeys(range(3), RESULT)).status == "complete"


def test_a_refusal_is_told_with_its_reason_until_the_next_attempt() -> None:
    refusal = Finished(time=9, status="refused", error="no such data", hint="fetch it")
    snapshot = folded(begun(), refusal, alive=False)
    assert (snapshot.status, snapshot.error, snapshot.hint) == ("refused", "no such data", "fetch it")
    assert snapshot.log[-1].text == "refused: no such data"
    assert snapshot.log[-1].level == "error"
    assert folded(begun(), refusal, begun(10)).error == ""


# The log


def test_the_log_tells_what_happened_in_the_order_in_which_it_did() -> None:
    events = [
        begun(0), ENVIRONMENT, DATASET, start(0, 3),
        stage(0, "split", 3), stage_end(0, "split", 4, 0.34), progress(0, "split", 4, 1),
        epoch(0, 2, 5, 0.12345), completed(0, 6),
        WorkerLost(time=7, worker=1, reason="was killed (SIGKILL)"), failed(1, 8, retry=True),
        failed(1, 9, retry=False), Notice(time=9, text="by the way"), Finished(time=10, status="failed"),
    ]  # fmt: skip
    snapshot = folded(*events, metrics={0: RESULT})
    assert log_texts(snapshot) == [
        "an-id: 3 runs to compute, 2 at a time",
        "computing on cpu, 2 threads a run",
        "mnist: 70000 images of 28 x 28 x 1 in 2 classes, 10000 of them for testing",
        "3 images were cut",
        "run 1: split done in 0.3 s",
        "run 1: epoch 2 of 3, loss 0.1235",
        f"run 1 complete: {FOUND}",
        "worker 1 was killed (SIGKILL)",
        "run 2 failed: no luck; it is begun again",
        "run 2 failed: no luck",
        "by the way",
        "finished, but not all runs are complete",
    ]
    assert [line.time for line in snapshot.log] == [0, 1, 2, 2, 4, 5, 6, 7, 8, 9, 9, 10]
    levels = [(line.level, line.text.split()[0]) for line in snapshot.log if line.level != "info"]
    assert levels == [("warning", "worker"), ("warning", "run"), ("error", "run"), ("error", "finished,")]


def test_what_every_worker_says_is_told_once_a_session() -> None:
    said = [ENVIRONMENT, DATASET]
    once = log_texts(folded(begun(), *said))
    assert log_texts(folded(begun(), *said, *said)) == once
    assert log_texts(folded(begun(), *said, begun(), *said)) == once + once


def test_the_log_keeps_the_newest_lines() -> None:
    many = [Notice(time=time, text=str(time)) for time in range(LOG_LINES + 20)]
    log = log_texts(folded(*many))
    assert log == [str(time) for time in range(20, LOG_LINES + 20)]


def test_a_result_that_comes_later_completes_the_line_of_its_run() -> None:
    fold = Fold("an-id", SPEC)
    fold.add([begun(), completed(0, 1)])
    state: dict[str, Any] = {"now": 2.0, "alive": True, "problems": (), "newer": False}
    assert log_texts(fold.snapshot(metrics={}, **state))[-1] == "run 1 complete: its result cannot be read"
    assert log_texts(fold.snapshot(metrics={0: RESULT}, **state))[-1] == f"run 1 complete: {FOUND}"


# The time left


def one_run(run: int, time: float, seconds: float, stages: tuple[str, ...] = STAGES) -> list[Event]:
    """A whole run whose stages take `seconds` each."""
    events = [start(run, time)]
    for number, name in enumerate(stages):
        events += [
            stage(run, name, time + number * seconds),
            stage_end(run, name, time + (number + 1) * seconds, seconds),
        ]
    return [*events, completed(run, time + len(stages) * seconds)]


def test_the_time_left_is_estimated_from_the_runs_so_far() -> None:
    events = [begun(jobs=1), *one_run(0, 0.0, 10.0), start(1, 70.0), stage(1, "split", 70.0)]
    assert folded(*events, now=70.0, metrics={0: RESULT}).remaining == pytest.approx(140)
    assert folded(*events, now=74.0, metrics={0: RESULT}).remaining == pytest.approx(136)
    assert folded(*events, now=74.0, metrics={0: RESULT}, alive=False).remaining is None
    assert not folded(*events, now=74.0, metrics={0: RESULT}).rough
    assert folded(begun(), start(0, 1.0), spec=OWN).remaining is None


def test_before_any_run_has_come_so_far_the_time_left_is_a_rough_guess() -> None:
    begun_only = [begun(jobs=1), start(0, 1.0)]
    found = folded(*begun_only, now=1.0)
    one = sum(expected_stages(SPEC, size_of(SPEC.dataset), []).values())
    assert found.remaining == pytest.approx(3 * one)
    assert found.first_result == found.left[0] == pytest.approx(one)
    assert found.rough
    fold = Fold("an-id", SPEC)
    fold.add(begun_only)
    fold.take_past([PastRun(SPEC, 70.0, stages=dict.fromkeys(STAGES, 10.0))])
    state: dict[str, Any] = {"alive": True, "metrics": {}, "problems": (), "newer": False}
    assert fold.snapshot(now=1.0, **state).remaining == pytest.approx(3 * 70)
    # Of a person's own set nothing can be said before it has been read.
    assert folded(*begun_only, now=1.0, spec=OWN).left == {}
    fold = Fold("an-id", OWN)
    read = DatasetLoaded(
        name="own", sha256="0" * 64, images=90, shape=(9, 9, 1), classes=("a", "b"), test_size=10
    )
    fold.add([*begun_only, read])
    one = sum(expected_stages(OWN, Size(90, 2, 10, (9, 9, 1)), []).values())
    assert fold.snapshot(now=1.0, **state).remaining == pytest.approx(3 * one)


def test_the_share_of_all_work_that_is_done_counts_runs_at_work_in_part() -> None:
    events = [begun(jobs=1), *one_run(0, 0.0, 10.0), start(1, 70.0), stage(1, "split", 70.0)]
    assert folded(*events, now=70.0, metrics={0: RESULT}).done == pytest.approx(1 / 3)
    further = [*events, stage_end(1, "split", 80.0, 10.0)]
    assert folded(*further, now=80.0, metrics={0: RESULT}).done == pytest.approx((1 + 1 / 7) / 3)
    assert folded(*further, now=80.0, metrics={0: RESULT}, alive=False).done == pytest.approx(1 / 3)


def test_what_lies_between_two_sittings_is_no_time_that_was_worked() -> None:
    first = [begun(10.0), start(0, 11.0), Finished(time=40.0, status="interrupted")]
    assert folded().worked is None
    assert folded(*first, now=5000.0, alive=False).worked == pytest.approx(30)
    # A coordinator that was killed worked until its last word; a day later another one goes on.
    killed = [*first[:2], progress(0, "split", 25.0, 1)]
    assert folded(*killed, now=5000.0, alive=False).worked == pytest.approx(15)
    assert folded(*killed, begun(9000.0), now=9007.0).worked == pytest.approx(15 + 7)


def test_the_losses_of_a_run_are_those_of_its_epochs_in_order() -> None:
    events = [begun(), start(1, 1.0), epoch(1, 2, 3.0, 0.1), epoch(1, 1, 2.0, 0.25)]
    assert folded(*events).runs[1].losses == (0.25, 0.1)
    assert folded(*events, failed(1, 4.0, retry=True), start(1, 5.0, 2)).runs[1].losses == ()


def test_without_the_noise_control_there_is_no_noise_to_wait_for() -> None:
    without = SPEC.changed(controls=())
    events = [begun(jobs=1), *one_run(0, 0.0, 10.0, stages_of(without))]
    assert folded(*events, now=50.0, metrics={0: RESULT}).rough
    found = folded(*events, now=50.0, metrics={0: RESULT}, spec=without)
    assert not found.rough
    assert found.remaining == pytest.approx(100)


def test_a_stage_that_a_run_has_passed_over_is_not_waited_for() -> None:
    # The halves of a few training images may be too few for the classifier.
    passed_over = tuple(name for name in STAGES if name != "halves")
    events = [begun(jobs=1), *one_run(0, 0.0, 10.0, passed_over)]
    assert folded(*events, now=60.0, metrics={0: RESULT}).remaining == pytest.approx(120)
    # Before that is known, it may still come.
    assert folded(begun(jobs=1), *one_run(0, 0.0, 10.0, STAGES[:2])[:-1], now=20.0).rough


def test_another_machine_has_another_pace() -> None:
    events = [begun(jobs=1), *one_run(0, 0.0, 10.0)]
    same, other = begun(80, jobs=1, pending=(1, 2)), begun(80, jobs=1, pending=(1, 2), host="node2")
    assert folded(*events, same, metrics={0: RESULT}).remaining == pytest.approx(140)
    assert not folded(*events, same, metrics={0: RESULT}).rough
    assert folded(*events, other, metrics={0: RESULT}).rough


# Further runs


def test_further_runs_wait_until_they_are_begun() -> None:
    fold = Fold("an-id", SPEC)
    fold.add([begun(jobs=1), *one_run(0, 0.0, 10.0), *one_run(1, 70.0, 10.0), *one_run(2, 140.0, 10.0)])
    metrics = dict.fromkeys(range(3), RESULT)
    state: dict[str, Any] = {"alive": True, "metrics": metrics, "problems": (), "newer": False}
    assert fold.snapshot(now=210.0, **state).remaining == 0
    fold.take_spec(SPEC.changed(runs=5))
    extended = fold.snapshot(now=210.0, **state)
    assert statuses(extended) == ["complete"] * 3 + ["pending"] * 2
    assert extended.spec.runs == 5
    assert extended.remaining == pytest.approx(140)
    fold.add([start(3, 220.0)])
    assert statuses(fold.snapshot(now=220.0, **state)) == ["complete"] * 3 + ["running", "pending"]


def test_an_experiment_that_was_extended_after_its_end_is_not_complete() -> None:
    fold = Fold("an-id", SPEC)
    fold.add([begun(), Finished(time=9, status="complete")])
    state: dict[str, Any] = {
        "now": 10.0,
        "metrics": dict.fromkeys(range(3), RESULT),
        "problems": (),
        "newer": False,
    }
    assert fold.snapshot(alive=False, **state).status == "complete"
    fold.take_spec(SPEC.changed(runs=4))
    extended = fold.snapshot(alive=False, **state)
    assert (extended.status, extended.error) == ("interrupted", "")


def test_a_set_that_attacks_anew_has_a_stage_of_its_own() -> None:
    every_run = ("split", "classifier", "halves", "surrogate", "candidates")
    assert stages_of(SPEC) == (*every_run, "noise", "noise-matched")
    assert stages_of(SPEC.changed(controls=("sources", "reverse"))) == every_run
