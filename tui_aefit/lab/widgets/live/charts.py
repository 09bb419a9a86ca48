"""The two charts of the live screen: they take from its snapshot what they draw."""

from __future__ import annotations

from textual.reactive import reactive

from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.charts.data import PAPER_PAIR, accuracy_data, p_value_data
from tui_aefit.lab.charts.drawing import accuracy_chart, p_value_chart
from tui_aefit.lab.widgets.chart import Chart


class AccuracyChart(Chart):
    """Accuracy against the levels, on the sets of a `snapshot` that charts draw by themselves, or on `all_sets`;
    `fit` ends the axis at the curves.
    """

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)
    all_sets: reactive[bool] = reactive(False, init=False, layout=False, repaint=False)
    fit: reactive[bool] = reactive(False, init=False, layout=False, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            accuracy_chart, empty="Accuracy appears when the first run is complete.", id=id, classes=classes
        )

    def watch_snapshot(self) -> None:
        """Take what concerns the chart."""
        self._choose()

    def watch_all_sets(self) -> None:
        """Draw more curves, or fewer."""
        self._choose()

    def watch_fit(self) -> None:
        """Draw another axis."""
        self._choose()

    def _choose(self) -> None:
        seen = self.snapshot
        self.data = (
            accuracy_data(seen.summary, seen.ladder, all_sets=self.all_sets, fit=self.fit) if seen else None
        )


class PValueChart(Chart):
    """The p-values of a `snapshot` for a `pair` of sets and a `quantity`; `holm`: as adjusted over j."""

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)
    pair: reactive[tuple[str, str]] = reactive(PAPER_PAIR, init=False, layout=False, repaint=False)
    quantity: reactive[str] = reactive("ratio", init=False, layout=False, repaint=False)
    holm: reactive[bool] = reactive(False, init=False, layout=False, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            p_value_chart, empty="p-values appear when runs are complete.", id=id, classes=classes
        )

    def watch_snapshot(self) -> None:
        """Take what concerns the chart."""
        self._choose()

    def watch_pair(self) -> None:
        """Draw another comparison."""
        self._choose()

    def watch_quantity(self) -> None:
        """Draw another quantity."""
        self._choose()

    def watch_holm(self) -> None:
        """Draw the other p-values."""
        self._choose()

    def _choose(self) -> None:
        seen = self.snapshot
        self.data = (
            p_value_data(seen.tests, seen.ladder, pair=self.pair, quantity=self.quantity, holm=self.holm)
            if seen
            else None
        )
