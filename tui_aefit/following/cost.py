"""The cost of an experiment before it is started: images, predictions, and a rough time from past runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.declarations.lazy import statistics
from core.report.formatting import duration
from core.sets.registry import SETS
from core.spec.grid import time_of_training
from core.spec.spec import Spec
from tui_aefit.following.past_runs import PastRun, most_alike
from tui_aefit.following.size import Size, size_of


@dataclass(frozen=True)
class Cost:
    """The cost of an experiment before it runs.

    train, test: images of a run; None for a user's own set that has not been looked at.
    candidates: of the attack in a run, at most: it makes them from every test image and may give some up.
    predictions: images that the classifier of all training images predicts in a run, at most: a control may attack
    only the test images that it recognises. needed: the classifier's word for its predictions, in the plural.
    seconds: rough time for all runs, None without past runs to go by. basis: which past runs these are, in words.
    """

    train: int | None
    test: int | None
    candidates: int | None
    predictions: int | None
    needed: str
    seconds: float | None
    basis: str


def cost_of(spec: Spec, jobs: int, past: Sequence[PastRun], size: Size | None = None) -> Cost:
    """The cost of an experiment. past: complete runs of any experiments, the newest first.

    size: of a user's own set, where it is known.
    """
    seconds, basis = _seconds(spec, jobs, past)
    needed = spec.make_family().needed
    size = size_of(spec.dataset) or size
    if size is None:
        return Cost(None, None, None, None, needed, seconds, basis)
    test, candidates = size.test_of(spec), size.candidates_of(spec)
    attacks = 1 + sum(SETS[name].draws for name in spec.controls)
    return Cost(size.train_of(spec), test, candidates, test + attacks * candidates, needed, seconds, basis)


def _seconds(spec: Spec, jobs: int, past: Sequence[PastRun]) -> tuple[float | None, str]:
    """The median duration of the most similar past runs, times the rounds of computing; and the basis.

    Training is always counted, with its median: whether a suitable surrogate is in the cache is not known.
    """
    alike, basis = most_alike(spec, past)
    if not alike:
        return None, "no past run of this data set to go by"
    rest = statistics.median(run.seconds - run.training for run in alike)
    as_long = time_of_training(spec)
    training = [run.training for run in alike if run.trained] or [
        run.training for run in past if run.trained and time_of_training(run.spec) == as_long
    ]
    rounds = math.ceil(spec.runs / jobs)
    return rounds * (rest + statistics.median(training or [0.0])), basis


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
