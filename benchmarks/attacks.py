"""Candidates a second of our attacks, beside foolbox, torchattacks and the Adversarial Robustness Toolbox.

All attack the same LeNet-5 from the same images. Targeted FGSM makes one candidate for each other class of a
source. foolbox's, torchattacks' and ART's DeepFool are untargeted: each makes one candidate a source, which takes
fewer and shorter steps; they are measured on fewer images, and the passes of a model alone show what is possible.
"""

from __future__ import annotations

from collections.abc import Callable

import foolbox
import numpy as np
import torch
import torchattacks
from art.attacks.evasion import DeepFool as ArtDeepFool
from art.attacks.evasion import FastGradientMethod
from art.estimators.classification import PyTorchClassifier
from torch import Tensor

from benchmarks.measuring import in_turns, limit_threads, median, parser, report
from benchmarks.problem import EPSILON, Targets, problem, targets
from core.attacks.attack import Attack
from core.attacks.registry import ATTACKS
from core.surrogates.network import Network

FEW = {"torchattacks": 4, "ART": 8, "foolbox": 128}
"""Images that each library's DeepFool is measured on: some take a sixth of a second for one."""
STEPS = 50


def main() -> None:
    """Measure and print two tables."""
    options = parser("attacks", __doc__)
    options.add_argument("--sources", type=int, default=256)
    chosen = options.parse_args()
    limit_threads(chosen.threads)
    given = problem(chosen.dataset, chosen.data_dir)
    model = given.surrogate()
    wanted = targets(given, chosen.sources)
    classes = given.pool.classes

    fgsm: list[tuple[str, int, Callable[[], object]]] = [
        ("ours", len(wanted.image), _ours(ATTACKS["fgsm"](epsilon=EPSILON), model, wanted)),
        ("torchattacks", len(wanted.image), _torchattacks_fgsm(model, wanted)),
        ("foolbox", len(wanted.image), _foolbox_fgsm(model, wanted)),
        ("ART", len(wanted.image), _art_fgsm(model, wanted, classes)),
    ]
    rows = _measure(fgsm, chosen.rounds)

    deepfool = ATTACKS["deepfool"](epsilon=EPSILON)
    steps = int(deepfool(model, wanted.image, wanted.label, wanted.target, torch.Generator()).steps.sum())
    once = wanted.image[:: classes - 1]
    own = wanted.label[:: classes - 1]
    untargeted: list[tuple[str, int, Callable[[], object]]] = [
        ("ours", len(wanted.image), _ours(deepfool, model, wanted)),
        ("its passes alone", len(wanted.image), _passes(model, wanted.image, steps)),
        ("ours, untargeted", len(once), _ours(
            ATTACKS["deepfool-untargeted"](epsilon=EPSILON), model, Targets(once, own, own)
        )),
        ("foolbox", FEW["foolbox"], _foolbox_deepfool(model, once, own)),
        ("ART", FEW["ART"], _art_deepfool(model, once, classes)),
        ("torchattacks", FEW["torchattacks"], _torchattacks_deepfool(model, once, own)),
    ]  # fmt: skip
    others = _measure(untargeted, chosen.rounds)
    title = f"{given.name}, LeNet-5, epsilon {EPSILON:g}"
    report(
        f"{title}: targeted FGSM, and DeepFool (ours targeted, {steps / len(wanted.image):.1f} steps a candidate)",
        [{"attack": "FGSM", **row} for row in rows] + [{"attack": "DeepFool", **row} for row in others],
        threads=chosen.threads,
        path=chosen.json,
    )


def _measure(works: list[tuple[str, int, Callable[[], object]]], rounds: int) -> list[dict[str, object]]:
    seconds = in_turns([work for _, _, work in works], rounds)
    rate = [count / median(times) for (_, count, _), times in zip(works, seconds, strict=True)]
    return [
        {"by": name, "candidates": count, "candidates a second": own, "ours is faster by": rate[0] / own}
        for (name, count, _), own in zip(works, rate, strict=True)
    ]


def _ours(attack: Attack, model: Network, wanted: Targets) -> Callable[[], object]:
    return lambda: attack(model, wanted.image, wanted.label, wanted.target, torch.Generator())


def _passes(model: Network, images: Tensor, count: int) -> Callable[[], object]:
    """As many forward and backward passes of one image as the attack makes, in full batches."""
    batch = images[:512]

    def run() -> None:
        for _ in range(-(-count // len(batch))):
            x = batch.detach().requires_grad_(True)
            logits = model(x)
            torch.autograd.grad((logits[:, 0] - logits[:, 1]).sum(), x)

    return run


def _torchattacks_fgsm(model: Network, wanted: Targets) -> Callable[[], object]:
    attack = torchattacks.FGSM(model, eps=EPSILON)
    attack.set_mode_targeted_by_label(quiet=True)
    return lambda: [
        attack(image, target)
        for image, target in zip(wanted.image.split(512), wanted.target.split(512), strict=True)
    ]


def _torchattacks_deepfool(model: Network, images: Tensor, labels: Tensor) -> Callable[[], object]:
    attack = torchattacks.DeepFool(model, steps=STEPS, overshoot=0.02)
    few = FEW["torchattacks"]
    return lambda: attack(images[:few], labels[:few])


def _foolbox_fgsm(model: Network, wanted: Targets) -> Callable[[], object]:
    wrapped = foolbox.models.PyTorchModel(model, bounds=(0, 1), device="cpu")
    # foolbox's FGSM is untargeted; one step of its iterative method is the same and takes targets.
    attack = foolbox.attacks.LinfBasicIterativeAttack(abs_stepsize=EPSILON, steps=1, random_start=False)
    return lambda: [
        attack(wrapped, image, foolbox.criteria.TargetedMisclassification(target), epsilons=EPSILON)
        for image, target in zip(wanted.image.split(512), wanted.target.split(512), strict=True)
    ]


def _foolbox_deepfool(model: Network, images: Tensor, labels: Tensor) -> Callable[[], object]:
    wrapped = foolbox.models.PyTorchModel(model, bounds=(0, 1), device="cpu")
    attack = foolbox.attacks.L2DeepFoolAttack(steps=STEPS, candidates=None, overshoot=0.02)
    few = FEW["foolbox"]
    return lambda: attack(wrapped, images[:few], labels[:few], epsilons=None)


def _art(model: Network, images: Tensor, classes: int) -> PyTorchClassifier:
    return PyTorchClassifier(
        model, loss=torch.nn.CrossEntropyLoss(), input_shape=tuple(images.shape[1:]), nb_classes=classes,
        clip_values=(0.0, 1.0), device_type="cpu",
    )  # fmt: skip


def _art_fgsm(model: Network, wanted: Targets, classes: int) -> Callable[[], object]:
    attack = FastGradientMethod(
        _art(model, wanted.image, classes), eps=EPSILON, targeted=True, batch_size=512
    )
    images, target = wanted.image.numpy(), np.eye(classes, dtype=np.float32)[wanted.target.numpy()]
    return lambda: attack.generate(images, y=target)


def _art_deepfool(model: Network, images: Tensor, classes: int) -> Callable[[], object]:
    attack = ArtDeepFool(
        _art(model, images, classes),
        max_iter=STEPS,
        epsilon=0.02,
        nb_grads=classes,
        batch_size=64,
        verbose=False,
    )
    few = images[: FEW["ART"]].numpy()
    return lambda: attack.generate(few)


if __name__ == "__main__":
    main()
