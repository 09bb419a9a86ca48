"""The snapshot: all that a screen shows of an experiment at one moment, immutable. `fold` makes it from events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.families.ladder import Ladder
from core.records.events import DatasetLoaded, EnvironmentReported
from core.records.metrics import RunMetrics
from core.records.statistics import Claim, StatisticalTest, SummaryTable
from core.records.status import ExperimentStatus, RunStatus
from core.spec.spec import Spec

LOG_LINES = 500
"""How many of the newest log lines a snapshot keeps."""

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class RunView:
    """One run at one moment.

    index: from 0. stage: the present or last stage, "" before the first. done, total: steps of that stage; total
    is 0 where unknown. stage_started, started, finished: seconds since 1970, None where that has not happened.
    seconds: finished stage of the present attempt -> how long it took. epochs: for how many the surrogate is
    trained, 0 before the first has ended. losses: of the epochs that have ended, in their order. attempt: from 1,
    0 while pending. error, hint: of a failed run, else "".
    """

    index: int
    status: RunStatus = RunStatus.PENDING
    stage: str = ""
    done: int = 0
    total: int = 0
    stage_started: float | None = None
    started: float | None = None
    finished: float | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    epochs: int = 0
    losses: tuple[float, ...] = ()
    attempt: int = 0
    error: str = ""
    hint: str = ""


@dataclass(frozen=True)
class LogLine:
    """One line of the log pane."""

    time: float
    text: str
    level: Level = "info"


@dataclass(frozen=True)
class Snapshot:
    """An experiment at one moment; widgets draw this and nothing else.

    id, spec: which experiment. ladder: of its results, of its spec before the first. now: when the snapshot was
    made, seconds since 1970. runs: one view a run. metrics: run -> metrics, of the complete runs. summary, tests,
    claims, verdict: as last journaled by a coordinator, over `statistics_runs`; None, (), (), () before the first.
    environment, dataset: the last events of these kinds, None before the first. jobs: runs computed at the same
    time, 0 before a coordinator has started. log: the newest LOG_LINES lines, oldest first. remaining: estimated
    seconds until all runs are complete, None where there is nothing to estimate from; rough: see `Estimate`; left:
    run at work -> estimated seconds until it is complete. done: the share of all work that is done, 0 to 1.
    throughput: stage -> steps a second, of the runs at work in it. problems: what could not be read. damaged: the
    runs whose result is there and cannot be read. newer: written by a newer version. label: the person's own name
    for it, "" without one. host: the machine of the last coordinator, "" before the first. worked: seconds for
    which coordinators have worked on it, None before the first. error, hint: why the last coordinator refused or
    stopped, "" otherwise.
    """

    id: str
    spec: Spec
    ladder: Ladder
    status: ExperimentStatus = ExperimentStatus.CREATED
    now: float = 0.0
    runs: tuple[RunView, ...] = ()
    metrics: Mapping[int, RunMetrics] = field(default_factory=dict)
    summary: SummaryTable | None = None
    tests: tuple[StatisticalTest, ...] = ()
    claims: tuple[Claim, ...] = ()
    verdict: tuple[str, ...] = ()
    statistics_runs: tuple[int, ...] = ()
    environment: EnvironmentReported | None = None
    dataset: DatasetLoaded | None = None
    jobs: int = 0
    log: tuple[LogLine, ...] = ()
    remaining: float | None = None
    rough: bool = False
    left: Mapping[int, float] = field(default_factory=dict)
    done: float = 0.0
    throughput: Mapping[str, float] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    damaged: frozenset[int] = frozenset()
    newer: bool = False
    label: str = ""
    host: str = ""
    worked: float | None = None
    error: str = ""
    hint: str = ""

    @property
    def complete(self) -> int:
        """How many runs are complete."""
        return len(self.metrics)

    @property
    def first_result(self) -> float | None:
        """Estimated seconds until a run at work is complete, None where there is nothing to estimate from."""
        return min(self.left.values(), default=None)
