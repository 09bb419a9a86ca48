"""A surrogate as a network: the normalisation of the pixels, its layers, and their first weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.surrogates.surrogate import Surrogate

LAYOUT = torch.channels_last
"""Of weights and activations in memory: convolutions of few channels are faster where the channels of a pixel lie
side by side. Another one changes the last bits of sums."""


class Network(nn.Module):
    """(n, C, H, W) float32 pixels in [0, 1] -> (n, classes) logits.

    The normalisation happens inside, so that an attack's epsilon is in pixel units: mean and sd, (C,) float32,
    are those of the training images.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, layers: Sequence[nn.Module], *, mean: Tensor, sd: Tensor) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.register_buffer("mean", mean.reshape(-1, 1, 1).clone())
        self.register_buffer("sd", sd.reshape(-1, 1, 1).clone())

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        normalised = ((images - self.mean) / self.sd).contiguous(memory_format=LAYOUT)
        logits: Tensor = self.layers(normalised)
        return logits


def build_network(
    surrogate: Surrogate,
    shape: tuple[int, int, int],
    classes: int,
    *,
    mean: Tensor,
    sd: Tensor,
    generator: torch.Generator,
) -> Network:
    """The network of an architecture for (H, W, C) images, on the CPU, in training mode.

    Weights are drawn from `generator` (CPU) alone, in the order of the layers: normal with variance 2 / fan-in
    (He et al., 2015). Biases begin at zero, the scales of normalising layers at one, their statistics as torch
    begins them. Raises ValueError for a shape that the architecture is not defined for, and for a layer with
    buffers that it cannot begin.
    """
    layers = meta_layers(surrogate, shape, classes)
    for layer in layers:
        layer.to_empty(device="cpu")
    network = Network(layers, mean=mean, sd=sd)
    for module in network.layers.modules():
        _begin_buffers(module)
    for name, parameter in network.layers.named_parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter, nonlinearity="relu", generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.ones_(parameter)
    # torch's stubs do not know this form of `to`.
    network.to(memory_format=LAYOUT)  # type: ignore[call-overload]
    return network


def meta_layers(surrogate: Surrogate, shape: tuple[int, int, int], classes: int) -> Sequence[nn.Module]:
    """The layers of an architecture without storage: their own first weights would come from a global generator."""
    with torch.device("meta"):
        return surrogate.layers(shape, classes)


def _begin_buffers(module: nn.Module) -> None:
    if not list(module.buffers(recurse=False)):
        return
    if not isinstance(module, nn.modules.batchnorm._NormBase):
        raise ValueError(f"{module}: expected a layer without buffers, or one of torch's normalising layers")
    module.reset_running_stats()
