"""The experiments of a home: making one, finding one by its name, deleting one."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

from core.declarations.printable import shell_word
from core.errors import ExperimentError
from core.files.atomic import sync_folder, write_atomically
from core.files.folders import make_home
from core.files.locations import experiments_dir, studies_dir
from core.files.ownership import owned_name, sweep
from core.records.experiment import (
    CREATED_FILE,
    ID_DIGITS,
    SPEC_FILE,
    Experiment,
    created,
    load,
    misnamed,
)
from core.records.folders import experiment_folders
from core.records.lock import FULL, Lock, LockHeld
from core.spec.spec import Spec

HALF_DONE = r"\.(new|deleted)"
"""The prefixes of folders that killed processes leave among the experiments: half made, or half deleted."""
TITLE_LENGTH = 40
"""Characters of the data set's name in an id, at most: file systems take 255 for a whole name."""


def create(home: Path, spec: Spec) -> tuple[Experiment, bool]:
    """The experiment of a spec, and whether its folder is new: one identity has one folder in a home.

    One that exists with fewer runs is extended to those of the spec; one with more keeps them.
    Raises ExperimentError where the home cannot be written, or the folder holds another spec.
    """
    folder = experiments_dir(home) / experiment_id(spec)
    # os.path: in a home without permission, Path.is_dir would raise.
    if os.path.isdir(folder):
        return _existing(folder, spec), False
    sweep_experiments(home)
    temporary = folder.with_name(owned_name(".new"))
    try:
        make_home(home)
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


def sweep_experiments(home: Path) -> None:
    """Remove what killed processes left among the experiments of a home; never raises."""
    sweep(experiments_dir(home).resolve(), HALF_DONE)


def _existing(folder: Path, spec: Spec) -> Experiment:
    """The experiment in the folder of a spec, extended to the spec's runs. Raises ExperimentError."""
    found = _same(load(folder), spec)
    return found.extend(spec.runs) if spec.runs > found.spec.runs else found


def _same(found: Experiment, spec: Spec) -> Experiment:
    """`found`. Raises ExperimentError where it is not the experiment of `spec`."""
    if found.spec.identity != spec.identity:
        raise misnamed(found.folder, spec)
    return found


def experiment_id(spec: Spec) -> str:
    """DATASET-ATTACK-DIGEST, such as mnist-fgsm-1f3a9c2e; a long data set name is cut."""
    title = re.sub(r"[^a-z0-9]+", "-", spec.dataset_title.lower())[:TITLE_LENGTH].strip("-") or "own"
    return f"{title}-{spec.attack}-{spec.digest[:ID_DIGITS]}"


def find(home: Path, name: str) -> Experiment:
    """The experiment that `name` means, see `find_folder`. Raises ExperimentError, also where it cannot be read."""
    return load(find_folder(home, name))


def find_folder(home: Path, name: str) -> Path:
    """The folder that `name` means: an id, a prefix of it or of its digest, or "latest", the one created last.

    Whether the experiment can be read is not checked. Raises ExperimentError where `name` means none or more than
    one, or where the folders cannot be listed.
    """
    folders = {folder.name: folder for folder in experiment_folders(home)}
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
    if name and os.path.isdir(studies_dir(home) / name):
        raise ExperimentError(f"{name!r} is a study, and no experiment", f"aefit-tui study show {name}")
    raise ExperimentError(f"there is no experiment {name!r}", "`aefit-tui list` shows those there are")


def delete_experiment(folder: Path) -> None:
    """Remove an experiment's folder and all in it, whether or not its spec can be read.

    Where the folder is a link, only the link is removed, not what it leads to.
    Raises LockHeld while it is being computed, ExperimentError where it cannot be removed.
    """
    lock = Lock(folder.resolve())
    try:
        if folder.is_symlink():
            lock.wait_until_free()  # not acquired: nothing is written to the folder that the link leads to
            folder.unlink()
            return
        _acquire(lock)
        trash = folder.with_name(owned_name(".deleted"))
        try:
            folder.rename(trash)
        finally:
            lock.release()
        with suppress(FileNotFoundError):  # somebody else has removed it
            shutil.rmtree(trash)
        sweep(folder.parent, HALF_DONE)
    except LockHeld as held:
        name = shell_word(folder.name)
        held.hint = f"follow it with `aefit-tui attach {name}`, or stop it with `aefit-tui cancel {name}`"
        raise
    except OSError as error:
        raise ExperimentError(f"cannot delete {folder}: {error.strerror or error}") from error


def _acquire(lock: Lock) -> None:
    """Take the lock of a folder that is to be deleted. Raises LockHeld, OSError.

    On a full disk the lock file cannot be written, and deleting is what makes room. There this only waits until
    nobody holds the lock: another process cannot take it at this moment either, for want of room.
    """
    try:
        lock.acquire()
    except OSError as error:
        if error.errno not in FULL:
            raise
        lock.wait_until_free()
