"""The two charts of the live screen: they take from its snapshot what they draw."""

from __future__ import annotations

from textual.reactive import reactive

from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.charts.data import (
    PAPER_PAIR,
    AccuracyData,
    PValueData,
    accuracy_data,
    crossfit_data,
    p_value_data,
)
from tui_aefit.lab.charts.drawing import accuracy_chart, p_value_chart
from tui_aefit.lab.widgets.chart import Chart

NOT_YET = "Accuracy appears when the first run is complete."
NOT_CROSSFITTED = "These runs have no cross-fitted accuracy: an older version computed them. c goes back."


class SnapshotChart(Chart):
    """A chart of a `snapshot`, None before the first. What else it is drawn by calls `choose` when it changes."""

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)

    def choose(self) -> None:
        """Take what is drawn from the snapshot."""
        self.data = self.data_of(self.snapshot) if self.snapshot is not None else None

    def data_of(self, snapshot: Snapshot) -> object:
        """What is drawn of a snapshot, None where it has nothing of the kind."""
        raise NotImplementedError

    watch_snapshot = choose


class AccuracyChart(SnapshotChart):
    """Accuracy against the levels, on the sets of a `snapshot` that charts draw by themselves, or on `all_sets`;
    `crossfit`: by the half of the training images that did not select, instead. `fit` ends the axis at the curves.
    """

    all_sets: reactive[bool] = reactive(False, init=False, layout=False, repaint=False)
    crossfit: reactive[bool] = reactive(False, init=False, layout=False, repaint=False)
    fit: reactive[bool] = reactive(False, init=False, layout=False, repaint=False)

    watch_all_sets = watch_crossfit = watch_fit = SnapshotChart.choose

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(accuracy_chart, empty=NOT_YET, id=id, classes=classes)

    def data_of(self, snapshot: Snapshot) -> AccuracyData | None:
        """The mean accuracies."""
        if self.crossfit:
            self.empty = NOT_CROSSFITTED if snapshot.metrics else NOT_YET
            return crossfit_data(snapshot.metrics.values(), snapshot.ladder, fit=self.fit)
        self.empty = NOT_YET
        return accuracy_data(
            snapshot.summary,
            snapshot.ladder,
            all_sets=self.all_sets,
            fit=self.fit,
            corrected=bool(snapshot.claims),
        )


class PValueChart(SnapshotChart):
    """The p-values of a `snapshot` for a `pair` of sets and a `quantity`; `holm`: as adjusted over j."""

    pair: reactive[tuple[str, str]] = reactive(PAPER_PAIR, init=False, layout=False, repaint=False)
    quantity: reactive[str] = reactive("ratio", init=False, layout=False, repaint=False)
    holm: reactive[bool] = reactive(False, init=False, layout=False, repaint=False)

    watch_pair = watch_quantity = watch_holm = SnapshotChart.choose

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            p_value_chart, empty="p-values appear when runs are complete.", id=id, classes=classes
        )

    def data_of(self, snapshot: Snapshot) -> PValueData | None:
        """The tests of the pair and the quantity."""
        return p_value_data(
            snapshot.tests, snapshot.ladder, pair=self.pair, quantity=self.quantity, holm=self.holm
        )
