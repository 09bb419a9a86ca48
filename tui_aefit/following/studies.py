"""Reads the studies of a home again and again, and follows one; files that have not changed are not read anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import StudyError
from core.records.experiment import Experiment
from core.records.overview import OverviewReader
from core.records.study import STUDY_FILE, Study, load_study, study_folders
from core.records.study_state import CellStatus, StudyState, read_study_state
from tui_aefit.following.feed import Feed
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.following.study import Progress, StudyView

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class StudyOverview:
    """One folder among the studies. state: None where it cannot be read; problem: why not, "" otherwise."""

    folder: Path
    state: StudyState | None
    problem: str = ""

    @property
    def name(self) -> str:
        """The folder's name, by which the study is known."""
        return self.folder.name


class StudiesReader:
    """Reads the studies of a home. May be shared between threads."""

    def __init__(self, home: Path, overviews: OverviewReader) -> None:
        self._home = home
        self._overviews = overviews
        self._loaded: dict[Path, tuple[Stamp | None, Study]] = {}

    def load(self, folder: Path) -> Study:
        """The study in a folder. Raises StudyError."""
        stamp = _stamp_of(folder / STUDY_FILE)
        known = self._loaded.get(folder)
        if known is None or known[0] != stamp or stamp is None:
            known = stamp, load_study(folder)
            self._loaded[folder] = known
        return known[1]

    def look(self) -> tuple[StudyOverview, ...]:
        """The overview of every study, the newest first. Raises StudyError where they cannot be listed."""
        return tuple(map(self._overview, study_folders(self._home)))

    def members(self) -> Mapping[str, tuple[str, ...]]:
        """Id of an experiment -> the names of the readable studies that have it.

        Raises StudyError where they cannot be listed.
        """
        found: dict[str, tuple[str, ...]] = {}
        for folder in study_folders(self._home):
            try:
                study = self.load(folder)
            except StudyError:
                continue  # the list of studies says what is the matter with it
            for cell in study.cells:
                found[cell.id] = (*found.get(cell.id, ()), study.name)
        return found

    def _overview(self, folder: Path) -> StudyOverview:
        try:
            return StudyOverview(folder, read_study_state(self.load(folder), self._overviews))
        except StudyError as error:
            return StudyOverview(folder, None, str(error))
        except OSError as error:
            return StudyOverview(folder, None, f"cannot be read: {error.strerror}")


class StudyFeed:
    """Follows one study: its state, and the progress of those of its experiments that are being computed."""

    def __init__(self, folder: Path, studies: StudiesReader, overviews: OverviewReader) -> None:
        self._folder = folder
        self._studies = studies
        self._overviews = overviews
        self._feeds: dict[str, tuple[Feed, Snapshot | None]] = {}
        self._before: StudyView | None = None

    def look(self, now: float, tell: Callable[[StudyView], None] | None = None) -> StudyView | None:
        """The study now; None where nothing has changed since the last look. Raises StudyError, OSError.

        now: seconds since 1970. tell: called with what was read so far, at a first look that takes long.
        """

        def told(state: StudyState) -> None:
            if tell is not None:
                tell(StudyView(state))

        study = self._studies.load(self._folder)
        state = read_study_state(study, self._overviews, told if self._before is None else None)
        running = {
            cell.cell.id: cell.overview.experiment
            for cell in state.cells
            if cell.status is CellStatus.RUNNING
            and cell.overview is not None
            and cell.overview.experiment is not None
        }
        self._feeds = {id: self._followed(id, experiment, now) for id, experiment in running.items()}
        view = StudyView(
            state,
            {id: _progress(snapshot) for id, (_, snapshot) in self._feeds.items() if snapshot is not None},
        )
        if view == self._before:
            return None
        self._before = view
        return view

    def _followed(self, id: str, experiment: Experiment, now: float) -> tuple[Feed, Snapshot | None]:
        feed, before = self._feeds.get(id) or (Feed(experiment), None)
        return feed, feed.look(now) or before


def _progress(snapshot: Snapshot) -> Progress:
    # Rounded to whole seconds and percent, so that a change that nobody can see is none.
    left = round(snapshot.remaining) if snapshot.remaining is not None else None
    return Progress(round(snapshot.done, 2), left, snapshot.jobs)


def _stamp_of(path: Path) -> Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
