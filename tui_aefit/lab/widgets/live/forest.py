"""The forest plot of the live screen, which takes its data from the snapshot's claims."""

from __future__ import annotations

from core.declarations.printable import printable
from core.records.statistics import Claim
from core.report.terms import term_of
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.charts.data import PAPER_PAIR
from tui_aefit.lab.charts.forest import ForestData, ForestRow, forest_chart
from tui_aefit.lab.widgets.live.charts import SnapshotChart
from tui_aefit.lab.widgets.live.claims_table import (
    DECISIONS,
    estimate_of,
    in_reading_order,
    sets_of,
)

NOT_YET = (
    "What decides the claim appears when the first run is complete: estimates with intervals around zero."
)


class ForestChart(SnapshotChart):
    """A claim of each quantity of a `snapshot` with its interval, those first that a verdict begins with."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(forest_chart, empty=NOT_YET, id=id, classes=classes)

    def data_of(self, snapshot: Snapshot) -> ForestData | None:
        """A row for every quantity: adversarial against misclassified where it has that, else its first claim.

        All claims are in `ClaimsTable`.
        """
        first: dict[str, Claim] = {}
        for claim in in_reading_order(snapshot.claims):
            if claim.name not in first or claim.sets == PAPER_PAIR:
                first[claim.name] = claim
        rows = tuple(_row(claim) for claim in first.values())
        return ForestData(rows) if rows else None


def _row(claim: Claim) -> ForestRow:
    return ForestRow(
        title=printable(term_of(claim).short),
        of=sets_of(claim, brief=False),
        number=estimate_of(claim),
        decision=DECISIONS[claim.decision],
        decided=claim.decision != "undecided",
        claim=claim,
    )
