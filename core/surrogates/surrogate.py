"""What a surrogate architecture declares: the network that is attacked in the classifier's stead.

A module of an architecture is read by the terminal program too: it takes torch from `core.declarations.lazy`,
which imports it when it is first used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from core.declarations.setting import Setting, Value, checked_values

if TYPE_CHECKING:
    from torch import nn


class Surrogate(ABC):
    """An architecture, as the layers that follow the normalisation of the pixels.

    A subclass declares its words and its options, and is made with a value for each option by keyword.

    title: its name in menus. summary: what it is in a line, for the help. options: the settings that it reads.
    """

    title: ClassVar[str]
    summary: ClassVar[str]
    options: ClassVar[tuple[Setting, ...]] = ()

    def __init__(self, **options: Value) -> None:
        """Each value becomes an attribute; an option that is left out has its default.

        Raises SpecError for a value that an option cannot take.
        """
        vars(self).update(checked_values(self.options, options))

    @property
    def identity(self) -> str:
        """Which architecture it is, by class and options, such as "core.surrogates.lenet5.LeNet5()"."""
        values = ", ".join(f"{option.name}={getattr(self, option.name)!r}" for option in self.options)
        return f"{type(self).__module__}.{type(self).__qualname__}({values})"

    def __repr__(self) -> str:
        return self.identity

    @abstractmethod
    def layers(self, shape: tuple[int, int, int], classes: int) -> Sequence[nn.Module]:
        """The layers from (n, C, H, W) normalised pixels to (n, classes) logits, in their order.

        shape: (H, W, C) of an image. They are made on the "meta" device: their weights are drawn afterwards,
        from the run's own stream, layer by layer (`core.surrogates.network`). A layer that draws random numbers
        itself, such as dropout, would make runs that cannot be repeated. ValueError for a shape that it is not
        defined for.
        """
