"""Steps 3 to 5 of a run: the surrogate, the images that are attacked on it, and who makes candidates of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from core.deciding.decider import Halves
from core.families.family import FittedLevels
from core.protocol.candidates import AttackedImages, CandidateMaker
from core.protocol.classifying import Classified, SplitImages
from core.protocol.work import Work
from core.records.stages import SURROGATE
from core.surrogates.cached import train_or_load
from core.surrogates.registry import SURROGATES
from core.surrogates.training import accuracy as accuracy_of


@dataclass(frozen=True)
class Surrogate:
    """The trained network, its accuracy on the test images, and whether it was in the cache."""

    network: nn.Module
    accuracy: float
    reused: bool


def train_surrogate(work: Work, split: SplitImages) -> Surrogate:
    """Step 3. Surrogate: train the network that is attacked on the run's training images."""
    spec, training, stages = work.spec, split.training, work.stages
    with stages.stage(SURROGATE, total=spec.epochs * len(training)):
        network, reused = train_or_load(
            work.resources.cache,
            SURROGATES[spec.surrogate](**spec.part_options("surrogate")),
            training.images,
            training.labels,
            classes=training.classes,
            epochs=spec.epochs,
            weights=work.streams.torch("weights"),
            batches=work.streams.numpy("batches"),
            device=work.resources.device,
            on_images=stages.progress,
            on_epoch=stages.epoch,
            origin=str(SURROGATES.origin(spec.surrogate) or ""),
        )
        accuracy = accuracy_of(network, split.test_image, split.test_label, device=work.resources.device)
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
    work: Work, surrogate: Surrogate, classifier: FittedLevels, halves: Halves | None
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
