"""What an experiment will cost, said before it is started: images, predictions, and a rough time from past runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.attacks.registry import ATTACKS
from core.data.catalogue import CATALOGUE
from core.declarations.lazy import statistics
from core.report.formatting import duration
from core.sets.registry import SETS
from core.spec.spec import Spec

NO_DIFFERENCE = ("runs", "seed", "epsilon", "keep", "device")
"""Settings by which runs of the same kind may differ."""


@dataclass(frozen=True)
class PastRun:
    """A complete run of some experiment: its spec and how long it took."""

    spec: Spec
    seconds: float


@dataclass(frozen=True)
class Cost:
    """What is known of an experiment before it runs.

    train, test: images of a run; None for a user's own set, whose size is not known without reading it.
    candidates: of the attack in a run, from every test image; fewer where it gives some up. predictions: images
    that the classifier of all training images answers in a run, at most: a control may attack only those test
    images that it recognises. needed: what it calls that, in the plural. seconds: rough time for all runs, None
    without a past run to go by; basis says which.
    """

    train: int | None
    test: int | None
    candidates: int | None
    predictions: int | None
    needed: str
    seconds: float | None
    basis: str


def cost_of(spec: Spec, jobs: int, past: Iterable[PastRun]) -> Cost:
    """The cost of an experiment. past: complete runs of any experiments, the newest first."""
    seconds, basis = _seconds(spec, jobs, list(past))
    needed = spec.make_family().needed
    if spec.dataset not in CATALOGUE:
        return Cost(None, None, None, None, needed, seconds, basis)
    entry = CATALOGUE[spec.dataset]
    images = entry.train_size + entry.test_size
    test = spec.test_size or entry.test_size
    candidates = test * (entry.classes - 1 if ATTACKS[spec.attack].per_target else 1)
    attacks = 1 + sum(SETS[name].draws for name in spec.controls)
    return Cost(images - test, test, candidates, test + attacks * candidates, needed, seconds, basis)


def _seconds(spec: Spec, jobs: int, past: Sequence[PastRun]) -> tuple[float | None, str]:
    """The median duration of the most similar past runs, times the rounds in which the runs are computed."""
    for names, basis in (
        ([name for name in spec.values if name not in NO_DIFFERENCE], "runs of the same kind"),
        (("dataset", "attack"), "runs of this data set and attack with other settings"),
        (("dataset",), "runs of this data set with another attack"),
    ):
        alike = [run for run in past if all(run.spec.values.get(n) == spec.values[n] for n in names)]
        if alike:
            rounds = math.ceil(spec.runs / jobs)
            return rounds * statistics.median(run.seconds for run in alike), basis
    return None, "no past run of this data set to go by"


def describe_cost(cost: Cost) -> str:
    """The cost in two or three short lines."""
    lines = ["images: those of your own data set; how many is known once it is read"]
    if cost.train is not None:
        lines = [
            f"images: {cost.train:,} for training and {cost.test:,} for testing, in each run",
            f"work: up to {cost.candidates:,} candidates and {cost.predictions:,} {cost.needed} a run",
        ]
    about = "" if cost.seconds is None else f"about {duration(cost.seconds)}, from "
    return "\n".join([*lines, f"time: {about}{cost.basis}"])
