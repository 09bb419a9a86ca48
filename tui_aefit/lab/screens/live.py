"""One experiment, live or finished: the answer first, then the two pictures, the tables and the log."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Horizontal, VerticalScroll
from textual.widgets import Static

from core.records.experiment import Experiment
from core.records.status import ExperimentStatus
from core.report.terms import SLOPES
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab import screens
from tui_aefit.lab.actions import stop
from tui_aefit.lab.background import carry_out, confirm_and_carry_out
from tui_aefit.lab.feeds import SnapshotArrived, start_feed
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.live_panes import PANES, TABLES, LivePanes
from tui_aefit.lab.machine_load import LoadMeasured, start_measuring
from tui_aefit.lab.messages import (
    CopyCommands,
    ExportExperiment,
    ExtendExperiment,
    OpenBeside,
    OpenScreen,
    ResumeExperiment,
)
from tui_aefit.lab.queueing import Turn, TurnRead, move_in_queue, start_now, start_reading, turn_words
from tui_aefit.lab.screens.confirm import Confirm
from tui_aefit.lab.widgets.cell_table import CellTable
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.lab.widgets.live.accuracy_table import AccuracyTable
from tui_aefit.lab.widgets.live.answer import Answer
from tui_aefit.lab.widgets.live.charts import AccuracyChart, PValueChart, SnapshotChart
from tui_aefit.lab.widgets.live.decides import DecidesPane
from tui_aefit.lab.widgets.live.forest import ForestChart
from tui_aefit.lab.widgets.live.header import LiveHeader
from tui_aefit.lab.widgets.live.log_pane import LogPane
from tui_aefit.lab.widgets.live.run_details import RunDetails
from tui_aefit.lab.widgets.live.runs_table import RunsTable
from tui_aefit.lab.widgets.live.statistics_table import StatisticsTable
from tui_aefit.lab.widgets.live.strip import RunStrip

STOP = Binding.Group("Stop/now", compact=True)
"""The group, in the footer, of the keys to stop, and not to wait for the turn."""
KEY_SECONDS = 2.0
"""How long a notice on what a key did stays; longer, it would cover the next screen."""


class LiveScreen(LivePanes):
    """Follows one experiment's journal; computing goes on whether this is shown or not."""

    CSS_PATH = "live.tcss"
    AUTO_FOCUS = "#accuracy-chart"
    BINDINGS = [  # noqa: RUF012  # declared so by Screen
        Binding("g", "gallery", "Gallery", id="live.gallery", tooltip="Look at the images of every set"),
        Binding("s", "stop", "Stop", id="live.stop", group=STOP,
                tooltip="Stop computing; complete runs are kept"),
        Binding("exclamation_mark", "now", "Start now", id="live.now", group=STOP,
                tooltip="Compute it at once, beside all that is computed: it waits for nobody any more"),
        Binding("r", "resume", "Resume", id="live.resume",
                tooltip="Compute the runs that are missing or failed"),
        Binding("x", "export", "Export", id="live.export",
                tooltip="Write files: results, tables, figures or the report"),
        Binding("f", "full", "Full screen", id="live.full",
                tooltip="The pane with the focus on the whole screen, or all panes again"),
        Binding("z", "sets", "Sets", id="live.sets", show=False, tooltip="Choose which sets the chart draws"),
        Binding("escape", "back", "Back", id="live.back", show=False, tooltip="Back to the screen before"),
        Binding("left_square_bracket", "queue(-1)", "Earlier", id="live.earlier", show=False,
                tooltip="Wait one place less in the queue"),
        Binding("right_square_bracket", "queue(1)", "Later", id="live.later", show=False,
                tooltip="Wait one place more in the queue"),
        Binding("less_than_sign", "beside(-1)", "Experiment before", id="live.before", show=False,
                tooltip="The experiment before this one, in the order and filter of the list"),
        Binding("greater_than_sign", "beside(1)", "Next experiment", id="live.next", show=False,
                tooltip="The experiment after this one, in the order and filter of the list"),
        Binding("n", "app.set_up", "New", id="live.new", show=False,
                tooltip="To the form, for a new experiment"),
        Binding("m", "extend", "More runs", id="live.extend", show=False,
                tooltip="Have more runs computed; those that are complete stay"),
        Binding("p", "export('report')", "Report", id="live.report", show=False,
                tooltip="Write an HTML report with figures"),
        Binding("b", "bars", "Error bars", id="live.bars", show=False,
                tooltip="Draw the chart's intervals, or the curves alone"),
        Binding("i", "fit", "Fit", id="live.fit", show=False,
                tooltip="End the accuracy chart at the curves, or at 0 and 1"),
        Binding("c", "crossfit", "Cross-fitted", id="live.crossfit", show=False,
                tooltip="Chart the accuracy by the half that did not select, beside that by the half that did"),
        Binding("h", "holm", "Holm", id="live.holm", show=False,
                tooltip="p-values as they are, or Holm-adjusted"),
        Binding("v", "versus", "Versus", id="live.versus", show=False,
                tooltip="Compare the adversarial set with another one, in the tests and their chart"),
        Binding("t", "quantity", "Quantity", id="live.quantity", show=False,
                tooltip="Chart the tests of the ratios, of the differences or of the log ratios"),
        Binding("y", "copy", "Copy", id="live.copy", show=False,
                tooltip="Copy what is under the cursor: a row, or what the chart's cursor reads"),
        Binding("ctrl+y", "copy_command", "Copy command", id="live.command", show=False,
                tooltip="Copy the shell command that computes this experiment"),
        *(
            Binding(str(place), f"pane('{name}')", title, id=f"live.{name}", show=False,
                    tooltip=f"Show: {title}")
            for place, (name, title) in enumerate(PANES.items(), start=1)
        ),
    ]  # fmt: skip

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment
        self._snapshot: Snapshot | None = None
        self._turn: Turn | None = None

    def compose(self) -> ComposeResult:
        """Header, answer, runs; the pictures and the tables, each with its tabs."""
        # Before the panes exist: else each would be styled anew.
        self.frame_panes()
        yield LiveHeader(self.experiment.id, id="header")
        yield Static("", id="trouble", markup=False)
        yield Static("", id="turn", markup=False)
        yield Answer(key_of(self, "live.resume"), key_of(self, "live.extend"), id="answer")
        yield RunStrip(id="strip")
        yield self.pane_tabs(PANES, "tabs")
        with Horizontal(id="pictures"):
            with Container(id="charts-pane", classes="pane picture"):
                yield AccuracyChart(key_of(self, "live.crossfit"), id="accuracy-chart")
            with Container(id="decides-pane", classes="pane picture"):
                yield ForestChart(id="forest-chart")
            with Container(id="p-values-pane", classes="pane picture"):
                yield PValueChart(id="p-chart")
        yield self.pane_tabs(TABLES, "table-tabs")
        with Container(id="tables"):
            with Container(id="accuracy-pane", classes="pane"):
                yield AccuracyTable(id="accuracy-table")
            yield DecidesPane(id="claims-pane", classes="pane")
            with Container(id="tests-pane", classes="pane"):
                yield StatisticsTable(id="tests-table")
            with Horizontal(id="runs-pane", classes="pane"):
                yield RunsTable(id="runs-table")
                yield RunDetails(id="run-details")
            with Container(id="log-pane", classes="pane"):
                yield LogPane(id="log-lines")
            with VerticalScroll(id="verdict-pane", classes="pane"):
                yield Static("", id="verdict-text", markup=False)
        yield KeysFooter(palette=False)

    def on_mount(self) -> None:
        """Begin to follow the journal."""
        self.entitle()
        self.query_one("#verdict-pane").border_title = "Verdict"
        self.arrange_panes()
        start_feed(self, self.experiment)
        start_measuring(self)
        start_reading(self, self._home, self.experiment.id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the key to stop while it runs, and to resume while it does not and runs are missing."""
        if action in ("queue", "now"):
            return self._turn is not None
        seen = self._snapshot
        if seen is None:
            return action not in ("stop", "resume", "extend")
        running = seen.status is ExperimentStatus.RUNNING
        if action == "stop":
            return running and not seen.newer
        if action == "resume":
            return not running and seen.complete < seen.spec.runs and not seen.newer
        return action != "extend" or not seen.newer

    # What is told

    @on(SnapshotArrived)
    def _show(self, message: SnapshotArrived) -> None:
        message.stop()
        before, snapshot = self._snapshot, message.snapshot
        self._snapshot = snapshot
        # More runs may be asked for now.
        self.experiment = replace(self.experiment, spec=snapshot.spec)
        self.query_one(LiveHeader).snapshot = snapshot
        self.query_one(Answer).snapshot = snapshot
        self.query_one(RunStrip).snapshot = snapshot
        self.query_one(AccuracyChart).snapshot = snapshot
        self.query_one(ForestChart).snapshot = snapshot
        self.query_one(PValueChart).snapshot = snapshot
        self.query_one(AccuracyTable).snapshot = snapshot
        self.query_one(DecidesPane).snapshot = snapshot
        self.query_one(StatisticsTable).snapshot = snapshot
        self.query_one(RunsTable).snapshot = snapshot
        self.query_one(RunDetails).snapshot = snapshot
        self.query_one(LogPane).snapshot = snapshot
        self._show_trouble(snapshot)
        self.give_room()
        if before is None or before.verdict != snapshot.verdict:
            self.query_one("#verdict-text", Static).update(verdict(snapshot))
        if before is None or before.status != snapshot.status or before.complete != snapshot.complete:
            self.refresh_bindings()

    @on(LoadMeasured)
    def _show_load(self, message: LoadMeasured) -> None:
        message.stop()
        self.query_one(LiveHeader).load = message.load

    @on(TurnRead)
    def _show_turn(self, message: TurnRead) -> None:
        message.stop()
        if message.turn == self._turn:
            return
        self._turn = message.turn
        self.query_one(LiveHeader).turn = message.turn
        line = self.query_one("#turn", Static)
        line.update(turn_words(message.turn, self._queue_keys()) if message.turn is not None else "")
        line.display = message.turn is not None
        self.refresh_bindings()

    def _queue_keys(self) -> str:
        """The present keys that change the experiment's turn, with what they do."""
        bindings = {active.binding.id: active.binding for active in self.active_bindings.values()}
        keys = [bindings[id] for id in ("live.now", "live.earlier", "live.later") if id in bindings]
        return ", ".join(f"{self.app.get_key_display(key)} {key.description.lower()}" for key in keys)

    @on(RunsTable.RunSelected)
    def _run_selected(self, event: RunsTable.RunSelected) -> None:
        self.query_one(AccuracyTable).run = event.index
        self.query_one(RunDetails).run = event.index

    @on(RunsTable.DetailsAsked)
    def _details_asked(self) -> None:
        self.query_one("#runs-pane").toggle_class("-details")
        self.call_after_refresh(self.focus_pane, "runs")

    @on(StatisticsTable.PairChanged)
    def _pair_changed(self, event: StatisticsTable.PairChanged) -> None:
        self.query_one(PValueChart).pair = event.pair

    def _show_trouble(self, snapshot: Snapshot) -> None:
        text = trouble(snapshot)
        line = self.query_one("#trouble", Static)
        if str(line.content) != text:
            line.update(text)
            line.display = bool(text)

    # Moving about

    def action_back(self) -> None:
        """Go one step back: from the full screen, or a run's details, to the panes, then out of the screen."""
        details = self.query_one("#runs-pane")
        if self.full:
            self.action_full()
        elif details.has_class("-details") and details.display:
            details.remove_class("-details")
            self.call_after_refresh(self.focus_pane, "runs")
        else:
            self.dismiss()

    # Keys for the charts

    def action_holm(self) -> None:
        """Show Holm-adjusted p-values in the chart, or unadjusted ones again."""
        chart = self.query_one(PValueChart)
        chart.holm = not chart.holm
        self.bring_pane("p-values")

    def action_versus(self) -> None:
        """Compare another pair of sets."""
        self.query_one(StatisticsTable).next_pair()
        self.bring_pane("p-values", "tests")

    def action_quantity(self) -> None:
        """Chart the tests of the next quantity."""
        chart, quantities = self.query_one(PValueChart), list(SLOPES)
        chart.quantity = quantities[(quantities.index(chart.quantity) + 1) % len(quantities)]
        self.bring_pane("p-values")

    def action_fit(self) -> None:
        """Change between an axis from 0 to 1 and one that ends at the curves."""
        chart = self.query_one(AccuracyChart)
        chart.fit = not chart.fit
        self.bring_pane("charts")

    def action_bars(self) -> None:
        """Draw intervals, or none."""
        chart = self.query_one(AccuracyChart)
        chart.bars = not chart.bars
        self.bring_pane("charts")

    def action_crossfit(self) -> None:
        """Chart the cross-fitted accuracies, or those of the sets again."""
        chart = self.query_one(AccuracyChart)
        chart.crossfit = not chart.crossfit
        self.bring_pane("charts")

    def action_sets(self) -> None:
        """Let the person choose which sets the chart draws."""
        chart = self.query_one(AccuracyChart)
        names = chart.names
        if not names:
            self.notify("there is no curve yet", timeout=KEY_SECONDS)
            return
        self.bring_pane("charts")

        def chosen(sets: tuple[str, ...] | None) -> None:
            if sets is not None:
                chart.sets = sets

        self.app.push_screen(screens.ChooseSome(names, chart.drawn), chosen)

    # Other keys

    def action_gallery(self) -> None:
        """Look at the images."""
        self.post_message(OpenScreen(screens.GalleryScreen(self.experiment)))

    def action_beside(self, steps: int) -> None:
        """Look at another experiment of the list."""
        self.post_message(OpenBeside(self.experiment, steps))

    def action_copy_command(self) -> None:
        """Ask the app to copy the command that computes the experiment."""
        self.post_message(CopyCommands([self.experiment.spec]))

    def action_resume(self) -> None:
        """Ask the app to have the missing runs computed."""
        self.post_message(ResumeExperiment(self.experiment))

    def action_extend(self) -> None:
        """Ask the app for more runs; it asks how many."""
        self.post_message(ExtendExperiment(self.experiment))

    def action_stop(self) -> None:
        """Stop, after asking."""
        question = Confirm(
            f"Stop {self.experiment.id}?", "Complete runs are kept; it can be resumed.", "Stop"
        )
        confirm_and_carry_out(self.app, question, partial(stop, self.experiment))

    def action_queue(self, steps: int) -> None:
        """Move the experiment `steps` places back in the queue, forward where negative."""
        carry_out(self.app, partial(move_in_queue, self._home, self.experiment.id, steps))

    def action_now(self) -> None:
        """Let the experiment wait for nobody any more."""
        carry_out(self.app, partial(start_now, self._home, self.experiment.id))

    @property
    def _home(self) -> Path:
        """The home that the experiment is in."""
        return self.experiment.folder.parents[1]

    def action_export(self, choice: str = "") -> None:
        """Ask the app to write files. choice: which; "" to ask the person."""
        seen = self._snapshot
        status, done = (seen.status, seen.complete) if seen else (None, 0)
        self.post_message(ExportExperiment(self.experiment, status, done, choice))

    def action_copy(self) -> None:
        """Copy the row under the cursor, or the values at a chart's cursor; elsewhere the answer."""
        focused = self.focused
        if isinstance(focused, CellTable | SnapshotChart):
            text = focused.copied()
        elif self.chosen == "verdict" and self._snapshot is not None:
            text = verdict(self._snapshot)
        else:
            text = self.query_one(Answer).text
        if text:
            self.app.copy_to_clipboard(text)
            self.notify(f"copied: {text.splitlines()[0]}", timeout=KEY_SECONDS, markup=False)


def trouble(snapshot: Snapshot) -> str:
    """What is wrong with an experiment or its records, a line each; "" where nothing is."""
    lines = ["! written by a newer version: only looked at here"] if snapshot.newer else []
    if snapshot.error:
        first, *rest = snapshot.error.splitlines()
        more = " (the log has the rest)" if rest else ""
        lines.append(f"✗ {first}{more}. {' '.join(snapshot.hint.splitlines())}")
    lines += [f"! {len(snapshot.problems)} unreadable: {problem}" for problem in snapshot.problems[:1]]
    return "\n".join(lines)


def verdict(snapshot: Snapshot) -> str:
    """The verdict in sentences, or why there is none yet."""
    if not snapshot.verdict:
        return "The verdict appears when the first run is complete."
    return "\n\n".join(snapshot.verdict)
