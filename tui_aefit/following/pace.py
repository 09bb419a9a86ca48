"""Expects the time of each stage of a run that no run of its experiment has come to yet."""

from __future__ import annotations

from collections.abc import Iterable

from core.declarations.lazy import statistics
from core.records.stages import CANDIDATES, CLASSIFIER, HALVES, SPLIT, SURROGATE, stages_of
from core.spec.spec import Spec
from tui_aefit.following.past import PastRun, is_same_kind
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


SEARCH = 4.5e-11
"""Seconds a query and value of a training image in an exact neighbour search: 10,000 test images of MNIST among
60,000 training images took 21 s in each of two simultaneous runs on two processor cores, as in all that follows.
"""
AGAIN = 0.4
"""The share of that time that a candidate takes: it lies near its source, whose neighbours are known."""
GRADIENT = 3.1e-7
"""Seconds a value of an image, forward and backward through LeNet-5: 180,000 images took 43 s."""
MOMENT = 0.1
"""Seconds of a stage that takes hardly any time."""


def work_of(spec: Spec, size: Size) -> dict[str, float]:
    """Stage -> rough seconds in a run on the machine of SEARCH; the ratios between stages are what counts."""
    query = SEARCH * size.train_of(spec) * size.values
    step = GRADIENT * size.values
    candidates = size.candidates_of(spec)
    steps = spec.part_options("attack").get("steps", 1)
    gradients = steps if isinstance(steps, int) else 1
    work = {
        SPLIT: MOMENT,
        CLASSIFIER: size.test_of(spec) * query,
        HALVES: MOMENT,
        SURROGATE: spec.epochs * size.train_of(spec) * step,
        CANDIDATES: candidates * (AGAIN * query + gradients * step),
    }
    return {stage: work.get(stage, candidates * AGAIN * query) for stage in stages_of(spec)}
