"""The computation of one experiment: submits its runs, retries those of lost workers, journals, finishes."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

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
from core.engine.extension import Extension
from core.engine.schedule import ATTEMPTS, Schedule
from core.engine.statistics_journal import StatisticsJournal
from core.engine.stopping import Stop
from core.errors import ExperimentError
from core.records import events
from core.records.events import Ending, Event
from core.records.experiment import Experiment
from core.records.metrics import RunMetrics

NAMED = 3
"""How many of the experiments that are waited for a notice names, at most."""
READ_SECONDS = 120.0
"""How long a published result may be unreadable before its run counts as failed: a file server may be away."""
LOOK_SECONDS = 0.25
"""How often it is looked whether to stop, or whether more runs are asked for."""


class Turn(Protocol):
    """How many runs of an experiment may be computed now, beside the other experiments of its home."""

    @property
    def before(self) -> Sequence[str]:
        """The ids of the experiments that are waited for."""
        ...

    def runs(self, using: int, wanted: int) -> int:
        """How many runs at a time. using: how many are computed now. wanted: how many would be, given room."""
        ...


class Alone:
    """The turn of an experiment that waits for nobody: all runs that it wants."""

    before: Sequence[str] = ()

    def runs(self, using: int, wanted: int) -> int:
        """See `Turn.runs`."""
        return wanted


class _End(Exception):
    """No run of the experiment can be computed. It has the status to end with, the reason and what to do."""

    def __init__(self, status: Ending, message: str, hint: str) -> None:
        super().__init__(message)
        self.status = status
        self.hint = hint


class Computation:
    """Computes the missing runs of one experiment whose lock the caller holds."""

    def __init__(
        self,
        experiment: Experiment,
        executor: Executor,
        write: Callable[[Event], bool],
        stop: Callable[[], Stop | None],
        *,
        data_dir: Path,
        turn: Turn | None = None,
        attempts: int = ATTEMPTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """write: appends an event to the journal and says whether it is there.

        stop: the status to end with, or None to go on; asked every LOOK_SECONDS. data_dir: where the data lie.
        turn: of this experiment among those of its home; None where it waits for nobody.
        attempts: see `Schedule`.
        clock: seconds, for the time between two publications of the statistics, and for READ_SECONDS.
        """
        self._experiment = experiment
        self._executor = executor
        self._write = write
        self._stop = stop
        self._data_dir = data_dir
        self._turn = turn or Alone()
        self._waits = False
        self._unread: dict[Task, float] = {}
        """Task whose published result could not be read yet -> since when, by `clock`."""
        self._failures: dict[Task, Failed] = {}
        """Those tasks of `_unread` that a worker reported as failed -> its report."""
        self._clock = clock
        complete = experiment.results(verify=True)
        self._complete = set(complete)
        self._data_sha256 = next((metrics.data_sha256 for metrics in complete.values()), None)
        self._makers = {metrics.environment.maker for metrics in complete.values()}
        self._schedule = Schedule(self._tasks(range(experiment.spec.runs)), attempts)
        self._statistics = StatisticsJournal(experiment.spec, complete, write, clock)
        self._extension = Extension(experiment, write)

    def compute(self) -> Ending:
        """Compute until no run is pending or a stop is asked for; the status, also journaled as Finished."""
        self._write(
            events.CoordinatorStarted(
                host=socket.gethostname(),
                pid=os.getpid(),
                jobs=self._executor.capacity,
                pending=tuple(task.run for task in self._schedule.waiting),
                complete=len(self._complete),
                data_dir=str(self._data_dir),
            )
        )
        self._note_set_aside()
        ending = events.Finished(status="interrupted")
        try:
            ending = events.Finished(status=self._work())
        except _End as end:
            ending = events.Finished(status=end.status, error=str(end), hint=end.hint)
        except OSError as error:
            # Not refused: a request that cannot be met may be taken back, and there is work to be kept.
            place = f"{error.filename}: " if error.filename else ""
            ending = events.Finished(
                status="failed",
                error=f"the computation broke off: {place}{error.strerror or error or type(error).__name__}",
                hint=f"go on with: aefit-tui resume {self._experiment.word}",
            )
        finally:
            if self._schedule.unfinished:
                self._executor.stop()
            try:
                self._statistics.publish()
            finally:
                # Before idle workers leave: whoever asks for more runs after the last look sees that it is over.
                self._write(ending)
                self._executor.stop()
        return ending.status

    def _note_set_aside(self) -> None:
        """Journal which pending runs have a result that is not valid, and why."""
        for task in self._schedule.waiting:
            if problem := self._experiment.result_problem(task.run, verify=True):
                text = f"run {task.run + 1} is computed again, and its result set aside: {problem}"
                self._write(events.Notice(text=text))

    def _work(self) -> Ending:
        while self._goes_on():
            if status := self._stop():
                return status
            self._statistics.publish_if_due()
            for task in self._schedule.take(self._allowed()):
                self._executor.submit(task)
            for task in list(self._unread):
                self._complete_run(task)
            report = self._executor.next_report(LOOK_SECONDS)
            # All that has happened by now, first: statistics take a while, and a run's start is to be journaled
            # before its worker journals more of it.
            while report is not None:
                self._hear(report)
                report = self._executor.next_report(0.0)
        return "complete" if len(self._complete) == self._experiment.spec.runs else "failed"

    def _allowed(self) -> int:
        """How many runs may be at work now. Journals when the experiment has to wait, and when its turn comes."""
        capacity, at_work = self._executor.capacity, self._schedule.at_work
        allowed = min(capacity, self._turn.runs(at_work, min(capacity, self._schedule.left)))
        waits = allowed == 0 and at_work == 0
        if waits != self._waits:
            names = self._turn.before
            behind = f" behind {', '.join(names[:NAMED])}{' and others' if len(names) > NAMED else ''}"
            text = f"it waits for its turn{behind if names else ''}" if waits else "its turn has come"
            self._write(events.Notice(text=text))
            self._waits = waits
        return allowed

    def _goes_on(self) -> bool:
        """Whether runs are left. Once none is, journals the statistics, then looks for runs asked for meanwhile."""
        if self._unfinished():
            return True
        # This takes a while, in which more runs may be asked for.
        self._statistics.publish()
        return self._unfinished()

    def _unfinished(self) -> bool:
        """Whether runs are left, once those that were asked for since the last look are taken in."""
        if further := self._extension.look():
            self._experiment = self._extension.experiment
            self._statistics.extend(self._experiment.spec)
            for run in further:
                if (metrics := self._experiment.result(run, verify=True)) is not None:
                    self._complete.add(run)
                    self._statistics.add(run, metrics)
            self._schedule.add(self._tasks(further))
        return self._schedule.unfinished

    def _tasks(self, runs: Iterable[int]) -> list[Task]:
        """Those of these runs that lack a result."""
        return [Task(self._experiment.folder, run) for run in runs if run not in self._complete]

    def _hear(self, report: Report) -> None:
        match report:
            case WorkerStarted():
                self._write(events.WorkerStarted(worker=report.worker, pid=report.pid))
            case WorkerReady():
                self._check_data(report.data_sha256)
                self._schedule.worker_ready(report.worker)
            case Assigned(task, worker):
                attempt = self._schedule.begin(task)
                self._write(events.RunStarted(run=task.run, worker=worker, attempt=attempt))
            case Done(task):
                self._complete_run(task)
            case Failed():
                self._failed(report)
            case Lost():
                self._lost(report)
            case Refused():
                raise _End("refused", report.error, report.hint)

    def _failed(self, report: Failed) -> None:
        """A worker reports that it cannot compute a run; the run may have a valid result all the same."""
        task = report.task
        try:
            stands = self._experiment.stands(task.run)
        except ExperimentError:  # it may be whole: a later look tells
            self._failures[task] = report
            self._unread[task] = self._clock()
            return
        if not stands:
            self._fail(task, report.error, report.hint)
            return
        # What went wrong came after the publication.
        text = f"run {task.run + 1} has its result, though its worker says: {report.error}"
        self._write(events.Notice(text=text))
        self._complete_run(task)

    def _lost(self, report: Lost) -> None:
        """A worker is gone: its run is begun once more, or has failed where that was its last attempt."""
        self._write(events.WorkerLost(worker=report.worker, reason=report.reason))
        # What it had half written may be what the next attempt has no room for.
        self._experiment.clear_leftovers()
        task = report.task
        if task is not None and self._experiment.result(task.run, verify=True) is not None:
            # It was killed between the publication and its answer.
            self._complete_run(task)
            task = None
        then = self._schedule.worker_lost(report.worker, task, ready=report.ready)
        if then.at_once is not None:
            text = f"from now on {then.at_once} runs at a time: a worker {report.reason}"
            self._write(events.Notice(text=text))
        if then.hopeless:
            hint = report.hint or (
                f"see the end of {self._experiment.log}; `aefit-tui doctor` tells what works here"
            )
            raise _End("failed", f"the worker process {report.reason} before it could start", hint)
        if then.retry is not None:
            error = f"its worker process {report.reason}"
            self._write(events.RunFailed(run=then.retry.run, error=error, hint=report.hint, retry=True))
        if then.failed is not None:
            hint = report.hint or "if memory ran out, compute fewer runs at once: --jobs 1"
            self._fail(then.failed, f"its worker process {report.reason}, {self._often}", hint)

    @property
    def _often(self) -> str:
        """How often a task was begun before it is given up, in words."""
        return "twice" if self._schedule.attempts == 2 else f"{self._schedule.attempts} times"

    def _fail(self, task: Task, error: str, hint: str) -> None:
        self._schedule.finish(task)
        self._write(events.RunFailed(run=task.run, error=error, hint=hint, retry=False))

    def _complete_run(self, task: Task) -> None:
        """Take in the published result of a run; one that cannot be read now is tried again for READ_SECONDS."""
        try:
            metrics = self._experiment.readable_result(task.run)
        except ExperimentError:
            if self._clock() - self._unread.setdefault(task, self._clock()) < READ_SECONDS:
                return
            metrics = None
        self._unread.pop(task, None)
        failure = self._failures.pop(task, None)
        if metrics is None and failure is not None:
            self._fail(task, failure.error, failure.hint)
            return
        if metrics is None:
            hint = (
                f"see {self._experiment.run_folder(task.run)}, then: aefit-tui resume {self._experiment.word}"
            )
            self._fail(task, "its result was published and cannot be read again", hint)
            return
        self._check_data(metrics.data_sha256)  # of workers that never said that they are ready
        self._schedule.finish(task)
        self._complete.add(task.run)
        self._write(events.RunCompleted(run=task.run))
        self._note_other_maker(metrics)
        self._statistics.add(task.run, metrics)

    def _check_data(self, sha256: str) -> None:
        """Raises _End where the images are not those of the experiment's earlier runs."""
        if self._data_sha256 not in (None, sha256):
            raise _End(
                "refused",
                f"the data set {self._experiment.spec.dataset} is not what it was when earlier runs were computed",
                "bring the former files back, or compute all anew: "
                f"aefit-tui delete {self._experiment.word}, then start it again",
            )
        self._data_sha256 = sha256

    def _note_other_maker(self, metrics: RunMetrics) -> None:
        """Runs computed on another device or by another torch may differ in their last bits: say so once."""
        maker = metrics.environment.maker
        if len(self._makers) == 1 and maker not in self._makers:
            text = "some runs were computed on another device, processor or version of torch than others"
            self._write(events.Notice(text=text))
        self._makers.add(maker)
