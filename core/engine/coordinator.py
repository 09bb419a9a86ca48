"""All runs of one experiment: start workers, hand out runs, retry what a lost worker was doing, finish.

`python -P -m core.engine.coordinator FOLDER ...` computes whatever runs of an experiment folder lack a valid
result. It alone holds the folder's lock, and it tells what happens by its journal. The exit status is 0 when
every run is complete, 1 when one failed, 2 when the request cannot be met, 130 when it was stopped, 75 when
another coordinator holds the lock, 70 when it crashed (the trace is in its log).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.engine.statistics import experiment_statistics
from core.errors import AefitError, ExperimentError
from core.records.experiment import Experiment, load
from core.records.journal import JournalWriter
from core.records.lock import HEARTBEAT_SECONDS, Lock, LockHeld

ATTEMPTS = 2
"""How often a run is begun when its workers keep dying: once, and one retry."""
LOOK_SECONDS = 0.25
"""How often the coordinator looks for a request to stop."""
LEAVE_SECONDS = 5.0
"""How long a worker may take to leave before it is killed."""
STATISTICS_SECONDS = 3.0
"""How often statistics are journaled at most: they grow with the sets and tests, to 100 kB and more."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Torch's. NumPy's products get one thread: the neighbour search runs blocks beside each other instead."""

EXIT_STATUS = {"complete": 0, "failed": 1, "refused": 2, "cancelled": 130, "interrupted": 130}
"""The exit status for each way in which an experiment's computation ends."""
EXIT_CRASHED = 70
EXIT_LOCKED = 75


@dataclass(frozen=True)
class Settings:
    """How an experiment is computed, as opposed to what: none of this changes a number.

    jobs: runs computed at the same time, at least 1. data_dir, cache_dir, no_cache: handed to the workers.
    """

    jobs: int
    data_dir: Path
    cache_dir: Path
    no_cache: bool = False


@dataclass
class _Worker:
    number: int
    process: subprocess.Popen[str]
    ready: bool = False
    run: int | None = None
    idle_death: bool = False


class _End(Exception):
    """No run can be computed, whichever is tried: the status to end with, the reason and what to do."""

    def __init__(self, status: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.status = status
        self.hint = hint


class Coordinator:
    """Computes the missing runs of one experiment whose lock the caller holds."""

    def __init__(
        self,
        experiment: Experiment,
        settings: Settings,
        journal: JournalWriter,
        session: str,
        stop_requested: Callable[[], str | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """session: begins the names of this coordinator's journals and those of its workers.

        stop_requested: the status to end with, or None to go on; asked every LOOK_SECONDS.
        clock: seconds, for the time between two publications of the statistics.
        """
        self._experiment = experiment
        self._settings = settings
        self._journal = journal
        self._session = session
        self._stop_requested = stop_requested
        self._clock = clock
        self._jobs = settings.jobs
        self._complete = experiment.results(verify=True)
        self._pending = deque(run for run in range(experiment.spec.runs) if run not in self._complete)
        self._data_sha256 = next((metrics["data_sha256"] for metrics in self._complete.values()), None)
        self._workers: dict[int, _Worker] = {}
        self._inbox: queue.SimpleQueue[tuple[int, dict[str, object] | None]] = queue.SimpleQueue()
        self._begun: Counter[int] = Counter()
        self._makers = {_maker(metrics) for metrics in self._complete.values()}
        self._untold = bool(self._complete)
        self._told_at = -math.inf
        self._started = 0
        self._lost_before_ready = 0

    def compute(self) -> str:
        """Compute until nothing is pending or a stop is asked for; the status, also journaled as finished."""
        jobs = self._settings.jobs
        host, pid = socket.gethostname(), os.getpid()
        self._tell(
            "coordinator_started", host=host, pid=pid, jobs=jobs, pending=list(self._pending),
            data_dir=str(self._settings.data_dir),
        )  # fmt: skip
        status, told = "interrupted", {}
        try:
            status = self._work()
        except _End as end:
            status, told = end.status, {"error": str(end), "hint": end.hint}
        finally:
            self._dismiss_workers()
            self._publish_statistics()
            self._tell("finished", status=status, **told)
        return status

    def _work(self) -> str:
        while self._pending or any(worker.run is not None for worker in self._workers.values()):
            if stop := self._stop_requested():
                return stop
            if self._clock() - self._told_at >= STATISTICS_SECONDS:
                self._publish_statistics()
            self._start_workers()
            for worker in self._workers.values():
                if worker.ready and worker.run is None and self._pending and not worker.idle_death:
                    self._hand_out(worker)
            try:
                number, message = self._inbox.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
            worker = self._workers[number]
            if message is None:
                self._lost(worker)
            else:
                self._heard(worker, message)
        return "complete" if len(self._complete) == self._experiment.spec.runs else "failed"

    def _start_workers(self) -> None:
        """Bring the workers to strength: one until it has read the data, so that one alone meets what is wrong."""
        wanted = min(self._jobs, len(self._pending) + sum(w.run is not None for w in self._workers.values()))
        if not any(worker.ready for worker in self._workers.values()):
            wanted = min(wanted, 1)
        while len(self._workers) < wanted:
            self._start_worker()

    def _start_worker(self) -> None:
        self._started += 1
        name = f"{self._session}-worker-{self._started}"
        threads = str(self._experiment.spec.threads)
        process = subprocess.Popen(
            [
                sys.executable, "-P", "-m", "core.engine.worker", str(self._experiment.folder),
                "--journal", str(self._experiment.journal / f"{name}.jsonl"),
                "--data-dir", str(self._settings.data_dir),
                "--cache-dir", str(self._settings.cache_dir),
                *(["--no-cache"] if self._settings.no_cache else []),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None,  # the coordinator's own: the log
            text=True,
            env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, threads), "OPENBLAS_NUM_THREADS": "1"},
            # Ctrl+C in a terminal is the coordinator's to answer; it tells its workers.
            start_new_session=True,
        )  # fmt: skip
        worker = _Worker(self._started, process)
        self._workers[worker.number] = worker
        self._tell("worker_started", worker=worker.number, pid=process.pid)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()

    def _listen(self, worker: _Worker) -> None:
        """Put a worker's answers into the inbox, and None when there will be no more."""
        assert worker.process.stdout is not None
        try:
            for line in worker.process.stdout:
                try:
                    message = json.loads(line)
                except ValueError:
                    message = None
                if isinstance(message, dict):
                    self._inbox.put((worker.number, message))
                else:
                    # Something that was loaded before the worker had its output for itself printed it.
                    sys.stderr.write(line)
        finally:
            self._inbox.put((worker.number, None))

    def _heard(self, worker: _Worker, message: dict[str, object]) -> None:
        match message["answer"]:
            case "refused":
                raise _End("refused", str(message["error"]), str(message["hint"]))
            case "ready":
                self._check_data(message["data_sha256"])
                worker.ready = True
                self._lost_before_ready = 0
            case "completed":
                assert worker.run is not None
                self._complete_run(worker.run)
                worker.run = None
            case "failed":
                self._fail(worker.run, message["error"], message["hint"])
                worker.run = None
            case unknown:
                raise ValueError(f"a worker answered {unknown!r}")

    def _hand_out(self, worker: _Worker) -> None:
        """Give a ready, idle worker the next run."""
        run = self._pending[0]
        assert worker.process.stdin is not None
        try:
            worker.process.stdin.write(json.dumps({"run": run}) + "\n")
            worker.process.stdin.flush()
        except BrokenPipeError:
            # It died while it had nothing to do; that it is gone is on its way to the inbox.
            worker.idle_death = True
            return
        worker.run = self._pending.popleft()
        self._begun[run] += 1
        self._tell("run_started", run=run, worker=worker.number, attempt=self._begun[run])

    def _lost(self, worker: _Worker) -> None:
        """A worker is gone: what it was computing is begun once more, or has failed."""
        del self._workers[worker.number]
        reason = _ending(worker.process.wait())
        self._tell("worker_lost", worker=worker.number, reason=reason)
        if not worker.ready and any(other.ready for other in self._workers.values()):
            # There is no room for so many (memory, most likely): those that work go on.
            self._jobs = max(1, self._jobs - 1)
            self._tell("notice", text=f"from now on {self._jobs} runs at a time: a worker {reason}")
        elif not worker.ready:
            self._lost_before_ready += 1
            if self._lost_before_ready >= ATTEMPTS:
                hint = f"see the end of {self._experiment.log}; `aefit-tui doctor` tells what works here"
                raise _End("failed", f"the worker process {reason} before it could start", hint)
        if worker.run is None:
            return
        if self._experiment.result(worker.run, verify=True) is not None:
            self._complete_run(worker.run)  # it died after its last deed
        elif self._begun[worker.run] < ATTEMPTS:
            self._tell(
                "run_failed", run=worker.run, error=f"its worker process {reason}", hint="", retry=True
            )
            self._pending.appendleft(worker.run)
        else:
            hint = "if memory ran out, compute fewer runs at once: --jobs 1"
            self._fail(worker.run, f"its worker process {reason}, twice", hint)

    def _fail(self, run: int | None, error: object, hint: object) -> None:
        assert run is not None
        self._tell("run_failed", run=run, error=error, hint=hint, retry=False)

    def _check_data(self, sha256: object) -> None:
        """All runs of an experiment see the same images. Raises _End where the data set has changed."""
        if self._data_sha256 not in (None, sha256):
            raise _End(
                "refused",
                f"the data set {self._experiment.spec.dataset} is not what it was when earlier runs were computed",
                "bring the former files back, or compute all anew: "
                f"aefit-tui delete {self._experiment.id}, then start it again",
            )
        self._data_sha256 = sha256

    def _complete_run(self, run: int) -> None:
        """A run's result is published: the next statistics take it in."""
        metrics = self._experiment.result(run)
        if metrics is None:
            hint = f"see {self._experiment.run_folder(run)}, then: aefit-tui resume {self._experiment.id}"
            self._fail(run, "its result was published and cannot be read again", hint)
            return
        self._tell("run_completed", run=run)
        self._tell_of_other_machine(metrics)
        self._complete[run] = metrics
        self._untold = True

    def _tell_of_other_machine(self, metrics: Mapping[str, Any]) -> None:
        """Runs computed on another device or by another torch may differ in their last bits: say so once."""
        maker = _maker(metrics)
        if len(self._makers) == 1 and maker not in self._makers:
            text = "some runs were computed on another device, processor or version of torch than others"
            self._tell("notice", text=text)
        self._makers.add(maker)

    def _publish_statistics(self) -> None:
        """Journal the statistics over the complete runs, unless that is done."""
        if self._untold:
            statistics = experiment_statistics(self._experiment.spec, self._complete)
            self._untold = not self._tell("statistics", runs=sorted(self._complete), **statistics)
            self._told_at = self._clock()

    def _tell(self, kind: str, **fields: object) -> bool:
        """Write an event to the journal; whether it is there."""
        # A disk that is full for a moment must not end all running runs. What must not be lost, the results,
        # is in the runs' folders anyway.
        with suppress(OSError):
            self._journal.write(kind, **fields)
            return True
        return False

    def _dismiss_workers(self) -> None:
        """Have every worker leave: the end of its input tells it to, a signal does if it does not listen."""
        for worker in self._workers.values():
            assert worker.process.stdin is not None
            try:
                worker.process.stdin.close()
            except BrokenPipeError:
                continue  # it is gone already
        deadline = time.monotonic() + LEAVE_SECONDS
        for worker in self._workers.values():
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()


def _maker(metrics: Mapping[str, Any]) -> str:
    """What a result was computed with, as far as it can change its last bits."""
    environment = metrics["environment"]
    return json.dumps([environment["device"], environment["cpu"], environment["versions"]["torch"]])


def _ending(code: int) -> str:
    """How a process ended, in words."""
    return f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with status {code}"


def _stop_signals(foreground: bool) -> Callable[[], bool]:
    """Whether this process was asked to stop: by SIGINT, SIGTERM, SIGHUP or, in the foreground, a lost parent."""
    # A list, since taking an Event's lock in a handler that interrupts itself would never return.
    reasons: list[object] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup asks to be left alone
            signal.signal(number, lambda number, frame: reasons.append(number))
    if foreground:

        def watch_parent() -> None:
            sys.stdin.read()
            reasons.append("parent")

        threading.Thread(target=watch_parent, daemon=True).start()
    return lambda: bool(reasons)


@contextmanager
def _heartbeat(lock: Lock) -> Iterator[Callable[[], bool]]:
    """Within the block the lock's holder proves that it lives, whatever else it is doing.

    Gives a function that says whether the lock was lost: somebody took us for dead and has taken over.
    """
    over, lost = threading.Event(), threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT_SECONDS):
            try:
                lock.beat()
            except ExperimentError:
                lost.set()
                return
            except OSError:
                continue  # a full disk or a file server that is away: the next beat may get through

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield lost.is_set
    finally:
        over.set()
        thread.join()


def main(arguments: list[str] | None = None) -> int:
    """Take the lock and compute; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m core.engine.coordinator", description=__doc__)
    parser.add_argument("folder", type=Path, help="an experiment's folder")
    parser.add_argument("--jobs", type=_at_least_one, required=True, help="runs computed at the same time")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--no-cache", action="store_true", help="train and search anew, and keep neither")
    parser.add_argument("--foreground", action="store_true", help="stop when standard input ends")
    options = parser.parse_args(arguments)
    signalled = _stop_signals(options.foreground)
    try:
        experiment = load(options.folder)
        if not experiment.running:
            # Left over from a coordinator that died before it could obey; the next one is meant for us.
            experiment.cancel_file.unlink(missing_ok=True)
        with experiment.lock as lock, _heartbeat(lock) as lost:

            def stop_requested() -> str | None:
                if experiment.cancel_file.exists():
                    return "cancelled"
                return "interrupted" if signalled() or lost() else None

            experiment.clear_leftovers()
            session = f"{_sessions(experiment) + 1:04d}"
            journal = JournalWriter(experiment.journal / f"{session}-coordinator.jsonl")
            if lock.taken_from is not None:
                with suppress(OSError):  # as in Coordinator._tell
                    journal.write("notice", text=f"took over from {lock.taken_from.host}, silent for a while")
            settings = Settings(
                options.jobs, options.data_dir.resolve(), options.cache_dir.resolve(), options.no_cache
            )
            status = Coordinator(experiment, settings, journal, session, stop_requested).compute()
            # What is computed is computed, whatever the disk does now.
            with suppress(OSError):
                journal.close()
            with suppress(OSError):
                if lock.held:  # else a request to stop may be meant for our heir
                    experiment.cancel_file.unlink(missing_ok=True)
    except LockHeld:
        return EXIT_LOCKED
    except AefitError as error:
        sys.stderr.write(f"{error}\n{error.hint}\n")
        return EXIT_STATUS["refused"]
    except Exception:  # noqa: BLE001  # told in the log, and by a status of its own
        traceback.print_exc()
        return EXIT_CRASHED
    return EXIT_STATUS[status]


def _at_least_one(word: str) -> int:
    if int(word) < 1:
        raise ValueError
    return int(word)


def _sessions(experiment: Experiment) -> int:
    """How many coordinators have worked on this folder: each has journals of its own."""
    names = [path.stem.partition("-")[0] for path in experiment.journal.glob("*-coordinator.jsonl")]
    return max((int(name) for name in names if name.isdigit()), default=0)


if __name__ == "__main__":
    sys.exit(main())
