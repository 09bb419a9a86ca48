"""The control noise-matched: noise that changes every image as much as the attack did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.sets.measured_set import Counterpart, MeasuredSet

if TYPE_CHECKING:
    from core.sets.measurement import Measured
    from core.sets.run_so_far import RunSoFar


class NoiseMatched(MeasuredSet):
    """See `MeasuredSet`."""

    description = (
        "random sign noise of the same L2 norm as the attack's change of that source towards that target, selected "
        "as the adversarial set is"
    )
    selected_at = "general"
    in_charts = True
    in_report = True
    draws = True
    counterpart = Counterpart(
        subject="Images with random noise of the norm of the attack's own change (noise-matched), selected alike,",
    )

    def measure(self, run: RunSoFar) -> Measured:
        """See `MeasuredSet.measure`."""
        return run.add_noise_of_the_attacks_norm(self.name)
