"""Requests to stop: a file in the folder of an experiment or a study, whose presence is all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.declarations.printable import shell_word
from core.errors import ExperimentError, StudyError
from core.files.folders import take_away

if TYPE_CHECKING:
    from core.records.experiment import Experiment
    from core.records.study_state import StudyState


def cancel_requested(cancel_file: Path) -> bool:
    """Whether somebody asks for a stop; a request that cannot be looked for now is not there yet."""
    # Not Path.exists, which raises while a file server is away: a later look sees what this one cannot.
    return os.path.exists(cancel_file)


def request_cancel(cancel_file: Path) -> None:
    """Ask for a stop, unless somebody has already; never through a link. Raises OSError."""
    if not cancel_requested(cancel_file):
        take_away(cancel_file)  # a link that leads nowhere, and may lead anywhere
        with suppress(FileExistsError):
            cancel_file.open("x").close()


def stop_experiment(experiment: Experiment) -> None:
    """Ask the coordinator of an experiment to stop; it does so a little later. Raises ExperimentError."""
    try:
        if not experiment.running:
            raise ExperimentError(
                f"{experiment.id} is not being computed", f"aefit-tui show {experiment.word} tells its state"
            )
        request_cancel(experiment.cancel_file)
    except OSError as error:
        raise ExperimentError(f"cannot ask {experiment.id} to stop: {error.strerror}") from error


def stop_study(state: StudyState) -> None:
    """Ask a study's supervisor to stop; where it has none, those of its experiments that are computed.

    Raises StudyError, also where nobody computes any of it.
    """
    study = state.study
    try:
        if study.running:
            request_cancel(study.cancel_file)
            return
        found = [cell.overview.experiment for cell in state.cells if cell.overview is not None]
        running = [experiment for experiment in found if experiment is not None and experiment.running]
        for experiment in running:
            request_cancel(experiment.cancel_file)
    except OSError as error:
        raise StudyError(f"cannot ask {study.name} to stop: {error.strerror}") from error
    if not running:
        raise StudyError(
            f"{study.name} is not being computed",
            f"aefit-tui study show {shell_word(study.name)} tells its state",
        )
