"""Local worker processes as the executor has them, with processes that compute nothing."""

from __future__ import annotations

import errno
import io
import os
import queue
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from core.engine.executor import (
    Assigned,
    Done,
    Executor,
    Failed,
    Lost,
    Refused,
    Report,
    Task,
    WorkerReady,
    WorkerStarted,
)
from core.engine.local import UNHEARD, LocalProcesses, PipedProcess, WorkerProcess, how_it_ended
from core.engine.messages import (
    LONGEST_LINE,
    Completed,
    Ready,
    Refusal,
    RunFailure,
    parse_command,
    to_line,
)

SHA = "a" * 64
PATIENCE = 120.0


def task(run: int) -> Task:
    return Task(Path("/home/experiments/one"), run)


class Pipe(io.RawIOBase):
    """The worker's end of its input: what it is asked for, by run."""

    def __init__(self) -> None:
        self.runs: list[int] = []
        self.broken = False

    def writable(self) -> bool:
        return True

    def write(self, line: object) -> int:
        if self.broken:
            raise BrokenPipeError
        assert isinstance(line, bytes)
        self.runs.append(parse_command(line).run)
        return len(line)


class Answers(io.RawIOBase):
    """The coordinator's end of a worker's answers."""

    def __init__(self, lines: queue.SimpleQueue[bytes | None]) -> None:
        self._lines = lines
        self._rest = b""

    def readline(self, size: int | None = -1) -> bytes:
        assert size is not None
        while b"\n" not in self._rest and len(self._rest) < size and (line := self._lines.get()) is not None:
            self._rest += line
        end = min(size, self._rest.find(b"\n") + 1 or size)
        line, self._rest = self._rest[:end], self._rest[end:]
        return line


class Process:
    """A worker's process: it says what it is made to say."""

    def __init__(self, number: int, *, stubborn: bool = False) -> None:
        self.pid = 100 + number
        self.stdin = Pipe()
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.answers = Answers(self._lines)
        self.status = 0
        self.killed = False
        self.waits: list[float | None] = []
        self.stubborn = stubborn

    def say(self, line: bytes) -> None:
        self._lines.put(line)

    def die(self, status: int = -9) -> None:
        self.status = status
        self.stdin.broken = True
        self._lines.put(None)

    def kill(self) -> None:
        self.killed = True
        self.die()

    def wait(self, timeout: float | None = None) -> int:
        self.waits.append(timeout)
        if self.stubborn and not self.killed:
            raise subprocess.TimeoutExpired("worker", timeout or 0)
        return self.status


class Bench:
    """An executor and the processes that it has started."""

    def __init__(self, jobs: int, *, stubborn: bool = False) -> None:
        self.processes: list[Process] = []
        self.stubborn = stubborn
        self.refusal: OSError | None = None
        self.executor = LocalProcesses(jobs, self.start)

    def start(self, number: int) -> WorkerProcess:
        if self.refusal is not None:
            raise self.refusal
        assert number == len(self.processes) + 1
        self.processes.append(Process(number, stubborn=self.stubborn))
        return self.processes[-1]  # type: ignore[return-value]  # as much of it as is used

    def report(self) -> Report:
        report = self.executor.next_report(PATIENCE)
        assert report is not None
        return report

    def quiet(self) -> bool:
        """Whether nothing more happens."""
        return self.executor.next_report(0.0) is None

    def ready(self, *runs: int) -> None:
        """Tasks are submitted and the first worker has the first of them."""
        for run in runs:
            self.executor.submit(task(run))
        assert self.report() == WorkerStarted(1, 101)
        self.processes[0].say(to_line(Ready(data_sha256=SHA)))
        assert self.report() == WorkerReady(1, SHA)


def test_it_is_an_executor() -> None:
    executor: Executor = Bench(3).executor
    assert executor.capacity == 3


def test_nobody_is_started_for_nothing() -> None:
    bench = Bench(2)
    assert bench.quiet()
    assert bench.processes == []


def test_one_worker_alone_reads_the_data_first_then_as_many_as_there_are_tasks() -> None:
    bench = Bench(3)
    for run in range(2):
        bench.executor.submit(task(run))
    assert bench.report() == WorkerStarted(1, 101)
    assert bench.quiet()
    bench.processes[0].say(to_line(Ready(data_sha256=SHA)))
    assert [bench.report() for _ in range(3)] == [
        WorkerReady(1, SHA),
        WorkerStarted(2, 102),
        Assigned(task(0), 1),
    ]
    bench.processes[1].say(to_line(Ready(data_sha256=SHA)))
    assert [bench.report() for _ in range(2)] == [WorkerReady(2, SHA), Assigned(task(1), 2)]
    assert bench.quiet()
    assert [process.stdin.runs for process in bench.processes] == [[0], [1]]


def test_a_worker_stays_from_one_task_to_the_next() -> None:
    bench = Bench(1)
    bench.ready(0, 1)
    assert bench.report() == Assigned(task(0), 1)
    bench.processes[0].say(to_line(Completed(run=0)))
    assert bench.report() == Done(task(0))
    assert bench.report() == Assigned(task(1), 1)
    bench.processes[0].say(to_line(RunFailure(run=1, error="no", hint="way")))
    assert bench.report() == Failed(task(1), "no", "way")
    bench.executor.submit(task(2))
    assert bench.report() == Assigned(task(2), 1)
    assert len(bench.processes) == 1


def test_a_refusal_is_reported() -> None:
    bench = Bench(1)
    bench.executor.submit(task(0))
    bench.report()
    bench.processes[0].say(to_line(Refusal(error="no data", hint="fetch them")))
    assert bench.report() == Refused("no data", "fetch them")


def test_once_another_could_compute_who_refuses_is_lost_and_the_others_go_on() -> None:
    """What ails it lies with its machine or with the moment: the others have read the same data."""
    bench = Bench(2)
    bench.ready(0, 1)
    assert [bench.report() for _ in range(2)] == [WorkerStarted(2, 102), Assigned(task(0), 1)]
    bench.processes[1].say(to_line(Refusal(error="no data", hint="fetch them")))
    assert bench.executor.next_report(PATIENCE) is None, "its refusal is none of all"
    assert bench.report() == Lost(2, task(1), "refused (no data)", ready=False, hint="fetch them")
    assert bench.processes[1].killed
    assert not bench.processes[0].killed
    bench.processes[0].say(to_line(Completed(run=0)))
    assert bench.report() == Done(task(0))


def test_also_once_all_that_could_compute_are_lost() -> None:
    bench = Bench(1)
    bench.ready(0)
    assert bench.report() == Assigned(task(0), 1)
    bench.processes[0].die()
    assert lost(bench).task == task(0)
    bench.executor.submit(task(0))
    assert bench.report() == WorkerStarted(2, 102)
    bench.processes[1].say(to_line(Refusal(error="no data", hint="")))
    assert bench.executor.next_report(PATIENCE) is None
    assert bench.report() == Lost(2, None, "refused (no data)", ready=False)
    assert bench.report() == WorkerStarted(3, 103)


def test_a_lost_worker_gives_its_task_back_and_is_replaced() -> None:
    bench = Bench(1)
    bench.ready(0)
    assert bench.report() == Assigned(task(0), 1)
    bench.processes[0].die(-9)
    assert bench.report() == Lost(1, task(0), "was killed (SIGKILL)", ready=True)
    assert bench.quiet()
    bench.executor.submit(task(0))
    assert bench.report() == WorkerStarted(2, 102)


def test_a_worker_that_dies_idle_keeps_no_task() -> None:
    bench = Bench(1)
    bench.ready(0)
    assert bench.report() == Assigned(task(0), 1)
    bench.processes[0].say(to_line(Completed(run=0)))
    assert bench.report() == Done(task(0))
    bench.processes[0].stdin.broken = True  # it is gone, and nobody has noticed yet
    bench.executor.submit(task(1))
    assert bench.quiet()
    bench.processes[0].die(0)
    assert bench.report() == Lost(1, None, "ended with status 0", ready=True)
    assert bench.report() == WorkerStarted(2, 102)
    bench.processes[1].say(to_line(Ready(data_sha256=SHA)))
    assert bench.report() == WorkerReady(2, SHA)
    assert bench.report() == Assigned(task(1), 2)


def test_the_first_worker_that_dies_before_it_is_ready_is_replaced_for_the_same_tasks() -> None:
    bench = Bench(2)
    for run in range(2):
        bench.executor.submit(task(run))
    bench.report()
    bench.processes[0].die(1)
    assert bench.report() == Lost(1, None, "ended with status 1", ready=False)
    assert bench.report() == WorkerStarted(2, 102)
    assert bench.quiet()


def test_a_worker_that_dies_before_it_is_ready_while_others_work_gives_back_what_it_was_started_for() -> None:
    bench = Bench(2)
    bench.ready(0, 1)
    assert [bench.report() for _ in range(2)] == [WorkerStarted(2, 102), Assigned(task(0), 1)]
    bench.processes[1].die(-9)
    assert bench.report() == Lost(2, task(1), "was killed (SIGKILL)", ready=False)
    # Without that task there is no need of another worker.
    assert bench.quiet()
    assert len(bench.processes) == 2


def test_a_process_that_cannot_be_started_is_a_lost_worker() -> None:
    bench = Bench(1)
    bench.refusal = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    bench.executor.submit(task(0))
    assert bench.report() == Lost(1, None, "could not be started: Cannot allocate memory", ready=False)


NO_MESSAGES = [
    pytest.param(line, id=repr(line[:20]))
    for line in (
        b"UserWarning: a library prints\n",
        b"\xff\xfe\n",
        b"{}\n",
        b"false\n",
        b"7\n",
        b"\n",
        b"[" * 100_000 + b"\n",
        b'{"answer":"completed"}\n',
        b'{"answer":"nonsense"}\n',
        b'{"answer":"completed","run":0}',
        b"x" * (LONGEST_LINE + 1),
    )
]
"""What a worker may say that is no answer; the last two have no end."""


def lost(bench: Bench) -> Lost:
    """The worker's loss, and whatever else is heard before it."""
    report = None
    while not isinstance(report, Lost):
        report = bench.executor.next_report(PATIENCE)
    return report


@pytest.mark.parametrize("line", NO_MESSAGES)
def test_a_worker_that_says_what_is_no_message_before_it_is_ready_is_killed_and_lost(line: bytes) -> None:
    bench = Bench(1)
    bench.executor.submit(task(0))
    bench.report()
    bench.processes[0].say(line)
    if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
        bench.processes[0].die()
    report = lost(bench)
    assert bench.processes[0].killed or not line.endswith(b"\n")
    assert (report.worker, report.task, report.ready) == (1, None, False)
    assert report.reason.startswith("said what it should not: ")
    assert bench.report() == WorkerStarted(2, 102)


@pytest.mark.parametrize("line", NO_MESSAGES)
def test_a_worker_that_says_what_is_no_message_at_its_work_is_killed_and_lost(line: bytes) -> None:
    bench = Bench(1)
    bench.ready(0)
    assert bench.report() == Assigned(task(0), 1)
    bench.processes[0].say(line)
    if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
        bench.processes[0].die()
    bench.processes[0].say(to_line(Completed(run=0)))  # no longer believed
    report = lost(bench)
    assert (report.worker, report.task, report.ready) == (1, task(0), True)
    assert report.reason.startswith("said what it should not: ")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (to_line(Completed(run=5)), "told of run 5, which it was not given"),
        (to_line(RunFailure(run=5, error="", hint="")), "told of run 5, which it was not given"),
        (to_line(Ready(data_sha256=SHA)), "said again whether it can compute"),
        (to_line(Refusal(error="", hint="")), "said again whether it can compute"),
    ],
)
def test_a_worker_that_says_what_does_not_fit_is_killed_and_lost(line: bytes, reason: str) -> None:
    bench = Bench(1)
    bench.ready(0)
    assert bench.report() == Assigned(task(0), 1)
    bench.processes[0].say(line)
    bench.processes[0].say(to_line(Completed(run=0)))  # no longer believed
    report = lost(bench)
    assert bench.processes[0].killed
    assert (report.worker, report.task, report.ready) == (1, task(0), True)
    assert report.reason == reason


def test_a_worker_that_talks_without_end_cannot_fill_the_memory() -> None:
    """It waits until it was heard; the listener keeps no more than a hundred answers."""
    bench = Bench(1)
    bench.executor.submit(task(0))
    bench.report()
    for _ in range(10 * UNHEARD):
        bench.processes[0].say(to_line(Ready(data_sha256=SHA)))
    report = lost(bench)
    assert bench.executor._inbox.qsize() <= UNHEARD
    assert report.reason == "said again whether it can compute"


def test_a_worker_that_closes_its_answers_and_lives_on_is_killed_and_lost() -> None:
    bench = Bench(1, stubborn=True)
    bench.ready(0)
    assert bench.report() == Assigned(task(0), 1)
    bench.processes[0].die()
    report = lost(bench)
    assert bench.processes[0].killed
    assert (report.task, report.reason) == (task(0), "closed its answers")


PRINTING = """
import os, sys, time
sys.stdout.write("a library greets\\n{}\\nfalse\\n")
sys.stdout.flush()
os.write(1, b"\\xff\\n")
answers = open(int(sys.argv[sys.argv.index("--answers") + 1]), "wb")
answers.write(sys.argv[1].encode() + b"\\n")
answers.flush()
sys.stdin.read()
"""


def test_what_a_library_prints_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    """Before any code of a worker runs, too: answers have a channel of their own."""
    ready = to_line(Ready(data_sha256=SHA)).decode().strip()
    executor = LocalProcesses(1, lambda worker: PipedProcess([sys.executable, "-c", PRINTING, ready]))
    executor.submit(task(0))
    assert isinstance(executor.next_report(PATIENCE), WorkerStarted)
    assert executor.next_report(PATIENCE) == WorkerReady(1, SHA)
    executor.stop()
    assert capfd.readouterr().out.startswith("a library greets\n{}\nfalse\n")


def test_a_process_that_cannot_be_started_leaves_no_pipe_open() -> None:
    before = open_files()
    with pytest.raises(FileNotFoundError):
        PipedProcess(["/nowhere/at/all"])
    assert open_files() <= before  # what an earlier test left may be closed meanwhile


def open_files() -> set[tuple[int, int]]:
    """Which files and pipes this process has open: device and inode of each."""
    found = set()
    for number in os.listdir("/dev/fd"):
        with suppress(OSError):  # the listing's own is closed by now
            status = os.fstat(int(number))
            found.add((status.st_dev, status.st_ino))
    return found


def test_stopping_closes_every_input_and_kills_who_does_not_leave() -> None:
    for stubborn in (False, True):
        bench = Bench(1, stubborn=stubborn)
        bench.ready(0)
        bench.executor.stop()
        (process,) = bench.processes
        assert process.stdin.closed
        assert process.killed == stubborn
        assert process.waits[0] is not None


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "ended with status 0"),
        (3, "ended with status 3"),
        (-15, "was killed (SIGTERM)"),
        (-50, "was killed (signal 50)"),
    ],
)
def test_how_a_process_ended_is_said_in_words(status: int, words: str) -> None:
    assert how_it_ended(status) == words
