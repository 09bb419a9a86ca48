"""Small images in the terminal: two pixels a cell by half blocks, or one character a cell without colour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui_aefit.lab.theme import ink
from tui_aefit.lab.widgets.shades import BRIGHTNESS, LUMINANCE, UPPER_HALF


def fitted(image: NDArray[np.uint8], columns: int, rows: int) -> NDArray[np.uint8]:
    """An (H, W, C) image as large as fits into columns x rows cells, each cell one pixel wide and two high.

    Where there is room every pixel becomes a square of the same whole number of pixels; where there is not,
    each new pixel is the mean of the area that it covers. At least 1 x 1.
    """
    height, width, _ = image.shape
    if scale := min(columns // width, 2 * rows // height):
        return image.repeat(scale, axis=0).repeat(scale, axis=1)
    # In whole numbers, so that rounding of quotients cannot change what fits.
    across = _shares(width, max(1, min(columns, 2 * rows * width // height)))
    down = _shares(height, max(1, min(2 * rows, columns * height // width)))
    mean: NDArray[np.float64] = np.einsum(
        "ih,hwc,jw->ijc", down, image.astype(np.float64), across, optimize=True
    )
    return np.rint(mean).astype(np.uint8)


def _shares(before: int, after: int) -> NDArray[np.float64]:
    """(after, before): the share of each old pixel of a line in each of the new ones; rows sum to 1."""
    edges = np.arange(after + 1) * (before / after)
    old = np.arange(before)
    overlap: NDArray[np.float64] = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    return overlap.clip(min=0) * (after / before)


def half_blocks(image: NDArray[np.uint8], below: Color | None = None) -> list[list[Segment]]:
    """One list of segments for each two pixel rows of an (H, W, C) image, C 1 or 3.

    The foreground of a cell is the upper pixel, its background the lower one, or `below` where an odd H
    leaves none.
    """
    levels = np.broadcast_to(image, (*image.shape[:2], 3)).tolist()
    rows: list[list[Color | None]] = [[Color.from_rgb(*pixel) for pixel in row] for row in levels]
    if len(rows) % 2:
        rows.append([below] * len(rows[0]))
    return [
        [Segment(UPPER_HALF, _style(*cell)) for cell in zip(upper, lower, strict=True)]
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]


@lru_cache(maxsize=1 << 11)  # a style costs a microsecond, one that is kept half a kilobyte
def _style(upper: Color, lower: Color | None) -> Style:
    return Style(color=upper, bgcolor=lower)


def characters(image: NDArray[np.uint8], ramp: str) -> list[str]:
    """One line of text for each two pixel rows of an (H, W, C) image: from the ramp, by mean brightness."""
    weights = LUMINANCE if image.shape[2] == 3 else (1.0,)
    brightness = image.astype(np.float64) @ np.array(weights)
    if len(brightness) % 2:
        brightness = np.concatenate([brightness, brightness[-1:]])
    mean = (brightness[::2] + brightness[1::2]) / 2
    place = np.minimum((mean * len(ramp) / 256).astype(int), len(ramp) - 1)
    return ["".join(ramp[index] for index in line) for line in place.tolist()]


@dataclass(frozen=True, eq=False)
class Panel:
    """A caption and, below it, an (H, W, C) uint8 image, C 1 or 3.

    caption: lines, cut where they are too long. ramp: the characters from dark to bright for drawing as text.
    marked: whether the caption is highlighted. is_kept: False leaves the image's place empty.
    """

    caption: str
    image: NDArray[np.uint8]
    ramp: str = BRIGHTNESS
    marked: bool = False
    is_kept: bool = True


class Pictures(Widget):
    """Draws rows of panels, all images of one size, at the largest size at which one row fits.

    rows: the first is always drawn, the others as far as they fit below it; all must have equally many panels and
    lines of captions. as_text: draw with characters instead of colours. reduced: whether there is no room for every
    pixel; read-only.
    """

    DEFAULT_CSS = """
    Pictures { width: 1fr; height: auto; }
    """

    rows: reactive[tuple[tuple[Panel, ...], ...]] = reactive((), layout=True, always_update=True)
    as_text: reactive[bool] = reactive(False)
    reduced: reactive[bool] = reactive(False, repaint=False)

    def __init__(self, *, spare_rows: int = 0, is_bold: bool = True, id: str | None = None) -> None:
        """spare_rows: rows of the screen to leave free. is_bold: whether the first row's captions are bold."""
        super().__init__(id=id)
        self._is_bold = is_bold
        self.spare_rows = spare_rows
        self._drawn: list[Strip] | None = None

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The height of one row of panels, as large as the width and the screen without spare_rows allow."""
        if not self.rows:
            return 0
        image = self._fitted(self.rows[0][0].image, width, viewport.height - self.spare_rows)
        return self._lines() + (len(image) + 1) // 2

    def render_line(self, y: int) -> Strip:
        """One row of cells."""
        if self._drawn is None:
            self._drawn = self._draw()
        return self._drawn[y] if y < len(self._drawn) else Strip.blank(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        """Draw anew: the theme's colours around the images may have changed."""
        super().notify_style_update()
        self._drawn = None

    def watch_rows(self) -> None:
        """Draw other images."""
        self._fit_anew()

    def watch_as_text(self) -> None:
        """Draw in the other way."""
        self._drawn = None

    def on_resize(self) -> None:
        """Draw for another size."""
        self._fit_anew()

    def _fit_anew(self) -> None:
        self._drawn = None
        if self.rows and self.size.area:
            image = self.rows[0][0].image
            self.reduced = self._fitted(image, *self.size).shape[1] < image.shape[1]

    def _fitted(self, image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
        """An image resized for a row of panels of width x height cells."""
        return fitted(image, self._column(width), max(1, height - self._lines()))

    def _lines(self) -> int:
        """The number of lines of a caption."""
        return 1 + self.rows[0][0].caption.count("\n")

    def _column(self, width: int) -> int:
        """The width of a panel, with one column free between two panels."""
        return max(1, (width + 1) // len(self.rows[0]) - 1)

    def _draw(self) -> list[Strip]:
        if not self.rows or not self.size.area:
            return []
        drawn: list[Strip] = []
        for row in self.rows:
            strips = self._draw_row(row, Style(bold=self._is_bold and not drawn))
            if drawn and len(drawn) + len(strips) > self.size.height:
                break
            drawn += strips
        return drawn

    def _draw_row(self, row: tuple[Panel, ...], heading: Style) -> list[Strip]:
        """The strips of one row, each as long as the widget is wide."""
        columns = [self._draw_panel(panel, heading) for panel in row]
        around = self.rich_style
        free = self.size.width - sum(column[0].cell_length + 1 for column in columns) + 1
        left, gap = Strip.blank(free // 2, around), Strip.blank(1, around)
        lines = zip(*columns, strict=True)
        return [
            Strip.join(
                [left, first, *(part for strip in others for part in (gap, strip))]
            ).adjust_cell_length(self.size.width, around)
            for first, *others in lines
        ]

    def _draw_panel(self, panel: Panel, heading: Style) -> list[Strip]:
        around, width = self.rich_style, self._column(self.size.width)
        image = self._fitted(panel.image, *self.size)
        if not panel.is_kept:
            lines = [[Segment("·" * image.shape[1], around)]] * ((len(image) + 1) // 2)
        elif self.as_text:
            lines = [[Segment(line, around)] for line in characters(image, panel.ramp)]
        else:
            lines = half_blocks(image, around.bgcolor)
        left = Segment(" " * ((width - image.shape[1]) // 2), around)
        style = around + heading
        if panel.marked:
            style += Style.parse(ink(self.app, "bold red"))
        captions = []
        for text in panel.caption.split("\n"):
            shown = set_cell_size(text, min(width, cell_len(text)))
            before = Segment(" " * ((width - cell_len(shown)) // 2), around)
            captions.append([before, Segment(shown, style)])
        return [
            Strip(line).adjust_cell_length(width, around)
            for line in (*captions, *([left, *line] for line in lines))
        ]
