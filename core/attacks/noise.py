"""Random sign noise: the control that has an attack's size and no gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.attacks.attack import (
    Attack,
    Perturbed,
    all_kept,
    check_inputs,
    check_settings,
    confine,
    same_steps,
)
from core.declarations.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class SignNoise(Attack):
    """x' = clip01(x + epsilon * s), every entry of s independently -1 or 1 with probability 1/2.

    epsilon: in (0, 1], pixel units.
    """

    title = "Random sign noise"
    summary = "every pixel up or down by epsilon at random: the control without a gradient"
    targeted = False
    uses_gradient = False
    random = True

    epsilon: float

    def __post_init__(self) -> None:
        check_settings(self.epsilon)

    def __call__(
        self, model: nn.Module, images: Tensor, labels: Tensor, targets: Tensor, generator: torch.Generator
    ) -> Perturbed:
        """See `Attack`; one bit a pixel is drawn, for all images at once. The model is not called."""
        check_inputs(images, labels, targets, targeted=self.targeted)
        bits = torch.randint(
            0, 2, images.shape, generator=generator, device=generator.device, dtype=torch.int8
        )
        signs = (2 * bits - 1).to(images.device, images.dtype)
        perturbed = confine(images, images + self.epsilon * signs, self.epsilon)
        return Perturbed(perturbed, all_kept(images), same_steps(images, 0))
