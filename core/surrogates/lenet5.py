"""LeNet-5 (LeCun et al., 1998) with ReLU and max pooling, for 28x28 grey and 32x32 colour images."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SHAPES = {(28, 28, 1): 2, (32, 32, 3): 0}
"""Image shapes (H, W, C) with the padding of the first layer, which makes the second one see 14x14 for both."""


class LeNet5(nn.Module):
    """6 and 16 filters of 5x5, each with 2x2 max pooling, then 120-84-classes; gives logits.

    The input is (n, C, H, W) float32 in [0, 1]. Its normalisation happens inside, so that an attack's
    epsilon is in pixel units: mean and sd, (C,) float32, are those of the training images.
    """

    mean: Tensor
    sd: Tensor

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        *,
        mean: Tensor,
        sd: Tensor,
        generator: torch.Generator,
    ) -> None:
        """Raises ValueError for another shape.

        Weights are drawn from `generator` (CPU) alone: normal with variance 2 / fan-in (He et al., 2015);
        biases begin at zero.
        """
        super().__init__()
        if shape not in SHAPES:
            raise ValueError(f"images of {shape}: LeNet-5 is defined here for {', '.join(map(str, SHAPES))}")
        # Made without storage first: the layers' own initialisation would draw from torch's global generator.
        with torch.device("meta"):
            self.convolution1 = nn.Conv2d(shape[2], 6, 5, padding=SHAPES[shape])
            self.convolution2 = nn.Conv2d(6, 16, 5)
            self.linear1 = nn.Linear(16 * 5 * 5, 120)
            self.linear2 = nn.Linear(120, 84)
            self.linear3 = nn.Linear(84, classes)
        self.to_empty(device="cpu")
        self.register_buffer("mean", mean.reshape(-1, 1, 1).clone())
        self.register_buffer("sd", sd.reshape(-1, 1, 1).clone())
        for parameter in self.parameters():
            if parameter.ndim == 1:
                nn.init.zeros_(parameter)
            else:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu", generator=generator)

    def forward(self, images: Tensor) -> Tensor:
        """(n, C, H, W) float32 in [0, 1] -> (n, classes) logits."""
        x = (images - self.mean) / self.sd
        # ReLU is monotone, so it commutes with the maximum; after pooling it has a quarter of the work.
        x = functional.relu(functional.max_pool2d(self.convolution1(x), 2))
        x = functional.relu(functional.max_pool2d(self.convolution2(x), 2))
        x = functional.relu(self.linear1(x.flatten(1)))
        x = functional.relu(self.linear2(x))
        logits: Tensor = self.linear3(x)
        return logits
