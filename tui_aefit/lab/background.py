"""What a screen does with the disk: beside the screen, and the person is told what came of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from textual.app import App

from core.errors import AefitError
from tui_aefit.lab.screens.confirm import Confirm

Action = Callable[[], str]
"""Does something, and says what came of it; raises AefitError where it cannot."""
GROUP = "actions"
"""Of the workers that carry actions out: the lab is not left before they have ended."""


def describe_error(error: AefitError) -> str:
    """An error with what to do about it."""
    return f"{error}; {error.hint}" if error.hint else str(error)


def complain(app: App[Any], error: AefitError) -> None:
    """Say at some length what the app could not do. From any thread."""
    app.notify(f"{error}\n{error.hint}".strip(), severity="error", timeout=15, markup=False)


class Complaints:
    """Says once what would be met again at every look. From any thread."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._said: set[str] = set()

    def __call__(self, error: AefitError) -> None:
        """Say it, unless it was said before."""
        if str(error) not in self._said:
            self._said.add(str(error))
            complain(self._app, error)


def carry_out(app: App[Any], action: Action, then: Callable[[], object] | None = None) -> None:
    """Do something in a thread and notify of what came of it; `then` is called in that thread at the end.

    It is the app's work: a screen's own would be given up where the person leaves the screen at once.
    """
    app.run_worker(partial(_carry_out, app, action, then), thread=True, group=GROUP)


def confirm_and_carry_out(
    app: App[Any], question: Confirm, action: Action, then: Callable[[], object] | None = None
) -> None:
    """The same, if the person says yes to the question."""

    def answered(yes: bool | None) -> None:
        if yes:
            carry_out(app, action, then)

    app.push_screen(question, answered)


def _carry_out(app: App[Any], action: Action, then: Callable[[], object] | None) -> None:
    try:
        app.notify(action(), markup=False)
    except AefitError as error:
        app.notify(describe_error(error), severity="error", markup=False)
    if then is not None:
        then()
