"""Small pictures of a gallery in a grid, a page at a time; arrows go from one to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from core.declarations.printable import printable
from core.records.gallery import Gallery, grey_levels
from tui_aefit.lab.widgets.picture import characters, fitted, half_blocks
from tui_aefit.lab.widgets.shades import BRIGHTNESS

SMALL, LARGE, ROOMY = 10, 14, 120
"""Pixels of a side, at most, in a width below ROOMY (SMALL) and from it (LARGE)."""
GAP, CAPTION = 1, 1
"""Columns between two pictures, rows above each."""


@dataclass(frozen=True)
class Grid:
    """The grid of pictures. side: columns of a picture, and twice its rows. columns, rows: pictures of a page."""

    side: int
    columns: int
    rows: int

    @classmethod
    def of(cls, width: int, height: int) -> Grid:
        """The grid with as many pictures as fit into width x height cells, one at least."""
        side = max(1, min(SMALL if width < ROOMY else LARGE, width - GAP))
        return cls(side, max(1, width // (side + GAP)), max(1, height // (CAPTION + side // 2)))

    @property
    def page(self) -> int:
        """How many pictures are shown at once."""
        return self.columns * self.rows


class Thumbnails(Widget, can_focus=True):
    """Small images of some members of a gallery; one of them is under the cursor.

    members: the shown ones, by their places in `gallery`, in this order. place: of the one under the cursor, among
    `members`. as_text: draw with characters instead of colours.
    """

    DEFAULT_CSS = """
    Thumbnails { width: 1fr; height: 1fr; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Left", id="thumbnails.left", show=False, tooltip="The picture before"),
        Binding("right", "step(1)", "Right", id="thumbnails.right", show=False, tooltip="The next picture"),
        Binding("up", "row(-1)", "Up", id="thumbnails.up", show=False, tooltip="The picture above"),
        Binding("down", "row(1)", "Down", id="thumbnails.down", show=False, tooltip="The picture below"),
        Binding("pageup", "page(-1)", "Page up", id="thumbnails.page-up", show=False, tooltip="A page back"),
        Binding("pagedown", "page(1)", "Page down", id="thumbnails.page-down", show=False, tooltip="A page on"),
        Binding("home", "end(False)", "First", id="thumbnails.first", show=False, tooltip="The first picture"),
        Binding("end", "end(True)", "Last", id="thumbnails.last", show=False, tooltip="The last picture"),
        Binding("enter", "open", "Large", id="thumbnails.open", tooltip="This picture, large"),
    ]  # fmt: skip
    KEYS_WORK_ON: ClassVar[tuple[str, ...]] = ("gallery",)

    gallery: reactive[Gallery | None] = reactive(None, always_update=True)
    members: reactive[Sequence[int]] = reactive(())
    place: reactive[int] = reactive(0)
    as_text: reactive[bool] = reactive(False)

    class Moved(Message):
        """Another picture is under the cursor. place: among the members."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    class Opened(Message):
        """The person wants to see the picture under the cursor large."""

    @property
    def grid(self) -> Grid:
        """The grid in the present size."""
        return Grid.of(*self.size)

    @property
    def first(self) -> int:
        """The place of the first picture on the page."""
        return self.place // self.grid.page * self.grid.page

    @property
    def shown(self) -> range:
        """The places of the pictures on the page."""
        return range(self.first, min(self.first + self.grid.page, len(self.members)))

    def render_line(self, y: int) -> Strip:
        """One row of cells."""
        grid, around = self.grid, self.rich_style
        row, line = divmod(y, CAPTION + grid.side // 2)
        blank = Strip.blank(self.size.width, around)
        if self.gallery is None or row >= grid.rows:
            return blank
        start = self.first + row * grid.columns
        places = range(start, min(start + grid.columns, len(self.members)))
        strips = [self._line_of(place, line, grid, around) for place in places]
        if not strips:
            return blank
        between = Strip.blank(GAP, around)
        parts = [part for strip in strips for part in (strip, between)]
        return Strip.join(parts).adjust_cell_length(self.size.width, around)

    def _line_of(self, place: int, line: int, grid: Grid, around: Style) -> Strip:
        assert self.gallery is not None
        member = self.members[place]
        if line < CAPTION:
            return self._caption(member, grid.side, around, is_chosen=place == self.place)
        image = fitted(grey_levels(self.gallery.image[member]), grid.side, grid.side // 2)
        two = image[2 * (line - CAPTION) : 2 * (line - CAPTION) + 2]
        if not len(two):
            return Strip.blank(grid.side, around)
        if self.as_text:
            drawn = [Segment(text, around) for text in characters(two, BRIGHTNESS)]
        else:
            (drawn,) = half_blocks(two, around.bgcolor)
        return Strip(drawn).adjust_cell_length(grid.side, around)

    def _caption(self, member: int, width: int, around: Style, *, is_chosen: bool) -> Strip:
        """The caption of a member: its true label, and the most general level's prediction if that differs."""
        assert self.gallery is not None
        names, label = self.gallery.class_names, int(self.gallery.label[member])
        said = int(self.gallery.prediction[0, member])
        text = printable(names[label])
        if said != label:
            text = f"{text}→{printable(names[said])}"
        text = f"{'▸' if is_chosen else ' '}{text}"
        text = set_cell_size(text, min(width, cell_len(text)))
        style = around + Style(bold=True, reverse=True) if is_chosen else around
        return Strip([Segment(text, style)]).adjust_cell_length(width, style)

    # Moving about

    def action_step(self, by: int) -> None:
        """Go `by` pictures on, back where negative, as far as there are any."""
        place = min(max(self.place + by, 0), max(0, len(self.members) - 1))
        if place != self.place:
            self.place = place
            self.post_message(self.Moved(place))

    def action_row(self, by: int) -> None:
        """Go to the picture above or below, where there is one."""
        place = self.place + by * self.grid.columns
        if 0 <= place < len(self.members):
            self.action_step(by * self.grid.columns)

    def action_page(self, by: int) -> None:
        """Go `by` pages on, back where negative."""
        self.action_step(by * self.grid.page)

    def action_end(self, last: bool) -> None:
        """Go to the first or the last picture."""
        self.action_step(len(self.members) if last else -len(self.members))

    def action_open(self) -> None:
        """Post `Opened`."""
        self.post_message(self.Opened())

    def on_click(self, event: Click) -> None:
        """Go to the picture under the mouse; a second click opens it."""
        inside = event.get_content_offset(self)
        if inside is None:
            return
        grid = self.grid
        place = (
            self.first + inside.y // (CAPTION + grid.side // 2) * grid.columns + inside.x // (grid.side + GAP)
        )
        if place in self.shown:
            self.action_step(place - self.place)
            if event.chain == 2:
                self.action_open()
