"""The lab's two charts as text: accuracy against the levels, p-values on a log axis.

Everything is a pure function of data, size and palette.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from core.report.styles import MARKERS, TEST_NUMBERS
from core.report.terms import TEST_NAMES
from tui_aefit.lab.charts.axes import (
    SMALLEST_P,
    Scale,
    Slots,
    exponent_of,
    free_scale,
    linear_scale,
    log_scale,
    p_value_row,
    spread,
    threshold_rows,
)
from tui_aefit.lab.charts.data import (
    AccuracyData,
    PValueData,
    accuracy_captions,
    accuracy_readings,
    p_value_captions,
    p_value_notes,
    p_value_readings,
    series_number,
    set_marker,
)
from tui_aefit.lab.charts.palette import Palette
from tui_aefit.lab.charts.plotting import Curve, Grid, Plot, Point, draw, left_of, row_of

SMALLEST_SIZE = (28, 8)
"""The smallest chart, in columns and rows; below it there is only a sentence."""
LABELLED = 44
"""Columns between the axes, at least, for curves to be named at their ends instead of in a legend above."""
BAR, BAR_TOP, BAR_BOTTOM, CURSOR, ARROW = "│", "┬", "┴", "┊", "↓"
EDGE = {0.05: "▁ ", 0.01: "▁"}
"""Threshold -> the characters of its line, which lies on the lower edge of a row."""
_FEWEST_ROWS = 4


def accuracy_chart(data: AccuracyData, width: int, height: int, palette: Palette | None = None) -> Text:
    """Accuracy against the levels, from general to fitted, with 95 % intervals (the paper's Figures 5 and 6).

    width, height: in cells, which the text does not exceed. palette: None draws without colour; every set has its
    own marker anyway. Curves and markers are drawn over intervals.
    """
    series = [_Series(name, *_marker_and_number(data, name), place) for place, name in enumerate(data.curves)]
    below = accuracy_readings(data) if data.cursor is not None else accuracy_captions(data)
    frame = _Frame.fitting(series, below, [], [], width, height, named=True)
    if frame is None:
        return _too_small(width, height)
    scale = _accuracy_scale(data, frame.rows)
    columns = frame.columns(scale)
    slots = Slots.on(data.levels, len(series), columns)
    places = {
        one.name: [
            Point(slots.column(point.level, one.place), scale.place(point.mean))
            for point in data.curves[one.name]
        ]
        for one in series
    }
    curves = [
        Curve(places[one.name], one.number, one.name in data.dashed)
        for one in reversed(series)  # so that the sets of the paper are drawn last, on top
    ]
    plot = Plot(columns, frame.rows, slots.ticks(data.knob), scale.ticks, curves)
    canvas = _Canvas(draw(plot, width, palette), plot)
    for one in reversed(series):
        for point in places[one.name]:
            canvas.put(point.column, row_of(point.row), one.marker, one.style(palette))
    if data.bars:
        drawn: set[tuple[int, _Bar]] = set()
        for one in series:
            for place, found in zip(places[one.name], data.curves[one.name], strict=True):
                if found.interval is not None:
                    bar = _Bar.on(scale, found.interval)
                    # A study may have many more values than there are columns.
                    if (place.column, bar) not in drawn:
                        drawn.add((place.column, bar))
                        bar.draw(canvas, place.column, one.style(palette))
    if data.cursor is not None:
        _draw_cursor(canvas, slots.column(data.cursor), palette)
    if frame.named:
        _name_ends(canvas, series, [places[one.name][-1].row for one in series], palette)
    return frame.around(canvas.grid, palette)


def p_value_chart(data: PValueData, width: int, height: int, palette: Palette | None = None) -> Text:
    """p-values against j on a log axis, with lines at 0.05 and 0.01 (the paper's Figures 7 and 8).

    A point is always on its own side of a line, which lies on the edge between two rows. Points below SMALLEST_P,
    also 0, are at the end of the axis over an arrow. Missing p-values are told in words below the chart. width,
    height, palette: as in `accuracy_chart`.
    """
    tests = list(dict.fromkeys(point.test for point in data.points))
    series = {test: _test_series(test, place) for place, test in enumerate(tests)}
    beyond = [point for point in data.points if point.p is not None and point.p < SMALLEST_P]
    notes = p_value_notes(data, beyond, SMALLEST_P)
    below = p_value_readings(data) if data.cursor is not None else p_value_captions(data)
    frame = _Frame.fitting(list(series.values()), below, *notes, width, height, named=False)
    if frame is None:
        return _too_small(width, height)
    drawn = [(point, point.p) for point in data.points if point.p is not None]
    scale = log_scale([exponent_of(p) for _, p in drawn], frame.rows, arrows=bool(beyond))
    edges = threshold_rows(scale)
    labels = {p: f"{p:g}" for p in edges}
    columns = frame.columns(scale) - max(map(len, labels.values())) - 1
    slots = Slots.on(data.levels, len(tests), columns)
    plot = Plot(columns, frame.rows, slots.ticks("j"), scale.ticks, [])
    canvas = _Canvas(draw(plot, width, palette), plot)
    rules = palette.rules if palette else ""
    for p, row in edges.items():
        line = (EDGE[p] * columns)[: columns + 1]
        for column in range(columns):
            canvas.put(column, row, line[column], rules)
        canvas.write(columns, row, f" {labels[p]}", rules)
    for point, p in drawn:
        one = series[point.test]
        column, row = slots.column(point.j, one.place), p_value_row(p, scale)
        # The line also passes below a point in the row above it.
        style = one.style(palette)
        canvas.put(column, row, one.marker, f"{style} underline".strip() if row in edges.values() else style)
        if point in beyond:
            canvas.put(column, frame.rows - 1, ARROW, style)
    if data.cursor is not None:
        _draw_cursor(canvas, slots.column(data.cursor), palette)
    return frame.around(canvas.grid, palette)


def _marker_and_number(data: AccuracyData, name: str) -> tuple[str, int]:
    number = data.numbers.get(name)
    if number is None:
        return set_marker(name), series_number(name)
    return data.markers.get(name, MARKERS[number % len(MARKERS)].glyph), number


def _test_series(test: str, place: int) -> _Series:
    number = TEST_NUMBERS[test]
    return _Series(TEST_NAMES[test], MARKERS[number].glyph, number, place)


@dataclass(frozen=True)
class _Series:
    """One set or test of a chart. number: of its colour in the palette. place: among the series, from 0."""

    name: str
    marker: str
    number: int
    place: int

    def style(self, palette: Palette | None) -> str:
        return palette.of(self.number) if palette else ""


@dataclass(frozen=True)
class _Canvas:
    """The cells between the axes of a grid, counted from the upper left one."""

    grid: Grid
    plot: Plot

    def put(self, column: int, row: int, glyph: str, style: str) -> None:
        self.grid.put(self.plot.left + column, row, glyph, style)

    def put_behind(self, column: int, row: int, glyph: str, style: str) -> None:
        self.grid.put_behind(self.plot.left + column, row, glyph, style)

    def write(self, column: int, row: int, text: str, style: str) -> None:
        self.grid.write(self.plot.left + column, row, text, style)


class _Bar(NamedTuple):
    """An interval from row `high` down to row `low`. top, bottom: whether that end is its own, not the axis's."""

    high: int
    low: int
    top: bool
    bottom: bool

    @classmethod
    def on(cls, scale: Scale, interval: tuple[float, float]) -> _Bar:
        last = scale.rows - 1
        top, bottom = (scale.place(end) for end in (interval[1], interval[0]))
        high, low = max(0, row_of(max(top, 0.0))), min(last, row_of(min(max(bottom, 0.0), last)))
        return cls(high, low, top >= 0, bottom <= last)

    def draw(self, canvas: _Canvas, column: int, style: str) -> None:
        """Draw the bar behind what the canvas has there already."""
        for row in range(self.high, self.low + 1):
            glyph = BAR
            if self.low > self.high and row == self.high and self.top:
                glyph = BAR_TOP
            elif self.low > self.high and row == self.low and self.bottom:
                glyph = BAR_BOTTOM
            canvas.put_behind(column, row, glyph, style)


def _draw_cursor(canvas: _Canvas, column: int, palette: Palette | None) -> None:
    for row in range(canvas.plot.rows):
        canvas.put_behind(column, row, CURSOR, palette.words if palette else "bold")


def _name_ends(
    canvas: _Canvas, series: Sequence[_Series], rows: Sequence[float], palette: Palette | None
) -> None:
    """Write marker and name of each curve beside its end, each in a row of its own. rows: those of the ends."""
    start = canvas.plot.columns + 1
    for one, row in zip(series, spread(rows, canvas.plot.rows), strict=True):
        canvas.write(start, row, one.marker, one.style(palette))
        canvas.write(start + 2, row, one.name, palette.words if palette else "")


@dataclass(frozen=True)
class _Frame:
    """What surrounds the plot: the legend above, caption and notes below. rows: those left for the plot.

    names: the columns at the right for the names of curves, 0 where the legend has the names.
    """

    width: int
    rows: int
    names: int
    legend: list[list[_Series]]
    caption: str
    notes: list[str]

    @classmethod
    def fitting(
        cls,
        series: Sequence[_Series],
        captions: Iterable[str],
        notes: list[str],
        brief: list[str],
        width: int,
        height: int,
        *,
        named: bool,
    ) -> _Frame | None:
        """The frame of a chart of this size; None where there is no room for one.

        captions: the first that fits is taken, none in a low chart. notes: paragraphs, replaced by `brief` in a low
        chart. named: whether names may be put beside the curves' ends, if they fit.
        """
        if width < SMALLEST_SIZE[0] or height < SMALLEST_SIZE[1]:
            return None
        caption = next((one for one in captions if height >= 10 and cell_len(one) <= width - 2), "")
        most = max(1, height // 4)
        lines = _wrap(notes, width)
        if len(lines) > most:
            lines = _wrap(brief, width)
        if len(lines) > most:
            lines = [*lines[: most - 1], lines[most - 1][: width - 1] + "…"]
        room = height - len(lines) - bool(caption) - 2
        names = max((cell_len(one.name) for one in series), default=0) + 3
        if named and len(series) <= room and width - names - 5 >= LABELLED:
            return cls(width, room, names, [], caption, lines)
        legend: list[list[_Series]] = [[]]
        for one in series:
            if legend[-1] and sum(len(other.name) + 4 for other in legend[-1]) + len(one.name) + 2 > width:
                legend.append([])
            legend[-1].append(one)
        # A chart without room for its whole legend is drawn all the same.
        if room - len(legend) < _FEWEST_ROWS:
            legend = legend[: max(1, room - _FEWEST_ROWS)]
        rows = room - len(legend)
        return cls(width, rows, 0, legend, caption, lines) if rows >= _FEWEST_ROWS else None

    @property
    def named(self) -> bool:
        """Whether names are beside the ends of curves."""
        return self.names > 0

    def columns(self, scale: Scale) -> int:
        """The cells between the axes."""
        return self.width - left_of(scale.ticks) - self.names

    def around(self, grid: Grid, palette: Palette | None) -> Text:
        words = palette.words if palette else ""
        legend = [self._legend_line(line, palette) for line in self.legend]
        notes = [Text(note, style=words) for note in self.notes]
        caption = [Text(self.caption.center(self.width).rstrip(), style=words)] if self.caption else []
        return Text("\n", no_wrap=True, end="").join([*legend, *grid.lines(), *caption, *notes])

    def _legend_line(self, line: Sequence[_Series], palette: Palette | None) -> Text:
        text = Text()
        for one in line:
            text.append(one.marker, one.style(palette))
            text.append(f" {one.name}  ", palette.words if palette else "")
        text.rstrip()
        text.truncate(self.width, overflow="ellipsis")
        return text


def _accuracy_scale(data: AccuracyData, rows: int) -> Scale:
    low, high = 0.0, 1.0
    if data.fit or data.free:
        points = [point for curve in data.curves.values() for point in curve]
        ends = [
            end for point in points for end in (point.mean, *((point.interval or ()) if data.bars else ()))
        ]
        low, high = min(ends), max(ends)
        if data.free:
            return free_scale(low, high, rows)
        low, high = max(0.0, low), min(1.0, high)
    return linear_scale(low, high, rows)


def _wrap(paragraphs: Iterable[str], width: int) -> list[str]:
    return [line for paragraph in paragraphs for line in textwrap.wrap(paragraph, width)]


def _too_small(width: int, height: int) -> Text:
    columns, rows = SMALLEST_SIZE
    lines = textwrap.wrap(f"No room for a chart: {columns} x {rows} cells are needed.", max(width, 1))
    return Text("\n".join(lines[:height]))
