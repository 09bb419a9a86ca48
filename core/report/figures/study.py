"""Figures of a study: curves of a quantity against one axis, and heat maps over two.

Lines differ by marker, by dashes and by colour. The colours of a heat map become lighter with the number, in grey
as well, and every cell has its number in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, NullLocator

from core.declarations.setting import Value
from core.errors import StudyError
from core.report.figures.curves import INK, PAPER, SPREAD, look_of, style
from core.report.formatting import counted, p_value
from core.report.quantities_by_run import ACCURACY, FOOLED, HIT, IMAGES, Key
from core.report.study.measures import (
    P_VALUE,
    Reading,
    chosen_axis,
    measure_title,
    numeric,
    reading,
)
from core.report.study.result import CellResult, StudyResult
from core.report.study.words import place_name, value_word
from core.report.styles import set_number
from core.statistics.decision import MARGIN

DECADE = 10
"""Positive numbers that span a factor of this stand on a logarithmic axis."""
COLOURS = "cividis"
"""Of heat maps: as light as the number is large, for the colour-blind and in grey too (Nunez et al., 2018)."""
DARK, LIGHT = "#000000", "#ffffff"
"""What is written on a coloured cell: not INK or PAPER, which a page may exchange."""
MOST_LINES = 105
"""More cannot be told apart."""
MOST_PANELS = 12
MOST_CELLS = 40
"""Of a heat map, in a row or a column: of more nobody could read the numbers."""
TOO_MANY = "choose another --axis, or export a table: --format csv --table cells"


def curve_figure(result: StudyResult, keys: Sequence[Key], axis: str | None = None) -> Figure:
    """A quantity against an axis, with 95 % intervals: a line for each combination of the other axes' values.

    keys: one quantity, or one on several sets: each in a panel, or each a line where there is one otherwise. axis:
    by default that of numbers with the most values. Numbers stand on their own scale, a logarithmic one where they
    span a decade. A line is broken where an experiment has no number. Raises StudyError where there is nothing to
    draw, or no such axis.
    """
    axis = chosen_axis(axis, result)
    panels = _lines(result, keys, axis)
    _check_drawable(result, keys, max(map(len, panels.values())), len(panels))
    with style():
        columns = min(len(panels), 2)
        rows = -(-len(panels) // columns)
        figure = Figure(figsize=(6.6 if columns == 1 else 8.2, 3.6 * rows + 0.4), layout="constrained")
        grid = list(figure.subplots(rows, columns, sharey=True, squeeze=False).flat)
        for panel in grid[len(panels) :]:
            panel.remove()
        for panel, (title, lines) in zip(grid, panels.items(), strict=False):
            _curves(panel, result.axes[axis], axis, lines)
            if len(panels) > 1:
                panel.set_title(title)
        for panel in grid[::columns][:rows]:
            panel.set_ylabel(_axis_title(keys))
        if len(lines) > 1:
            handles = [Line2D([], [], label=line.name, **line.look) for line in lines]
            figure.legend(handles=handles, loc="outside right center")
        _warn(figure, result)
    return figure


def heatmap_figure(result: StudyResult, key: Key, axis: str | None = None) -> Figure:
    """A quantity over two axes as coloured cells, each with its number and, of a claim, its decision.

    axis: what runs to the right, as `curve_figure` takes it; upwards runs the axis with the most values among the
    others. Where there are more axes, each combination of theirs has a panel. Experiments without a number are
    hatched and say how they stand. Raises StudyError as `curve_figure` does.
    """
    across = chosen_axis(axis, result)
    others = sorted(
        (name for name in result.axes if name != across), key=lambda name: -len(result.axes[name])
    )
    up = others[0] if others else None
    panels = _panels(result, [name for name in result.axes if name not in (across, up)])
    _check_drawable(result, [key], 1, len(panels))
    readings = [found for cell in result.cells if (found := reading(cell, key)) is not None]
    norm = _norm([found.value for found in readings], claim=_is_claim(key))
    wide, high = len(result.axes[across]), len(result.axes[up]) if up is not None else 1
    if max(wide, high) > MOST_CELLS:
        raise StudyError(
            f"{result.name} has too many values to draw: {wide} by {high}, expected at most {MOST_CELLS} each way",
            TOO_MANY,
        )
    with style():
        mpl.rcParams["hatch.linewidth"] = 0.5
        columns = 1 if wide > 6 else min(len(panels), 2)
        rows = -(-len(panels) // columns)
        figure = Figure(
            figsize=(columns * (0.95 * wide + 1.0) + 1.0, rows * (0.62 * high + 1.0) + 0.3),
            layout="constrained",
        )
        grid = list(figure.subplots(rows, columns, squeeze=False).flat)
        for panel in grid[len(panels) :]:
            panel.remove()
        for panel, (name, cells) in zip(grid, panels.items(), strict=False):
            _cells(panel, result, key, across, up, cells, norm)
            panel.set_title(f"{measure_title(key)}{f' ({name})' if name else ''}")
        bar = figure.colorbar(ScalarMappable(norm, COLOURS), ax=grid[: len(panels)], fraction=0.05, pad=0.02)
        if bar.solids is not None:
            bar.solids.set(rasterized=False, edgecolor="face")  # areas in every format, no pixels
        bar.outline.set_linewidth(0.6)
        _warn(figure, result)
    return figure


# Curves


@dataclass(frozen=True)
class _Line:
    """cells: value on the axis -> the experiment. look: as `look_of` gives it."""

    name: str
    key: Key
    cells: Mapping[Value, CellResult]
    look: Mapping[str, Any]


def _lines(result: StudyResult, keys: Sequence[Key], axis: str) -> dict[str, list[_Line]]:
    """The lines of each panel, by its title."""
    by_place: dict[str, dict[Value, CellResult]] = {}
    for cell in result.cells:
        if cell.spec is not None:
            name = place_name({other: value for other, value in cell.settings.items() if other != axis})
            by_place.setdefault(name, {})[cell.settings[axis]] = cell
    if len(by_place) == 1 and len(keys) > 1:
        ((_, cells),) = by_place.items()
        sets = [key.sets[0] for key in keys]
        return {"": [_Line(key.sets[0], key, cells, look_of(set_number(key.sets[0], sets))) for key in keys]}
    return {
        measure_title(key): [
            _Line(name, key, cells, look_of(place)) for place, (name, cells) in enumerate(by_place.items())
        ]
        for key in keys
    }


def _curves(panel: Axes, values: Sequence[Value], axis: str, lines: Sequence[_Line]) -> None:
    log = _is_wide(values)
    positions = _positions(values)
    gap = _gap([math.log10(one) if log else one for one in positions.values()])
    for place, line in enumerate(lines):
        offset = gap * SPREAD * (place / (len(lines) - 1) - 0.5) if len(lines) > 1 else 0.0
        xs, ys = [], []
        for value, position in positions.items():
            x = position * 10**offset if log else position + offset
            found = reading(line.cells[value], line.key) if value in line.cells else None
            xs.append(x)
            ys.append(found.value if found is not None else math.nan)
            if found is not None and found.ci95 is not None:
                bar = Line2D([x, x], found.ci95, color=line.look["color"], linewidth=0.9, marker="_", markersize=4,
                             label=f"_interval {line.name}")  # fmt: skip
                panel.add_line(bar)
        panel.plot(xs, ys, label=line.name or measure_title(line.key), **line.look)
    key = lines[0].key
    if log:
        panel.set_xscale("log")
    panel.xaxis.set_major_locator(FixedLocator(list(positions.values())))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xticklabels([value_word(axis, value) for value in positions])
    panel.set_xlabel(axis)
    if _is_claim(key):
        panel.axhline(0, color=INK, linewidth=0.8, zorder=0, label="_0")
        for margin in (-MARGIN, MARGIN):
            panel.axhline(margin, color=INK, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0, label="_margin")
    elif key.name == P_VALUE:
        panel.set_yscale("log")
        panel.axhline(0.05, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0, label="_0.05")


def _positions(values: Sequence[Value]) -> dict[Value, float]:
    """Where each value stands: numbers at themselves, names one after the other."""
    if numeric(values):
        return {value: float(value) for value in values if isinstance(value, int | float)}
    return {value: float(place) for place, value in enumerate(values)}


def _is_wide(values: Sequence[Value]) -> bool:
    numbers = [value for value in values if isinstance(value, int | float)]
    return numeric(values) and min(numbers) > 0 and max(numbers) >= DECADE * min(numbers)


def _gap(places: Sequence[float]) -> float:
    """The least distance between two neighbours."""
    ordered = sorted(places)
    return min((b - a for a, b in pairwise(ordered)), default=0.0)


def _axis_title(keys: Sequence[Key]) -> str:
    if keys[0].name == ACCURACY:
        return (
            f"accuracy at {keys[0].level or 'the most fitted level'}"
            if len(keys) > 1
            else measure_title(keys[0])
        )
    if keys[0].name == IMAGES and len(keys) > 1:
        return "images"
    return measure_title(keys[0]) + ("\n(dashed: counts as the same as 0)" if _is_claim(keys[0]) else "")


def _is_claim(key: Key) -> bool:
    return key.name not in (ACCURACY, FOOLED, HIT, IMAGES, P_VALUE)


# Heat maps


def _panels(result: StudyResult, axes: Sequence[str]) -> dict[str, list[CellResult]]:
    """The combination of the values of further axes, as words -> its experiments."""
    found: dict[str, list[CellResult]] = {}
    for values in product(*(result.axes[name] for name in axes)):
        fixed = dict(zip(axes, values, strict=True))
        cells = [
            cell
            for cell in result.cells
            if cell.spec is not None and all(cell.settings[name] == value for name, value in fixed.items())
        ]
        if cells:
            found[place_name(fixed)] = cells
    return found


def _cells(
    panel: Axes,
    result: StudyResult,
    key: Key,
    across: str,
    up: str | None,
    cells: Sequence[CellResult],
    norm: Normalize,
) -> None:
    columns = result.axes[across]
    rows: Sequence[Value] = result.axes[up] if up is not None else (None,)
    by_place = {
        (cell.settings[across], cell.settings[up] if up is not None else None): cell for cell in cells
    }
    colours = mpl.colormaps[COLOURS]
    for (x, column), (y, row) in product(enumerate(columns), enumerate(rows)):
        cell = by_place.get((column, row))
        found = reading(cell, key) if cell is not None else None
        corner = (x - 0.5, y - 0.5)
        if found is None:
            panel.add_patch(
                Rectangle(corner, 1, 1, facecolor="none", edgecolor=INK, hatch="////", linewidth=0.4)
            )
            text = cell.status.value if cell is not None else "none"
            panel.text(x, y, text, ha="center", va="center", fontsize=7, color=INK,
                       bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5})  # fmt: skip
            continue
        colour = colours(norm(found.value))
        panel.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor=PAPER, linewidth=0.8))
        panel.text(x, y, _cell_text(key, found), ha="center", va="center", fontsize=7.5, linespacing=1.3,
                   color=DARK if _lightness(colour) > 0.45 else LIGHT)  # fmt: skip
    panel.set_xlim(-0.5, len(columns) - 0.5)
    panel.set_ylim(-0.5, len(rows) - 0.5)
    panel.xaxis.set_major_locator(FixedLocator(list(range(len(columns)))))
    panel.set_xticklabels([value_word(across, value) for value in columns])
    panel.yaxis.set_major_locator(FixedLocator(list(range(len(rows))) if up is not None else []))
    panel.set_yticklabels([value_word(up, value) for value in rows] if up is not None else [])
    panel.set_xlabel(across)
    if up is not None:
        panel.set_ylabel(up)
    panel.tick_params(length=0)
    for spine in panel.spines.values():
        spine.set_visible(False)


def _cell_text(key: Key, found: Reading) -> str:
    """The number; below it the decision of a claim."""
    if key.name == P_VALUE:
        return p_value(found.value)
    if key.name == IMAGES:
        return f"{found.value:,.0f}"
    if found.decision is None:
        return f"{found.value:z.3f}"
    return f"{found.value:+z.3f}\n{found.decision}"


def _norm(values: Sequence[float], *, claim: bool) -> Normalize:
    """From the least to the largest; of values that are all alike, around them.

    Of claims from 0 with its margin on: else what is next to nothing would seem to be a large difference.
    """
    low, high = min(values), max(values)
    if claim:
        low, high = min(low, -MARGIN), max(high, MARGIN)
    if high == low:
        low, high = low - max(abs(low), 1) * 0.01, high + max(abs(high), 1) * 0.01
    return Normalize(low, high)


def _lightness(colour: tuple[float, float, float, float]) -> float:
    """How light a colour is in grey, 0 to 1 (Rec. 709)."""
    red, green, blue, _ = colour
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# Both


def _check_drawable(result: StudyResult, keys: Sequence[Key], lines: int, panels: int) -> None:
    if not any(reading(cell, key) is not None for cell in result.cells for key in keys):
        raise StudyError(
            f"no experiment of {result.name} has measured {measure_title(keys[0])} yet: there is nothing to draw",
            f"aefit-tui study resume {result.name} computes what is missing",
        )
    if lines > MOST_LINES or panels > MOST_PANELS:
        raise StudyError(
            f"{result.name} has too many values to draw: {counted(lines, 'line')} in {counted(panels, 'panel')}, "
            f"expected at most {MOST_LINES} in {MOST_PANELS}",
            TOO_MANY,
        )


def _warn(figure: Figure, result: StudyResult) -> None:
    """What a reader must know of a study that is not complete."""
    if result.complete < len(result.cells):
        text = f"Not complete: {result.complete} of {counted(len(result.cells), 'experiment')}."
        figure.suptitle(text, fontsize=7.5, fontstyle="italic")
