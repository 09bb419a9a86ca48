"""One experiment's folder: creating it, finding it again, and reading its state without computing anything."""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from core.errors import AefitError, ExperimentError, PluginError
from core.families.ladder import Ladder
from core.files.atomic import sync_folder, write_atomically
from core.files.locations import experiments_dir
from core.records.events import CoordinatorStarted, Event, RunFailed, RunStarted, StatisticsComputed
from core.records.journal import JournalReader, read_all
from core.records.lock import Lock, LockHeld
from core.records.metrics import RunMetrics
from core.records.process import is_abandoned
from core.records.results import read_result
from core.records.status import ExperimentStatus, RunStatus, experiment_status, is_turning_point, run_status
from core.sets.registry import SETS, is_known
from core.spec.command import batch_command
from core.spec.spec import SCHEMA_VERSION as SPEC_VERSION
from core.spec.spec import Spec

SPEC_FILE = "spec.toml"
CREATED_FILE = "created"
"""When the experiment was made, seconds since 1970; the specification is written again where it is extended."""
ID_DIGITS = 8
"""Hex digits of the spec's digest in an id: 4 billion names for one data set and attack."""
ABANDONED_SECONDS = 3600.0
"""After so long nobody is still making an experiment's folder: it takes one small file."""
TITLE_LENGTH = 40
"""Characters of the data set's name in an id, at most: file systems take 255 for a whole name."""


@dataclass(frozen=True)
class Experiment:
    """The folder of one experiment and its frozen spec. Everything else is read from disk when asked for."""

    folder: Path
    spec: Spec

    @property
    def id(self) -> str:
        """The folder's name, by which the experiment is known."""
        return self.folder.name

    @property
    def journal(self) -> Path:
        """The folder of the journals."""
        return self.folder / "journal"

    @property
    def log(self) -> Path:
        """What the coordinator and its workers print, tracebacks of failed runs among it."""
        return self.folder / "coordinator.log"

    @property
    def cancel_file(self) -> Path:
        """A request to stop: its presence is all."""
        return self.folder / "cancel"

    @property
    def lock(self) -> Lock:
        """A new, not yet held lock object of this folder."""
        return Lock(self.folder)

    @property
    def created(self) -> float:
        """When it was made, seconds since 1970."""
        return created(self.folder)

    @property
    def running(self) -> bool:
        """Whether a living coordinator holds the lock now."""
        holding = self.lock.holding()
        return holding is not None and holding.alive

    def run_folder(self, run: int) -> Path:
        """The folder of run `run`, counted from 0."""
        return self.folder / "runs" / f"{run:04d}"

    def result(self, run: int, *, verify: bool = False) -> RunMetrics | None:
        """A run's metrics, or None where it has no valid result, or one of another specification."""
        metrics = read_result(self.run_folder(run) / "result", verify=verify)
        return metrics if metrics is not None and self._fits(metrics) else None

    def _fits(self, metrics: RunMetrics) -> bool:
        """Whether metrics are of the levels and sets that the specification asks for, and 0 where they must be."""
        if metrics.ladder.levels != self.spec.ladder.levels or set(metrics.accuracy) != set(self.spec.sets):
            return False
        zero = {name: SETS[name].zero_level(metrics.ladder) for name in self.spec.sets if is_known(name)}
        return not any(level is not None and metrics.accuracy[name][level] for name, level in zero.items())

    def results(self, *, verify: bool = False) -> dict[int, RunMetrics]:
        """The metrics of every complete run, by run."""
        found = ((run, self.result(run, verify=verify)) for run in range(self.spec.runs))
        return {run: metrics for run, metrics in found if metrics is not None}

    def state(self) -> State:
        """What the folder says at this moment."""
        # Asked first: once nobody computes any more, what is read after that is final.
        running = self.running
        return State(self, self.results(), tuple(read_all(self.journal)), running)

    def reloaded(self) -> Experiment:
        """The same, with the runs that are asked for now. Raises ExperimentError."""
        return load(self.folder)

    def extend(self, runs: int) -> Experiment:
        """Ask for so many runs in all; those there are stay. Raises ExperimentError, SpecError.

        Whoever computes it goes on with the further ones; else they are there for `resume`.
        """
        self.check_computable()
        if runs <= self.spec.runs:
            raise ExperimentError(
                f"{self.id} has {self.spec.runs} runs already: expected more than that",
                f"aefit-tui extend {self.id} --runs {self.spec.runs + 1}",
            )
        spec = self.spec.changed(runs=runs)
        try:
            write_atomically(self.folder / SPEC_FILE, spec.to_toml())
        except OSError as error:
            raise ExperimentError(f"cannot write {self.folder / SPEC_FILE}: {error.strerror}") from error
        return Experiment(self.folder, spec)

    def take_back(self, runs: int) -> None:
        """Undo an extension of which nothing has come: ask for `runs` again, as before. Raises ExperimentError.

        It stands where a further run has a result, somebody has asked for yet more, or somebody computes it.
        """
        try:
            with self.lock:
                further = range(runs, self.spec.runs)
                nothing = all(self.result(run) is None for run in further)
                if nothing and self.reloaded().spec == self.spec:
                    spec = self.spec.changed(runs=runs)
                    write_atomically(self.folder / SPEC_FILE, spec.to_toml())
        except LockHeld:
            return
        except OSError as error:
            raise ExperimentError(f"cannot write {self.folder / SPEC_FILE}: {error.strerror}") from error

    def check_computable(self) -> None:
        """Raises ExperimentError where runs must not be added to it.

        That is so for an experiment of the first version, whose numbers depended on threads, for one that a newer
        version went on with, for one whose folder's name says that its specification was another, and where a
        plug-in is missing or has changed.
        """
        again = f"compute it anew: {batch_command(self.spec)}"
        if self.spec.schema_version < SPEC_VERSION:
            raise ExperimentError(
                f"{self.id} was computed by an earlier version, whose last bits depended on the number of threads: "
                "it can be shown, exported and compared, but no run can be added",
                again,
            )
        journals = JournalReader(self.journal, newest_only=True)
        journals.poll()
        if journals.newer:
            raise ExperimentError(
                f"{self.id} was written by a newer version: this one can only show it",
                "go on with the version that wrote it, or change a setting or the seed",
            )
        self.check_identity()
        try:
            self.spec.check_plugins()
        except PluginError as error:
            raise ExperimentError(f"{self.id} cannot be computed: {error}", error.hint) from error

    def check_identity(self) -> None:
        """Raises ExperimentError where its folder's name says that its specification was another.

        A name that a person gave the folder says nothing; those of the first version follow another rule.
        """
        digits = self.id.rpartition("-")[2]
        names_a_digest = re.fullmatch(f"[0-9a-f]{{{ID_DIGITS}}}", digits) is not None
        ours = self.spec.schema_version == SPEC_VERSION
        if ours and names_a_digest and not self.spec.digest.startswith(digits):
            raise ExperimentError(
                f"{self.folder} holds another experiment than its name says: its {SPEC_FILE} was changed",
                "move that folder away and try again",
            )

    def clear_leftovers(self) -> None:
        """Remove what killed workers left half written; only for who holds the lock.

        A result that failed its checksum was put aside as `.broken.*`: that is kept for a look.
        """
        for leftover in (self.folder / "runs").glob("*/.result.*"):
            if is_abandoned(leftover):  # else a worker that needs no lock is at it
                shutil.rmtree(leftover, ignore_errors=True)

    def delete(self) -> None:
        """Remove the folder and all in it: see `delete`."""
        delete(self.folder)


E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class State:
    """One reading of an experiment: the metrics of its complete runs, all its events in order, who computes.

    running: whether a living coordinator held the lock when the reading began.
    """

    experiment: Experiment
    results: dict[int, RunMetrics]
    events: tuple[Event, ...]
    running: bool

    @cached_property
    def status(self) -> ExperimentStatus:
        """How the experiment stands."""
        turning_point = next((event for event in reversed(self.events) if is_turning_point(event)), None)
        lacking = self.experiment.spec.runs - len(self.results)
        return experiment_status(running=self.running, lacking=lacking, turning_point=turning_point)

    @cached_property
    def ladder(self) -> Ladder:
        """The levels of its results, of its specification where it has none."""
        return next((metrics.ladder for metrics in self.results.values()), self.experiment.spec.ladder)

    @cached_property
    def statistics(self) -> StatisticsComputed | None:
        """The newest statistics that a coordinator journaled."""
        return self.last(StatisticsComputed)

    @cached_property
    def summarised(self) -> bool:
        """Whether the journaled statistics are over all the results there are."""
        return self.statistics is not None and list(self.statistics.runs) == sorted(self.results)

    @cached_property
    def failures(self) -> dict[int, RunFailed]:
        """The last failure of every run that failed for good and has no result since."""
        newest = {run: self._newest_of.get(run) for run in range(self.experiment.spec.runs)}
        return {
            run: event
            for run, event in newest.items()
            if isinstance(event, RunFailed) and self.run_status(run) is RunStatus.FAILED
        }

    def last(self, kind: type[E]) -> E | None:
        """The newest event of a type, or None."""
        return next((event for event in reversed(self.events) if isinstance(event, kind)), None)

    def run_status(self, run: int) -> RunStatus:
        """How a run stands."""
        return run_status(complete=run in self.results, running=self.running, newest=self._newest_of.get(run))

    @cached_property
    def _newest_of(self) -> dict[int, RunStarted | RunFailed]:
        """What `core.records.status.run_status` judges by, by run."""
        newest: dict[int, RunStarted | RunFailed] = {}
        for event in self.events:
            if isinstance(event, CoordinatorStarted):
                # What an earlier coordinator left unfinished is begun anew; what failed for good stays so.
                newest = {
                    run: one for run, one in newest.items() if isinstance(one, RunFailed) and not one.retry
                }
            elif isinstance(event, RunStarted | RunFailed):
                newest[event.run] = event
        return newest


@dataclass(frozen=True)
class Unreadable:
    """A folder among the experiments that this version cannot read, and why."""

    folder: Path
    reason: str


def create(home: Path, spec: Spec) -> tuple[Experiment, bool]:
    """The experiment of a spec, and whether its folder is new: one identity has one folder in a home.

    Where it exists with fewer runs, it is asked for as many as the spec says; with more, it keeps them.
    Raises ExperimentError where the home cannot be written, or the folder holds another spec than it should.
    """
    folder = experiments_dir(home) / experiment_id(spec)
    # os.path: in a home without permission, Path.is_dir would raise.
    if os.path.isdir(folder):
        return _existing(folder, spec), False
    _sweep(folder.parent)
    temporary = folder.with_name(f".new.{uuid.uuid4().hex}")
    try:
        temporary.mkdir(parents=True)
        write_atomically(temporary / SPEC_FILE, spec.to_toml())
        write_atomically(temporary / CREATED_FILE, f"{time.time():.3f}\n")
        temporary.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if os.path.isdir(folder):
            return _existing(folder, spec), False
        raise ExperimentError(
            f"cannot write an experiment under {experiments_dir(home)}: {error.strerror}",
            "choose a folder that you may write to with --home DIR or AEFIT_HOME",
        ) from error
    return Experiment(folder, spec), True


def existing(home: Path, spec: Spec) -> Experiment | None:
    """The experiment of a spec as it stands, None where there is none yet. Raises ExperimentError as `create`."""
    folder = experiments_dir(home) / experiment_id(spec)
    return _same(load(folder), spec) if os.path.isdir(folder) else None


def _sweep(folder: Path) -> None:
    """Remove what a killed `delete` or `create` left among the experiments; never raises.

    Whatever is named `.deleted.*` was given up by its owner, who may be removing it too; a `.new.*` may be
    somebody's who is about to rename it, as long as it is young.
    """
    with suppress(OSError):  # the folder cannot be listed: whoever works in it will say so
        for leftover in (*folder.glob(".deleted.*"), *folder.glob(".new.*")):
            if leftover.name.startswith(".deleted.") or _age(leftover) > ABANDONED_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)


def _age(path: Path) -> float:
    """Seconds since it was last written to, 0 where it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _existing(folder: Path, spec: Spec) -> Experiment:
    """The experiment in a folder that is named after a spec, asked for as many runs. Raises ExperimentError."""
    found = _same(load(folder), spec)
    return found.extend(spec.runs) if spec.runs > found.spec.runs else found


def _same(found: Experiment, spec: Spec) -> Experiment:
    """The experiment itself. Raises ExperimentError where it is another one than its folder is named after."""
    if found.spec.identity != spec.identity:
        raise ExperimentError(
            f"{found.folder} holds another experiment than its name says: its {SPEC_FILE} was changed",
            "move that folder away and try again",
        )
    return found


def experiment_id(spec: Spec) -> str:
    """DATASET-ATTACK-DIGEST, such as mnist-fgsm-1f3a9c2e; a long data set name is cut."""
    title = re.sub(r"[^a-z0-9]+", "-", spec.dataset_title.lower())[:TITLE_LENGTH].strip("-") or "own"
    return f"{title}-{spec.attack}-{spec.digest[:ID_DIGITS]}"


def load(folder: Path) -> Experiment:
    """The experiment in a folder. Raises ExperimentError where its spec cannot be read."""
    remove = f"to remove it: aefit-tui delete {folder.name}"
    try:
        spec = Spec.from_toml((folder / SPEC_FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{folder} holds no readable {SPEC_FILE}: {error}", remove) from error
    except AefitError as error:
        hint = "; ".join(filter(None, (error.hint, remove)))
        raise ExperimentError(f"{folder / SPEC_FILE}: {error}", hint) from error
    return Experiment(folder, spec)


def every(home: Path) -> Iterator[Experiment | Unreadable]:
    """All experiments of a home, the newest spec first."""
    folders = [path for path in experiments_dir(home).glob("[!.]*") if path.is_dir()]
    for folder in sorted(folders, key=created, reverse=True):
        try:
            yield load(folder)
        except ExperimentError as error:
            yield Unreadable(folder, str(error))


def find(home: Path, name: str) -> Experiment:
    """The experiment that `name` means, see `find_folder`. Raises ExperimentError, also where it cannot be read."""
    return load(find_folder(home, name))


def find_folder(home: Path, name: str) -> Path:
    """The folder that `name` means: an id, a prefix of it or of its digest, or "latest", the one created last.

    Whether it can be read is not looked at. Raises ExperimentError where there is none, or more than one.
    """
    where = experiments_dir(home)
    blocked = next((path for path in (where, home) if os.path.exists(path) and not os.path.isdir(path)), None)
    if blocked is not None:
        raise ExperimentError(f"{blocked} is a file, not a folder", "choose another home with --home DIR")
    folders = {path.name: path for path in where.glob("[!.]*") if path.is_dir()}
    if not folders:
        raise ExperimentError(f"there is no experiment under {home}", "start one with `aefit-tui --batch`")
    if name == "latest":
        return max(folders.values(), key=created)
    if name in folders:
        return folders[name]
    matches = sorted(
        key for key in folders if key.startswith(name) or key.rpartition("-")[2].startswith(name)
    )
    if not name:
        matches = []  # what an unset shell variable gives must not mean the only experiment there is
    if len(matches) == 1:
        return folders[matches[0]]
    if matches:
        raise ExperimentError(f"{name!r} may mean {', '.join(matches)}", "give more of it")
    raise ExperimentError(f"there is no experiment {name!r}", "`aefit-tui list` shows those there are")


def delete(folder: Path) -> None:
    """Remove an experiment's folder and all in it, whether or not its spec can be read.

    Raises LockHeld while it is being computed, ExperimentError where it cannot be removed.
    """
    trash = folder.with_name(f".deleted.{uuid.uuid4().hex}")
    try:
        with Lock(folder):
            folder.rename(trash)
        _sweep(folder.parent)
        if trash.exists():
            shutil.rmtree(trash)  # once more, to learn why it stays
    except LockHeld as held:
        name = folder.name
        held.hint = f"follow it with `aefit-tui attach {name}`, or stop it with `aefit-tui cancel {name}`"
        raise
    except OSError as error:
        raise ExperimentError(f"cannot delete {folder}: {error.strerror}") from error


def created(folder: Path) -> float:
    """When the experiment in a folder was made, seconds since 1970; of one of the first version, when its spec was
    written. 0 without one.
    """
    try:
        moment = float((folder / CREATED_FILE).read_text(encoding="utf-8"))
        if 0 <= moment < 1e12:
            return moment
    except (OSError, ValueError):
        pass  # an experiment of the first version has none
    try:
        return (folder / SPEC_FILE).stat().st_mtime
    except OSError:
        return 0.0
