"""How the attacks of an experiment did on the surrogate."""

from __future__ import annotations

import math
from collections.abc import Iterable

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


RATES = ("surrogate_fooled", "target_hit")
"""The fields that stand beside an attack wherever tables name it."""


def attack_title(result: Result) -> str:
    """The experiment's attack, in words."""
    return ATTACKS[result.spec.attack].title


def control_title(name: str) -> str:
    """A set that an attack of its own made, in words."""
    return f"the control {name}"


def by_attack(result: Result) -> dict[str, dict[int, AttackFigures]]:
    """What attacked -> complete run, from 0 -> its figures.

    First comes the experiment's attack, by its title, then every set that an attack of its own made.
    """
    names = dict.fromkeys(name for metrics in result.metrics.values() for name in metrics.sets)
    return {
        attack_title(result): {run: metrics.attack for run, metrics in result.metrics.items()},
        **{
            control_title(name): {
                run: metrics.sets[name] for run, metrics in result.metrics.items() if name in metrics.sets
            }
            for name in names
        },
    }


def mean_of(figures: Iterable[AttackFigures], field: str) -> float | None:
    """The mean over the runs in which a field of COLUMNS is defined; None where it never is."""
    values = [value for one in figures if (value := getattr(one, field)) is not None]
    return math.fsum(values) / len(values) if values else None


def rates(result: Result, name: str = "adversarial") -> tuple[float | None, float | None]:
    """RATES of what made a set's images, means over the complete runs.

    Of the adversarial set, of the experiment's attack; of any other, None unless an attack of its own made it.
    """
    runs = list(result.metrics.values())
    figures = (
        [run.attack for run in runs]
        if name == "adversarial"
        else [run.sets[name] for run in runs if name in run.sets]
    )
    fooled, hit = (mean_of(figures, field) for field in RATES)
    return fooled, hit


def attack_with_rates(result: Result) -> str:
    """The experiment's attack as a caption names it: "FGSM, targeted (fooled 35.12 %, target hit 20.98 %)"."""
    shown = [
        f"{COLUMNS[field][0]} {value:.2%}".replace("%", " %")
        for field, value in zip(RATES, rates(result), strict=True)
        if value is not None
    ]
    return f"{attack_title(result)} ({', '.join(shown)})" if shown else attack_title(result)
