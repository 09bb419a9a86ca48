"""The control noise: the same sources, the same size of change, the same selection, and no adversary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core.attacks.noise import SignNoise
from core.sets.measured_set import Counterpart, MeasuredSet

if TYPE_CHECKING:
    from core.records.metrics import RunMetrics
    from core.sets.measurement import Measured
    from core.sets.run_so_far import RunSoFar


class Noise(MeasuredSet):
    """See `MeasuredSet`."""

    description = (
        "random sign noise of size epsilon, as many draws a source, selected as the adversarial set is"
    )
    selected_at = "general"
    in_charts = True
    in_report = True
    draws = True
    decides = True
    counterpart = Counterpart(
        subject="Images with random noise of epsilon in every pixel (noise), selected alike,",
    )

    def measure(self, run: RunSoFar) -> Measured:
        """See `MeasuredSet.measure`."""
        return run.attack_anew(SignNoise(epsilon=run.epsilon), self.name)

    @classmethod
    def remarks(cls, runs: list[RunMetrics]) -> str:
        """Noise of epsilon in every pixel changes an image more than an attack that stops early."""
        norms = [
            (run.sets["noise"].l2_mean, run.attack.l2_mean) if "noise" in run.sets else (None, None)
            for run in runs
        ]
        both = [(noise, own) for noise, own in norms if noise is not None and own is not None]
        if len(both) < len(runs):
            return ""
        noise, own = (math.fsum(column) / len(both) for column in zip(*both, strict=True))
        return (
            ""
            if f"{noise:.2f}" == f"{own:.2f}"
            else (
                f"they change an image by {noise:.2f} in L2 on average, the attack's candidates by {own:.2f}"
            )
        )
