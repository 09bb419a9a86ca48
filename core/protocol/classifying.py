"""Steps 1 and 2 of a run: the split, and what the classifier, whole and of each half, says of the test images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.split import Split, folds_of, stratified_fold, stratified_split
from core.deciding.decider import Halves
from core.deciding.halves import draw_halves, draw_subsets
from core.errors import SpecError
from core.families.family import Family, FittedLevels, PartLevels, Predictions, TrainingImages
from core.protocol.streams import Streams
from core.protocol.work import Work
from core.records.stages import CLASSIFIER, HALVES, SPLIT
from core.sets.measurement import ClassifiedImages
from core.tensors.batches import batches

TEST_IMAGES_AT_ONCE = 1000
"""Test images between two reports of progress."""


@dataclass(frozen=True, eq=False)
class SplitImages:
    """The pooled images in two parts. test_image: (n, H, W, C) uint8. test_label: (n,) int64.

    train_index, test_index: where they are in the pool, int64.
    """

    train_index: NDArray[np.int64]
    test_index: NDArray[np.int64]
    training: TrainingImages
    test_image: NDArray[np.uint8]
    test_label: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Classified:
    """The fitted classifier and the test images; predictions: all that it says of these."""

    classifier: FittedLevels
    test: ClassifiedImages
    predictions: Predictions


def split_images(work: Work) -> SplitImages:
    """Step 1. Split: a stratified split of the pooled images, of the data set's own sizes.

    Shuffled anew in every run, or one fold of a partition; when its folds are used up another is drawn.
    """
    pool = work.pool
    with work.stages.stage(SPLIT):
        split = _fold(work) if work.spec.splits == "folds" else _reshuffled(work)
        train, test = split.train_index, split.test_index
        training = TrainingImages(pool.images[train], pool.labels[train], pool.classes)
        return SplitImages(train, test, training, pool.images[test], pool.labels[test])


def _reshuffled(work: Work) -> Split:
    return stratified_split(work.pool.labels, work.pool.test_size, work.streams.numpy("split"))


def _fold(work: Work) -> Split:
    labels, test_size = work.pool.labels, work.pool.test_size
    partition, fold = divmod(work.run, folds_of(len(labels), test_size))
    return stratified_fold(
        labels,
        test_size,
        fold,
        partition=Streams(work.spec.seed, partition).numpy("folds"),
        order=work.streams.numpy("split"),
    )


def classify_test_images(work: Work, split: SplitImages) -> Classified:
    """Step 2. Classifier: fit every level on the training images, and ask all of them of every test image."""
    image, label, stages = split.test_image, split.test_label, work.stages
    with stages.stage(CLASSIFIER, total=len(label)):
        classifier = work.family.fit(split.training, work.resources, work.streams.numpy("family"))
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
        image,
        label,
        split.test_index,
        predictions.label,
        predictions.support,
        work.ladder,
        work.pool.classes,
    )
    return Classified(classifier, test, predictions)


def classify_by_halves(work: Work, split: SplitImages, classified: Classified) -> Halves | None:
    """The classifier on each half of the training images, and on random parts of each, for what decides the claim.

    None where a half has too few images for the family.
    """
    family, training, test = work.family, split.training, classified.test
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


def _is_possible(family: Family, training: int) -> bool:
    """Whether the family can be trained on so many images."""
    try:
        family.check_size(training)
    except SpecError:
        return False
    return True
