"""The widget of a chart: drawn when its data, its size or the theme change, and kept as text in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.text import Text
from textual.app import App
from textual.color import BLACK, WHITE, Color, rgb_to_lab
from textual.events import Resize
from textual.reactive import reactive
from textual.theme import Theme
from textual.widgets import Static

from core.report.styles import COLOURS
from tui_aefit.lab.charts.palette import Palette
from tui_aefit.lab.theme import FollowsTheme, is_colourless

ANSI_PALETTE = Palette(
    axes="bright_black",
    words="",
    rules="yellow",
    series=("blue", "red", "green", "magenta", "yellow", "cyan", "bright_black"),
)
"""The palette of the terminal's own sixteen colours: those nearest to `core.report.styles.COLOURS`."""
LEAST_CONTRAST = 40.0
"""The difference of a curve's lightness from the background's, at least, in CIE L*a*b*."""


def palette_of(app: App[Any]) -> Palette | None:
    """The colours for charts in the app's theme, None where there is no colour.

    Curves have the colours of exported figures, made lighter or darker where the background asks for it.
    """
    if is_colourless(app):
        return None
    if app.native_ansi_color:
        return ANSI_PALETTE
    variables = app.theme_variables
    surface, foreground = Color.parse(variables["surface"]), Color.parse(variables["foreground"])
    return Palette(
        axes=surface.blend(foreground, 0.55).hex6,
        words=surface.blend(foreground, 0.8).hex6,
        rules=Color.parse(variables["warning"]).hex6,
        series=tuple(seen_on(Color.parse(colour), surface).hex6 for colour in COLOURS),
    )


def seen_on(colour: Color, surface: Color) -> Color:
    """A colour, moved towards white or black as little as it takes to stand out from a background."""
    background = rgb_to_lab(surface).L
    end = WHITE if background < 50 else BLACK
    for step in range(11):
        found = colour.blend(end, step / 10)
        if abs(rgb_to_lab(found).L - background) >= LEAST_CONTRAST:
            return found
    return end


class Chart(FollowsTheme, Static):
    """Shows `data` as `draw(data, width, height, palette)` makes it, or the words `empty` while it is None."""

    DEFAULT_CSS = """
    Chart { width: 1fr; height: 1fr; }
    """

    data: reactive[Any] = reactive(None, init=False, layout=False, repaint=False)

    def __init__(
        self,
        draw: Callable[[Any, int, int, Palette | None], Text],
        *,
        empty: str,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._draw = draw
        self.empty = empty

    def on_resize(self, event: Resize) -> None:
        """Draw for the new size."""
        self._redraw()

    def watch_data(self) -> None:
        """Draw the new data; equal data does not come here."""
        self._redraw()

    def theme_changed(self, theme: Theme) -> None:
        """Draw in the colours of another theme."""
        self._redraw()

    def _redraw(self) -> None:
        width, height = self.content_size
        if not width or not height:
            return
        if self.data is None:
            self.update(Text(self.empty, style="dim"), layout=False)
        else:
            self.update(self._draw(self.data, width, height, palette_of(self.app)), layout=False)
