"""The experiments screen: all experiments of a home with their state, and what can be done with each."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable, Input, Static

from core.errors import ExperimentError
from core.records.experiment import Experiment
from core.records.overview import Overview, OverviewReader
from core.records.status import ExperimentStatus
from tui_aefit.following.listing import detail, matches
from tui_aefit.following.printable import printable
from tui_aefit.lab import screens
from tui_aefit.lab.actions import delete, label, stop
from tui_aefit.lab.background import carry_out, confirm_and_carry_out, describe_error
from tui_aefit.lab.messages import (
    CloneExperiment,
    ExportExperiment,
    ExtendExperiment,
    NewExperiment,
    OpenExperiment,
    OpenScreen,
    ResumeExperiment,
)
from tui_aefit.lab.screens.confirm import Ask, Confirm
from tui_aefit.lab.widgets.experiments_table import ExperimentsTable
from tui_aefit.lab.widgets.footer import KeysFooter

LOOK_SECONDS = 2.0
"""How often the home is looked at."""

ABOUT_ONE = ("clone", "resume", "extend", "mark", "stop", "delete", "label", "export")
"""The actions that need an experiment under the cursor."""


class Filter(Input):
    """Where the words of the filter are typed; while it has the focus, the footer says how to leave it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "screen.to_table", "To the table", id="experiments.table",
                tooltip="Go on among those that the filter leaves"),
        Binding("escape", "screen.back", "Show all", id="experiments.unfilter", tooltip="Take the filter away"),
    ]  # fmt: skip


class ExperimentsScreen(Screen[None]):
    """All experiments of `home`. What concerns other screens it asks the app for: see `lab.messages`."""

    CSS_PATH = "experiments.tcss"
    AUTO_FOCUS = "ExperimentsTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New", id="experiments.new", tooltip="Set up a new experiment"),
        Binding("c", "clone", "Clone", id="experiments.clone", show=False,
                tooltip="Set up a new one that begins from this"),
        Binding("r", "resume", "Resume", id="experiments.resume", tooltip="Compute the runs that are missing"),
        Binding("m", "extend", "More runs", id="experiments.extend", show=False,
                tooltip="Have more runs computed; those that are complete stay"),
        Binding("space", "mark", "Mark", id="experiments.mark", tooltip="Mark for comparing, or take the mark away",
                key_display="space"),
        Binding("equals_sign,C", "compare", "Compare", id="experiments.compare",
                tooltip="The marked experiments side by side", show=False),
        Binding("s", "stop", "Stop", id="experiments.stop", show=False,
                tooltip="Stop computing; complete runs are kept and it can be resumed"),
        Binding("d", "delete", "Delete", id="experiments.delete", tooltip="Remove it with its results", show=False),
        Binding("a", "label", "Label", id="experiments.label", tooltip="Give it a name of your own", show=False),
        Binding("x", "export", "Export", id="experiments.export",
                tooltip="Write files into its folder: results, tables, figures or the report"),
        Binding("p", "export('report')", "Report", id="experiments.report", show=False,
                tooltip="Write an HTML report with figures into its folder"),
        Binding("slash", "filter", "Filter", id="experiments.filter", show=False,
                tooltip="Show only those whose id, label, tags, data set, attack or state hold some words"),
        Binding("escape", "back", "Back", id="experiments.back", show=False,
                tooltip="Show all again; without a filter, leave the experiments"),
        # The app's key for this very screen: it would open another one and forget the marks.
        Binding("e", "look_again", "Look again", id="experiments.look", show=False,
                tooltip="Look at the folder now, not only every other second"),
    ]  # fmt: skip

    class Looked(Message, namespace="experiments"):
        """The home was looked at. problem: why it could not be listed, "" if it could."""

        def __init__(self, overviews: tuple[Overview, ...], problem: str) -> None:
            super().__init__()
            self.overviews = overviews
            self.problem = problem

    class Done(Message, namespace="experiments"):
        """What the person asked for was done, or could not be: the home may look another way now."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self._home = home
        self._reader = OverviewReader(home)
        self._overviews: tuple[Overview, ...] | None = None
        self._problem = ""
        self._shown: dict[str, str] = {}
        self._some_chosen = False

    def compose(self) -> ComposeResult:
        """The filter, the table or why it is empty, what there is to say of the chosen experiment."""
        yield Static("Experiments", id="title", markup=False)
        yield Filter(placeholder="id, label, tag, data set, attack or state", id="filter", compact=True)
        yield ExperimentsTable(id="experiments")
        yield Static(id="empty", markup=False)
        yield Static(id="detail", markup=False)
        yield KeysFooter(palette=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys for the chosen experiment are there when one is chosen."""
        return self._some_chosen if action in ABOUT_ONE else True

    # Looking

    def on_mount(self) -> None:
        """Look again and again from now on."""
        self._timer = self.set_interval(LOOK_SECONDS, self._look_if_idle)
        self._show()

    def on_screen_resume(self, _: events.ScreenResume) -> None:
        """Catch up."""
        self._timer.resume()
        self.look()

    def on_screen_suspend(self, _: events.ScreenSuspend) -> None:
        """Do not look at what nobody sees."""
        self._timer.pause()

    def _look_if_idle(self) -> None:
        # A slow file server must not make looks queue up.
        if not any(worker.group == "look" and not worker.is_finished for worker in self.workers):
            self.look()

    @work(thread=True, group="look")
    def look(self) -> None:
        """Look at the home now, beside the screen."""
        try:
            self.post_message(self.Looked(self._reader.look(), ""))
        except ExperimentError as error:
            self.post_message(self.Looked((), describe_error(error)))

    @on(Looked)
    def _looked(self, message: Looked) -> None:
        self._overviews, self._problem = message.overviews, message.problem
        self._table.marked &= {overview.id for overview in message.overviews}
        self._show()

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self._show()

    def _show(self) -> None:
        """Bring the picture up to date with what was last seen and with the filter."""
        everything = self._overviews or ()
        words = self.query_one("#filter", Input).value
        table = self._table
        table.overviews = tuple(overview for overview in everything if matches(overview, words))
        running = sum(overview.status is ExperimentStatus.RUNNING for overview in everything)
        counts = [f"{len(everything)}", f"{running} running" if running else ""]
        if table.marked:
            counts.append(
                f"{len(table.marked)} marked{' (= compares them)' if len(table.marked) > 1 else ''}"
            )
        counts.append(f"{len(table.overviews)} shown" if words.strip() else "")
        title = f"Experiments: {', '.join(filter(None, counts))}" if everything else "Experiments"
        self._set_text("#title", title)
        if self._overviews is None:
            empty = "Looking ..."
        elif self._problem:
            empty = self._problem
        elif not everything:
            empty = f"No experiments yet under {printable(str(self._home))}\n\nn  sets up a new one"
        else:
            empty = "No experiment matches the filter\n\nescape  shows all again"
        self._set_text("#empty", empty)
        self.set_class(not table.overviews, "-empty")
        if table.overviews and self.focused is None:
            table.focus()
        self._show_detail()

    @on(DataTable.RowHighlighted)
    def _show_detail(self) -> None:
        chosen = self._table.chosen
        self._set_text("#detail", detail(chosen) if chosen else "")
        if self._some_chosen != (chosen is not None):
            self._some_chosen = not self._some_chosen
            self.refresh_bindings()

    def _set_text(self, selector: str, text: str) -> None:
        """Put a text on the screen. The same text again would cost a layout at every look."""
        if self._shown.get(selector) != text:
            self._shown[selector] = text
            self.query_one(selector, Static).update(text)

    # Moving about

    def action_filter(self) -> None:
        """Show the filter and let the person type."""
        self.add_class("-filter")
        self.query_one("#filter", Input).focus()

    def action_back(self) -> None:
        """Show all experiments again; where all are shown, leave the screen."""
        if not self.has_class("-filter"):
            self.dismiss()
            return
        self.query_one("#filter", Input).value = ""
        self.remove_class("-filter")
        self._table.focus()

    def action_look_again(self) -> None:
        """Look now."""
        self.look()

    def action_to_table(self) -> None:
        """Go on among what the filter left."""
        self._table.focus()

    def action_mark(self) -> None:
        """Mark the chosen experiment or take its mark away, and go on to the next."""
        if (experiment := self._readable()) is not None:
            self._table.marked ^= {experiment.id}
            self._table.action_cursor_down()
            self._show()

    # For the app to do

    def action_new(self) -> None:
        """Ask the app for the set-up form."""
        self.post_message(NewExperiment())

    @on(DataTable.RowSelected)
    def action_open(self) -> None:
        """Ask the app to open the chosen experiment."""
        if (experiment := self._readable()) is not None:
            self.post_message(OpenExperiment(experiment))

    def action_clone(self) -> None:
        """Ask the app for the set-up form with the settings of the chosen experiment."""
        if (experiment := self._readable()) is not None:
            self.post_message(CloneExperiment(experiment.spec))

    def action_resume(self) -> None:
        """Ask the app to compute the missing runs of the chosen experiment."""
        if (experiment := self._changeable()) is None:
            return
        match self._table.chosen:
            case Overview(status=ExperimentStatus.RUNNING):
                self._explain(f"{experiment.id} is running already")
            case Overview(status=ExperimentStatus.COMPLETE):
                self._explain(f"{experiment.id} is complete: no run is missing")
            case _:
                self.post_message(ResumeExperiment(experiment))

    def action_extend(self) -> None:
        """Ask the app for more runs of the chosen experiment."""
        if (experiment := self._changeable()) is not None:
            self.post_message(ExtendExperiment(experiment))

    def action_compare(self) -> None:
        """Ask the app to compare the marked experiments, in the order of the table."""
        marked = [o.experiment for o in self._overviews or () if o.experiment and o.id in self._table.marked]
        if len(marked) < 2:
            self._explain("mark two or more experiments with space, then compare them")
        else:
            self.post_message(OpenScreen(screens.CompareScreen(marked)))

    def action_export(self, choice: str = "") -> None:
        """Ask the app to write files of the chosen experiment: the choice, or what the person says."""
        experiment, chosen = self._readable(), self._table.chosen
        if experiment is not None and chosen is not None:
            self.post_message(ExportExperiment(experiment, chosen.status, chosen.done, choice))

    # Done here

    def action_stop(self) -> None:
        """Ask whether to stop the chosen experiment, then do."""
        if (experiment := self._changeable()) is None:
            return
        chosen = self._table.chosen
        if chosen is None or chosen.status is not ExperimentStatus.RUNNING:
            self._explain(f"{experiment.id} is not running")
            return
        kept = f"{chosen.done} of {experiment.spec.runs} runs are complete and kept; those at work are begun anew."
        question = Confirm(f"Stop {experiment.id}?", f"{kept} Resume goes on with it.", "Stop")
        confirm_and_carry_out(self.app, question, partial(stop, experiment), self._look_after)

    def action_delete(self) -> None:
        """Ask whether to delete the chosen experiment, then do."""
        if (experiment := self._changeable()) is None:
            return
        chosen = self._table.chosen
        if chosen is None or chosen.status is ExperimentStatus.RUNNING:
            self._explain(f"{experiment.id} is running: stop it first (s)")
            return
        lost = f"Its results ({chosen.done} complete runs), exports and notes are removed for good."
        question = Confirm(f"Delete {experiment.id}?", lost, "Delete")
        confirm_and_carry_out(self.app, question, partial(delete, experiment), self._look_after)

    def action_label(self) -> None:
        """Ask for the label of the chosen experiment, then write it."""
        experiment, chosen = self._changeable(), self._table.chosen
        if experiment is None or chosen is None:
            return

        def answered(text: str | None) -> None:
            if text is not None:
                carry_out(self.app, partial(label, experiment, text), self._look_after)

        self.app.push_screen(Ask(f"Label of {experiment.id}", chosen.annotations.label), answered)

    def _look_after(self) -> None:
        """Have the home looked at after something was done to it; called in the thread that did it."""
        self.post_message(self.Done())

    @on(Done)
    def _done(self) -> None:
        self.look()

    # What the keys are about

    @property
    def _table(self) -> ExperimentsTable:
        return self.query_one(ExperimentsTable)

    def _readable(self) -> Experiment | None:
        """The chosen experiment; None, and the person is told why, where its spec cannot be read."""
        chosen = self._table.chosen
        if chosen is not None and chosen.experiment is None:
            self._explain(f"{printable(chosen.id)}: {printable(chosen.reason)}", failed=True)
        return chosen.experiment if chosen is not None else None

    def _changeable(self) -> Experiment | None:
        """The chosen experiment; None, and the person is told why, where this version must not change it."""
        chosen = self._table.chosen
        if chosen is not None and chosen.experiment is not None and chosen.read_only:
            self._explain(f"{printable(chosen.id)} can only be read: {printable(chosen.reason)}", failed=True)
            return None
        return self._readable()

    def _explain(self, text: str, *, failed: bool = False) -> None:
        self.notify(text, severity="error" if failed else "information", markup=False)
