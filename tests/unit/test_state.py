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

from core.records.events import KINDS, Event
from core.records.journal import read_all
from core.spec.spec import Spec
from tests.recorded import NOW, State, lock_of_the_dead, make_experiment, snapshot_of
from tui_aefit.following.fold import STAGES, Fold
from tui_aefit.following.snapshot import LOG_LINES, RunView, Snapshot

SPEC = Spec(dataset="mnist", runs=3).to_json()
ENVIRONMENT: dict[str, Any] = {"versions": {}, "device": "cpu", "threads": 2, "cpu": "a CPU"}
DATASET: dict[str, Any] = {
    "name": "mnist", "sha256": "5", "images": 70000, "shape": [28, 28, 1], "classes": ["0", "1"],
    "test_size": 10000, "notices": ["3 images were cut"],
}  # fmt: skip
RESULT = {"counts": {"test": 10000, "misclassified": 310, "adversarial": 6900, "candidates": 87000}}


def event(kind: str, time: float, writer: str = "0001-coordinator", **fields: object) -> Event:
    return Event(writer, 1, time, 1, kind, fields)


def begun(time: float = 0.0, jobs: int = 2, host: str = "node1", pending: Sequence[int] = (0, 1, 2)) -> Event:
    return event("coordinator_started", time, host=host, pid=1, jobs=jobs, pending=list(pending))


def start(run: int, time: float, attempt: int = 1) -> Event:
    return event("run_started", time, run=run, worker=1, attempt=attempt)


def stage(run: int, name: str, time: float, total: int = 100) -> Event:
    return event("stage_started", time, "0001-worker-1", run=run, stage=name, total=total)


def progress(run: int, name: str, time: float, done: int, total: int = 100) -> Event:
    return event("progress", time, "0001-worker-1", run=run, stage=name, done=done, total=total)


def stage_end(run: int, name: str, time: float, seconds: float) -> Event:
    return event("stage_finished", time, "0001-worker-1", run=run, stage=name, seconds=seconds)


def failed(run: int, time: float, *, retry: bool) -> Event:
    return event("run_failed", time, run=run, error="no luck", hint="try again", retry=retry)


def folded(
    *events: Event,
    alive: bool = True,
    now: float = 100.0,
    metrics: dict[int, Any] | None = None,
    **spec: object,
) -> Snapshot:
    fold = Fold("an-id", {**SPEC, **spec})
    fold.add(events)
    return fold.snapshot(now=now, alive=alive, metrics=metrics or {}, problems=(), newer=False)


def statuses(snapshot: Snapshot) -> list[str]:
    return [run.status for run in snapshot.runs]


def told(snapshot: Snapshot) -> list[str]:
    return [line.text for line in snapshot.log]


# The whole


@pytest.mark.parametrize("state", get_args(State))
def test_a_snapshot_has_the_statuses_that_the_folder_has(tmp_path: Path, state: State) -> None:
    experiment = make_experiment(tmp_path, state=state, runs=6)
    snapshot, folder = snapshot_of(experiment), experiment.state()
    assert snapshot.status == folder.status
    assert statuses(snapshot) == [folder.run_status(run) for run in range(6)]
    assert snapshot.metrics == folder.results
    assert snapshot.complete == len(folder.results)
    assert (snapshot.id, snapshot.spec, snapshot.now) == (experiment.id, experiment.spec.to_json(), NOW)
    assert snapshot.newer == (state == "newer")


def test_a_killed_coordinator_leaves_an_interrupted_experiment_that_says_so(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, state="running", runs=6)
    lock_of_the_dead(experiment)
    snapshot = snapshot_of(experiment)
    assert snapshot.status == experiment.state().status == "interrupted"
    assert "without a word" in snapshot.error
    assert snapshot.hint
    assert set(statuses(snapshot)) == {"complete", "pending"}


def test_the_last_statistics_are_those_of_the_journal(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=4)
    last = experiment.state().last("statistics")
    snapshot = snapshot_of(experiment)
    assert last is not None
    assert snapshot.summary == last["summary"]
    assert list(snapshot.tests) == last["tests"]
    assert list(snapshot.verdict) == last["verdict"]
    assert snapshot.statistics_runs == (0, 1, 2, 3)
    assert snapshot.verdict[1].endswith("over 4 complete runs.")


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_one_at_a_time_or_all_at_once_gives_the_same_snapshot(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    experiment = make_experiment(tmp_path_factory.mktemp("home"), state="failed", runs=3)
    events, metrics = read_all(experiment.journal), experiment.results()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=6)))
    fold = Fold(experiment.id, experiment.spec.to_json())
    for first, last in itertools.pairwise([0, *cuts, len(events)]):
        fold.add(events[first:last])
        fold.snapshot(now=1.0, alive=True, metrics={}, problems=(), newer=False)
    whole = Fold(experiment.id, experiment.spec.to_json())
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
    fold.add(
        [stage(0, "neighbours", 4), stage_end(0, "neighbours", 5, 1.0), event("run_completed", 6, run=0)]
    )
    second = fold.snapshot(metrics={0: RESULT}, **state)
    assert first == kept
    assert second.runs[0].seconds == {"split": 1.0, "neighbours": 1.0}
    assert second.runs[1] is first.runs[1]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**320) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.sampled_from([*KINDS, "teleported"]), st.data(), st.floats(-1e9, 1e9)), max_size=12)
)
def test_nothing_that_a_journal_may_hold_stops_it(said: list[tuple[str, st.DataObject, float]]) -> None:
    fold = Fold("an-id", SPEC)
    for kind, data, time in said:
        likely = {"run": st.integers(-1, 3), "stage": st.sampled_from(STAGES), "seconds": st.floats(0, 9)}
        fields: dict[str, Any] = {
            name: data.draw(values | likely[name] if name in likely else values)
            for name in sorted(KINDS.get(kind, frozenset()))
        }
        fold.add([event(kind, time, **fields)])
        snapshot = fold.snapshot(now=time, alive=True, metrics={}, problems=(), newer=False)
        assert [run.index for run in snapshot.runs] == [0, 1, 2]
        assert snapshot.remaining is None or snapshot.remaining >= 0


# Runs


def test_a_run_is_followed_through_its_stages() -> None:
    events = [
        begun(), start(1, 1.0), stage(1, "split", 1.5, 1), stage_end(1, "split", 2.0, 0.5),
        stage(1, "surrogate", 2.1), progress(1, "surrogate", 4.1, 40),
        event("epoch", 4.2, "0001-worker-1", run=1, epoch=1, epochs=3, loss=0.25),
    ]  # fmt: skip
    snapshot = folded(*events)
    assert statuses(snapshot) == ["pending", "running", "pending"]
    assert snapshot.runs[0] == RunView(0)
    assert snapshot.runs[1] == RunView(
        1, "running", "surrogate", 40, 100, stage_started=2.1, started=1.0, seconds={"split": 0.5},
        epoch=1, epochs=3, loss=0.25, attempt=1,
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
    events = [begun(), start(0, 1), event("run_completed", 9, run=0)]
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
    assert late.runs[0] == RunView(0, "running", started=4, attempt=2)


@pytest.mark.parametrize("run", [-1, 3, 10**30])
def test_a_run_that_the_experiment_does_not_have_changes_no_other(run: int) -> None:
    events = [
        start(run, 1),
        stage(run, "split", 2),
        progress(run, "split", 3, 1),
        failed(run, 4, retry=False),
    ]
    assert folded(begun(), *events).runs == (RunView(0), RunView(1), RunView(2))


def test_a_failed_run_keeps_its_error_until_it_is_begun_again() -> None:
    events = [begun(), start(2, 1), failed(2, 3, retry=False), event("finished", 4, status="failed")]
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
def test_an_ending_is_the_status_once_nobody_computes(status: str) -> None:
    ended = event("finished", 9, status=status)
    assert folded(begun(), ended, alive=False).status == status
    assert folded(begun(), ended, alive=True).status == "running"
    assert folded(begun(), ended, alive=False).error == ""
    assert folded(begun(), ended, alive=False, metrics=dict.fromkeys(range(3), RESULT)).status == "complete"


def test_a_refusal_is_told_with_its_reason_until_the_next_attempt() -> None:
    refusal = event("finished", 9, status="refused", error="no such data", hint="fetch it")
    snapshot = folded(begun(), refusal, alive=False)
    assert (snapshot.status, snapshot.error, snapshot.hint) == ("refused", "no such data", "fetch it")
    assert snapshot.log[-1].text == "refused: no such data"
    assert snapshot.log[-1].level == "error"
    assert folded(begun(), refusal, begun(10)).error == ""


# The log


def test_the_log_tells_what_happened_in_the_order_in_which_it_did() -> None:
    events = [
        begun(0), event("environment", 1, **ENVIRONMENT), event("dataset", 2, **DATASET), start(0, 3),
        stage(0, "split", 3), stage_end(0, "split", 4, 0.34), progress(0, "split", 4, 1),
        event("epoch", 5, run=0, epoch=2, epochs=3, loss=0.12345), event("run_completed", 6, run=0),
        event("worker_lost", 7, worker=1, reason="was killed (SIGKILL)"), failed(1, 8, retry=True),
        failed(1, 9, retry=False), event("notice", 9, text="by the way"), event("finished", 10, status="failed"),
    ]  # fmt: skip
    snapshot = folded(*events, metrics={0: RESULT})
    assert told(snapshot) == [
        "an-id: 3 runs to compute, 2 at a time",
        "computing on cpu, 2 threads a run",
        "mnist: 70000 images of 28 x 28 x 1 in 2 classes, 10000 of them for testing",
        "3 images were cut",
        "run 1: split done in 0.3 s",
        "run 1: epoch 2 of 3, loss 0.1235",
        "run 1 complete: 310 of 10,000 test images misclassified, 6,900 of 87,000 candidates adversarial",
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
    said = [event("environment", 1, **ENVIRONMENT), event("dataset", 2, **DATASET)]
    once = told(folded(begun(), *said))
    assert told(folded(begun(), *said, *said)) == once
    assert told(folded(begun(), *said, begun(), *said)) == once + once


def test_the_log_keeps_the_newest_lines() -> None:
    many = [event("notice", time, text=str(time)) for time in range(LOG_LINES + 20)]
    log = told(folded(*many))
    assert log == [str(time) for time in range(20, LOG_LINES + 20)]


def test_a_result_that_comes_later_completes_the_line_of_its_run() -> None:
    fold = Fold("an-id", SPEC)
    fold.add([begun(), event("run_completed", 1, run=0)])
    state: dict[str, Any] = {"now": 2.0, "alive": True, "problems": (), "newer": False}
    assert told(fold.snapshot(metrics={}, **state))[-1] == "run 1 complete: its result cannot be read"
    assert told(fold.snapshot(metrics={0: RESULT}, **state))[-1].startswith("run 1 complete: 310 of 10,000")


# The time left


def one_run(run: int, time: float, seconds: float, stages: tuple[str, ...] = STAGES) -> list[Event]:
    """A whole run whose stages take `seconds` each."""
    events = [start(run, time)]
    for number, name in enumerate(stages):
        events += [
            stage(run, name, time + number * seconds),
            stage_end(run, name, time + (number + 1) * seconds, seconds),
        ]
    return [*events, event("run_completed", time + len(stages) * seconds, run=run)]


def test_the_time_left_is_estimated_from_the_runs_so_far() -> None:
    events = [begun(jobs=1), *one_run(0, 0.0, 10.0), start(1, 50.0), stage(1, "split", 50.0)]
    assert folded(*events, now=50.0, metrics={0: RESULT}).remaining == pytest.approx(100)
    assert folded(*events, now=54.0, metrics={0: RESULT}).remaining == pytest.approx(96)
    assert folded(*events, now=54.0, metrics={0: RESULT}, alive=False).remaining is None
    assert folded(begun(), start(0, 1.0)).remaining is None


def test_without_the_noise_control_there_is_no_noise_to_wait_for() -> None:
    events = [begun(jobs=1), *one_run(0, 0.0, 10.0, STAGES[:-1])]
    assert folded(*events, now=40.0, metrics={0: RESULT}).remaining is None
    assert folded(*events, now=40.0, metrics={0: RESULT}, controls=[]).remaining == pytest.approx(80)


def test_another_machine_has_another_pace() -> None:
    events = [begun(jobs=1), *one_run(0, 0.0, 10.0)]
    same, other = begun(60, jobs=1, pending=(1, 2)), begun(60, jobs=1, pending=(1, 2), host="node2")
    assert folded(*events, same, metrics={0: RESULT}).remaining == pytest.approx(100)
    assert folded(*events, other, metrics={0: RESULT}).remaining is None
