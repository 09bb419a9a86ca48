"""The heat map: every number is readable, at every size, with and without colour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_aefit.lab.charts.axes import free_scale
from tui_aefit.lab.charts.heat import (
    SHADES,
    SMALLEST,
    HeatCell,
    HeatData,
    HeatLayout,
    HeatPalette,
    heat_map,
)

PALETTE = HeatPalette(lambda share: f"on rgb({round(255 * share)},0,0)", "", "")


def grid(rows: int, columns: int, cursor: tuple[int, int] = (0, 0)) -> HeatData:
    """Each number tells its row and column; the first cell has none yet, the last place is no cell."""
    last = max(1, rows * columns - 1)
    cells = {
        (row, column): HeatCell(f".{row}{column:02d}", "[.1, .2]", (row * columns + column) / last)
        for row in range(rows)
        for column in range(columns)
        if (row, column) != (rows - 1, columns - 1) or last == 1
    }
    cells[0, 0] = HeatCell("· waiting", brief="·")
    return HeatData(
        "epsilon",
        tuple(f"0.{column}" for column in range(columns)),
        "attack ╲ epsilon",
        tuple(f"row {row}" for row in range(rows)),
        cells,
        cursor,
        (".001", ".999"),
        ("a long line about the cell under the cursor", "a short one"),
    )


@given(
    rows=st.integers(1, 30),
    columns=st.integers(1, 30),
    width=st.integers(1, 160),
    height=st.integers(1, 50),
    at=st.tuples(st.integers(0, 29), st.integers(0, 29)),
    coloured=st.booleans(),
)
def test_it_fits_and_the_cell_under_the_cursor_is_seen(
    rows: int, columns: int, width: int, height: int, at: tuple[int, int], coloured: bool
) -> None:
    cursor = min(at[0], rows - 1), min(at[1], columns - 1)
    data = grid(rows, columns, cursor)
    lines = heat_map(data, width, height, PALETTE if coloured else None).plain.splitlines()
    assert len(lines) <= height
    assert max(map(cell_len, lines), default=0) <= width
    if width < SMALLEST[0] or height < SMALLEST[1]:
        assert lines[0] == "No room: 24 x 5 cells are needed."[:width]
        return
    layout = HeatLayout.fitting(data, width, height, shaded=not coloured)
    assert layout is not None
    assert cursor[0] in layout.rows
    assert cursor[1] in layout.columns
    if cursor in data.cells and cursor != (0, 0):
        number = data.cells[cursor].words
        (line,) = [line for line in lines if "[" in line and number in line]
        start = line.index(number)
        assert layout.at(start, lines.index(line)) == cursor


def test_all_numbers_stand_in_their_rows_and_columns_where_there_is_room() -> None:
    lines = heat_map(grid(3, 4, (1, 2)), 100, 20).plain.splitlines()
    assert lines[0].split() == ["attack", "╲", "epsilon", "0.0", "0.1", "0.2", "0.3"]
    numbers = [line for line in lines if "row" in line]
    assert [[word for word in line.split() if word.startswith(".")] for line in numbers] == [
        [".001", ".002", ".003"],
        [".100", ".101", ".102", ".103"],
        [".200", ".201", ".202"],
    ]
    assert "[ .102" in numbers[1]
    assert "· waiting" in numbers[0]
    assert "a long line about the cell under the cursor" in lines[-1]
    # The columns of numbers stand below their headings.
    for column, heading in enumerate(("0.0", "0.1", "0.2", "0.3")):
        middle = lines[0].index(heading) + 1
        assert abs(numbers[1].index(f".10{column}") + 2 - middle) <= 3


def test_without_colour_a_bar_says_how_large_a_number_is() -> None:
    data = grid(1, 9, (0, 1))
    (numbers,) = [line for line in heat_map(data, 160, 6).plain.splitlines() if "row 0" in line]
    shades = [glyph for glyph in numbers if glyph in SHADES]
    assert shades == sorted(shades)
    assert len(set(shades)) >= len(SHADES) - 2
    coloured = heat_map(data, 160, 6, PALETTE)
    assert not set(SHADES) & set(coloured.plain)
    backgrounds = {str(span.style) for span in coloured.spans if "on rgb" in str(span.style)}
    assert len(backgrounds) > 8


def test_what_has_no_room_is_told_by_arrows() -> None:
    text = heat_map(grid(20, 20, (10, 10)), 50, 10).plain
    assert {"◂", "▸", "▴", "▾"} <= set(text)
    text = heat_map(grid(20, 20, (0, 0)), 50, 10).plain
    assert {"◂", "▴"}.isdisjoint(text)


@pytest.mark.parametrize("place", [(0, 0), (5, 0), (0, 5), (99, 3), (30, 99)])
def test_beside_the_cells_nothing_is_hit(place: tuple[int, int]) -> None:
    layout = HeatLayout.fitting(grid(2, 2), 60, 12, shaded=True)
    assert layout is not None
    assert layout.at(*place) is None


@given(low=st.floats(-1e6, 1e6), length=st.floats(1e-6, 1e6), rows=st.integers(4, 40))
def test_an_axis_of_any_numbers_has_them_on_it_and_its_ticks_where_they_are(
    low: float, length: float, rows: int
) -> None:
    high = low + length
    scale = free_scale(low, high, rows)
    assert -0.01 <= scale.place(high) <= scale.place(low) <= rows - 1 + 0.01
    assert len(scale.ticks) >= 2
    for row, label in scale.ticks.items():
        value = float(label.replace(",", ""))
        assert scale.place(value) == pytest.approx(row, abs=0.01)
    assert len(set(scale.ticks.values())) == len(scale.ticks)
