"""Describes a study that is being set up: its grid, which experiments exist, what is left to compute. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.declarations.printable import printable
from core.files.locations import studies_dir
from core.records.home import experiment_id
from core.records.study import Study, StudyCell
from core.records.study_state import CellState, CellStatus
from core.report.formatting import counted
from core.spec.spec import Spec
from tui_aefit.following.past_runs import PastRun
from tui_aefit.following.savings import expected_seconds, expected_words, sharing_words
from tui_aefit.following.study import (
    CELL_STATES,
    Grid,
    first_across,
    grid_of,
    shared_settings,
)

MOST_ROWS = 6
"""Rows of the grid that are shown, at most."""
NEW = ("+", "new")
"""Glyph and word of an experiment that does not exist yet."""
UNKNOWN = "…"
GAP = "  "

Known = Mapping[str, CellState]
"""Id -> an experiment that was looked at."""


def planned_study(home: Path, name: str, specs: Sequence[Spec]) -> Study:
    """The study that would be made of these experiments, in their order; nothing is written."""
    cells = tuple(StudyCell(experiment_id(spec), spec) for spec in specs)
    return Study(studies_dir(home) / name, cells, created=0.0)


def sentence_of_study(study: Study) -> str:
    """What a study varies and what its experiments share: "epsilon 0.05, 0.1; mnist, fgsm, 3 runs each"."""
    grid = _grid(study, {})
    axes = {name: list(dict.fromkeys(row[at] for row in grid.rows)) for at, name in enumerate(grid.down)}
    axes |= {grid.across: list(grid.columns)} if grid.across else {}
    varied = " × ".join(f"{name} {', '.join(values)}" for name, values in axes.items())
    common = shared_settings(study, study.axes)
    return f"{varied}; {common}" if varied else common


def describe_cells(study: Study, known: Known | None, there: Study | None, *, start: str, show: str) -> str:
    """How many experiments of a planned study have which state, and what becomes of an existing study of its name.

    known: None while they are still looked for. there: the existing study, None for none. start, show: the keys
    that start the planned study and that open the existing one.
    """
    if known is None:
        return UNKNOWN
    states = Counter(_state(known.get(cell.id)) for cell in study.cells)
    # Existing experiments before new ones.
    words = [
        f"{glyph} {many} {word}"
        for (glyph, word), many in sorted(states.items(), key=lambda one: one[0] == NEW)
    ]
    return " · ".join(words) + (f"; {_of_existing(study, there, start, show)}" if there is not None else "")


def _of_existing(study: Study, there: Study, start: str, show: str) -> str:
    """How many experiments an existing study has, and how many of the planned ones would be added to it."""
    has = f"{printable(there.name)} has {counted(len(there.cells), 'experiment')}"
    added = len({cell.id for cell in study.cells} - {cell.id for cell in there.cells})
    adds = f", {start} adds {added}" if added else ""
    return f"{has}{adds}, {show} opens it"


def grid_lines(study: Study, known: Known | None, width: int) -> list[str]:
    """A study's experiments in rows and columns, a glyph each; what has no room is left out, with a mark."""
    grid = _grid(study, known or {})
    labels = [" · ".join(row) for row in grid.rows[:MOST_ROWS]]
    # The setting that runs across is named behind its values, else before them.
    down, across = " · ".join(grid.down), f"{GAP}{grid.across}"
    if not grid.down:
        down, across = grid.across, ""
    label = max(map(len, [*labels, down]))
    columns, used = 0, label + len(across) + len(GAP + UNKNOWN)
    while columns < len(grid.columns) and used + len(GAP + grid.columns[columns]) <= width:
        used += len(GAP + grid.columns[columns])
        columns += 1
    left_out = GAP + UNKNOWN if columns < len(grid.columns) else ""
    heading = "".join(GAP + value for value in grid.columns[:columns])
    lines = [f"{down.ljust(label)}{heading}{left_out}{across}"]
    for at, words in enumerate(labels):
        glyphs = (
            _glyph(grid.cells.get((at, column)), known).rjust(len(GAP + grid.columns[column]))
            for column in range(columns)
        )
        lines.append(f"{words.ljust(label)}{''.join(glyphs)}".rstrip())
    if len(grid.rows) > MOST_ROWS:
        lines.append(f"⋮ {counted(len(grid.rows) - MOST_ROWS, 'row')} more")
    return lines


def describe_work(study: Study, known: Known | None, jobs: int, past: Sequence[PastRun]) -> str:
    """What the experiments share, and how long computing the rest takes. jobs, past: see `expected_seconds`."""
    specs = [cell.spec for cell in study.cells if cell.spec is not None]
    complete = {id for id, cell in (known or {}).items() if cell.status is CellStatus.COMPLETE}
    left = [cell.spec for cell in study.cells if cell.spec is not None and cell.id not in complete]
    lines = [f"work: {sharing_words(specs)}"]
    if left:
        expected = expected_seconds(left, jobs, past)
        about = (
            "no past run of its data to go by" if expected is None else f"about {expected_words(expected)}"
        )
        lines.append(f"{'time' if len(left) == len(specs) else 'time for the rest'}: {about}")
    return "\n".join(lines)


def _grid(study: Study, known: Known) -> Grid:
    cells = [known.get(cell.id, CellState(cell, CellStatus.WAITING)) for cell in study.cells]
    return grid_of(cells, study.axes, first_across(study.axes))


def _state(cell: CellState | None) -> tuple[str, str]:
    """Glyph and word of an experiment's state."""
    if cell is None or cell.overview is None:
        return NEW
    glyph, word, _ = CELL_STATES[cell.status]
    return glyph, word


def _glyph(cell: CellState | None, known: Known | None) -> str:
    if cell is None:
        return ""  # no experiment has these settings
    return UNKNOWN if known is None else _state(cell)[0]
