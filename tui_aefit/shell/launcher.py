"""Coordinators: whether one is at work, and starting one, which outlives this process or is tied to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from core.errors import ExperimentError
from core.files.folders import open_to_append
from core.records.events import CoordinatorStarted, Finished
from core.records.experiment import Experiment
from core.records.journal import JournalReader
from core.records.state import State
from tui_aefit.shell.settings import Settings

LOOK_SECONDS = 0.05
LEAVING_SECONDS = 10.0
"""How long a coordinator that has journaled its end may take to give the lock back; its workers have five."""


def is_at_work(experiment: Experiment) -> bool:
    """Whether a coordinator computes it that hears of the runs that are asked for by now.

    One that has journaled its end hears of nothing more: it is waited for until it has given the lock back.
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


def start_coordinator(
    experiment: Experiment,
    *,
    jobs: int,
    threads: int,
    data_dir: Path,
    cache_dir: Path,
    tied: bool,
    no_cache: bool = False,
) -> subprocess.Popen[bytes]:
    """The process that computes an experiment's missing runs; what it prints goes to the experiment's log.

    It ends with one of `core.files.exit_status.ExitStatus`. tied: it stops when this process closes `stdin` of
    the result, or dies. Otherwise nothing here ends it. Raises ExperimentError where the log cannot be written.
    """
    command = [
        sys.executable, "-P", "-m", "core.engine.coordinator", str(experiment.folder),
        "--jobs", str(jobs), "--threads", str(threads),
        "--data-dir", str(data_dir), "--cache-dir", str(cache_dir),
        *(["--no-cache"] if no_cache else []),
        *(["--foreground"] if tied else []),
    ]  # fmt: skip
    try:
        log = os.fdopen(open_to_append(experiment.log), "ab")
    except OSError as error:
        raise ExperimentError(f"cannot write {experiment.log}: {error.strerror}") from error
    with log:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE if tied else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def data_dir_of(state: State, settings: Settings) -> Path:
    """Where the data of an experiment are: unless that is set, where they were when it was computed last."""
    last = state.last(CoordinatorStarted)
    if settings["data_dir"] is None and last is not None and last.data_dir:
        return Path(last.data_dir)
    return settings.data_dir
