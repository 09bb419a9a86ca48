"""How rows are drawn: as Textual's own table draws them, which lays out each cell as if it could be anything."""

from __future__ import annotations

import pytest
from rich.text import Text
from textual.app import App, ComposeResult
from textual.widgets import DataTable

from tui_aefit.lab.widgets.cell_table import CellTable, left, right

WORDS = (
    "",
    "a",
    "plain words",
    "日本語のラベル",
    "e\u0301\u0302",
    "a\tb",
    "much too long for any column of this table",
)
STYLES = ("", "bold", "red", "bold #67cf93 on #10161d")


class TableApp(App[None]):
    """A table alone."""

    CSS = "CellTable { border: none; }"

    def compose(self) -> ComposeResult:
        """The table."""
        yield CellTable()

    @property
    def table(self) -> CellTable:
        return self.query_one(CellTable)


def rows(lines: int) -> dict[str, list[Text]]:
    """Rows of every kind of cell."""
    return {
        f"{number} {style}": [
            left(*[word] * lines),
            right(*[(word, style)] * lines),
            left(*[(word, style)] * (lines - 1), ""),
        ]
        for number, word in enumerate(WORDS)
        for style in STYLES
    }


@pytest.mark.parametrize("lines", [1, 2])
@pytest.mark.parametrize(("size", "x"), [((80, 24), 0), ((24, 9), 0), ((24, 9), 5)])
async def test_every_line_is_the_one_that_textual_draws(lines: int, size: tuple[int, int], x: int) -> None:
    app = TableApp()
    async with app.run_test(size=size) as pilot:
        table = app.table
        shown = rows(lines)
        table.fill({"a": ("a", 14), "b": ("b", 9), "c": ("", 12)}, shown, lines=lines, arrow=("b", "▲"))
        for row in (0, 3, len(shown) - 1):
            table.move_cursor(row=row)
            await pilot.pause()
            table.scroll_to(x=x, animate=False)
            await pilot.pause()
            assert table.scroll_offset.x == x
            for y in range(table.size.height):
                assert list(table.render_line(y)) == list(DataTable.render_line(table, y)), (row, y)


async def test_a_sign_stands_in_the_gap_before_a_title_and_moves_nothing() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 6)) as pilot:
        columns = {"a": ("name", 6), "b": ("runs", 5)}
        cells = {"one": [left("x"), right("7")]}
        seen = []
        for arrow in (("", ""), ("a", "▲"), ("b", "▼")):
            app.table.fill(columns, cells, arrow=arrow)
            await pilot.pause()
            seen.append(app.table.render_line(0).text.rstrip())
        assert seen == [" name  runs", "▲name  runs", " name ▼runs"]
