"""The control matched: ordinary mistakes that are as shallow as the adversarial images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.margin import margin_of, match_margins
from core.sets.measured_set import Counterpart, MeasuredSet

if TYPE_CHECKING:
    from core.records.metrics import RunMetrics
    from core.sets.measurement import Measured
    from core.sets.run_so_far import RunSoFar


class Matched(MeasuredSet):
    """See `MeasuredSet`."""

    description = "for each adversarial image a misclassified test image that is wrong by the same margin"
    selected_at = "general"
    perturbed = False
    in_charts = True
    in_report = True
    counterpart = Counterpart(
        subject="Misclassified test images that are wrong by the same margin (matched)",
    )

    def measure(self, run: RunSoFar) -> Measured:
        """See `MeasuredSet.measure`."""
        test, mistakes = run.test, np.flatnonzero(~run.test.correct)
        offered = margin_of(test.support[mistakes], test.label[mistakes])
        places = mistakes[match_margins(run.adversarial_margin, offered)]
        return test.measure(places, self.shown, count_distinct=True)

    @classmethod
    def remarks(cls, runs: list[RunMetrics]) -> str:
        """A few hundred images may stand for thousands."""
        counts = [run.counts.distinct["matched"] for run in runs if "matched" in run.counts.distinct]
        if len(counts) < len(runs):
            return ""
        least, most = min(counts), max(counts)
        number = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        return f"a run has {number} distinct one{'s' * (most != 1)} of them, used in turn"
