"""All experiments of a home at a glance, cheap enough to be looked at every other second."""

from __future__ import annotations

import os
import threading
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from core.errors import ExperimentError
from core.files.locations import experiments_dir
from core.records.annotations import ANNOTATIONS_FILE, Annotations, read_annotations
from core.records.events import SCHEMA_VERSION as JOURNAL_VERSION
from core.records.events import BrokenLine, Event, decode
from core.records.experiment import SPEC_FILE, Experiment, created, ending, load
from core.spec.spec import SCHEMA_VERSION as SPEC_VERSION

BLOCK = 1 << 16
"""Bytes of a journal that are read at once, from its end."""

NEWER_JOURNAL = "its journal was written by a newer version"
NO_ANNOTATIONS = Annotations()

T = TypeVar("T")
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Overview:
    """One folder among the experiments, in short.

    status: as `State.status` has it, or "newer" (a later version wrote its spec) or "unreadable".
    experiment: None exactly where the status is one of these two. done: its complete runs.
    created: when its spec was written, seconds since 1970. stopping: it runs and was asked to stop.
    reason: why it failed, was refused, cannot be read or must not be changed; "" otherwise.
    read_only: this version can show it at best, but must not change it.
    """

    folder: Path
    status: str
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
class _Told:
    """A status and the reason for it. newer: told by a journal of a later version."""

    status: str
    reason: str = ""
    newer: bool = False


def experiment_folders(home: Path) -> list[Path]:
    """The folders of a home's experiments, in no order; a home that does not exist has none.

    Raises ExperimentError where they cannot be listed.
    """
    folder = experiments_dir(home)
    try:
        names = _names(folder)
    except OSError as error:
        raise ExperimentError(
            f"cannot list {folder}: {error.strerror}", "choose another home with --home DIR"
        ) from error
    return [folder / name for name in names if not name.startswith(".") and os.path.isdir(folder / name)]


class OverviewReader:
    """Reads the overviews of a home again and again; a file that has not changed is not read again.

    May be shared between threads.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._remembered: dict[Path, tuple[Stamp | None, Any]] = {}
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
            self._remembered = self._met
        return tuple(sorted(overviews, key=lambda overview: (-overview.created, overview.id)))

    def _overview(self, folder: Path) -> Overview:
        found = self._unless_changed(folder / SPEC_FILE, _load)
        noted, problem = self._unless_changed(folder / ANNOTATIONS_FILE, _annotations)
        made = _made(folder)
        if not isinstance(found, Experiment):
            return Overview(
                folder, found.status, created=made, annotations=noted, reason=found.reason, read_only=True
            )
        try:
            # Asked first: once nobody computes any more, what is read after that is final.
            running = found.running
            done = sum(self._complete(found, run) for run in self._begun(found))
            told = self._ending(found, running, done)
            stopping = running and found.cancel_file.exists()
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            return Overview(folder, "unreadable", created=made, reason=reason, read_only=True)
        return Overview(
            folder,
            told.status,
            experiment=found,
            done=done,
            created=made,
            stopping=stopping,
            annotations=noted,
            reason="; ".join(filter(None, (told.reason, problem))),
            read_only=told.newer,
        )

    def _begun(self, experiment: Experiment) -> list[int]:
        """The runs that have a folder."""
        there = set(_names(experiment.folder / "runs"))
        return [run for run in range(experiment.spec.runs) if experiment.run_folder(run).name in there]

    def _complete(self, experiment: Experiment, run: int) -> bool:
        result = experiment.run_folder(run) / "result"
        return self._unless_changed(result, lambda _: experiment.result(run) is not None)

    def _ending(self, experiment: Experiment, running: bool, done: int) -> _Told:
        if running:
            return _Told("running")
        journals = _coordinator_journals(experiment.journal)
        if not journals:
            return _Told("complete" if done == experiment.spec.runs else "created")
        # The newest journal alone may still change.
        told = self._unless_changed(journals[0], lambda _: _last_ending(journals))
        if done < experiment.spec.runs:
            return told
        return _Told("complete", NEWER_JOURNAL if told.newer else "", told.newer)

    def _unless_changed(self, path: Path, read: Callable[[Path], T]) -> T:
        """What `read` makes of `path`, read anew only where the path's entry on disk is another."""
        stamp = _stamp(path)
        remembered = self._remembered.get(path)
        if remembered is None or remembered[0] != stamp:
            remembered = stamp, read(path)
        self._met[path] = remembered
        value: T = remembered[1]
        return value


def _load(path: Path) -> Experiment | _Told:
    try:
        if not path.is_file():  # reading from a pipe would wait for ever
            return _Told("unreadable", f"it holds no file {SPEC_FILE}")
        return load(path.parent)
    except (ExperimentError, OSError, RecursionError) as error:
        version = _spec_version(path)
        if version > SPEC_VERSION:
            reason = (
                f"written by a newer version (spec version {version}, this one reads up to {SPEC_VERSION})"
            )
            return _Told("newer", reason)
        return _Told("unreadable", str(error).removeprefix(f"{path.parent}{os.sep}"))


def _spec_version(path: Path) -> int:
    """The schema version that a spec claims, 0 where it says nothing readable."""
    try:
        if not path.is_file():
            return 0
        version = tomllib.loads(path.read_text(encoding="utf-8")).get("schema_version")
    except (OSError, ValueError, RecursionError):
        return 0
    return version if type(version) is int else 0


def _annotations(path: Path) -> tuple[Annotations, str]:
    return read_annotations(path.parent)


def _last_ending(journals: list[Path]) -> _Told:
    """What the newest of the coordinators that wrote anything said last, and why it failed or was refused."""
    newer = _version(journals[0]) > JOURNAL_VERSION
    events = _last_session(journals)
    status = ending(events)
    reasons = [str(event.fields.get("error", "")) for event in events if event.kind == "finished"]
    reasons += [
        f"a run failed: {event['error']}"
        for event in events
        if event.kind == "run_failed" and not event["retry"]
    ]
    reason = next(filter(None, reasons), "") if status in ("failed", "refused") else ""
    return _Told(status, "; ".join(filter(None, (reason, NEWER_JOURNAL if newer else ""))), newer)


def _last_session(journals: list[Path]) -> list[Event]:
    """The turning points of the newest coordinator that wrote any, the last first, its start at the end."""
    events: list[Event] = []
    for event in chain.from_iterable(map(_turning_points, journals)):
        events.append(event)
        if event.kind == "coordinator_started":
            break
    return events


def _version(path: Path) -> int:
    """The schema version of a journal: its last line's, since one writer wrote them all; 0 for an empty one."""
    for line in _lines_from_the_end(path):
        try:
            return decode(path.stem, line).version
        except BrokenLine:
            continue
    return 0


def _turning_points(path: Path) -> Iterator[Event]:
    """The events that tell how a computation ended, the last first; what cannot be read is passed over."""
    kinds = ("finished", "run_failed", "coordinator_started")
    marks = [f'"{kind}"'.encode() for kind in kinds]
    for line in _lines_from_the_end(path):
        # Statistics are long, and most of a coordinator's journal: not parsed for nothing.
        if any(mark in line for mark in marks):
            try:
                event = decode(path.stem, line)
            except BrokenLine:
                continue
            if event.kind in kinds:
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
    names = [name for name in _names(folder) if name.endswith("-coordinator.jsonl")]
    sessions = [name.partition("-")[0] for name in names]
    order = [
        (int(session) if session.isdecimal() else 0, name)
        for session, name in zip(sessions, names, strict=True)
    ]
    return [folder / name for _, name in sorted(order, reverse=True)]


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
