"""A surrogate that was trained before, to the last bit as it would be trained now, is taken from the cache."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from core import __version__
from core.files.cache import Cache, key_of
from core.surrogates.lenet5 import LeNet5
from core.surrogates.training import RECIPE, train
from core.tensors.device import processor_name

KIND = "surrogates"


def trained(
    cache: Cache | None,
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
) -> tuple[LeNet5, bool]:
    """What `train` gives for the same arguments, and whether it was in the cache.

    The key holds all that the weights follow from, the last bits included: images, labels, recipe, random
    streams, and the processor, device, threads, version of torch and of this program that they are computed with.
    """
    key = key_of(
        images, labels, classes, epochs, RECIPE, weights.initial_seed(), batches.bit_generator.state,
        __version__, torch.__version__, processor_name(), device, torch.get_num_threads(),
    )  # fmt: skip
    kept = cache.get(KIND, key) if cache is not None else None
    if kept is not None:
        on_images(epochs * len(labels))
        return _restored(kept, images.shape[1:], classes).to(device), True
    model = train(
        images, labels, classes=classes, epochs=epochs, weights=weights, batches=batches, device=device,
        on_images=on_images, on_epoch=on_epoch,
    )  # fmt: skip
    if cache is not None:
        cache.put(KIND, key, {name: tensor.cpu().numpy() for name, tensor in model.state_dict().items()})
    return model, False


def _restored(kept: dict[str, NDArray[np.float32]], shape: tuple[int, ...], classes: int) -> LeNet5:
    height, width, channels = shape
    state = {name: torch.from_numpy(array) for name, array in kept.items()}
    model = LeNet5(
        (height, width, channels), classes, mean=state["mean"], sd=state["sd"], generator=torch.Generator()
    )
    model.load_state_dict(state)
    return model.eval().requires_grad_(False)
