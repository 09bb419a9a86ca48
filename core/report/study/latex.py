r"""The tables of a study in LaTeX, for a paper; they need \usepackage{booktabs} and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.errors import StudyError
from core.records.study import Study
from core.report.comparison import Compared
from core.report.differences import how_compared
from core.report.formats import StudyTable
from core.report.formatting import counted
from core.report.headline import LEADING, LEADING_CLAIMS
from core.report.quantities_by_run import Key
from core.report.study.changes import Change, changes
from core.report.study.measures import measure_title, reading
from core.report.study.result import CellResult, StudyResult
from core.report.study.tables import results_of
from core.report.study.words import DIFFERENCES, UNADJUSTED, place_name, value_word
from core.report.tables.comparison import accuracy_latex, claims_latex
from core.report.tables.latex import DASH, escaped, interval_cell, number_cell, p_cell, table_environment
from core.report.terms import DECIDING, OVERLAP, brief_reason

IN_LATEX: tuple[StudyTable, ...] = ("cells", "changes", "accuracy", "claims")
"""The tables that LaTeX has; the others are for programs."""


def study_latex(study: Study, result: StudyResult, table: StudyTable | None = None) -> str:
    """The tables of a study as `table` environments: one of IN_LATEX, or all but accuracy, which has many columns.

    cells: a row an experiment. changes: a row a pair along each axis, as words begin with them, a group a quantity.
    accuracy, claims: as in a comparison, of all experiments that can be read. Labels are `tab:STUDY-cells` and so
    on, `tab:STUDY-changes-AXIS`. What is undefined is a dash. Raises StudyError for another table, OSError.
    """
    if table not in (None, *IN_LATEX):
        raise StudyError(
            f"LaTeX has no table {table} of a study: expected one of {', '.join(IN_LATEX)}",
            f"--format csv --table {table}",
        )
    parts = [f"% study {escaped(result.name)}: in the preamble \\usepackage{{booktabs}}"]
    note = _note(result)
    if table in (None, "cells"):
        parts.append(_cells(result, note))
    if table in (None, "changes"):
        parts += [one for axis in result.axes for one in _changes(result, axis, note)]
    if table in (None, "accuracy", "claims"):
        compared = [
            Compared(place_name(result.cells[place].settings) or whole.id, whole)
            for place, whole in results_of(study, result)
            if whole.summary is not None
        ]
        if compared and table == "accuracy":
            parts += accuracy_latex(compared, result.name, note)
        if compared and table != "accuracy":
            parts += claims_latex(compared, result.name, note)
    if len(parts) == 1:
        parts.append("% there are no numbers yet")
    return "\n\n".join(parts) + "\n"


def _note(result: StudyResult) -> str:
    """What ends the captions of a study that is not complete."""
    if result.complete == len(result.cells):
        return ""
    return (
        f" Not complete: {result.complete} of {counted(len(result.cells), 'experiment')}, numbers may change."
    )


def _cells(result: StudyResult, note: str) -> str:
    titles = [title for key in LEADING for title in _titles(key)]
    rows = [
        [
            *(escaped(value_word(name, cell.settings.get(name))) for name in result.axes),
            f"{cell.complete}/{cell.runs}",
            *(text for key in LEADING for text in _reading(cell, key)),
        ]
        for cell in result.cells
    ]
    return table_environment(
        "l" * len(result.axes)
        + "r"
        + "rl" * len(LEADING_CLAIMS)
        + "r" * (len(LEADING) - len(LEADING_CLAIMS)),
        [*map(escaped, result.axes), "runs", *titles],
        [rows],
        "Every experiment: what was decided (D adversarial, M misclassified), accuracy on the adversarial set at "
        "the most fitted level, and the share of candidates that fool the surrogate; means over the runs $\\pm$ "
        f"half the 95\\,\\% interval. {escaped(OVERLAP)} {escaped(DECIDING)}{escaped(note)}",
        f"{result.name}-cells",
    )


def _titles(key: Key) -> list[str]:
    return [escaped(measure_title(key)), *(["decision"] if key in LEADING_CLAIMS else [])]


def _reading(cell: CellResult, key: Key) -> list[str]:
    """A mean with half the width of its interval; of a claim its decision too."""
    found = reading(cell, key)
    decided = key in LEADING_CLAIMS
    if found is None:
        return [DASH, DASH] if decided else [DASH]
    text = format(found.value, "+.3f" if decided else ".3f")
    half = f" \\pm {(found.ci95[1] - found.ci95[0]) / 2:.3f}" if found.ci95 else ""
    return [f"${text}{half}$", *([found.decision or DASH] if decided else [])]


def _changes(result: StudyResult, axis: str, note: str) -> Iterator[str]:
    """The pairs along an axis that words begin with; none where there is none."""
    found = changes(result, axis)
    leading = [change for change in found if change.leading]
    if not leading:
        return
    groups: dict[Key, list[Sequence[str]]] = {}
    for change in leading:
        rows = groups.setdefault(change.key, [])
        rows.append([escaped(measure_title(change.key)) if not rows else "", *_change(change)])
    how = how_compared(change.difference for change in leading)
    header = [
        "quantity",
        escaped(axis),
        "with",
        "difference",
        "95\\,\\% interval",
        "$p$",
        "$p$, Holm",
        "decision",
        "$n$",
    ]
    yield table_environment(
        "lllrrrrlr",
        header,
        groups.values(),
        f"What changes along {escaped(axis)}. {escaped(DIFFERENCES)} {escaped(how)} "
        f"{escaped(UNADJUSTED)} Holm: adjusted over all pairs along {escaped(axis)} of one quantity."
        f"{escaped(note)}",
        f"{result.name}-changes-{axis}",
    )


def _change(change: Change) -> list[str]:
    found = change.difference
    return [
        escaped(f"{value_word(change.axis, change.second)} less {value_word(change.axis, change.first)}"),
        escaped(place_name(change.fixed)),
        number_cell(found.estimate, "+.4f"),
        interval_cell(found.ci95),
        p_cell(found.p),
        p_cell(change.p_holm),
        escaped(brief_reason(found.reason)) if found.reason else found.decision,
        str(found.n),
    ]
