"""ONE run of the experiment, in eight steps that follow the paper's Sections 3 and 4, and what decides its claim.

A (accuracy at each level) and S (slopes) are the paper's letters; C, M and D are the sets of correctly classified
test images, misclassified test images and adversarial images. The classifier comes from a family with an ordered
fitting knob: the first level of its ladder is its most general member, the last its most fitted one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray
from torch import nn

from core.attacks.attack import Attack
from core.attacks.registry import ATTACKS
from core.data.images import ImageSet
from core.data.split import Split, folds_of, stratified_fold, stratified_split
from core.deciding.decider import Decided, Decider, Halves, deciding_name
from core.deciding.halves import draw_halves, draw_subsets
from core.errors import SpecError
from core.families.family import (
    ONE_PROCESSOR,
    Family,
    FittedLevels,
    PartLevels,
    Predictions,
    Resources,
    TrainingImages,
)
from core.families.ladder import Ladder
from core.protocol.candidates import AttackedImages, CandidateMaker
from core.protocol.keeping import CandidateKeeper
from core.protocol.selection import AttackTally, Selection
from core.protocol.stages import Observer, Stages, ignore
from core.protocol.streams import Streams
from core.records.arrays import knob_values
from core.records.deciding import DecidingSet
from core.records.environment import Environment
from core.records.metrics import Counts, RunMetrics
from core.records.stages import CANDIDATES, CLASSIFIER, HALVES, SPLIT, SURROGATE
from core.sets.candidate_part import CandidatePart
from core.sets.measured import CandidateTally, ClassifiedImages, Measured
from core.sets.measured_set import MeasuredSet
from core.sets.members import Members, no_members
from core.sets.registry import SETS
from core.sets.run_so_far import RunSoFar
from core.sets.sample import Sample
from core.spec.spec import Spec
from core.statistics.slopes import Slope, slopes
from core.surrogates.cached import train_or_load
from core.surrogates.registry import SURROGATES
from core.surrogates.training import accuracy as accuracy_of
from core.tensors.batches import batches
from core.tensors.device import exact_convolutions, one_thread

TEST_IMAGES_AT_ONCE = 1000
"""Test images between two reports of progress."""


@dataclass(frozen=True)
class RunResult:
    """What a run found.

    metrics: of the run alone; `complete` adds what its caller knows. arrays: what `core.records.arrays` writes.
    samples: images of each set, made from `source` of the pooled data set, in the order in which tables show the
    sets.
    """

    metrics: RunMetrics
    arrays: dict[str, NDArray[np.generic]]
    samples: dict[str, Members]

    def complete(self, data_sha256: str, environment: Environment) -> RunMetrics:
        """The metrics with the digest of the data and what they were computed with."""
        return msgspec.structs.replace(self.metrics, data_sha256=data_sha256, environment=environment)


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
    with exact_convolutions(), one_thread():
        work = _Work(spec, run, pool, resources, Streams(spec.seed, run), Stages(run, observe, clock))
        split = split_images(work)
        classified = classify_test_images(work, split)
        halves = classify_by_halves(work, split, classified)
        surrogate = train_surrogate(work, split)
        sources = find_sources(classified, halves)
        maker = make_candidates(work, surrogate, classified.classifier, halves)
        decider = begin_deciding(work, sources, halves)
        selection = select_adversarial(work, maker, sources, decider, keep)
        measured = measure_sets(work, split, classified, sources, maker, selection, decider)
        changes = compute_slopes(work.ladder, measured)
    return RunResult(
        _metrics(work, classified, surrogate, selection, measured, changes, decider.figures()),
        _arrays(work, split, classified.test, halves, sources, selection.adversarial()),
        {name: found.sample for name, found in measured.items()},
    )


@dataclass(frozen=True)
class _Work:
    """What every step of a run needs: what is asked for, the images, the means, the random streams, who watches."""

    spec: Spec
    run: int
    pool: ImageSet
    resources: Resources
    streams: Streams
    stages: Stages

    @property
    def ladder(self) -> Ladder:
        return self.spec.ladder

    @property
    def attack(self) -> Attack:
        return ATTACKS[self.spec.attack](epsilon=self.spec.epsilon, **self.spec.part_options("attack"))


@dataclass(frozen=True)
class Classified:
    """The fitted classifier and the test images; predictions: all that it says of these."""

    classifier: FittedLevels
    test: ClassifiedImages
    predictions: Predictions


@dataclass(frozen=True)
class Surrogate:
    """The trained network, its accuracy on the test images, and whether it was in the cache."""

    network: nn.Module
    accuracy: float
    reused: bool


def split_images(work: _Work) -> Split:
    """Step 1. Split: a stratified split of the pooled images, of the data set's own sizes.

    Shuffled anew in every run, or one fold of a partition; when its folds are used up another is drawn.
    """
    labels, test_size = work.pool.labels, work.pool.test_size
    with work.stages.stage(SPLIT):
        if work.spec.splits == "folds":
            partition, fold = divmod(work.run, folds_of(len(labels), test_size))
            return stratified_fold(
                labels,
                test_size,
                fold,
                partition=Streams(work.spec.seed, partition).numpy("folds"),
                order=work.streams.numpy("split"),
            )
        return stratified_split(labels, test_size, work.streams.numpy("split"))


def training_images(work: _Work, split: Split) -> TrainingImages:
    """The training part of a split."""
    pool, index = work.pool, split.train_index
    return TrainingImages(pool.images[index], pool.labels[index], pool.classes)


def classify_test_images(work: _Work, split: Split) -> Classified:
    """Step 2. Classifier: fit every level on the training images, and ask all of them of every test image."""
    pool, stages = work.pool, work.stages
    image, label = pool.images[split.test_index], pool.labels[split.test_index]
    with stages.stage(CLASSIFIER, total=len(label)):
        classifier = work.spec.make_family().fit(
            training_images(work, split), work.resources, work.streams.numpy("family")
        )
        found = []
        for rows in batches(len(label), TEST_IMAGES_AT_ONCE):
            found.append(classifier.predict(image[rows]))
            stages.progress(min(rows.stop, len(label)))
    predictions = Predictions(
        np.concatenate([one.label for one in found], axis=1),
        np.concatenate([one.support for one in found]),
        np.concatenate([one.near for one in found]),
        {rule: np.concatenate([one.variants[rule] for one in found], axis=1) for rule in found[0].variants},
    )
    test = ClassifiedImages(
        image, label, split.test_index, predictions.label, predictions.support, work.ladder, pool.classes
    )
    return Classified(classifier, test, predictions)


def classify_by_halves(work: _Work, split: Split, classified: Classified) -> Halves | None:
    """The classifier on each half of the training images, and on random parts of each, for what decides the claim.

    None where a half has too few images for the family.
    """
    family, test = work.spec.make_family(), classified.test
    training = training_images(work, split)
    half = draw_halves(training.labels, work.streams.numpy("halves"))
    parts = np.stack([half == 0, half == 1])
    if not _is_possible(family, int(parts.sum(axis=1).min())):
        return None

    def fit(parts: NDArray[np.bool_]) -> PartLevels:
        random = work.streams.numpy("family parts")
        return family.fit_parts(classified.classifier, training, parts, work.resources, random)

    with work.stages.stage(HALVES, total=len(test.label)):
        levels, subset, subsets = fit(parts), None, None
        if family.subsets and _is_possible(family, int(parts.sum(axis=1).min()) // 2):
            random = work.streams.numpy("subsets")
            subset = np.stack([draw_subsets(part, family.subsets, random) for part in parts])
            subsets = fit(subset[0]), fit(subset[1])
        prediction = levels.predict(test.image, classified.predictions, classified.predictions.near)
    return Halves(half, levels, subset, subsets, prediction)


def train_surrogate(work: _Work, split: Split) -> Surrogate:
    """Step 3. Surrogate: train the network that is attacked on the run's training images."""
    spec, pool, stages = work.spec, work.pool, work.stages
    image, label = pool.images[split.train_index], pool.labels[split.train_index]
    with stages.stage(SURROGATE, total=spec.epochs * len(label)):
        network, reused = train_or_load(
            work.resources.cache,
            SURROGATES[spec.surrogate](**spec.part_options("surrogate")),
            image,
            label,
            classes=pool.classes,
            epochs=spec.epochs,
            weights=work.streams.torch("weights"),
            batches=work.streams.numpy("batches"),
            device=work.resources.device,
            on_images=stages.progress,
            on_epoch=stages.epoch,
            origin=str(SURROGATES.origin(spec.surrogate) or ""),
        )
        test_image, test_label = pool.images[split.test_index], pool.labels[split.test_index]
        accuracy = accuracy_of(network, test_image, test_label, device=work.resources.device)
    return Surrogate(network, accuracy, reused)


def find_sources(classified: Classified, halves: Halves | None) -> AttackedImages:
    """Step 4. Sources: C, the test images that the most general level classifies correctly, come first.

    Only an image that the classifier recognises can be the source of a cognitively adversarial one. The other
    test images are attacked after them: what decides the claim asks about all.
    """
    test = classified.test
    order = np.argsort(~test.correct, kind="stable")
    return AttackedImages(
        image=test.image[order],
        label=test.label[order],
        index=test.index[order],
        predictions=classified.predictions.take(order),
        recognised=int(test.correct.sum()),
        half_prediction=halves.test_prediction[:, :, order] if halves is not None else None,
    )


def make_candidates(
    work: _Work, surrogate: Surrogate, classifier: FittedLevels, halves: Halves | None
) -> CandidateMaker:
    """Step 5. Candidates: attack the surrogate from every test image, toward every other class or once.

    They are made block by block while step 6 selects.
    """
    attack = work.attack
    return CandidateMaker(
        attack=attack,
        per_target=attack.per_target,
        surrogate=surrogate.network,
        classifier=classifier,
        halves=halves.levels if halves is not None else None,
        classes=work.pool.classes,
        generator=work.streams.torch("attack"),
        device=work.resources.device,
        threads=work.resources.threads,
    )


def begin_deciding(work: _Work, sources: AttackedImages, halves: Halves | None) -> Decider:
    """What decides the claim is collected while the candidates come; so far, of the test images."""
    decider = Decider(
        work.ladder,
        work.pool.classes,
        label=sources.label,
        predictions=sources.predictions,
        half_prediction=sources.half_prediction,
        halves=halves,
        subsets=work.spec.make_family().subsets,
    )
    with work.stages.part("subsets"):
        decider.add_test_images(sources.image)
    return decider


def select_adversarial(
    work: _Work,
    maker: CandidateMaker,
    sources: AttackedImages,
    decider: Decider,
    keep: CandidateKeeper | None,
) -> Selection:
    """Step 6. Adversarial set: D, the candidates from C whose class the most general level does not see any more.

    So accuracy on D is 0 at that level by construction. The controls that are parts of the candidates are
    selected on the way.
    """
    parts = {name: _new_set(name) for name in work.spec.sets if issubclass(SETS[name], CandidatePart)}
    selection = _selection(work, {n: one for n, one in parts.items() if isinstance(one, CandidatePart)})
    with work.stages.stage(CANDIDATES, total=maker.count(len(sources))):
        for block in maker.make(sources, work.stages):
            selection.add(block)
            with work.stages.part("subsets"):
                decider.add("adversarial", block)
            if keep is not None:
                keep.add(block, sources.index[block.source])
    return selection


def measure_sets(
    work: _Work,
    split: Split,
    classified: Classified,
    sources: AttackedImages,
    maker: CandidateMaker,
    selection: Selection,
    decider: Decider,
) -> dict[str, Measured]:
    """Step 7. Accuracy A at every level, on the paper's three sets (all test images, M, D) and on the controls."""
    adversarial = selection.adversarial()

    def select_from(
        maker: CandidateMaker, attacked: AttackedImages, name: str, deciding: DecidingSet | None = None
    ) -> Measured:
        # As many draws a source as the attack has candidates: more would be more chances to be selected.
        other = replace(maker, generator=work.streams.torch_of_set(name))
        tally, figures = _tally(work, name), AttackTally()
        with work.stages.stage(name, total=other.count(len(attacked))):
            for block in other.make(attacked, work.stages):
                if block.recognised:
                    tally.add(block, np.flatnonzero(block.adversarial))
                    figures.add(block)
                if deciding is not None:
                    with work.stages.part("subsets"):
                        decider.add(deciding, block)
        return tally.measured(sources.index, figures.figures())

    def attack_anew(attack: Attack, name: str) -> Measured:
        if (deciding := deciding_name(name)) is None:
            return select_from(replace(maker, attack=attack, halves=None), sources.known, name)
        return select_from(replace(maker, attack=attack), sources, name, deciding)

    def add_noise_of_the_attacks_norm(name: str) -> Measured:
        return select_from(replace(maker, l2=selection.norms, halves=None), sources.known, name)

    def shuffle(name: str, asking: str) -> Measured:
        of = adversarial if name == "adversarial" else None
        return _shuffle(work, split, classified, sources, of, asking)

    run = RunSoFar(
        test=classified.test,
        source_index=sources.index,
        parts=selection.parts,
        adversarial_source=adversarial.source,
        adversarial_margin=selection.margins(),
        epsilon=work.spec.epsilon,
        attack_anew=attack_anew,
        add_noise_of_the_attacks_norm=add_noise_of_the_attacks_norm,
        shuffle=shuffle,
    )
    return {name: _new_set(name).measure(run) for name in work.spec.sets}


def _shuffle(
    work: _Work,
    split: Split,
    classified: Classified,
    sources: AttackedImages,
    adversarial: Members | None,
    asking: str,
) -> Measured:
    """The adversarial set, or where it is None the misclassified one, with what decides in random order."""
    test, ladder = classified.test, work.ladder
    if adversarial is not None:
        near = sources.predictions.near[adversarial.source]
        whole, truth = classified.classifier.predict(adversarial.image, near), adversarial.label
    else:
        wrong = np.flatnonzero(~test.correct)
        whole, truth = classified.predictions.take(wrong), test.label[wrong]
    labels = work.pool.labels[split.train_index]
    found = work.spec.make_family().shuffled(whole, labels, truth, work.streams.numpy_of_set(asking))
    none = no_members(len(ladder.levels), work.pool.shape)
    if found is None or not len(truth):
        return Measured(0, dict.fromkeys(ladder.levels), none)
    shares = found.right.sum(axis=1) / (found.out_of * len(truth))
    return Measured(len(truth), dict(zip(ladder.levels, shares.tolist(), strict=True)), none)


def _is_possible(family: Family, training: int) -> bool:
    """Whether the family can be trained on so many images."""
    try:
        family.check_size(training)
    except SpecError:
        return False
    return True


def compute_slopes(ladder: Ladder, measured: Mapping[str, Measured]) -> dict[str, dict[str, Slope]]:
    """Step 8. Slopes: S_j = A_j / A_i on every set, i the level before j; set -> j -> slope."""
    return {
        name: slopes(
            SETS[name].as_counted(found.accuracy, ladder),
            ladder,
            zero_by_construction=SETS[name].begins_at_zero(),
        )
        for name, found in measured.items()
    }


def _new_set(name: str) -> MeasuredSet:
    one = SETS[name]()
    one.name = name
    return one


def _tally(work: _Work, name: str) -> CandidateTally:
    shown = SETS[name].shown
    return CandidateTally(
        work.ladder, Sample(len(work.ladder.levels), work.pool.shape, work.pool.classes, shown)
    )


def _selection(work: _Work, parts: Mapping[str, CandidatePart]) -> Selection:
    return Selection(
        parts,
        {name: _tally(work, name) for name in parts},
        levels=len(work.ladder.levels),
        shape=work.pool.shape,
        # A plug-in's set that draws must not move what ours draw.
        random={name: work.streams.numpy_of_set(name) for name in parts},
    )


def _metrics(
    work: _Work,
    classified: Classified,
    surrogate: Surrogate,
    selection: Selection,
    measured: Mapping[str, Measured],
    changes: Mapping[str, Mapping[str, Slope]],
    decided: Decided,
) -> RunMetrics:
    test, adversarial = classified.test, selection.adversarial()
    correct = int(test.correct.sum())
    return RunMetrics(
        index=work.run,
        ladder=work.ladder,
        counts=Counts(
            train=len(work.pool.labels) - len(test.label),
            test=len(test.label),
            correct=correct,
            misclassified=len(test.label) - correct,
            candidates=selection.attack.count,
            rejected=selection.attack.rejected,
            adversarial=len(adversarial.label),
            adversarial_sources=len(np.unique(adversarial.source)),
            sets={name: found.count for name, found in measured.items()},
            distinct={name: found.distinct for name, found in measured.items() if found.distinct is not None},
        ),
        surrogate_accuracy=surrogate.accuracy,
        surrogate_reused=surrogate.reused,
        attack=selection.attack.figures(),
        sets={name: found.attack for name, found in measured.items() if found.attack is not None},
        accuracy={name: dict(found.accuracy) for name, found in measured.items()},
        crossfit=decided.crossfit,
        crossfit_fitted=decided.crossfit_fitted,
        bias_variance=decided.bias_variance,
        robustness=decided.robustness.robustness,
        flips=decided.robustness.flips,
        noise=decided.noise,
        variants=dict(decided.variants),
        slopes={name: {j: slope.value for j, slope in by_j.items()} for name, by_j in changes.items()},
        slope_reasons={
            name: {j: slope.reason for j, slope in by_j.items() if slope.reason is not None}
            for name, by_j in changes.items()
        },
        search=dict(classified.classifier.effort),
        seconds=work.stages.seconds,
        data_sha256="",
        environment=Environment(versions={}, device=work.resources.device, cpu=""),
    )


def _arrays(
    work: _Work,
    split: Split,
    test: ClassifiedImages,
    halves: Halves | None,
    sources: AttackedImages,
    adversarial: Members,
) -> dict[str, NDArray[np.generic]]:
    ladder = work.ladder
    arrays: dict[str, NDArray[np.generic]] = {
        "train_index": split.train_index.astype(np.int32),
        "test_index": split.test_index.astype(np.int32),
        "test_label": test.label.astype(np.int16),
        "test_prediction": test.prediction.astype(np.int16),
        ladder.array_name: knob_values(ladder),
        "adversarial_image": adversarial.image,
        "adversarial_label": adversarial.label.astype(np.int16),
        "adversarial_source": sources.index[adversarial.source].astype(np.int32),
        "adversarial_target": adversarial.target.astype(np.int16),
        "adversarial_prediction": adversarial.prediction.astype(np.int16),
    }
    if halves is not None:
        arrays["half"] = halves.half
        arrays["crossfit_test_prediction"] = halves.test_prediction.astype(np.int16)
        if halves.subset is not None and work.spec.keep == "candidates":
            arrays["subset"] = halves.subset
    return arrays
