"""From the events of an experiment to the snapshot that they make. No input or output."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.records.events import Event
from tui_aefit.following.estimate import AtWork, seconds_left
from tui_aefit.following.listing import printable_lines
from tui_aefit.following.snapshot import LOG_LINES, LogLine, RunView, Snapshot
from tui_aefit.following.sound import sound_summary, sound_tests
from tui_aefit.following.wording import ending, progress_sentence, sentence

STAGES = ("split", "neighbours", "surrogate", "candidates", "noise")
"""The stages of a run in their order; noise only where that control is measured."""


class Fold:
    """Takes an experiment's events in order and gives the snapshot they make.

    Adding one event at a time or all at once gives the same snapshot. Fields of a wrong type are passed over:
    nothing here raises for what a journal holds.
    """

    def __init__(self, experiment_id: str, spec: Mapping[str, Any]) -> None:
        self._id, self._spec = experiment_id, spec
        self._runs = [_Run(index) for index in range(spec["runs"])]
        self._views = [RunView(index) for index in range(spec["runs"])]
        self._changed: set[int] = set()
        self._complete: frozenset[int] = frozenset()
        self._alive = False
        self._waiting: set[int] = set()
        self._spent: dict[str, tuple[int, float]] = {}
        self._host: object = None
        self._log: deque[LogLine | Event] = deque(maxlen=LOG_LINES)
        self._log_lines: tuple[LogLine, ...] | None = ()
        self._said: set[str] = set()
        self._ending, self._ended = "created", True
        # What the newest event of a kind says, as the snapshot shows it.
        self._newest: dict[str, Any] = {}
        self._handlers = {
            "coordinator_started": self._coordinator_started,
            "run_started": self._run_started,
            "run_completed": self._run_completed,
            "run_failed": self._run_failed,
            "statistics": self._statistics,
            "finished": self._finished,
            "environment": self._environment,
            "dataset": self._dataset,
            "notice": self._say_once,
            "worker_lost": self._worker_lost,
            "stage_started": self._stage_started,
            "progress": self._progress,
            "epoch": self._epoch,
            "stage_finished": self._stage_finished,
        }

    def add(self, events: Iterable[Event]) -> None:
        """Take further events; unknown kinds are passed over."""
        for event in events:
            if handler := self._handlers.get(event.kind):
                handler(event)

    def snapshot(
        self,
        *,
        now: float,
        alive: bool,
        metrics: Mapping[int, Mapping[str, Any]],
        problems: tuple[str, ...],
        newer: bool,
    ) -> Snapshot:
        """The state after the events so far.

        now: seconds since 1970. alive: whether a coordinator holds the lock. metrics: of the complete runs.
        """
        self._look_at_runs(alive, metrics)
        all_complete = len(metrics) == len(self._runs)
        status = "running" if alive else "complete" if all_complete else self._ending
        at_work = [run for run in self._runs if alive and run.at_work and run.index not in metrics]
        told = self._newest
        if status == "interrupted" and not self._ended:
            told = {
                **told,
                "error": "its computation ended without a word: killed, or the machine went down",
                "hint": "resume it: complete runs are kept",
            }
        return Snapshot(
            id=self._id,
            spec=self._spec,
            status=status,
            now=now,
            runs=tuple(self._views),
            metrics=metrics,
            log=self._lines(metrics),
            remaining=self._remaining(at_work, now, metrics) if alive else None,
            throughput=_throughput(at_work),
            problems=problems,
            newer=newer,
            **told,
        )

    def _look_at_runs(self, alive: bool, metrics: Mapping[int, Mapping[str, Any]]) -> None:
        """Bring those views up to date that may have changed."""
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

    def _lines(self, metrics: Mapping[int, Mapping[str, Any]]) -> tuple[LogLine, ...]:
        """The log; what a run found can only be said now that its result may have been read."""
        if self._log_lines is None:
            self._log_lines = tuple(
                LogLine(line.time, _shown(self._sentence(line, metrics))) if isinstance(line, Event) else line
                for line in self._log
            )
        return self._log_lines

    def _sentence(self, event: Event, metrics: Mapping[int, Mapping[str, Any]] | None = None) -> str:
        run = event.fields.get("run")
        found = metrics.get(run) if metrics and isinstance(run, int) else None
        return sentence(event, self._id, len(self._runs), found)

    def _remaining(
        self, at_work: Iterable[_Run], now: float, metrics: Mapping[int, Mapping[str, Any]]
    ) -> float | None:
        controls = self._spec.get("controls", ())
        left = seconds_left(
            {stage: total / count for stage, (count, total) in self._spent.items()},
            [run.progress(now) for run in at_work],
            waiting=len(self._waiting - metrics.keys()),
            jobs=self._newest.get("jobs", 0),
            stages=[stage for stage in STAGES if stage != "noise" or "noise" in controls],
        )
        return _finite(left)

    # One method a kind of event

    def _coordinator_started(self, event: Event) -> None:
        for run in self._runs:
            if run.at_work:
                # What the last coordinator left unfinished is begun anew.
                self._replace(_Run(run.index))
        self._said.clear()
        if event["host"] != self._host:
            # Another machine has another pace.
            self._host = event["host"]
            self._spent.clear()
        pending = event["pending"]
        named = {run for run in pending if type(run) is int} if isinstance(pending, list) else set()
        self._waiting = named.intersection(range(len(self._runs)))
        self._ending, self._ended = "interrupted", False
        self._newest |= {"jobs": _whole(event["jobs"]), "error": "", "hint": ""}
        self._say(event, self._sentence(event))

    def _finished(self, event: Event) -> None:
        status = _shown(event["status"])
        if status != "complete":
            self._ending = status
        self._ended = True
        error, hint = (_shown(event.fields.get(name, "")) for name in ("error", "hint"))
        self._newest |= {"error": error, "hint": hint}
        text = _shown(ending(event))
        # The headline has room for one line of it.
        text = text if not error or error in text else f"{text}: {error}"
        self._say(event, text, "error" if status in ("failed", "refused") else "info")

    def _run_started(self, event: Event) -> None:
        if run := self._run_of(event):
            self._waiting.discard(run.index)
            attempt = max(1, _whole(event["attempt"]))
            self._replace(_Run(run.index, attempt=attempt, started=event.time, at_work=True))

    def _run_completed(self, event: Event) -> None:
        if run := self._run_of(event):
            run.finished, run.at_work = event.time, False
        self._log.append(event)
        self._log_lines = None

    def _run_failed(self, event: Event) -> None:
        again = bool(event["retry"])
        if run := self._run_of(event):
            if again:
                self._replace(_Run(run.index))
                self._waiting.add(run.index)
            else:
                run.finished, run.at_work, run.failed = event.time, False, True
                run.error, run.hint = _shown(event["error"]), _shown(event["hint"])
        self._say(event, self._sentence(event), "warning" if again else "error")

    def _worker_lost(self, event: Event) -> None:
        self._say(event, self._sentence(event), "warning")

    def _statistics(self, event: Event) -> None:
        runs, verdict = event["runs"], event.fields.get("verdict")
        self._newest |= {
            "statistics_runs": tuple(runs) if isinstance(runs, list) else (),
            "summary": sound_summary(event["summary"]),
            "tests": sound_tests(event["tests"]),
            "verdict": tuple(map(_shown, verdict)) if isinstance(verdict, list) else (),
        }

    def _environment(self, event: Event) -> None:
        self._newest["environment"] = event.fields
        self._say_once(event)

    def _dataset(self, event: Event) -> None:
        self._newest["dataset"] = event.fields
        self._say_once(event)

    def _stage_started(self, event: Event) -> None:
        if run := self._attempt_of(event):
            run.stage, run.done, run.total = _shown(event["stage"]), 0, _whole(event["total"])
            run.stage_started = run.reported = event.time

    def _progress(self, event: Event) -> None:
        run = self._attempt_of(event)
        if run and _shown(event["stage"]) == run.stage:
            run.done, run.total = _whole(event["done"]), _whole(event["total"])
            run.reported = event.time

    def _epoch(self, event: Event) -> None:
        if run := self._attempt_of(event):
            run.epoch, run.epochs = _whole(event["epoch"]), _whole(event["epochs"])
            run.loss = _finite(event["loss"])
        self._say(event, progress_sentence(event))

    def _stage_finished(self, event: Event) -> None:
        stage, seconds = _shown(event["stage"]), _finite(event["seconds"])
        if (run := self._attempt_of(event)) and seconds is not None:
            run.seconds[stage] = seconds
            if stage == run.stage:
                run.done, run.reported = run.total, event.time
            count, total = self._spent.get(stage, (0, 0.0))
            self._spent[stage] = count + 1, total + seconds
        self._say(event, progress_sentence(event))

    def _say(self, event: Event, text: str, level: str = "info") -> None:
        self._log.append(LogLine(event.time, _shown(text), level))
        self._log_lines = None

    def _say_once(self, event: Event) -> None:
        """What every worker says when it starts."""
        notices = event.fields.get("notices")
        for text in (self._sentence(event), *(map(str, notices) if isinstance(notices, list) else ())):
            if text not in self._said:
                self._said.add(text)
                self._say(event, text)

    def _replace(self, run: _Run) -> None:
        self._runs[run.index] = run
        self._changed.add(run.index)

    def _run_of(self, event: Event) -> _Run | None:
        """The run that an event tells of, None where there is no such run."""
        run = event.fields["run"]
        if type(run) is not int or not 0 <= run < len(self._runs):
            return None
        self._changed.add(run)
        return self._runs[run]

    def _attempt_of(self, event: Event) -> _Run | None:
        """The same, None too where the event belongs to an earlier attempt whose last lines came late."""
        run = self._run_of(event)
        return None if run is None or (run.started is not None and event.time < run.started) else run


@dataclass(slots=True)
class _Run:
    """One attempt at a run, as its events change it; see RunView. reported: when it last said how far it is."""

    index: int
    attempt: int = 0
    started: float | None = None
    at_work: bool = False
    failed: bool = False
    finished: float | None = None
    stage: str = ""
    done: int = 0
    total: int = 0
    stage_started: float | None = None
    reported: float | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    error: str = ""
    hint: str = ""

    def view(self, *, complete: bool, alive: bool) -> RunView:
        status = "complete" if complete else "failed" if self.failed else "running"
        if status == "running" and not (alive and self.at_work):
            return RunView(self.index)
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
            epoch=self.epoch,
            epochs=self.epochs,
            loss=self.loss,
            attempt=self.attempt,
            error="" if complete else self.error,
            hint="" if complete else self.hint,
        )

    @property
    def elapsed(self) -> float:
        """Seconds from the start of the stage until the last report."""
        return self.reported - self.stage_started if self.reported and self.stage_started else 0.0

    def progress(self, now: float) -> AtWork:
        """For the estimate of the time left."""
        silent = max(0.0, now - self.reported) if self.reported else 0.0
        share = min(1.0, self.done / self.total) if self.total else 0.0
        return AtWork(self.seconds, self.stage, share, self.elapsed, silent)


def _throughput(at_work: Iterable[_Run]) -> dict[str, float]:
    """Stage -> steps a second, of all runs in it together."""
    pace: dict[str, float] = {}
    for run in at_work:
        if run.done and run.elapsed > 0 and run.stage not in run.seconds:
            pace[run.stage] = pace.get(run.stage, 0.0) + run.done / run.elapsed
    return pace


def _shown(value: object) -> str:
    """A text from a journal, as a terminal shows it and does not obey it."""
    return printable_lines(str(value))


def _whole(value: object) -> int:
    """A count from a journal; 0 for what is none."""
    return value if type(value) is int and 0 <= value < 2**53 else 0


def _finite(value: object) -> float | None:
    """A duration or a loss from a journal; None for what is none."""
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e12 else None
