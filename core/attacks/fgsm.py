"""FGSM: one step of epsilon a pixel along the sign of the loss gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.attacks.attack import (
    BATCH_SIZE,
    Attack,
    Perturbed,
    all_kept,
    check_inputs,
    check_settings,
    same_steps,
)
from core.attacks.frozen import frozen
from core.attacks.gradients import blocks_of_different, loss_direction
from core.declarations.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class FGSM(Attack):
    """The fast gradient sign method (Goodfellow, Shlens, Szegedy 2015, arXiv:1412.6572).

    x' = clip01(x - epsilon * sign(grad_x CE(f(x), target))). A pixel without gradient stays.

    epsilon: in (0, 1], pixel units.
    batch_size: different images a forward pass.
    """

    title = "FGSM, targeted"
    summary = "one step of epsilon a pixel toward each other class; the paper's first attack"
    about = (
        "Every pixel moves by epsilon, up or down, whichever makes the surrogate more inclined to the class aimed "
        "at. It takes one gradient and one step, for each class other than the true one."
    )
    formula = "x' = clip(x - ε · sign ∇ₓ CE(f(x), t), 0, 1)"

    epsilon: float
    batch_size: int = BATCH_SIZE

    def __post_init__(self) -> None:
        check_settings(self.epsilon, self.batch_size)

    def __call__(
        self, model: nn.Module, images: Tensor, labels: Tensor, targets: Tensor, generator: torch.Generator
    ) -> Perturbed:
        """See `Attack`; the generator is not used."""
        check_inputs(images, labels, targets, targeted=self.targeted)
        classes, step = (targets, -self.epsilon) if self.targeted else (labels, self.epsilon)
        perturbed = torch.empty_like(images)
        with frozen(model):
            for rows in blocks_of_different(images, self.batch_size):
                moved = loss_direction(model, images[rows], classes[rows]).mul_(step).add_(images[rows])
                perturbed[rows] = moved.clamp_(0, 1)
        return Perturbed(perturbed, all_kept(images), same_steps(images, 1))


class UntargetedFGSM(FGSM):
    """FGSM away from the true class: x' = clip01(x + epsilon * sign(grad_x CE(f(x), label)))."""

    title = "FGSM, untargeted"
    summary = "one step of epsilon a pixel away from the true class"
    about = (
        "Every pixel moves by epsilon, up or down, whichever makes the surrogate less inclined to the true class. "
        "It takes one gradient and one step; where the image ends is left open."
    )
    formula = "x' = clip(x + ε · sign ∇ₓ CE(f(x), y), 0, 1)"
    targeted = False
    per_target = False
