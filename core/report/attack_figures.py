"""How the attacks of an experiment did on the surrogate, by run."""

from __future__ import annotations

from core.attacks.registry import ATTACKS
from core.records.metrics import AttackFigures
from core.report.result import Result

COLUMNS = {
    "surrogate_fooled": ("fooled", ".4f"),
    "target_hit": ("target hit", ".4f"),
    "linf_max": ("largest change", ".4g"),
    "l2_mean": ("mean L2", ".4g"),
}
"""The fields of `AttackFigures`: what tables call them, and the format of their numbers."""
READING = (
    "Fooled, target hit: shares of the candidates that the surrogate misclassifies, and takes for the target. "
    "Changes of pixels in [0, 1]."
)


def by_attack(result: Result) -> dict[str, dict[int, AttackFigures]]:
    """What attacked -> complete run, from 0 -> its figures.

    First comes the experiment's attack, by its title, then every set that an attack of its own made.
    """
    names = dict.fromkeys(name for metrics in result.metrics.values() for name in metrics.sets)
    return {
        ATTACKS[result.spec.attack].title: {run: metrics.attack for run, metrics in result.metrics.items()},
        **{
            f"the control {name}": {
                run: metrics.sets[name] for run, metrics in result.metrics.items() if name in metrics.sets
            }
            for name in names
        },
    }
