"""Experiments made by hand: folders as a coordinator leaves them, from right and wrong answers drawn at random."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.engine.statistics import experiment_statistics
from core.records.experiment import Experiment, create
from core.records.journal import JournalWriter
from core.records.results import publish
from core.sets.catalogue import PAPER_SETS, SETS
from core.spec.spec import Spec

Answers = Mapping[str, NDArray[np.bool_]]
"""One run: set -> (levels, n) whether each image is classified correctly, the most general level first."""

ENVIRONMENT = {
    "versions": {"python": "3.11.7", "torch": "2.13.0"},
    "device": "cpu",
    "threads": 1,
    "cpu": "a CPU",
}
N_TRAIN = 600


@dataclass(frozen=True)
class HandMade:
    """An experiment on disk and the answers from which its numbers were made, by run."""

    experiment: Experiment
    answers: dict[int, Answers]


def draw_answers(spec: Spec, run: int, sizes: Mapping[str, int] | None = None) -> Answers:
    """Answers that grow better towards K = 1; all wrong at Z where the set is selected by its errors there."""
    generator = np.random.default_rng([spec.seed, run])
    chances = np.linspace(0.3, 0.7, len(spec.levels))[:, None]
    answers: dict[str, NDArray[np.bool_]] = {}
    for name in (*PAPER_SETS, *spec.controls):
        size = (sizes or {}).get(name, 100 if name == "test" else 40)
        right = generator.random((len(spec.levels), size)) < chances
        right[0] &= not SETS[name].wrong_by_construction
        right[-1] &= not SETS[name].from_fitted
        answers[name] = right
    return answers


def make_experiment(
    home: Path,
    spec: Spec,
    *,
    answers: Sequence[Answers] | None = None,
    complete: Sequence[int] | None = None,
    failures: Mapping[int, tuple[str, str]] | None = None,
    statistics: bool = True,
) -> HandMade:
    """Write an experiment under `home` whose runs `complete` (all, by default) have results.

    failures: run -> error and hint. statistics: whether the coordinator journaled them.
    """
    experiment, _ = create(home, spec)
    runs = list(range(spec.runs)) if complete is None else list(complete)
    given = {run: answers[run] if answers else draw_answers(spec, run) for run in runs}
    coordinator = JournalWriter(experiment.journal / "0001-coordinator.jsonl")
    worker = JournalWriter(experiment.journal / "0001-worker-1.jsonl")
    coordinator.write("coordinator_started", host="h", pid=1, jobs=1, pending=list(range(spec.runs)))
    worker.write("environment", **ENVIRONMENT)
    for run, by_set in given.items():
        coordinator.write("run_started", run=run, worker=1, attempt=1)
        publish(experiment.run_folder(run), metrics_of(spec, run, by_set), _write_arrays)
        coordinator.write("run_completed", run=run)
    for run, (error, hint) in (failures or {}).items():
        coordinator.write("run_failed", run=run, error=error, hint=hint, retry=False)
    if statistics and given:
        numbers = experiment_statistics(spec, experiment.results())
        coordinator.write("statistics", runs=sorted(given), **numbers)
    status = "complete" if len(given) == spec.runs else "failed" if failures else "interrupted"
    coordinator.write("finished", status=status)
    coordinator.close()
    worker.close()
    return HandMade(experiment, given)


def accuracy_of(spec: Spec, right: NDArray[np.bool_]) -> dict[str, float | None]:
    """K -> share of right answers, None where the set is empty."""
    shares = right.sum(axis=1) / right.shape[1] if right.shape[1] else [None] * len(right)
    return {
        str(k): None if share is None else float(share) for k, share in zip(spec.levels, shares, strict=True)
    }


def slopes_of(spec: Spec, right: NDArray[np.bool_]) -> dict[str, float | None]:
    """j -> A_j / A_j+2, None where that cannot be had; counted in whole images."""
    counts = [int(count) for count in right.sum(axis=1)]
    steps = zip(spec.levels[1:], counts, counts[1:], strict=False)
    return {str(j): fitted / general if general else None for j, general, fitted in reversed(list(steps))}


def metrics_of(spec: Spec, run: int, answers: Answers) -> dict[str, object]:
    """What a worker publishes of a run with these answers."""
    sizes = {name: right.shape[1] for name, right in answers.items()}
    # A set that was selected at K = 1 is walked from there.
    slopes = {
        name: slopes_of(spec, right[::-1] if SETS[name].from_fitted else right)
        for name, right in answers.items()
    }
    return {
        "schema_version": 1,
        "index": run,
        "counts": {
            "train": N_TRAIN,
            "test": sizes["test"],
            "correct": sizes["test"] - sizes["misclassified"],
            "misclassified": sizes["misclassified"],
            "candidates": 9000 + run,
            "rejected": 0,
            "adversarial": sizes["adversarial"],
            "adversarial_sources": math.ceil(sizes["adversarial"] / 2),
            "sets": sizes,
            **({"matched": {"distinct": 1, "unlike": 0}} if "matched" in sizes else {}),
        },
        "surrogate_accuracy": 0.98 + run / 1000,
        "surrogate_reused": False,
        "attack": {"surrogate_fooled": 0.5, "target_hit": 0.25, "linf_max": spec.epsilon, "l2_mean": 1.5},
        "noise": None,
        "accuracy": {name: accuracy_of(spec, right) for name, right in answers.items()},
        "slopes": slopes,
        "slope_reasons": {
            name: {j: "zero_denominator" for j, slope in by_j.items() if slope is None}
            for name, by_j in slopes.items()
        },
        "search": {"searched": 9, "certified": 9, "widened": 0, "complete": 0, "measured": 99, "reused": 0},
        # The attack and the filter are parts of the candidates' time, not added to it.
        "seconds": {"split": 1.0, "surrogate": 20.0, "candidates": 12.0 + run, "attack": 7.0, "filter": 5.0},
        "data_sha256": "0" * 64,
        "environment": ENVIRONMENT,
    }


def _write_arrays(path: Path) -> None:
    path.write_bytes(b"nobody reads these")
