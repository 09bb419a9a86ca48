"""The controls shuffled: the rise that selection gives where nearness tells nothing."""

from __future__ import annotations

from core.sets.measured import Measured
from core.sets.measured_set import MeasuredSet
from core.sets.run_so_far import RunSoFar


class Shuffled(MeasuredSet):
    """See `MeasuredSet`."""

    description = "the adversarial set, judged by the same training images in a random order of nearness"
    selected_at = "general"
    shown = 0

    def measure(self, run: RunSoFar) -> Measured:
        """See `MeasuredSet.measure`."""
        return run.shuffle("adversarial", self.name)


class MisclassifiedShuffled(MeasuredSet):
    """See `MeasuredSet`."""

    description = "the misclassified images, judged by the same training images in a random order of nearness"
    selected_at = "general"
    shown = 0
    perturbed = False

    def measure(self, run: RunSoFar) -> Measured:
        """See `MeasuredSet.measure`."""
        return run.shuffle("misclassified", self.name)
