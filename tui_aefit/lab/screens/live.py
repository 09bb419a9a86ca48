"""One experiment, live or finished: its runs, accuracies, tests, verdict and log."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Container, VerticalScroll
from textual.screen import Screen
from textual.theme import Theme
from textual.widgets import Static, Tab, Tabs

from core.errors import AefitError
from core.records.experiment import Experiment
from core.report.terms import SLOPES
from tui_aefit.following.cost import duration
from tui_aefit.following.feed import SnapshotArrived, start_feed
from tui_aefit.following.listing import STATES
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab import actions as deeds
from tui_aefit.lab.screens.confirm import Confirm
from tui_aefit.lab.screens.requests import ExportExperiment, OpenGallery, ResumeExperiment
from tui_aefit.lab.theme import FollowsTheme, ink
from tui_aefit.lab.widgets.accuracy_table import AccuracyTable
from tui_aefit.lab.widgets.chart import AccuracyChart, PValueChart
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.lab.widgets.log_pane import LogPane
from tui_aefit.lab.widgets.runs_table import RunsTable
from tui_aefit.lab.widgets.tests_table import TestsTable

PANES = {
    "runs": "Runs",
    "accuracy": "Accuracy",
    "charts": "Charts",
    "tests": "Tests",
    "verdict": "Verdict",
    "log": "Log",
}
"""The panes with their titles; in a narrow terminal one is seen at a time."""

KEY_SECONDS = 2.0
"""How long it is told what a key did to a chart, which says so itself where it is seen.

Longer, it would lie over the next screen; Textual takes back all that is told or nothing.
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
            tooltip="Chart the accuracy of all sets, or of the paper's with noise and matched",
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

    def compose(self) -> ComposeResult:
        """A line on the whole, tabs where it is narrow, the panes."""
        yield Static(self.experiment.id, id="headline", markup=False)
        yield Tabs(
            *(Tab(f"{place} {title}", id=name) for place, (name, title) in enumerate(PANES.items(), 1))
        )
        with Container(id="panes"):
            with Container(id="runs-pane", classes="pane"):
                yield RunsTable(id="runs-table")
            with Container(id="accuracy-pane", classes="pane"):
                yield AccuracyTable(id="accuracy-table")
            with Container(id="log-pane", classes="pane"):
                yield LogPane(id="log-lines")
            with Container(id="charts-pane", classes="pane"):
                yield AccuracyChart(id="accuracy-chart")
                yield PValueChart(id="p-chart")
            with Container(id="tests-pane", classes="pane"):
                yield TestsTable(id="tests-table")
            with VerticalScroll(id="verdict-pane", classes="pane"):
                yield Static("", id="verdict-text", markup=False)
        yield KeysFooter(palette=False)

    def on_mount(self) -> None:
        """Begin to follow the journal."""
        self.query_one("#charts-pane").border_title = "Charts"
        self.query_one("#verdict-pane").border_title = "Verdict"
        self._show_pane("runs")
        start_feed(self, self.experiment)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Stop is there while it runs, resume while it does not and something is missing."""
        if self._snapshot is None:
            return action not in ("stop", "resume")
        running = self._snapshot.status == "running"
        if action == "stop":
            return running and not self._snapshot.newer
        if action == "resume":
            return (
                not running
                and self._snapshot.complete < self.experiment.spec.runs
                and not self._snapshot.newer
            )
        return True

    def on_resize(self) -> None:
        """Keep the focus in sight: of what is hidden now, the pane that is shown takes it over."""
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        if self.focused is None and (active := self.query_one(Tabs).active):
            self._focus_pane(active)

    @on(SnapshotArrived)
    def _show(self, message: SnapshotArrived) -> None:
        message.stop()
        before, snapshot = self._snapshot, message.snapshot
        self._snapshot = snapshot
        # A new layout draws every pane again, so only where lines may break in another place.
        text = headline(snapshot, partial(ink, self.app))
        broken_anew = before is None or text.cell_len != headline(before).cell_len
        self.query_one("#headline", Static).update(text, layout=broken_anew)
        self.query_one(RunsTable).snapshot = snapshot
        self.query_one(AccuracyTable).snapshot = snapshot
        self.query_one(AccuracyChart).snapshot = snapshot
        self.query_one(PValueChart).snapshot = snapshot
        self.query_one(TestsTable).snapshot = snapshot
        self.query_one(LogPane).snapshot = snapshot
        if before is None or before.verdict != snapshot.verdict:
            self.query_one("#verdict-text", Static).update(verdict(snapshot))
        if before is None or before.status != snapshot.status or before.complete != snapshot.complete:
            self.refresh_bindings()

    def theme_changed(self, theme: Theme) -> None:
        """Draw the headline in the colours of another theme."""
        if self._snapshot is not None:
            text = headline(self._snapshot, partial(ink, self.app))
            self.query_one("#headline", Static).update(text, layout=False)

    @on(Tabs.TabActivated)
    def _tab(self, event: Tabs.TabActivated) -> None:
        self._show_pane(str(event.tab.id))

    @on(RunsTable.RunSelected)
    def _run_selected(self, event: RunsTable.RunSelected) -> None:
        self.query_one(AccuracyTable).run = event.index

    @on(TestsTable.PairChanged)
    def _pair_changed(self, event: TestsTable.PairChanged) -> None:
        self.query_one(PValueChart).pair = event.pair

    def action_pane(self, name: str) -> None:
        """Show one pane: bring it to the front, or give it the focus where all are seen.

        Where there is room for one chart, its key brings the other one when it is in front already.
        """
        charts = self.query_one("#charts-pane")
        if name == "charts" and charts.has_class("-active"):
            charts.toggle_class("-p-values")
        charts.border_subtitle = f"3: {'accuracy' if charts.has_class('-p-values') else 'p-values'}"
        self.query_one(Tabs).active = name
        self._show_pane(name)
        # What is hidden has no size, and what does not overflow takes no focus.
        self.call_after_refresh(self._focus_pane, name)

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
        told = "p-values are Holm-adjusted over j" if chart.holm else "p-values are as they are"
        self.notify(told, timeout=KEY_SECONDS)

    def action_versus(self) -> None:
        """Compare another pair of sets."""
        self.query_one(TestsTable).next_pair()

    def action_quantity(self) -> None:
        """Chart the tests of the next quantity."""
        chart, quantities = self.query_one(PValueChart), list(SLOPES)
        chart.quantity = quantities[(quantities.index(chart.quantity) + 1) % len(quantities)]
        told = f"p-values are those of {SLOPES[chart.quantity]}"
        self.notify(told, timeout=KEY_SECONDS, markup=False)

    def action_fit(self) -> None:
        """Change between an axis from 0 to 1 and one that ends at the curves."""
        chart = self.query_one(AccuracyChart)
        chart.fit = not chart.fit

    def action_curves(self) -> None:
        """Chart all sets, or the plain ones."""
        chart = self.query_one(AccuracyChart)
        chart.all_sets = not chart.all_sets

    def action_gallery(self) -> None:
        """Look at the images."""
        self.post_message(OpenGallery(self.experiment))

    def action_resume(self) -> None:
        """Have what is missing computed."""
        self.post_message(ResumeExperiment(self.experiment))

    @work
    async def action_stop(self) -> None:
        """Stop, after asking."""
        if await self.app.push_screen_wait(
            Confirm(f"Stop {self.experiment.id}?", "Complete runs are kept; it can be resumed.", "Stop")
        ):
            self._do(partial(deeds.stop, self.experiment))

    def action_export(self, choice: str = "") -> None:
        """Have files written: the choice, or what the person says."""
        seen = self._snapshot
        status, done = (seen.status, seen.complete) if seen else ("", 0)
        self.post_message(ExportExperiment(self.experiment, status, done, choice))

    def _do(self, deed: partial[str]) -> None:
        """Do something with the disk beside the screen, and tell what came of it, also when it has been left."""
        self.app.run_worker(partial(_carry_out, self.app, deed), thread=True, group="do")

    def _show_pane(self, name: str) -> None:
        for other in PANES:
            self.query_one(f"#{other}-pane").set_class(other == name, "-active")


def _carry_out(app: App[object], deed: partial[str]) -> None:
    try:
        app.notify(deed(), markup=False)
    except AefitError as error:
        app.notify(deeds.told(error), severity="error", markup=False)


def headline(snapshot: Snapshot, tint: Callable[[str], str] = str) -> Text:
    """The whole in one line: id, state, how far, how long yet. tint: of a style, the one that is drawn."""
    spec = snapshot.spec
    glyph, word, style = STATES.get(snapshot.status, ("?", snapshot.status, ""))
    text = Text.assemble((snapshot.id, "bold"), "  ", (f"{glyph} {word}", tint(style)))
    text.append(f"  {snapshot.complete}/{spec['runs']} runs")
    if snapshot.status == "running" and snapshot.remaining is not None:
        text.append(f"  {duration(snapshot.remaining)} left")
    text.append(f"  epsilon {spec['epsilon']:g}  Z {spec['z']}")
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
