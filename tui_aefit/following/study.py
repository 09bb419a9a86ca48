"""What the study screen shows of a study at one moment: the grid, its words, filtering, time left. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.declarations.printable import printable
from core.declarations.setting import Value as Setting
from core.records.experiment import Experiment
from core.records.overview import Overview
from core.records.status import ExperimentStatus
from core.records.study import Study
from core.records.study_state import CellState, CellStatus, StudyState, StudyStatus
from core.report.formatting import ABSENT
from core.spec.command import word_of
from core.spec.settings import COMMON
from core.spec.spec import Spec
from tui_aefit.following.filtering import select
from tui_aefit.following.listing import QUEUED, STATES, unusual

CELL_STATES: Mapping[CellStatus, tuple[str, str, str]] = {
    CellStatus.WAITING: ("·", "waiting", ""),
    CellStatus.QUEUED: QUEUED,
    **{
        CellStatus(status.value): words for status, words in STATES.items() if status.value in set(CellStatus)
    },
}
"""Status of an experiment of a study -> its glyph, its word and its Rich style."""
STUDY_STATES: Mapping[StudyStatus, tuple[str, str, str]] = {
    status: STATES[ExperimentStatus(status.value)] for status in StudyStatus
}
"""Status of a study as a whole -> its glyph, its word and its Rich style."""
SEPARATOR = " · "


@dataclass(frozen=True)
class Progress:
    """The progress of an experiment that is being computed.

    done: the share of its work that is done. left: seconds, None if unknown. jobs: runs at the same time.
    """

    done: float
    left: float | None
    jobs: int


@dataclass(frozen=True)
class StudyView:
    """A study at one moment. progress: id -> progress, of the experiments that are being computed."""

    state: StudyState
    progress: Mapping[str, Progress] = field(default_factory=dict)


@dataclass(frozen=True)
class Grid:
    """Experiments in rows and columns. across: the setting along a row, "" for none; columns: its values.

    down: the settings that differ between rows; rows: the values of these. cells: (row, column) -> experiment.
    """

    across: str
    columns: tuple[str, ...]
    down: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    cells: Mapping[tuple[int, int], CellState]

    def place_of(self, id: str) -> tuple[int, int] | None:
        """Row and column of an experiment, None where it is not in the grid."""
        return next((place for place, cell in self.cells.items() if cell.cell.id == id), None)

    def row_name(self, row: int) -> str:
        """A row's values in one line."""
        return SEPARATOR.join(self.rows[row])


def first_across(axes: Mapping[str, Sequence[Setting]]) -> str:
    """The axis to put along the rows at first: one of numbers before one of words, then that with most values."""

    def weight(name: str) -> tuple[bool, int]:
        values = axes[name]
        return any(isinstance(value, int | float) for value in values), len(values)

    return max(axes, key=weight, default="")


def grid_of(cells: Iterable[CellState], axes: Mapping[str, Sequence[Setting]], across: str) -> Grid:
    """The experiments in a grid, values in the order of the axes; values that no experiment has are left out."""
    down = tuple(name for name in axes if name != across)
    # An experiment without a setting (another attack has no such option) comes last.
    values_of = {name: tuple(dict.fromkeys((*values, None))) for name, values in axes.items()}
    order = {name: {value: n for n, value in enumerate(values)} for name, values in values_of.items()}
    placed: dict[tuple[tuple[int, ...], int], CellState] = {}
    for cell in cells:
        spec = cell.cell.spec
        if spec is not None:
            row = tuple(order[name][_setting(spec, name)] for name in down)
            column = order[across][_setting(spec, across)] if across else 0
            placed.setdefault((row, column), cell)
    rows = {row: at for at, row in enumerate(sorted({row for row, _ in placed}))}
    columns = {column: at for at, column in enumerate(sorted({column for _, column in placed}))}
    specs = [cell.cell.spec for cell in placed.values() if cell.cell.spec is not None]
    words = {name: [_word(name, value, specs) for value in values] for name, values in values_of.items()}
    return Grid(
        across,
        tuple(words[across][column] if across else "" for column in columns),
        down,
        tuple(tuple(words[name][at] for name, at in zip(down, row, strict=True)) for row in rows),
        {(rows[row], columns[column]): cell for (row, column), cell in placed.items()},
    )


def _setting(spec: Spec, name: str) -> Setting:
    """The value of one setting, None where there is none; faster than `spec.values`, which makes all of them."""
    found: Setting = getattr(spec, name) if name in COMMON else spec.options.get(name)
    return found


def _word(name: str, value: Setting, specs: Iterable[Spec]) -> str:
    """A value of an axis in a word; for a data set its title. specs: those of the grid."""
    if value is None:
        return ABSENT
    if name == "dataset":
        return printable(next((one.dataset_title for one in specs if one.dataset == value), str(value)))
    return printable(word_of(value))


def axes_words(axes: Mapping[str, Sequence[Setting]]) -> list[str]:
    """Each axis with its values as they are typed: "epsilon 0.05 0.1"; ABSENT where one has none."""
    return [
        f"{name} {' '.join(word_of(value) or ABSENT for value in values)}" for name, values in axes.items()
    ]


def settings_of(cell: CellState, axes: Iterable[str]) -> str:
    """An experiment's values on the axes: "attack=fgsm epsilon=0.1"; its id where its spec cannot be read."""
    spec = cell.cell.spec
    if spec is None:
        return printable(cell.cell.id)
    words = ((name, _setting(spec, name)) for name in axes)
    return " ".join(f"{name}={_word(name, value, [spec])}" for name, value in words) or printable(
        cell.cell.id
    )


def overview_of(cell: CellState, study: Study) -> Overview:
    """The overview of an experiment of a study; one is made up where it does not exist yet or cannot be read."""
    if cell.overview is not None:
        return cell.overview
    folder = study.folder_of(cell.cell)
    if cell.cell.spec is None:
        return Overview(folder, ExperimentStatus.UNREADABLE, reason=cell.cell.problem, read_only=True)
    return Overview(folder, ExperimentStatus.CREATED, Experiment(folder, cell.cell.spec))


def select_cells(state: StudyState, words: str) -> tuple[tuple[CellState, ...], tuple[str, ...]]:
    """The experiments that fit every word, as in the list of experiments; a sentence for each not understood."""
    if not words.strip():
        return state.cells, ()
    overviews = [overview_of(cell, state.study) for cell in state.cells]
    selection = select(overviews, words)
    chosen = {overview.id for overview in selection.overviews}
    return tuple(cell for cell in state.cells if cell.cell.id in chosen), selection.problems


def state_words_of(cell: CellState) -> tuple[str, str, str]:
    """Glyph, word and Rich style of an experiment's state."""
    glyph, word, style = CELL_STATES[cell.status]
    if cell.overview is not None and cell.overview.queued:
        word = f"{word} {cell.overview.queued}"
    return glyph, word, style


def seconds_left(view: StudyView) -> float | None:
    """Estimated seconds until a study is complete; None where no run has ended, or nothing is computed.

    Experiments that are being computed have their own estimates. Every other run is taken to last as long as those
    of its data set did, else as all did, with as many at the same time as now.
    """
    state, progress = view.state, view.progress
    took: dict[str, list[float]] = {}
    for cell in state.cells:
        if cell.overview is not None and cell.overview.done and cell.cell.spec is not None:
            took.setdefault(cell.cell.spec.dataset, []).append(cell.overview.seconds / cell.overview.done)
    everything = [seconds for many in took.values() for seconds in many]
    if not everything or not progress:
        return None
    jobs = max(1, sum(one.jobs for one in progress.values()))
    left = max((one.left for one in progress.values() if one.left is not None), default=0.0)
    for cell in state.cells:
        if cell.cell.id not in progress and cell.cell.spec is not None:
            known = took.get(cell.cell.spec.dataset, everything)
            left += (cell.runs - cell.done) * sum(known) / len(known) / jobs
    return left


def shared_settings(study: Study, axes: Iterable[str]) -> str:
    """What all experiments have in common and is not at its default: "mnist, z=9, 3 runs each"."""
    specs = [cell.spec for cell in study.cells if cell.spec is not None]
    if not specs:
        return ""
    first, differ = specs[0], {*axes, *study.axes, "dataset", "runs"}
    words = [] if "dataset" in axes else [printable(first.dataset_title)]
    words += [printable(first.attack)] if "attack" not in axes else []
    told = {"epsilon": first.epsilon, **unusual(first, (*differ, "attack", "epsilon"))}
    words += [f"{name}={_word(name, value, specs)}" for name, value in told.items() if name not in differ]
    runs = sorted({spec.runs for spec in specs})
    words.append(f"{'-'.join(map(str, dict.fromkeys((runs[0], runs[-1]))))} runs each")
    return ", ".join(words)


def setting_word(cell: CellState, axis: str) -> str:
    """The value of an experiment on an axis, in a word; "" where its spec cannot be read."""
    spec = cell.cell.spec
    return _word(axis, _setting(spec, axis), [spec]) if spec is not None else ""
