"""Folds the events of an experiment into a snapshot. No input or output."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.declarations.printable import printable_lines
from core.records.events import (
    CoordinatorStarted,
    DatasetLoaded,
    EnvironmentReported,
    EpochFinished,
    Event,
    Finished,
    Notice,
    Progress,
    RunCompleted,
    RunEvent,
    RunFailed,
    RunStarted,
    StageFinished,
    StageStarted,
    StatisticsComputed,
    WorkerLost,
)
from core.records.metrics import RunMetrics
from core.records.stages import stages_of
from core.records.status import (
    ExperimentStatus,
    RunStatus,
    experiment_status,
    is_turning_point,
    run_status,
)
from core.spec.spec import Spec
from tui_aefit.following.estimate import AtWork, Estimate, estimate
from tui_aefit.following.pace import expected_stages
from tui_aefit.following.past_runs import PastRun
from tui_aefit.following.sentences import describe, describe_ending, describe_progress
from tui_aefit.following.size import Size, size_of
from tui_aefit.following.snapshot import LOG_LINES, Level, LogLine, RunView, Snapshot

Metrics = Mapping[int, RunMetrics]
"""Run -> its metrics, of the complete runs."""


class Fold:
    """Takes an experiment's events in order and gives the snapshot that follows from them.

    Adding one event at a time or all at once gives the same snapshot. Events of runs that the experiment does
    not have are ignored.
    """

    def __init__(self, experiment_id: str, spec: Spec) -> None:
        self._id, self._spec = experiment_id, spec
        self._runs: list[_Run] = []
        self._views: list[RunView] = []
        self._changed: set[int] = set()
        self._complete: frozenset[int] = frozenset()
        self._alive = False
        self._waiting: set[int] = set()
        self._spent: dict[str, tuple[int, float]] = {}
        self._host = ""
        self._past: tuple[PastRun, ...] = ()
        self._expected: Mapping[str, float] | None = None
        self._sitting: tuple[float, float] | None = None
        self._worked = 0.0
        self._jobs = 0
        self._log: deque[LogLine | RunCompleted] = deque(maxlen=LOG_LINES)
        self._log_lines: tuple[LogLine, ...] | None = ()
        self._announced: set[str] = set()
        self._turning_point: Event | None = None
        self._ended = True
        self._error = self._hint = ""
        self._statistics: StatisticsComputed | None = None
        self._environment: EnvironmentReported | None = None
        self._dataset: DatasetLoaded | None = None
        self.take_spec(spec)

    def take_spec(self, spec: Spec) -> None:
        """Take the specification as it is now; runs that it asks for in addition count as waiting."""
        further = range(len(self._runs), spec.runs)
        self._spec, self._expected = spec, None
        self._runs += [_Run(index) for index in further]
        self._views += [RunView(index) for index in further]
        self._waiting |= set(further)

    def take_past(self, past: Iterable[PastRun]) -> None:
        """Take complete runs of any experiments, the newest first, to estimate the time left from at first."""
        self._past, self._expected = tuple(past), None

    def add(self, events: Iterable[Event]) -> None:
        """Take further events."""
        for event in events:
            self._take(event)

    def snapshot(
        self,
        *,
        now: float,
        alive: bool,
        metrics: Metrics,
        problems: tuple[str, ...],
        newer: bool,
        damaged: frozenset[int] = frozenset(),
        label: str = "",
    ) -> Snapshot:
        """The snapshot after the events so far.

        now: seconds since 1970. alive: whether a coordinator holds the lock. metrics: of the complete runs.
        problems, newer: as in `Snapshot`. damaged: runs whose result is there and cannot be read. label: the
        person's name for the experiment.
        """
        self._look_at_runs(alive, metrics)
        status = experiment_status(
            running=alive, lacking=len(self._runs) - len(metrics), turning_point=self._turning_point
        )
        at_work = [run for run in self._runs if alive and run.at_work and run.index not in metrics]
        reckoned = self._estimate(at_work, now, metrics)
        error, hint = self._error, self._hint
        if status is ExperimentStatus.INTERRUPTED and not self._ended:
            error = "its computation ended without a word: killed, or the machine went down"
            hint = "resume it: complete runs are kept"
        last = self._statistics
        return Snapshot(
            id=self._id,
            spec=self._spec,
            ladder=next((found.ladder for found in metrics.values()), self._spec.ladder),
            status=status,
            now=now,
            runs=tuple(self._views),
            metrics=metrics,
            summary=last.summary if last else None,
            tests=last.tests if last else (),
            claims=last.claims if last else (),
            verdict=tuple(map(printable_lines, last.verdict)) if last else (),
            statistics_runs=last.runs if last else (),
            environment=self._environment,
            dataset=self._dataset,
            jobs=self._jobs,
            log=self._lines(metrics),
            remaining=reckoned.seconds if alive else None,
            rough=reckoned.rough,
            left={run.index: left for run, left in zip(at_work, reckoned.each, strict=False)},
            done=(len(metrics) + sum(reckoned.shares)) / len(self._runs) if self._runs else 0.0,
            throughput=_throughput(at_work),
            problems=problems,
            damaged=damaged,
            newer=newer,
            label=label,
            host=self._host,
            worked=self._worked_until(now if alive else None),
            error=error,
            hint=hint,
        )

    def at_work(self) -> list[RunView]:
        """The runs that have begun and not ended, as far as the events tell, in their order."""
        return [run.view(complete=False, alive=True) for run in self._runs if run.at_work]

    def remaining(self, now: float, complete: Collection[int] = ()) -> float | None:
        """Seconds until all runs are done, if somebody computes them; None where there is nothing to go by.

        now: seconds since 1970. complete: the complete runs, which are not waiting whatever the events say.
        """
        return self._estimate([run for run in self._runs if run.at_work], now, complete).seconds

    @property
    def typical(self) -> dict[str, float]:
        """Stage -> mean seconds, of the stages that some run has finished."""
        return {stage: total / count for stage, (count, total) in self._spent.items()}

    def _look_at_runs(self, alive: bool, metrics: Metrics) -> None:
        """Update the views of the runs that may have changed."""
        if metrics.keys() != self._complete:
            self._changed |= metrics.keys() ^ self._complete
            self._complete = frozenset(metrics)
            self._log_lines = None
        if alive != self._alive:
            self._changed |= {run.index for run in self._runs if run.at_work}
            self._alive = alive
        for index in self._changed:
            if index < len(self._runs):
                self._views[index] = self._runs[index].view(complete=index in metrics, alive=alive)
        self._changed.clear()

    def _lines(self, metrics: Metrics) -> tuple[LogLine, ...]:
        """The log. A line on a complete run is made here, from its metrics, which are read later than its event."""
        if self._log_lines is None:
            self._log_lines = tuple(
                line if isinstance(line, LogLine) else self._line_of(line, metrics) for line in self._log
            )
        return self._log_lines

    def _line_of(self, event: RunCompleted, metrics: Metrics) -> LogLine:
        text = describe(event, self._id, metrics.get(event.run))
        return LogLine(event.time, printable_lines(text))

    def _describe(self, event: Event) -> str:
        return describe(event, self._id)

    def _estimate(self, at_work: Sequence[_Run], now: float, complete: Collection[int]) -> Estimate:
        return estimate(
            self.typical,
            [run.progress(now) for run in at_work],
            waiting=len(self._waiting.difference(complete)),
            jobs=self._jobs,
            stages=self._stages(),
            expected=self._expected_stages(),
        )

    def _expected_stages(self) -> Mapping[str, float]:
        """Stage -> expected seconds, from past runs and the size of the data set, as its event gives it."""
        if self._expected is None:
            found = self._dataset
            size = size_of(self._spec.dataset)
            if size is None and found is not None:
                size = Size(found.images, len(found.classes), found.test_size, found.shape)
            self._expected = expected_stages(self._spec, size, self._past)
        return self._expected

    def _stages(self) -> list[str]:
        """The stages that every run has; not one that a run has skipped, as a data set can be too small for it."""
        stages = stages_of(self._spec)
        furthest = max((place for place, stage in enumerate(stages) if stage in self._spent), default=-1)
        return [stage for place, stage in enumerate(stages) if stage in self._spent or place > furthest]

    def _worked_until(self, now: float | None) -> float | None:
        """Seconds for which coordinators have worked; without `now` the last one until its last event."""
        if self._sitting is None:
            return None
        start, last = self._sitting
        return self._worked + max(0.0, (last if now is None else max(last, now)) - start)

    def _take(self, event: Event) -> None:
        if self._sitting is not None and not isinstance(event, CoordinatorStarted):
            self._sitting = self._sitting[0], max(self._sitting[1], event.time)
        if is_turning_point(event):
            self._turning_point = event
        match event:
            case CoordinatorStarted():
                self._coordinator_started(event)
            case RunStarted():
                self._run_started(event)
            case RunCompleted():
                self._run_completed(event)
            case RunFailed():
                self._run_failed(event)
            case StatisticsComputed():
                self._statistics = event
            case Finished():
                self._finished(event)
            case EnvironmentReported():
                self._environment = event
                self._say_once(event, self._describe(event))
            case DatasetLoaded(notices=notices):
                self._dataset, self._expected = event, None
                self._say_once(event, self._describe(event), *notices)
            case Notice():
                self._say_once(event, self._describe(event))
            case WorkerLost():
                self._say(event, self._describe(event), "warning")
            case StageStarted():
                self._stage_started(event)
            case Progress():
                self._progress(event)
            case EpochFinished():
                self._epoch(event)
            case StageFinished():
                self._stage_finished(event)

    # One method for each kind of event

    def _coordinator_started(self, event: CoordinatorStarted) -> None:
        for run in self._runs:
            if run.at_work:
                # What the last coordinator left unfinished is begun anew.
                self._replace(_Run(run.index))
        self._worked = self._worked_until(None) or 0.0
        self._sitting = event.time, event.time
        self._announced.clear()
        if event.host != self._host:
            # Another machine has another pace.
            self._host = event.host
            self._spent.clear()
        self._waiting = set(event.pending).intersection(range(len(self._runs)))
        self._ended = False
        self._jobs = event.jobs
        self._error = self._hint = ""
        self._say(event, self._describe(event))

    def _finished(self, event: Finished) -> None:
        self._ended = True
        self._error, self._hint = printable_lines(event.error), printable_lines(event.hint)
        text = describe_ending(event)
        # The headline has room for one line only; the log has the error too.
        text = text if event.error in text else f"{text}: {event.error}"
        self._say(event, text, "error" if event.status in ("failed", "refused") else "info")

    def _run_started(self, event: RunStarted) -> None:
        if run := self._run_of(event):
            self._waiting.discard(run.index)
            attempt = max(1, event.attempt)
            self._replace(_Run(run.index, attempt=attempt, started=event.time, at_work=True, newest=event))

    def _run_completed(self, event: RunCompleted) -> None:
        if run := self._run_of(event):
            run.finished, run.at_work = event.time, False
        self._log.append(event)
        self._log_lines = None

    def _run_failed(self, event: RunFailed) -> None:
        if run := self._run_of(event):
            if event.retry:
                self._replace(_Run(run.index))
                self._waiting.add(run.index)
            else:
                run.finished, run.at_work, run.newest = event.time, False, event
        self._say(event, self._describe(event), "warning" if event.retry else "error")

    def _stage_started(self, event: StageStarted) -> None:
        if run := self._attempt_of(event):
            run.stage, run.done, run.total = printable_lines(event.stage), 0, event.total
            run.stage_started = run.reported = event.time

    def _progress(self, event: Progress) -> None:
        run = self._attempt_of(event)
        if run and printable_lines(event.stage) == run.stage:
            run.done, run.total = event.done, event.total
            run.reported = event.time

    def _epoch(self, event: EpochFinished) -> None:
        if run := self._attempt_of(event):
            run.epochs = event.epochs
            run.losses[event.epoch] = event.loss
        self._say(event, describe_progress(event))

    def _stage_finished(self, event: StageFinished) -> None:
        stage = printable_lines(event.stage)
        if run := self._attempt_of(event):
            run.seconds[stage] = event.seconds
            if stage == run.stage:
                run.done, run.reported = run.total, event.time
            count, total = self._spent.get(stage, (0, 0.0))
            self._spent[stage] = count + 1, total + event.seconds
        self._say(event, describe_progress(event))

    def _say(self, event: Event, text: str, level: Level = "info") -> None:
        self._log.append(LogLine(event.time, printable_lines(text), level))
        self._log_lines = None

    def _say_once(self, event: Event, *texts: str) -> None:
        """Log texts that every worker reports when it starts, each once a coordinator."""
        for text in texts:
            if text not in self._announced:
                self._announced.add(text)
                self._say(event, text)

    def _replace(self, run: _Run) -> None:
        self._runs[run.index] = run
        self._changed.add(run.index)

    def _run_of(self, event: RunEvent) -> _Run | None:
        """The run that an event tells of, None where there is no such run."""
        if event.run >= len(self._runs):
            return None
        self._changed.add(event.run)
        return self._runs[event.run]

    def _attempt_of(self, event: RunEvent) -> _Run | None:
        """As `_run_of`, but None too for a late event of an earlier attempt at the run."""
        run = self._run_of(event)
        return None if run is None or (run.started is not None and event.time < run.started) else run


@dataclass(slots=True)
class _Run:
    """One attempt at a run, as its events change it; see RunView.

    newest: the event that decides its status, see `run_status`. reported: time of its last progress.
    """

    index: int
    attempt: int = 0
    started: float | None = None
    at_work: bool = False
    newest: RunStarted | RunFailed | None = None
    finished: float | None = None
    stage: str = ""
    done: int = 0
    total: int = 0
    stage_started: float | None = None
    reported: float | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    epochs: int = 0
    losses: dict[int, float] = field(default_factory=dict)

    def view(self, *, complete: bool, alive: bool) -> RunView:
        running = alive and self.at_work
        status = run_status(complete=complete, running=running, newest=self.newest)
        if status is RunStatus.PENDING:
            return RunView(self.index)
        failure = self.newest if status is RunStatus.FAILED and isinstance(self.newest, RunFailed) else None
        return RunView(
            index=self.index,
            status=status,
            stage=self.stage,
            done=self.done,
            total=self.total,
            stage_started=self.stage_started,
            started=self.started,
            finished=self.finished,
            seconds=dict(self.seconds),
            epochs=self.epochs,
            losses=tuple(loss for _, loss in sorted(self.losses.items())),
            attempt=self.attempt,
            error=printable_lines(failure.error) if failure else "",
            hint=printable_lines(failure.hint) if failure else "",
        )

    @property
    def elapsed(self) -> float:
        """Seconds from the start of the stage until the last report."""
        return max(0.0, self.reported - self.stage_started) if self.reported and self.stage_started else 0.0

    def progress(self, now: float) -> AtWork:
        """The run as `estimate` takes it. now: seconds since 1970."""
        silent = max(0.0, now - self.reported) if self.reported else 0.0
        share = min(1.0, self.done / self.total) if self.total else 0.0
        return AtWork(self.seconds, self.stage, share, self.elapsed, silent)


def _throughput(at_work: Iterable[_Run]) -> dict[str, float]:
    """Stage -> steps a second, of all runs that are in it together."""
    pace: dict[str, float] = {}
    for run in at_work:
        if run.done and run.elapsed > 0 and run.stage not in run.seconds:
            pace[run.stage] = pace.get(run.stage, 0.0) + run.done / run.elapsed
    return pace
