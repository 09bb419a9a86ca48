"""The control sources: the images that the adversarial ones were made from, as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.measured_set import MeasuredSet

if TYPE_CHECKING:
    from core.sets.measurement import Measured
    from core.sets.run_so_far import RunSoFar


class Sources(MeasuredSet):
    """See `MeasuredSet`."""

    description = "the unperturbed images from which the adversarial set was made"
    perturbed = False

    def measure(self, run: RunSoFar) -> Measured:
        """See `MeasuredSet.measure`."""
        known = np.flatnonzero(run.test.correct)
        return run.test.measure(known[np.unique(run.adversarial_source)], self.shown)
