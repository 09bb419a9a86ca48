"""A model whose weights gather no gradients for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Inside the block no parameter of `model` requires a gradient; afterwards each is as it was.

    A backward pass then leaves nothing on the weights, whatever it is asked for. The model itself is marked,
    so that another thread must not train it meanwhile.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for parameter in trainable:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
