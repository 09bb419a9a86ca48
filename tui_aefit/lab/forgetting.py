"""What Textual keeps of widgets that are gone, and letting go of it.

Some of its caches, and of Rich's, belong to functions. One has the drawn lines of widgets as parts of its keys (its
function is a method, whose object is an argument) and holds those of a thousand; the others have every style and
colour that was drawn: of pictures there are many. An hour of looking around would fill them.

The parts of a screen name each other in circles, so that Python lets go of one that was left, and of what was made
in passing when one was opened, only when it looks for garbage in all there is. By itself it does that rarely (see
`tui_aefit.lab.opening`): it takes as long as to draw a screen, in a large home as long as several. Here it is done
after each change of the screen, when nobody is typing.
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
"""How long nobody has typed when garbage is looked for."""
MANY = 1_500_000
"""Objects that it takes noticeably long to look through: of a home of a thousand experiments or more."""
GROWN, GROWN_OF_MANY = 1 / 50, 1 / 4
"""By which share there must be more than after the last look, and where that left many: Python's own rule."""


class Forgetting:
    """Lets go of what is gone in an app: of what was drawn at once, of whole screens once nobody types."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._kept = sys.getallocatedblocks()
        self._waiting: Timer | None = None

    def changed(self, _: Screen[Any]) -> None:
        """Another screen is in front."""
        self._app.call_later(forget_what_was_drawn)
        if self._waiting is None:
            self._waiting = self._app.set_timer(QUIET_SECONDS, self._look)

    def put_off(self) -> None:
        """Somebody is typing."""
        if self._waiting is not None:
            self._waiting.reset()

    def _look(self) -> None:
        self._waiting = None
        share = GROWN if self._kept < MANY else GROWN_OF_MANY
        if sys.getallocatedblocks() > (1 + share) * self._kept:
            gc.collect()
            self._kept = sys.getallocatedblocks()


def forget_what_was_drawn() -> None:
    """Empty these caches: what is still on the screen is there again after the next drawing."""
    StylesCache.get_inner_outer.cache_clear()
    Strip.render_ansi.cache_clear()
    ANSIToTruecolor.truecolor_style.cache_clear()
    Color.get_ansi_codes.cache_clear()
    Color.downgrade.cache_clear()
