"""The pane of what decides: the claims, and below them the accuracies of which the first claims are made."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.reactive import reactive
from textual.widgets import Static

from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.widgets.live.claims_table import ClaimsTable
from tui_aefit.lab.widgets.live.crossfit_table import CrossFitTable

NOT_YET = "What decides the claim appears when the first run is complete."
NOT_MEASURED = (
    "What decides the claim was not measured in these runs: an older version computed them. The other panes show "
    "what they found; the rise there has the selection of the images in it."
)


class DecidesPane(Container):
    """Shows the claims of a `snapshot`, or a sentence where it has none."""

    DEFAULT_CSS = """
    DecidesPane {
        ClaimsTable { height: 1fr; }
        CrossFitTable { height: auto; max-height: 50%; }
        #no-claims { display: none; border: round $foreground 30%; border-title-color: $foreground; padding: 0 1; }
        #no-claims:focus { border: round $primary; }
        #no-claims Static { height: auto; }
        &.-without-claims {
            ClaimsTable, CrossFitTable { display: none; }
            #no-claims { display: block; }
        }
        &.-without-crossfit CrossFitTable { display: none; }
    }
    """

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)

    def compose(self) -> ComposeResult:
        """The tables, and the sentence that replaces them."""
        yield ClaimsTable(id="claims-table")
        yield CrossFitTable(id="crossfit-table")
        with VerticalScroll(id="no-claims") as sentence:
            sentence.border_title = "What decides"
            yield Static(NOT_YET, markup=False)

    def on_mount(self) -> None:
        """Show the sentence until there is a snapshot."""
        self.add_class("-without-claims")
        self.watch_snapshot()

    def watch_snapshot(self) -> None:
        """Show what changed."""
        snapshot = self.snapshot
        if snapshot is None:
            return
        measured = any(run.crossfit is not None for run in snapshot.metrics.values())
        self.set_class(not snapshot.claims, "-without-claims")
        self.set_class(not measured, "-without-crossfit")
        # A screen that is left while it is composed does not have all of its widgets.
        for sentence in self.query("#no-claims Static").results(Static):
            sentence.update(NOT_MEASURED if snapshot.statistics_runs else NOT_YET)
        for table in self.query("#claims-table").results(ClaimsTable):
            table.snapshot = snapshot
        for means in self.query("#crossfit-table").results(CrossFitTable):
            means.snapshot = snapshot
