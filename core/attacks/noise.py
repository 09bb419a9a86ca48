"""Random sign noise: the control that has an attack's size and no gradient."""

from __future__ import annotations

from collections.abc import Iterator
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
from core.tensors.batches import batches

if TYPE_CHECKING:
    from torch import Tensor, nn


PIXELS_AT_ONCE = 2**18
"""1 MB of float32: what several steps in turn make of so few pixels stays in a cache."""
SOLVED = 1e-7
"""The relative step of a norm's scale below which it is found: less than a float32 can hold."""


@dataclass(frozen=True, kw_only=True)
class SignNoise(Attack):
    """x' = clip01(x + epsilon * s), every entry of s independently -1 or 1 with probability 1/2.

    epsilon: in (0, 1], pixel units.
    """

    title = "Random sign noise"
    summary = "every pixel up or down by epsilon at random: the control without a gradient"
    about = (
        "Every pixel moves by epsilon, up or down by the toss of a coin. "
        "It has the size of an attack and no aim: what both do is no work of a gradient."
    )
    formula = "x' = clip(x + ε s, 0, 1),  s = ±1 at random"
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
        perturbed = torch.empty_like(images)
        bits = _draw_bits(images, generator)
        for rows in _few(images):
            moved = images[rows] + self.epsilon * _signs(bits[rows], images)
            perturbed[rows] = confine(images[rows], moved, self.epsilon)
        return Perturbed(perturbed, all_kept(images), same_steps(images, 0))


def add_noise_of_norm(images: Tensor, l2: Tensor, generator: torch.Generator) -> Tensor:
    """clip01(x + s * sign), the signs as `SignNoise` draws them, with s such that the change has the norm l2.

    images: (n, C, H, W) in [0, 1]. l2: (n,) float64, 0 or more, in pixel units. Where clipping leaves too little
    room for the norm, the change is the largest that there is room for. s may exceed any epsilon.
    """
    bits = _draw_bits(images, generator)
    # The largest change of each pixel in its direction.
    room = torch.empty_like(images)
    for rows in _few(images):
        room[rows] = torch.where(_signs(bits[rows], images) > 0, 1 - images[rows], images[rows])
    scale = l2 / room.flatten(1).shape[1] ** 0.5
    # |change|^2 = sum min(s, room)^2. With the pixels that stop at their room known it is solved at once; with each
    # solution more of them are known, and s only grows.
    while True:
        larger = torch.empty_like(scale)
        for rows in _few(images):
            larger[rows] = _solved(room[rows].flatten(1), scale[rows], l2[rows])
        if not (larger > scale * (1 + SOLVED)).any():
            break
        scale = torch.maximum(larger, scale)
    perturbed = torch.empty_like(images)
    for rows in _few(images):
        change = torch.minimum(scale[rows, None, None, None].to(room.dtype), room[rows])
        perturbed[rows] = (images[rows] + _signs(bits[rows], images) * change).clamp_(0, 1)
    return perturbed


def _solved(room: Tensor, scale: Tensor, l2: Tensor) -> Tensor:
    """(n,): the scale at which the change has the norm l2 where the same pixels of (n, d) stop as at this one."""
    stops = room < scale[:, None].to(room.dtype)
    stopped = (room.square() * stops).sum(dim=1, dtype=torch.float64)
    free = room.shape[1] - stops.sum(dim=1)
    left = (l2.square() - stopped).clamp(min=0)
    return torch.where(free > 0, (left / free.clamp(min=1)).sqrt(), scale)


def _draw_bits(images: Tensor, generator: torch.Generator) -> Tensor:
    """0 or 1 for every pixel, int8, on the images' device."""
    bits = torch.randint(0, 2, images.shape, generator=generator, device=generator.device, dtype=torch.int8)
    return bits.to(images.device)


def _signs(bits: Tensor, images: Tensor) -> Tensor:
    """-1 for 0 and 1 for 1, of the images' dtype."""
    return (2 * bits - 1).to(images.dtype)


def _few(images: Tensor) -> Iterator[slice]:
    """All rows, PIXELS_AT_ONCE or a row at a time."""
    return batches(len(images), max(1, PIXELS_AT_ONCE // max(1, images[:1].numel())))
