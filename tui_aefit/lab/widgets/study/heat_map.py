"""The heat map of a study, with a cursor that moves from one experiment to another."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.color import BLACK, WHITE, Color, rgb_to_lab
from textual.events import Click
from textual.message import Message
from textual.theme import Theme

from core.report.styles import COLOURS
from tui_aefit.lab.charts.heat import HeatData, HeatLayout, HeatPalette, heat_map
from tui_aefit.lab.charts.palette import Palette
from tui_aefit.lab.theme import grade, is_colourless
from tui_aefit.lab.widgets.chart import Chart

NEGATIVE, POSITIVE = COLOURS[1], COLOURS[0]
"""Orange and blue: colour-blind people can tell them apart, and neither suggests good or bad."""
FAINTEST = 0.12
"""The share of the full colour that the smallest number has."""


def heat_palette(app: App[Any], *, signed: bool) -> HeatPalette | None:
    """The colours of a heat map in the app's theme; None where there are none, or too few for shades.

    signed: whether the middle of the numbers is 0, on the plain background, between two colours; else there is one
    colour, from faint to full.
    """
    if is_colourless(app) or app.native_ansi_color:
        return None
    variables = app.theme_variables
    surface, foreground = Color.parse(variables["surface"]), Color.parse(variables["foreground"])
    ends = [Color.parse(colour) for colour in (NEGATIVE, POSITIVE)]
    stops = [ends[0], surface, ends[1]] if signed else [surface.blend(ends[1], FAINTEST), ends[1]]

    def style(share: float) -> str:
        colour = grade(stops, share)
        words = BLACK if rgb_to_lab(colour).L > 50 else WHITE
        return f"{words.hex6} on {colour.hex6}"

    return HeatPalette(style, surface.blend(foreground, 0.9).hex6, surface.blend(foreground, 0.7).hex6)


class HeatMap(Chart, can_focus=True):
    """Shows `data`, a `HeatData`. Posts `Moved` with the cursor's new place, and `Opened` for the cell under it.

    signed: whether 0 is the middle of the numbers.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(0, -1)", "Left", id="study.left", show=False, tooltip="To the cell at the left"),
        Binding("right", "move(0, 1)", "Right", id="study.right", show=False, tooltip="To the cell at the right"),
        Binding("up", "move(-1, 0)", "Up", id="study.up", show=False, tooltip="To the cell above"),
        Binding("down", "move(1, 0)", "Down", id="study.down", show=False, tooltip="To the cell below"),
        Binding("enter", "open", "Open", id="study.open-cell", tooltip="Look at the experiment under the cursor"),
    ]  # fmt: skip

    class Moved(Message):
        """The person moves the cursor to this row and column."""

        def __init__(self, place: tuple[int, int]) -> None:
            super().__init__()
            self.place = place

    class Opened(Message):
        """The person wants to look at the experiment under the cursor."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(self._draw_in_colours, empty="Looking ...", id=id)
        self.signed = False

    @property
    def _palette(self) -> HeatPalette | None:
        return heat_palette(self.app, signed=self.signed)

    def _draw_in_colours(self, data: HeatData, width: int, height: int, _: Palette | None) -> Any:
        return heat_map(data, width, height, self._palette)

    def theme_changed(self, theme: Theme) -> None:
        """Draw in the colours of another theme."""
        self._redraw()

    def action_move(self, rows: int, columns: int) -> None:
        """Move the cursor, as far as there are cells."""
        data = self.data
        if data is None or not data.rows:
            return
        row, column = data.cursor
        place = (
            min(max(0, row + rows), len(data.rows) - 1),
            min(max(0, column + columns), len(data.columns) - 1),
        )
        if place != data.cursor:
            self.post_message(self.Moved(place))

    def action_open(self) -> None:
        """Post `Opened` for the cell under the cursor."""
        self.post_message(self.Opened())

    def on_click(self, event: Click) -> None:
        """Move the cursor to the clicked cell; a click on the cell under the cursor opens it."""
        offset = event.get_content_offset(self)
        if self.data is None or offset is None:
            return
        layout = HeatLayout.fitting(self.data, *self.content_size, shaded=self._palette is None)
        place = layout.at(offset.x, offset.y) if layout is not None else None
        if place == self.data.cursor:
            self.action_open()
        elif place is not None:
            self.post_message(self.Moved(place))
