"""What made-up runs find: metrics and arrays of the right form, drawn around the accuracies that MNIST gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.attacks.catalogue import ATTACKS
from core.data.catalogue import CATALOGUE, Entry
from core.sets.catalogue import PAPER_SETS, SETS
from core.spec.spec import Spec
from core.statistics.slopes import slopes

VERSIONS = {
    "python": "3.11.7", "aefit-tui": "0.1.0", "numpy": "2.4.0", "scipy": "1.17.0", "scikit-learn": "1.9.0",
    "torch": "2.13.0", "torchvision": "0.28.0",
}  # fmt: skip
ENVIRONMENT = {"versions": VERSIONS, "device": "cpu", "threads": 1, "cpu": "AMD EPYC 9354 32-Core Processor"}
CURVES = {
    "test": (0.968, 0.969, 0.970, 0.969),
    "misclassified": (0.0, 0.13, 0.25, 0.42),
    "adversarial": (0.0, 0.28, 0.45, 0.57),
    "noise": (0.0, 0.41, 0.53, 0.68),
    "matched": (0.0, 0.16, 0.31, 0.50),
    "reverse": (0.55, 0.44, 0.27, 0.0),
    "sources": (1.0, 0.97, 0.95, 0.92),
    "unfiltered": (0.922, 0.93, 0.936, 0.941),
    "fooled": (0.0, 0.25, 0.41, 0.52),
    "one-per-source": (0.0, 0.33, 0.51, 0.63),
}
"""Accuracy on each set at K = 7, 5, 3, 1; another Z takes the line through these points."""
CORRECT = {"fashion-mnist": 0.855, "kmnist": 0.945, "cifar10": 0.345, "svhn": 0.46}
"""The share of test images that the Z-NN gets right, where it is not MNIST's."""


def durations_of(spec: Spec, run: int) -> dict[str, float]:
    """Stage -> seconds, about those of one thread of a server."""
    jitter = np.random.default_rng([spec.seed, run, 1]).uniform(0.9, 1.1, size=5)
    scale = CATALOGUE[spec.dataset].train_size / 60_000
    usual = {
        "split": 0.3,
        "neighbours": 9.0 * scale,
        "surrogate": 12.5 * scale * spec.epochs,
        "candidates": 55.0 * scale,
        "noise": 50.0 * scale,
    }
    if "noise" not in spec.controls:
        del usual["noise"]
    return {
        stage: round(float(seconds * factor), 3)
        for (stage, seconds), factor in zip(usual.items(), jitter, strict=False)
    }


def metrics_of(spec: Spec, run: int, seconds: Mapping[str, float]) -> dict[str, Any]:
    """metrics.json of a run, all that `core.protocol.run` and the worker put there."""
    generator = np.random.default_rng([spec.seed, run])
    entry, info = CATALOGUE[spec.dataset], ATTACKS[spec.attack]
    test = held_out(spec, entry)
    share = CORRECT.get(spec.dataset, CURVES["test"][0])
    correct = round(test * (share + generator.normal(0, 0.0008)))
    candidates = correct * (entry.classes - 1 if info.per_target else 1)
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
        "unfiltered": candidates,
        "fooled": round(adversarial * generator.uniform(0.55, 0.6)),
        "one-per-source": sources,
    }
    names = [*PAPER_SETS, *spec.controls]
    accuracy = {name: _accuracy(spec, name, sizes[name], share, generator) for name in names}
    accuracy["test"][spec.z] = correct / test
    slope = {
        name: slopes(
            SETS[name].as_counted(values, spec.levels),
            levels=spec.levels,
            zero_by_construction=SETS[name].begins_at_zero,
        )
        for name, values in accuracy.items()
    }
    attacking = seconds["candidates"] + seconds.get("noise", 0.0)
    parts: dict[str, float] = {}
    for stage, spent in seconds.items():
        parts[stage] = spent
        if stage == "candidates":
            parts |= {"attack": round(attacking * 0.35, 3), "filter": round(attacking * 0.64, 3)}
    return {
        "schema_version": 1,
        "index": run,
        "counts": {
            "train": entry.train_size + entry.test_size - test,
            "test": test,
            "correct": correct,
            "misclassified": test - correct,
            "candidates": candidates,
            "rejected": 0,
            "adversarial": adversarial,
            "adversarial_sources": sources,
            "sets": {name: sizes[name] for name in names},
            **({"matched": {"distinct": test - correct, "unlike": 0}} if "matched" in names else {}),
        },
        "surrogate_accuracy": round(0.989 + float(generator.normal(0, 0.0006)), 4),
        "surrogate_reused": False,
        "attack": {
            "surrogate_fooled": round(float(generator.uniform(0.34, 0.36)), 4),
            "target_hit": round(float(generator.uniform(0.20, 0.22)), 4) if info.targeted else None,
            "linf_max": spec.epsilon,
            "l2_mean": round(float(generator.uniform(2.06, 2.08)), 4),
        },
        "noise": {"surrogate_fooled": 0.0131, "target_hit": None, "linf_max": spec.epsilon, "l2_mean": 2.0912}
        if "noise" in names
        else None,
        "accuracy": {name: _keyed(values) for name, values in accuracy.items()},
        "slopes": {name: _keyed({j: s.value for j, s in by_j.items()}) for name, by_j in slope.items()},
        "slope_reasons": {
            name: {str(j): s.reason for j, s in by_j.items() if s.reason is not None}
            for name, by_j in slope.items()
        },
        "search": {"searched": 9, "certified": 9, "widened": 0, "complete": 0, "measured": 99, "reused": 0},
        "seconds": parts,
        "data_sha256": "5" * 64,
        "environment": ENVIRONMENT,
    }


def _accuracy(
    spec: Spec, name: str, size: int, share: float, generator: np.random.Generator
) -> dict[int, float]:
    """Level -> a share of right answers in whole images, the most general level first."""
    curve = np.interp(np.linspace(0, 1, len(spec.levels)), np.linspace(0, 1, 4), CURVES[name])
    if name == "test":
        curve += share - CURVES["test"][0]
    level = generator.normal(0, 0.15 / np.sqrt(size))  # a run's sets are easier or harder as a whole
    noise = generator.normal(0, 0.1 / np.sqrt(size), size=len(curve))
    right = np.clip(np.round((curve + level + noise) * size), 0, size)
    if SETS[name].wrong_by_construction:
        right[0] = 0
    elif SETS[name].from_fitted:
        right[-1] = 0
    elif name == "sources":
        right[0] = size
    return {k: float(count / size) for k, count in zip(spec.levels, right, strict=True)}


def _keyed(values: Mapping[int, float | None]) -> dict[str, float | None]:
    return {str(level): value for level, value in values.items()}


def arrays_of(spec: Spec, run: int, test: int = 40, adversarial: int = 12) -> dict[str, Any]:
    """A small arrays.npz: far fewer images than the counts say."""
    generator = np.random.default_rng([spec.seed, run, 2])
    entry = CATALOGUE[spec.dataset]
    index = generator.permutation(entry.train_size + entry.test_size).astype(np.int32)
    label = generator.integers(0, entry.classes, adversarial).astype(np.int16)
    prediction = generator.integers(0, entry.classes, (len(spec.levels), adversarial)).astype(np.int16)
    prediction[0] = (label + 1) % entry.classes
    test_label = generator.integers(0, entry.classes, test).astype(np.int16)
    return {
        "train_index": index[test : 4 * test],
        "test_index": index[:test],
        "test_label": test_label,
        "test_prediction": np.tile(test_label, (len(spec.levels), 1)),
        "k": np.array(spec.levels, dtype=np.int32),
        "adversarial_image": generator.random((adversarial, *entry.shape), dtype=np.float32),
        "adversarial_label": label,
        "adversarial_source": index[:adversarial],
        "adversarial_target": ((label + 1) % entry.classes).astype(np.int16),
        "adversarial_prediction": prediction,
    }


def held_out(spec: Spec, entry: Entry) -> int:
    """How many images a run tests on."""
    return entry.test_size if spec.test_size is None else spec.test_size
