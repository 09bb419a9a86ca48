"""LeNet-5 (LeCun et al., 1998) with ReLU and max pooling, for 28x28 grey and 32x32 colour images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.declarations.lazy import torch
from core.surrogates.surrogate import Surrogate

if TYPE_CHECKING:
    from torch import nn

SHAPES = {(28, 28, 1): 2, (32, 32, 3): 0}
"""Image shapes (H, W, C) with the padding of the first layer, which makes the second one see 14x14 for both."""


class LeNet5(Surrogate):
    """6 and 16 filters of 5x5, each with 2x2 max pooling, then 120-84-classes."""

    title = "LeNet-5"
    summary = "two convolutions and three linear layers, for 28x28 grey and 32x32 colour images"

    def layers(self, shape: tuple[int, int, int], classes: int) -> Sequence[nn.Module]:
        """See `Surrogate.layers`."""
        if shape not in SHAPES:
            raise ValueError(f"images of {shape}: LeNet-5 is defined here for {', '.join(map(str, SHAPES))}")
        nn = torch.nn
        # ReLU is monotone, so it commutes with the maximum; after pooling it has a quarter of the work.
        return [
            nn.Conv2d(shape[2], 6, 5, padding=SHAPES[shape]),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(6, 16, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, classes),
        ]
