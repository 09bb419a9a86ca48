"""The folders of a home's experiments. Reads none of them, and loads nothing that could: the lab's start asks."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import ExperimentError
from core.files.locations import experiments_dir

LOCK_FILE = "lock"
"""In the folder of an experiment that is computed, or whose coordinator has died."""


def experiment_folders(home: Path) -> list[Path]:
    """The folders of a home's experiments, in no order; a home that does not exist has none.

    Whether they can be read is not looked at. Raises ExperimentError where they cannot be listed.
    """
    folder = experiments_dir(home)
    try:
        with os.scandir(folder) as entries:
            return [folder / entry.name for entry in entries if entry.name[0] != "." and entry.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ExperimentError(
            f"cannot list {folder}: {error.strerror}", "choose another home with --home DIR"
        ) from error


def locked_folders(home: Path) -> list[Path]:
    """Those in which a lock lies, be it of a process that lives or not. Raises ExperimentError as above."""
    return [folder for folder in experiment_folders(home) if os.path.lexists(folder / LOCK_FILE)]
