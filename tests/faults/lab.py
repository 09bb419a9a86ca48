"""A home with an experiment; commands and coordinators in processes forked from this one; what they say and leave.

The workers are none: a run's result is made up from its experiment and number, and published as a worker does. All
else is the program as it is. Forking takes milliseconds, where a new interpreter would take half a second.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import re
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NoReturn

# What commands load when they need it: once, and not in every process.
import scipy.special  # noqa: F401

import tui_aefit.shell.annotating
import tui_aefit.shell.commands
import tui_aefit.shell.export  # noqa: F401
from core.engine import coordinator, lock_keeping, statistics_journal
from core.engine.executor import Done as RunDone
from core.engine.executor import Failed, Report, Task
from core.errors import AefitError, ExperimentError
from core.files import ownership
from core.records import lock
from core.records.experiment import Experiment, load
from core.records.home import create
from core.records.metrics import RunMetrics
from core.records.starting import How
from core.spec.resolved import spec_of
from core.spec.spec import Spec
from tests.fakes.executor import FakeExecutor, put_result
from tests.faults.disk import KILLED, Disk, DiskFault
from tui_aefit.shell import batch, cli, follow

SPEC = spec_of({"dataset": "digits", "runs": 3, "z": 3, "controls": ()})
AGAIN = ("--batch", "--dataset", "digits", "--runs", "3", "--z", "3", "--controls", "none", "--jobs", "1")
"""What computes it."""
COORDINATOR = ("coordinator",)
"""Stands for the words of a command in what is told of a coordinator."""
SUPERVISOR = ("supervisor",)
"""And of a study's supervisor."""
PATIENCE = 60.0
"""Seconds after which a process waits for something that will not come."""
SILENCE = 0.3
"""Seconds without a sign of life after which a holder counts as dead here."""
TRACE = re.compile(r"Traceback \(most recent call last\)|Exception ignored in|Exception in thread")
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that a terminal would obey, or be misled by."""
STATUSES = (0, 1, 2, 75, 130)
"""That are documented; 75 is a coordinator's only."""


@dataclass(frozen=True)
class Ended:
    """How a process ended; status: None where it was stopped, and goes on with `Process.go_on`."""

    words: tuple[str, ...]
    status: int | None
    said: str


class Process:
    """A process forked from this one, that does `work` and leaves with the status which that gives."""

    def __init__(self, words: Sequence[str], work: Callable[[], int], said: Path) -> None:
        self.words = tuple(words)
        self._said = said
        output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.pid = os.fork()
        if self.pid == 0:
            _leave_with(work, output)
        os.close(output)

    def wait(self, *, stops: bool = False) -> Ended:
        """Until it has ended, or, if that is expected, has stopped itself. One that does neither is killed."""
        deadline = time.monotonic() + PATIENCE
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG | (os.WUNTRACED if stops else 0))
            if pid:
                break
            if time.monotonic() > deadline:
                os.killpg(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                return Ended(self.words, None, f"{self._text()}\n[it was still there after {PATIENCE:.0f} s]")
            time.sleep(0.002)
        if os.WIFSTOPPED(status):
            return Ended(self.words, None, "")
        return Ended(self.words, os.waitstatus_to_exitcode(status), self._text())

    def go_on(self) -> None:
        """After it has stopped itself."""
        os.kill(self.pid, signal.SIGCONT)

    def finish(self, met: Ended) -> Ended:
        """Let it go on where it has stopped itself, and wait; met: what `wait(stops=True)` gave."""
        if met.status is not None:
            return met
        self.go_on()
        return self.wait()

    def _text(self) -> str:
        return self._said.read_bytes().decode(errors="replace")


def _leave_with(work: Callable[[], int], output: int) -> NoReturn:
    """Do the work of a new process, whose output goes to a file, and leave: nothing of the former one is done."""
    status = 70
    try:
        os.setsid()
        for number in (1, 2):
            os.dup2(output, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdin, sys.stdout, sys.stderr = (
            io.TextIOWrapper(io.FileIO(number, "r" if number == 0 else "w", closefd=False), encoding="utf-8",
                             errors="replace", write_through=True)
            for number in range(3)
        )  # fmt: skip
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        status = work()
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 1
    except BaseException:  # noqa: BLE001  # as the interpreter would
        traceback.print_exc()
        status = 1
    finally:
        os._exit(status)


class Coordinator:
    """Stands for the process that a command starts: what `tui_aefit.shell.batch` asks of it."""

    def __init__(self, process: Process, stdin: IO[bytes] | None) -> None:
        self._process = process
        self.pid = process.pid
        self.stdin = stdin
        self._status: int | None = None

    def poll(self) -> int | None:
        """The exit status, None while it is at work."""
        if self._status is None:
            pid, status = os.waitpid(self._process.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status

    def terminate(self) -> None:
        """Ask it to stop."""
        os.kill(self._process.pid, signal.SIGTERM)

    def wait(self) -> int:
        """The exit status, once it has ended."""
        while (status := self.poll()) is None:
            time.sleep(0.002)
        return status


class Lab:
    """A home below `root`, and beside it what nobody may touch."""

    program = COORDINATOR
    """Stands for the main program, the one that is disturbed."""
    leaves_with: tuple[int, ...] = (0,)
    """With which statuses it may end where nothing but a death disturbed it and its heirs."""

    def __init__(self, root: Path, spec: Spec = SPEC) -> None:
        self.root = root
        self.home = root / "home"
        self.outside = root / "outside"
        self.outside.mkdir(parents=True)
        for name in ("precious", ".result.precious", "spec.toml", "metrics.json"):
            (self.outside / name).write_bytes(f"{name} of somebody".encode())
        (self.outside / "folder").mkdir()
        (self.outside / "folder" / "precious").write_bytes(b"precious")
        self.untouched = contents(self.outside)
        self.experiment, _ = create(self.home, spec)
        self.disk: Disk | None = None
        self._processes = 0

    def coordinator_words(self, folder: Path) -> list[str]:
        """The arguments of a coordinator of an experiment's folder."""
        return [
            str(folder),
            "--jobs",
            "1",
            "--data-dir",
            str(self.home),
            "--cache-dir",
            str(self.home / "cache"),
        ]

    @property
    def main_words(self) -> list[str]:
        """The arguments of the main program: a coordinator of the experiment."""
        return self.coordinator_words(self.experiment.folder)

    def work(self, words: Sequence[str]) -> int:
        """What that does; its exit status."""
        return coordinator.main(list(words))

    def begin(self, fault: DiskFault | None = None) -> Process:
        """The main program, not waited for."""

        def work() -> int:
            self.prepare()
            self.break_disk(fault)
            return self.work(self.main_words)

        return Process(self.program, work, self.new_file())

    def rest(self) -> None:
        """Wait until nobody is at work that was left so by who started it: here nobody ever is."""

    def count(self, words: Sequence[str] = ()) -> int:
        """How many things a command, or else the main program, does to the disk; tried in a copy of the home."""
        copy = self.root / "counting"
        shutil.rmtree(copy, ignore_errors=True)
        self.home.rename(copy)
        shutil.copytree(copy, self.home, symlinks=True)
        file = self.new_file()

        def work() -> int:
            self.prepare()
            disk = Disk(self.home, None)
            disk.install()
            try:
                return cli.run(list(words)) if words else self.work(self.main_words)
            finally:
                os.write(1, f"\ncalls: {disk.calls}".encode())

        ended = Process(["count"], work, file).wait()
        self.rest()
        shutil.rmtree(self.home)
        copy.rename(self.home)
        return int(ended.said.rpartition("calls: ")[2])

    def command(self, *words: str, fault: DiskFault | None = None) -> Ended:
        """What a person types, and what came of it."""
        return self.start(*words, fault=fault).wait()

    def start(self, *words: str, fault: DiskFault | None = None) -> Process:
        """The same, not waited for."""

        def work() -> int:
            self.prepare()
            self.break_disk(fault)
            sys.argv = ["aefit-tui", *words]
            cli.main()
            return 0

        return Process(words, work, self.new_file())

    def break_disk(self, fault: DiskFault | None) -> None:
        """In a process of its own: from now on it meets this fault."""
        if fault is not None:
            self.disk = Disk(self.home, fault)
            self.disk.install()

    def prepare(self) -> None:
        """In a process of its own: workers that are none, no settings of ours, and no waiting for time to pass.

        Nothing is written because time has passed either: what it does to the disk, and in which order, is the
        same on a slow machine.
        """
        os.environ["AEFIT_HOME"] = str(self.home)
        os.environ["XDG_CONFIG_HOME"] = str(self.root / "config")
        os.chdir(self.root)
        workers = partial(FakeExecutor, self.compute)
        for place, name, value in (
            (coordinator, "LocalProcesses", lambda jobs, start: workers(capacity=jobs)),
            (batch, "start_coordinator", self.start_coordinator),
            (follow, "LOOK_SECONDS", 0.005),
            (lock, "SILENCE_SECONDS", SILENCE),
            (lock, "LOOK_SECONDS", 0.01),
            (statistics_journal, "STATISTICS_SECONDS", math.inf),
            (lock_keeping, "heartbeat", partial(lock_keeping.heartbeat, seconds=threading.TIMEOUT_MAX)),
        ):
            setattr(place, name, value)

    def compute(self, task: Task) -> Sequence[Report]:
        """What a worker does with a run."""
        try:
            put_result(self.experiment, task.run, stands=self.experiment.stands)
        except (OSError, AefitError) as error:
            return [Failed(task, f"its result cannot be written: {error}", "")]
        return [RunDone(task)]

    def start_coordinator(self, experiment: Experiment, how: How, *, tied: bool) -> Coordinator:
        """What `core.records.starting.start_coordinator` does, with a forked process."""
        words = [*self.coordinator_words(experiment.folder), *(["--foreground"] if tied else [])]
        return self.fork(COORDINATOR, lambda: coordinator.main(words), experiment.log)

    def fork(self, words: tuple[str, ...], work: Callable[[], int], log: Path) -> Coordinator:
        """A main program that is started; it goes on when whoever has started it is gone."""
        reading, writing = os.pipe()

        def begin() -> int:
            os.close(writing)
            sys.stdin = os.fdopen(reading)
            if self.disk is not None:
                self.disk.stops_nobody()
            return work()

        try:
            process = Process(words, begin, log)
        except OSError as error:
            raise ExperimentError(f"cannot write {log}: {error.strerror}") from error
        os.close(reading)
        return Coordinator(process, os.fdopen(writing, "wb"))

    def numbers(self) -> dict[int, RunMetrics]:
        """Of every run that has a valid result."""
        return load(self.experiment.folder).results(verify=True)

    def litter(self) -> list[str]:
        """What dead processes left half written."""
        hidden = self.home.rglob(".*")
        named = (path for path in hidden if ownership.is_abandoned(path) or self._is_claim_of_the_dead(path))
        return [str(path.relative_to(self.home)) for path in named]

    def _is_claim_of_the_dead(self, path: Path) -> bool:
        """What cannot be read is nobody's: it may be a stranger's, and is in nobody's way."""
        found = lock.Lock(path.parent)._holding(path) if lock.CLAIM.fullmatch(path.name) else None
        return found is not None and found.life == "dead"

    def new_file(self) -> Path:
        self._processes += 1
        return self.root / f"said-{self._processes}"


def contents(folder: Path) -> dict[str, str]:
    """What lies in a folder: names, and digests of files."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }  # fmt: skip


__all__ = [
    "AGAIN",
    "COORDINATOR",
    "KILLED",
    "OBEYED",
    "SILENCE",
    "SPEC",
    "STATUSES",
    "SUPERVISOR",
    "TRACE",
    "Ended",
    "Lab",
    "Process",
    "contents",
]
