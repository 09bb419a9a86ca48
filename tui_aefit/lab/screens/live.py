"""One experiment, live or finished: its runs, accuracies, tests, verdict and log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, VerticalScroll
from textual.screen import Screen
from textual.theme import Theme
from textual.widgets import Static, Tab, Tabs

from core.records.experiment import Experiment
from core.records.status import ExperimentStatus
from core.report.formatting import duration
from core.report.terms import SLOPES
from tui_aefit.following.listing import STATES
from tui_aefit.following.sentences import describe_rates
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab import screens
from tui_aefit.lab.actions import stop
from tui_aefit.lab.background import confirm_and_carry_out
from tui_aefit.lab.feeds import SnapshotArrived, start_feed
from tui_aefit.lab.messages import ExportExperiment, ExtendExperiment, OpenScreen, ResumeExperiment
from tui_aefit.lab.screens.confirm import Confirm
from tui_aefit.lab.theme import FollowsTheme, ink
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.lab.widgets.live.accuracy_table import AccuracyTable
from tui_aefit.lab.widgets.live.charts import AccuracyChart, PValueChart
from tui_aefit.lab.widgets.live.decides import DecidesPane
from tui_aefit.lab.widgets.live.log_pane import LogPane
from tui_aefit.lab.widgets.live.runs_table import RunsTable
from tui_aefit.lab.widgets.live.statistics_table import StatisticsTable

PANES = {
    "runs": "Runs",
    "accuracy": "Accuracy",
    "charts": "Charts",
    "decides": "Decides",
    "tests": "Tests",
    "verdict": "Verdict",
    "log": "Log",
}
"""The panes with their titles; in a narrow terminal one is seen at a time."""

HEADLINE_PADDING = 2
"""Cells beside the headline."""
KEY_SECONDS = 2.0
"""How long a notice stays of what a key did to a chart, which says so itself where it is seen.

Longer, it would lie over the next screen; Textual takes back all notices or none.
"""


class LiveScreen(FollowsTheme, Screen[None]):
    """Follows one experiment's journal; computing goes on whether this is shown or not."""

    CSS_PATH = "live.tcss"
    # All panes at once need both: too low, a chart would have no room.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  # declared so by Screen
    VERTICAL_BREAKPOINTS = [(0, "-low"), (40, "-high")]  # noqa: RUF012
    AUTO_FOCUS = "RunsTable"
    BINDINGS = [  # noqa: RUF012
        Binding("g", "gallery", "Gallery", id="live.gallery", tooltip="Look at the images of every set"),
        Binding("s", "stop", "Stop", id="live.stop", tooltip="Stop computing; complete runs are kept"),
        Binding(
            "r", "resume", "Resume", id="live.resume", tooltip="Compute the runs that are missing or failed"
        ),
        Binding(
            "m",
            "extend",
            "More runs",
            id="live.extend",
            show=False,
            tooltip="Have more runs computed; those that are complete stay",
        ),
        Binding(
            "h", "holm", "Holm", id="live.holm", show=False, tooltip="p-values as they are, or Holm-adjusted"
        ),
        Binding(
            "v",
            "versus",
            "Versus",
            id="live.versus",
            show=False,
            tooltip="Compare the adversarial set with another one, in the tests and their chart",
        ),
        Binding(
            "t",
            "quantity",
            "Quantity",
            id="live.quantity",
            show=False,
            tooltip="Chart the tests of the ratios, of the differences or of the log ratios",
        ),
        Binding(
            "f",
            "fit",
            "Fit",
            id="live.fit",
            show=False,
            tooltip="End the accuracy chart at the curves, or at 0 and 1",
        ),
        Binding(
            "a",
            "curves",
            "All curves",
            id="live.curves",
            show=False,
            tooltip="Chart the accuracy of all sets, or of those that charts begin with",
        ),
        Binding(
            "c",
            "crossfit",
            "Cross-fitted",
            id="live.crossfit",
            show=False,
            tooltip="Chart the accuracy by the half that did not select, beside that by the half that did",
        ),
        Binding(
            "x",
            "export",
            "Export",
            id="live.export",
            tooltip="Write files: results, tables, figures or the report",
        ),
        Binding(
            "p",
            "export('report')",
            "Report",
            id="live.report",
            show=False,
            tooltip="Write an HTML report with figures",
        ),
        Binding("escape,n", "app.set_up", "New", id="live.back", tooltip="To the form, for a new experiment"),
        *(
            Binding(
                str(place), f"pane('{name}')", title, id=f"live.{name}", show=False, tooltip=f"Show: {title}"
            )
            for place, (name, title) in enumerate(PANES.items(), start=1)
        ),
    ]

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment
        self._snapshot: Snapshot | None = None
        self._headline_length = 0

    def compose(self) -> ComposeResult:
        """A line on the whole, tabs where it is narrow, the panes."""
        yield Static(self.experiment.id, id="headline", markup=False)
        yield Tabs(
            *(Tab(f"{place} {title}", id=name) for place, (name, title) in enumerate(PANES.items(), 1))
        )
        with Container(id="panes"):
            with Container(id="runs-pane", classes="pane"):
                yield RunsTable(id="runs-table")
            with VerticalScroll(id="verdict-pane", classes="pane"):
                yield Static("", id="verdict-text", markup=False)
            with Container(id="charts-pane", classes="pane"):
                yield AccuracyChart(id="accuracy-chart")
                yield PValueChart(id="p-chart")
            yield DecidesPane(id="decides-pane", classes="pane")
            with Container(id="accuracy-pane", classes="pane"):
                yield AccuracyTable(id="accuracy-table")
            with Container(id="tests-pane", classes="pane"):
                yield StatisticsTable(id="tests-table")
            with Container(id="log-pane", classes="pane"):
                yield LogPane(id="log-lines")
        yield KeysFooter(palette=False)

    def on_mount(self) -> None:
        """Begin to follow the journal."""
        self.query_one("#charts-pane").border_title = "Charts"
        self.query_one("#verdict-pane").border_title = "Verdict"
        self._show_pane("runs")
        self._entitle_charts()
        start_feed(self, self.experiment)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Stop is there while it runs, resume while it does not and something is missing."""
        seen = self._snapshot
        if seen is None:
            return action not in ("stop", "resume", "extend")
        running = seen.status is ExperimentStatus.RUNNING
        if action == "stop":
            return running and not seen.newer
        if action == "resume":
            return not running and seen.complete < seen.spec.runs and not seen.newer
        return action != "extend" or not seen.newer

    def on_resize(self) -> None:
        """Keep the focus in sight: of what is hidden now, the pane that is shown takes it over."""
        self._show_headline()
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        if self.focused is None and (active := self.query_one(Tabs).active):
            self._focus_pane(active)

    @on(SnapshotArrived)
    def _show(self, message: SnapshotArrived) -> None:
        message.stop()
        before, snapshot = self._snapshot, message.snapshot
        self._snapshot = snapshot
        # More runs may be asked for now.
        self.experiment = replace(self.experiment, spec=snapshot.spec)
        self._show_headline()
        self.query_one(RunsTable).snapshot = snapshot
        self.query_one(AccuracyTable).snapshot = snapshot
        self.query_one(AccuracyChart).snapshot = snapshot
        self.query_one(PValueChart).snapshot = snapshot
        self.query_one(DecidesPane).snapshot = snapshot
        self.query_one(StatisticsTable).snapshot = snapshot
        self.query_one(LogPane).snapshot = snapshot
        if before is None or before.verdict != snapshot.verdict:
            self.query_one("#verdict-text", Static).update(verdict(snapshot))
        if before is None or before.status != snapshot.status or before.complete != snapshot.complete:
            self.refresh_bindings()

    def theme_changed(self, theme: Theme) -> None:
        """Draw the headline in the colours of another theme."""
        self._show_headline()

    def _show_headline(self) -> None:
        if self._snapshot is None:
            return
        text = headline(self._snapshot, self.app.size.width - HEADLINE_PADDING, partial(ink, self.app))
        # A new layout draws every pane again, so only where lines may break in another place.
        self.query_one("#headline", Static).update(text, layout=text.cell_len != self._headline_length)
        self._headline_length = text.cell_len

    @on(Tabs.TabActivated)
    def _tab(self, event: Tabs.TabActivated) -> None:
        self._show_pane(str(event.tab.id))

    @on(RunsTable.RunSelected)
    def _run_selected(self, event: RunsTable.RunSelected) -> None:
        self.query_one(AccuracyTable).run = event.index

    @on(StatisticsTable.PairChanged)
    def _pair_changed(self, event: StatisticsTable.PairChanged) -> None:
        self.query_one(PValueChart).pair = event.pair

    def action_pane(self, name: str) -> None:
        """Show one pane: bring it to the front, or give it the focus where all are seen.

        Where there is room for one chart, its key brings the other one when the first is seen already.
        """
        charts = self.query_one("#charts-pane")
        all_seen = self.has_class("-wide") and self.has_class("-high")
        if name == "charts" and (all_seen or charts.has_class("-active")):
            charts.toggle_class("-p-values")
        self._entitle_charts()
        self.query_one(Tabs).active = name
        self._show_pane(name)
        # What is hidden has no size, and what does not overflow takes no focus.
        self.call_after_refresh(self._focus_pane, name)

    def _entitle_charts(self) -> None:
        """Say which chart the key brings, seen where there is room for one."""
        charts = self.query_one("#charts-pane")
        key = list(PANES).index("charts") + 1
        charts.border_subtitle = f"{key}: {'accuracy' if charts.has_class('-p-values') else 'p-values'}"

    def _focus_pane(self, name: str) -> None:
        pane = self.query_one(f"#{name}-pane")
        for widget in (pane, *pane.query("*")):
            if widget.focusable and widget.display:
                widget.focus()
                break

    def action_holm(self) -> None:
        """Change which p-values the chart shows."""
        chart = self.query_one(PValueChart)
        chart.holm = not chart.holm
        text = "p-values are Holm-adjusted over j" if chart.holm else "p-values are as they are"
        self.notify(text, timeout=KEY_SECONDS)

    def action_versus(self) -> None:
        """Compare another pair of sets."""
        self.query_one(StatisticsTable).next_pair()

    def action_quantity(self) -> None:
        """Chart the tests of the next quantity."""
        chart, quantities = self.query_one(PValueChart), list(SLOPES)
        chart.quantity = quantities[(quantities.index(chart.quantity) + 1) % len(quantities)]
        text = f"p-values are those of {SLOPES[chart.quantity]}"
        self.notify(text, timeout=KEY_SECONDS, markup=False)

    def action_fit(self) -> None:
        """Change between an axis from 0 to 1 and one that ends at the curves."""
        chart = self.query_one(AccuracyChart)
        chart.fit = not chart.fit

    def action_curves(self) -> None:
        """Chart all sets, or those that charts draw by themselves."""
        chart = self.query_one(AccuracyChart)
        chart.all_sets = not chart.all_sets
        chart.crossfit = False

    def action_crossfit(self) -> None:
        """Chart the cross-fitted accuracies, or those of the sets again."""
        chart = self.query_one(AccuracyChart)
        chart.crossfit = not chart.crossfit

    def action_gallery(self) -> None:
        """Look at the images."""
        self.post_message(OpenScreen(screens.GalleryScreen(self.experiment)))

    def action_resume(self) -> None:
        """Have what is missing computed."""
        self.post_message(ResumeExperiment(self.experiment))

    def action_extend(self) -> None:
        """Have more runs computed; the app asks how many."""
        self.post_message(ExtendExperiment(self.experiment))

    def action_stop(self) -> None:
        """Stop, after asking."""
        question = Confirm(
            f"Stop {self.experiment.id}?", "Complete runs are kept; it can be resumed.", "Stop"
        )
        confirm_and_carry_out(self.app, question, partial(stop, self.experiment))

    def action_export(self, choice: str = "") -> None:
        """Have files written: the choice, or what the person says."""
        seen = self._snapshot
        status, done = (seen.status, seen.complete) if seen else (None, 0)
        self.post_message(ExportExperiment(self.experiment, status, done, choice))

    def _show_pane(self, name: str) -> None:
        for other in PANES:
            self.query_one(f"#{other}-pane").set_class(other == name, "-active")


def headline(snapshot: Snapshot, width: int, tint: Callable[[str], str] = str) -> Text:
    """The whole in one line of `width` cells: id, state, how far, how long yet; the settings where they fit.

    tint: of a style, the one that is drawn.
    """
    spec = snapshot.spec
    glyph, word, style = STATES[snapshot.status]
    text = Text.assemble((snapshot.id, "bold"), "  ", (f"{glyph} {word}", tint(style)))
    text.append(f"  {snapshot.complete}/{spec.runs} runs")
    if snapshot.status is ExperimentStatus.RUNNING and snapshot.remaining is not None:
        text.append(f"  {duration(snapshot.remaining)} left")
    rates = describe_rates(snapshot.metrics.values())
    for setting in (
        f"  epsilon {spec.epsilon:g}",
        f"  {snapshot.ladder.span}",
        f"  {rates}" if rates else "",
    ):
        if text.cell_len + cell_len(setting) > width:
            break
        text.append(setting)
    if snapshot.newer:
        text.append("  written by a newer version: only looked at here", "bold")
    if snapshot.error:
        first, *rest = snapshot.error.splitlines()
        more = " (the log has the rest)" if rest else ""
        text.append(f"\n✗ {first}{more}. {' '.join(snapshot.hint.splitlines())}", "bold")
    for problem in snapshot.problems[:1]:
        text.append(f"\n! {len(snapshot.problems)} unreadable: {problem}")
    return text


def verdict(snapshot: Snapshot) -> str:
    """The verdict in sentences, or why there is none yet."""
    if not snapshot.verdict:
        return "The verdict appears when the first run is complete."
    return "\n\n".join(snapshot.verdict)
