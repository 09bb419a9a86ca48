"""What every attack promises: its words and options, its call, its answer, the checks on entry and exit.

A module of an attack is read by the terminal program too: it takes torch from `core.declarations.lazy`, which
imports it when it is first used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from core.declarations.lazy import torch
from core.declarations.setting import Setting, Value, checked_values

if TYPE_CHECKING:
    from torch import Tensor, nn

# The forward and backward activations of this many LeNet-5 images still suit a CPU's caches: four times as many
# take a third longer each.
BATCH_SIZE = 128

# By how much float32 rounding may carry |x' - x|_inf past epsilon.
BOUND_TOLERANCE = 1e-6


class Perturbed(NamedTuple):
    """What an attack made of n images.

    images: (n, C, H, W), |x' - x|_inf <= epsilon + 1e-6 and 0 <= x' <= 1, dtype and device of the input.
    kept: (n,) bool; False where the candidate is discarded because its perturbation exceeded epsilon
        (DeepFool's bound "reject"), and `images` then holds the unperturbed image.
    steps: (n,) int64, how many times the image was moved along a gradient.
    """

    images: Tensor
    kept: Tensor
    steps: Tensor


class Attack(ABC):
    """An attack with its settings; calling it perturbs images. A row's result depends on its own row only.

    (That holds up to the last bits, which a matrix product takes from the batch around it, and the random
    draws, which follow the order of the rows.) The model must be in eval mode and give logits; its mode and
    its parameters are left as they were, without gradients.

    A subclass declares its words and its options, and is made with `epsilon`, in (0, 1], pixel units, and a
    value for each option by keyword. It may be a dataclass with a field for each of these, as ours are.

    title: its name in menus. summary: what it does in a line, for the help.
    about: how it does it, in two sentences. formula: the same as a formula of one line. Both may be "": a form then
        shows the summary.
    targeted: it moves an image toward a given class (else: only away from where it is).
    per_target: a source gives one candidate for each other class (else: one candidate in all). Noise is the
        one attack of ours that is per_target without being targeted: it draws as often as the targeted do.
    uses_gradient: it follows the model; without, an attack is a control itself.
    random: it draws from the generator, in the order of the rows.
    options: the settings that it reads.
    """

    title: ClassVar[str]
    summary: ClassVar[str]
    about: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    targeted: ClassVar[bool] = True
    per_target: ClassVar[bool] = True
    uses_gradient: ClassVar[bool] = True
    random: ClassVar[bool] = False
    options: ClassVar[tuple[Setting, ...]] = ()

    def __init__(self, *, epsilon: float, **options: Value) -> None:
        """Each value becomes an attribute; an option that is left out has its default.

        Raises ValueError for an epsilon outside (0, 1], SpecError for a value that an option cannot take.
        """
        check_settings(epsilon)
        vars(self).update(checked_values(self.options, options), epsilon=epsilon)

    @classmethod
    def passes(cls, options: Mapping[str, Value]) -> int:
        """How often every candidate goes through the model and back with these options, as far as that is known.

        Only for the time left before any run of an experiment has come so far. options: a value for each.
        """
        return 1

    @abstractmethod
    def __call__(
        self, model: nn.Module, images: Tensor, labels: Tensor, targets: Tensor, generator: torch.Generator
    ) -> Perturbed:
        """Perturb every image.

        images: (n, C, H, W) float32 in [0, 1]; float64 is carried through, for a float64 model.
        labels: (n,) int64, the true classes.
        targets: (n,) int64, the classes to reach; an untargeted attack reads only the shape.
        generator: where random numbers come from, if any; they are drawn on its device, so that a CPU
            generator gives the same noise wherever the images live.
        ValueError: images outside [0, 1] or of another form, labels or targets that do not fit them, a
            target that is no class, logits that are not finite numbers.
        """


def check_settings(epsilon: float, *counts: int) -> None:
    """ValueError unless epsilon lies in (0, 1] and every count (batch size, steps) is at least 1."""
    if not 0 < epsilon <= 1:
        raise ValueError(f"epsilon = {epsilon!r}: expected a number in (0, 1], in pixel units")
    if any(count < 1 for count in counts):
        raise ValueError(f"batch size and steps {counts!r}: expected whole numbers, at least 1")


def check_inputs(images: Tensor, labels: Tensor, targets: Tensor, *, targeted: bool) -> None:
    """ValueError unless the arguments have the form that `Attack` asks for."""
    if images.ndim != 4 or not images.is_floating_point():
        raise ValueError(f"images: expected (n, C, H, W) floats, got {tuple(images.shape)} {images.dtype}")
    for name, classes in (("labels", labels), ("targets", targets)):
        if classes.shape != images.shape[:1] or classes.dtype != torch.int64:
            raise ValueError(
                f"{name}: expected {len(images)} int64, got {tuple(classes.shape)} {classes.dtype}"
            )
    # Written so that a NaN fails too.
    if len(images) and not (images.min() >= 0 and images.max() <= 1):
        raise ValueError("images: expected pixels in [0, 1]")
    if targeted and (targets < 0).any():
        raise ValueError("targets: a targeted attack needs a class, 0 or more, for every image")


def confine(images: Tensor, perturbed: Tensor, epsilon: float) -> Tensor:
    """The point nearest to `perturbed` with |x' - x|_inf <= epsilon and 0 <= x' <= 1, x being `images`.

    Both sets are boxes, so that clipping pixel by pixel is the exact projection. All are (n, C, H, W).
    """
    return perturbed.clamp(images - epsilon, images + epsilon).clamp(0, 1)


def all_kept(images: Tensor) -> Tensor:
    """(n,) bool: nothing discarded."""
    return torch.ones(len(images), dtype=torch.bool, device=images.device)


def same_steps(images: Tensor, steps: int) -> Tensor:
    """(n,) int64: every image moved equally often."""
    return torch.full((len(images),), steps, dtype=torch.int64, device=images.device)
