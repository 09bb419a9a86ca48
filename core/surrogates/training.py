"""Training the surrogate, and what it then says of images."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from core.errors import AefitError
from core.surrogates.network import Network, build_network
from core.surrogates.surrogate import Surrogate
from core.tensors.batches import batches as batches_of
from core.tensors.device import one_thread
from core.tensors.pixels import to_torch

IMAGES_AT_ONCE = 1000
"""Images of a forward pass when nothing is learned."""


@dataclass(frozen=True)
class Recipe:
    """How the surrogate is trained, by stochastic gradient descent on the cross-entropy; the paper does not say.

    The learning rate rises linearly from zero to `peak_rate` over the first `warm_up` share of the steps and
    falls linearly to zero (one cycle; Smith and Topin, 2019): the high rate covers ground, the fall settles.
    """

    batch_size: int = 64  # 128 at a rate of 0.1 did as well in two epochs of MNIST
    peak_rate: float = 0.05  # one epoch of MNIST is flat from 0.03 to 0.06, and loses at 0.12
    momentum: float = 0.9  # Nesterov's; after one epoch of MNIST 0.2 points above the best AdamW tried
    warm_up: float = 0.2  # spares the initial weights the full rate
    weight_decay: float = 1e-3  # on MNIST level with 5e-4, both above none

    def learning_rate(self, done: float) -> float:
        """The rate when the share `done` (0 to 1) of the steps is done."""
        if done < self.warm_up:
            return self.peak_rate * done / self.warm_up
        return self.peak_rate * (1 - done) / (1 - self.warm_up)


RECIPE = Recipe()


@one_thread()
def train(
    surrogate: Surrogate,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    *,
    classes: int,
    epochs: int,
    weights: torch.Generator,
    batches: np.random.Generator,
    device: str = "cpu",
    on_images: Callable[[int], None] = lambda done: None,
    on_epoch: Callable[[int, int, float], None] = lambda epoch, epochs, loss: None,
    recipe: Recipe = RECIPE,
) -> Network:
    """A network trained on (N, H, W, C) uint8 images with (N,) int64 labels, in eval mode, weights frozen.

    weights, batches: where the initial weights and the order of the images come from; with the same ones, one
    kind of processor and one version of torch the result is the same to the last bit. It computes on one thread
    of torch, whatever the caller has set: more cores are used by more runs at the same time.
    on_images: called after each batch with how many images were seen, of epochs * N. on_epoch: called with the
    epoch (from 1), the epochs and the mean loss of its batches.
    Raises AefitError where the training diverges; ValueError for images of a shape that the architecture is not
    defined for, no images, labels that do not fit the images or the classes, or no epochs.
    """
    _check(images, labels, classes, epochs)
    mean, sd = _channel_statistics(images)
    height, width, channels = images.shape[1:]
    shape = (height, width, channels)
    model = build_network(surrogate, shape, classes, mean=mean, sd=sd, generator=weights).to(device)
    # Kept as bytes and scaled a batch at a time: a quarter of the memory of float32.
    pixels = torch.tensor(images).permute(0, 3, 1, 2).contiguous().to(device)
    target = torch.tensor(labels).to(device)
    optimiser = torch.optim.SGD(
        model.parameters(),
        lr=recipe.peak_rate,
        momentum=recipe.momentum,
        nesterov=True,
        weight_decay=recipe.weight_decay,
        fused=True,
    )
    batches_an_epoch = math.ceil(len(labels) / recipe.batch_size)
    steps, seen = epochs * batches_an_epoch, 0
    for epoch in range(epochs):
        order = torch.from_numpy(batches.permutation(len(labels))).to(device)
        total = torch.zeros((), device=device)
        # Equal sizes within one image: a small last batch would weigh its few images too heavily.
        for step, batch in enumerate(order.tensor_split(batches_an_epoch), epoch * batches_an_epoch):
            optimiser.param_groups[0]["lr"] = recipe.learning_rate((step + 0.5) / steps)
            optimiser.zero_grad()
            loss = functional.cross_entropy(model(pixels[batch].float().div_(255)), target[batch])
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += loss.detach() * len(batch)
            seen += len(batch)
            on_images(seen)
        mean_loss = total.item() / len(labels)
        if not (math.isfinite(mean_loss) and all(p.isfinite().all() for p in model.parameters())):
            raise AefitError(
                f"the surrogate's training diverged in epoch {epoch + 1} of {epochs}: loss {mean_loss}",
                "try another --seed or fewer --epochs, and see that the labels are right",
            )
        on_epoch(epoch + 1, epochs, mean_loss)
    return model.eval().requires_grad_(False)


@one_thread()
def logits(model: nn.Module, images: NDArray[np.uint8], *, device: str = "cpu") -> NDArray[np.float32]:
    """(n, classes): the model's logits for (n, H, W, C) uint8 images, n at least 1, computed in blocks.

    It computes on one thread of torch, as `train` does.
    """
    with torch.inference_mode():
        blocks: list[Tensor] = [
            model(to_torch(images[rows], device)).cpu() for rows in batches_of(len(images), IMAGES_AT_ONCE)
        ]
    values: NDArray[np.float32] = torch.cat(blocks).numpy()
    return values


def predict(model: nn.Module, images: NDArray[np.uint8], *, device: str = "cpu") -> NDArray[np.int64]:
    """(n,) int64: the class of the largest logit for each of the (n, H, W, C) uint8 images."""
    classes: NDArray[np.int64] = logits(model, images, device=device).argmax(axis=1)
    return classes


def accuracy(
    model: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64], *, device: str = "cpu"
) -> float:
    """The share, 0 to 1, of the (n, H, W, C) uint8 images that the model gives their (n,) label."""
    return float((predict(model, images, device=device) == labels).mean())


def _check(images: NDArray[np.uint8], labels: NDArray[np.int64], classes: int, epochs: int) -> None:
    if images.ndim != 4 or images.dtype != np.uint8 or not len(images):
        raise ValueError(
            f"images are {images.dtype} {images.shape}: expected uint8 (N, H, W, C), N at least 1"
        )
    if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels are {labels.dtype} {labels.shape}: expected one integer for each image")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels reach from {labels.min()} to {labels.max()}: expected 0 to {classes - 1}")
    if epochs < 1:
        raise ValueError(f"epochs = {epochs}: expected at least 1")


def _channel_statistics(images: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
    """Mean and (population) standard deviation of each channel in [0, 1] units, both (C,) float32.

    From histograms: exact, and without a float copy of the images. A constant channel gets the deviation of
    one grey level, so that it can be divided by.
    """
    grey = np.arange(256) / 255
    counts = np.stack([np.bincount(images[..., c].ravel(), minlength=256) for c in range(images.shape[3])])
    shares = counts / counts.sum(axis=1, keepdims=True)
    mean = shares @ grey
    sd = np.sqrt((shares * (grey - mean[:, None]) ** 2).sum(axis=1))
    return torch.from_numpy(mean).float(), torch.from_numpy(np.maximum(sd, 1 / 255)).float()
