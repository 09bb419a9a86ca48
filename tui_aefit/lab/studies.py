"""The lab's actions on a study: stop it, remove it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App

from core.errors import StudyError
from core.records.study import delete_study
from core.records.study_state import StudyState
from tui_aefit.lab.background import confirm_and_carry_out
from tui_aefit.lab.screens.confirm import Confirm


def ask_to_stop(app: App[Any], state: StudyState, then: Callable[[], object]) -> None:
    """Ask the person whether to stop a study, and stop it after a yes; `then` as in `confirm_and_carry_out`."""
    kept = f"{state.done} of {state.runs} runs are complete and kept. Resume goes on with it."
    question = Confirm(f"Stop the study {state.study.name}?", kept, "Stop")
    confirm_and_carry_out(app, question, partial(stop_study, state), then)


def stop_study(state: StudyState) -> str:
    """Ask a study's supervisor to stop; where it has none, those of its experiments that are being computed.

    Raises StudyError.
    """
    study = state.study
    try:
        if study.running:
            study.cancel_file.touch()
            return f"{study.name} was asked to stop"
        found = [cell.overview.experiment for cell in state.cells if cell.overview is not None]
        running = [experiment for experiment in found if experiment is not None and experiment.running]
        for experiment in running:
            experiment.cancel_file.touch()
    except OSError as error:
        raise StudyError(f"cannot ask {study.name} to stop: {error.strerror}") from error
    if not running:
        raise StudyError(f"{study.name} is not being computed")
    return f"{study.name} was asked to stop"


def forget_study(folder: Path) -> str:
    """Remove a study; its experiments stay. Raises StudyError, LockHeld."""
    delete_study(folder)
    return f"deleted the study {folder.name}; its experiments stay"
