"""The studies screen: every study of a home, its progress, and the actions on it as a whole."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable, Static

from core.declarations.printable import printable
from core.errors import StudyError
from core.records.study_state import StudyStatus
from core.report.formatting import moment
from tui_aefit.following.studies import StudyOverview
from tui_aefit.following.study import STUDY_STATES, axes_words
from tui_aefit.lab.background import confirm_and_carry_out, describe_error
from tui_aefit.lab.browsing import Browsing
from tui_aefit.lab.messages import ListExperiments, NewExperiment, OpenStudy, ResumeStudy
from tui_aefit.lab.polling import PollingScreen
from tui_aefit.lab.screens.confirm import Confirm
from tui_aefit.lab.studies import ask_to_stop, forget_study
from tui_aefit.lab.theme import ink
from tui_aefit.lab.widgets.cell_table import CellTable, left, right
from tui_aefit.lab.widgets.footer import KeysFooter

WIDEST_NAME = 40
UNREADABLE = ("?", "unreadable", "red")


class StudiesTable(CellTable):
    """A table with a row for each study."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open", id="studies.open", tooltip="Look at this study"),
        Binding("g", "first", "First", id="studies.first", show=False, tooltip="To the first row"),
    ]


class StudiesScreen(PollingScreen):
    """All studies of `home`. browsing: reads them."""

    CSS_PATH = "studies.tcss"
    AUTO_FOCUS = "StudiesTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "list", "In the list", id="studies.list",
                tooltip="Its experiments in the list of all, to mark, compare, extend or delete them"),
        Binding("r", "resume", "Resume", id="studies.resume", tooltip="Compute what is missing of the study"),
        Binding("s", "stop", "Stop", id="studies.stop",
                tooltip="Stop computing it; complete runs are kept and it can be resumed"),
        Binding("d", "delete", "Delete", id="studies.delete", show=False,
                tooltip="Remove the study; its experiments stay"),
        Binding("y", "copy", "Copy", id="studies.copy", show=False, tooltip="Copy its name"),
        Binding("n", "new", "New", id="studies.new", show=False, tooltip="Set up a new experiment"),
        Binding("escape", "dismiss", "Back", id="studies.back", show=False,
                tooltip="Back to the screen before"),
        # The app's key for this very screen: it would open another one.
        Binding("E", "look_again", "Look again", id="studies.look", show=False, tooltip="Look at the folder now"),
    ]  # fmt: skip

    class Looked(Message, namespace="studies"):
        """The home was looked at. problem: why its studies could not be listed, "" if they could."""

        def __init__(self, studies: tuple[StudyOverview, ...], problem: str = "") -> None:
            super().__init__()
            self.studies = studies
            self.problem = problem

    def __init__(self, home: Path, browsing: Browsing) -> None:
        super().__init__()
        self._home = home
        self._browsing = browsing
        self._studies: tuple[StudyOverview, ...] | None = None

    def compose(self) -> ComposeResult:
        """The studies, or why there are none, and details of the one under the cursor."""
        yield Static("Studies", id="title", markup=False)
        yield StudiesTable(id="studies")
        yield Static("Looking ...", id="empty", markup=False)
        yield Static("", id="detail", markup=False)
        yield KeysFooter(palette=False)

    def on_mount(self) -> None:
        """Show no table before the first look."""
        self.add_class("-empty")

    def on_resize(self) -> None:
        """Fit the columns."""
        self.call_after_refresh(self._show)

    @work(thread=True, group="look")
    def look(self) -> None:
        """Look at the home now, in a thread."""
        try:
            self.post_message(self.Looked(self._browsing.studies.look()))
        except StudyError as error:
            self.post_message(self.Looked((), describe_error(error)))

    @on(Looked)
    def _looked(self, message: Looked) -> None:
        self._studies = message.studies
        self.set_class(not message.studies, "-empty")
        none = (
            f"No studies yet under {printable(str(self._home))}\n\n"
            "A study is many experiments as one. This makes one:\n\n"
            "aefit-tui --batch --attack fgsm,pgd --epsilon 0.05,0.1,0.2"
        )
        self.query_one("#empty", Static).update(message.problem or none)
        self._show()
        self.refresh_bindings()

    def _show(self) -> None:
        if self._studies is None:
            return
        table = self.query_one(StudiesTable)
        width = self.size.width - 2
        rows: dict[str, list[Text]] = {}
        names = [printable(one.name) for one in self._studies]
        name = min(WIDEST_NAME, max([len("study"), *map(cell_len, names)]))
        columns = {
            "state": ("state", 15),
            "cells": ("experiments", 12),
            "runs": ("runs", 12),
            "name": ("study", name + 2),
        }
        rest = width - sum(one for _, one in columns.values())
        if rest >= 12:
            columns["axes"] = ("axes", rest)
        for one in self._studies:
            state = one.state
            glyph, word, style = STUDY_STATES[state.status] if state is not None else UNREADABLE
            cells = [
                left((f"{glyph} {word}", ink(self.app, style))),
                right(f"{state.complete}/{len(state.cells)}" if state is not None else ""),
                right(f"{state.done}/{state.runs}" if state is not None else ""),
                left(f" {printable(one.name)}"),
                left(_axes(one)),
            ]
            rows[one.name] = cells[: len(columns)]
        running = sum(
            one.state is not None and one.state.status is StudyStatus.RUNNING for one in self._studies
        )
        counts = [f"{len(self._studies):,}", f"{running} running" if running else ""]
        self.query_one("#title", Static).update(f"Studies: {', '.join(filter(None, counts))}")
        table.fill(columns, rows)
        self._show_detail()

    @on(DataTable.RowHighlighted)
    def _show_detail(self) -> None:
        chosen = self._chosen
        if chosen is None:
            text = ""
        elif chosen.state is None:
            text = printable(chosen.problem)
        else:
            text = (
                f"{printable(chosen.name)} · created {moment(chosen.state.study.created, '%Y-%m-%d %H:%M')}"
            )
            text += f"\n{_axes(chosen)}"
        self.query_one("#detail", Static).update(text)

    @property
    def _chosen(self) -> StudyOverview | None:
        # The footer asks which keys to show before the table exists.
        key = next((table.row_under_cursor for table in self.query(StudiesTable)), None)
        return next((one for one in self._studies or () if one.name == key), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer keys where they do something."""
        chosen = self._chosen
        status = chosen.state.status if chosen is not None and chosen.state is not None else None
        match action:
            case "stop":
                return status is StudyStatus.RUNNING
            case "resume":
                return status not in (None, StudyStatus.RUNNING, StudyStatus.COMPLETE)
            case "list":
                return status is not None
            case "delete" | "copy":
                return chosen is not None
        return True

    # Actions

    @on(DataTable.RowSelected)
    def action_open(self) -> None:
        """Ask the app to show the study under the cursor."""
        if (chosen := self._chosen) is not None:
            if chosen.state is None:
                self.notify(printable(chosen.problem), severity="error", markup=False)
            else:
                self.post_message(OpenStudy(chosen.folder))

    def action_list(self) -> None:
        """Ask the app for the list of experiments, with those of the study."""
        if (chosen := self._chosen) is not None:
            self.post_message(ListExperiments(f"study:{chosen.name}"))

    def action_resume(self) -> None:
        """Ask the app to have what is missing computed."""
        if (chosen := self._chosen) is not None and chosen.state is not None:
            self.post_message(ResumeStudy(chosen.state))

    def action_stop(self) -> None:
        """Stop the study, after asking."""
        if (chosen := self._chosen) is None or chosen.state is None:
            return
        ask_to_stop(self.app, chosen.state, self.look_after)

    def action_delete(self) -> None:
        """Remove the study, after asking."""
        if (chosen := self._chosen) is None:
            return
        if chosen.state is not None and chosen.state.status is StudyStatus.RUNNING:
            self.notify(f"{chosen.name} is running: stop it first (s)", markup=False)
            return
        question = Confirm(f"Delete the study {chosen.name}?", "Its experiments stay.", "Delete")
        confirm_and_carry_out(self.app, question, partial(forget_study, chosen.folder), self.look_after)

    def action_copy(self) -> None:
        """Copy the name of the study under the cursor."""
        if (chosen := self._chosen) is not None:
            self.app.copy_to_clipboard(chosen.name)
            self.notify(f"copied {printable(chosen.name)}", markup=False)

    def action_new(self) -> None:
        """Ask the app for the set-up form."""
        self.post_message(NewExperiment())


def _axes(one: StudyOverview) -> str:
    """The axes of a study with their values: "attack fgsm pgd; epsilon 0.05 0.1"."""
    axes = one.state.study.axes if one.state is not None else {}
    return printable("; ".join(axes_words(axes)))
