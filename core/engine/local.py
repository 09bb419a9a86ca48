"""The executor on this machine: worker processes that stay from one run to the next."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Protocol

from core.engine.executor import (
    Assigned,
    Done,
    Failed,
    Lost,
    Refused,
    Report,
    Task,
    WorkerReady,
    WorkerStarted,
)
from core.engine.messages import (
    LONGEST_LINE,
    Answer,
    Completed,
    Compute,
    Ready,
    Refusal,
    RunFailure,
    parse_answer,
    to_line,
)
from core.errors import RecordError

LEAVE_SECONDS = 5.0
"""How long a worker may take to leave before it is killed."""
END_SECONDS = 0.5
"""How long a worker may live after it has closed its answers: one that ends closes them a little before."""
UNHEARD = 100
"""How many answers may wait to be read: beyond these, workers' answers stay in their pipes."""


class WorkerSilent(Exception):
    """A worker gives no sign of life any more; the text goes on a sentence that begins with "the worker"."""


class Answers(Protocol):
    """What a worker answers, line by line, and nothing else."""

    def readline(self, limit: int, /) -> bytes:
        """The next line, or the first `limit` bytes of a longer one; b"" at the end. Raises WorkerSilent."""
        ...

    def close(self) -> None:
        """Read nothing more."""
        ...


class WorkerProcess(Protocol):
    """A worker process. answers: the lines that it answers. pid: its own, or its launcher's."""

    @property
    def pid(self) -> int: ...  # noqa: D102

    @property
    def stdin(self) -> IO[bytes] | None: ...  # noqa: D102

    @property
    def answers(self) -> Answers: ...  # noqa: D102

    def wait(self, timeout: float | None = None) -> int:
        """The exit status. Raises subprocess.TimeoutExpired."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class PipedProcess:
    """A worker process with pipes to it; what it and its libraries print goes where our own output goes.

    command: its command, to which `--answers` and the descriptor for its answers are added. environment: its
    variables, by default ours. Raises OSError.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        reading, writing = os.pipe()
        self.answers: IO[bytes] = os.fdopen(reading, "rb")
        try:
            self._process = subprocess.Popen(
                [*command, "--answers", str(writing)],
                stdin=subprocess.PIPE,
                env=environment,
                pass_fds=(writing,),
                # Ctrl+C in a terminal is the coordinator's to answer; it tells its workers.
                start_new_session=True,
            )
        except OSError:
            self.answers.close()
            raise
        finally:
            os.close(writing)
        self.pid = self._process.pid
        self.stdin = self._process.stdin

    def wait(self, timeout: float | None = None) -> int:
        """See `WorkerProcess.wait`."""
        return self._process.wait(timeout)

    def kill(self) -> None:
        """See `WorkerProcess.kill`."""
        self._process.kill()


@dataclass
class _Worker:
    number: int
    process: WorkerProcess
    ready: bool = False
    task: Task | None = None
    deaf: bool = False
    """Whether it died while it was idle: the end of its answers has not come to the inbox yet."""
    fault: str = ""
    """Why it was killed, "" where it was not; goes on a sentence that begins with "the worker"."""
    hint: str = ""
    """What to do about its fault."""


class LocalProcesses:
    """An executor: at most `jobs` worker processes of one experiment, started when they are needed.

    start: worker's number -> its process, which understands `core.engine.messages`. One that answers anything else
    is killed and reported as lost, like one that dies. end_seconds: see END_SECONDS.
    """

    def __init__(
        self, jobs: int, start: Callable[[int], WorkerProcess], *, end_seconds: float = END_SECONDS
    ) -> None:
        self._jobs = jobs
        self._start = start
        self._end_seconds = end_seconds
        self._queue: deque[Task] = deque()
        self._workers: dict[int, _Worker] = {}
        self._reports: deque[Report] = deque()
        self._inbox: queue.Queue[tuple[_Worker, Answer | RecordError | WorkerSilent | None]] = queue.Queue(
            UNHEARD
        )
        self._numbers = 0
        self._ever_ready = False
        """Whether any worker was ever ready: then a later refusal concerns that worker, not all."""

    @property
    def capacity(self) -> int:
        """See `Executor.capacity`."""
        return self._jobs

    def submit(self, task: Task) -> None:
        """See `Executor.submit`."""
        self._queue.append(task)

    def next_report(self, timeout: float) -> Report | None:
        """See `Executor.next_report`."""
        self._start_workers()
        self._hand_out()
        if not self._reports:
            try:
                worker, said = self._inbox.get(timeout=timeout)
            except queue.Empty:
                return None
            if said is None:
                self._lost(worker)
            elif isinstance(said, RecordError):
                self._dismiss(worker, f"said what it should not: {said}")
            elif isinstance(said, WorkerSilent):
                self._dismiss(worker, str(said))
            else:
                self._hear(worker, said)
        return self._reports.popleft() if self._reports else None

    def stop(self) -> None:
        """Close every worker's input, which tells it to leave; kill those that are there after LEAVE_SECONDS."""
        for worker in self._workers.values():
            _close(worker.process)
        deadline = time.monotonic() + LEAVE_SECONDS
        for worker in self._workers.values():
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        self._workers.clear()

    def _start_workers(self) -> None:
        """Start the workers that are missing; only one until it is ready, so that one alone meets what is wrong."""
        wanted = min(self._jobs, len(self._queue) + sum(w.task is not None for w in self._workers.values()))
        if not any(worker.ready for worker in self._workers.values()):
            wanted = min(wanted, 1)
        while len(self._workers) < wanted:
            self._numbers += 1
            try:
                process = self._start(self._numbers)
            except OSError as error:
                reason = f"could not be started: {error.strerror or error}"
                self._reports.append(Lost(self._numbers, self._withdraw(), reason, ready=False))
                return
            worker = _Worker(self._numbers, process)
            self._workers[worker.number] = worker
            self._reports.append(WorkerStarted(worker.number, process.pid))
            threading.Thread(target=self._listen, args=(worker,), daemon=True).start()

    def _listen(self, worker: _Worker) -> None:
        """Put a worker's answers into the inbox, up to the first that is no valid one, then None."""
        try:
            while line := worker.process.answers.readline(LONGEST_LINE):
                self._inbox.put((worker, parse_answer(line)))
        except (RecordError, WorkerSilent) as error:
            self._inbox.put((worker, error))
        finally:
            self._inbox.put((worker, None))

    def _hand_out(self) -> None:
        """Give each ready, idle worker a task."""
        for worker in self._workers.values():
            if self._queue and worker.ready and worker.task is None and not worker.deaf and not worker.fault:
                task = self._queue[0]
                if send(worker.process, Compute(run=task.run)):
                    worker.task = self._queue.popleft()
                    self._reports.append(Assigned(task, worker.number))
                else:
                    worker.deaf = True

    def _hear(self, worker: _Worker, answer: Answer) -> None:
        """Take in a worker's answer; ignored once the worker has a fault."""
        if worker.fault:
            return
        match answer:
            case Refusal() | Ready() if worker.ready:
                self._dismiss(worker, "said again whether it can compute")
            case Refusal() if self._ever_ready:
                worker.hint = answer.hint
                self._dismiss(worker, f"refused ({answer.error})")
            case Refusal():
                self._reports.append(Refused(answer.error, answer.hint))
            case Ready():
                worker.ready = self._ever_ready = True
                self._reports.append(WorkerReady(worker.number, answer.data_sha256))
            case Completed() | RunFailure() if worker.task is None or answer.run != worker.task.run:
                self._dismiss(worker, f"told of run {answer.run}, which it was not given")
            case Completed():
                self._reports.append(Done(self._task_of(worker)))
            case RunFailure():
                self._reports.append(Failed(self._task_of(worker), answer.error, answer.hint))

    def _task_of(self, worker: _Worker) -> Task:
        """The task that a worker has finished; the worker is free for another from now on."""
        assert worker.task is not None
        task, worker.task = worker.task, None
        return task

    def _dismiss(self, worker: _Worker, fault: str) -> None:
        """Kill a worker that cannot be relied on; it is reported as lost, like one that dies."""
        worker.fault = fault
        worker.process.kill()

    def _lost(self, worker: _Worker) -> None:
        del self._workers[worker.number]
        try:
            ending = how_it_ended(worker.process.wait(self._end_seconds))
        except subprocess.TimeoutExpired:
            # It lives, and cannot answer any more.
            worker.process.kill()
            worker.process.wait()
            ending = "closed its answers"
        worker.process.answers.close()
        task = worker.task if worker.ready else self._withdraw()
        self._reports.append(Lost(worker.number, task, worker.fault or ending, worker.ready, worker.hint))

    def _withdraw(self) -> Task | None:
        """Take the last waiting task back, if other workers are ready: there is one worker less to compute it."""
        if self._queue and any(worker.ready for worker in self._workers.values()):
            return self._queue.pop()
        return None


def how_it_ended(status: int) -> str:
    """How a process with this exit status ended, in words."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed ({signal.Signals(-status).name})"
    except ValueError:
        return f"was killed (signal {-status})"


def send(process: WorkerProcess, message: Compute) -> bool:
    """Send a message to a worker; whether its input is open."""
    assert process.stdin is not None
    try:
        process.stdin.write(to_line(message))
        process.stdin.flush()
    except BrokenPipeError:
        return False
    return True


def _close(process: WorkerProcess) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it is gone already
        process.stdin.close()
