"""All experiments of a home at a glance, cheap enough to be looked at every other second."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from core.errors import AefitError, RecordError
from core.records.annotations import ANNOTATIONS_FILE, Annotations, read_annotations
from core.records.experiment import (
    CREATED_FILE,
    SPEC_FILE,
    Experiment,
    UnreadableError,
    created,
    load,
    run_name,
)
from core.records.findings import ADVERSARIAL, Details, Findings
from core.records.folders import LOCK_FILE, experiment_folders
from core.records.journal_ends import JournalEnd, LastStatistics, read_end, read_statistics
from core.records.kept_overviews import (
    SETTLED_SECONDS,
    VERSION,
    Headline,
    KeptOverview,
    KeptOverviews,
    RunFigures,
    Stamp,
    Stamps,
    encode_details,
    result_path,
    stamp_of,
)
from core.records.queue import waiting_in
from core.records.results import METRICS
from core.records.stages import SURROGATE
from core.records.status import ExperimentStatus, experiment_status
from core.records.tail import coordinator_journals, names_in
from core.records.types import convert
from core.spec.spec import SCHEMA_VERSION as SPEC_VERSION
from core.spec.stored import StoredSpecs

TELL_SECONDS = 0.05
"""After how many seconds a long look first tells what it has read, for the first rows of a list."""
TELL_FACTOR = 4
"""After how many times as long it tells again: what is told is drawn, which takes longer the more there is."""

NEWER_JOURNAL = "its journal was written by a newer version"
NO_ANNOTATIONS = Annotations()

T = TypeVar("T")


@dataclass(frozen=True)
class Overview:
    """What a list shows of one experiment's folder.

    status: as `State.status` has it, or NEWER (a later version wrote its spec) or UNREADABLE.
    experiment: None exactly where the status is one of these two. done: how many complete runs it has.
    created: when it was made, seconds since 1970. stopping: it runs and was asked to stop.
    seconds: what its complete runs took, together. adversarial: of each complete run, the images of its adversarial
    set. fooled: of each that has candidates, the share of them that fool the surrogate.
    findings: of the statistics that a coordinator last journaled, None before the first. summarised: whether these
    are over all complete runs: not where a coordinator was killed before it could journal them. queued: its place
    among those that wait for their turn, from 1; 0 where it does not wait.
    reason: why it failed, was refused, cannot be read or must not be changed; "" otherwise.
    read_only: this version can show it at best, but must not change it.
    reused: in how many runs the surrogate had been trained before. training: seconds of its training in the others.
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
    reused: int = 0
    training: tuple[float, ...] = ()

    @property
    def id(self) -> str:
        """The folder's name, by which the experiment is known."""
        return self.folder.name


@dataclass(frozen=True)
class _Settled:
    """An overview that is valid for as long as every file has the stamp in `kept`."""

    kept: KeptOverview
    overview: Overview


class _Made(NamedTuple):
    """When an experiment was made, and the stamp of its file `created`, None where there is none."""

    moment: float
    stamp: Stamp | None


class OverviewReader:
    """Reads the overviews of a home again and again; a file that has not changed is not read again.

    That holds too for files of complete experiments that an earlier process read, see
    `core.records.kept_overviews`. May be shared between threads.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._kept = KeptOverviews(home)
        self._specs = StoredSpecs()
        self._settled: dict[str, _Settled] = {}
        self._cached: dict[tuple[str, str], tuple[tuple[Stamp | None, ...], Any]] = {}
        self._met: dict[tuple[str, str], tuple[tuple[Stamp | None, ...], Any]] = {}
        self._before: dict[str, Overview] = {}
        self._all: tuple[Overview, ...] = ()
        self._queue: Mapping[str, int] = {}
        self._has_swept = False
        self._lock = threading.Lock()

    def look(self, tell: Callable[[tuple[Overview, ...], int], None] | None = None) -> tuple[Overview, ...]:
        """The overview of every experiment there is now, the newest first. Never raises for what a folder holds.

        An overview that has not changed is the same object as before, and so is the tuple of all. tell: called with
        the overviews read so far, the newest, and how many there will be; first after TELL_SECONDS, then each time
        TELL_FACTOR times as late.
        Raises ExperimentError where the home itself cannot be listed; one that does not exist is empty.
        """
        with self._lock:
            folders = [(folder, self._made(folder)) for folder in experiment_folders(self._home)]
            folders.sort(key=lambda one: (-one[1].moment, one[0].name))
            self._met = {}
            self._queue = waiting_in(self._home)
            overviews: list[Overview] = []
            start, due = time.monotonic(), TELL_SECONDS
            for folder, made in folders:
                overviews.append(self._unchanged(folder, made) or self._overview(folder, made))
                if tell is not None and time.monotonic() - start > due:
                    tell(tuple(overviews), len(folders))
                    due *= TELL_FACTOR
            # What was not met this time is dropped: its file is gone.
            self._cached = self._met
            before, self._before = self._before, {overview.id: overview for overview in overviews}
            if not self._has_swept or before.keys() - self._before.keys():
                self._has_swept = True
                names = self._before.keys()
                self._settled = {name: one for name, one in self._settled.items() if name in names}
                self._kept.sweep(names)
            found = tuple(overviews)
            if found != self._all:
                self._all = found
            return self._all

    def look_at(self, folder: Path, queue: Mapping[str, int] | None = None) -> Overview:
        """The overview of one experiment, as `look` gives it. queue: as `waiting_in` gives it, None to read it."""
        with self._lock:
            made = self._made(folder)
            found = self._unchanged(folder, made)
            if found is None:
                self._met = {}
                self._queue = waiting_in(self._home) if queue is None else queue
                found = self._overview(folder, made)
                self._cached |= self._met
            self._before[folder.name] = found
        return found

    def unchanged(self, folder: Path) -> Overview | None:
        """The overview of a complete experiment of which no file has changed since it was read; None for others."""
        with self._lock:
            return self._unchanged(folder, self._made(folder))

    def _unchanged(self, folder: Path, made: _Made) -> Overview | None:
        settled = self._settled_of(folder)
        if settled is None or made.stamp != settled.kept.stamps.made:
            return None
        return settled.overview if settled.kept.stands(str(folder)) else None

    def _settled_of(self, folder: Path) -> _Settled | None:
        """What this process or an earlier one last read of an experiment that was complete; None for others."""
        name = folder.name
        if name not in self._settled and (kept := self._kept.take(name)) is not None:
            overview = self._recalled(folder, kept)
            if overview is not None:
                self._settled[name] = _Settled(kept, overview)
        return self._settled.get(name)

    def _recalled(self, folder: Path, kept: KeptOverview) -> Overview | None:
        """The overview of a complete experiment from what was kept of it; None where that does not give one."""
        try:
            experiment = Experiment(folder, self._specs.make(kept.spec))
        except AefitError:  # a plug-in is gone; it is damaged
            return None
        if experiment.spec.schema_version < SPEC_VERSION or experiment.spec.runs != len(kept.runs):
            return None
        found = kept.headline
        read_details = partial(self._details, experiment, found)
        findings = Findings(found.runs, found.accuracy, found.rise, read_details)
        return _overview_of(
            experiment,
            ExperimentStatus.COMPLETE,
            kept.made,
            kept.annotations or NO_ANNOTATIONS,
            kept.runs,
            findings,
        )

    def _details(self, experiment: Experiment, headline: Headline) -> Details | None:
        """The details of an experiment's findings, from what was kept, else from its journals.

        None where these cannot be read now, or have other statistics by now: a later look gives them.
        """
        found = self._kept.details(experiment.id, headline.check)
        if found is not None and found.fits(experiment.spec.ladder):
            return found
        try:
            newest = read_statistics(
                coordinator_journals(experiment.journal), experiment.spec.ladder
            ).findings
        except OSError:
            return None
        if newest is None or (newest.runs, newest.accuracy, newest.rise) != (
            headline.runs,
            headline.accuracy,
            headline.rise,
        ):
            return None
        return newest.details

    def _made(self, folder: Path) -> _Made:
        """When an experiment was made; of a folder that does not say it, when the folder was changed."""
        settled = self._settled_of(folder)
        if settled is not None and settled.kept.made_stands(str(folder)):
            return _Made(settled.kept.made, settled.kept.stamps.made)
        stamp = stamp_of(f"{folder}/{CREATED_FILE}")
        try:
            return _Made(created(folder) or folder.stat().st_mtime, stamp)
        except OSError:
            return _Made(0.0, None)

    def _overview(self, folder: Path, made: _Made) -> Overview:
        before = self._before.get(folder.name)
        if (settled := self._settled_of(folder)) is not None:
            self._recall_files(folder, settled)
        overview = self._read(folder, made)
        return before if before is not None and before == overview else overview

    def _recall_files(self, folder: Path, settled: _Settled) -> None:
        """Fill the cache from what was kept, but for files that are in it: most files have not changed."""
        kept, stamps = settled.kept, settled.kept.stamps
        statistics = LastStatistics(settled.overview.findings)
        recalled: dict[tuple[str, str], tuple[tuple[Stamp | None, ...], Any]] = {
            (f"{folder}/{SPEC_FILE}", ""): ((stamps.spec,), settled.overview.experiment),
            (f"{folder}/{ANNOTATIONS_FILE}", ""): ((stamps.annotations,), (settled.overview.annotations, "")),
            (f"{folder}/journal/{kept.journal}", _STATISTICS): ((stamps.journal,), statistics),
        }
        for run, figures in enumerate(kept.runs):
            recalled[result_path(str(folder), run), ""] = stamps.results[run], figures
        for key, value in recalled.items():
            self._cached.setdefault(key, value)

    def _read(self, folder: Path, made: _Made) -> Overview:
        moment = time.time()
        found = self._unless_changed(f"{folder}/{SPEC_FILE}", _load)
        noted, problem = self._unless_changed(f"{folder}/{ANNOTATIONS_FILE}", _annotations)
        if isinstance(found, Overview):
            return replace(found, created=made.moment, annotations=noted)
        try:
            # Asked first: once nobody computes any more, what is read after that is final.
            # Most have none: looking for the file costs less than reading it.
            locked = os.path.lexists(f"{folder}/{LOCK_FILE}")
            running = locked and found.running
            runs = self._figures(found)
            stamp = stamp_of(f"{folder}/journal")
            done, journals = len(runs), coordinator_journals(found.journal)
            # How it ended matters only where something is missing; the rest of a journal is long.
            judged = not running and done < found.spec.runs
            end = self._of_newest(journals, read_end, JournalEnd()) if judged else JournalEnd()
            statistics = self._of_newest(
                journals, lambda there: read_statistics(there, found.spec.ladder), LastStatistics()
            )
            stopping = running and found.cancel_file.exists()
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            return Overview(
                folder, ExperimentStatus.UNREADABLE, created=made.moment, reason=reason, read_only=True
            )
        status = experiment_status(
            running=running, lacking=found.spec.runs - done, turning_point=end.turning_point
        )
        # None is added to those of older versions, whose statistics say less.
        summarised = statistics.over(done) or found.spec.schema_version < SPEC_VERSION or statistics.newer
        failure = end.failure if status in (ExperimentStatus.FAILED, ExperimentStatus.REFUSED) else ""
        reason = "; ".join(filter(None, (failure, NEWER_JOURNAL if statistics.newer else "", problem)))
        overview = replace(
            _overview_of(found, status, made.moment, noted, runs, statistics.findings),
            stopping=stopping,
            reason=reason,
            read_only=statistics.newer,
            summarised=summarised,
            queued=self._queue.get(found.id, 0) if running else 0,
        )
        if status is ExperimentStatus.COMPLETE and statistics.over(done) and not (reason or locked):
            self._keep(overview, runs, made.stamp, stamp, journals[0].name, moment)
        return overview

    def _keep(
        self,
        overview: Overview,
        runs: Sequence[RunFigures],
        made: Stamp | None,
        journals: Stamp | None,
        journal: str,
        moment: float,
    ) -> None:
        """Keep what was read of a complete experiment, for later looks and processes.

        made, journals: the stamps of the file `created` and of the folder of journals. journal: the name of the
        newest coordinator's. moment: when the reading began, seconds since 1970.
        """
        folder, experiment, findings = overview.folder, overview.experiment, overview.findings
        if experiment is None or findings is None or experiment.spec.schema_version < SPEC_VERSION:
            return
        if experiment.spec.plugins:
            return  # another version of a plug-in may make something else of the same files

        def seen(path: str, what: str = "") -> tuple[Stamp | None, ...]:
            return self._met[path, what][0]

        results = [seen(result_path(str(folder), run)) for run in range(len(runs))]
        (spec,), (annotations,) = seen(f"{folder}/{SPEC_FILE}"), seen(f"{folder}/{ANNOTATIONS_FILE}")
        (newest,) = seen(f"{folder}/journal/{journal}", _STATISTICS)
        try:
            stamps = convert([made, spec, annotations, journals, newest, results], Stamps, "the stamps")
            if stamps.newest > moment - SETTLED_SECONDS:
                return
            details, check = encode_details(findings.details)
        except (RecordError, ValueError):  # something went away meanwhile; numbers that JSON has not
            return
        kept = KeptOverview(
            version=VERSION,
            stamps=stamps,
            made=overview.created,
            spec=experiment.spec.to_store(),
            annotations=None if overview.annotations == NO_ANNOTATIONS else overview.annotations,
            journal=journal,
            runs=tuple(runs),
            headline=Headline(
                runs=findings.runs, accuracy=findings.accuracy, rise=findings.rise, check=check
            ),
        )
        self._kept.keep(experiment.id, kept, details)
        self._settled[experiment.id] = _Settled(kept, overview)

    def _figures(self, experiment: Experiment) -> list[RunFigures]:
        """The figures of each complete run."""
        found = (self._run_figures(experiment, run) for run in self._begun(experiment))
        return [figures for figures in found if figures is not None]

    def _begun(self, experiment: Experiment) -> list[int]:
        """The runs that have a folder."""
        there = set(names_in(experiment.folder / "runs"))
        return [run for run in range(experiment.spec.runs) if run_name(run) in there]

    def _run_figures(self, experiment: Experiment, run: int) -> RunFigures | None:
        """The figures of a run; None unless it is complete."""

        def read(_: Path) -> RunFigures | None:
            metrics = experiment.result(run)
            if metrics is None:
                return None
            reused = metrics.surrogate_reused
            return RunFigures(
                seconds=metrics.run_seconds,
                adversarial=metrics.counts.sets.get(ADVERSARIAL, 0),
                fooled=metrics.attack.surrogate_fooled,
                reused=reused,
                training=None if reused else metrics.seconds.get(SURROGATE),
            )

        result = result_path(str(experiment.folder), run)
        return self._unless_changed(result, read, beside=f"{result}/{METRICS}")

    def _of_newest(self, journals: list[Path], read: Callable[[list[Path]], T], nothing: T) -> T:
        """`read(journals)`, again only where the newest has changed; `nothing` where there are none."""
        if not journals:
            return nothing
        # The newest journal alone may still change.
        return self._unless_changed(str(journals[0]), lambda _: read(journals), type(nothing).__name__)

    def _unless_changed(
        self, path: str, read: Callable[[Path], T], what: str = "", *, beside: str | None = None
    ) -> T:
        """`read(path)`, called again only where the path's stamp has changed.

        what: distinguishes what is read of one path. beside: another path whose stamp counts too.
        """
        stamps = (stamp_of(path),) if beside is None else (stamp_of(path), stamp_of(beside))
        cached = self._cached.get((path, what))
        if cached is None or cached[0] != stamps:
            cached = stamps, read(Path(path))
        self._met[path, what] = cached
        value: T = cached[1]
        return value


_STATISTICS = LastStatistics.__name__


def _overview_of(
    experiment: Experiment,
    status: ExperimentStatus,
    made: float,
    noted: Annotations,
    runs: Sequence[RunFigures],
    findings: Findings | None,
) -> Overview:
    """The overview of an experiment that can be read. made: when, seconds since 1970. runs: its complete ones."""
    return Overview(
        experiment.folder,
        status,
        experiment=experiment,
        done=len(runs),
        created=made,
        annotations=noted,
        seconds=sum(run.seconds for run in runs),
        adversarial=tuple([run.adversarial for run in runs]),
        fooled=tuple([run.fooled for run in runs if run.fooled is not None]),
        findings=findings,
        reused=sum(run.reused for run in runs),
        training=tuple([run.training for run in runs if run.training is not None]),
    )


def _load(path: Path) -> Experiment | Overview:
    """The experiment whose specification lies at `path`; where that cannot be read, an overview that says so."""
    folder = path.parent
    try:
        return load(folder)
    except UnreadableError as error:
        status = ExperimentStatus.NEWER if error.newer else ExperimentStatus.UNREADABLE
        return Overview(folder, status, reason=error.reason, read_only=True)


def _annotations(path: Path) -> tuple[Annotations, str]:
    return read_annotations(path.parent)
