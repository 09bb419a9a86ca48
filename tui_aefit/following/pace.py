"""Expects the time of each stage of a run that no run of its experiment has come to yet."""

from __future__ import annotations

from collections.abc import Iterable

from core.attacks.registry import ATTACKS
from core.declarations.lazy import statistics
from core.records.stages import CANDIDATES, CLASSIFIER, HALVES, SPLIT, SURROGATE, stages_of
from core.spec.spec import Spec
from tui_aefit.following.past_runs import PastRun, is_same_kind
from tui_aefit.following.size import Size, size_of


def expected_stages(spec: Spec, size: Size | None, past: Iterable[PastRun]) -> dict[str, float]:
    """Stage -> expected seconds in a run.

    These are the medians over past runs of the same kind. Without any, `work_of` scaled by the median pace of past
    runs of any kind; without these too, `work_of`, the pace of two processor cores. Empty where size is None then.
    """
    # A run whose surrogate came from the cache says nothing of how long training takes.
    known = [run for run in past if run.stages and run.trained]
    alike = [run for run in known if is_same_kind(run.spec, spec)]
    if alike:
        return {
            stage: statistics.median(run.stages[stage] for run in alike if stage in run.stages)
            for stage in stages_of(spec)
            if any(stage in run.stages for run in alike)
        }
    if size is None:
        return {}
    paces = []
    for run in known:
        others = size_of(run.spec.dataset)
        work = sum(work_of(run.spec, others).values()) if others is not None else 0.0
        if work:
            paces.append(sum(run.stages.values()) / work)
    pace = statistics.median(paces) if paces else 1.0
    return {stage: pace * seconds for stage, seconds in work_of(spec, size).items()}


GRADIENT = 3.1e-7
"""Seconds for one value of one image, there and back through LeNet-5: 180,000 images of MNIST took 43 s in each of
two runs beside each other on two processor cores.
"""
MOMENT = 0.1
"""Seconds of a stage that takes hardly any time."""


def work_of(spec: Spec, size: Size) -> dict[str, float]:
    """Stage -> seconds in a run, roughly: rather how the stages compare than what they take."""
    predicting = spec.make_family().prediction_time(size.train_of(spec), size.values)
    gradient = GRADIENT * size.values
    candidates = size.candidates_of(spec)
    passes = ATTACKS[spec.attack].passes(spec.part_options("attack"))
    work = {
        SPLIT: MOMENT,
        CLASSIFIER: size.test_of(spec) * predicting.first,
        HALVES: MOMENT,
        SURROGATE: spec.epochs * size.train_of(spec) * gradient,
        CANDIDATES: candidates * (predicting.again + passes * gradient),
    }
    return {stage: work.get(stage, candidates * predicting.again) for stage in stages_of(spec)}
