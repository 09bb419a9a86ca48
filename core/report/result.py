"""The JSON result: one experiment as one object, finished or not."""

from __future__ import annotations

import json
from typing import Any

from core.families.ladder import Ladder
from core.records.environment import Environment
from core.records.events import EnvironmentReported, RunCompleted, RunFailed, StatisticsComputed
from core.records.metrics import SCHEMA_VERSION, RunMetrics
from core.records.state import State
from core.records.statistics import Claim, StatisticalTest, SummaryTable
from core.records.status import ExperimentStatus, RunStatus
from core.records.types import Count, Record, plain
from core.spec.spec import Spec

_OF_A_RUN = tuple(
    name
    for name in RunMetrics.__struct_fields__
    if name not in ("schema_version", "checksum", "experiment", "index", "ladder", "sha256")
)
"""What of a run's metrics stands in the JSON form; the rest is the same for all runs, or of the file."""


class RunEntry(Record, frozen=True, kw_only=True):
    """A run. metrics: None where it has no result. failure: of a run that failed for good and has no result.

    problem: why it has none although it was complete, such as "its arrays.npz is missing"; "" of all others.
    """

    index: Count
    status: RunStatus
    metrics: RunMetrics | None = None
    failure: RunFailed | None = None
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """What the run found, null where it has no result; error and hint of its failure, its problem: left out
        without.
        """
        found = plain(self.metrics) if self.metrics is not None else {}
        failed = {"error": self.failure.error, "hint": self.failure.hint} if self.failure is not None else {}
        values = {name: found.get(name) for name in _OF_A_RUN}
        lost = {"problem": self.problem} if self.problem else {}
        return {"index": self.index, "status": self.status.value, **values, **failed, **lost}


class Result(Record, frozen=True, kw_only=True):
    """An experiment as it stands.

    metrics: of the complete runs, by run, for who reads on; in the JSON form they stand in `runs`.
    summary, tests, claims, verdict (sentences): over the runs in `statistics_runs`; they are what the coordinator
    last journaled, None or empty where it has not yet.
    """

    id: str
    status: ExperimentStatus
    ladder: Ladder
    spec: Spec
    environment: Environment | None
    runs: tuple[RunEntry, ...]
    metrics: dict[int, RunMetrics]
    statistics_runs: tuple[int, ...] = ()
    summary: SummaryTable | None = None
    tests: tuple[StatisticalTest, ...] = ()
    claims: tuple[Claim, ...] = ()
    verdict: tuple[str, ...] = ()

    @property
    def complete(self) -> int:
        """How many runs are complete."""
        return len(self.metrics)

    def to_json(self) -> dict[str, Any]:
        """The object that `--json`, `show --json` and `export --format json` print."""
        return {
            "schema_version": SCHEMA_VERSION,
            "id": self.id,
            "status": self.status.value,
            "ladder": plain(self.ladder),
            "spec": self.spec.to_json(),
            "environment": plain(self.environment),
            "runs": [run.to_json() for run in self.runs],
            "statistics_runs": list(self.statistics_runs),
            "summary": plain(self.summary),
            "tests": plain(self.tests),
            "claims": plain(self.claims),
            "verdict": list(self.verdict),
        }

    def to_text(self) -> str:
        """The JSON text of `to_json`, indented."""
        return json.dumps(self.to_json(), indent=2, allow_nan=False) + "\n"


def result_of(state: State) -> Result:
    """The result of an experiment as one reading of its folder gives it."""
    statistics = statistics_of_ladder(state.statistics, state.ladder)
    return Result(
        id=state.experiment.id,
        status=state.status,
        ladder=state.ladder,
        spec=state.experiment.spec,
        environment=_environment(state),
        runs=tuple(_entry(state, run) for run in range(state.experiment.spec.runs)),
        metrics=state.results,
        statistics_runs=statistics.runs if statistics else (),
        summary=statistics.summary if statistics else None,
        tests=statistics.tests if statistics else (),
        claims=statistics.claims if statistics else (),
        verdict=statistics.verdict if statistics else (),
    )


def statistics_of_ladder(found: StatisticsComputed | None, ladder: Ladder) -> StatisticsComputed | None:
    """What was last journaled; None where it is of other levels than the results: of a specification before."""
    levels = set(ladder.levels)
    if found is None or not all(set(by_level) == levels for by_level in found.summary.accuracy.values()):
        return None
    return found if levels.issuperset(test.j for test in found.tests) else None


def _environment(state: State) -> Environment | None:
    last = state.last(EnvironmentReported)
    if last is None:
        return None
    return Environment(versions=last.versions, device=last.device, cpu=last.cpu, plugins=last.plugins)


def _entry(state: State, run: int) -> RunEntry:
    return RunEntry(
        index=run,
        status=state.run_status(run),
        metrics=state.results.get(run),
        failure=state.failures.get(run),
        problem=_problem(state, run),
    )


def _problem(state: State, run: int) -> str:
    """Why a run that was complete has no result; "" where it has one, or was not, or is being computed again."""
    if run in state.results or state.run_status(run) is not RunStatus.PENDING:
        return ""
    was_complete = any(isinstance(event, RunCompleted) and event.run == run for event in state.events)
    return state.experiment.result_problem(run) or ("its result is gone" if was_complete else "")
