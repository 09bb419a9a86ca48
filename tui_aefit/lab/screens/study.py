"""The study screen: many experiments as one, as a heat map, as curves and as a table."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.message import Message
from textual.widgets import DataTable, Input, Static

from core.declarations.printable import printable
from core.errors import StudyError
from core.records.study_state import CellState, CellStatus, StudyStatus
from core.report.styles import MARKERS
from tui_aefit.following.quantities import Quantity
from tui_aefit.following.studies import StudyFeed
from tui_aefit.following.study import StudyView, shared_settings, state_words_of
from tui_aefit.lab import screens
from tui_aefit.lab.background import carry_out, describe_error
from tui_aefit.lab.browsing import Browsing
from tui_aefit.lab.messages import (
    ExportStudy,
    ListExperiments,
    NewExperiment,
    OpenExperiment,
    ResumeStudy,
)
from tui_aefit.lab.panes import PanesScreen, pane_bindings
from tui_aefit.lab.polling import PollingScreen
from tui_aefit.lab.queueing import KEYS, move_in_queue, start_now
from tui_aefit.lab.studies import ask_to_stop
from tui_aefit.lab.study_view import ShownStudy
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.lab.widgets.study.cells_table import Cells, CellsTable
from tui_aefit.lab.widgets.study.curves import StudyCurves
from tui_aefit.lab.widgets.study.filter import CellsFilter
from tui_aefit.lab.widgets.study.heat_map import HeatMap

PANES = {"map": "Heat map", "curves": "Curves", "cells": "Table"}
"""Pane -> its title; a narrow terminal shows one at a time."""

clock = time.time
"""The clock by which progress is told."""


class StudyScreen(PanesScreen, PollingScreen):
    """The study in `folder`. What concerns other screens it asks the app for: see `lab.messages`.

    browsing: reads studies and overviews of the home.
    """

    CSS_PATH = "study.tcss"
    AUTO_FOCUS = "HeatMap"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (36, "-high")]  # noqa: RUF012  # declared so by Screen
    LOOK_SECONDS = 1.0
    NAME = "study"
    PANES = PANES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "quantity", "Quantity", id="study.quantity", tooltip="Choose the number that is shown"),
        Binding("v", "across", "Versus", id="study.across", show=False,
                tooltip="Have another setting run across, in the heat map and under the curves"),
        Binding("z", "series", "Sets", id="study.series", show=False,
                tooltip="Choose which sets, or claims, the curves show for the row of the heat map"),
        Binding("b", "bars", "Error bars", id="study.bars", show=False,
                tooltip="Draw the intervals of the curves, or the curves alone"),
        Binding("i", "fit", "Fit", id="study.fit", show=False,
                tooltip="End the axis at the curves, or at 0 and 1"),
        Binding("s", "stop", "Stop", id="study.stop", show=False,
                tooltip="Stop computing the study; complete runs are kept and it can be resumed"),
        Binding("r", "resume", "Resume", id="study.resume", tooltip="Compute what is missing of the study"),
        Binding("x", "export", "Export", id="study.export", tooltip="Write the study's tables into its folder"),
        Binding("slash", "filter", "Filter", id="study.filter", show=False,
                tooltip="Show only some experiments: attack:fgsm, epsilon:0.1, state:failed, ! for not"),
        Binding("l", "list", "In the list", id="study.list", show=False,
                tooltip="Its experiments in the list of all, to mark, compare, extend or delete them"),
        Binding("left_square_bracket", "queue(-1)", "Earlier", id="study.earlier", group=KEYS,
                tooltip="Have the experiment under the cursor wait one place less in the queue"),
        Binding("right_square_bracket", "queue(1)", "Later", id="study.later", group=KEYS,
                tooltip="Have the experiment under the cursor wait one place more in the queue"),
        Binding("exclamation_mark", "now", "Start now", id="study.now", group=KEYS,
                tooltip="Compute the experiment under the cursor at once: it waits for nobody any more"),
        Binding("y", "copy", "Copy", id="study.copy", show=False, tooltip="Copy the id of the experiment"),
        Binding("n", "new", "New", id="study.new", show=False, tooltip="Set up a new experiment"),
        *pane_bindings("study", PANES),
        Binding("f", "alone", "Full screen", id="study.full", show=False,
                tooltip="The pane with the focus alone, or all of them"),
        Binding("escape", "back", "Back", id="study.back", show=False,
                tooltip="All panes again, all experiments again, back to the screen before"),
    ]  # fmt: skip

    class Looked(Message, namespace="study"):
        """The study was read. view: None where it could not be read; problem: why not."""

        def __init__(self, view: StudyView | None, problem: str = "") -> None:
            super().__init__()
            self.view = view
            self.problem = problem

    class SeriesFound(Message, namespace="study"):
        """What the curves can show with a quantity was found. series: name of a curve -> its quantity."""

        def __init__(self, quantity: Quantity, series: dict[str, Quantity]) -> None:
            super().__init__()
            self.quantity = quantity
            self.series = series

    def __init__(self, folder: Path, browsing: Browsing) -> None:
        super().__init__()
        self.folder = folder
        self._feed = StudyFeed(folder, browsing.studies, browsing.reader)
        self.shown = ShownStudy()
        self._problem = ""

    def compose(self) -> ComposeResult:
        """Name and progress of the study; heat map and curves; the table of experiments."""
        yield Static(f"Study {self.folder.name}", id="title", markup=False)
        yield Static("", id="shared", markup=False)
        yield CellsFilter(placeholder="attack:fgsm, epsilon>0.1, state:failed, *", id="filter", compact=True)
        yield Static("", id="said", markup=False)
        yield self.pane_tabs()
        with Container(id="body"):
            with Horizontal(id="pictures"):
                yield HeatMap(id="map")
                yield StudyCurves(id="curves")
            yield CellsTable(id="cells")
        yield KeysFooter(palette=False)

    # Looking

    @work(thread=True, group="look")
    def look(self) -> None:
        """Read the study now, in a thread; the first time, show it as it is read."""

        def tell(view: StudyView) -> None:
            self.post_message(self.Looked(view))

        try:
            view = self._feed.look(clock(), tell)
        except StudyError as error:
            self.post_message(self.Looked(None, describe_error(error)))
        except OSError as error:
            self.post_message(self.Looked(None, f"cannot read {self.folder}: {error.strerror}"))
        else:
            if view is not None:
                self.post_message(self.Looked(view))

    @on(Looked)
    def _looked(self, message: Looked) -> None:
        if message.view is None:
            self._problem = message.problem
            self._show_texts()
            return
        first = self.shown.view is None
        self._problem = ""
        self.shown.read(message.view)
        self._show()
        if first:
            self._follow_cursor()
        self.refresh_bindings()

    # Showing

    def _show(self) -> None:
        """Show the last reading, by what the person chose."""
        shown = self.shown
        if shown.view is None:
            return
        self._show_map()
        self._show_curves()
        self.query_one(CellsTable).content = Cells(shown.view, shown.cells, shown.axes, shown.quantity)
        self._show_texts()

    def _show_map(self) -> None:
        heat = self.query_one(HeatMap)
        heat.signed = self.shown.quantity.signed
        heat.border_title = f"{self.pane_key('map')} {printable(self.shown.quantity.title)}"
        heat.data = self.shown.heat()

    def _show_curves(self) -> None:
        curves = self.query_one(StudyCurves)
        key, across = self.pane_key("curves"), self.shown.grid.across
        curves.border_title = f"{key} against {across}" if across else f"{key} Curves"
        curves.data = self.shown.curves()

    def _show_texts(self) -> None:
        self._set_text("#title", self.shown.title(self.folder.name))
        view = self.shown.view
        self._set_text(
            "#shared", shared_settings(view.state.study, self.shown.axes) if view is not None else ""
        )
        problems = self._problem or self.shown.problems
        self._set_text("#said", printable(problems))
        self.query_one("#said").display = bool(problems)
        self.query_one(CellsTable).entitle(f"{self.pane_key('cells')} Experiments: {len(self.shown.cells):,}")

    def _set_text(self, selector: str, text: str) -> None:
        """Put a text on the screen, unless it is there already: each update costs a layout."""
        line = self.query_one(selector, Static)
        if str(line.content) != text:
            line.update(text)

    # The cursor

    @property
    def _concerned(self) -> CellState | None:
        """The experiment that a key is about: of the table if that has the focus, else under the map's cursor."""
        table = self.query_one(CellsTable)
        if self.focused is table:
            return next((cell for cell in self.shown.cells if cell.cell.id == table.row_under_cursor), None)
        return self.shown.chosen

    def _follow_cursor(self) -> None:
        """Put the table's cursor on the experiment under the map's."""
        if (chosen := self.shown.chosen) is not None:
            self.query_one(CellsTable).choose(chosen.cell.id)

    @on(HeatMap.Moved)
    def _moved(self, message: HeatMap.Moved) -> None:
        row = self.shown.cursor[0]
        self.shown.cursor = message.place
        self._show_map()
        if row != self.shown.cursor[0]:
            self._show_curves()
        self._follow_cursor()

    @on(DataTable.RowHighlighted)
    def _row_highlighted(self) -> None:
        table = self.query_one(CellsTable)
        place = self.shown.grid.place_of(table.row_under_cursor or "")
        if self.focused is table and place is not None and place != self.shown.cursor:
            self.shown.cursor = place
            self._show_map()
            self._show_curves()

    @on(StudyCurves.Moved)
    def _read_off(self, message: StudyCurves.Moved) -> None:
        self.shown.reading = message.cursor
        self._show_curves()

    @on(DataTable.RowSelected)
    @on(HeatMap.Opened)
    def action_open(self) -> None:
        """Ask the app for the live screen of the experiment under the cursor."""
        cell = self._concerned
        if cell is None:
            self._explain("this combination is not in the study")
        elif cell.overview is None or cell.overview.experiment is None:
            glyph, word, _ = state_words_of(cell)
            self._explain(f"{cell.cell.id}: {cell.reason or f'{glyph} {word}: nothing of it is there yet'}")
        else:
            self.post_message(OpenExperiment(cell.overview.experiment))

    # Which panes are visible

    def _bring_curves(self) -> None:
        """Show the curves, if they are hidden: a key's effect must be seen."""
        if not self.query_one(StudyCurves).region.area:
            self.action_pane("curves")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer keys where they do something."""
        view = self.shown.view
        status = view.state.status if view is not None else None
        match action:
            case "stop":
                return status is StudyStatus.RUNNING
            case "resume":
                return status not in (None, StudyStatus.RUNNING, StudyStatus.COMPLETE)
            case "across":
                return len(self.shown.axes) > 1
            case "queue" | "now":
                return any(cell.status is CellStatus.QUEUED for cell in self.shown.cells)
            case "export" | "quantity" | "series" | "filter" | "list":
                return view is not None
        return super().check_action(action, parameters)

    # What is shown

    def action_quantity(self) -> None:
        """Let the person choose the quantity."""

        def chosen(quantity: Quantity | None) -> None:
            if quantity is not None:
                self.shown.choose(quantity)
                self._show()

        self.app.push_screen(screens.ChooseQuantity(self.shown.quantities, self.shown.quantity), chosen)

    def action_across(self) -> None:
        """Put the next axis along the rows."""
        self.shown.turn()
        self._show()

    @work(thread=True, group="series", exclusive=True)
    def action_series(self) -> None:
        """Let the person choose what the curves show: sets for an accuracy, other claims for a claim.

        This finds the choices, in a thread, since it reads much of every experiment; `SeriesFound` follows.
        """
        quantity = self.shown.quantity
        self.post_message(self.SeriesFound(quantity, self.shown.alike()))

    @on(SeriesFound)
    def _choose_series(self, message: SeriesFound) -> None:
        shown, found = self.shown, message.series
        if not self.is_current or message.quantity != shown.quantity:
            return  # the person has chosen another quantity meanwhile
        if len(found) < 2:
            self._explain(f"{shown.quantity.title} has no other sets: t chooses another quantity")
            return
        self._bring_curves()

        def chosen(names: tuple[str, ...] | None) -> None:
            if names is not None and len(names) > len(MARKERS):
                self._explain(f"{len(names)} are marked: no more than {len(MARKERS)} can be told apart")
            elif names is not None:
                shown.choose_series(tuple(found[name] for name in names))
                self._show()

        what = "Sets" if shown.quantity.kind == "accuracy" else "Claims"
        question = f"{what} in the curves{f' of {shown.row_name}' if shown.row_name else ''}"
        drawn = [quantity.series for quantity in shown.drawn]
        self.app.push_screen(screens.ChooseSome(list(found), drawn, question), chosen)

    def action_bars(self) -> None:
        """Draw intervals, or none."""
        self.shown.bars = not self.shown.bars
        self._bring_curves()
        self._show_curves()

    def action_fit(self) -> None:
        """Change between an axis from 0 to 1 and one that ends at the curves."""
        self.shown.fit = not self.shown.fit
        self._bring_curves()
        self._show_curves()

    def action_filter(self) -> None:
        """Show the filter and let the person type."""
        self.add_class("-filter")
        self.query_one("#filter", Input).focus()

    @on(Input.Changed, "#filter")
    def _filter_changed(self, message: Input.Changed) -> None:
        self.shown.filter(message.value)
        self._show()

    def action_to_cells(self) -> None:
        """Move the focus from the filter to the chosen pane."""
        self.query_one(f"#{self.pane}").focus()

    def action_back(self) -> None:
        """Go one step back: to all panes, to all experiments, out of the screen."""
        if self.has_class("-alone"):
            self.action_alone()
        elif self.has_class("-filter"):
            self.query_one("#filter", Input).value = ""
            self.remove_class("-filter")
            self.action_to_cells()
        else:
            self.dismiss()

    # For the app to do

    def action_new(self) -> None:
        """Ask the app for the set-up form."""
        self.post_message(NewExperiment())

    def action_list(self) -> None:
        """Ask the app for the list of experiments, with those of this study."""
        self.post_message(ListExperiments(f"study:{self.folder.name}"))

    def action_resume(self) -> None:
        """Ask the app to have what is missing computed."""
        assert self.shown.view is not None
        self.post_message(ResumeStudy(self.shown.view.state))

    def action_export(self) -> None:
        """Ask the app to write the study's files."""
        assert self.shown.view is not None
        self.post_message(ExportStudy(self.shown.view.state.study))

    # Done here

    def action_stop(self) -> None:
        """Stop, after asking."""
        assert self.shown.view is not None
        ask_to_stop(self.app, self.shown.view.state, self.look_after)

    def action_queue(self, steps: int) -> None:
        """Move the experiment under the cursor in the queue."""
        if (cell := self._concerned) is not None:
            home = self.folder.parent.parent
            carry_out(self.app, partial(move_in_queue, home, cell.cell.id, steps), self.look_after)

    def action_now(self) -> None:
        """Let the experiment under the cursor wait for nobody any more."""
        if (cell := self._concerned) is not None:
            home = self.folder.parent.parent
            carry_out(self.app, partial(start_now, home, cell.cell.id), self.look_after)

    def action_copy(self) -> None:
        """Copy the id of the experiment under the cursor."""
        if (cell := self._concerned) is not None:
            self.app.copy_to_clipboard(cell.cell.id)
            self._explain(f"copied {printable(cell.cell.id)}")

    def _explain(self, text: str) -> None:
        self.notify(printable(text), markup=False)
