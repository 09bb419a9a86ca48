"""The controls shuffled: the rise that selection gives where nearness tells nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from core.sets.measured_set import MeasuredSet

if TYPE_CHECKING:
    from core.sets.measurement import Measured
    from core.sets.run_so_far import RunSoFar


class Shuffled(MeasuredSet):
    """See `MeasuredSet`."""

    description = "the adversarial set, judged by the same training images in a random order of nearness"
    selected_at = "general"
    shown = 0
    shuffles: ClassVar[Literal["adversarial", "misclassified"]] = "adversarial"

    def measure(self, run: RunSoFar) -> Measured:
        """See `MeasuredSet.measure`."""
        return run.shuffle(self.shuffles, self.name)


class MisclassifiedShuffled(Shuffled):
    """See `MeasuredSet`."""

    description = "the misclassified images, judged by the same training images in a random order of nearness"
    perturbed = False
    shuffles = "misclassified"
