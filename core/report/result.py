"""The JSON result: one experiment as one object, finished or not."""

from __future__ import annotations

from typing import Any

from core.records.experiment import State

SCHEMA_VERSION = 1
RUN_FIELDS = (
    "counts",
    "surrogate_accuracy",
    "surrogate_reused",
    "attack",
    "noise",
    "accuracy",
    "slopes",
    "slope_reasons",
    "search",
    "seconds",
    "data_sha256",
    "environment",
)


def result_of(state: State) -> dict[str, Any]:
    """The object that `--json`, `show --json` and `export --format json` print.

    A run without a result has its index, its status and, if it failed, `error` and `hint`; all else of it is
    null. `summary`, `tests` and `verdict` (sentences) are over the runs in `statistics_runs`; they are what the
    coordinator last journaled, null or empty where it has not yet.
    """
    statistics = state.last("statistics")
    environment = state.last("environment")
    return {
        "schema_version": SCHEMA_VERSION,
        "id": state.experiment.id,
        "status": state.status,
        "spec": state.experiment.spec.to_json(),
        "environment": dict(environment.fields) if environment else None,
        "runs": [_run(state, run) for run in range(state.experiment.spec.runs)],
        "statistics_runs": statistics["runs"] if statistics else [],
        "summary": statistics["summary"] if statistics else None,
        "tests": statistics["tests"] if statistics else [],
        # Journals of older versions have none.
        "verdict": statistics.fields.get("verdict", []) if statistics else [],
    }


def _run(state: State, run: int) -> dict[str, Any]:
    metrics = state.results.get(run, {})
    record = {"index": run, "status": state.run_status(run), **{key: metrics.get(key) for key in RUN_FIELDS}}
    if run in state.failures:
        failure = state.failures[run]
        record |= {"error": failure["error"], "hint": failure["hint"]}
    return record
