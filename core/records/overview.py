"""All experiments of a home at a glance, cheap enough to be looked at every other second."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from core.errors import AefitError, RecordError
from core.families.ladder import Ladder
from core.records.annotations import ANNOTATIONS_FILE, Annotations, read_annotations
from core.records.events import SCHEMA_VERSION as JOURNAL_VERSION
from core.records.events import CoordinatorStarted, Event, Finished, RunFailed, decode
from core.records.experiment import SPEC_FILE, Experiment, UnreadableError, created, load, run_name
from core.records.findings import ADVERSARIAL, Findings, findings_in
from core.records.folders import experiment_folders
from core.records.kept_overviews import (
    VERSION,
    KeptOverview,
    KeptRun,
    RunFigures,
    Stamp,
    Stamps,
    encode_findings,
    keep,
    read_kept,
    sweep_kept,
)
from core.records.queue import waiting_in
from core.records.results import METRICS
from core.records.status import ExperimentStatus, experiment_status, is_turning_point
from core.records.tail import coordinator_journals, lines_from_the_end, names_in
from core.spec.spec import SCHEMA_VERSION as SPEC_VERSION
from core.spec.spec import Spec

TELL_SECONDS = 0.05
"""When a long look first tells how far it is: the first rows of a list are seen as soon as those of a short one."""
TELL_FACTOR = 4
"""After how many times as long it tells again: what is told is drawn, and the more there is the longer it takes."""

NEWER_JOURNAL = "its journal was written by a newer version"
NO_ANNOTATIONS = Annotations()

T = TypeVar("T")


@dataclass(frozen=True)
class Overview:
    """One folder among the experiments, in short.

    status: as `State.status` has it, or NEWER (a later version wrote its spec) or UNREADABLE.
    experiment: None exactly where the status is one of these two. done: its complete runs.
    created: when it was made, seconds since 1970. stopping: it runs and was asked to stop.
    seconds: that its complete runs took, together. adversarial: how many images the adversarial set of each of them
    has. fooled: the share of its attack's candidates that fool the surrogate, of those that have any.
    findings: what a coordinator last journaled over its runs, None before the first statistics. summarised: whether
    that is over all of its complete runs: it is not where a coordinator was killed last of all. queued: its place
    among those that wait for their turn, from 1; 0 where it does not wait.
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
    seconds: float = 0.0
    adversarial: tuple[int, ...] = ()
    fooled: tuple[float, ...] = ()
    findings: Findings | None = None
    summarised: bool = True
    queued: int = 0

    @property
    def id(self) -> str:
        """The folder's name, by which the experiment is known."""
        return self.folder.name


@dataclass(frozen=True)
class _JournalEnd:
    """How the coordinators of an experiment say that they ended.

    turning_point: the newest event by which the status is judged. failure: why the newest coordinator failed or
    refused, "" where it did neither.
    """

    turning_point: Event | None = None
    failure: str = ""


@dataclass(frozen=True)
class _Statistics:
    """findings: of the newest statistics in the journals. newer: a later version wrote the newest journal.

    left_out: they are kept, and nobody wants them.
    """

    findings: Findings | None = None
    newer: bool = False
    left_out: bool = False

    def over(self, runs: int) -> bool:
        """Whether they are over so many runs. What is kept is over all there were."""
        return self.left_out or runs == 0 or (self.findings is not None and self.findings.runs >= runs)


class OverviewReader:
    """Reads the overviews of a home again and again; a file that has not changed is not read again.

    Nor is what an earlier process read of a complete experiment, see `core.records.kept_overviews`.
    findings: whether anybody wants them, which take longest. May be shared between threads.
    """

    def __init__(self, home: Path, *, findings: bool = True) -> None:
        self._home = home
        self._wants_findings = findings
        self._cached: dict[tuple[str, str], tuple[Stamps, Any]] = {}
        self._met: dict[tuple[str, str], tuple[Stamps, Any]] = {}
        self._read_anew = False
        self._before: dict[Path, Overview] = {}
        self._all: tuple[Overview, ...] = ()
        self._queue: Mapping[str, int] = {}
        self._lock = threading.Lock()

    def look(self, tell: Callable[[tuple[Overview, ...], int], None] | None = None) -> tuple[Overview, ...]:
        """Every experiment there is now, the newest first. What a folder holds never makes it raise.

        What has not changed is the same object as before, one of them or all. tell: is given the newest, as
        many as were read so far, and how many there are, after TELL_SECONDS and then TELL_FACTOR times as late.
        Raises ExperimentError where the home itself cannot be listed; one that does not exist is empty.
        """
        with self._lock:
            made = {folder: _made(folder) for folder in experiment_folders(self._home)}
            folders = sorted(made, key=lambda folder: (-made[folder], folder.name))
            self._met = {}
            self._queue = waiting_in(self._home)
            overviews: list[Overview] = []
            start, due = time.monotonic(), TELL_SECONDS
            for folder in folders:
                overviews.append(self._overview(folder, made[folder]))
                if tell is not None and time.monotonic() - start > due:
                    tell(tuple(overviews), len(folders))
                    due *= TELL_FACTOR
            # Whatever was not met this time is gone.
            self._cached = self._met
            if self._before.keys() - made.keys() or not self._before:
                sweep_kept(self._home, [folder.name for folder in folders])
            self._before = {overview.folder: overview for overview in overviews}
            found = tuple(overviews)
            if found != self._all:
                self._all = found
            return self._all

    def look_at(self, folder: Path, queue: Mapping[str, int] | None = None) -> Overview:
        """One experiment as it is now, as `look` has it. queue: as `waiting_in` has it, where that is known."""
        with self._lock:
            self._met = {}
            self._queue = waiting_in(self._home) if queue is None else queue
            overview = self._overview(folder, _made(folder))
            self._cached |= self._met
            self._before[folder] = overview
        return overview

    def _overview(self, folder: Path, made: float) -> Overview:
        before = self._before.get(folder)
        if before is None:
            self._recall(folder)
        self._read_anew = False
        overview = self._read(folder, made)
        return before if before is not None and before == overview else overview

    def _recall(self, folder: Path) -> None:
        """Take what an earlier process has kept of an experiment for what this one read of it."""
        kept = read_kept(self._home, folder.name)
        if kept is None:
            return
        try:
            experiment = Experiment(folder, Spec.from_mapping(kept.spec, stored=True))
            findings = kept.read_findings() if self._wants_findings else None
        except AefitError:  # a plug-in is gone; it is damaged
            return
        if findings is not None and not findings.fits(experiment.spec.ladder):
            return
        statistics = _Statistics(findings, left_out=not self._wants_findings)
        self._cached |= {
            (f"{folder}/{SPEC_FILE}", ""): (kept.spec_stamps, experiment),
            (f"{folder}/{ANNOTATIONS_FILE}", ""): (kept.annotations_stamps, (kept.annotations, "")),
            (f"{experiment.journal}/{kept.journal}", _Statistics.__name__): (kept.journal_stamps, statistics),
            **{(_result(folder, one.run), ""): (one.stamps, one.figures) for one in kept.runs},
        }

    def _read(self, folder: Path, made: float) -> Overview:
        found = self._unless_changed(f"{folder}/{SPEC_FILE}", _load)
        noted, problem = self._unless_changed(f"{folder}/{ANNOTATIONS_FILE}", _annotations)
        if isinstance(found, Overview):
            return replace(found, created=made, annotations=noted)
        try:
            # Asked first: once nobody computes any more, what is read after that is final.
            # Most have none: looking for the file costs less than reading it.
            running = os.path.lexists(f"{folder}/lock") and found.running
            runs = self._figures(found)
            done, journals = len(runs), coordinator_journals(found.journal)
            # How it ended matters only where something is missing; the rest of a journal is long.
            judged = not running and done < found.spec.runs
            end = self._of_newest(journals, _read_end, _JournalEnd()) if judged else _JournalEnd()
            statistics = self._of_newest(
                journals, lambda there: _read_statistics(there, found.spec.ladder), _Statistics()
            )
            stopping = running and found.cancel_file.exists()
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            return Overview(folder, ExperimentStatus.UNREADABLE, created=made, reason=reason, read_only=True)
        status = experiment_status(
            running=running, lacking=found.spec.runs - done, turning_point=end.turning_point
        )
        # None is added to those of older versions, whose statistics say less.
        summarised = statistics.over(done) or found.spec.schema_version < SPEC_VERSION or statistics.newer
        settled = status is ExperimentStatus.COMPLETE and summarised and not (problem or statistics.newer)
        if self._read_anew and settled:
            self._keep(found, noted, journals, statistics)
        failure = end.failure if status in (ExperimentStatus.FAILED, ExperimentStatus.REFUSED) else ""
        return Overview(
            folder,
            status,
            experiment=found,
            done=done,
            created=made,
            stopping=stopping,
            annotations=noted,
            reason="; ".join(filter(None, (failure, NEWER_JOURNAL if statistics.newer else "", problem))),
            read_only=statistics.newer,
            seconds=sum(run.seconds for run in runs),
            adversarial=tuple(run.adversarial for run in runs),
            fooled=tuple(run.fooled for run in runs if run.fooled is not None),
            findings=statistics.findings,
            summarised=summarised,
            queued=self._queue.get(found.id, 0) if running else 0,
        )

    def _keep(
        self, experiment: Experiment, noted: Annotations, journals: list[Path], statistics: _Statistics
    ) -> None:
        """Keep what was just read of a complete experiment for later processes."""
        folder, spec = experiment.folder, experiment.spec
        if statistics.left_out or not journals or spec.schema_version < SPEC_VERSION:
            return

        def stamps(path: str, what: str = "") -> Stamps:
            return self._met[path, what][0]

        runs = [(run, self._met[_result(folder, run), ""]) for run in self._begun(experiment)]
        kept = KeptOverview(
            version=VERSION,
            spec={name: value for name, value in spec.to_json().items() if value is not None},
            spec_stamps=stamps(f"{folder}/{SPEC_FILE}"),
            annotations=noted,
            annotations_stamps=stamps(f"{folder}/{ANNOTATIONS_FILE}"),
            journal=journals[0].name,
            journal_stamps=stamps(str(journals[0]), _Statistics.__name__),
            runs=tuple(KeptRun(run=run, stamps=found, figures=figures) for run, (found, figures) in runs),
            findings=encode_findings(statistics.findings),
        )
        keep(self._home, experiment.id, kept)

    def _figures(self, experiment: Experiment) -> list[RunFigures]:
        """What is told of each complete run."""
        found = (self._run_figures(experiment, run) for run in self._begun(experiment))
        return [figures for figures in found if figures is not None]

    def _begun(self, experiment: Experiment) -> list[int]:
        """The runs that have a folder."""
        there = set(names_in(experiment.folder / "runs"))
        return [run for run in range(experiment.spec.runs) if run_name(run) in there]

    def _run_figures(self, experiment: Experiment, run: int) -> RunFigures | None:
        """What is told of a run, None unless it is complete."""

        def read(_: Path) -> RunFigures | None:
            metrics = experiment.result(run)
            if metrics is None:
                return None
            images = metrics.counts.sets.get(ADVERSARIAL, 0)
            return RunFigures(metrics.run_seconds, images, metrics.attack.surrogate_fooled)

        result = _result(experiment.folder, run)
        return self._unless_changed(result, read, beside=f"{result}/{METRICS}")

    def _of_newest(self, journals: list[Path], read: Callable[[list[Path]], T], nothing: T) -> T:
        """What `read` makes of the journals, the newest first; `nothing` where there are none."""
        if not journals:
            return nothing
        # The newest journal alone may still change.
        return self._unless_changed(str(journals[0]), lambda _: read(journals), type(nothing).__name__)

    def _unless_changed(
        self, path: str, read: Callable[[Path], T], what: str = "", *, beside: str | None = None
    ) -> T:
        """What `read` makes of `path`, read anew only where the path's entry on disk is another.

        what: tells apart what is read of one path. beside: another path whose entry counts.
        """
        stamps = (_stamp(path),) if beside is None else (_stamp(path), _stamp(beside))
        cached = self._cached.get((path, what))
        if cached is None or cached[0] != stamps:
            cached = stamps, read(Path(path))
            self._read_anew = True
        self._met[path, what] = cached
        value: T = cached[1]
        return value


def _result(folder: Path, run: int) -> str:
    """Where a run's result lies: a path as text, of which thousands are made at every look."""
    return f"{folder}/runs/{run_name(run)}/result"


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
    return _JournalEnd(turning_point, failure)


def _read_statistics(journals: list[Path], ladder: Ladder) -> _Statistics:
    """What the journals, the newest first, say last of the numbers, and whether they are a later version's."""
    version: int | None = None
    for path in journals:
        for line in lines_from_the_end(path):
            if version is None and path is journals[0]:
                version = _version(line)  # one writer wrote them all: the last line that can be read says
            if (found := findings_in(line, ladder)) is not None:
                return _Statistics(found, (version or 0) > JOURNAL_VERSION)
    return _Statistics(None, (version or 0) > JOURNAL_VERSION)


def _last_session(journals: list[Path]) -> list[Event]:
    """How the newest coordinator that wrote any went, the last event first, its start at the end."""
    events: list[Event] = []
    for event in chain.from_iterable(map(_decisive_events, journals)):
        events.append(event)
        if isinstance(event, CoordinatorStarted):
            break
    return events


def _version(line: bytes) -> int | None:
    """The schema version of a journal's line, None where it cannot be read."""
    try:
        return decode(line).v
    except RecordError:
        return None


_DECISIVE = (Finished, RunFailed, CoordinatorStarted)
_MARKS = tuple(f'"{kind.__struct_config__.tag}"'.encode() for kind in _DECISIVE)


def _decisive_events(path: Path) -> Iterator[Event]:
    """The events that say how a computation ended, the last first; what cannot be read is passed over."""
    for line in lines_from_the_end(path):
        # Statistics are long, and most of a coordinator's journal: not parsed for nothing.
        if any(mark in line for mark in _MARKS):
            try:
                event = decode(line)
            except RecordError:
                continue
            if isinstance(event, _DECISIVE):
                yield event


def _made(folder: Path) -> float:
    """When an experiment was made; of a folder without a spec, when it was last changed: a list shows a date."""
    try:
        return created(folder) or folder.stat().st_mtime
    except OSError:
        return 0.0


def _stamp(path: str) -> Stamp | None:
    """What changes with a path's content: its time, size and inode; None where there is nothing."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
