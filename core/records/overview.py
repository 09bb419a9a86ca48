"""All experiments of a home at a glance, cheap enough to be looked at every other second."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from core.errors import RecordError
from core.records.annotations import ANNOTATIONS_FILE, Annotations, read_annotations
from core.records.events import SCHEMA_VERSION as JOURNAL_VERSION
from core.records.events import CoordinatorStarted, Event, Finished, RunFailed, decode
from core.records.experiment import SPEC_FILE, Experiment, UnreadableError, created, load
from core.records.home import experiment_folders
from core.records.journal import session_of
from core.records.status import ExperimentStatus, experiment_status, is_turning_point

BLOCK = 1 << 16
"""Bytes of a journal that are read at once, from its end."""

NEWER_JOURNAL = "its journal was written by a newer version"
NO_ANNOTATIONS = Annotations()

T = TypeVar("T")
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Overview:
    """One folder among the experiments, in short.

    status: as `State.status` has it, or NEWER (a later version wrote its spec) or UNREADABLE.
    experiment: None exactly where the status is one of these two. done: its complete runs.
    created: when it was made, seconds since 1970. stopping: it runs and was asked to stop.
    reason: why it failed, was refused, cannot be read or must not be changed; "" otherwise.
    read_only: this version can show it at best, but must not change it.
    """

    folder: Path
    status: ExperimentStatus
    experiment: Experiment | None = None
    done: int = 0
    created: float = 0.0
    stopping: bool = False
    annotations: Annotations = NO_ANNOTATIONS
    reason: str = ""
    read_only: bool = False

    @property
    def id(self) -> str:
        """The folder's name, by which the experiment is known."""
        return self.folder.name


@dataclass(frozen=True)
class _JournalEnd:
    """What the coordinators' journals of an experiment say at their ends.

    turning_point: the newest event by which the status is judged. failure: why the newest coordinator failed or
    refused, "" where it did neither. newer: a later version wrote the newest journal.
    """

    turning_point: Event | None = None
    failure: str = ""
    newer: bool = False


class OverviewReader:
    """Reads the overviews of a home again and again; a file that has not changed is not read again.

    May be shared between threads.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._cached: dict[Path, tuple[Stamp | None, Any]] = {}
        self._met: dict[Path, tuple[Stamp | None, Any]] = {}
        self._lock = threading.Lock()

    def look(self) -> tuple[Overview, ...]:
        """Every experiment there is now, the newest first. What a folder holds never makes it raise.

        Raises ExperimentError where the home itself cannot be listed; one that does not exist is empty.
        """
        with self._lock:
            folders = experiment_folders(self._home)
            self._met = {}
            overviews = [self._overview(folder) for folder in folders]
            # Whatever was not met this time is gone.
            self._cached = self._met
        return tuple(sorted(overviews, key=lambda overview: (-overview.created, overview.id)))

    def look_at(self, folder: Path) -> Overview | None:
        """One experiment, None where there is no such folder. Never raises for what it holds."""
        with self._lock:
            self._met = dict(self._cached)
            found = self._overview(folder) if os.path.isdir(folder) else None
            self._cached = self._met
        return found

    def _overview(self, folder: Path) -> Overview:
        found = self._unless_changed(folder / SPEC_FILE, _load)
        noted, problem = self._unless_changed(folder / ANNOTATIONS_FILE, _annotations)
        made = _made(folder)
        if isinstance(found, Overview):
            return replace(found, created=made, annotations=noted)
        try:
            # Asked first: once nobody computes any more, what is read after that is final.
            running = found.running
            done = sum(self._complete(found, run) for run in self._begun(found))
            end = _JournalEnd() if running else self._journal_end(found)
            stopping = running and found.cancel_file.exists()
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            return Overview(folder, ExperimentStatus.UNREADABLE, created=made, reason=reason, read_only=True)
        status = experiment_status(
            running=running, lacking=found.spec.runs - done, turning_point=end.turning_point
        )
        failure = end.failure if status in (ExperimentStatus.FAILED, ExperimentStatus.REFUSED) else ""
        return Overview(
            folder,
            status,
            experiment=found,
            done=done,
            created=made,
            stopping=stopping,
            annotations=noted,
            reason="; ".join(filter(None, (failure, NEWER_JOURNAL if end.newer else "", problem))),
            read_only=end.newer,
        )

    def _begun(self, experiment: Experiment) -> list[int]:
        """The runs that have a folder."""
        there = set(_names(experiment.folder / "runs"))
        return [run for run in range(experiment.spec.runs) if experiment.run_folder(run).name in there]

    def _complete(self, experiment: Experiment, run: int) -> bool:
        result = experiment.run_folder(run) / "result"
        return self._unless_changed(result, lambda _: experiment.result(run) is not None)

    def _journal_end(self, experiment: Experiment) -> _JournalEnd:
        journals = _coordinator_journals(experiment.journal)
        if not journals:
            return _JournalEnd()
        # The newest journal alone may still change.
        return self._unless_changed(journals[0], lambda _: _read_end(journals))

    def _unless_changed(self, path: Path, read: Callable[[Path], T]) -> T:
        """What `read` makes of `path`, read anew only where the path's entry on disk is another."""
        stamp = _stamp(path)
        cached = self._cached.get(path)
        if cached is None or cached[0] != stamp:
            cached = stamp, read(path)
        self._met[path] = cached
        value: T = cached[1]
        return value


def _load(path: Path) -> Experiment | Overview:
    """The experiment whose specification this is; where it cannot be read, what an overview says of that."""
    folder = path.parent
    try:
        return load(folder)
    except UnreadableError as error:
        status = ExperimentStatus.NEWER if error.newer else ExperimentStatus.UNREADABLE
        return Overview(folder, status, reason=error.reason, read_only=True)


def _annotations(path: Path) -> tuple[Annotations, str]:
    return read_annotations(path.parent)


def _read_end(journals: list[Path]) -> _JournalEnd:
    """What the journals, the newest first, say last: the newest coordinator that wrote anything counts."""
    session = _last_session(journals)
    turning_point = next((event for event in session if is_turning_point(event)), None)
    reasons = [event.error for event in session if isinstance(event, Finished)]
    reasons += [
        f"a run failed: {event.error}"
        for event in session
        if isinstance(event, RunFailed) and not event.retry
    ]
    failure = next(filter(None, reasons), "")
    return _JournalEnd(turning_point, failure, _version(journals[0]) > JOURNAL_VERSION)


def _last_session(journals: list[Path]) -> list[Event]:
    """How the newest coordinator that wrote any went, the last event first, its start at the end."""
    events: list[Event] = []
    for event in chain.from_iterable(map(_decisive_events, journals)):
        events.append(event)
        if isinstance(event, CoordinatorStarted):
            break
    return events


def _version(path: Path) -> int:
    """The schema version of a journal: its last line's, since one writer wrote them all; 0 for an empty one."""
    for line in _lines_from_the_end(path):
        try:
            return decode(line).v
        except RecordError:
            continue
    return 0


_DECISIVE = (Finished, RunFailed, CoordinatorStarted)
_MARKS = tuple(f'"{kind.__struct_config__.tag}"'.encode() for kind in _DECISIVE)


def _decisive_events(path: Path) -> Iterator[Event]:
    """The events that say how a computation ended, the last first; what cannot be read is passed over."""
    for line in _lines_from_the_end(path):
        # Statistics are long, and most of a coordinator's journal: not parsed for nothing.
        if any(mark in line for mark in _MARKS):
            try:
                event = decode(line)
            except RecordError:
                continue
            if isinstance(event, _DECISIVE):
                yield event


def _lines_from_the_end(path: Path) -> Iterator[bytes]:
    """The complete lines of a file, the last first, reading no more than is taken."""
    with path.open("rb") as file:
        position = file.seek(0, os.SEEK_END)
        rest = b""
        torn = True
        while position > 0:
            step = min(BLOCK, position)
            position -= step
            file.seek(position)
            rest, *lines = (file.read(step) + rest).split(b"\n")
            for line in reversed(lines):
                if not torn:
                    yield line
                torn = False
        if not torn:
            yield rest


def _coordinator_journals(folder: Path) -> list[Path]:
    """The journals of the coordinators, the newest first: each numbers its session."""
    paths = [folder / name for name in _names(folder) if name.endswith("-coordinator.jsonl")]
    return sorted(paths, key=lambda path: (session_of(path), path.name), reverse=True)


def _names(folder: Path) -> list[str]:
    """What a folder holds, nothing where there is no such folder. Raises OSError."""
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _made(folder: Path) -> float:
    """When an experiment was made; of a folder without a spec, when it was last changed: a list shows a date."""
    try:
        return created(folder) or folder.stat().st_mtime
    except OSError:
        return 0.0


def _stamp(path: Path) -> Stamp | None:
    """What changes with a path's content: its time, size and inode; None where there is nothing."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
