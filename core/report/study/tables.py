"""The long tables of a study for other programs to read: a row an experiment, a change, a number of any run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.declarations.setting import Value
from core.errors import ExperimentError
from core.records.experiment import load
from core.records.findings import ADVERSARIAL
from core.records.state import read_state
from core.records.study import Study
from core.report.formats import StudyTable, TableName
from core.report.headline import LEADING, LEADING_CLAIMS
from core.report.quantities_by_run import ACCURACY, FOOLED, HIT, IMAGES, Key
from core.report.result import Result, result_of
from core.report.study.changes import changes
from core.report.study.measures import reading
from core.report.study.result import StudyResult
from core.report.tables.csv_text import csv_text
from core.report.tables.long import COLUMNS_OF, Cell, long_rows
from core.spec.command import word_of

_MEANS = {
    "accuracy": Key(ACCURACY, (ADVERSARIAL,)),
    "images": Key(IMAGES, (ADVERSARIAL,)),
    "surrogate_fooled": Key(FOOLED),
    "target_hit": Key(HIT),
}
SETTINGS_OF_ROWS = {"dataset", "attack", "epsilon", "family", "seed"}
"""The settings that every row of an experiment's tables has already."""
CELL_COLUMNS = (
    "status", "complete", "runs", "statistics_runs",
    *(f"{key.name}{part}" for key in LEADING_CLAIMS for part in ("", "_ci95_low", "_ci95_high", "_decision")),
    *(f"{name}{part}" for name in _MEANS for part in ("", "_ci95_low", "_ci95_high")),
    "reason",
)  # fmt: skip
"""Of the table "cells", behind id and axes. complete, runs: how many runs are complete, of those that the study
asks for. statistics_runs: how many the claims are over. Then of each claim that a verdict begins with its estimate,
interval and decision: crossfit_rise and bias_fall of the adversarial set less the misclassified one,
selection_share and attack_success of the adversarial set. accuracy: on the adversarial set at the most fitted
level. images: in it. These and the shares of the attack are means with their intervals. reason: why it is not
computed."""
CHANGE_COLUMNS = (
    "axis", "first", "second", "first_id", "second_id", "quantity", "first_set", "second_set", "level", "step",
    "leading", "test", "n", "difference", "ci95_low", "ci95_high", "df", "p", "p_holm", "margin", "decision",
    "reason",
)  # fmt: skip
"""Of the table "changes", behind the axes, of which the one that differs is empty. first, second: the values on it,
as words.
difference: the second's less the first's, as in `core.statistics.between.Difference`; step, leading, p_holm: as in
`core.report.study.changes.Change`, as 0 or 1."""


@dataclass(frozen=True)
class Table:
    """columns: their names; rows: of as many cells, what is undefined None."""

    columns: tuple[str, ...]
    rows: Iterable[Sequence[Cell]]


def study_long(study: Study, result: StudyResult, table: StudyTable) -> Table:
    """A long table of a study, with its axes as columns.

    Of the experiments' own tables, each row begins with the id and the axes that the table has not already; those
    of experiments that cannot be read are left out. study: from whose folders these are read. Raises OSError.
    """
    if table == "cells":
        return _cells(result)
    if table == "changes":
        return _changes(result)
    columns = COLUMNS_OF[table]
    added = {
        name: column_of(name, columns) for name in result.axes if name not in (SETTINGS_OF_ROWS & {*columns})
    }
    return Table((columns[0], *added.values(), *columns[1:]), _rows_of(study, result, table, tuple(added)))


def study_csv(study: Study, result: StudyResult, table: StudyTable) -> str:
    """The table of `study_long` as CSV with a header; what is undefined is an empty field."""
    found = study_long(study, result, table)
    return csv_text(found.columns, found.rows)


def results_of(study: Study, result: StudyResult) -> Iterator[tuple[int, Result]]:
    """The whole result of each experiment that can be read, with its place among the cells. Raises OSError."""
    for place, (cell, found) in enumerate(zip(study.cells, result.cells, strict=True)):
        if found.overview is not None and found.spec is not None:
            try:
                experiment = load(study.folder_of(cell))
            except ExperimentError:
                continue  # deleted, or damaged, since the study was read
            yield place, result_of(read_state(experiment))


def column_of(axis: str, columns: Sequence[str]) -> str:
    """What an axis is called in a table, which may have a column of that name."""
    return f"setting_{axis}" if axis in columns else axis


def plain_value(value: Value) -> Cell:
    """A setting's value in a cell."""
    return word_of(value) if isinstance(value, tuple) else value


def _rows_of(
    study: Study, result: StudyResult, table: TableName, added: Sequence[str]
) -> Iterator[Sequence[Cell]]:
    for place, whole in results_of(study, result):
        settings = [plain_value(result.cells[place].settings[name]) for name in added]
        for first, *others in long_rows(whole, table):
            yield [first, *settings, *others]


def _cells(result: StudyResult) -> Table:
    rows: list[list[Cell]] = []
    for cell in result.cells:
        row: list[Cell] = [cell.id, *(plain_value(cell.settings.get(name)) for name in result.axes)]
        row += [cell.status.value, cell.complete, cell.runs, len(cell.statistics_runs)]
        for key in (*LEADING_CLAIMS, *_MEANS.values()):
            found = reading(cell, key)
            low, high = (found.ci95 if found is not None else None) or (None, None)
            row += [found.value if found is not None else None, low, high]
            if key in LEADING_CLAIMS:
                row.append(found.decision if found is not None else None)
        rows.append([*row, cell.reason or None])
    axes = [column_of(name, ("id", *CELL_COLUMNS)) for name in result.axes]
    return Table(("id", *axes, *CELL_COLUMNS), rows)


def _changes(result: StudyResult) -> Table:
    axes = [column_of(name, CHANGE_COLUMNS) for name in result.axes]
    return Table((*axes, *CHANGE_COLUMNS), _change_rows(result))


def _change_rows(result: StudyResult) -> Iterator[Sequence[Cell]]:
    keys = every_key(result)
    for axis in result.axes:
        for change in changes(result, axis, keys):
            found = change.difference
            low, high = found.ci95 or (None, None)
            first, second = (*change.key.sets, None, None)[:2]
            yield [
                *(plain_value(change.fixed.get(name)) for name in result.axes),
                axis, word_of(change.first), word_of(change.second), *change.ids, change.key.name, first, second,
                change.key.level or None, int(change.step), int(change.leading), found.test, found.n,
                found.estimate, low, high, found.df, found.p, change.p_holm, found.margin, found.decision,
                found.reason,
            ]  # fmt: skip


def every_key(result: StudyResult) -> list[Key]:
    """Every quantity that some experiment decides, and how the attack did: those of LEADING first."""
    claims = dict.fromkeys(Key(claim.name, claim.sets) for cell in result.cells for claim in cell.claims)
    return [*LEADING, *(key for key in claims if key not in LEADING)]


def type_of(column: str, values: Mapping[str, tuple[Value, ...]]) -> type | None:
    """What the cells of an axis' column are: int, float or str; None for a column that is no axis.

    values: axis -> its values.
    """
    axis = column if column in values else column.removeprefix("setting_")
    if axis not in values:
        return None
    there = [value for value in values[axis] if value is not None]
    if all(isinstance(value, int) for value in there):
        return int
    return float if all(isinstance(value, int | float) for value in there) else str
