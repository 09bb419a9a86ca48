"""A surrogate that was trained before, to the last bit as it would be trained now, is taken from the cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core import __version__
from core.files.cache import Cache, key_of
from core.surrogates.network import LAYOUT, Network, build_network, meta_layers
from core.surrogates.surrogate import Surrogate
from core.surrogates.training import RECIPE, train
from core.tensors.device import processor_name

KIND = "surrogates"


def train_or_load(
    cache: Cache | None,
    surrogate: Surrogate,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    *,
    classes: int,
    epochs: int,
    weights: torch.Generator,
    batches: np.random.Generator,
    device: str,
    on_images: Callable[[int], None],
    on_epoch: Callable[[int, int, float], None],
    origin: str = "",
) -> tuple[Network, bool]:
    """What `train` gives for the same arguments, and whether it was in the cache.

    The key holds all that the weights follow from, the last bits included: the architecture (its class, its
    options, its layers as torch prints them, their layout in memory, the plug-in and version that it comes from:
    `origin`), images, labels, recipe, random streams, and the processor, device, version of torch and of this
    program that they are computed with.
    """
    height, width, channels = images.shape[1:]
    shape = (height, width, channels)
    key = key_of(
        surrogate.identity, origin, str(LAYOUT), str(meta_layers(surrogate, shape, classes)), images, labels,
        classes, epochs, RECIPE, weights.initial_seed(), batches.bit_generator.state, __version__,
        torch.__version__, processor_name(), device,
    )  # fmt: skip
    cached = cache.get(KIND, key) if cache is not None else None
    restored = _restore(surrogate, cached, shape, classes) if cached is not None else None
    if restored is not None:
        on_images(epochs * len(labels))
        return restored.to(device), True
    network = train(
        surrogate, images, labels, classes=classes, epochs=epochs, weights=weights, batches=batches, device=device,
        on_images=on_images, on_epoch=on_epoch,
    )  # fmt: skip
    if cache is not None:
        cache.put(KIND, key, {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()})
    return network, False


def _restore(
    surrogate: Surrogate, arrays: Mapping[str, NDArray[Any]], shape: tuple[int, int, int], classes: int
) -> Network | None:
    """The network with these weights; None where they are not those of its architecture."""
    channels = shape[2]
    network = build_network(
        surrogate, shape, classes, mean=torch.zeros(channels), sd=torch.ones(channels),
        generator=torch.Generator(),
    )  # fmt: skip
    expected = {name: (tuple(t.shape), t.numpy().dtype) for name, t in network.state_dict().items()}
    if {name: (array.shape, array.dtype) for name, array in arrays.items()} != expected:
        return None
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return network.eval().requires_grad_(False)
