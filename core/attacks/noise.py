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


SOLVED = 1e-7
"""The relative step of a norm's scale below which it is found: less than a float32 can hold."""


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
        signs = _draw_signs(images, generator)
        perturbed = confine(images, images + self.epsilon * signs, self.epsilon)
        return Perturbed(perturbed, all_kept(images), same_steps(images, 0))


def add_noise_of_norm(images: Tensor, l2: Tensor, generator: torch.Generator) -> Tensor:
    """clip01(x + s * sign), the signs as `SignNoise` draws them, with s such that the change has the norm l2.

    images: (n, C, H, W) in [0, 1]. l2: (n,) float64, 0 or more, in pixel units. Where clipping leaves too little
    room for the norm, the change is the largest that there is room for. s may exceed any epsilon.
    """
    signs = _draw_signs(images, generator)
    # The largest change of each pixel in its direction.
    room = torch.where(signs > 0, 1 - images, images).flatten(1)
    squares = room.square()
    scale = l2 / room.shape[1] ** 0.5
    # |change|^2 = sum min(s, room)^2. With the pixels that stop at their room known it is solved at once; with each
    # solution more of them are known, and s only grows.
    while True:
        stops = room < scale[:, None].to(room.dtype)
        stopped = (squares * stops).sum(dim=1, dtype=torch.float64)
        free = room.shape[1] - stops.sum(dim=1)
        left = (l2.square() - stopped).clamp(min=0)
        larger = torch.where(free > 0, (left / free.clamp(min=1)).sqrt(), scale)
        if not (larger > scale * (1 + SOLVED)).any():
            break
        scale = torch.maximum(larger, scale)
    change = torch.minimum(scale[:, None].to(room.dtype), room).reshape(images.shape)
    return (images + signs * change).clamp(0, 1)


def _draw_signs(images: Tensor, generator: torch.Generator) -> Tensor:
    """-1 or 1 for every pixel, of the images' dtype, on their device."""
    bits = torch.randint(0, 2, images.shape, generator=generator, device=generator.device, dtype=torch.int8)
    return (2 * bits - 1).to(images.device, images.dtype)
