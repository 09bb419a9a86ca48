"""The status of a study and its cells: one reading of its experiments."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.records.overview import TELL_FACTOR, Overview, OverviewReader
from core.records.queue import waiting_in
from core.records.status import ExperimentStatus
from core.records.study import Study, StudyCell

TELL_SECONDS = 0.3
"""After how many seconds a long reading first tells what it has read: drawing a part takes as long as reading a
thousand experiments whose overviews are kept.
"""


class CellStatus(StrEnum):
    """The status of an experiment of a study.

    WAITING: it was not begun, or is complete with fewer runs than the study asks for. QUEUED: it waits for its
    turn. The others are as in `ExperimentStatus`.
    """

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    UNREADABLE = "unreadable"


class StudyStatus(StrEnum):
    """The status of a study."""

    CREATED = "created"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class CellState:
    """One experiment of a study as it is now. overview: None where its folder is not there, or its spec is None."""

    cell: StudyCell
    status: CellStatus
    overview: Overview | None = None

    @property
    def done(self) -> int:
        """How many of the runs that the study asks for are complete."""
        if self.overview is None or self.cell.spec is None:
            return 0
        return min(self.overview.done, self.runs)

    @property
    def runs(self) -> int:
        """How many runs the study asks for."""
        return self.cell.spec.runs if self.cell.spec is not None else 0

    @property
    def reason(self) -> str:
        """What is wrong with the cell or its experiment; "" where nothing is."""
        return self.cell.problem or (self.overview.reason if self.overview is not None else "")


@dataclass(frozen=True)
class StudyState:
    """A study and all its cells as they are now. running: whether a living supervisor holds its lock."""

    study: Study
    cells: tuple[CellState, ...]
    running: bool

    @property
    def status(self) -> StudyStatus:
        """The status of the study."""
        return study_status(running=self.running, cells=[cell.status for cell in self.cells])

    @property
    def done(self) -> int:
        """How many runs of all its experiments are complete."""
        return sum(cell.done for cell in self.cells)

    @property
    def runs(self) -> int:
        """How many runs the study asks for in all."""
        return sum(cell.runs for cell in self.cells)

    @property
    def complete(self) -> int:
        """How many of its experiments are complete."""
        return sum(cell.status is CellStatus.COMPLETE for cell in self.cells)


def study_status(*, running: bool, cells: Sequence[CellStatus]) -> StudyStatus:
    """The status of a study. running: whether a living supervisor holds its lock. cells: their statuses."""
    found = set(cells)
    if running or found & {CellStatus.RUNNING, CellStatus.QUEUED}:
        return StudyStatus.RUNNING
    if found <= {CellStatus.COMPLETE}:
        return StudyStatus.COMPLETE
    if found <= {CellStatus.WAITING}:
        return StudyStatus.CREATED
    if found & {CellStatus.FAILED, CellStatus.REFUSED, CellStatus.UNREADABLE}:
        return StudyStatus.FAILED
    return StudyStatus.CANCELLED if CellStatus.CANCELLED in found else StudyStatus.INTERRUPTED


def read_study_state(
    study: Study, reader: OverviewReader | None = None, tell: Callable[[StudyState], None] | None = None
) -> StudyState:
    """Read a study as it is now.

    reader: of its home, to be passed where a study is read repeatedly. tell: called with what was read so far, the
    first experiments, after TELL_SECONDS, then each time TELL_FACTOR times as late.
    Raises OSError where its lock cannot be read.
    """
    reader = reader or OverviewReader(study.home)
    # Asked first: once no supervisor is there any more, what is read after that is final.
    running = study.running
    queue = waiting_in(study.home)
    cells: list[CellState] = []
    start, due = time.monotonic(), TELL_SECONDS
    for cell in study.cells:
        cells.append(_cell_state(study, cell, reader, queue))
        if tell is not None and time.monotonic() - start > due:
            tell(StudyState(study, tuple(cells), running))
            due *= TELL_FACTOR
    return StudyState(study, tuple(cells), running)


def lacking_datasets(state: StudyState) -> list[str]:
    """The data sets of a study's incomplete experiments, each once."""
    lacking = (cell.cell.spec for cell in state.cells if cell.status is not CellStatus.COMPLETE)
    return list(dict.fromkeys(spec.dataset for spec in lacking if spec is not None))


def _cell_state(study: Study, cell: StudyCell, reader: OverviewReader, queue: Mapping[str, int]) -> CellState:
    folder = study.folder_of(cell)
    if cell.spec is None:
        return CellState(cell, CellStatus.UNREADABLE)
    # Of a thousand, most are complete and stay so.
    overview = reader.unchanged(folder)
    if overview is None:
        if not os.path.isdir(folder):
            return CellState(cell, CellStatus.WAITING)
        overview = reader.look_at(folder, queue)
    return CellState(cell, _status(cell, overview), overview)


def _status(cell: StudyCell, overview: Overview) -> CellStatus:
    status = overview.status
    if status is ExperimentStatus.RUNNING:
        return CellStatus.QUEUED if overview.queued else CellStatus.RUNNING
    if status in (ExperimentStatus.NEWER, ExperimentStatus.UNREADABLE) or overview.experiment is None:
        return CellStatus.UNREADABLE
    if cell.spec is not None and overview.done >= cell.spec.runs:
        # Workers may have published the last runs after their coordinator was killed: nobody has said what follows
        # from them. Where an experiment has further runs, its statistics need not be over those of the study.
        further = overview.experiment.spec.runs > cell.spec.runs
        return CellStatus.COMPLETE if overview.summarised or further else CellStatus.INTERRUPTED
    if status in (
        ExperimentStatus.CREATED,
        ExperimentStatus.COMPLETE,
    ):  # the latter with fewer runs than asked for
        return CellStatus.WAITING
    return CellStatus(status.value)
