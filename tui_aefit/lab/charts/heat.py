"""A heat map as text: a grid of numbers with backgrounds by size; a pure function of data, size and colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

SHADES = "▁▂▃▄▅▆▇█"
"""Bars from the smallest number to the largest, for use without colour."""
BRACKETS = ("[", "]")
"""The characters around the cell under the cursor."""
SMALLEST = (24, 5)
"""The smallest map, in columns and rows; below it there is only a sentence."""
WIDEST_CELL, NARROWEST_CELL = 18, 7
TALLEST_CELL = 5
LEAST_CORNER = 5
MORE_LEFT, MORE_RIGHT, MORE_ABOVE, MORE_BELOW = "◂", "▸", "▴", "▾"
LEGEND = 16
"""Cells of the legend, a strip from the smallest to the largest number."""


@dataclass(frozen=True)
class HeatCell:
    """One cell of the grid.

    words: the number, or the state where there is none. note: below the words, where there is room. share: the
    number's place from the smallest, 0, to the largest, 1; None without a number. brief: replaces words that do not
    fit.
    """

    words: str
    note: str = ""
    share: float | None = None
    brief: str = ""


@dataclass(frozen=True)
class HeatData:
    """The content of a heat map.

    across, columns: the name of what varies along a row, and the columns' names. corner: the text above the names
    of the rows. cells: (row, column) -> cell. ends: the smallest and the largest number in words, None without
    numbers. below: lines about the cell under the `cursor`, the longest first.
    """

    across: str
    columns: tuple[str, ...]
    corner: str
    rows: tuple[str, ...]
    cells: Mapping[tuple[int, int], HeatCell]
    cursor: tuple[int, int]
    ends: tuple[str, str] | None = None
    below: tuple[str, ...] = ()


@dataclass(frozen=True)
class HeatPalette:
    """Styles of a heat map. of: share -> style of a cell with such a number. words, axes: of what surrounds cells."""

    of: Callable[[float], str]
    words: str
    axes: str


@dataclass(frozen=True)
class HeatLayout:
    """The layout of a heat map. left: the width of the rows' names. width, height: of a cell.

    rows, columns: the visible ones, that of the cursor among them.
    """

    left: int
    width: int
    height: int
    rows: range
    columns: range

    @classmethod
    def fitting(cls, data: HeatData, width: int, height: int, *, shaded: bool) -> HeatLayout | None:
        """The layout for a map of this size; None where there is no room. shaded: whether numbers have bars."""
        if width < SMALLEST[0] or height < SMALLEST[1] or not data.rows or not data.columns:
            return None
        words = max((cell_len(cell.brief or cell.words) for cell in data.cells.values()), default=0)
        beside = len(BRACKETS) + (2 if shaded else 0)
        least = max(NARROWEST_CELL, words + beside, *(cell_len(name) + 2 for name in data.columns))
        rows = min(max(map(cell_len, data.rows)), width // 3)
        left = max(rows, min(cell_len(data.corner), width // 3)) + 1
        if left + least * len(data.columns) > width:
            left = max(rows, LEAST_CORNER) + 1
        least = min(least, width - left)
        seen = max(1, min(len(data.columns), (width - left) // least))
        cell = min(max(WIDEST_CELL, least), (width - left) // seen)
        lines = max(1, height - 1 - (data.ends is not None) - bool(data.below))
        tall = min(TALLEST_CELL, max(1, lines // len(data.rows)))
        high = max(1, min(len(data.rows), lines // tall))
        return cls(
            left, cell, tall,
            _window(data.cursor[0], high, len(data.rows)), _window(data.cursor[1], seen, len(data.columns)),
        )  # fmt: skip

    def at(self, x: int, y: int) -> tuple[int, int] | None:
        """The row and column of the cell at a place of the picture; None where there is no cell."""
        column, row = (x - self.left) // self.width, (y - 1) // self.height
        if x < self.left or y < 1 or row >= len(self.rows) or column >= len(self.columns):
            return None
        return self.rows[row], self.columns[column]


def heat_map(data: HeatData, width: int, height: int, palette: HeatPalette | None = None) -> Text:
    """The grid in width x height character cells. palette: None for bars beside the numbers instead of colours.

    Rows and columns without room are left out, the farthest from the cursor first; arrows point to them.
    """
    layout = HeatLayout.fitting(data, width, height, shaded=palette is None)
    if layout is None:
        needed = f"No room: {SMALLEST[0]} x {SMALLEST[1]} cells are needed."
        return Text((needed if data.cells else "nothing to show")[: max(width, 0)])
    words = palette.words if palette else ""
    lines = [_head(data, layout, palette)]
    for row in layout.rows:
        for line in range(layout.height):
            text = Text(no_wrap=True)
            name = _cut(data.rows[row], layout.left - 1) if line == (layout.height - 1) // 2 else ""
            text.append(f"{name:<{layout.left - 1}}{_more_rows(data, layout, row, line)}", words)
            for column in layout.columns:
                _draw_cell(text, data, layout, (row, column), line, palette)
            lines.append(text)
    if data.ends is not None:
        lines.append(_legend(data.ends, palette, layout.left, width))
    fitting = next((below for below in data.below if cell_len(below) <= width), "")
    lines += [Text(fitting, words)] if fitting else []
    return Text("\n", no_wrap=True, end="").join(lines[:height])


def _head(data: HeatData, layout: HeatLayout, palette: HeatPalette | None) -> Text:
    text = Text(no_wrap=True)
    text.append(f"{_cut(data.corner, layout.left - 1):<{layout.left}}", palette.axes if palette else "dim")
    for column in layout.columns:
        name = _cut(data.columns[column], layout.width - 1)
        if column == layout.columns[0] and column > 0:
            name = f"{MORE_LEFT} {name}"
        if column == layout.columns[-1] and column < len(data.columns) - 1:
            name = f"{name} {MORE_RIGHT}"
        text.append(name.center(layout.width), palette.words if palette else "")
    return text


def _more_rows(data: HeatData, layout: HeatLayout, row: int, line: int) -> str:
    if row == layout.rows[0] and row > 0 and line == 0:
        return MORE_ABOVE
    last = row == layout.rows[-1] and line == layout.height - 1
    return MORE_BELOW if last and row < len(data.rows) - 1 else " "


def _draw_cell(
    text: Text,
    data: HeatData,
    layout: HeatLayout,
    place: tuple[int, int],
    line: int,
    palette: HeatPalette | None,
) -> None:
    cell = data.cells.get(place)
    if cell is None:
        text.append(" " * layout.width)
        return
    middle = (layout.height - 1) // 2
    style = (
        palette.of(cell.share)
        if palette and cell.share is not None
        else ""
        if cell.share is not None
        else "dim"
    )
    chosen = place == data.cursor
    shown = ""
    if line == middle:
        shown = (
            cell.words if cell_len(cell.words) + len(BRACKETS) <= layout.width else cell.brief or cell.words
        )
        if cell.share is not None and palette is None:
            shown = f"{shown} {_shade(cell.share)}"
        if chosen:
            gap = " " if cell_len(shown) + 4 <= layout.width else ""
            shown = gap.join((BRACKETS[0], shown, BRACKETS[1]))
    elif line == middle + 1:
        shown = cell.note if cell_len(cell.note) < layout.width else ""
    text.append(_cut(shown, layout.width).center(layout.width), f"bold {style}" if chosen else style)


def _legend(ends: tuple[str, str], palette: HeatPalette | None, left: int, width: int) -> Text:
    """The legend: the strip between the two ends, below the columns where it fits there."""
    beside = cell_len("".join(ends)) + 2
    long = max(0, min(LEGEND, width - beside))
    text = Text(" " * min(left, width - beside - long), no_wrap=True)
    text.append(f"{ends[0]} ", palette.words if palette else "")
    for at in range(long):
        share = at / max(1, long - 1)
        glyph = " " if palette else _shade(share)
        text.append(glyph, palette.of(share) if palette else "")
    text.append(f" {ends[1]}", palette.words if palette else "")
    text.truncate(width, overflow="ellipsis")
    return text


def _shade(share: float) -> str:
    return SHADES[min(len(SHADES) - 1, int(share * len(SHADES)))]


def _window(at: int, many: int, count: int) -> range:
    """`many` of `count` places, around the place `at`."""
    first = min(max(0, at - many // 2), count - many)
    return range(first, first + many)


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return f"{text[: max(0, width - 1)]}…" if width > 0 else ""
