"""The coordinator's process: what it refuses, whose lock it takes, what it leaves behind, its exit status."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from core.engine.computation import Computation
from core.engine.coordinator import main
from core.engine.executor import Done, Failed, Report, Task
from core.files import ownership
from core.files.exit_status import ExitStatus
from core.files.ownership import owned_name
from core.records.events import CoordinatorStarted, Ending, Finished
from core.records.home import create
from core.records.journal import read_all
from core.records.lock import SILENCE_SECONDS, Lock
from core.records.process import ProcessIdentity
from core.records.state import read_state
from core.records.types import plain
from core.spec.spec import Spec
from tests.fakes.executor import FakeExecutor, put_result

SPEC = Spec(dataset="digits", runs=4, options={"z": 5}, controls=())


class Bench:
    """An experiment, and the coordinator's process with an executor that computes nothing."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.experiment, _ = create(home, SPEC)
        self.compute: Callable[[Task], Sequence[Report]] = self.publish
        self.jobs = 0

    def publish(self, task: Task) -> Sequence[Report]:
        put_result(self.experiment, task.run)
        return [Done(task)]

    def executor(self, jobs: int, start: object) -> FakeExecutor:
        self.jobs = jobs
        return FakeExecutor(self.compute, capacity=jobs)

    def run(self, *options: str) -> int:
        folders = ["--data-dir", str(self.home), "--cache-dir", str(self.home)]
        return main([str(self.experiment.folder), "--jobs", "2", *folders, *options])


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench(tmp_path)
    monkeypatch.setattr("core.engine.coordinator.LocalProcesses", bench.executor)
    # The tests' own process goes on listening to signals as it does.
    monkeypatch.setattr("core.engine.stopping.ProcessStops.watch_signals", lambda stops: None)
    return bench


def after_the_work(monkeypatch: pytest.MonkeyPatch, action: Callable[[], None]) -> None:
    compute = Computation.compute

    def compute_and_then(computation: Computation) -> Ending:
        status = compute(computation)
        action()
        return status

    monkeypatch.setattr(Computation, "compute", compute_and_then)


def test_a_complete_computation_is_status_0_and_numbers_its_sessions(bench: Bench) -> None:
    assert bench.run() == ExitStatus.COMPLETE
    assert bench.jobs == 2
    assert list(bench.experiment.results(verify=True)) == [0, 1, 2, 3]
    assert bench.run() == ExitStatus.COMPLETE
    names = [path.name for path in sorted(bench.experiment.journal.iterdir())]
    assert names == ["0001-coordinator.jsonl", "0002-coordinator.jsonl"]
    assert bench.experiment.lock.holding() is None


def test_a_failed_run_is_status_1(bench: Bench) -> None:
    bench.compute = lambda task: [Failed(task, "no", "")]
    assert bench.run() == ExitStatus.FAILED


def test_a_held_lock_is_status_75_and_nothing_is_touched(bench: Bench) -> None:
    with bench.experiment.lock:
        bench.experiment.cancel_file.touch()
        assert bench.run() == ExitStatus.LOCKED
    assert bench.experiment.cancel_file.exists()
    assert not bench.experiment.journal.exists()


def test_a_request_to_stop_that_a_dead_coordinator_left_is_not_meant_for_the_next(bench: Bench) -> None:
    bench.experiment.cancel_file.touch()
    assert bench.run() == ExitStatus.COMPLETE


def test_a_folder_in_the_place_of_a_request_to_stop_is_set_aside_whole(bench: Bench) -> None:
    (bench.experiment.cancel_file / "precious").mkdir(parents=True)
    assert bench.run() == ExitStatus.COMPLETE
    assert len(list(bench.experiment.folder.glob(".broken.*/precious"))) == 1


def test_a_request_to_stop_is_status_130_and_done_with(bench: Bench) -> None:
    def compute(task: Task) -> Sequence[Report]:
        bench.experiment.cancel_file.touch()
        return bench.publish(task)

    bench.compute = compute
    assert bench.run() == ExitStatus.INTERRUPTED
    assert read_state(bench.experiment).status == "cancelled"
    assert not bench.experiment.cancel_file.exists()


def test_a_folder_that_cannot_be_read_is_status_2(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    (bench.experiment.folder / "spec.toml").write_text("runs = ")
    assert bench.run() == ExitStatus.REFUSED
    assert "not valid TOML" in capsys.readouterr().err


def test_an_experiment_of_the_first_version_is_not_computed(
    first_version_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder,) = (first_version_home / "experiments").iterdir()
    before = sorted(path.name for path in folder.rglob("*"))
    words = [str(folder), "--jobs", "1", "--data-dir", "data", "--cache-dir", "cache"]
    done = subprocess.run(
        [sys.executable, "-m", "core.engine.coordinator", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == ExitStatus.REFUSED
    assert "was computed by an earlier version" in done.stderr
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_a_crash_is_status_70_with_its_trace(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    def crash(task: Task) -> Sequence[Report]:
        raise ZeroDivisionError

    bench.compute = crash
    assert bench.run() == ExitStatus.CRASHED
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert read_state(bench.experiment).status == "interrupted"
    assert bench.experiment.lock.holding() is None


def test_a_call_to_the_disk_that_fails_meanwhile_is_status_1_and_its_journal_says_why(bench: Bench) -> None:
    def fail(task: Task) -> Sequence[Report]:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), "/the/place")

    bench.compute = fail
    assert bench.run() == ExitStatus.FAILED
    state = read_state(bench.experiment)
    assert state.status == "failed"
    assert (finished := state.last(Finished)) is not None
    assert finished.error.endswith(": /the/place: Stale file handle")
    assert bench.experiment.lock.holding() is None


@pytest.mark.parametrize("option", ["--jobs", "--threads"])
def test_no_jobs_and_no_threads_are_refused_in_words(
    bench: Bench, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        bench.run(option, "0")
    assert refused.value.code == ExitStatus.REFUSED
    assert "'0' is not possible: expected a whole number from 1" in capsys.readouterr().err


def test_what_was_half_written_is_swept(bench: Bench) -> None:
    """By whoever takes the lock next: in the experiment's folder, in those of its runs, among the experiments."""
    folder, run = bench.experiment.folder, bench.experiment.run_folder(0)
    run.mkdir(parents=True)
    leaving = (
        "import sys; from pathlib import Path; from core.files.ownership import owned_name\n"
        "for words in sys.argv[1:]:\n"
        "    place, prefix = words.rsplit('/', 1)\n"
        "    Path(place, owned_name(prefix)).mkdir()"
    )
    left = [
        f"{folder.parent}/.new",
        f"{folder.parent}/.deleted",
        *(f"{folder}/.{name}" for name in ("heartbeat", "lock", "annotations.toml", "spec.toml", "room")),
        f"{run}/.result",
    ]
    subprocess.run([sys.executable, "-c", leaving, *left], check=True)
    mine = [Path(place).parent / owned_name(Path(place).name) for place in left]
    others = [folder / ".lock.kept", folder / ".notes.swp", run / ".broken.0123", folder.parent / ".git"]
    for path in (*mine, *others):
        path.mkdir()
    before = {path.name for path in (*folder.iterdir(), *folder.parent.iterdir(), *run.iterdir())}
    assert bench.run() == ExitStatus.COMPLETE
    after = {path.name for path in (*folder.iterdir(), *folder.parent.iterdir(), *run.iterdir())}
    owned = [ownership._OWNED.fullmatch(name) for name in before - after]
    assert sorted(found["prefix"] for found in owned if found) == sorted(Path(place).name for place in left)
    assert len(owned) == len(left)
    assert {path.name for path in (*mine, *others)} <= after


def test_journals_of_workers_whose_coordinators_is_lost_are_in_nobodys_way(bench: Bench) -> None:
    """Each session has journals of its own, which must be new."""
    assert bench.run() == ExitStatus.COMPLETE
    (bench.experiment.journal / "0001-coordinator.jsonl").unlink()
    for name in ("0001-worker-1", "0003-worker-2"):
        (bench.experiment.journal / f"{name}.jsonl").touch()
    assert bench.run() == ExitStatus.COMPLETE
    names = sorted(path.name for path in bench.experiment.journal.iterdir())
    assert names == ["0001-worker-1.jsonl", "0003-worker-2.jsonl", "0004-coordinator.jsonl"]


def test_a_folder_that_cannot_be_written_is_status_2_with_the_reason(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(lock: Lock) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Lock, "acquire", full)
    assert bench.run() == ExitStatus.REFUSED
    assert "No space left on device" in capsys.readouterr().err


def test_who_is_asked_to_stop_while_it_watches_another_host_is_interrupted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = {**plain(ProcessIdentity("elsewhere", 1, "", "")), "token": "theirs"}
    lock = bench.experiment.folder / "lock"
    lock.write_text(json.dumps(holder))
    os.utime(lock, (1, 1))
    asked = iter([False, True, True])
    monkeypatch.setattr("core.engine.stopping.ProcessStops.__call__", lambda stops: next(asked))
    assert bench.run() == ExitStatus.INTERRUPTED
    assert json.loads(lock.read_text()) == holder


def test_a_request_to_stop_that_was_meant_for_a_dead_host_does_not_stop_its_heir(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = bench.experiment.folder / "lock"
    lock.write_text(json.dumps({**plain(ProcessIdentity("elsewhere", 1, "", "")), "token": "theirs"}))
    now = time.time()
    os.utime(lock, (now - 2 * SILENCE_SECONDS,) * 2)
    assert bench.experiment.running
    bench.experiment.cancel_file.touch()
    monkeypatch.setattr("core.records.lock.SILENCE_SECONDS", 0.0)
    assert bench.run() == ExitStatus.COMPLETE


def test_the_coordinator_loads_no_torch() -> None:
    program = "import core.engine.coordinator, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


class TestEnding:
    """What the process does after the last run."""

    def test_a_disk_that_fills_up_at_last_takes_nothing_back(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*arguments: object, **named: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def fill() -> None:
            for name in ("os.fsync", "os.link", "pathlib.Path.write_text", "pathlib.Path.unlink"):
                monkeypatch.setattr(name, full)

        after_the_work(monkeypatch, fill)
        assert bench.run() == ExitStatus.COMPLETE
        assert list(bench.experiment.results(verify=True)) == [0, 1, 2, 3]

    def test_a_request_to_stop_is_done_with_and_the_lock_given_back(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        after_the_work(monkeypatch, bench.experiment.cancel_file.touch)
        assert bench.run() == ExitStatus.COMPLETE
        assert not bench.experiment.cancel_file.exists()
        assert bench.experiment.lock.holding() is None

    def test_whoever_lost_the_lock_leaves_a_request_to_stop_to_the_new_holder(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lose() -> None:
            other = bench.home / "other"
            other.mkdir()
            Lock(other).acquire()
            (other / "lock").replace(bench.experiment.folder / "lock")
            bench.experiment.cancel_file.touch()

        after_the_work(monkeypatch, lose)
        assert bench.run() == ExitStatus.COMPLETE
        assert bench.experiment.cancel_file.exists()
        assert bench.experiment.running


def test_a_lock_taken_over_from_another_host_is_said(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as there:
        there.setattr("core.records.process.socket.gethostname", lambda: "elsewhere")
        bench.experiment.lock.acquire()
    monkeypatch.setattr("core.records.lock.SILENCE_SECONDS", -1.0)
    assert bench.run() == ExitStatus.COMPLETE
    notice, started, *_ = read_all(bench.experiment.journal)
    assert getattr(notice, "text", "") == "took over from elsewhere, silent for a while"
    assert isinstance(started, CoordinatorStarted)
