"""The computation of an experiment, by an executor that computes nothing: what its journal says is so."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from core.engine.computation import Computation
from core.engine.event_log import EventLog
from core.engine.executor import Done, Failed, Lost, Refused, Report, Task, WorkerReady
from core.engine.schedule import ATTEMPTS
from core.engine.statistics import experiment_statistics
from core.engine.statistics_journal import STATISTICS_SECONDS
from core.engine.stopping import Stop
from core.files.reading import read_plain
from core.records import events
from core.records.events import Ending, Event
from core.records.experiment import Experiment
from core.records.home import create
from core.records.journal import read_all
from core.records.results import publish
from core.records.state import read_state
from core.spec.spec import Spec
from tests.fakes.executor import DATA_SHA256, FakeExecutor, put_result, write_no_arrays
from tests.fakes.numbers import draw_answers, metrics_from_answers

SPEC = Spec(dataset="digits", runs=4, options={"z": 5}, controls=())
E = TypeVar("E", bound=Event)


class Bench:
    """An experiment whose runs a fake computes; `compute` may be replaced before `work`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.experiment, _ = create(home, SPEC)
        self.compute: Callable[[Task], Sequence[Report]] = self.publish
        self.executor = FakeExecutor(self.publish)

    def publish(self, task: Task) -> Sequence[Report]:
        put_result(self.experiment, task.run)
        return [Done(task)]

    def work(
        self,
        *,
        stop: Callable[[], Stop | None] = lambda: None,
        clock: Callable[[], float] = lambda: 0.0,
        session: str = "0001",
        capacity: int = 1,
        attempts: int = ATTEMPTS,
        **fake: str,
    ) -> Ending:
        log = EventLog(self.experiment.journal / f"{session}-coordinator.jsonl")
        self.executor = FakeExecutor(self.compute, capacity=capacity, **fake)
        return Computation(
            self.experiment,
            self.executor,
            log.write,
            stop,
            data_dir=self.home / "data",
            attempts=attempts,
            clock=clock,
        ).compute()

    def events(self, kind: type[E]) -> list[E]:
        return [event for event in read_all(self.experiment.journal) if isinstance(event, kind)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def without(experiment: Experiment, run: int, name: str) -> None:
    """Take one key out of a run's metrics."""
    path = experiment.run_folder(run) / "result" / "metrics.json"
    record = json.loads(path.read_text())
    del record[name]
    path.write_text(json.dumps(record))


def test_results_of_another_run_and_changed_numbers_are_set_aside_computed_again_and_said(
    bench: Bench,
) -> None:
    assert bench.work() == "complete"
    before = bench.experiment.results(verify=True)
    zero, one, two = (bench.experiment.run_folder(run) / "result" for run in range(3))
    spare = zero.with_name("spare")
    zero.rename(spare)
    one.rename(zero)
    spare.rename(one)
    text = (two / "metrics.json").read_text()
    changed = re.sub(r'("surrogate_accuracy": 0\.)(\d)', lambda m: m[1] + str((int(m[2]) + 1) % 10), text)
    assert changed != text
    (two / "metrics.json").write_text(changed)
    assert list(bench.experiment.results()) == [3]
    assert bench.work(session="0002") == "complete"
    assert bench.experiment.results(verify=True) == before
    said = [event.text for event in bench.events(events.Notice)]
    aside = "is computed again, and its result set aside"
    assert said == [
        f"run 1 {aside}: its numbers are those of run 2",
        f"run 2 {aside}: its numbers are those of run 1",
        f"run 3 {aside}: its metrics.json is damaged: it is not what its checksum says",
    ]
    for run in range(3):
        (kept,) = bench.experiment.run_folder(run).glob(".broken.*")
        assert (kept / "metrics.json").exists()


def test_what_a_lost_worker_left_half_written_is_swept_at_once(bench: Bench) -> None:
    """It may be what the next attempt has no room for, and once all is complete nobody takes the lock again."""
    left: list[Path] = []

    def compute(task: Task) -> Sequence[Report]:
        if left:
            assert not left[0].exists()
            return bench.publish(task)
        naming = "from core.files.ownership import owned_name; print(owned_name('.result'))"
        dead = subprocess.run([sys.executable, "-c", naming], capture_output=True, text=True, check=True)
        left.append(bench.experiment.run_folder(task.run) / dead.stdout.strip())
        left[0].mkdir(parents=True)
        return [Lost(1, task, "was killed (SIGKILL)", ready=True), WorkerReady(2, DATA_SHA256)]

    bench.compute = compute
    assert bench.work() == "complete"


def test_what_is_asked_for_is_computed_and_said(bench: Bench) -> None:
    put_result(bench.experiment, 1)
    assert bench.work(capacity=2) == "complete"
    assert [task.run for task in bench.executor.submitted] == [0, 2, 3]
    assert bench.executor.stopped
    (started,) = bench.events(events.CoordinatorStarted)
    assert (started.jobs, started.pending, started.data_dir) == (2, (0, 2, 3), str(bench.home / "data"))
    assert started.pid == os.getpid()
    assert [(e.worker, e.pid) for e in bench.events(events.WorkerStarted)] == [(1, 101)]
    assert [(e.run, e.worker, e.attempt) for e in bench.events(events.RunStarted)] == [
        (0, 1, 1),
        (2, 1, 1),
        (3, 1, 1),
    ]
    assert [e.run for e in bench.events(events.RunCompleted)] == [0, 2, 3]
    assert [(e.status, e.error, e.hint) for e in bench.events(events.Finished)] == [("complete", "", "")]


@pytest.mark.parametrize("name", ["slope_reasons", "surrogate_accuracy", "attack"])
def test_a_result_that_lacks_something_is_computed_again_and_replaced(bench: Bench, name: str) -> None:
    for run in range(4):
        put_result(bench.experiment, run)
    without(bench.experiment, 2, name)
    assert bench.work() == "complete"
    assert [event.run for event in bench.events(events.RunStarted)] == [2]
    assert list(bench.experiment.results(verify=True)) == [0, 1, 2, 3]


def test_a_run_whose_result_is_not_there_has_failed_whatever_its_worker_says(bench: Bench) -> None:
    def lose(task: Task) -> Sequence[Report]:
        reports = bench.publish(task)
        if task.run == 1:
            without(bench.experiment, task.run, "slope_reasons")
        return reports

    bench.compute = lose
    assert bench.work() == "failed", "of what can be read nothing is waited for"
    (failure,) = bench.events(events.RunFailed)
    assert (failure.run, failure.retry) == (1, False)
    assert "cannot be read" in failure.error
    assert f"aefit-tui resume {bench.experiment.id}" in failure.hint
    assert [event.run for event in bench.events(events.RunCompleted)] == [0, 2, 3]
    assert read_state(bench.experiment).status == "failed"
    bench.compute = bench.publish
    assert bench.work(session="0002") == "complete"


def reading_that_fails(looks: int) -> tuple[Callable[[Path, int], bytes], list[Path]]:
    """Of the second run's files the first `looks` readings fail; and what they were to read."""
    away: list[Path] = []

    def read_unless_away(path: Path, limit: int) -> bytes:
        if path.parts[-3] == "0001" and len(away) < looks:
            away.append(path)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return read_plain(path, limit)

    return read_unless_away, away


def test_a_result_that_cannot_be_read_for_a_while_counts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file server is away: what it holds may be whole."""
    read_unless_away, away = reading_that_fails(3)

    def compute(task: Task) -> Sequence[Report]:
        reports = bench.publish(task)
        if task.run == 1:
            monkeypatch.setattr("core.records.results.read_plain", read_unless_away)
        return reports

    bench.compute = compute
    assert bench.work() == "complete"
    assert len(away) == 3
    assert bench.events(events.RunFailed) == []
    assert sorted(event.run for event in bench.events(events.RunCompleted)) == [0, 1, 2, 3]


def test_a_result_that_stands_counts_though_its_worker_says_that_it_failed(bench: Bench) -> None:
    def compute(task: Task) -> Sequence[Report]:
        reports = bench.publish(task)
        return [Failed(task, "cannot bring it to the disk", "")] if task.run == 1 else reports

    bench.compute = compute
    assert bench.work() == "complete"
    assert bench.events(events.RunFailed) == []
    assert [event.run for event in bench.events(events.RunCompleted)] == [0, 1, 2, 3]
    (notice,) = bench.events(events.Notice)
    assert notice.text == "run 2 has its result, though its worker says: cannot bring it to the disk"


@pytest.mark.parametrize("looks", [3, 10_000], ids=["for a moment", "for good"])
def test_a_worker_that_says_it_failed_is_believed_when_the_result_can_be_looked_for(
    bench: Bench, looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_unless_away, _ = reading_that_fails(looks)

    def compute(task: Task) -> Sequence[Report]:
        reports = bench.publish(task)
        if task.run == 1:
            monkeypatch.setattr("core.records.results.read_plain", read_unless_away)
            return [Failed(task, "cannot bring it to the disk", "")]
        return reports

    bench.compute = compute
    ticks = itertools.count()
    ending = bench.work(clock=lambda: float(next(ticks)))
    failed = [event.error for event in bench.events(events.RunFailed)]
    if looks == 3:
        assert (ending, failed) == ("complete", [])
    else:
        assert (ending, failed) == ("failed", ["cannot bring it to the disk"])
    complete = sorted(event.run for event in bench.events(events.RunCompleted))
    assert complete == ([0, 1, 2, 3] if looks == 3 else [0, 2, 3])


def test_a_call_to_the_disk_that_fails_ends_the_work_as_failed_and_its_place_is_said(bench: Bench) -> None:
    """Refused it is not: what was made for a request that cannot be met is taken away again."""

    def compute(task: Task) -> Sequence[Report]:
        if task.run == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO), "/home/queue")
        return bench.publish(task)

    bench.compute = compute
    assert bench.work() == "failed"
    (finished,) = bench.events(events.Finished)
    assert finished.error == "the computation broke off: /home/queue: Input/output error"
    assert finished.hint == f"go on with: aefit-tui resume {bench.experiment.id}"
    assert bench.executor.stopped
    assert read_state(bench.experiment).status == "failed"
    bench.compute = bench.publish
    assert bench.work(session="0002") == "complete"


def test_a_run_that_fails_leaves_the_others_alone(bench: Bench) -> None:
    bench.compute = lambda task: (
        [Failed(task, "it did not learn", "another seed")] if task.run == 1 else bench.publish(task)
    )
    assert bench.work() == "failed"
    (failure,) = bench.events(events.RunFailed)
    assert (failure.run, failure.error, failure.hint, failure.retry) == (
        1,
        "it did not learn",
        "another seed",
        False,
    )
    assert [event.run for event in bench.events(events.RunCompleted)] == [0, 2, 3]


def test_a_refusal_ends_it_all(bench: Bench) -> None:
    bench.compute = lambda task: [Refused("no such data", "fetch them")]
    assert bench.work() == "refused"
    (finished,) = bench.events(events.Finished)
    assert (finished.status, finished.error, finished.hint) == ("refused", "no such data", "fetch them")
    assert bench.executor.stopped


def test_other_images_than_those_of_the_runs_there_are_refused(bench: Bench) -> None:
    put_result(bench.experiment, 0)
    assert bench.work(data_sha256="1" * 64) == "refused"
    assert bench.events(events.RunStarted) == []
    (finished,) = bench.events(events.Finished)
    assert "is not what it was when earlier runs were computed" in finished.error
    assert f"aefit-tui delete {bench.experiment.id}" in finished.hint


def test_two_workers_that_see_other_images_are_not_both_right(bench: Bench) -> None:
    bench.compute = lambda task: [WorkerReady(2, "1" * 64)]
    assert bench.work() == "refused"


class TestLosses:
    """A worker dies."""

    def test_its_run_is_begun_once_more(self, bench: Bench) -> None:
        lost: list[int] = []

        def compute(task: Task) -> Sequence[Report]:
            if task.run == 1 and not lost:
                lost.append(task.run)
                return [Lost(1, task, "was killed (SIGKILL)", ready=True), WorkerReady(2, "0" * 64)]
            return bench.publish(task)

        bench.compute = compute
        assert bench.work() == "complete"
        assert [(e.worker, e.reason) for e in bench.events(events.WorkerLost)] == [
            (1, "was killed (SIGKILL)")
        ]
        (failure,) = bench.events(events.RunFailed)
        assert (failure.run, failure.retry) == (1, True)
        assert failure.error == "its worker process was killed (SIGKILL)"
        assert [(e.run, e.attempt) for e in bench.events(events.RunStarted)] == [
            (0, 1), (1, 1), (1, 2), (2, 1), (3, 1),
        ]  # fmt: skip

    def test_a_run_whose_workers_keep_dying_has_failed(self, bench: Bench) -> None:
        bench.compute = lambda task: (
            [Lost(1, task, "was killed (SIGKILL)", ready=True)] if task.run == 1 else bench.publish(task)
        )
        assert bench.work() == "failed"
        once, twice = bench.events(events.RunFailed)
        assert (once.retry, twice.retry) == (True, False)
        assert twice.error == "its worker process was killed (SIGKILL), twice"
        assert "--jobs 1" in twice.hint
        assert [event.run for event in bench.events(events.RunCompleted)] == [0, 2, 3]

    def test_elsewhere_a_run_is_begun_more_often(self, bench: Bench) -> None:
        lost: list[int] = []

        def compute(task: Task) -> Sequence[Report]:
            if task.run == 1 and len(lost) < 4:
                lost.append(task.run)
                return [Lost(1, task, "was killed (SIGKILL)", ready=True)]
            return bench.publish(task)

        bench.compute = compute
        assert bench.work(attempts=5) == "complete"
        assert [event.retry for event in bench.events(events.RunFailed)] == [True] * 4
        assert [e.attempt for e in bench.events(events.RunStarted) if e.run == 1] == [1, 2, 3, 4, 5]

    def test_and_is_given_up_at_last(self, bench: Bench) -> None:
        bench.compute = lambda task: [Lost(1, task, "was killed (SIGKILL)", ready=True)]
        assert bench.work(attempts=3) == "failed"
        assert bench.events(events.RunFailed)[-1].error.endswith(", 3 times")

    def test_what_to_do_about_it_is_said_where_that_is_known(self, bench: Bench) -> None:
        bench.compute = lambda task: [Lost(1, task, "refused (no such data)", ready=True, hint="fetch them")]
        assert bench.work() == "failed"
        assert {event.hint for event in bench.events(events.RunFailed)} == {"fetch them"}

    def test_also_where_none_can_be_found_that_computes(self, bench: Bench) -> None:
        bench.compute = lambda task: [
            Lost(1, task, "was killed (SIGKILL)", ready=True),
            *(
                Lost(worker, None, "refused (no such data)", ready=False, hint="fetch them")
                for worker in (2, 3)
            ),
        ]
        assert bench.work() == "failed"
        (finished,) = bench.events(events.Finished)
        assert finished.error == "the worker process refused (no such data) before it could start"
        assert finished.hint == "fetch them"

    def test_a_result_that_was_published_before_counts(self, bench: Bench) -> None:
        def compute(task: Task) -> Sequence[Report]:
            done = bench.publish(task)
            return [Lost(1, task, "was killed (SIGKILL)", ready=True)] if task.run == 1 else done

        bench.compute = compute
        assert bench.work() == "complete"
        assert [event.run for event in bench.events(events.RunCompleted)] == [0, 1, 2, 3]
        assert bench.events(events.RunFailed) == []

    def test_where_there_is_no_room_for_so_many_fewer_are_computed_at_once(self, bench: Bench) -> None:
        def compute(task: Task) -> Sequence[Report]:
            if len(bench.executor.submitted) == 2:
                (_, other) = bench.executor.submitted
                bench.executor.waiting.remove(other)  # as an executor does that has nobody for it
                return [Lost(2, other, "was killed (SIGKILL)", ready=False), *bench.publish(task)]
            return bench.publish(task)

        bench.compute = compute
        assert bench.work(capacity=2) == "complete"
        (notice,) = bench.events(events.Notice)
        assert notice.text == "from now on 1 runs at a time: a worker was killed (SIGKILL)"
        assert bench.events(events.RunFailed) == []

    def test_workers_that_cannot_start_end_it_and_the_log_is_named(self, bench: Bench) -> None:
        class NeverReady(FakeExecutor):
            def next_report(self, timeout: float) -> Report | None:
                return Lost(1, None, "ended with status 1", ready=False)

        log = EventLog(bench.experiment.journal / "0001-coordinator.jsonl")
        executor = NeverReady(bench.publish)
        assert (
            Computation(bench.experiment, executor, log.write, lambda: None, data_dir=bench.home).compute()
            == "failed"
        )
        (finished,) = bench.events(events.Finished)
        assert finished.error == "the worker process ended with status 1 before it could start"
        assert str(bench.experiment.log) in finished.hint
        assert len(bench.events(events.WorkerLost)) == 2


@pytest.mark.parametrize(
    "kind",
    ["coordinator_started", "worker_started", "run_started", "run_completed", "statistics", "finished"],
)
def test_a_line_that_finds_the_disk_full_ends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    write = os.write
    lost: list[str] = []

    def write_unless_full(descriptor: int, content: bytes) -> int:
        if not lost and f'"event":"{kind}"'.encode() in content:
            lost.append(kind)
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content)

    monkeypatch.setattr("os.write", write_unless_full)
    assert bench.work() == "complete"
    assert lost == [kind]
    state = read_state(bench.experiment)
    assert state.status == "complete"
    assert state.summarised


def test_statistics_are_journaled_now_and_then_and_over_all_runs_at_the_end(bench: Bench) -> None:
    """The clock stands still while runs 0 and 1 are computed, then moves on."""
    now = 100.0

    def compute(task: Task) -> Sequence[Report]:
        nonlocal now
        now += {2: STATISTICS_SECONDS + 1}.get(task.run, 0.0)
        return bench.publish(task)

    bench.compute = compute
    assert bench.work(clock=lambda: now) == "complete"
    published = [event.runs for event in bench.events(events.StatisticsComputed)]
    assert len(published) == 3, published
    assert published[0] == (0,)
    assert published[-1] == (0, 1, 2, 3)
    kinds = [event.kind for event in read_all(bench.experiment.journal)]
    assert kinds[-2:] == ["statistics", "finished"]
    last = bench.events(events.StatisticsComputed)[-1]
    expected = experiment_statistics(SPEC, bench.experiment.results())
    assert (last.summary, last.tests, last.verdict) == (expected.summary, expected.tests, expected.verdict)


def test_statistics_that_wait_are_journaled_while_a_long_run_goes_on(bench: Bench) -> None:
    now, looks = 0.0, 0

    def compute(task: Task) -> Sequence[Report]:
        nonlocal now
        if task.run < 2:
            return bench.publish(task)
        now = STATISTICS_SECONDS
        return []

    def stop() -> Stop | None:
        nonlocal looks
        looks += 1
        waited_for = [event.runs for event in bench.events(events.StatisticsComputed)] == [(0,), (0, 1)]
        return "cancelled" if waited_for else "interrupted" if looks > 200 else None

    bench.compute = compute
    assert bench.work(stop=stop, clock=lambda: now) == "cancelled"


def test_a_stop_is_journaled_with_statistics_over_all_that_is_complete(bench: Bench) -> None:
    def completed() -> list[int]:
        return [event.run for event in bench.events(events.RunCompleted)]

    assert bench.work(stop=lambda: "cancelled" if len(completed()) == 3 else None) == "cancelled"
    assert [event.runs for event in bench.events(events.StatisticsComputed)] == [(0,), (0, 1, 2)]
    assert completed() == [0, 1, 2]
    assert bench.events(events.Finished)[-1].status == "cancelled"
    assert bench.executor.stopped


def test_runs_that_are_asked_for_meanwhile_are_computed_too(bench: Bench) -> None:
    def compute(task: Task) -> Sequence[Report]:
        if task.run == 3:
            put_result(bench.experiment.extend(7), 5)
        return bench.publish(task)

    bench.compute = compute
    assert bench.work() == "complete"
    (started,) = bench.events(events.CoordinatorStarted)
    assert started.pending == (0, 1, 2, 3)
    assert [event.run for event in bench.events(events.RunStarted)] == [0, 1, 2, 3, 4, 6]
    assert bench.events(events.StatisticsComputed)[-1].runs == tuple(range(7))
    state = read_state(bench.experiment.reloaded())
    assert (state.status, state.summarised) == ("complete", True)


def test_runs_that_are_asked_for_while_the_last_statistics_are_made_are_computed_too(bench: Bench) -> None:
    looks = 0

    class Late(EventLog):
        def write(self, event: Event) -> bool:
            nonlocal looks
            if isinstance(event, events.StatisticsComputed) and len(event.runs) == 4 and not looks:
                looks += 1
                bench.experiment.extend(5)
            return super().write(event)

    log = Late(bench.experiment.journal / "0001-coordinator.jsonl")
    executor = FakeExecutor(bench.publish)
    computation = Computation(
        bench.experiment, executor, log.write, lambda: None, data_dir=bench.home, clock=lambda: 0.0
    )
    assert computation.compute() == "complete"
    assert looks == 1
    assert [event.run for event in bench.events(events.RunCompleted)] == [0, 1, 2, 3, 4]
    state = read_state(bench.experiment.reloaded())
    assert (state.status, state.summarised) == ("complete", True)
    assert len(bench.events(events.Finished)) == 1


def test_its_end_is_journaled_before_idle_workers_leave_and_after_busy_ones_have(bench: Bench) -> None:
    order: list[str] = []

    class Watched(FakeExecutor):
        def stop(self) -> None:
            order.append("workers leave" if not self.stopped else "again")
            super().stop()

    def work(stop: Callable[[], Stop | None], session: str) -> list[str]:
        order.clear()
        log = EventLog(bench.experiment.journal / f"{session}-coordinator.jsonl")

        def write(event: Event) -> bool:
            order.extend(["end"] if isinstance(event, events.Finished) else [])
            return log.write(event)

        Computation(bench.experiment, Watched(bench.publish), write, stop, data_dir=bench.home).compute()
        return order

    assert work(lambda: "cancelled", "0001")[:2] == ["workers leave", "end"]
    assert work(lambda: None, "0002") == ["end", "workers leave"]


def test_how_many_runs_are_complete_is_said_at_the_start(bench: Bench) -> None:
    put_result(bench.experiment, 1)
    assert bench.work() == "complete"
    assert bench.work(session="0002") == "complete"
    assert [event.complete for event in bench.events(events.CoordinatorStarted)] == [1, 4]


def test_another_maker_is_said_once(bench: Bench) -> None:
    def compute(task: Task) -> Sequence[Report]:
        metrics = metrics_from_answers(SPEC, task.run, draw_answers(SPEC, task.run))
        elsewhere = msgspec.structs.replace(metrics.environment, cpu=f"CPU {task.run}")
        metrics = msgspec.structs.replace(metrics, environment=elsewhere)
        publish(bench.experiment.run_folder(task.run), metrics, write_no_arrays)
        return [Done(task)]

    bench.compute = compute
    assert bench.work() == "complete"
    (notice,) = bench.events(events.Notice)
    assert "another device, processor or version of torch" in notice.text
