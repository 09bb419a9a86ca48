"""The lab's actions on a study: stop it, remove it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App

from core.records.stopping import stop_study
from core.records.study import delete_study
from core.records.study_state import StudyState
from tui_aefit.lab.background import confirm_and_carry_out
from tui_aefit.lab.screens.confirm import Confirm


def ask_to_stop(app: App[Any], state: StudyState, then: Callable[[], object]) -> None:
    """Ask the person whether to stop a study, and stop it after a yes; `then` as in `confirm_and_carry_out`."""
    kept = f"{state.done} of {state.runs} runs are complete and kept. Resume goes on with it."
    question = Confirm(f"Stop the study {state.study.name}?", kept, "Stop")
    confirm_and_carry_out(app, question, partial(stop, state), then)


def stop(state: StudyState) -> str:
    """Ask whoever computes a study to stop. Raises StudyError."""
    stop_study(state)
    return f"{state.study.name} was asked to stop"


def forget_study(folder: Path) -> str:
    """Remove a study; its experiments stay. Raises StudyError, LockHeld."""
    delete_study(folder)
    return f"deleted the study {folder.name}; its experiments stay"
