"""ONE run of the experiment, in the order of the paper's Sections 3 and 4.

K, Z and A (accuracy at each K) are the paper's letters; C, M and D are the sets of correctly classified test
images, misclassified test images and adversarial images. The classifier comes from a family with an ordered
fitting knob: `levels[0]` is its most general member (K = Z), the last its most fitted one (K = 1).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.attacks.attack import Attack
from core.attacks.catalogue import ATTACKS, AttackInfo
from core.attacks.registry import build_attack
from core.data.images import ImageSet
from core.data.split import stratified_split
from core.families.family import FittedLevels, Predictions
from core.families.knn import KNearestNeighbours
from core.files.cache import Cache
from core.protocol.candidates import CandidateKeeper, Sources, candidate_count, candidates_of
from core.protocol.stages import Observer, Stages, unobserved
from core.protocol.streams import Streams
from core.sets.catalogue import SETS
from core.sets.measured import TestedImages, of_candidates
from core.sets.sample import Members
from core.sets.selection import PARTS, Selection, margin_of, matched
from core.spec.spec import Spec
from core.statistics.slopes import slopes
from core.surrogates.cached import trained
from core.surrogates.training import accuracy as accuracy_of
from core.tensors.batches import parts
from core.tensors.device import exact_convolutions

TEST_IMAGES_AT_ONCE = 1000
"""Test images between two reports of progress."""


@dataclass(frozen=True)
class RunResult:
    """What a run found.

    metrics: an entry of `runs[]` of the JSON result without its status; JSON values only.
    arrays: what `core.records.arrays` writes. samples: images of each set, made from `source` of the pooled data
    set, in the order in which tables show the sets.
    """

    metrics: dict[str, object]
    arrays: dict[str, NDArray[np.generic]]
    samples: dict[str, Members]


@exact_convolutions()
def compute_run(
    spec: Spec,
    run: int,
    pool: ImageSet,
    *,
    device: str = "cpu",
    observe: Observer = unobserved,
    clock: Callable[[], float] = time.perf_counter,
    cache: Cache | None = None,
    keep: CandidateKeeper | None = None,
) -> RunResult:
    """Compute run `run` (from 0) of an experiment on the pooled images of its data set.

    device: a torch device. clock: seconds, for the stages' durations. cache: where surrogates and the test
    images' neighbours are taken from and kept. keep: is handed every candidate of the attack. Two computations
    of the same run may differ in these durations, `search` and `surrogate_reused` only. Raises SpecError where
    Z exceeds the training images.
    """
    streams, stages = Streams(spec.seed, run), Stages(observe, clock)

    # 1. Split
    with stages.stage("split"):
        split = stratified_split(pool.labels, pool.test_size, streams.numpy("split"))
        train_image, train_label = pool.images[split.train_index], pool.labels[split.train_index]
        test_image, test_label = pool.images[split.test_index], pool.labels[split.test_index]

    # 2. Neighbours: one search gives the prediction at every K
    family = KNearestNeighbours(
        z=spec.z,
        tie_rule=spec.tie_rule,
        search=spec.search,
        device=device,
        threads=spec.threads,
        cache=cache,
    )
    with stages.stage("neighbours", total=len(test_label)):
        classifier = family.fit(train_image, train_label, pool.classes)
        tested = _predict_all(classifier, test_image, stages)
        test_prediction = tested.label

    # 3. Surrogate
    with stages.stage("surrogate", total=spec.epochs * len(train_label)):
        surrogate, surrogate_reused = trained(
            cache,
            train_image,
            train_label,
            classes=pool.classes,
            epochs=spec.epochs,
            weights=streams.torch("weights"),
            batches=streams.numpy("batches"),
            device=device,
            on_images=stages.progress,
            on_epoch=stages.epoch,
        )
        surrogate_accuracy = accuracy_of(surrogate, test_image, test_label, device=device)

    # 4. Sources: C, the test images that the most general member classifies correctly
    correct = test_prediction[0] == test_label
    sources = Sources(
        image=test_image[correct],
        label=test_label[correct],
        index=split.test_index[correct],
        known=(test_prediction[-1] == test_label)[correct],
        near=tested.near[correct],
    )

    def attacked_with(info: AttackInfo, attack: Attack, stream: str, stage: str, selected: str) -> Selection:
        """Steps 5 and 6 for one attack."""
        kept = selected == "adversarial"
        selection = Selection(
            family.levels,
            pool.shape,
            pool.classes,
            streams.numpy("choice"),
            selected=selected,
            also=[name for name in PARTS if kept and name in spec.controls],
            kept=kept,
        )
        total = candidate_count(len(sources.label), info, pool.classes)
        with stages.stage(stage, total=total):
            for block in candidates_of(
                sources,
                attack=attack,
                info=info,
                surrogate=surrogate,
                classifier=classifier,
                classes=pool.classes,
                generator=streams.torch(stream),
                stages=stages,
                device=device,
            ):
                selection.add(block)
                if kept and keep is not None:
                    keep.add(block, sources.index[block.source])
        return selection

    # 5. Candidates, 6. Adversarial set: D, those that the most general member does not classify as y
    attack = build_attack(
        spec.attack, epsilon=spec.epsilon, norm=spec.norm, bound=spec.bound, steps=spec.steps
    )
    info = ATTACKS[spec.attack]
    selection = attacked_with(info, attack, "attack", "candidates", "adversarial")
    adversarial = selection.adversarial()
    adversarial_sources = np.unique(adversarial.source)

    # 7. The three sets, and the controls
    tests = TestedImages(
        test_image, test_label, split.test_index, test_prediction, family.levels, pool.classes
    )
    mistakes, known = np.flatnonzero(~correct), np.flatnonzero(correct)
    matching: dict[str, object] = {}
    noise_figures: dict[str, float | None] | None = None
    measured = {
        "test": tests.measured("test", np.arange(len(test_label))),
        "misclassified": tests.measured("misclassified", mistakes),
        "adversarial": of_candidates(selection.parts["adversarial"], sources.index),
    }
    for control in spec.controls:
        match control:
            case "noise":
                noise = build_attack("noise", epsilon=spec.epsilon)
                # As many draws a source as the attack has candidates: more would be more chances to be selected.
                draws = replace(ATTACKS["noise"], per_target=info.per_target)
                drawn = attacked_with(draws, noise, "noise", "noise", "noise")
                measured[control] = of_candidates(drawn.parts[control], sources.index)
                noise_figures = drawn.attack_figures()
            case "matched":
                margin = margin_of(tested.support[mistakes], test_label[mistakes])
                partner, unlike = matched(selection.margins(), margin)
                measured[control] = tests.measured(control, mistakes[partner])
                matching = {"matched": {"distinct": len(np.unique(partner)), "unlike": unlike}}
            case "sources":
                measured[control] = tests.measured(control, known[adversarial_sources])
            case part if part in PARTS:
                measured[control] = of_candidates(selection.parts[part], sources.index)
            case unknown:
                raise AssertionError(f"the catalogue names the control {unknown}, and nothing computes it")

    # 8. Slopes
    accuracy = {name: found.tally.accuracy() for name, found in measured.items()}
    slope = {
        name: slopes(
            SETS[name].as_counted(values, family.levels),
            levels=family.levels,
            zero_by_construction=SETS[name].begins_at_zero,
        )
        for name, values in accuracy.items()
    }
    metrics: dict[str, object] = {
        "index": run,
        "counts": {
            "train": len(train_label),
            "test": len(test_label),
            "correct": int(correct.sum()),
            "misclassified": int((~correct).sum()),
            "candidates": selection.count,
            "rejected": selection.rejected,
            "adversarial": len(adversarial.label),
            "adversarial_sources": len(adversarial_sources),
            "sets": {name: found.tally.count for name, found in measured.items()},
            **matching,
        },
        "surrogate_accuracy": surrogate_accuracy,
        "surrogate_reused": surrogate_reused,
        "attack": selection.attack_figures(),
        "noise": noise_figures,
        "accuracy": {name: _by_level(values) for name, values in accuracy.items()},
        "slopes": {name: _by_level({j: s.value for j, s in by_j.items()}) for name, by_j in slope.items()},
        "slope_reasons": {
            name: {str(j): s.reason for j, s in by_j.items() if s.reason is not None}
            for name, by_j in slope.items()
        },
        "search": dict(classifier.effort),
        "seconds": stages.seconds,
    }
    arrays: dict[str, NDArray[np.generic]] = {
        "train_index": split.train_index.astype(np.int32),
        "test_index": split.test_index.astype(np.int32),
        "test_label": test_label.astype(np.int16),
        "test_prediction": test_prediction.astype(np.int16),
        "k": np.array(family.levels, dtype=np.int32),
        "adversarial_image": adversarial.image,
        "adversarial_label": adversarial.label.astype(np.int16),
        "adversarial_source": sources.index[adversarial.source].astype(np.int32),
        "adversarial_target": adversarial.target.astype(np.int16),
        "adversarial_prediction": adversarial.prediction.astype(np.int16),
    }
    return RunResult(metrics, arrays, {name: found.sample for name, found in measured.items()})


def _predict_all(classifier: FittedLevels, images: NDArray[np.uint8], stages: Stages) -> Predictions:
    """What the classifier says of (n, H, W, C) images, with progress."""
    found = []
    for part in parts(len(images), TEST_IMAGES_AT_ONCE):
        found.append(classifier.predict(images[part]))
        stages.progress(min(part.stop, len(images)))
    return Predictions(
        np.concatenate([f.label for f in found], axis=1),
        np.concatenate([f.support for f in found]),
        np.concatenate([f.near for f in found]),
    )


def _by_level(values: dict[int, float | None]) -> dict[str, float | None]:
    """JSON's keys are strings."""
    return {str(level): value for level, value in values.items()}
