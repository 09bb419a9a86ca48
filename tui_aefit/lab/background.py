"""Carries actions on the disk out in threads, and tells the person the outcome."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from textual.app import App

from core.errors import AefitError
from tui_aefit.lab.screens.confirm import Confirm

Action = Callable[[], str]
"""Does something and returns a sentence on the outcome; raises AefitError where it cannot."""
GROUP = "actions"
"""The group of workers that carry actions out; the lab is not left before they have ended."""


def describe_error(error: AefitError) -> str:
    """An error with what to do about it."""
    return f"{error}; {error.hint}" if error.hint else str(error)


def complain(app: App[Any], error: AefitError) -> None:
    """Notify of an error and what to do about it. From any thread."""
    app.notify(f"{error}\n{error.hint}".strip(), severity="error", timeout=15, markup=False)


class Complaints:
    """Notifies of each error only once, however often it is met. From any thread."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._said: set[str] = set()

    def __call__(self, error: AefitError) -> None:
        """Notify of an error, unless that was done before."""
        if str(error) not in self._said:
            self._said.add(str(error))
            complain(self._app, error)


def carry_out(app: App[Any], action: Action, then: Callable[[], object] | None = None) -> None:
    """Run an action in a thread and notify of its outcome; `then` is called in that thread at the end.

    The worker is the app's: a screen's would be cancelled where the person leaves the screen.
    """
    app.run_worker(partial(_carry_out, app, action, then), thread=True, group=GROUP)


def confirm_and_carry_out(
    app: App[Any], question: Confirm, action: Action, then: Callable[[], object] | None = None
) -> None:
    """Ask the question, and `carry_out` the action if the person answers yes."""

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
