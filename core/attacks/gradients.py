"""The surrogate as the attacks see it: checked logits, and the direction in which the loss grows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.declarations.lazy import torch
from core.tensors.batches import batches

if TYPE_CHECKING:
    from torch import Tensor, nn


def logits_of(model: nn.Module, images: Tensor) -> Tensor:
    """The model's logits, (n, classes). ValueError where one is not finite: no attack can follow those."""
    logits: Tensor = model(images)
    if not logits.isfinite().all():
        raise ValueError("the model's logits are not finite: has its training diverged?")
    return logits


def of_class(logits: Tensor, classes: Tensor) -> Tensor:
    """(n,): from each row of the (n, m) logits the one of the row's class."""
    return logits.gather(1, classes[:, None]).squeeze(1)


def predictions(model: nn.Module, images: Tensor) -> Tensor:
    """(n,) int64: the class with the largest logit, the lowest on a tie."""
    with torch.no_grad():
        return logits_of(model, images).argmax(1)


def blocks_of_different(images: Tensor, size: int) -> Iterator[slice]:
    """Slices that cover the rows in order, each with `size` different images, each of these with its repetitions.

    An image repeats itself where it follows itself, as a source does once for each of its targets.
    """
    if len(images):
        first = [0, *_changes(images).tolist(), len(images)]
        for block in batches(len(first) - 1, size):
            edges = first[block.start : block.stop + 1]
            yield slice(edges[0], edges[-1])


def loss_direction(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """The sign of grad_x CE(f(x), class) in every pixel, (n, C, H, W), n at least 1; `classes` is (n,) int64.

    With m = logsumexp of the other classes' logits - f_class, CE = log(1 + exp(m)) grows with m, so that both
    gradients have one sign. That of m is taken: it does not vanish where the model is confident, as the
    probabilities in grad CE do in float32.

    An image that repeats itself passes through the model only once; each of its classes has a backward pass.
    """
    first = torch.cat([images.new_zeros(1, dtype=torch.int64), _changes(images)])
    repeats = torch.cat([first, first.new_tensor([len(images)])]).diff()
    image = torch.arange(len(first), device=images.device).repeat_interleave(repeats)
    turn = torch.arange(len(images), device=images.device) - first[image]
    with torch.enable_grad():
        x = images[first].detach().requires_grad_(True)
        logits = logits_of(model, x)
    # d m / d logits: the other classes' softmax, and -1 at the class itself.
    others = logits.detach()[image].scatter(1, classes[:, None], -torch.inf).softmax(1)
    slope = others.scatter(1, classes[:, None], -1)
    direction = torch.empty_like(images)
    last = int(repeats.max()) - 1
    for number in range(last + 1):
        rows = torch.nonzero(turn == number).squeeze(1)
        outer = torch.zeros_like(logits).index_copy(0, image[rows], slope[rows])
        gradient = torch.autograd.grad(logits, x, outer, retain_graph=number < last)[0]
        direction[rows] = gradient[image[rows]].sign_()
    return direction


def _changes(images: Tensor) -> Tensor:
    """The rows that differ from the row before them."""
    return torch.nonzero((images[1:] != images[:-1]).flatten(1).any(1)).squeeze(1) + 1
