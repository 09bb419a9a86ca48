"""Metrics of runs whose accuracies are given level by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.families.ladder import Ladder
from core.records.metrics import AttackFigures, Counts, RunMetrics
from tests.fakes.numbers import ENVIRONMENT

Curve = Sequence[float | None]
"""Accuracy at every level, the most general first; None throughout for an empty set."""

N_TEST, N_TRAIN = 100, 600
ATTACK_L2 = 1.5


def metrics_from_curves(
    ladder: Ladder,
    run: int,
    curves: Mapping[str, Curve],
    *,
    sizes: Mapping[str, int] | None = None,
    noise_l2: float | None = None,
    n_test: int = N_TEST,
    n_train: int = N_TRAIN,
) -> RunMetrics:
    """The metrics of a run with these accuracies: set -> curve.

    sizes: of sets that do not have 40 images; those without accuracies have none. "distinct": of the set matched.
    noise_l2: the mean change of an image by the control noise; None where it is not known. Two adversarial images
    come from one source.
    """
    given = sizes or {}
    counts = {name: 0 if curve[-1] is None else given.get(name, 40) for name, curve in curves.items()}
    attack = AttackFigures(surrogate_fooled=0.5, target_hit=None, linf_max=0.1, l2_mean=ATTACK_L2)
    noise = AttackFigures(surrogate_fooled=0.5, target_hit=None, linf_max=0.1, l2_mean=noise_l2)
    return RunMetrics(
        index=run,
        ladder=ladder,
        counts=Counts(
            train=n_train,
            test=n_test,
            correct=n_test - counts["misclassified"],
            misclassified=counts["misclassified"],
            candidates=9 * n_test,
            rejected=0,
            adversarial=counts["adversarial"],
            adversarial_sources=(counts["adversarial"] + 1) // 2,
            sets=counts,
            distinct={"matched": given.get("distinct", 9)},
        ),
        surrogate_accuracy=0.98,
        attack=attack,
        sets={"noise": noise} if noise_l2 is not None else {},
        accuracy={name: dict(zip(ladder.levels, curve, strict=True)) for name, curve in curves.items()},
        slopes={},
        slope_reasons={},
        seconds={},
        data_sha256="0" * 64,
        environment=ENVIRONMENT,
    )
