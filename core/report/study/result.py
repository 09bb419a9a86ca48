"""A study's results: of every experiment how it stands, what was decided, and what its runs measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.declarations.setting import Value
from core.families.ladder import Ladder
from core.records.metrics import SCHEMA_VERSION, RunMetrics
from core.records.overview import Overview, OverviewReader
from core.records.statistics import Claim, StatisticalTest, SummaryTable
from core.records.study import Study
from core.records.study_state import CellState, CellStatus, StudyState, StudyStatus, read_study_state
from core.records.tail import newest_statistics
from core.records.types import plain
from core.report.attack_figures import mean_of
from core.report.quantities_by_run import Measured, quantities_by_run
from core.report.result import statistics_of_ladder
from core.spec.spec import Spec

PAPER_PAIR = ("adversarial", "misclassified")
"""The sets that the paper compares, of which the tests are kept."""


@dataclass(frozen=True)
class CellResult:
    """One experiment of a study.

    settings: its value on every axis, None where it has no such setting. complete, runs: how many of the runs that
    the study asks for are complete, and how many these are. reason: why it is not computed or cannot be read; ""
    where nothing is wrong. spec, ladder: None where there is no specification.
    claims, summary, tests: what was last journaled, over the runs in `statistics_runs`; of the tests those between
    PAPER_PAIR. fooled, hit: as in `core.records.metrics.AttackFigures`, means over the complete runs.
    measured: run by run; None without a complete run. overview: what it was read with.
    """

    id: str
    settings: Mapping[str, Value]
    status: CellStatus
    complete: int
    runs: int
    reason: str = ""
    spec: Spec | None = None
    ladder: Ladder | None = None
    statistics_runs: tuple[int, ...] = ()
    claims: tuple[Claim, ...] = ()
    summary: SummaryTable | None = None
    tests: tuple[StatisticalTest, ...] = ()
    fooled: float | None = None
    hit: float | None = None
    measured: Measured | None = None
    overview: Overview | None = None

    @cached_property
    def by_quantity(self) -> dict[tuple[str, tuple[str, ...]], Claim]:
        """The claims by their name and sets."""
        return {(claim.name, claim.sets): claim for claim in self.claims}

    def to_json(self) -> dict[str, Any]:
        """The entry of `cells[]` of the JSON form."""
        return {
            "settings": dict(self.settings),
            "id": self.id,
            "status": self.status.value,
            "complete": self.complete,
            "runs": self.runs,
            "claims": plain(self.claims),
        }


@dataclass(frozen=True)
class StudyResult:
    """All of a study. axes: the settings in which its experiments differ, each with its values."""

    name: str
    status: StudyStatus
    axes: Mapping[str, tuple[Value, ...]]
    cells: tuple[CellResult, ...]

    @property
    def complete(self) -> int:
        """How many of its experiments are complete."""
        return sum(cell.status is CellStatus.COMPLETE for cell in self.cells)

    def to_json(self) -> dict[str, Any]:
        """The object that `study show --json` prints; a value that is a list of words stays a list."""
        return {
            "schema_version": SCHEMA_VERSION,
            "study": {"name": self.name, "axes": {name: list(values) for name, values in self.axes.items()}},
            "cells": [cell.to_json() for cell in self.cells],
        }

    def to_text(self) -> str:
        """The JSON text of `to_json`, indented."""
        return json.dumps(self.to_json(), indent=2, allow_nan=False) + "\n"


def study_result(
    study: Study, reader: OverviewReader | None = None, before: StudyResult | None = None
) -> StudyResult:
    """A study as it stands at this moment. Raises OSError where its lock cannot be read.

    reader: of its home, where it is looked at again and again. before: an earlier reading with the same reader; an
    experiment in which nothing has changed since is not read again.
    """
    return result_of_state(read_study_state(study, reader), before)


def result_of_state(state: StudyState, before: StudyResult | None = None) -> StudyResult:
    """What the experiments of a study found that was just read. before: as for `study_result`."""
    known = {cell.id: cell for cell in before.cells} if before is not None else {}
    study = state.study
    return StudyResult(
        study.name,
        state.status,
        study.axes,
        tuple(_cell(study, cell, known.get(cell.cell.id)) for cell in state.cells),
    )


def _cell(study: Study, state: CellState, before: CellResult | None) -> CellResult:
    found: dict[str, Any] = {}
    overview = state.overview
    if overview is not None and before is not None and before.overview is overview:
        found = {name: getattr(before, name) for name in _NUMBERS} | {"reason": before.reason}
    elif overview is not None and overview.experiment is not None:
        try:
            found = _numbers(overview)
        except OSError as error:
            found = {"reason": f"cannot be read: {error.strerror or error}"}
    spec = state.cell.spec
    shown = {"ladder": spec.ladder if spec is not None else None, "reason": state.reason} | found
    return CellResult(
        id=state.cell.id,
        settings=study.place(state.cell),
        status=state.status,
        complete=state.done,
        runs=state.runs,
        spec=spec,
        overview=overview,
        **shown,
    )


_NUMBERS = ("ladder", "statistics_runs", "claims", "summary", "tests", "fooled", "hit", "measured")


def _numbers(overview: Overview) -> dict[str, Any]:
    """What the files of an experiment say of its runs. Raises OSError."""
    experiment = overview.experiment
    assert experiment is not None
    results = experiment.results()
    ladder = next((run.ladder for run in results.values()), experiment.spec.ladder)
    statistics = statistics_of_ladder(newest_statistics(experiment), ladder)
    found: dict[str, Any] = {"ladder": ladder, **_attack(results)}
    if results:
        found["measured"] = quantities_by_run(results, ladder, experiment.spec.controls)
    if statistics is not None:
        found |= {
            "statistics_runs": statistics.runs,
            "claims": statistics.claims,
            "summary": statistics.summary,
            "tests": tuple(test for test in statistics.tests if test.sets == PAPER_PAIR),
        }
    return found


def _attack(results: Mapping[int, RunMetrics]) -> dict[str, float | None]:
    figures = [run.attack for run in results.values()]
    return {"fooled": mean_of(figures, "surrogate_fooled"), "hit": mean_of(figures, "target_hit")}
