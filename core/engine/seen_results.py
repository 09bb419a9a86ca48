"""Checks what an executor on other machines reports of a run against the files that can be seen here.

A network file system shows a new file to other machines after a delay, NFS up to a minute. And a report may be lost
while the files arrive: a run whose result is seen is done, even without a report. A damaged result that lies there
until its run is published anew does not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from core.engine.executor import Assigned, Done, Executor, Failed, Lost, Report, Task
from core.errors import AefitError
from core.records.experiment import load
from core.records.results import METRICS

LOOK_SECONDS = 5.0
"""Seconds between two looks for results that no report has told of, at least."""
LOOKS_A_SECOND = 10
"""Results that are looked for a second, on average at most: each costs a few requests to a file server."""
PATIENCE_SECONDS = 120.0
"""How long a published result may take to be seen: NFS caches the entries of a folder for up to 60 s."""


class Seen(NamedTuple):
    """Differs between two metrics.json at the same path. modified: nanoseconds since 1970; size: bytes."""

    inode: int
    modified: int
    size: int


def seen_result(task: Task) -> Seen | None:
    """The stamp of the metrics.json of a task that is seen here now, valid or not; None where none is seen."""
    runs = task.folder / "runs"
    run = runs / f"{task.run:04d}"
    for folder in (runs, run):
        # To list a folder makes a network file system ask its server anew what is in it.
        with suppress(OSError):
            next(folder.iterdir(), None)
    try:
        found = (run / "result" / METRICS).stat()
    except OSError:  # for whatever reason: it may be seen at a later look
        return None
    return Seen(found.st_ino, found.st_mtime_ns, found.st_size)


def stands(task: Task) -> bool:
    """Whether a task has a valid result, its arrays compared with their checksums; False for an unreadable one."""
    try:
        return load(task.folder).stands(task.run)
    except AefitError:
        return False


class SeenResults:
    """Wraps an executor: a task is reported Done as soon as its result is seen here, and not before.

    A result that is there when the task is submitted and is not valid does not count, only one that replaces it.
    seen: the stamp of a task's result. stands: whether that result is valid. clock: seconds.
    """

    def __init__(
        self,
        executor: Executor,
        *,
        seen: Callable[[Task], Seen | None] = seen_result,
        stands: Callable[[Task], bool] = stands,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._executor = executor
        self._seen = seen
        self._stands = stands
        self._clock = clock
        self._damaged: dict[Task, Seen] = {}
        self._begun: set[Task] = set()
        self._unseen: dict[Task, float] = {}
        self._told: set[Task] = set()
        self._looked = clock()

    @property
    def capacity(self) -> int:
        """See `Executor.capacity`."""
        return self._executor.capacity

    def submit(self, task: Task) -> None:
        """See `Executor.submit`."""
        self._damaged.pop(task, None)
        # The stamp before the check: a result published in between has another stamp, and counts.
        if (there := self._seen(task)) is not None and not self._stands(task):
            self._damaged[task] = there
        self._executor.submit(task)

    def next_report(self, timeout: float) -> Report | None:
        """See `Executor.next_report`."""
        report = self._executor.next_report(timeout)
        while report is not None:
            if (passed := self._pass_on(report)) is not None:
                return passed
            report = self._executor.next_report(0.0)
        return self._look()

    def stop(self) -> None:
        """See `Executor.stop`."""
        self._executor.stop()

    def _pass_on(self, report: Report) -> Report | None:
        """The report to pass on for one of the executor; None where it is held back, or its task was told Done."""
        match report:
            case Assigned(task):
                self._begun.add(task)
            case Done(task) | Failed(task) if task in self._told:
                self._told.discard(task)
                return None
            case Lost(_, Task() as task) if task in self._told:
                self._told.discard(task)
                return replace(report, task=None)
            case Done(task):
                self._begun.discard(task)
                self._unseen[task] = self._clock()
                return self._tell_if_seen(task)
            case Failed(task) | Lost(_, Task() as task):
                self._begun.discard(task)
        return report

    def _look(self) -> Report | None:
        """The Done of a task whose result is seen by now, or Failed after PATIENCE_SECONDS; None for neither."""
        now = self._clock()
        for task, since in list(self._unseen.items()):
            if (report := self._tell_if_seen(task)) is not None:
                return report
            if now - since >= PATIENCE_SECONDS:
                del self._unseen[task]
                return Failed(
                    task,
                    "its worker has published its result, and it cannot be seen here",
                    "all machines must see the same home: --home DIR on a file system that they share",
                )
        if now - self._looked < max(LOOK_SECONDS, len(self._begun) / LOOKS_A_SECOND):
            return None
        for task in self._begun:
            if self._is_there(task):
                self._begun.discard(task)
                self._told.add(task)
                return Done(task)
        self._looked = now
        return None

    def _tell_if_seen(self, task: Task) -> Done | None:
        if not self._is_there(task):
            return None
        del self._unseen[task]
        return Done(task)

    def _is_there(self, task: Task) -> bool:
        there = self._seen(task)
        return there is not None and there != self._damaged.get(task)
