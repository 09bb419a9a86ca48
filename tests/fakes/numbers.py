"""What made-up runs found: metrics drawn around what MNIST gives, or counted from right and wrong answers.

The same specification and run give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.attacks.registry import ATTACKS
from core.data.catalogue import CATALOGUE
from core.engine.statistics import experiment_statistics
from core.families.ladder import Ladder
from core.records.environment import Environment
from core.records.events import StatisticsComputed
from core.records.metrics import AttackFigures, ByLevel, Counts, RunMetrics
from core.records.stages import stages_of
from core.records.statistics import Reason
from core.sets.registry import SETS
from core.spec.spec import Spec
from tests.fakes.deciding_numbers import draw_deciding

Answers = Mapping[str, NDArray[np.bool_]]
"""One run: set -> (levels, n) whether each image is classified correctly, the most general level first."""

ENVIRONMENT = Environment(
    versions={
        "python": "3.11.7",
        "aefit-tui": "0.1.0",
        "numpy": "2.4.0",
        "scipy": "1.17.0",
        "scikit-learn": "1.9.0",
        "torch": "2.13.0",
        "torchvision": "0.28.0",
    },
    device="cpu",
    cpu="AMD EPYC 9354 32-Core Processor",
)
CURVES = {
    "test": (0.968, 0.969, 0.970, 0.969),
    "misclassified": (0.0, 0.13, 0.25, 0.42),
    "adversarial": (0.0, 0.28, 0.45, 0.57),
    "noise": (0.0, 0.41, 0.53, 0.68),
    "matched": (0.0, 0.16, 0.31, 0.50),
    "reverse": (0.55, 0.44, 0.27, 0.0),
    "sources": (1.0, 0.97, 0.95, 0.92),
    "candidates": (0.922, 0.93, 0.936, 0.941),
    "fooled": (0.0, 0.25, 0.41, 0.52),
    "one-per-source": (0.0, 0.33, 0.51, 0.63),
    "noise-matched": (0.0, 0.40, 0.52, 0.67),
    "shuffled": (0.0, 0.13, 0.25, 0.36),
    "misclassified-shuffled": (0.0, 0.08, 0.15, 0.23),
    "adversarial-both-ends": (0.0, 0.37, 0.59, 0.74),
    "reverse-both-ends": (0.74, 0.61, 0.38, 0.0),
}
"""Accuracy on each set at the four levels of the default ladder; another ladder takes the line through these."""
FURTHER = (
    "noise-matched",
    "shuffled",
    "misclassified-shuffled",
    "adversarial-both-ends",
    "reverse-both-ends",
)
"""Sets that draw by themselves: whether they are measured moves no number of another set."""
CORRECT = {"fashion-mnist": 0.855, "kmnist": 0.945, "cifar10": 0.345, "svhn": 0.46}
"""The share of test images that the most general level gets right, where it is not MNIST's."""
TRAIN_IMAGES = 600
"""How many training images a run has whose numbers are counted from answers."""
SEARCH = {"searched": 9, "certified": 9, "widened": 0, "complete": 0, "measured": 99, "reused": 0}


# Drawn around what MNIST gives


def draw_durations(spec: Spec, run: int) -> dict[str, float]:
    """Stage -> seconds, about those of one thread of a server."""
    scale = CATALOGUE[spec.dataset].train_size / 60_000
    usual = {
        "split": 0.3,
        "classifier": 9.0 * scale,
        "surrogate": 12.5 * scale * spec.epochs,
        "candidates": 55.0 * scale,
        "noise": 50.0 * scale,
        "noise-matched": 45.0 * scale,
        "halves": 6.0 * scale,
    }
    jitter = np.random.default_rng([spec.seed, run, 1]).uniform(0.9, 1.1, size=len(usual))
    drawn = {
        stage: round(float(seconds * factor), 3)
        for (stage, seconds), factor in zip(usual.items(), jitter, strict=True)
    }
    return {stage: drawn[stage] for stage in stages_of(spec) if stage in drawn}


def draw_metrics(
    spec: Spec, run: int, seconds: Mapping[str, float] | None = None, *, deciding: bool = True
) -> RunMetrics:
    """The metrics of a run. seconds: of its stages, by default `draw_durations`.

    deciding: whether what decides the claim was measured, which older versions did not.
    """
    seconds = draw_durations(spec, run) if seconds is None else seconds
    generator = np.random.default_rng([spec.seed, run])
    further = np.random.default_rng([spec.seed, run, 3])
    entry, attack = CATALOGUE[spec.dataset], ATTACKS[spec.attack]
    test = held_out(spec)
    share = CORRECT.get(spec.dataset, CURVES["test"][0])
    correct = round(test * (share + generator.normal(0, 0.0008)))
    candidates = correct * (entry.classes - 1 if attack.per_target else 1)
    adversarial = round(candidates * generator.uniform(0.076, 0.080))
    sources = round(min(correct, adversarial) * generator.uniform(0.26, 0.28))
    sizes = {
        "test": test,
        "misclassified": test - correct,
        "adversarial": adversarial,
        "noise": round(candidates * generator.uniform(0.005, 0.006)) + 1,
        "matched": adversarial,
        "reverse": round(candidates * generator.uniform(0.080, 0.084)),
        "sources": sources,
        "candidates": candidates,
        "fooled": round(adversarial * generator.uniform(0.55, 0.6)),
        "one-per-source": sources,
        "noise-matched": round(candidates * further.uniform(0.005, 0.006)) + 1,
        "shuffled": adversarial,
        "misclassified-shuffled": test - correct,
        "adversarial-both-ends": round(adversarial * further.uniform(0.77, 0.79)),
        "reverse-both-ends": round(adversarial * further.uniform(0.78, 0.80)),
    }
    right = {
        name: _draw_right(spec, name, sizes[name], share, further if name in FURTHER else generator)
        for name in spec.sets
    }
    right["test"][0] = correct
    surrogate_accuracy = round(0.989 + float(generator.normal(0, 0.0006)), 4)
    fooled = round(float(generator.uniform(0.34, 0.36)), 4)
    hit = round(float(generator.uniform(0.20, 0.22)), 4) if attack.targeted else None
    l2_mean = round(float(generator.uniform(2.06, 2.08)), 4)
    anew = {
        "noise": AttackFigures(
            surrogate_fooled=0.0131, target_hit=None, linf_max=spec.epsilon, l2_mean=2.0912
        ),
        "noise-matched": AttackFigures(
            surrogate_fooled=0.0129, target_hit=None, linf_max=spec.epsilon, l2_mean=l2_mean
        ),
    }
    metrics = RunMetrics(
        experiment=spec.digest,
        index=run,
        ladder=spec.ladder,
        counts=Counts(
            train=entry.train_size + entry.test_size - test,
            test=test,
            correct=correct,
            misclassified=test - correct,
            candidates=candidates,
            rejected=0,
            adversarial=adversarial,
            adversarial_sources=sources,
            sets={name: sizes[name] for name in spec.sets},
            distinct={"matched": test - correct} if "matched" in spec.sets else {},
        ),
        surrogate_accuracy=surrogate_accuracy,
        attack=AttackFigures(surrogate_fooled=fooled, target_hit=hit, linf_max=spec.epsilon, l2_mean=l2_mean),
        sets={name: figures for name, figures in anew.items() if name in spec.sets},
        accuracy={name: _accuracy(spec.ladder, counts, sizes[name]) for name, counts in right.items()},
        slopes={name: _slopes(spec.ladder, name, counts) for name, counts in right.items()},
        slope_reasons={
            name: _reasons(spec.ladder, name, counts, sizes[name]) for name, counts in right.items()
        },
        search=SEARCH,
        seconds=_with_parts(seconds),
        data_sha256="5" * 64,
        environment=ENVIRONMENT,
    )
    return draw_deciding(spec, metrics) if deciding else metrics


def held_out(spec: Spec) -> int:
    """How many images a run tests on."""
    return CATALOGUE[spec.dataset].test_size if spec.test_size is None else spec.test_size


def _draw_right(spec: Spec, name: str, size: int, share: float, generator: np.random.Generator) -> list[int]:
    """How many images of a set each level gets right, the most general level first."""
    levels = len(spec.ladder.levels)
    curve = np.interp(np.linspace(0, 1, levels), np.linspace(0, 1, 4), CURVES[name])
    if name == "test":
        curve += share - CURVES["test"][0]
    level = generator.normal(0, 0.15 / np.sqrt(size))  # a run's sets are easier or harder as a whole
    noise = generator.normal(0, 0.1 / np.sqrt(size), size=levels)
    right = [int(count) for count in np.clip(np.round((curve + level + noise) * size), 0, size)]
    if SETS[name].selected_at == "general":
        right[0] = 0
    elif SETS[name].selected_at == "fitted":
        right[-1] = 0
    elif name == "sources":
        right[0] = size
    return right


def _with_parts(seconds: Mapping[str, float]) -> dict[str, float]:
    """The stages with what parts of them took."""
    attacking = sum(seconds.get(stage, 0.0) for stage in ("candidates", "noise", "noise-matched"))
    found: dict[str, float] = {}
    for stage, spent in seconds.items():
        if stage == "candidates":
            found["subsets"] = round(attacking * 0.2, 3)
        found[stage] = spent
        if stage == "candidates":
            found |= {"attack": round(attacking * 0.3, 3), "filter": round(attacking * 0.49, 3)}
    return found


# Counted from answers


def draw_answers(spec: Spec, run: int, sizes: Mapping[str, int] | None = None) -> Answers:
    """Answers that grow better towards the fitted end; all wrong where the set is selected by its errors."""
    generator = np.random.default_rng([spec.seed, run])
    levels = len(spec.ladder.levels)
    chances = np.linspace(0.3, 0.7, levels)[:, None]
    answers: dict[str, NDArray[np.bool_]] = {}
    for name in spec.sets:
        size = (sizes or {}).get(name, 100 if name == "test" else 40)
        right = generator.random((levels, size)) < chances
        right[0] &= SETS[name].selected_at != "general"
        right[-1] &= SETS[name].selected_at != "fitted"
        answers[name] = right
    return answers


def metrics_from_answers(spec: Spec, run: int, answers: Answers, *, deciding: bool = True) -> RunMetrics:
    """What a worker publishes of a run with these answers. deciding: see `draw_metrics`."""
    sizes = {name: right.shape[1] for name, right in answers.items()}
    counted = {name: _right(right) for name, right in answers.items()}
    metrics = RunMetrics(
        experiment=spec.digest,
        index=run,
        ladder=spec.ladder,
        counts=Counts(
            train=TRAIN_IMAGES,
            test=sizes["test"],
            correct=sizes["test"] - sizes["misclassified"],
            misclassified=sizes["misclassified"],
            candidates=9000 + run,
            rejected=0,
            adversarial=sizes["adversarial"],
            adversarial_sources=math.ceil(sizes["adversarial"] / 2),
            sets=sizes,
            distinct={"matched": 1} if "matched" in sizes else {},
        ),
        surrogate_accuracy=0.98 + run / 1000,
        attack=AttackFigures(surrogate_fooled=0.5, target_hit=0.25, linf_max=spec.epsilon, l2_mean=1.5),
        accuracy={name: accuracy_of(spec, right) for name, right in answers.items()},
        slopes={name: _slopes(spec.ladder, name, right) for name, right in counted.items()},
        slope_reasons={
            name: _reasons(spec.ladder, name, right, sizes[name]) for name, right in counted.items()
        },
        search=SEARCH,
        # The attack and the filter are parts of the candidates' time, not added to it.
        seconds={"split": 1.0, "surrogate": 20.0, "candidates": 12.0 + run, "attack": 7.0, "filter": 5.0},
        data_sha256="0" * 64,
        environment=ENVIRONMENT,
    )
    return draw_deciding(spec, metrics) if deciding else metrics


def accuracy_of(spec: Spec, right: NDArray[np.bool_]) -> ByLevel:
    """Level -> share of right answers, None where the set is empty."""
    return _accuracy(spec.ladder, _right(right), right.shape[1])


def slopes_of(spec: Spec, name: str, right: NDArray[np.bool_]) -> dict[str, float | None]:
    """j -> A_j / A_i, i the level before j, None where that cannot be had; counted in whole images."""
    return _slopes(spec.ladder, name, _right(right))


def _right(answers: NDArray[np.bool_]) -> list[int]:
    """How many images each level gets right."""
    return [int(count) for count in answers.sum(axis=1)]


# Both


@lru_cache(maxsize=256)
def statistics_of_drawn(spec: Spec, runs: tuple[int, ...], *, deciding: bool = True) -> StatisticsComputed:
    """The statistics over the drawn metrics of these runs, which an experiment in every state needs again."""
    return experiment_statistics(spec, {run: draw_metrics(spec, run, deciding=deciding) for run in runs})


def _accuracy(ladder: Ladder, right: list[int], size: int) -> ByLevel:
    return {level: count / size if size else None for level, count in zip(ladder.levels, right, strict=True)}


def _counted(ladder: Ladder, name: str, right: list[int]) -> dict[str, int]:
    """Right answers by the level that stands as far from where the set's slopes are counted from."""
    from_fitted = SETS[name].selected_at == "fitted"
    return dict(zip(ladder.levels, reversed(right) if from_fitted else right, strict=True))


def _slopes(ladder: Ladder, name: str, right: list[int]) -> dict[str, float | None]:
    counts = _counted(ladder, name, right)
    return {
        step.fitted: counts[step.fitted] / counts[step.general] if counts[step.general] else None
        for step in reversed(ladder.steps)
    }


def _reasons(ladder: Ladder, name: str, right: list[int], size: int) -> dict[str, Reason]:
    counts = _counted(ladder, name, right)
    reasons: dict[str, Reason] = {}
    for step in reversed(ladder.steps):
        if SETS[name].selected_at is not None and step.general == ladder.general:
            reasons[step.fitted] = "by_construction"
        elif not size:
            reasons[step.fitted] = "empty_set"
        elif not counts[step.general]:
            reasons[step.fitted] = "zero_denominator"
    return reasons
