"""Frees the memory of widgets and screens that are gone.

Some caches of Textual and Rich belong to functions and outlive widgets. One is of a method, so that its keys hold
the drawn lines of up to a thousand widgets; the others hold every style and colour that was drawn, of which
pictures have many. An hour of use would fill them.

The parts of a screen refer to each other in cycles, so that Python frees a screen that was left only by a full
garbage collection. Python does that rarely (see `tui_aefit.lab.opening`), for it takes as long as drawing a
screen, in a large home as long as drawing several. Here it is done after each change of the screen, once nobody
types.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

from rich.color import Color
from textual._styles_cache import StylesCache
from textual.app import App
from textual.filter import ANSIToTruecolor
from textual.screen import Screen
from textual.strip import Strip
from textual.timer import Timer

QUIET_SECONDS = 0.5
"""How long nobody must have typed before garbage is collected."""
MANY = 1_500_000
"""So many objects take noticeably long to look through: a home of a thousand experiments has them."""
GROWN, GROWN_OF_MANY = 1 / 50, 1 / 4
"""The share by which objects must have grown since the last collection for another; GROWN_OF_MANY, Python's own
rule, where that left MANY."""


class WidgetGarbage:
    """Empties an app's drawing caches after each change of the screen, and collects garbage once nobody types."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._kept = sys.getallocatedblocks()
        self._waiting: Timer | None = None

    def changed(self, _: Screen[Any]) -> None:
        """Note that another screen is in front."""
        self._app.call_later(forget_what_was_drawn)
        if self._waiting is None:
            self._waiting = self._app.set_timer(QUIET_SECONDS, self._look)

    def put_off(self) -> None:
        """Note that somebody types: wait QUIET_SECONDS from now."""
        if self._waiting is not None:
            self._waiting.reset()

    def _look(self) -> None:
        self._waiting = None
        share = GROWN if self._kept < MANY else GROWN_OF_MANY
        if sys.getallocatedblocks() > (1 + share) * self._kept:
            gc.collect()
            self._kept = sys.getallocatedblocks()


def forget_what_was_drawn() -> None:
    """Empty the drawing caches; the next drawing fills them again with what is on the screen."""
    StylesCache.get_inner_outer.cache_clear()
    Strip.render_ansi.cache_clear()
    ANSIToTruecolor.truecolor_style.cache_clear()
    Color.get_ansi_codes.cache_clear()
    Color.downgrade.cache_clear()
