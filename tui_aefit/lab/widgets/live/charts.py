"""The live screen's charts of accuracies and p-values, which take their data from its snapshot."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, TypeVar

from textual.binding import BindingType
from textual.reactive import reactive

from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.charts.data import (
    OWN,
    PAPER_PAIR,
    AccuracyData,
    PValueData,
    accuracy_data,
    accuracy_readings,
    crossfit_data,
    p_value_data,
    p_value_readings,
    sets_in_charts,
)
from tui_aefit.lab.charts.drawing import accuracy_chart, p_value_chart
from tui_aefit.lab.widgets.chart import Chart
from tui_aefit.lab.widgets.read_off import reading_bindings

NOT_YET = "Accuracy appears when the first run is complete."
NOT_CROSSFITTED = "These runs have no cross-fitted accuracy: an older version computed them. {} goes back."


LevelData = TypeVar("LevelData", AccuracyData, PValueData)


class SnapshotChart(Chart, can_focus=True):
    """A chart of a `snapshot`, None before the first. Other attributes that it depends on call `choose`."""

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)

    def choose(self) -> None:
        """Take the data to draw from the snapshot."""
        self.data = self.data_of(self.snapshot) if self.snapshot is not None else None

    def data_of(self, snapshot: Snapshot) -> object:
        """The data to draw of a snapshot, None where it has none of the kind."""
        raise NotImplementedError

    watch_snapshot = choose

    def copied(self) -> str:
        """The values at the cursor as text, "" without a cursor."""
        return ""


class LevelChart(SnapshotChart):
    """A chart against the levels of a ladder, with a cursor that reads its values off."""

    BINDINGS: ClassVar[list[BindingType]] = reading_bindings("chart.", "Read the chart's values at", "level")
    KEYS_WORK_ON: ClassVar[tuple[str, ...]] = ("live",)

    cursor: reactive[str | None] = reactive(None, init=False, layout=False, repaint=False)

    watch_cursor = SnapshotChart.choose

    def action_move(self, step: int) -> None:
        """Move the cursor; a step beyond an end removes it, the next puts it at the other end."""
        levels = [None, *self.data.levels] if self.data is not None else [None]
        at = levels.index(self.cursor) if self.cursor in levels else 0
        self.cursor = levels[(at + step) % len(levels)]

    def under_cursor(self, data: LevelData) -> LevelData:
        """The data with the cursor, if the data have its level."""
        return replace(data, cursor=self.cursor if self.cursor in data.levels else None)

    def readings(self) -> list[str]:
        """Lines on the values at the cursor, the longest first."""
        raise NotImplementedError

    def copied(self) -> str:
        """All values at the cursor, "" without a cursor."""
        return self.readings()[0] if self.data is not None and self.data.cursor is not None else ""


class AccuracyChart(LevelChart):
    """Accuracy against the levels.

    sets: the chosen ones, None for those that charts draw by default. crossfit: whether to draw the cross-fitted
    accuracies instead. fit: whether the axis ends at the curves. bars: whether to draw intervals.
    """

    sets: reactive[tuple[str, ...] | None] = reactive(None, init=False, layout=False, repaint=False)
    crossfit: reactive[bool] = reactive(False, init=False, layout=False, repaint=False)
    fit: reactive[bool] = reactive(False, init=False, layout=False, repaint=False)
    bars: reactive[bool] = reactive(True, init=False, layout=False, repaint=False)

    watch_sets = watch_crossfit = watch_fit = watch_bars = SnapshotChart.choose

    def __init__(self, crossfit_key: str, *, id: str | None = None, classes: str | None = None) -> None:
        """crossfit_key: the key that turns `crossfit` on and off."""
        self._crossfit_key = crossfit_key
        super().__init__(accuracy_chart, empty=NOT_YET, id=id, classes=classes)

    @property
    def names(self) -> list[str]:
        """The sets that have curves."""
        data = self._all(self.snapshot) if self.snapshot is not None else None
        return list(data.curves) if data is not None else []

    @property
    def drawn(self) -> list[str]:
        """The sets that are drawn."""
        chosen = sets_in_charts(self.names) if self.sets is None else self.sets
        return [name for name in self.names if name in chosen]

    def data_of(self, snapshot: Snapshot) -> AccuracyData | None:
        """The mean accuracies."""
        if self.crossfit:
            self.empty = NOT_CROSSFITTED.format(self._crossfit_key) if snapshot.metrics else NOT_YET
            data = crossfit_data(snapshot.metrics.values(), snapshot.ladder, fit=self.fit)
        else:
            self.empty = NOT_YET
            data = self._all(snapshot)
        return None if data is None else self._chosen(data)

    def _all(self, snapshot: Snapshot) -> AccuracyData | None:
        return accuracy_data(snapshot.summary, snapshot.ladder, fit=self.fit, corrected=bool(snapshot.claims))

    def _chosen(self, data: AccuracyData) -> AccuracyData:
        """The data without the curves of sets that are not drawn, and with the cursor."""
        wanted = set(self.drawn)
        curves = {
            name: points
            for name, points in data.curves.items()
            if name.removesuffix(OWN) in wanted or (self.crossfit and self.sets is None)
        }
        return self.under_cursor(replace(data, curves=curves or data.curves, bars=self.bars))

    def readings(self) -> list[str]:
        """The accuracies at the cursor."""
        return accuracy_readings(self.data)


class PValueChart(LevelChart):
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
        data = p_value_data(
            snapshot.tests, snapshot.ladder, pair=self.pair, quantity=self.quantity, holm=self.holm
        )
        return None if data is None else self.under_cursor(data)

    def readings(self) -> list[str]:
        """The p-values at the cursor."""
        return p_value_readings(self.data)
