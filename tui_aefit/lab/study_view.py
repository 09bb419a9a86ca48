"""The state of the study screen: what the person chose, and what follows from that and the last reading."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.declarations.printable import printable
from core.records.study_state import CellState, CellStatus
from core.report.formatting import duration
from tui_aefit.following.quantities import RISE_OF_CLAIM, Quantity, alike, first_quantity, quantities_of
from tui_aefit.following.study import (
    STUDY_STATES,
    Grid,
    StudyView,
    first_across,
    grid_of,
    seconds_left,
    select_cells,
)
from tui_aefit.lab.charts.data import AccuracyData
from tui_aefit.lab.charts.heat import HeatData
from tui_aefit.lab.study_pictures import curve_data, heat_data

NOTHING = Grid("", (), (), (), {})


@dataclass
class ShownStudy:
    """What the study screen shows.

    view: the study as last read, None before the first reading. words: the filter. cells: the experiments that fit
    it. grid: these in rows and columns. problems: sentences on words of the filter that were not understood.
    across: the axis along a row. quantity: of the heat map, and of the curves unless `series` has others for the
    cursor's row. cursor: row and column. reading: the value of the axis where the curves are read off.
    fit: whether the curves' vertical axis ends at them. bars: whether their intervals are drawn.
    """

    view: StudyView | None = None
    words: str = ""
    across: str = ""
    quantity: Quantity = RISE_OF_CLAIM
    series: tuple[Quantity, ...] = ()
    cursor: tuple[int, int] = (0, 0)
    reading: str | None = None
    fit: bool = False
    bars: bool = True
    cells: tuple[CellState, ...] = ()
    grid: Grid = NOTHING
    problems: str = ""
    _is_quantity_chosen: bool = field(default=False, repr=False)

    # What changes

    def read(self, view: StudyView) -> None:
        """Take a new reading. Until the person chooses a quantity, `first_quantity` gives it."""
        self.view = view
        if self.across not in view.state.study.axes:
            self.across = first_across(view.state.study.axes)
        if not self._is_quantity_chosen:
            overviews = (cell.overview for cell in view.state.cells)
            self.quantity = first_quantity(overview for overview in overviews if overview is not None)
        self._arrange()

    def filter(self, words: str) -> None:
        """Show only the experiments that fit these words."""
        self.words = words
        self._arrange()

    def turn(self) -> None:
        """Put the next axis along the rows. The cursor stays on its experiment."""
        axes = self.axes
        self.across = axes[(axes.index(self.across) + 1) % len(axes)]
        self.reading = None
        self._arrange()

    def choose(self, quantity: Quantity) -> None:
        """Show this quantity, in the curves too."""
        self.quantity, self.series, self._is_quantity_chosen = quantity, (), True

    def choose_series(self, series: tuple[Quantity, ...]) -> None:
        """Show these quantities in the curves; a single one is chosen as `choose` does."""
        if len(series) == 1:
            self.choose(series[0])
        else:
            self.series = series

    def _arrange(self) -> None:
        if self.view is None:
            return
        kept, state = self.chosen, self.view.state
        self.cells, problems = select_cells(state, self.words)
        self.problems = "; ".join(problems)
        self.grid = grid_of(self.cells, state.study.axes, self.across)
        self.cursor = (kept and self.grid.place_of(kept.cell.id)) or self._within(self.cursor)

    def _within(self, place: tuple[int, int]) -> tuple[int, int]:
        """The place in the grid that is nearest to `place`."""
        row, column = place
        return min(row, max(0, len(self.grid.rows) - 1)), min(column, max(0, len(self.grid.columns) - 1))

    # What follows

    @property
    def axes(self) -> tuple[str, ...]:
        """The settings in which the experiments differ."""
        return tuple(self.view.state.study.axes) if self.view is not None else ()

    @property
    def chosen(self) -> CellState | None:
        """The experiment under the cursor."""
        return self.grid.cells.get(self.cursor)

    @property
    def drawn(self) -> tuple[Quantity, ...]:
        """The quantities that the curves show."""
        return self.series or (self.quantity,)

    @property
    def row_name(self) -> str:
        """The settings of the cursor's row."""
        return self.grid.row_name(self.cursor[0]) if self.grid.rows else ""

    def quantities(self) -> list[Quantity]:
        """All quantities that some experiment has. May read files: the findings' details of every experiment."""
        cells = self.view.state.cells if self.view is not None else ()
        return quantities_of(cell.overview for cell in cells if cell.overview is not None)

    def alike(self) -> dict[str, Quantity]:
        """Curve name -> quantity that can be drawn with the present one, that among them. May read files."""
        return {one.series: one for one in alike(self.quantity, self.quantities())}

    def heat(self) -> HeatData:
        """The heat map."""
        return heat_data(self.grid, self.quantity, self.cursor)

    def curves(self) -> AccuracyData | None:
        """The curves; None where there is no number."""
        return curve_data(
            self.grid, self.drawn, self.cursor[0], fit=self.fit, bars=self.bars, cursor=self.reading
        )

    def title(self, name: str) -> str:
        """A line on the study of that name: its state and how much of it is done."""
        if self.view is None:
            return f"Study {printable(name)}"
        state = self.view.state
        if len(state.cells) < len(state.study.cells):
            return f"Study {printable(name)} · {len(state.cells):,} of {len(state.study.cells):,} experiments read"
        glyph, word, _ = STUDY_STATES[state.status]
        parts = [f"Study {printable(name)}  {glyph} {word}"]
        parts += [f"{len(self.cells):,} shown"] if self.words.strip() else []
        parts += [f"{state.complete}/{len(state.cells)} experiments", f"{state.done}/{state.runs} runs"]
        left = seconds_left(self.view)
        parts += [f"~{duration(left)} left"] if left is not None else []
        for status in (CellStatus.FAILED, CellStatus.REFUSED, CellStatus.UNREADABLE):
            many = sum(cell.status is status for cell in state.cells)
            parts += [f"{many} {status.value}"] if many else []
        return " · ".join(parts)
