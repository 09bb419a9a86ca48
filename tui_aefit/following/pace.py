"""How long each stage of a run may take, before any run of its experiment has come so far."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from core.attacks.registry import ATTACKS
from core.data.catalogue import CATALOGUE
from core.declarations.lazy import statistics
from core.records.stages import CANDIDATES, CLASSIFIER, HALVES, SPLIT, SURROGATE, stages_of
from core.spec.spec import Spec
from tui_aefit.following.past import PastRun, is_same_kind


@dataclass(frozen=True)
class Sizes:
    """How large a data set is: images for training and for testing in a run, values of an image, classes."""

    train: int
    test: int
    values: int
    classes: int


def sizes_of(spec: Spec) -> Sizes | None:
    """How large the data set of an experiment is; None for a user's own, which must be read first."""
    if spec.dataset not in CATALOGUE:
        return None
    entry = CATALOGUE[spec.dataset]
    test = spec.test_size or entry.test_size
    images = entry.train_size + entry.test_size
    return Sizes(images - test, test, math.prod(entry.shape), entry.classes)


def _candidates(spec: Spec, sizes: Sizes) -> int:
    """Of the attack in a run, from every test image."""
    return sizes.test * (sizes.classes - 1 if ATTACKS[spec.attack].per_target else 1)


def expected_stages(spec: Spec, sizes: Sizes | None, past: Iterable[PastRun]) -> dict[str, float]:
    """Stage -> seconds that it may take in a run, before any run of the experiment has come so far.

    The medians over past runs of the same kind; else by how much there is to do, at the pace of the past runs of
    any kind, or of two processor cores without any. Empty where neither is known.
    """
    # With a surrogate that was taken from the cache a run says nothing of how long training takes.
    known = [run for run in past if run.stages and run.trained]
    alike = [run for run in known if is_same_kind(run.spec, spec)]
    if alike:
        return {
            stage: statistics.median(run.stages[stage] for run in alike if stage in run.stages)
            for stage in stages_of(spec)
            if any(stage in run.stages for run in alike)
        }
    if sizes is None:
        return {}
    paces = []
    for run in known:
        others = sizes_of(run.spec)
        work = sum(work_of(run.spec, others).values()) if others is not None else 0.0
        if work:
            paces.append(sum(run.stages.values()) / work)
    pace = statistics.median(paces) if paces else 1.0
    return {stage: pace * seconds for stage, seconds in work_of(spec, sizes).items()}


SEARCH = 4.5e-11
"""Seconds for one value of one training image in an exact search for neighbours: 10,000 test images of MNIST among
60,000 took 21 s in each of two runs beside each other on two processor cores, as all that follows.
"""
AGAIN = 0.4
"""Of that, what a candidate takes: it lies near its image, whose neighbours are known."""
GRADIENT = 3.1e-7
"""Seconds for one value of one image, there and back through LeNet-5: 180,000 images took 43 s."""
MOMENT = 0.1
"""Seconds of what is done at once."""


def work_of(spec: Spec, sizes: Sizes) -> dict[str, float]:
    """Stage -> seconds in a run, roughly: rather how the stages compare than what they take."""
    query = SEARCH * sizes.train * sizes.values
    step = GRADIENT * sizes.values
    candidates = _candidates(spec, sizes)
    steps = spec.part_options("attack").get("steps", 1)
    gradients = steps if isinstance(steps, int) else 1
    work = {
        SPLIT: MOMENT,
        CLASSIFIER: sizes.test * query,
        HALVES: MOMENT,
        SURROGATE: spec.epochs * sizes.train * step,
        CANDIDATES: candidates * (AGAIN * query + gradients * step),
    }
    return {stage: work.get(stage, candidates * AGAIN * query) for stage in stages_of(spec)}
