"""Runs on a Dask cluster as the executor has them, with a client that computes nothing: no Dask is needed."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.engine.dask_tasks import DaskTasks, supervise_and_tell
from core.engine.executor import Assigned, Done, Executor, Failed, Lost, Refused, Report, Task, WorkerStarted
from core.engine.messages import Answer, Completed, Refusal, RunFailure
from core.engine.supervised import Begun, Outcome, end_session


def task(run: int) -> Task:
    return Task(Path("/home/experiments/one"), run)


class FakeFuture:
    """A future that ends when it is told to."""

    def __init__(self, number: int, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.number = number
        self.arguments = arguments
        self.options = options
        self.status = "pending"
        self.released = False
        self._outcome: object = None
        self._callbacks: list[Callable[[Any], object]] = []

    def add_done_callback(self, callback: Callable[[Any], object]) -> None:
        self._callbacks.append(callback)

    def result(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "a machine that holds it may be gone"
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome

    def exception(self, timeout: float | None = None) -> BaseException | None:
        assert isinstance(self._outcome, BaseException)
        return self._outcome

    def release(self) -> None:
        self.released = True

    def end(self, status: str, outcome: object = None) -> None:
        self.status, self._outcome = status, outcome
        for callback in self._callbacks:
            callback(self)


class FakeClient:
    """A client of a cluster whose tasks do what a test has them do."""

    def __init__(self) -> None:
        self.status = "running"
        self.futures: list[FakeFuture] = []
        self.cancelled: list[FakeFuture] = []
        self.ran: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self.tell: Callable[[Any], object] = lambda event: None
        self.topic = ""
        self.fails = False

    def submit(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> FakeFuture:
        assert function is supervise_and_tell
        self.futures.append(FakeFuture(len(self.futures) + 1, arguments, options))
        return self.futures[-1]

    def subscribe_topic(self, topic: str, handler: Callable[[Any], object]) -> None:
        self.topic, self.tell = topic, handler

    def run(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if self.fails:
            raise OSError("no route to host")
        self.ran.append((function, arguments))

    def cancel(self, futures: Sequence[FakeFuture]) -> Any:
        self.cancelled += futures


class Bench:
    """An executor and its client."""

    def __init__(self, jobs: int = 2) -> None:
        self.client = FakeClient()
        self.closed = 0
        self.tasks = DaskTasks(
            self.client,
            jobs,
            session="one-abc",
            options=lambda task: [str(task.folder), "--threads", "3"],
            journal=lambda worker: Path(f"/journal/0001-worker-{worker}.jsonl"),
            close=self.close,
        )
        self.executor: Executor = self.tasks

    def close(self) -> None:
        self.closed += 1

    def submit(self, *runs: int) -> None:
        for run in runs:
            self.executor.submit(task(run))
        assert self.reports() == []

    def begin(self, worker: int, *, ready: bool = False) -> None:
        self.client.tell((1.0, tuple(Begun(worker, "node1", 100 + worker, ready))))

    def end(
        self, worker: int, answer: Answer | None = None, ending: str = "", *, again: bool = False
    ) -> None:
        pid = 0 if again or ending.startswith("was stopped") else 100 + worker
        self.client.futures[worker - 1].end("finished", Outcome("node1", pid, answer, ending, again))

    def reports(self) -> list[Report]:
        found = []
        while (report := self.executor.next_report(0.0)) is not None:
            found.append(report)
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_tasks_go_to_dask_each_as_one_of_its_own_and_in_order(bench: Bench) -> None:
    assert bench.executor.capacity == 2
    bench.submit(4, 7)
    first, second = bench.client.futures
    assert first.arguments == (
        "one-abc", 1, 4, ["/home/experiments/one", "--threads", "3"], "/journal/0001-worker-1.jsonl",
    )  # fmt: skip
    assert second.arguments[1:3] == (2, 7)
    assert first.options["key"] != second.options["key"]
    assert first.options["priority"] > second.options["priority"], "Dask takes the higher one first"
    assert first.options["pure"] is False
    assert first.options["retries"] == 0
    assert bench.client.topic == "one-abc"


def test_a_run_is_computed(bench: Bench) -> None:
    bench.submit(4)
    bench.begin(1)
    assert bench.reports() == [WorkerStarted(1, 101), Assigned(task(4), 1)]
    bench.begin(1)
    assert bench.reports() == [], "told twice"
    bench.end(1, Completed(run=4))
    assert bench.reports() == [Done(task(4))]
    assert bench.client.futures[0].released, "else Dask computes it again when a node dies"


def test_an_end_without_a_beginning_is_told_with_it(bench: Bench) -> None:
    bench.submit(4)
    bench.end(1, Completed(run=4))
    bench.begin(1)
    assert bench.reports() == [WorkerStarted(1, 101), Assigned(task(4), 1), Done(task(4))]


def test_what_goes_wrong_with_a_run_is_told(bench: Bench) -> None:
    bench.submit(0, 1, 2, 3)
    for worker in range(1, 5):
        bench.begin(worker)
    bench.reports()
    bench.end(2, Refusal(error="no data", hint="fetch them"))
    bench.end(1, RunFailure(run=0, error="no", hint="why"))
    bench.end(3, None, "was killed (SIGKILL)")
    bench.end(4, again=True)
    assert bench.reports() == [
        Refused("on node1: no data", "fetch them"),
        Failed(task(0), "no", "why"),
        Lost(3, task(2), "was killed (SIGKILL) on node1", ready=True),
        Lost(4, task(3), "is gone with its Dask worker", ready=True),
    ]


@pytest.mark.parametrize("how", ["told", "completed", "failed"])
def test_once_another_could_compute_who_refuses_is_lost(bench: Bench, how: str) -> None:
    """What ails it lies with its machine or with the moment: another has read the same data."""
    bench.submit(0, 1)
    for worker in (1, 2):
        bench.begin(worker)
    if how == "told":
        bench.begin(1, ready=True)
    else:
        bench.end(1, Completed(run=0) if how == "completed" else RunFailure(run=0, error="no", hint=""))
    bench.reports()
    bench.end(2, Refusal(error="no data", hint="fetch them"))
    assert bench.reports() == [Lost(2, task(1), "refused on node1 (no data)", ready=True, hint="fetch them")]


def test_a_lost_task_is_a_new_one_for_dask(bench: Bench) -> None:
    bench.submit(0)
    bench.begin(1)
    bench.end(1, again=True)
    bench.reports()
    bench.submit(0)
    first, second = bench.client.futures
    assert first.options["key"] != second.options["key"]
    assert second.arguments[1] == 2


class KilledWorker(Exception):
    """As Dask's."""


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        ("error", KilledWorker("4 workers died"), "was given up by Dask (KilledWorker: 4 workers died)"),
        ("finished", TimeoutError(), "cannot be asked what became of it (TimeoutError)"),
        ("finished", CancelledError(), "cannot be asked what became of it (CancelledError)"),
    ],
)
def test_what_dask_gives_up_counts_as_tried(
    bench: Bench, status: str, outcome: BaseException, reason: str
) -> None:
    bench.submit(5)
    bench.client.futures[0].end(status, outcome)
    assert bench.reports() == [
        WorkerStarted(1, 0), Assigned(task(5), 1), Lost(1, task(5), reason, ready=True),
    ]  # fmt: skip
    assert bench.client.futures[0].released


def test_while_the_scheduler_is_away_runs_wait_and_are_given_to_it_again(bench: Bench) -> None:
    bench.submit(0)
    bench.begin(1)
    bench.reports()
    bench.client.status = "connecting"
    bench.client.futures[0].end("cancelled")
    assert bench.reports() == [
        Lost(1, task(0), "is out of sight: the connection to the Dask scheduler is lost", ready=True)
    ]
    bench.submit(0)
    assert len(bench.client.futures) == 1
    bench.client.status = "running"
    assert bench.reports() == []
    assert len(bench.client.futures) == 2


def test_without_a_scheduler_nothing_can_be_computed(bench: Bench) -> None:
    bench.submit(0)
    bench.client.status = "closed"
    bench.client.futures[0].end("cancelled")
    refused, lost = bench.reports()
    assert isinstance(refused, Refused)
    assert "the scheduler of the Dask cluster is gone" in refused.error
    assert isinstance(lost, Lost)
    assert bench.reports() == []


def test_to_stop_is_to_kill_what_computes_and_to_give_the_cluster_back(bench: Bench) -> None:
    bench.submit(0, 1)
    bench.executor.stop()
    assert bench.client.ran == [(end_session, ("one-abc",))]
    assert bench.client.cancelled == bench.client.futures
    assert bench.closed == 1
    bench.executor.stop()
    assert bench.closed == 1
    for future in bench.client.futures:
        future.end("cancelled")
    bench.begin(1)
    assert bench.reports() == []


def test_a_cluster_that_is_half_gone_is_given_back_all_the_same(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.submit(0)
    bench.client.fails = True
    bench.executor.stop()
    assert bench.closed == 1
    assert "OSError: no route to host" in capsys.readouterr().err


def test_where_nothing_is_at_work_nobody_is_asked_to_end(bench: Bench) -> None:
    bench.submit(0)
    bench.end(1, Completed(run=0))
    bench.reports()
    bench.executor.stop()
    assert bench.client.ran == []
    assert bench.closed == 1
