"""The experiments of a home: making one, finding one by its name, deleting one."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from core.declarations.printable import shell_word
from core.errors import ExperimentError
from core.files.locations import experiments_dir, studies_dir
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
from core.records.named_folders import (
    delete_whole,
    hint_for_unknown,
    make_whole,
    meant_by,
    sweep_half_done,
)
from core.spec.spec import Spec

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
    sweep_half_done(folder.parent)
    try:
        make_whole(home, folder, {SPEC_FILE: spec.to_toml(), CREATED_FILE: f"{time.time():.3f}\n"})
    except OSError as error:
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
    folders = experiment_folders(home)
    if not folders:
        raise ExperimentError(f"there is no experiment under {home}", "start one with `aefit-tui --batch`")
    found = meant_by(
        name,
        folders,
        made=created,
        words=lambda own: (own, own.rpartition("-")[2]),
        refuse=ExperimentError,
    )
    if found is not None:
        return found
    if name and os.path.isdir(studies_dir(home) / name):
        raise ExperimentError(f"{name!r} is a study, and no experiment", f"aefit-tui study show {name}")
    raise ExperimentError(
        f"there is no experiment {name!r}", hint_for_unknown(name, folders, "aefit-tui list")
    )


def delete_experiment(folder: Path) -> None:
    """Remove an experiment, whether or not its spec can be read. Raises LockHeld, ExperimentError.

    See `delete_whole`.
    """
    name = shell_word(folder.name)
    hint = f"follow it with `aefit-tui attach {name}`, or stop it with `aefit-tui cancel {name}`"
    delete_whole(folder, hint, ExperimentError)
