"""Looks whether a coordinator is at work, and where the last one found its data."""

from __future__ import annotations

import time
from pathlib import Path

from core.records.events import CoordinatorStarted, Finished
from core.records.experiment import Experiment
from core.records.journal import JournalReader
from core.records.state import State
from tui_aefit.shell.settings import Settings

LOOK_SECONDS = 0.05
LEAVING_SECONDS = 10.0
"""How long a coordinator that has journaled its end may take to give the lock back; its workers may take 5 s."""


def is_at_work(experiment: Experiment) -> bool:
    """Whether a coordinator computes an experiment and will notice runs that are asked for now.

    One that has journaled its end notices nothing more: this waits until it has given the lock back.
    """
    deadline = time.monotonic() + LEAVING_SECONDS
    while experiment.held:
        if not _has_ended(experiment) or time.monotonic() > deadline:
            return True
        time.sleep(LOOK_SECONDS)
    return False


def _has_ended(experiment: Experiment) -> bool:
    """Whether the last coordinator has journaled its end."""
    events = JournalReader(experiment.journal, newest_only=True).poll()
    endings = [event for event in events if isinstance(event, CoordinatorStarted | Finished)]
    return bool(endings) and isinstance(endings[-1], Finished)


def data_dir_of(state: State, settings: Settings) -> Path:
    """The data folder for an experiment: that which is set, else that of its last computation, else the default."""
    last = state.last(CoordinatorStarted)
    if settings["data_dir"] is None and last is not None and last.data_dir:
        return Path(last.data_dir)
    return settings.data_dir
