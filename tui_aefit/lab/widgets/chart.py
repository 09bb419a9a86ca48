"""A chart on the screen: drawn when its data, its size or the theme change, and kept as text in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.text import Text
from textual.app import App
from textual.color import Color, rgb_to_lab
from textual.events import Resize
from textual.reactive import reactive
from textual.theme import Theme
from textual.widgets import Static

from tui_aefit.lab.charts.drawing import Palette
from tui_aefit.lab.theme import FollowsTheme, is_colourless

THEME_COLOURS = ("foreground", "primary", "error", "success", "warning", "secondary", "accent")
# For what a theme lacks: Okabe and Ito (2008), told apart by most people, whatever their colour vision; then
# darker ones for light themes.
MORE_COLOURS = (
    "#56B4E9", "#CC79A7", "#009E73", "#E69F00", "#0072B2", "#D55E00", "#F0E442", "#999999",
    "#117733", "#AA4499", "#7A4B00", "#332288",
)  # fmt: skip
ANSI_PALETTE = Palette(
    axes="bright_black",
    words="",
    rules="yellow",
    series=("", "blue", "red", "green", "magenta", "cyan", "yellow", "bright_black"),
)
"""Where the terminal's own sixteen colours are used."""
LEAST_CONTRAST, LEAST_DISTANCE = (
    30.0,
    25.0,
)  # in CIE L*a*b*: lightness from the background, between two series


def palette_of(app: App[Any]) -> Palette | None:
    """The colours of the app's theme for charts, None where there is no colour.

    Series that would be hard to see or to tell apart are left out; a theme has seldom more than five.
    """
    if is_colourless(app):
        return None
    if app.native_ansi_color:
        return ANSI_PALETTE
    variables = app.theme_variables
    surface, foreground = Color.parse(variables["surface"]), Color.parse(variables["foreground"])
    background = rgb_to_lab(surface)
    kept: list[Color] = []
    for text in (*(variables[name] for name in THEME_COLOURS), *MORE_COLOURS):
        colour = Color.parse(text)
        lab = rgb_to_lab(colour)
        others = [rgb_to_lab(other) for other in kept]
        distances = [sum((a - b) ** 2 for a, b in zip(lab, other, strict=True)) ** 0.5 for other in others]
        if abs(lab.L - background.L) >= LEAST_CONTRAST and min(distances, default=100.0) >= LEAST_DISTANCE:
            kept.append(colour)
    return Palette(
        axes=surface.blend(foreground, 0.55).hex6,
        words=surface.blend(foreground, 0.8).hex6,
        rules=Color.parse(variables["warning"]).hex6,
        series=tuple(colour.hex6 for colour in kept) or (foreground.hex6,),
    )


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
