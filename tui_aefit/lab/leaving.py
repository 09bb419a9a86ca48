"""Quits the lab as soon as that does no harm."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.timer import Timer
from textual.widget import Widget

from tui_aefit.lab import background, publishing

LOOK_SECONDS = 0.02
"""How often a lab that is to be left looks whether it can be."""


class Leaving:
    """Exits an app once every widget is composed, and all files are written and all stops requested.

    An exiting app composes no widget, and Textual's own widgets fail without their parts.
    """

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: Timer | None = None
        self.has_left = False

    def begin(self) -> None:
        """Exit now or as soon as it can be; `take_back` takes it back."""
        if self._waiting is None:
            if self._is_at_work(publishing.GROUP):
                self._app.notify("the lab closes when all files are written", timeout=60)
            self._waiting = self._app.set_interval(LOOK_SECONDS, self._exit_if_harmless)
            self._exit_if_harmless()

    def take_back(self) -> None:
        """Stay after all."""
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None

    def _exit_if_harmless(self) -> None:
        screens = self._app.screen_stack
        widgets = (widget for screen in screens for widget in screen.walk_children(Widget))
        if not self._is_at_work(publishing.GROUP, background.GROUP) and all(
            widget.is_mounted for widget in (*screens, *widgets)
        ):
            self.has_left = True
            self._app.exit()

    def _is_at_work(self, *groups: str) -> bool:
        """Whether a worker of one of these groups has not ended."""
        return any(worker.group in groups and not worker.is_finished for worker in self._app.workers)
