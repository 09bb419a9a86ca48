"""DeepFool: repeated steps to the linearised boundary, toward a class or toward whichever is nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.attacks.attack import (
    BATCH_SIZE,
    BOUND_TOLERANCE,
    Attack,
    Perturbed,
    all_kept,
    check_inputs,
    check_settings,
    confine,
)
from core.attacks.frozen import frozen
from core.attacks.gradients import logits_of, of_class, predictions
from core.declarations.lazy import torch
from core.declarations.setting import Choice, Setting
from core.tensors.batches import batches

if TYPE_CHECKING:
    from torch import Tensor, nn

# Added to |f_t - f_c|, in logits: on an exact tie the step must still have a length.
TINY = 1e-4

# A gradient shorter than this has lost its direction to rounding, and its step would leave float32.
FLAT = 1e-12

NORM = Setting(
    name="norm",
    title="DeepFool norm",
    metavar="NORM",
    kind=Choice(
        {
            "l2": "steps along the gradient: the shortest way to the boundary in Euclidean distance",
            "linf": "steps along the gradient's sign: the smallest change of the most changed pixel",
        }
    ),
    default="l2",
    help="what DeepFool calls near: l2 or linf",
)
BOUND = Setting(
    name="bound",
    title="DeepFool bound",
    metavar="HOW",
    kind=Choice(
        {
            "project": "stay within epsilon and [0, 1] after every step (the default)",
            "clip": "walk freely, then clip to epsilon and [0, 1], which may undo the attack",
            "reject": "walk freely, then discard the candidates that exceed epsilon",
        }
    ),
    default="project",
    first_default="clip",
    help="how DeepFool is held to epsilon: project, clip or reject",
)


@dataclass(frozen=True, kw_only=True)
class DeepFool(Attack):
    """DeepFool (Moosavi-Dezfooli, Fawzi, Frossard 2016, arXiv:1511.04599), in a targeted form.

    A step r_i leads to the boundary of the classifier linearised at x_i; x_(i+1) = x_i + (1 + overshoot) r_i:

        l2:    r = (|f_a - f_c| + 1e-4) / |w|_2 * w / |w|_2
        linf:  r = (|f_a - f_c| + 1e-4) / |w|_1 * sign(w),        w = grad f_a - grad f_c.

    a is the target and c the class with the largest logit at x_i, whichever that is (a third class may win on
    the way). An image stops once the target has its largest logit, after max_steps, or where w vanishes.

    The bound on the perturbation x' - x_0:

        project:  every x_(i+1) is projected on the intersection of the epsilon ball around x_0 and [0, 1],
                  and the next step starts from there.
        clip:     the walk is free, also to leave [0, 1]; its end is clipped to epsilon and [0, 1], which may take
                  back what fooled the model: on MNIST the last clip to [0, 1] alone undoes most of it.
        reject:   the walk is free, its end is clipped to [0, 1] only; a candidate then farther than
                  epsilon + 1e-6 (largest pixel change) is not kept, and its image is x_0 again.

    epsilon: in (0, 1], pixel units.
    norm, bound: see above.
    overshoot: at least 0, a share of each step.
    max_steps: at least 1.
    batch_size: images a forward pass; an image that is done gives its place to the next that waits.
    """

    title = "DeepFool, targeting all classes"
    summary = "repeated steps to the linearised boundary of each other class; the paper's second"
    about = (
        "Each step goes to where the surrogate, taken as linear, would begin to prefer the class aimed at, and a "
        "little beyond. It changes as little as it can, and stops once the surrogate is fooled."
    )
    formula = "r = |f_t - f_c| / ‖w‖² · w,  w = ∇f_t - ∇f_c,  c: the surrogate's answer"
    options = (NORM, BOUND)

    epsilon: float
    norm: str = "l2"
    bound: str = "project"
    overshoot: float = 0.02
    max_steps: int = 50
    batch_size: int = BATCH_SIZE

    def __post_init__(self) -> None:
        check_settings(self.epsilon, self.max_steps, self.batch_size)
        for option, value in ((NORM, self.norm), (BOUND, self.bound)):
            if value not in (known := option.choices()):
                raise ValueError(f"{option.name} = {value!r}: expected one of {', '.join(known)}")
        if not self.overshoot >= 0:
            raise ValueError(f"overshoot = {self.overshoot!r}: expected a share, 0 or more")

    def __call__(
        self, model: nn.Module, images: Tensor, labels: Tensor, targets: Tensor, generator: torch.Generator
    ) -> Perturbed:
        """See `Attack`; the generator is not used."""
        check_inputs(images, labels, targets, targeted=self.targeted)
        with frozen(model):
            reached, steps = self._walk(model, images, self._classes(model, images, targets))
        kept = all_kept(images)
        if self.bound == "reject":
            reached = reached.clamp(0, 1)
            kept = (reached - images).abs().flatten(1).amax(1) <= self.epsilon + BOUND_TOLERANCE
            reached = reached.where(kept[:, None, None, None], images)
        return Perturbed(confine(images, reached, self.epsilon), kept, steps)

    def _classes(self, model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        """(n,): the class that each walk is defined by, here the target."""
        return targets

    def _walk(self, model: nn.Module, images: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """Where every image ends, (n, C, H, W), and after how many steps, (n,).

        classes: (n,), as `_classes` gives them.
        """
        reached = images.clone()
        steps = torch.zeros(len(images), dtype=torch.int64, device=images.device)
        everyone = torch.arange(len(images), device=images.device)
        active, waiting = everyone[: self.batch_size], everyone[self.batch_size :]
        while len(active):
            x = reached[active]
            step, walking = self._step(model, x, classes[active])
            active = active[walking]
            moved = x[walking] + (1 + self.overshoot) * step[walking]
            if self.bound == "project":
                moved = confine(images[active], moved, self.epsilon)
            reached[active] = moved
            steps[active] += 1
            active = active[steps[active] < self.max_steps]
            free = self.batch_size - len(active)
            active, waiting = torch.cat([active, waiting[:free]]), waiting[free:]
        return reached, steps

    def _step(self, model: nn.Module, images: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """The next step r of every image, (n, C, H, W), and which of them take it, (n,) bool."""
        with torch.enable_grad():
            x = images.detach().requires_grad_(True)
            logits = logits_of(model, x)
            current = logits.argmax(1)
            margin = of_class(logits, classes) - of_class(logits, current)
            gradient = torch.autograd.grad(margin.sum(), x)[0]
        distance, direction = self._to_boundary(margin.detach(), gradient)
        walking = (current != classes) & distance.isfinite()
        return distance[:, None, None, None] * direction, walking

    def _to_boundary(self, margin: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """How far the linearised boundary is, (n,), infinite without a gradient, and the way there.

        A step is distance * direction: of unit L2 length, or one in every pixel that has a gradient.
        """
        order = 2 if self.norm == "l2" else 1  # the dual of the norm that is kept small
        size = torch.linalg.vector_norm(gradient.flatten(1), ord=order, dim=1)
        usable = size > FLAT
        distance = torch.where(usable, (margin.abs() + TINY) / size, torch.inf)
        if self.norm == "linf":
            return distance, gradient.sign()
        return distance, gradient / size.clamp(min=FLAT)[:, None, None, None]


class UntargetedDeepFool(DeepFool):
    """DeepFool as first published: away from the class that is predicted for the unperturbed image.

    c is that class, and a the one whose linearised boundary is nearest. An image stops once another class than
    c has its largest logit, after max_steps, or where w vanishes. Labels are not read.
    """

    title = "DeepFool, untargeted"
    summary = "repeated steps to the nearest linearised boundary, as first published"
    about = (
        "Each step goes to the nearest place where the surrogate, taken as linear, would begin to answer "
        "otherwise, and a little beyond. It changes as little as it can, and stops once the surrogate is fooled."
    )
    formula = "r = min over k of |f_k - f_c| / ‖w‖² · w,  w = ∇f_k - ∇f_c"
    targeted = False
    per_target = False

    def _classes(self, model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        """(n,): the model's predictions for the unperturbed images."""
        own = torch.empty(len(images), dtype=torch.int64, device=images.device)
        for rows in batches(len(images), self.batch_size):
            own[rows] = predictions(model, images[rows])
        return own

    def _step(self, model: nn.Module, images: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            x = images.detach().requires_grad_(True)
            logits = logits_of(model, x)
            margins = logits - of_class(logits, classes)[:, None]
            nearest = torch.full_like(margins[:, 0], torch.inf)
            towards = torch.zeros_like(images)
            # The own class needs no exception: its margin's gradient is exactly 0, its distance infinite.
            for margin in margins.unbind(1):
                gradient = torch.autograd.grad(margin.sum(), x, retain_graph=True)[0]
                distance, direction = self._to_boundary(margin.detach(), gradient)
                towards = torch.where((distance < nearest)[:, None, None, None], direction, towards)
                nearest = torch.minimum(distance, nearest)
        walking = (logits.argmax(1) == classes) & nearest.isfinite()
        return nearest.detach()[:, None, None, None] * towards, walking
