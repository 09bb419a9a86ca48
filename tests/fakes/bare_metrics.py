"""Metrics of a run that hold what decides the claim, and of the rest as little as a run can have."""

from __future__ import annotations

from collections.abc import Mapping

from core.families.ladder import Ladder
from core.records.deciding import BiasVariance, CrossFit, Robustness
from core.records.environment import Environment
from core.records.metrics import AttackFigures, ByLevel, Counts, RunMetrics

TRAIN, TEST = 600, 100


def bare_metrics(
    index: int,
    ladder: Ladder,
    *,
    accuracy: Mapping[str, ByLevel] | None = None,
    crossfit: CrossFit | None = None,
    crossfit_fitted: CrossFit | None = None,
    bias_variance: BiasVariance | None = None,
    robustness: Robustness | None = None,
    noise: Robustness | None = None,
    variants: Mapping[str, Robustness] | None = None,
) -> RunMetrics:
    """accuracy: of the measured sets; one whose accuracy is None is empty."""
    accuracy = accuracy or {}
    sizes = {name: 0 if by_level[ladder.general] is None else 40 for name, by_level in accuracy.items()}
    return RunMetrics(
        index=index,
        ladder=ladder,
        counts=Counts(
            train=TRAIN,
            test=TEST,
            correct=TEST // 2,
            misclassified=TEST // 2,
            candidates=9 * TEST,
            rejected=0,
            adversarial=40,
            adversarial_sources=20,
            sets=sizes,
        ),
        surrogate_accuracy=0.98,
        attack=AttackFigures(surrogate_fooled=0.5, target_hit=0.25, linf_max=0.1, l2_mean=2.0),
        accuracy={name: dict(by_level) for name, by_level in accuracy.items()},
        crossfit=crossfit,
        crossfit_fitted=crossfit_fitted,
        bias_variance=bias_variance,
        robustness=robustness.robustness if robustness is not None else None,
        flips=robustness.flips if robustness is not None else None,
        noise=noise,
        variants=dict(variants or {}),
        slopes={},
        slope_reasons={},
        seconds={},
        data_sha256="0" * 64,
        environment=Environment(versions={}, device="cpu", cpu=""),
    )
