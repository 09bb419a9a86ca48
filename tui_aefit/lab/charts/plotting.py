"""Axes and curves, drawn by plotext, and a grid of cells for all else. The only module that uses plotext.

plotext has one figure for the whole process; it is emptied before every chart and guarded by a lock. It is imported
when the first chart is drawn. Curves are given to it in dots, of which a cell has two by four, so that a curve runs
through the cell of its marker.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rich.cells import cell_len
from rich.text import Text

from tui_aefit.lab.charts.palette import Palette

DOTS_ACROSS, DOTS_DOWN = 2, 4
"""Braille dots of a cell."""
DASH = 2
"""Cells of a dash, about."""

# Colour numbers by which plotext marks the parts of a chart; a palette turns them into styles.
_AXES, _SERIES = 1, 16
_COLOUR = re.compile(r"\x1b\[([0-9;]*)m")
_FIGURE_LOCK = threading.Lock()


@dataclass(frozen=True)
class Point:
    """A place between the axes. column: from the left; row: from the top, with its fraction."""

    column: int
    row: float


@dataclass(frozen=True)
class Curve:
    """Points that are joined from left to right. colour: the curve's number in a palette."""

    points: Sequence[Point]
    colour: int
    dashed: bool = False


@dataclass(frozen=True)
class Plot:
    """What plotext draws. columns, rows: the cells between the axes. x_ticks, y_ticks: column or row -> label.

    right: columns that are left free at the right.
    """

    columns: int
    rows: int
    x_ticks: Mapping[int, str]
    y_ticks: Mapping[int, str]
    curves: Sequence[Curve]

    @cached_property
    def left(self) -> int:
        """The width of the left axis with its labels."""
        return left_of(self.y_ticks)


def left_of(y_ticks: Mapping[int, str]) -> int:
    """The width of a left axis with these labels."""
    return max(map(cell_len, y_ticks.values())) + 1


class Grid:
    """Cells of a chart, each a glyph with a Rich style, that can be drawn over; (0, 0) is the upper left one."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._cells = [[(" ", "")] * width for _ in range(height)]

    def glyph(self, column: int, row: int) -> str:
        """The character in a cell."""
        return self._cells[row][column][0]

    def put(self, column: int, row: int, glyph: str, style: str = "") -> None:
        """Draw over a cell; cells outside the grid are ignored."""
        if 0 <= column < self.width and 0 <= row < self.height:
            self._cells[row][column] = glyph, style

    def put_behind(self, column: int, row: int, glyph: str, style: str = "") -> None:
        """Draw in a cell if it is empty."""
        if 0 <= column < self.width and 0 <= row < self.height and self.glyph(column, row) == " ":
            self._cells[row][column] = glyph, style

    def write(self, column: int, row: int, text: str, style: str = "") -> None:
        """Draw over cells from the left to the right."""
        for at, glyph in enumerate(text):
            self.put(column + at, row, glyph, style)

    def lines(self) -> Iterator[Text]:
        """The rows, without empty cells at their ends."""
        for row in self._cells:
            line = Text()
            for glyph, style in row:
                line.append(glyph, style)
            line.rstrip()
            yield line


def draw(plot: Plot, width: int, palette: Palette | None) -> Grid:
    """The axes with their ticks and the curves, in plot.rows + 2 lines of `width` cells."""
    grid = Grid(width, plot.rows + 2)
    for row, line in enumerate(_build(plot).split("\n")):
        for column, (glyph, number) in enumerate(_styled(line)):
            grid.put(column, row, glyph, _style(number, palette))
    return grid


def _build(plot: Plot) -> str:
    """The lines of a plot as plotext builds them, with the colour numbers of the curves."""
    plotext = importlib.import_module("plotext")
    across, down = DOTS_ACROSS * plot.columns - 1, DOTS_DOWN * plot.rows - 1
    with _FIGURE_LOCK:
        plotext.main()
        plotext.clear_figure()
        plotext.limit_size(False, False)  # else the chart is no larger than the terminal was at the start
        plotext.plot_size(plot.left + plot.columns, plot.rows + 2)
        plotext.theme("clear")
        plotext.ticks_color(_AXES)
        plotext.xaxes(True, False)
        plotext.yaxes(True, False)
        plotext.xlim(0, across)
        plotext.ylim(0, down)
        plotext.xticks([DOTS_ACROSS * column + 0.5 for column in plot.x_ticks], list(plot.x_ticks.values()))
        plotext.yticks(
            [DOTS_DOWN * (plot.rows - 1 - row) + 1.5 for row in plot.y_ticks], list(plot.y_ticks.values())
        )
        # plotext leaves out the ticks of an axis on which nothing is drawn.
        plotext.scatter([0], [0], marker=" ", color=_AXES)
        for curve in plot.curves:
            x, y = _dots(curve.points, plot.rows)
            for start, end in _pieces(x, curve):
                between = [_at(x, y, place) for place in (start, end)]
                inside = [(a, b) for a, b in zip(x, y, strict=True) if start < a < end]
                path = [between[0], *inside, between[1]]
                plotext.plot(
                    [a for a, _ in path], [b for _, b in path], marker="braille", color=_SERIES + curve.colour
                )
        built: str = plotext.build()
        return built.rstrip("\n")


def _dots(points: Sequence[Point], rows: int) -> tuple[list[float], list[float]]:
    """The dot of each point, upwards, within the cell in which its marker stands."""
    x = [float(DOTS_ACROSS * point.column) for point in points]
    y = []
    for point in points:
        cell = row_of(point.row)
        within = min(DOTS_DOWN - 1, max(0, round(DOTS_DOWN * (point.row - cell + 0.5) - 0.5)))
        y.append(float(DOTS_DOWN * rows - 1 - (DOTS_DOWN * cell + within)))
    return x, y


def row_of(place: float) -> int:
    """The row of a mark whose place, with its fraction, is this many rows below the first one."""
    return int(place + 0.5)


def _pieces(x: Sequence[float], curve: Curve) -> Iterator[tuple[float, float]]:
    """The pieces of a curve that are drawn, (start, end) in dots: all of it, or dashes with equal gaps."""
    if len(x) < 2:
        return
    start, end = x[0], x[-1]
    if not curve.dashed or end <= start:
        yield start, end
        return
    many = max(2, round((end - start) / (2 * DASH * DOTS_ACROSS)))
    for number in range(many):
        yield (
            start + (end - start) * 2 * number / (2 * many - 1),
            start + (end - start) * (2 * number + 1) / (2 * many - 1),
        )


def _at(x: Sequence[float], y: Sequence[float], place: float) -> tuple[float, float]:
    """The point of a curve at a place between its ends."""
    for left, right, low, high in zip(x, x[1:], y, y[1:], strict=False):
        if left <= place <= right:
            share = (place - left) / (right - left) if right > left else 0.0
            return place, low + share * (high - low)
    return x[-1], y[-1]


def _styled(line: str) -> Iterator[tuple[str, int]]:
    """The glyphs of a line with the number of their colour, 0 for none."""
    number = 0
    parts = _COLOUR.split(line)
    for code, piece in zip(["", *parts[1::2]], parts[::2], strict=True):
        if code:
            number = int(code.rpartition(";")[2]) if code.startswith("38;5;") else 0
        for glyph in piece:
            yield glyph, number


def _style(number: int, palette: Palette | None) -> str:
    if palette is None or not number:
        return ""
    return palette.of(number - _SERIES) if number >= _SERIES else palette.axes
