"""A study's results for a terminal or a plain file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.records.study_state import CellStatus
from core.report.differences import how_compared
from core.report.estimates import decided_words
from core.report.formats import WIDTH
from core.report.formatting import ABSENT, counted, number
from core.report.headline import LEADING_CLAIMS
from core.report.study.changes import changes
from core.report.study.result import CellResult, StudyResult
from core.report.study.words import (
    ADJUSTED_IN,
    DIFFERENCES,
    UNADJUSTED,
    along,
    decided,
    value_word,
)
from core.report.tables.text import align, wrapped
from core.report.terms import DECIDING, OVERLAP, title_of

SHOWN_REASONS = 3
"""So many experiments say why they cannot be read or failed; of more the number."""


def study_table(result: StudyResult, width: int = WIDTH) -> str:
    """The study in words and columns: what stands where, then a row an experiment.

    width: characters of a line. A table that is wider is laid out in blocks of its columns, one below the other.
    Ends without newline.
    """
    runs, complete = sum(cell.runs for cell in result.cells), sum(cell.complete for cell in result.cells)
    parts = [
        f"{result.name}  {result.status}  {result.complete} of {counted(len(result.cells), 'experiment')}, "
        f"{complete} of {counted(runs, 'run')}",
    ]
    for name, values in result.axes.items():
        parts.append(wrapped(f"{name}: {', '.join(value_word(name, value) for value in values)}", width))
    parts += [*_reasons(result, width), *_words(result, width), "", _cells(result, width)]
    return "\n".join(parts)


def _words(result: StudyResult, width: int) -> list[str]:
    """What is decided everywhere, and what changes along each axis."""
    lines = []
    if sentences := decided(result):
        lines += ["", "Decided in the experiments:", *(wrapped(f"  {one}", width) for one in sentences)]
    by_axis = {axis: changes(result, axis) for axis in result.axes}
    for found in by_axis.values():
        for one in along(found):
            lines += ["", f"Along {one.title}"]
            for heading, phrases in one.parts:
                lines += [f"  {heading}", *(wrapped(f"    {phrase}", width) for phrase in phrases)]
    every = [change for found in by_axis.values() for change in found]
    if every:
        notes = [
            f"{DIFFERENCES} {how_compared(change.difference for change in every)} {UNADJUSTED} {ADJUSTED_IN}"
        ]
        lines += ["", wrapped(" ".join(notes), width)]
    return lines


def places(result: StudyResult) -> list[str]:
    """A heading, and for each experiment what tells it from the others: its values on the axes, else its id."""
    if not result.axes:
        return ["experiment", *(cell.id for cell in result.cells)]
    rows = [list(result.axes)]
    rows += [[value_word(name, cell.settings.get(name)) for name in result.axes] for cell in result.cells]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(word.ljust(wide) for word, wide in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    known = [cell.spec is not None for cell in result.cells]
    return [
        lines[0],
        *(line if has else cell.id for line, has, cell in zip(lines[1:], known, result.cells, strict=True)),
    ]


def _reasons(result: StudyResult, width: int) -> Iterable[str]:
    """Why experiments failed, were refused or cannot be read."""
    found = [cell for cell in result.cells if cell.reason]
    lines = [wrapped(f"{cell.id} {cell.status}: {cell.reason}", width) for cell in found[:SHOWN_REASONS]]
    if len(found) > SHOWN_REASONS:
        lines.append(f"and {len(found) - SHOWN_REASONS} more that are not computed")
    return lines


def _cells(result: StudyResult, width: int) -> str:
    """A row an experiment: how it stands, what was decided, how the attack did, accuracy at the fitted end."""
    measured = [cell for cell in result.cells if cell.claims or cell.summary is not None]
    quantities = [
        (key.name, key.sets)
        for key in LEADING_CLAIMS
        if any((key.name, key.sets) in cell.by_quantity for cell in measured)
    ]
    heading, *named = places(result)
    header = [heading, "state", "runs"]
    if measured:
        header += [*(title_of(*key) for key in quantities), "fooled", "A, D"]
    rows = [header]
    for place, cell in zip(named, result.cells, strict=True):
        row = [place, cell.status.value, f"{cell.complete}/{cell.runs}"]
        if measured:
            row += [decided_words(cell.by_quantity.get(key)) for key in quantities]
            row += [number(cell.fooled, ".4f"), _accuracy(cell)]
        rows.append(row)
    notes = []
    if measured:
        notes = [
            "D adversarial, M misclassified. A, D: accuracy on adversarial images at the most fitted "
            f"level{_fitted(measured)}, mean over the runs. fooled: share of the candidates that the surrogate "
            "misclassifies."
        ]
    if any(cell.claims for cell in measured):
        margins = sorted({claim.margin for cell in measured for claim in cell.claims})
        notes += [
            "Estimates: means over the runs with their 95 % intervals.", OVERLAP, DECIDING,
            f"Margin: {', '.join(f'{margin:g}' for margin in margins)}.",
        ]  # fmt: skip
    stale = [cell for cell in measured if cell.status is CellStatus.COMPLETE and _is_stale(cell)]
    if stale:
        notes.append(
            f"Of {counted(len(stale), 'experiment')} the numbers are over other runs than are complete."
        )
    body = align(rows, width, left=(0, 1))
    return f"{body}\n{wrapped(' '.join(notes), width)}" if notes else body


def _is_stale(cell: CellResult) -> bool:
    return cell.measured is None or cell.statistics_runs != cell.measured.runs


def _fitted(cells: Sequence[CellResult]) -> str:
    levels = {cell.ladder.at(cell.ladder.fitted) for cell in cells if cell.ladder is not None}
    return f", {levels.pop()}" if len(levels) == 1 else ""


def _accuracy(cell: CellResult) -> str:
    if cell.summary is None or cell.ladder is None:
        return ABSENT
    by_level = cell.summary.accuracy.get("adversarial", {})
    found = by_level.get(cell.ladder.fitted)
    return number(found.mean if found is not None else None, ".4f")
