"""ONE run of the experiment, in eight steps that follow the paper's Sections 3 and 4, and what decides its claim.

A (accuracy at each level) and S (slopes) are the paper's letters; C, M and D are the sets of correctly classified
test images, misclassified test images and adversarial images. The classifier comes from a family with an ordered
fitting knob: the first level of its ladder is its most general member, the last its most fitted one.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from core.data.images import ImageSet
from core.families.family import ONE_PROCESSOR, Resources
from core.protocol.attacking import find_sources, make_candidates, train_surrogate
from core.protocol.classifying import classify_by_halves, classify_test_images, split_images
from core.protocol.gallery_nearest import nearest_to_samples
from core.protocol.keeping import CandidateKeeper
from core.protocol.measuring import compute_slopes, measure_sets
from core.protocol.result import RunResult, arrays_of, metrics_of
from core.protocol.selection import begin_deciding, select_adversarial
from core.protocol.stages import Observer, Stages, ignore
from core.protocol.streams import Streams
from core.protocol.work import Work
from core.spec.spec import Spec
from core.tensors.device import exact_convolutions, one_thread


def compute_run(
    spec: Spec,
    run: int,
    pool: ImageSet,
    *,
    resources: Resources = ONE_PROCESSOR,
    observe: Observer = ignore,
    clock: Callable[[], float] = time.perf_counter,
    keep: CandidateKeeper | None = None,
) -> RunResult:
    """Compute run `run` (from 0) of an experiment on the pooled images of its data set.

    resources: device, threads and cache; no number depends on the threads or the cache. clock: seconds, for the
    stages' durations. keep: is handed every candidate of the attack. Two computations of the same run may differ
    in these durations, `search` and `surrogate_reused` only. Raises SpecError where an option asks for more than
    the data set has.
    """
    work = Work(spec, run, pool, resources, Streams(spec.seed, run), Stages(run, observe, clock))
    with exact_convolutions(), one_thread():
        # 1. The pooled images are split. 2. Every level of the classifier judges the test images; so does the
        # classifier of each half of the training images, for what decides the claim.
        split = split_images(work)
        classified = classify_test_images(work, split)
        halves = classify_by_halves(work, split, classified)

        # 3. A surrogate is trained. 4. C comes first of the images that are attacked on it, 5. toward every class.
        surrogate = train_surrogate(work, split)
        sources = find_sources(classified, halves)
        maker = make_candidates(work, surrogate, classified.classifier, halves)

        # 6. D is what the most general level gets wrong of the candidates from C.
        decider = begin_deciding(work, sources, halves)
        selection = select_adversarial(work, maker, sources, decider, keep)

        # 7. A at every level, on the test set, M, D and the controls; 8. S from each level to the next.
        measured = measure_sets(work, split, classified, sources, maker, selection, decider)
        changes = compute_slopes(work.ladder, measured)
        nearest = nearest_to_samples(work, split, classified, measured)
    return RunResult(
        metrics_of(work, classified, surrogate, selection, measured, changes, decider.figures()),
        arrays_of(work, split, classified, halves, sources, selection.adversarial()),
        {name: found.sample for name, found in measured.items()},
        nearest,
    )
