"""The coordinator's bookkeeping, with workers that compute nothing: what it says at the end is so."""

from __future__ import annotations

import errno
import json
import os
import queue
from collections.abc import Callable
from pathlib import Path

import pytest

from core.engine import coordinator as coordinator_module
from core.engine.coordinator import STATISTICS_SECONDS, Coordinator, Settings, main
from core.engine.statistics import experiment_statistics
from core.records.events import Event
from core.records.experiment import Experiment, create
from core.records.journal import JournalWriter, read_all
from core.records.lock import Lock
from core.records.results import publish
from core.spec.spec import Spec
from tests.hand_made import draw_answers, metrics_of

SPEC = Spec(dataset="digits", runs=4, z=5, controls=())
Answer = dict[str, object]


def put_result(experiment: Experiment, run: int) -> None:
    metrics = metrics_of(experiment.spec, run, draw_answers(experiment.spec, run))
    publish(experiment.run_folder(run), metrics, lambda path: path.write_bytes(b"arrays"))


class StubWorker:
    """As much of a worker's process as the coordinator looks at; `compute` gives a run's answer, or none."""

    pid = 1

    def __init__(self, compute: Callable[[int], Answer | None]) -> None:
        self._compute = compute
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.stdin, self.stdout = self, iter(self._lines.get, None)
        self._lines.put(json.dumps({"answer": "ready", "data_sha256": "0" * 64}))

    def write(self, line: str) -> None:
        answer = self._compute(json.loads(line)["run"])
        if answer is not None:
            self._lines.put(json.dumps(answer))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self._lines.put(None)

    def wait(self, timeout: float | None = None) -> int:
        return 0


class Bench:
    """An experiment whose runs a stub computes; `compute` may be replaced before `work`."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.home = folder
        self.experiment, _ = create(folder, SPEC)
        self.compute: Callable[[int], Answer | None] = self.publish
        patch.setattr("core.engine.coordinator.subprocess.Popen", lambda *_, **__: StubWorker(self.compute))

    def publish(self, run: int) -> Answer:
        put_result(self.experiment, run)
        return {"answer": "completed", "run": run}

    def work(
        self,
        *,
        stop: Callable[[], str | None] = lambda: None,
        clock: Callable[[], float] = lambda: 0.0,
        session: str = "0001",
    ) -> str:
        journal = JournalWriter(self.experiment.journal / f"{session}-coordinator.jsonl")
        settings = Settings(1, self.home, self.home)
        return Coordinator(self.experiment, settings, journal, session, stop, clock).compute()

    def events(self, kind: str) -> list[Event]:
        return [event for event in read_all(self.experiment.journal) if event.kind == kind]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def without(experiment: Experiment, run: int, name: str) -> None:
    """Take one key out of a run's metrics."""
    path = experiment.run_folder(run) / "result" / "metrics.json"
    record = json.loads(path.read_text())
    del record[name]
    path.write_text(json.dumps(record))


@pytest.mark.parametrize("name", ["slope_reasons", "surrogate_accuracy", "attack"])
def test_a_result_that_lacks_something_is_computed_again_and_replaced(bench: Bench, name: str) -> None:
    for run in range(4):
        put_result(bench.experiment, run)
    without(bench.experiment, 2, name)
    assert bench.work() == "complete"
    assert [event["run"] for event in bench.events("run_started")] == [2]
    assert list(bench.experiment.results(verify=True)) == [0, 1, 2, 3]


def test_a_run_whose_result_is_not_there_has_failed_whatever_its_worker_says(bench: Bench) -> None:
    def lose(run: int) -> Answer:
        answer = bench.publish(run)
        if run == 1:
            without(bench.experiment, run, "slope_reasons")
        return answer

    bench.compute = lose
    assert bench.work() == "failed"
    (failure,) = bench.events("run_failed")
    assert (failure["run"], failure["retry"]) == (1, False)
    assert "cannot be read" in str(failure["error"])
    assert f"aefit-tui resume {bench.experiment.id}" in str(failure["hint"])
    assert [event["run"] for event in bench.events("run_completed")] == [0, 2, 3]
    assert bench.experiment.state().status == "failed"
    bench.compute = bench.publish
    assert bench.work(session="0002") == "complete"


@pytest.mark.parametrize(
    "kind",
    ["coordinator_started", "worker_started", "run_started", "run_completed", "statistics", "finished"],
)
def test_a_line_that_finds_the_disk_full_ends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    write, lost = os.write, []

    def write_unless_full(descriptor: int, content: bytes) -> int:
        if not lost and f'"event":"{kind}"'.encode() in content:
            lost.append(kind)
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content)

    monkeypatch.setattr("os.write", write_unless_full)
    assert bench.work() == "complete"
    assert lost == [kind]
    state = bench.experiment.state()
    assert state.status == "complete"
    assert state.summarised


def test_statistics_that_were_lost_are_told_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    write, lost = JournalWriter.write, []

    def write_unless_full(journal: JournalWriter, kind: str, **fields: object) -> None:
        if kind == "statistics" and not lost:
            lost.append(fields["runs"])
            raise OSError(errno.ENOSPC, "No space left on device")
        write(journal, kind, **fields)

    monkeypatch.setattr(JournalWriter, "write", write_unless_full)
    bench.compute = lambda run: bench.publish(run) if run == 0 else None
    assert bench.work(stop=lambda: "cancelled" if lost else None) == "cancelled"
    assert [event["runs"] for event in bench.events("statistics")] == lost == [[0]]


def test_statistics_are_told_now_and_then_and_over_all_runs_at_the_end(bench: Bench) -> None:
    """The clock stands still while runs 0 and 1 are computed, then moves on."""
    now = 100.0

    def compute(run: int) -> Answer:
        nonlocal now
        now += {2: STATISTICS_SECONDS + 1}.get(run, 0.0)
        return bench.publish(run)

    bench.compute = compute
    assert bench.work(clock=lambda: now) == "complete"
    told = [event["runs"] for event in bench.events("statistics")]
    assert len(told) == 3, told
    assert told[0] == [0]
    assert told[-1] == [0, 1, 2, 3]
    kinds = [event.kind for event in read_all(bench.experiment.journal)]
    assert kinds[-2:] == ["statistics", "finished"]
    last = bench.events("statistics")[-1]
    expected = experiment_statistics(SPEC, bench.experiment.results())
    assert json.loads(json.dumps(expected)) == {name: last[name] for name in expected}


def test_statistics_that_wait_are_told_while_a_long_run_goes_on(bench: Bench) -> None:
    now, looks = 0.0, 0

    def compute(run: int) -> Answer | None:
        nonlocal now
        if run < 2:
            return bench.publish(run)
        now = STATISTICS_SECONDS
        return None

    def stop() -> str | None:
        nonlocal looks
        looks += 1
        waited_for = [event["runs"] for event in bench.events("statistics")] == [[0], [0, 1]]
        return "cancelled" if waited_for else "interrupted" if looks > 200 else None

    bench.compute = compute
    assert bench.work(stop=stop, clock=lambda: now) == "cancelled"


def test_a_stop_is_told_with_statistics_over_all_that_is_complete(bench: Bench) -> None:
    def completed() -> list[object]:
        return [event["run"] for event in bench.events("run_completed")]

    assert bench.work(stop=lambda: "cancelled" if len(completed()) == 3 else None) == "cancelled"
    assert [event["runs"] for event in bench.events("statistics")] == [[0], [0, 1, 2]]
    assert completed() == [0, 1, 2]


class TestEnding:
    """What the process does after the last run."""

    @pytest.fixture
    def arguments(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        monkeypatch.setattr(coordinator_module, "_stop_signals", lambda foreground: lambda: False)
        folders = ["--data-dir", str(bench.home), "--cache-dir", str(bench.home)]
        return [str(bench.experiment.folder), "--jobs", "1", *folders]

    def after_the_work(self, monkeypatch: pytest.MonkeyPatch, deed: Callable[[], None]) -> None:
        compute = Coordinator.compute

        def compute_and_then(coordinator: Coordinator) -> str:
            status = compute(coordinator)
            deed()
            return status

        monkeypatch.setattr(Coordinator, "compute", compute_and_then)

    def test_a_disk_that_fills_up_at_last_takes_nothing_back(
        self, bench: Bench, arguments: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*arguments: object, **named: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def fill() -> None:
            for name in ("os.fsync", "os.link", "pathlib.Path.write_text", "pathlib.Path.unlink"):
                monkeypatch.setattr(name, full)

        self.after_the_work(monkeypatch, fill)
        assert main(arguments) == 0
        assert list(bench.experiment.results(verify=True)) == [0, 1, 2, 3]

    def test_a_request_to_stop_is_done_with_and_the_lock_given_back(
        self, bench: Bench, arguments: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.after_the_work(monkeypatch, bench.experiment.cancel_file.touch)
        assert main(arguments) == 0
        assert not bench.experiment.cancel_file.exists()
        assert bench.experiment.lock.holding() is None

    def test_whoever_lost_the_lock_leaves_a_request_to_stop_to_its_heir(
        self, bench: Bench, arguments: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lose() -> None:
            heir = bench.home / "heir"
            heir.mkdir()
            Lock(heir).acquire()
            (heir / "lock").replace(bench.experiment.folder / "lock")
            bench.experiment.cancel_file.touch()

        self.after_the_work(monkeypatch, lose)
        assert main(arguments) == 0
        assert bench.experiment.cancel_file.exists()
        assert bench.experiment.running
