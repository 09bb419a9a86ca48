"""Makes the data of a study's heat map and curves. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.records.study_state import CellState, CellStatus
from tui_aefit.following.quantities import Quantity, Value, interval_words, value_of, words_of
from tui_aefit.following.study import Grid, settings_of, state_words_of
from tui_aefit.lab.charts.data import AccuracyData, AccuracyPoint
from tui_aefit.lab.charts.heat import HeatCell, HeatData

MOST_CURVES = 7
"""Rows of a grid that are drawn as curves at the same time, at most: as many as there are colours."""


def heat_data(grid: Grid, quantity: Quantity, cursor: tuple[int, int]) -> HeatData:
    """The heat map of a quantity. cursor: row and column."""
    values = {place: _value(cell, quantity) for place, cell in grid.cells.items()}
    numbers = [value.number for value in values.values() if value is not None]
    low, high = _ends(numbers, quantity)
    cells = {
        place: HeatCell(
            _words(cell, values[place], quantity),
            _note(cell, values[place], quantity),
            _share(values[place], low, high),
            state_words_of(cell)[0] if values[place] is None else "",
        )
        for place, cell in grid.cells.items()
    }
    down = " · ".join(grid.down)
    chosen = grid.cells.get(cursor)
    return HeatData(
        grid.across,
        grid.columns,
        " ╲ ".join(filter(None, (down, grid.across))),
        tuple(grid.row_name(row) for row in range(len(grid.rows))),
        cells,
        cursor,
        tuple(words_of(Value(end, None, 0), quantity) for end in (low, high)) if numbers else None,  # type: ignore[arg-type]
        tuple(cell_readings(chosen, grid, quantity)) if chosen is not None else ("not in this study",),
    )


def cell_readings(cell: CellState, grid: Grid, quantity: Quantity) -> list[str]:
    """Lines on one experiment (settings, value, state), the longest first."""
    glyph, word, _ = state_words_of(cell)
    value = _value(cell, quantity)
    where = settings_of(cell, [*grid.down, *filter(None, [grid.across])])
    found = "no number yet"
    if value is not None:
        found = f"{words_of(value, quantity)}{interval_words(value, quantity)}, n={value.n}"
    runs = f"{glyph} {word} {cell.done}/{cell.runs}"
    lines = [f"{where}: {found}  {runs}"]
    if cell.reason and value is None:
        lines.insert(0, f"{where}: {runs}: {cell.reason}")
    return [*lines, f"{where}: {found}", f"{found}  {runs}", found]


def curve_data(
    grid: Grid, quantities: Sequence[Quantity], row: int, *, fit: bool, bars: bool, cursor: str | None
) -> AccuracyData | None:
    """The curves against the axis that runs across; None where there is no number.

    A single quantity has a curve for each row of the grid, at most MOST_CURVES of them, around `row`. Several
    quantities have one curve each, of the row `row`. cursor: the value of the axis that is read off.
    """
    first = quantities[0]
    rows, several = range(len(grid.rows)), len(quantities) > 1
    if several:
        rows = range(row, row + 1)
    elif len(rows) > MOST_CURVES:
        start = min(max(0, row - MOST_CURVES // 2), len(rows) - MOST_CURVES)
        rows = range(start, start + MOST_CURVES)
    curves: dict[str, tuple[AccuracyPoint, ...]] = {}
    read: list[str] = []
    numbers: dict[str, int] = {}
    for at in rows:
        for place, quantity in enumerate(quantities):
            name = quantity.series if several or not grid.row_name(at) else grid.row_name(at)
            found = _along(grid, at, quantity)
            points = [
                AccuracyPoint(grid.columns[column], value.number, value.interval)
                for column, value in found.items()
            ]
            if not points:
                continue
            curves[name] = tuple(points)
            if not (several and quantity.kind == "accuracy"):
                numbers[name] = place if several else at - rows.start
            read += [
                f"{name} {words_of(value, quantity)}{interval_words(value, quantity)}"
                for column, value in found.items()
                if grid.columns[column] == cursor
            ]
    if not curves:
        return None
    intervals = any(point.interval is not None for points in curves.values() for point in points)
    return AccuracyData(
        grid.across or "study",
        grid.columns,
        curves,
        fit,
        numbers,
        bars=bars,
        cursor=cursor if cursor in grid.columns else None,
        below=tuple(
            _shortened(f"{grid.across} = {cursor}: ", read)
            if cursor in grid.columns
            else _captions(grid, first, rows, several=several, intervals=intervals and bars)
        ),
        free=first.kind in ("claim", "images"),
    )


def _captions(grid: Grid, quantity: Quantity, rows: range, *, several: bool, intervals: bool) -> list[str]:
    what = {"accuracy": "accuracy", "claim": "what decides"}.get(quantity.kind, quantity.title)
    what = what if several else quantity.title
    against = f" against {grid.across}" if grid.across else ""
    where = f"; {grid.row_name(rows.start)}" if several and grid.row_name(rows.start) else ""
    left_out = len(grid.rows) - len(rows) if not several else 0
    more = f"; {left_out} of {len(grid.rows)} rows not drawn" if left_out else ""
    bars = "; bars: 95 % intervals" if intervals else ""
    return [f"{what}{against}{where}{more}{bars}", f"{what}{against}{where}{more}", f"{what}{more}", what]


def _shortened(lead: str, parts: Sequence[str]) -> list[str]:
    lines = [lead + ", ".join(parts[:many]) for many in range(len(parts), 0, -1)]
    return lines or [f"{lead}nothing there"]


def _along(grid: Grid, row: int, quantity: Quantity) -> dict[int, Value]:
    """Column -> value of a quantity, along a row from left to right."""
    found = {}
    for column in range(len(grid.columns)):
        cell = grid.cells.get((row, column))
        value = _value(cell, quantity) if cell is not None else None
        if value is not None:
            found[column] = value
    return found


def _value(cell: CellState, quantity: Quantity) -> Value | None:
    return value_of(cell.overview, quantity) if cell.overview is not None else None


def _words(cell: CellState, value: Value | None, quantity: Quantity) -> str:
    glyph, word, _ = state_words_of(cell)
    if value is None:
        return f"{glyph} {cell.done}/{cell.runs}" if cell.status is CellStatus.RUNNING else f"{glyph} {word}"
    number = words_of(value, quantity)
    return number if cell.status is CellStatus.COMPLETE else f"{number} {glyph}"


def _note(cell: CellState, value: Value | None, quantity: Quantity) -> str:
    if cell.status is not CellStatus.COMPLETE:
        return f"{cell.done}/{cell.runs} runs" if cell.done else ""
    return interval_words(value, quantity).strip() if value is not None else ""


def _ends(numbers: Sequence[float], quantity: Quantity) -> tuple[float, float]:
    if not numbers:
        return 0.0, 0.0
    if quantity.signed:
        most = max(map(abs, numbers))
        return -most, most
    return min(numbers), max(numbers)


def _share(value: Value | None, low: float, high: float) -> float | None:
    if value is None:
        return None
    return (value.number - low) / (high - low) if high > low else 0.5
