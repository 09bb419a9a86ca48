"""Places on the axes of a chart: ticks in equally spaced rows, levels in columns, thresholds between rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rich.cells import cell_len

THRESHOLDS = (0.05, 0.01)
"""The significance levels that a chart of p-values has lines at."""
SMALLEST_P = 1e-16
"""The p-value at which the log axis ends: t distributions in double precision are inaccurate below it."""
LOWEST_EXPONENT = math.log10(SMALLEST_P)
LEAST_SPACING = 2
"""Rows from one tick to the next, at least, where there are rows enough."""
FILLED = 0.75
"""The share of the rows that values must take for a finer step of ticks to be chosen."""
STEPS = (0.001, 0.002, 0.0025, 0.005, 0.01, 0.02, 0.025, 0.05, 0.1, 0.2, 0.25, 0.5)
DECADES = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Scale:
    """A vertical axis of `rows` rows: the value `top` is in row `first`, and each row below is `by_row` less.

    ticks: row -> label, equally spaced.
    """

    rows: int
    top: float
    by_row: float
    first: int
    ticks: Mapping[int, str]

    def place(self, value: float) -> float:
        """The row of a value, counted from the chart's first row, with its fraction."""
        return self.first + (self.top - value) / self.by_row

    @property
    def bottom(self) -> float:
        """The value in the last row."""
        return self.top - (self.rows - 1 - self.first) * self.by_row


def linear_scale(low: float, high: float, rows: int) -> Scale:
    """A scale from `low` to `high`, with ticks at round steps; rows that are left over are above the highest."""
    step, spacing, first, last = _spaced(
        [
            (step, low_tick, max(high_tick, low_tick + 1))
            for step in STEPS
            for low_tick, high_tick in [(math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9))]
        ],
        high - low,
        rows - 1,
    )
    digits = max(1, len(f"{step:g}") - 2)
    above = rows - 1 - spacing * (last - first)
    ticks = {
        above + spacing * (last - number): f"{number * step:.{digits}f}" for number in range(first, last + 1)
    }
    return Scale(rows, last * step, step / spacing, above, ticks)


def free_scale(low: float, high: float, rows: int) -> Scale:
    """A linear scale of numbers of any size, written out in the ticks.

    Values close together are spread no further than four digits can distinguish.
    """
    least = max(abs(low), abs(high), 1e-300) * 1e-4
    length = max(high - low, least)
    power = 10.0 ** math.ceil(math.log10(length) - 1e-9)
    scale = linear_scale(low / power, (low + length) / power, rows)
    places = {row: scale.top - (row - scale.first) * scale.by_row for row in scale.ticks}
    step = (
        min(abs(one - other) for one in places.values() for other in places.values() if one != other) * power
    )
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    digits += round(step * 10**digits) != round(step * 10**digits, 6)
    ticks = {row: f"{place * power:z,.{digits}f}" for row, place in places.items()}
    return Scale(rows, scale.top * power, scale.by_row * power, scale.first, ticks)


def _spaced(steps: Iterable[tuple[float, int, int]], length: float, room: int) -> tuple[float, int, int, int]:
    """Step, rows from tick to tick, first and last tick (as multiples of the step).

    Takes the finest step with which values of this `length` take FILLED of the rows; if there is none, the one
    with which they take the most. steps: each step with the multiples between which the values lie; those of the
    coarsest are at most `room` apart.
    """
    found = [
        (step, room // (last - first), first, last) for step, first, last in steps if room >= last - first
    ]
    clear = [one for one in found if one[1] >= LEAST_SPACING] or found
    taken = {one: length / one[0] * one[1] for one in clear}
    filling = [one for one in clear if taken[one] >= FILLED * room]
    return min(filling) if filling else max(clear, key=lambda one: (taken[one], -one[0]))


def exponent_of(p: float) -> float:
    """The decimal logarithm of a p-value, at least LOWEST_EXPONENT, where the axis ends."""
    return max(math.log10(p), LOWEST_EXPONENT) if p > 0 else LOWEST_EXPONENT


def log_scale(exponents: Iterable[float], rows: int, *, arrows: bool) -> Scale:
    """A scale of exponents of ten from p = 1 downwards, with ticks at decades.

    At least three decades, so that both thresholds are on it. arrows: leave a row below the last decade.
    """
    end = -min([-3, *(math.floor(exponent) for exponent in exponents)])
    steps = [(float(every), -math.ceil(end / every), 0) for every in DECADES]
    step, spacing, first, _ = _spaced(steps, end, rows - 1 - arrows)
    every = int(step)
    names = {0: "1", -1: "0.1", -2: "0.01"}
    decades = range(0, first * every - 1, -every)
    ticks = {spacing * number: names.get(decade, f"1e{decade}") for number, decade in enumerate(decades)}
    if arrows:
        last = max(ticks)
        ticks[last] = f"≤{ticks[last]}"
    return Scale(rows, 0.0, every / spacing, 0, ticks)


def threshold_rows(scale: Scale) -> dict[float, int]:
    """Threshold -> the row below which its line lies, on the edge between two rows; no two have the same."""
    found: dict[float, int] = {}
    for p in THRESHOLDS:
        row = math.floor(scale.place(math.log10(p)) + 1e-9)
        found[p] = max(row, max(found.values(), default=-1) + 1)
    return found


def p_value_row(p: float, scale: Scale) -> int:
    """The row of a p-value: nearest to where it is, on its own side of every threshold."""
    row = math.floor(scale.place(exponent_of(p)) + 0.5)
    for threshold, above in threshold_rows(scale).items():
        row = max(row, above + 1) if p < threshold else min(row, above)
    return row


@dataclass(frozen=True)
class Slots:
    """The columns of the levels, and of the series at each level, side by side where there is room."""

    levels: tuple[str, ...]
    columns: int
    series: int
    step: int  # columns between two series at a level

    @classmethod
    def on(cls, levels: tuple[str, ...], series: int, columns: int) -> Slots:
        """The slots with the widest step between series that keeps levels apart."""
        for step, needed in ((2, 4 * series), (1, series + 2)):
            slots = cls(levels, columns, series, step)
            if slots.apart >= needed:
                return slots
        return cls(levels, columns, series, 0)

    @property
    def _margin(self) -> int:
        """Columns beside the outermost levels."""
        group = (self.series - 1) * self.step
        return min(group // 2 + 2, (self.columns - 1) // 2)

    @cached_property
    def _places(self) -> dict[str, int]:
        """Level -> its place among the levels."""
        return {level: at for at, level in enumerate(self.levels)}

    @cached_property
    def apart(self) -> float:
        """Columns between two levels."""
        inside = self.columns - 1 - 2 * self._margin
        return inside / (len(self.levels) - 1) if len(self.levels) > 1 else inside

    def column(self, level: str, place: int | None = None) -> int:
        """The column of the middle of a level, or of the series at `place` there."""
        at = self._places[level]
        middle = self._margin + at * self.apart if len(self.levels) > 1 else (self.columns - 1) / 2
        beside = 0.0 if place is None else (place - (self.series - 1) / 2) * self.step
        return min(self.columns - 1, max(0, math.floor(middle + beside + 0.5)))

    def ticks(self, name: str) -> dict[int, str]:
        """Column -> label of the levels: the last always, of the others as many as there is room for.

        name: of the knob, put before the first label.
        """
        widest = max(map(cell_len, self.levels)) + cell_len(f"{name}=")
        every = max(1, math.ceil((widest + 2) / max(self.apart, 1e-9)))
        shown = [level for at, level in enumerate(self.levels) if (len(self.levels) - 1 - at) % every == 0]
        return {self.column(level): level if level != shown[0] else f"{name}={level}" for level in shown}


def spread(rows: Sequence[float], count: int) -> list[int]:
    """A row for each wanted place in `rows`, no two the same, as near to the wanted ones as their order allows.

    count: how many rows there are, at least as many as places.
    """
    order = sorted(range(len(rows)), key=lambda at: rows[at])
    taken: list[int] = []
    for at in order:
        wanted = min(max(0, math.floor(rows[at] + 0.5)), count - 1)
        taken.append(max(wanted, taken[-1] + 1) if taken else wanted)
    for place in range(len(taken) - 1, -1, -1):
        highest = count - 1 if place == len(taken) - 1 else taken[place + 1] - 1
        taken[place] = min(taken[place], highest)
    places = [0] * len(rows)
    for at, row in zip(order, taken, strict=True):
        places[at] = row
    return places
