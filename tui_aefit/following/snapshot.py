"""What a screen shows of an experiment at one moment: one immutable snapshot. `fold` makes it of events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOG_LINES = 500
"""How many of the newest log lines a snapshot keeps."""


@dataclass(frozen=True)
class RunView:
    """One run as it stands.

    index: from 0. status: pending | running | complete | failed. stage: the stage at work or last at work,
    "" before the first. done, total: progress of that stage, in its own units; total is 0 where unknown.
    stage_started, started, finished: seconds since 1970, None where it has not happened. seconds: finished
    stages of the present attempt -> how long they took. epoch, epochs, loss: of the surrogate, 0 before the
    first epoch ended. attempt: from 1, 0 while pending. error, hint: of a failed run, else "".
    """

    index: int
    status: str = "pending"
    stage: str = ""
    done: int = 0
    total: int = 0
    stage_started: float | None = None
    started: float | None = None
    finished: float | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    attempt: int = 0
    error: str = ""
    hint: str = ""


@dataclass(frozen=True)
class LogLine:
    """One line of the log pane. level: info | warning | error."""

    time: float
    text: str
    level: str = "info"


@dataclass(frozen=True)
class Snapshot:
    """The whole truth of a moment; widgets draw it and nothing else.

    id, spec (as `Spec.to_json`): which experiment. status: created | running | complete | failed | refused |
    cancelled | interrupted. now: when the snapshot was made, seconds since 1970. runs: one view a run.
    metrics: run -> metrics.json of its result, complete runs only; empty where it is not what this version
    writes. summary, tests, verdict: as last
    journaled by the coordinator over `statistics_runs`; None, (), () before the first. environment, dataset:
    fields of the events of these names, empty before. jobs: runs computed at the same time, 0 before.
    log: the newest LOG_LINES lines, oldest first. remaining: estimated seconds until all runs are complete,
    None where there is nothing to estimate from. throughput: steps of the present stages per second, by
    stage, of the runs at work. problems: what could not be read. newer: written by a newer version.
    error, hint: why the last coordinator refused or stopped, "" otherwise.
    """

    id: str
    spec: Mapping[str, Any]
    status: str = "created"
    now: float = 0.0
    runs: tuple[RunView, ...] = ()
    metrics: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    summary: Mapping[str, Any] | None = None
    tests: tuple[Mapping[str, Any], ...] = ()
    verdict: tuple[str, ...] = ()
    statistics_runs: tuple[int, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    dataset: Mapping[str, Any] = field(default_factory=dict)
    jobs: int = 0
    log: tuple[LogLine, ...] = ()
    remaining: float | None = None
    throughput: Mapping[str, float] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    newer: bool = False
    error: str = ""
    hint: str = ""

    @property
    def complete(self) -> int:
        """How many runs are complete."""
        return len(self.metrics)
