"""One experiment's folder: its specification, its results, and what may be done to it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.declarations.printable import shell_word
from core.errors import AefitError, ExperimentError, PluginError, RecordError, SpecError
from core.files.atomic import write_atomically
from core.files.folders import check_folder, take_away
from core.files.ownership import owned_name, remove, sweep
from core.files.reading import read_plain
from core.files.toml import LARGEST
from core.records.journal import JournalReader
from core.records.lock import SILENCE_SECONDS, UNKNOWN_HOLDER, Lock, LockHeld
from core.records.metrics import RunMetrics
from core.records.results import Owner, UnreadableResult, load_result, read_result
from core.sets.registry import SETS, is_known
from core.spec.command import batch_command
from core.spec.spec import SCHEMA_VERSION as SPEC_VERSION
from core.spec.spec import Spec

SPEC_FILE = "spec.toml"
CREATED_FILE = "created"
"""When the experiment was made, seconds since 1970; the specification is written again where it is extended."""
ID_DIGITS = 8
"""Hex digits of the spec's digest in an id: 4 billion names for one data set and attack."""
ROOM = 2**16
"""Bytes that must be free before anything is computed."""
HALF_WRITTEN = r"\.(annotations\.toml|created|heartbeat|lock|room|spec\.toml)"
"""The prefixes of half-written files that killed processes leave in an experiment's folder."""


class UnreadableError(ExperimentError):
    """The error for a folder whose specification cannot be read.

    reason: why, in words that can stand beside the folder's name. newer: whether a later version wrote it.
    """

    def __init__(self, folder: Path, reason: str, hint: str = "", *, newer: bool = False) -> None:
        remove = f"to remove it: aefit-tui delete {shell_word(folder.name)}"
        super().__init__(f"{folder}: {reason}", "; ".join(filter(None, (hint, remove))))
        self.reason = reason
        self.newer = newer


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
    def word(self) -> str:
        """The id as a word of a shell: somebody may have given the folder any name."""
        return shell_word(self.id)

    @property
    def journal(self) -> Path:
        """The folder of the journals."""
        return self.folder / "journal"

    @property
    def log(self) -> Path:
        """The file for what the coordinator and its workers print, such as tracebacks of failed runs."""
        return self.folder / "coordinator.log"

    @property
    def cancel_file(self) -> Path:
        """The file whose presence is a request to stop."""
        return self.folder / "cancel"

    def clear_cancel(self) -> None:
        """Remove the request to stop; a folder in its place is only set aside. Raises OSError."""
        take_away(self.cancel_file)

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
        """Whether a living coordinator holds the lock, as far as one look tells. Raises OSError."""
        holding = self.lock.holding()
        return holding is not None and holding.alive

    @property
    def held(self) -> bool:
        """Whether a coordinator that is known to be alive holds the lock; False where only watching could tell.

        Raises OSError.
        """
        holding = self.lock.holding()
        return holding is not None and holding.life == "alive"

    @property
    def abandoned(self) -> bool:
        """Whether a dead coordinator left its lock: it was killed, or its machine went down. Raises OSError."""
        holding = self.lock.holding()
        return holding is not None and holding.life == "dead"

    @property
    def doubt(self) -> str:
        """What to tell a person while only watching can tell whether somebody computes it; "" where it is clear."""
        holding = self.lock.holding()
        if holding is None or holding.life != "unknown":
            return ""
        who = holding.holder or UNKNOWN_HOLDER
        return f"{who} may be computing {self.id}: watching up to {SILENCE_SECONDS:.0f} s for a sign of life"

    def run_folder(self, run: int) -> Path:
        """The folder of run `run`, counted from 0."""
        return self.folder / "runs" / run_name(run)

    def result(self, run: int, *, verify: bool = False) -> RunMetrics | None:
        """A run's metrics; None where it has no valid result: none at all, a damaged one, another run's.

        verify: also compare the checksums of its arrays (reads them whole).
        """
        try:
            return self._result(run, verify=verify)
        except RecordError:
            return None

    def readable_result(self, run: int, *, verify: bool = False) -> RunMetrics | None:
        """As `result`, but raises ExperimentError for a result that cannot be read now, which may be whole."""
        try:
            return self._result(run, verify=verify)
        except UnreadableResult as error:
            raise self._unreadable(run, error) from error
        except RecordError:
            return None

    def stands(self, run: int) -> bool:
        """Whether a run has a valid result, its arrays compared with their checksums.

        Raises ExperimentError where that cannot be found out: what cannot be read may be whole.
        """
        return self.readable_result(run, verify=True) is not None

    def _unreadable(self, run: int, error: UnreadableResult) -> ExperimentError:
        return ExperimentError(
            f"run {run + 1} of {self.id} has a result, but {error}",
            f"allow reading {self.run_folder(run)}, then: aefit-tui resume {self.word}",
        )

    def result_problem(self, run: int, *, verify: bool = False) -> str:
        """Why the result that a run has is not valid, such as "its arrays.npz is missing".

        "" for a valid result, and where there is none. Never raises.
        """
        if not os.path.lexists(self.run_folder(run) / "result"):
            return ""
        try:
            self._result(run, verify=verify)
        except RecordError as error:
            return str(error)
        return ""

    def _result(self, run: int, *, verify: bool) -> RunMetrics:
        owner = Owner(self.spec.digest, run)
        metrics = load_result(self.run_folder(run) / "result", owner, verify=verify)
        if not self._fits(metrics):  # older results do not say whose they are
            raise RecordError("its numbers are of another specification")
        return metrics

    def _fits(self, metrics: RunMetrics) -> bool:
        """Whether metrics have the specification's levels and sets, and 0 where accuracy is 0 by construction."""
        if metrics.ladder.levels != self.spec.ladder.levels or set(metrics.accuracy) != set(self.spec.sets):
            return False
        zero = {name: SETS[name].zero_level(metrics.ladder) for name in self.spec.sets if is_known(name)}
        return not any(level is not None and metrics.accuracy[name][level] for name, level in zero.items())

    def results(self, *, verify: bool = False) -> dict[int, RunMetrics]:
        """Run -> its metrics, of every complete run. verify: see `result`."""
        found = ((run, self.result(run, verify=verify)) for run in range(self.spec.runs))
        return {run: metrics for run, metrics in found if metrics is not None}

    def may_have_results(self, since: int = 0) -> bool:
        """Whether run `since` or a later one, asked for or not, has a result, be it damaged. Never raises.

        True where that cannot be found out now, so that nobody removes a result.
        """
        runs = self.folder / "runs"
        try:
            found = [name for name in os.listdir(runs) if name.isdecimal() and int(name) >= since]
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return any(_may_exist(runs / name / "result") for name in found)

    def reloaded(self) -> Experiment:
        """The experiment read again, with the runs that are asked for now. Raises UnreadableError."""
        return load(self.folder)

    def extend(self, runs: int) -> Experiment:
        """Ask for `runs` runs in all; those there are stay. Raises ExperimentError, SpecError.

        A coordinator that computes the experiment goes on with the further runs, else `resume` does. Where somebody
        has asked for yet more runs since the experiment was read, these stay asked for.
        """
        self.check_computable()
        if runs <= self.spec.runs:
            raise ExperimentError(
                f"{self.id} has {self.spec.runs} runs already: expected more than that",
                f"aefit-tui extend {self.word} --runs {self.spec.runs + 1}",
            )
        spec = self.spec.changed(runs=runs)
        try:
            if self.reloaded().spec.runs < runs:
                write_atomically(self.folder / SPEC_FILE, spec.to_toml())
        except OSError as error:
            raise ExperimentError(f"cannot write {self.folder / SPEC_FILE}: {error.strerror}") from error
        return Experiment(self.folder, spec)

    def take_back(self, runs: int) -> None:
        """Undo an extension of which nothing has come: ask for `runs` again, as before. Raises ExperimentError.

        Does nothing where a further run has a result, or may have one that cannot be read now, where somebody has
        asked for yet more runs, or where somebody computes the experiment.
        """
        try:
            with self.lock:
                if not self.may_have_results(runs) and self.reloaded().spec == self.spec:
                    spec = self.spec.changed(runs=runs)
                    write_atomically(self.folder / SPEC_FILE, spec.to_toml())
        except LockHeld:
            return
        except OSError as error:
            raise ExperimentError(f"cannot write {self.folder / SPEC_FILE}: {error.strerror}") from error

    def check_computable(self) -> None:
        """Raises ExperimentError where runs must not be added to the experiment.

        That is so for one of the first version, whose numbers depended on threads, for one that a newer version
        went on with, for one whose results say that its specification was another, where a plug-in is missing or
        has changed, where a result cannot be read, where a file or a link is in a run's place, and where nothing
        can be written.
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
        for run in range(self.spec.runs):
            self._check_run(run)
        self.check_room()

    def _check_run(self, run: int) -> None:
        """Raises ExperimentError where a run's result cannot be read now, or could not be published."""
        try:
            if self._result(run, verify=False) is not None:
                return
        except UnreadableResult as error:
            raise self._unreadable(run, error) from error
        except RecordError:
            pass  # a damaged one, which is set aside
        folder = self.run_folder(run)
        for place in (folder.parent, folder):
            try:
                check_folder(place)
            except FileNotFoundError:
                return
            except OSError as error:
                raise ExperimentError(
                    f"no result can be written to {folder}: {place.name} is in its way, for {error.strerror}",
                    f"move it away, then: aefit-tui resume {self.word}",
                ) from error

    def check_room(self) -> None:
        """Raises ExperimentError where ROOM bytes cannot be written to the folder: errors could not be logged."""
        probe = self.folder / owned_name(".room")
        try:
            probe.write_bytes(bytes(ROOM))
        except OSError as error:
            raise ExperimentError(
                f"cannot write to {self.folder}: {error.strerror}",
                f"free some space, or allow writing there, then: aefit-tui resume {self.word}",
            ) from error
        finally:
            remove(probe)

    def check_identity(self) -> None:
        """Raises ExperimentError where all results that name a specification name another than the present one.

        Only for folders that a person has named: of others `load` checks the name.
        """
        if _named_digits(self.id):
            return
        every = (read_result(self.run_folder(run) / "result") for run in range(self.spec.runs))
        digests = {metrics.experiment for metrics in every if metrics is not None and metrics.experiment}
        if digests and self.spec.digest not in digests:
            raise misnamed(self.folder, self.spec)

    def clear_leftovers(self) -> None:
        """Remove what killed processes left half written; only the holder of the lock may call it.

        A damaged result that was set aside as `.broken.*` is kept, so that a person can look at it. What cannot be
        listed now stays, until the next holder of the lock sweeps.
        """
        sweep(self.folder.resolve(), HALF_WRITTEN)
        with suppress(OSError):  # it cannot be listed, or somebody else sweeps
            self.lock.sweep()
        runs = self.folder / "runs"
        with suppress(OSError):  # there are none, or they cannot be listed now
            if not runs.is_symlink():
                for name in os.listdir(runs):
                    sweep(runs / name, r"\.result")  # a worker, which needs no lock, may be writing there


def run_name(run: int) -> str:
    """The name of the folder of run `run`, counted from 0."""
    return f"{run:04d}"


def _may_exist(path: Path) -> bool:
    """Whether something lies there, or may: os.path.lexists says no where that cannot be found out now."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _named_digits(name: str) -> str:
    """The digits of the specification's digest in a folder's name; "" for a name that a person gave it."""
    digits = name.rpartition("-")[2]
    return digits if re.fullmatch(f"[0-9a-f]{{{ID_DIGITS}}}", digits) else ""


def misnamed(folder: Path, spec: Spec) -> UnreadableError:
    """The error for a folder whose specification is not the one that its name and its results were made from."""
    return UnreadableError(
        folder,
        f"its {SPEC_FILE} is not the one that it was made from",
        f"put the former {SPEC_FILE} back; what it says now is computed by: {batch_command(spec)}",
    )


def load(folder: Path) -> Experiment:
    """The experiment in a folder. Raises UnreadableError.

    It is raised too where the folder's name ends with the digest of another specification; a name that a person
    gave it has no digest, and names of the first version follow another rule.
    """
    text = _read_spec(folder)
    if not text.strip():
        raise UnreadableError(folder, f"its {SPEC_FILE} is empty")
    try:
        spec = Spec.from_toml(text)
    except SpecError as error:
        version = error.value if error.field == "schema_version" else None
        if type(version) is int and version > SPEC_VERSION:
            reason = (
                f"written by a newer version (spec version {version}, this one reads up to {SPEC_VERSION})"
            )
            raise UnreadableError(folder, reason, error.hint, newer=True) from error
        raise UnreadableError(folder, f"{SPEC_FILE}: {error}", error.hint) from error
    except AefitError as error:
        raise UnreadableError(folder, f"{SPEC_FILE}: {error}", error.hint) from error
    if spec.schema_version == SPEC_VERSION and not spec.digest.startswith(_named_digits(folder.name)):
        raise misnamed(folder, spec)
    return Experiment(folder, spec)


def _read_spec(folder: Path) -> str:
    """The text of a folder's specification. Raises UnreadableError."""
    path = folder / SPEC_FILE
    try:
        return read_plain(path, LARGEST).decode()
    except FileNotFoundError as error:
        raise UnreadableError(folder, f"it holds no file {SPEC_FILE}") from error
    except OSError as error:
        raise UnreadableError(folder, f"it holds no readable {SPEC_FILE}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnreadableError(folder, f"it holds no readable {SPEC_FILE}: {error}") from error


def created(folder: Path) -> float:
    """When the experiment in a folder was made, seconds since 1970.

    For one of the first version, which does not say it, the time of its spec file; 0 where there is none.
    """
    try:
        moment = float(read_plain(folder / CREATED_FILE, 100))
        if 0 <= moment < 1e12:
            return moment
    except (OSError, ValueError):
        pass  # an experiment of the first version has none
    try:
        return (folder / SPEC_FILE).stat().st_mtime
    except OSError:
        return 0.0
