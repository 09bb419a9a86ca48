"""What decides the claim in a made-up run, drawn around what MNIST gives and consistent with the run's counts.

The same specification and run give the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from core.families.voting import TIE_RULES
from core.records.deciding import (
    DECIDING_SETS,
    BiasVariance,
    CrossFit,
    DecidingSet,
    Decomposition,
    Decompositions,
    Flips,
    LevelRobustness,
    Robustness,
)
from core.records.metrics import ByLevel, RunMetrics
from core.spec.spec import Spec

Levels = NDArray[np.float64]
Curve = Sequence[float]
"""Values from the most general to the most fitted level; levels between two take the line through these."""

CROSSFIT: dict[DecidingSet, Curve] = {
    "misclassified": (0.311, 0.36, 0.42, 0.505),
    "adversarial": (0.571, 0.61, 0.64, 0.685),
    "noise": (0.62, 0.66, 0.69, 0.74),
}
"""Selected at the most general level by one half, by the other half; on the test set it follows from the run's."""
OWN: dict[DecidingSet, Curve] = {
    "misclassified": (0.0, 0.13, 0.25, 0.43),
    "adversarial": (0.0, 0.29, 0.47, 0.604),
    "noise": (0.0, 0.41, 0.53, 0.69),
}
"""The same by the half that selected."""
FITTED: dict[DecidingSet, Curve] = {
    "misclassified": (0.55, 0.51, 0.46, 0.38),
    "adversarial": (0.68, 0.66, 0.63, 0.59),
    "noise": (0.73, 0.71, 0.68, 0.63),
}
OWN_FITTED: dict[DecidingSet, Curve] = {
    "misclassified": (0.40, 0.27, 0.14, 0.0),
    "adversarial": (0.533, 0.42, 0.26, 0.0),
    "noise": (0.66, 0.52, 0.38, 0.0),
}
"""Selected at the most fitted level."""
BIAS: dict[DecidingSet, Curve] = {
    "test": (0.043, 0.040, 0.037, 0.033),
    "misclassified": (0.769, 0.70, 0.62, 0.522),
    "adversarial": (0.550, 0.48, 0.40, 0.316),
    "noise": (0.50, 0.43, 0.36, 0.28),
}
VARIANCE: dict[DecidingSet, Curve] = {
    "test": (0.020, 0.027, 0.035, 0.046),
    "misclassified": (0.10, 0.16, 0.23, 0.30),
    "adversarial": (0.11, 0.16, 0.22, 0.28),
    "noise": (0.12, 0.17, 0.24, 0.30),
}
RIGHT_OF_DEVIATIONS = 0.8
"""Of the predictions that differ from a main one which is wrong, the share that is right."""
SUCCESS: Curve = (1.0, 1.01, 1.02, 1.03)
"""The attack's success as a multiple of that at the most general level."""


def draw_deciding(spec: Spec, metrics: RunMetrics) -> RunMetrics:
    """A run's metrics and what decides the claim in it; without it they are as an older version's were."""
    generator = np.random.default_rng([spec.seed, metrics.index, 4])
    crossfit = _cross_fit(metrics, CROSSFIT, OWN, generator)
    crossfit_fitted = _cross_fit(metrics, FITTED, OWN_FITTED, generator)
    subsets = spec.make_family().subsets
    counts = metrics.counts
    attacked = _robustness(metrics, counts.adversarial, counts.adversarial_sources, generator)
    noise = counts.sets.get("noise")
    own_rule = spec.values.get("tie_rule")
    other_rules = [rule for rule in TIE_RULES if own_rule is not None and rule != own_rule]
    return replace(
        metrics,
        crossfit=crossfit,
        crossfit_fitted=crossfit_fitted,
        bias_variance=_bias_variance(metrics, crossfit, subsets, generator) if subsets else None,
        robustness=attacked.robustness,
        flips=attacked.flips,
        noise=None if noise is None else _robustness(metrics, noise, (noise + 1) // 2, generator),
        variants={f"ties: {rule}": _by_another_rule(metrics, attacked) for rule in other_rules},
    )


def _cross_fit(
    metrics: RunMetrics,
    other: dict[DecidingSet, Curve],
    own: dict[DecidingSet, Curve],
    generator: np.random.Generator,
) -> CrossFit:
    # Half the training images make every level a little worse; whoever selects, all test images are selected.
    test: ByLevel = {level: 0.99 * (share or 0.0) for level, share in metrics.accuracy["test"].items()}
    accuracy: dict[str, ByLevel] = {"test": test}
    selecting: dict[str, ByLevel] = {"test": test}
    counts = {"test": (metrics.counts.test, metrics.counts.test)}
    for name in other:
        size = metrics.counts.sets.get(name)
        # Harder or easier as a whole, and at each level.
        shift = generator.normal(0, 0.008) + generator.normal(0, 0.003, size=len(metrics.ladder.levels))
        first, second = (round((size or 0) * factor) for factor in generator.uniform(1.0, 1.1, size=2))
        if size is None:
            continue
        counts[name] = first, second
        accuracy[name] = _shares(metrics, other[name], shift, size)
        selecting[name] = _shares(metrics, own[name], shift, size)
    return CrossFit(**{name: accuracy.get(name) for name in DECIDING_SETS}, own=selecting, counts=counts)


def _bias_variance(
    metrics: RunMetrics, crossfit: CrossFit, subsets: int, generator: np.random.Generator
) -> BiasVariance:
    found: dict[str, Decompositions] = {}
    for name in DECIDING_SETS:
        shift = generator.normal(0, 0.008 if name != "test" else 0.0008)
        if name in crossfit.counts and all(crossfit.counts[name]):
            easier = generator.normal(0, 0.003 if name != "test" else 0.0003, size=len(metrics.ladder.levels))
            bias = _at_levels(metrics, BIAS[name]) + shift + easier
            variance = _at_levels(metrics, VARIANCE[name])
            levels = zip(metrics.ladder.levels, bias.tolist(), variance.tolist(), strict=True)
            found[name] = {level: _decomposition(*of_level) for level, *of_level in levels}
    return BiasVariance(**{name: found.get(name) for name in DECIDING_SETS}, subsets=subsets)


def _decomposition(bias: float, variance: float) -> Decomposition:
    """As many predictions differ from a wrong main prediction as from a right one."""
    bias, variance = round(bias, 6), round(variance, 6)
    unbiased = round(variance * (1 - bias), 6)
    biased = round(RIGHT_OF_DEVIATIONS * (variance - unbiased), 6)
    error = bias + unbiased - biased
    return Decomposition(bias=bias, variance=variance, unbiased=unbiased, biased=biased, error=error)


def _robustness(metrics: RunMetrics, wrong: int, sources: int, generator: np.random.Generator) -> Robustness:
    """wrong: how many candidates the most general level gets wrong, from how many sources that it gets right."""
    counts, ladder = metrics.counts, metrics.ladder
    general = wrong / counts.candidates
    never_wrong = max(0, counts.correct - sources) / counts.correct if counts.correct else 0.0
    factor = _at_levels(metrics, SUCCESS)
    factor[1:] += generator.normal(0, 0.01)
    levels = {}
    for level, multiple in zip(ladder.levels, factor.tolist(), strict=True):
        recognised, success = metrics.accuracy["test"][level] or 0.0, min(1.0, general * multiple)
        levels[level] = LevelRobustness(
            accuracy=recognised * (1 - success) + (1 - recognised) * 0.3,
            success=success,
            worst_case=recognised * never_wrong**multiple,
        )
    n = round(counts.candidates * 0.98)
    gained, lost = (round(n * general * share) for share in generator.normal(0.1, 0.005, size=2))
    return Robustness(robustness=levels, flips=Flips(gained=gained, lost=lost, n=n))


def _by_another_rule(metrics: RunMetrics, found: Robustness) -> Robustness:
    """Ties are fewer the fewer neighbours vote, and there are none where one does."""
    levels = dict(found.robustness)
    for level in metrics.ladder.levels[:-1]:
        one = levels[level]
        levels[level] = replace(one, success=None if one.success is None else one.success * 0.98)
    return replace(found, robustness=levels)


def _shares(metrics: RunMetrics, curve: Curve, shift: Levels, size: int) -> ByLevel:
    """None where there are no images; what is 0 by construction stays so."""
    values = _at_levels(metrics, curve)
    values = np.where(values > 0, values + shift, 0.0)
    levels = metrics.ladder.levels
    return dict(zip(levels, values.tolist(), strict=True)) if size else dict.fromkeys(levels)


def _at_levels(metrics: RunMetrics, curve: Curve) -> Levels:
    places = np.linspace(0, 1, len(metrics.ladder.levels))
    values: Levels = np.interp(places, np.linspace(0, 1, 4), curve)
    return values
