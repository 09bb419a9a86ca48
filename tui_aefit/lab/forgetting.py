"""What Textual keeps of widgets that are gone, and letting go of it.

Two of its caches belong to functions. One has the drawn lines of widgets as parts of its keys (its function is a
method, whose object is an argument) and holds those of a thousand; the other has every style that was drawn: of
pictures there are many. An hour of looking around would fill both.
"""

from __future__ import annotations

from textual._styles_cache import StylesCache
from textual.strip import Strip


def forget_what_is_gone() -> None:
    """Empty them: what is still on the screen is there again after the next drawing."""
    StylesCache.get_inner_outer.cache_clear()
    Strip.render_ansi.cache_clear()
