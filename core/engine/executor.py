"""The protocol of executors, which are handed tasks and report what became of them, and its messages.

A new place where runs are computed is one module beside this one and one entry in `core.places.registry`. The
module has a class with what `Executor` asks for, which is made from a `Request`. It need not know of statistics,
journals or locks: a task is complete in itself, and a process that sees the experiment's folder does it with
`python -m core.engine.worker FOLDER RUN`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Task:
    """Run `run` (from 0) of the experiment in `folder`: to be computed and published there."""

    folder: Path
    run: int


@dataclass(frozen=True)
class WorkerStarted:
    """A worker is on its way. worker: a number from 1, never used again. pid: its process, or a job's number."""

    worker: int
    pid: int


@dataclass(frozen=True)
class WorkerReady:
    """A worker has read the data, whose pooled images have this SHA-256, and takes tasks."""

    worker: int
    data_sha256: str


@dataclass(frozen=True)
class Assigned:
    """A worker begins with a task."""

    task: Task
    worker: int


@dataclass(frozen=True)
class Done:
    """A task's result is published."""

    task: Task


@dataclass(frozen=True)
class Failed:
    """A task cannot be computed, and would fail again. hint: what to do about it, may be empty."""

    task: Task
    error: str
    hint: str


@dataclass(frozen=True)
class Lost:
    """A worker has ended without an answer, or cannot compute where others can.

    task: to be submitted again or given up: the one that it was computing, or one that it was started for; None
    where there is none. reason: what its process did, such as "was killed (SIGKILL)". ready: whether it had read
    the data. hint: what to do about it, may be empty.
    """

    worker: int
    task: Task | None
    reason: str
    ready: bool
    hint: str = ""


@dataclass(frozen=True)
class Refused:
    """No task can be computed: the data are missing, for instance.

    A refusal of one worker after another was ready is a `Lost` instead.
    """

    error: str
    hint: str


Report = WorkerStarted | WorkerReady | Assigned | Done | Failed | Lost | Refused


class Executor(Protocol):
    """Computes tasks, in the order in which they are submitted as far as it can.

    Every task that is submitted comes back once: in a Done, a Failed or a Lost. One thread calls the methods.
    """

    @property
    def capacity(self) -> int:
        """How many tasks it takes at the same time, at least 1; may change."""
        ...

    def submit(self, task: Task) -> None:
        """Take one more task. What goes wrong with it is reported, not raised."""
        ...

    def next_report(self, timeout: float) -> Report | None:
        """The next report, in the order of events; None where nothing happened within `timeout` seconds."""
        ...

    def stop(self) -> None:
        """End all workers, whatever they are doing; nothing is reported after that."""
        ...


@dataclass(frozen=True)
class Request:
    """What an executor in another place is made for.

    folder: the experiment's, absolute. text: the value of the place's setting, one that it can have. jobs: runs
    at the same time; threads: of each. options: of a worker for an experiment's folder, which is the first of
    them; not that for its journal. journal: the file of the worker with a number.
    """

    folder: Path
    text: str
    jobs: int
    threads: int
    options: Callable[[Path], Sequence[str]]
    journal: Callable[[int], Path]
