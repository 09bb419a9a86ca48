"""The lab's two charts as text: accuracy against the levels, p-values on a log axis. Nothing else knows plotext.

Everything is a pure function of data, size and palette. plotext draws on one figure of its own, for the whole
process; it is emptied before every chart and guarded by a lock. It is imported when the first chart is drawn.
"""

from __future__ import annotations

import importlib
import math
import re
import textwrap
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.text import Text

from core.report.terms import TEST_NAMES
from tui_aefit.lab.charts.data import (
    MARKERS,
    TEST_MARKERS,
    AccuracyData,
    PValueData,
    accuracy_captions,
    p_value_captions,
    p_value_notes,
    series_number,
    set_marker,
)

THRESHOLDS = {0.05: "╌", 0.01: "─"}
"""The significance levels drawn across the p-value chart, and the glyph of each line."""
SMALLEST_P = 1e-16
"""Where the log axis ends: t distributions in double precision say little below it."""
DASH = 2
"""Cells of a dash, about."""
SMALLEST_SIZE = (28, 8)
"""Columns and rows below which there is no chart, but a sentence."""

# plotext is given numbers for colours that stand for the parts of a chart; a palette turns them into styles.
_AXES, _RULES, _SERIES = 1, 2, 16
_COLOUR = re.compile(r"\x1b\[([0-9;]*)m")
_FIGURE_LOCK = threading.Lock()
_LOWEST_EXPONENT = math.log10(SMALLEST_P)
_FEWEST_ROWS = 4


@dataclass(frozen=True)
class Palette:
    """Rich styles of a chart's parts. series: of the sets in the order of SETS, or of the tests."""

    axes: str
    words: str
    rules: str
    series: tuple[str, ...]

    def of(self, number: int) -> str:
        """The style of series `number`, from 0; they are used again when there are not enough."""
        return self.series[number % len(self.series)]


def accuracy_chart(data: AccuracyData, width: int, height: int, palette: Palette | None = None) -> Text:
    """Accuracy against the levels, from general to fitted, with 95 % intervals (the paper's Figures 5 and 6).

    width, height: cells; the text fits them. palette: None draws without colour; every set has a marker of
    its own in any case.
    """
    names = list(data.curves)
    series = [_Series(name, *_marker_and_number(data, name), place) for place, name in enumerate(names)]
    frame = _Frame.fitting(series, accuracy_captions(data), [], [], width, height)
    if frame is None:
        return _too_small(width, height)
    low, high, y_ticks = _accuracy_axis(data, frame.rows)
    columns = frame.columns(y_ticks)
    slots = _Slots.on(data.levels, len(names), columns)
    lines, bars, dots = [], [], []
    # Backwards, so that the sets of the paper end on top.
    for one in reversed(series):
        points = data.curves[one.name]
        x, y = [slots.at(point.level, one) for point in points], [point.mean for point in points]
        on_dots = (
            _through_centres(x, slots.limits, columns, 2),
            _through_centres(y, (low, high), frame.rows, 4),
        )
        pieces = _dashes(*on_dots, slots.cells) if one.name in data.dashed else [on_dots]
        lines += [_Stroke(*piece, "braille", one.colour, connected=True) for piece in pieces]
        dots.append(_Stroke(x, y, one.marker, one.colour))
        for at, point in zip(x, points, strict=True):
            if point.interval is not None:
                # Not plotext's error(), which takes whole widths for half ones and covers the marker.
                ends = [min(max(end, low), high) for end in point.interval]
                bars.append(_Stroke([at, at], ends, "│", one.colour, connected=True))
    plot = _Plot(slots.limits, (low, high), slots.ticks(data.knob), y_ticks, [*lines, *bars, *dots])
    return frame.around(plot, palette)


def p_value_chart(data: PValueData, width: int, height: int, palette: Palette | None = None) -> Text:
    """p-values against j on a log axis, with lines at 0.05 and 0.01 (the paper's Figures 7 and 8).

    Those below SMALLEST_P, also 0, stand at the end of the axis over an arrow. What has no p-value is said in
    words below the chart. Sizes and palette as in `accuracy_chart`.
    """
    tests = list(dict.fromkeys(point.test for point in data.points))
    series = {
        test: _Series(TEST_NAMES[test], TEST_MARKERS[test], place, place) for place, test in enumerate(tests)
    }
    drawn = [(point, _exponent(point.p)) for point in data.points if point.p is not None]
    beyond = [point for point in data.points if point.p is not None and point.p < SMALLEST_P]
    notes = p_value_notes(data, beyond, SMALLEST_P)
    frame = _Frame.fitting(series.values(), p_value_captions(data), *notes, width, height)
    if frame is None:
        return _too_small(width, height)
    low, y_ticks = _log_axis([exponent for _, exponent in drawn], frame.rows, arrows=bool(beyond))
    rules = _rules(low, frame.rows)
    slots = _Slots.on(data.levels, len(tests), frame.columns(y_ticks, rules))
    strokes = [
        _Stroke(
            list(slots.limits),
            [exponent] * 2,
            THRESHOLDS[float(label.split()[0])],
            _RULES,
            connected=True,
            right=True,
        )
        for exponent, label in rules.items()
    ]
    for point, exponent in drawn:
        one = series[point.test]
        at = slots.at(point.j, one)
        strokes.append(_Stroke([at], [exponent], one.marker, one.colour))
        if point in beyond:
            strokes.append(_Stroke([at], [low], "↓", one.colour))
    return frame.around(_Plot(slots.limits, (low, 0.0), slots.ticks("j"), y_ticks, strokes, rules), palette)


def _marker_and_number(data: AccuracyData, name: str) -> tuple[str, int]:
    number = data.numbers.get(name)
    if number is None:
        return set_marker(name), series_number(name)
    return data.markers.get(name, MARKERS[number % len(MARKERS)]), number


@dataclass(frozen=True)
class _Series:
    """One set or test. number: of its colour in the palette. place: among those of this chart, from 0."""

    name: str
    marker: str
    number: int
    place: int

    @property
    def colour(self) -> int:
        return _SERIES + self.number


@dataclass(frozen=True)
class _Stroke:
    """Points with one glyph; connected: with the line between them; right: measured on the right axis."""

    x: Sequence[float]
    y: Sequence[float]
    marker: str
    colour: int
    connected: bool = False
    right: bool = False


@dataclass(frozen=True)
class _Plot:
    """What is drawn within the axes, later strokes over earlier ones. Ticks: where -> label."""

    x_limits: tuple[float, float]
    y_limits: tuple[float, float]
    x_ticks: Mapping[float, str]
    y_ticks: Mapping[float, str]
    strokes: Sequence[_Stroke]
    right_ticks: Mapping[float, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Slots:
    """Where the series stand on the x axis: at their level, side by side as far as there is room."""

    levels: tuple[str, ...]
    cells: float  # between two levels
    step: int  # cells between two series
    middle: float

    @classmethod
    def on(cls, levels: tuple[str, ...], series: int, columns: int) -> _Slots:
        cells = (columns - 1) / len(levels)
        step = 2 if cells >= 4 * series else 1 if cells >= series + 2 else 0
        return cls(levels, cells, step, (series - 1) / 2)

    @property
    def limits(self) -> tuple[float, float]:
        return -0.5, len(self.levels) - 0.5

    def at(self, level: str, series: _Series) -> float:
        return self.levels.index(level) + (series.place - self.middle) * self.step / self.cells

    def ticks(self, name: str) -> dict[float, str]:
        """The last level always; of the others as many as plotext has room for, whatever their order."""
        widest = max(map(cell_len, self.levels)) + cell_len(f"{name}=")
        every = math.ceil((widest + 2) / self.cells)
        labels = {float(at): level for at, level in enumerate(self.levels)}
        shown = [at for at in labels if (len(self.levels) - 1 - at) % every == 0]
        return {at: labels[at] if at != shown[0] else f"{name}={labels[at]}" for at in shown}


@dataclass(frozen=True)
class _Frame:
    """What surrounds the plot: the legend above, caption and notes below; rows: what is left for the plot."""

    width: int
    rows: int
    legend: list[list[_Series]]
    caption: str
    notes: list[str]

    @classmethod
    def fitting(
        cls,
        series: Iterable[_Series],
        captions: Iterable[str],
        notes: list[str],
        brief: list[str],
        width: int,
        height: int,
    ) -> _Frame | None:
        """None where there is no room. captions: the first that fits is taken, and none in a low chart.

        notes: paragraphs, given up for the `brief` ones in a low chart.
        """
        if width < SMALLEST_SIZE[0] or height < SMALLEST_SIZE[1]:
            return None
        legend: list[list[_Series]] = [[]]
        for one in series:
            if legend[-1] and sum(len(other.name) + 4 for other in legend[-1]) + len(one.name) + 2 > width:
                legend.append([])
            legend[-1].append(one)
        caption = next((one for one in captions if height >= 10 and cell_len(one) <= width - 2), "")
        most = max(1, height // 4)
        lines = _wrap(notes, width)
        if len(lines) > most:
            lines = _wrap(brief, width)
        if len(lines) > most:
            lines = [*lines[: most - 1], lines[most - 1][: width - 1] + "…"]
        rows = height - len(legend) - len(lines) - bool(caption) - 2
        # Without all of its legend a chart is still a chart.
        if rows < _FEWEST_ROWS:
            legend = legend[: max(1, len(legend) - _FEWEST_ROWS + rows)]
            rows = height - len(legend) - len(lines) - bool(caption) - 2
        return cls(width, rows, legend, caption, lines) if rows >= _FEWEST_ROWS else None

    def columns(self, left: Mapping[float, str], right: Mapping[float, str] | None = None) -> int:
        """The cells between the axes."""
        beside = [max(map(len, ticks.values())) + 1 for ticks in (left, right) if ticks]
        return self.width - sum(beside)

    def around(self, plot: _Plot, palette: Palette | None) -> Text:
        legend = Text("\n").join(self._legend_line(line, palette) for line in self.legend)
        words = palette.words if palette else ""
        notes = [Text(note, style=words) for note in self.notes]
        drawing = _with_styles(_build(plot, self.width, self.rows + 2), palette)
        # Not plotext's label of the axis, which has less room and is left out without a word.
        caption = [Text(self.caption.center(self.width).rstrip(), style=words)] if self.caption else []
        return Text("\n", no_wrap=True, end="").join([legend, *drawing.split("\n"), *caption, *notes])

    def _legend_line(self, line: Sequence[_Series], palette: Palette | None) -> Text:
        text = Text()
        for one in line:
            text.append(one.marker, palette.of(one.number) if palette else "")
            text.append(f" {one.name}  ", palette.words if palette else "")
        text.rstrip()
        text.truncate(self.width, overflow="ellipsis")
        return text


def _wrap(paragraphs: Iterable[str], width: int) -> list[str]:
    return [line for paragraph in paragraphs for line in textwrap.wrap(paragraph, width)]


def _too_small(width: int, height: int) -> Text:
    columns, rows = SMALLEST_SIZE
    lines = textwrap.wrap(f"No room for a chart: {columns} x {rows} cells are needed.", max(width, 1))
    return Text("\n".join(lines[:height]))


def _accuracy_axis(data: AccuracyData, rows: int) -> tuple[float, float, dict[float, str]]:
    """The ends of the axis and its ticks: round numbers."""
    low, high = 0.0, 1.0
    if data.fit:
        points = [point for curve in data.curves.values() for point in curve]
        ends = [end for point in points for end in (point.mean, *(point.interval or ()))]
        low, high = max(0.0, min(ends)), min(1.0, max(ends))
    for step in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5):
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first < max(2, rows // 2):
            break
    last = max(last, first + 1)
    digits = max(1, -math.floor(math.log10(step)))
    ticks = {number * step: f"{number * step:.{digits}f}" for number in range(first, last + 1)}
    return first * step, last * step, ticks


def _through_centres(
    values: Sequence[float], limits: tuple[float, float], cells: int, dots: int
) -> list[float]:
    """The same values on an axis of `cells` for a glyph that divides a cell into `dots`.

    plotext spreads an axis over the dots as it does over the cells, from the first to the last: without this
    a line passes beside the markers that it joins.
    """
    low, high = limits
    scale = dots * (cells - 1) / (dots * cells - 1)
    margin = (high - low) * (dots - 1) / 2 / (dots * cells - 1)
    return [low + (value - low) * scale + margin for value in values]


def _dashes(
    x: Sequence[float], y: Sequence[float], cells: float
) -> list[tuple[Sequence[float], Sequence[float]]]:
    """The pieces of a line through these points, `cells` apart, that is drawn with gaps of about a dash."""
    many = max(2, round(cells / (2 * DASH)))

    def between(values: Sequence[float], place: int, number: int) -> list[float]:
        start, end = values[place], values[place + 1]
        return [start + (end - start) * (2 * number + part) / (2 * many - 1) for part in (0, 1)]

    return [
        (between(x, place, number), between(y, place, number))
        for place in range(len(x) - 1)
        for number in range(many)
    ]


def _exponent(p: float) -> float:
    return max(math.log10(p), _LOWEST_EXPONENT) if p > 0 else _LOWEST_EXPONENT


def _log_axis(exponents: Iterable[float], rows: int, *, arrows: bool) -> tuple[float, dict[float, str]]:
    """The lower end of an axis up to p = 1, as an exponent of ten, and its ticks at whole decades.

    At least three decades, so that both thresholds are on it. arrows: leave a row below the last decade.
    """
    end = min([-3, *(math.floor(exponent) for exponent in exponents)])
    every = next(step for step in (1, 2, 4, 8, 16) if -end // step < max(2, rows // 2))
    names = {0: "1", -1: "0.1", -2: "0.01"}
    ticks = {float(decade): names.get(decade, f"1e{decade}") for decade in range(0, end - 1, -every)}
    if arrows:
        ticks[float(end)] = f"≤{ticks[float(end)]}"
    return end * (1 + arrows / (rows - 2)), ticks


def _rules(low: float, rows: int) -> dict[float, str]:
    """Where the lines of the thresholds are drawn, with their labels; two in one row are one line."""
    rules: dict[float, str] = {}
    first_in: dict[int, float] = {}
    for p in THRESHOLDS:
        exponent = math.log10(p)
        row = math.floor(0.5 + (rows - 1) * (1 - exponent / low))  # as plotext rounds
        first = first_in.setdefault(row, exponent)
        rules[first] = f"{rules[first]} {p:g}" if first in rules else f"{p:g}"
    return rules


def _build(plot: _Plot, width: int, height: int) -> str:
    """The plot as plotext builds it: `height` lines of `width` cells, with the colour numbers of the strokes."""
    plotext = importlib.import_module("plotext")
    with _FIGURE_LOCK:
        plotext.main()
        plotext.clear_figure()
        plotext.limit_size(False, False)  # else the chart is no larger than the terminal was at the start
        plotext.plot_size(width, height)
        plotext.theme("clear")
        plotext.ticks_color(_AXES)
        plotext.xaxes(True, False)
        plotext.yaxes(True, bool(plot.right_ticks))
        plotext.xlim(*plot.x_limits)
        plotext.xticks(list(plot.x_ticks), list(plot.x_ticks.values()))
        sides = {"left": plot.y_ticks} | ({"right": plot.right_ticks} if plot.right_ticks else {})
        for side, ticks in sides.items():
            plotext.ylim(*plot.y_limits, yside=side)
            plotext.yticks(list(ticks), list(ticks.values()), yside=side)
        # plotext leaves out the ticks of an axis on which nothing is drawn.
        plotext.scatter([plot.x_limits[0]], [plot.y_limits[0]], marker=" ", color=_AXES)
        for stroke in plot.strokes:
            draw = plotext.plot if stroke.connected else plotext.scatter
            side = "right" if stroke.right else "left"
            draw(stroke.x, stroke.y, marker=stroke.marker, color=stroke.colour, yside=side)
        built: str = plotext.build()
        return built.rstrip("\n")


def _with_styles(built: str, palette: Palette | None) -> Text:
    """plotext's output with the palette's styles in place of the colour numbers."""
    text, style = Text(), ""
    parts = _COLOUR.split(built)
    for code, piece in zip(["", *parts[1::2]], parts[::2], strict=True):
        number = code.rpartition(";")[2]
        style = _style(int(number), palette) if palette and code.startswith("38;5;") else ""
        text.append(piece, style)
    return text


def _style(number: int, palette: Palette) -> str:
    if number >= _SERIES:
        return palette.of(number - _SERIES)
    return palette.rules if number == _RULES else palette.axes
