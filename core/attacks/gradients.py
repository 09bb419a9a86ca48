"""The surrogate as the attacks see it: checked logits, and the direction in which the loss grows."""

from __future__ import annotations

import torch
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


def loss_direction(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """The sign of grad_x CE(f(x), class) in every pixel, (n, C, H, W); `classes` is (n,) int64.

    With m = logsumexp of the other classes' logits - f_class, CE = log(1 + exp(m)) grows with m, so that both
    gradients have one sign. That of m is taken: it does not vanish where the model is confident, as the
    probabilities in grad CE do in float32.

    An image that follows itself (a source, once for each of its targets) passes through the model only once;
    each of its classes has a backward pass of its own.
    """
    if not len(images):
        return images.clone()
    changes = (images[1:] != images[:-1]).flatten(1).any(1)
    image = torch.cat([changes.new_zeros(1), changes]).cumsum(0)
    first = torch.searchsorted(image, torch.arange(int(image[-1]) + 1, device=image.device))
    turn = torch.arange(len(images), device=image.device) - first[image]
    direction = torch.empty_like(images)
    with torch.enable_grad():
        x = images[first].detach().requires_grad_(True)
        logits = logits_of(model, x)
    # d m / d logits: the other classes' softmax, and -1 at the class itself.
    others = logits.detach()[image].scatter(1, classes[:, None], -torch.inf).softmax(1)
    slope = others.scatter(1, classes[:, None], -1)
    last = int(turn.max())
    for number in range(last + 1):
        rows = torch.nonzero(turn == number).squeeze(1)
        outer = torch.zeros_like(logits).index_copy(0, image[rows], slope[rows])
        gradient = torch.autograd.grad(logits, x, outer, retain_graph=number < last)[0]
        direction[rows] = gradient[image[rows]].sign()
    return direction
