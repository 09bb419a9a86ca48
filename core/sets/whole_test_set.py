"""The whole test set, the first of the paper's sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.measured_set import MeasuredSet

if TYPE_CHECKING:
    from core.sets.measurement import Measured
    from core.sets.run_so_far import RunSoFar


class WholeTestSet(MeasuredSet):
    """See `MeasuredSet`."""

    description = "the whole test set"
    perturbed = False
    decides = True
    in_charts = True

    def measure(self, run: RunSoFar) -> Measured:
        """See `MeasuredSet.measure`."""
        return run.test.measure(np.arange(len(run.test.label)), self.shown)
