"""M, the second of the paper's sets: what the classifier gets wrong by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.measured_set import MeasuredSet

if TYPE_CHECKING:
    from core.sets.measurement import Measured
    from core.sets.run_so_far import RunSoFar


class Misclassified(MeasuredSet):
    """See `MeasuredSet`."""

    description = "test images that the most general level gets wrong"
    selected_at = "general"
    perturbed = False
    decides = True
    in_charts = True
    in_report = True

    def measure(self, run: RunSoFar) -> Measured:
        """See `MeasuredSet.measure`."""
        return run.test.measure(np.flatnonzero(~run.test.correct), self.shown)
