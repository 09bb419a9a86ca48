"""The files decide what is done: an executor that says too much, too little, too early."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest

from core.engine.executor import Assigned, Done, Executor, Failed, Lost, Report, Task, WorkerStarted
from core.engine.seen_results import (
    LOOK_SECONDS,
    LOOKS_A_SECOND,
    PATIENCE_SECONDS,
    Seen,
    SeenResults,
    seen_result,
    stands,
)
from core.records.home import create
from core.records.results import METRICS
from core.spec.spec import Spec
from tests.fakes.executor import put_result

RESULT, ANOTHER = Seen(1, 1000, 50), Seen(2, 2000, 50)


def task(run: int) -> Task:
    return Task(Path("/home/experiments/one"), run)


class Inner:
    """An executor that reports what it is made to."""

    def __init__(self) -> None:
        self.capacity = 7
        self.submitted: list[Task] = []
        self.reports: deque[Report] = deque()
        self.stopped = False

    def submit(self, task: Task) -> None:
        self.submitted.append(task)

    def next_report(self, timeout: float) -> Report | None:
        return self.reports.popleft() if self.reports else None

    def stop(self) -> None:
        self.stopped = True


class Bench:
    """An executor, the results that can be seen, and the time."""

    def __init__(self) -> None:
        self.inner = Inner()
        self.results: dict[Task, Seen] = {}
        self.valid: set[Seen] = {RESULT, ANOTHER}
        self.now = 1000.0
        self.executor: Executor = SeenResults(
            self.inner,
            seen=self.results.get,
            stands=lambda task: self.results[task] in self.valid,
            clock=lambda: self.now,
        )

    def hear(self, *reports: Report) -> list[Report]:
        """All that comes through when these are reported."""
        self.inner.reports.extend(reports)
        found = []
        while (report := self.executor.next_report(0.0)) is not None:
            found.append(report)
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_is_the_same_executor(bench: Bench) -> None:
    bench.executor.submit(task(3))
    assert bench.inner.submitted == [task(3)]
    assert bench.executor.capacity == 7
    reports: list[Report] = [
        WorkerStarted(1, 5),
        Assigned(task(3), 1),
        Failed(task(3), "no", ""),
        Lost(1, None, "x", ready=True),
    ]
    assert bench.hear(*reports) == reports
    bench.executor.stop()
    assert bench.inner.stopped


def test_what_is_said_to_be_done_is_done_once_its_result_is_seen(bench: Bench) -> None:
    assert bench.hear(Assigned(task(0), 1), Done(task(0))) == [Assigned(task(0), 1)]
    bench.now += PATIENCE_SECONDS / 2
    assert bench.hear() == []
    bench.results[task(0)] = RESULT
    assert bench.hear() == [Done(task(0))]
    assert bench.hear() == []


def test_a_result_that_is_never_seen_is_a_failure_that_names_the_home(bench: Bench) -> None:
    bench.hear(Assigned(task(0), 1), Done(task(0)))
    bench.now += PATIENCE_SECONDS
    (failure,) = bench.hear()
    assert isinstance(failure, Failed)
    assert failure.task == task(0)
    assert "the same home" in failure.hint
    assert bench.hear() == []


@pytest.mark.parametrize(
    ("late", "passed"),
    [
        (Done(task(0)), []),
        (Failed(task(0), "no", ""), []),
        (
            Lost(1, task(0), "refused", ready=True, hint="do"),
            [Lost(1, None, "refused", ready=True, hint="do")],
        ),
    ],
)
def test_a_result_of_which_nobody_tells_counts_and_what_is_told_later_does_not(
    bench: Bench, late: Report, passed: list[Report]
) -> None:
    bench.hear(Assigned(task(0), 1), Assigned(task(1), 2))
    bench.results[task(0)] = RESULT
    assert bench.hear() == []
    bench.now += LOOK_SECONDS
    assert bench.hear() == [Done(task(0))]
    assert bench.hear(late) == passed
    bench.now += LOOK_SECONDS
    assert bench.hear() == []


def test_of_many_runs_it_is_looked_for_each_less_often(bench: Bench) -> None:
    bench.hear(*(Assigned(task(run), run + 1) for run in range(20 * LOOKS_A_SECOND)))
    bench.results[task(0)] = RESULT
    bench.now += 19
    assert bench.hear() == []
    bench.now += 1
    assert bench.hear() == [Done(task(0))]


def test_a_damaged_result_that_is_there_does_not_count_and_the_one_in_its_place_does(bench: Bench) -> None:
    bench.results[task(0)] = RESULT
    bench.valid.remove(RESULT)
    bench.executor.submit(task(0))
    bench.hear(Assigned(task(0), 1))
    bench.now += LOOK_SECONDS
    assert bench.hear() == [], "nobody has told, and what is seen was there before"
    assert bench.hear(Done(task(0))) == [], "this machine sees the old one a while longer"
    bench.results[task(0)] = ANOTHER
    assert bench.hear() == [Done(task(0))]


def test_a_valid_result_that_came_before_its_task_was_submitted_counts(bench: Bench) -> None:
    bench.results[task(0)] = RESULT
    bench.executor.submit(task(0))
    assert bench.hear(Assigned(task(0), 1), Done(task(0))) == [Assigned(task(0), 1), Done(task(0))]


def test_what_was_damaged_is_looked_at_anew_when_its_task_is_submitted_again(bench: Bench) -> None:
    bench.results[task(0)] = RESULT
    bench.valid.remove(RESULT)
    bench.executor.submit(task(0))
    lost = Lost(1, task(0), "is silent", ready=True)
    assert bench.hear(Assigned(task(0), 1), lost) == [Assigned(task(0), 1), lost]
    bench.results[task(0)] = ANOTHER
    bench.valid.remove(ANOTHER)
    bench.executor.submit(task(0))
    assert bench.hear(Assigned(task(0), 2), Done(task(0))) == [Assigned(task(0), 2)]
    bench.results[task(0)] = RESULT
    assert bench.hear() == [Done(task(0))]


def test_a_result_is_there_with_its_metrics(tmp_path: Path) -> None:
    one = Task(tmp_path, 12)
    assert seen_result(one) is None
    result = tmp_path / "runs" / "0012" / "result"
    result.mkdir(parents=True)
    assert seen_result(one) is None
    (result / METRICS).touch()
    first = seen_result(one)
    assert first is not None
    assert seen_result(one) == first
    result.rename(result.with_name("aside"))
    assert seen_result(one) is None
    result.mkdir()
    (result / METRICS).touch()
    assert seen_result(one) not in (None, first)


def test_a_real_result_that_is_damaged_is_waited_for_until_it_is_published_anew(tmp_path: Path) -> None:
    experiment, _ = create(tmp_path, Spec(dataset="digits", runs=1, options={"z": 5}, controls=()))
    one = Task(experiment.folder, 0)
    assert not stands(one)
    put_result(experiment, 0)
    assert stands(one)
    (experiment.run_folder(0) / "result" / "arrays.npz").write_bytes(b"damaged")
    assert not stands(one)
    inner = Inner()
    executor = SeenResults(inner, clock=lambda: 0.0)
    executor.submit(one)
    inner.reports.append(Done(one))
    assert executor.next_report(0.0) is None
    put_result(experiment, 0)
    assert stands(one)
    assert executor.next_report(0.0) == Done(one)
    assert not stands(Task(tmp_path / "none", 0)), "an experiment that cannot be read"
