"""Lists the folders of a home's experiments without reading them; imports little, since the lab's start uses it."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import ExperimentError
from core.files.locations import experiments_dir

LOCK_FILE = "lock"
"""The lock file in the folder of an experiment that is computed, or whose coordinator has died."""


def experiment_folders(home: Path) -> list[Path]:
    """The folders of a home's experiments, in no order; a home that does not exist has none.

    Whether an experiment can be read is not checked. Raises ExperimentError where the folders cannot be listed.
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
    """The folders that have a lock, be it a dead process's. Raises ExperimentError as `experiment_folders`."""
    return [folder for folder in experiment_folders(home) if os.path.lexists(folder / LOCK_FILE)]
