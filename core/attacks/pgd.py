"""PGD: many small steps along the sign of the loss gradient, projected back after each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.attacks.attack import (
    BATCH_SIZE,
    Attack,
    Perturbed,
    all_kept,
    check_inputs,
    check_settings,
    confine,
    same_steps,
)
from core.attacks.frozen import frozen
from core.attacks.gradients import loss_direction
from core.declarations.lazy import torch
from core.declarations.setting import Setting, Value, Whole
from core.tensors.batches import batches

if TYPE_CHECKING:
    from torch import Tensor, nn

STEPS = Setting(
    name="steps",
    title="PGD steps",
    metavar="N",
    kind=Whole(1, 10_000),
    default=10,
    help="gradient steps of PGD, each 2.5 epsilon / steps long",
)


@dataclass(frozen=True, kw_only=True)
class PGD(Attack):
    """Projected gradient descent in the L-infinity ball (Madry et al. 2018, arXiv:1706.06083).

    Each step moves every pixel by 2.5 * epsilon / steps against the sign of the gradient of the target's loss,
    and projects on the epsilon ball and on [0, 1]: any point of the ball can be reached from any other.

    epsilon: in (0, 1], pixel units.
    steps: at least 1.
    random_start: begin at a point drawn uniformly from the ball, then clipped to [0, 1]; else at the image.
    batch_size: images a forward pass.
    """

    title = "PGD, targeted"
    summary = "many small FGSM steps toward each other class, from a random start"
    about = (
        "Small FGSM steps follow the gradient as it turns, from a random place within epsilon of the image. After "
        "each the image is put back to within epsilon of where it began, and to pixels that there are."
    )
    formula = "x ← clip(x - 2.5 ε / steps · sign ∇ₓ CE(f(x), t)), to ±ε and to [0, 1]"
    random = True
    options = (STEPS,)

    epsilon: float
    steps: int = 10
    random_start: bool = True
    batch_size: int = BATCH_SIZE

    def __post_init__(self) -> None:
        check_settings(self.epsilon, self.steps, self.batch_size)

    @classmethod
    def passes(cls, options: Mapping[str, Value]) -> int:
        """See `Attack.passes`: one a step."""
        steps = options[STEPS.name]
        assert isinstance(steps, int)
        return steps

    def __call__(
        self, model: nn.Module, images: Tensor, labels: Tensor, targets: Tensor, generator: torch.Generator
    ) -> Perturbed:
        """See `Attack`; one uniform number a pixel is drawn, for all images at once, if `random_start`."""
        check_inputs(images, labels, targets, targeted=self.targeted)
        classes = targets if self.targeted else labels
        step = (-2.5 if self.targeted else 2.5) * self.epsilon / self.steps
        perturbed = self._start(images, generator)
        with frozen(model):
            for rows in batches(len(images), self.batch_size):
                x = perturbed[rows]
                for _ in range(self.steps):
                    moved = x + step * loss_direction(model, x, classes[rows])
                    x = confine(images[rows], moved, self.epsilon)
                perturbed[rows] = x
        return Perturbed(perturbed, all_kept(images), same_steps(images, self.steps))

    def _start(self, images: Tensor, generator: torch.Generator) -> Tensor:
        if not self.random_start:
            return images.clone()
        uniform = torch.rand(images.shape, generator=generator, device=generator.device, dtype=images.dtype)
        offset = (2 * uniform - 1).to(images.device) * self.epsilon
        return confine(images, images + offset, self.epsilon)


class UntargetedPGD(PGD):
    """PGD away from the true class: each step follows the sign of the gradient of the label's loss."""

    title = "PGD, untargeted"
    summary = "many small FGSM steps away from the true class, from a random start"
    about = (
        "Small FGSM steps away from the true class follow the gradient as it turns, from a random place within "
        "epsilon of the image. After each the image is put back to within epsilon of where it began, and to pixels "
        "that there are."
    )
    formula = "x ← clip(x + 2.5 ε / steps · sign ∇ₓ CE(f(x), y)), to ±ε and to [0, 1]"
    targeted = False
    per_target = False
