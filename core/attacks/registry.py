"""From an attack's name and settings to the attack itself: the torch side of `catalogue`."""

from __future__ import annotations

from core.attacks.attack import Attack
from core.attacks.catalogue import OPTIONS, attack_info
from core.attacks.deepfool import DeepFool
from core.attacks.fgsm import FGSM
from core.attacks.noise import SignNoise
from core.attacks.pgd import PGD
from core.errors import SpecError


def build_attack(
    name: str,
    *,
    epsilon: float,
    norm: str = "l2",
    bound: str = "clip",
    steps: int = 10,
) -> Attack:
    """The attack called `name` in the catalogue.

    epsilon: in (0, 1], pixel units. norm, bound, steps: read by the attacks whose catalogue entry lists them
    and without effect on the others, but a value that no attack knows is refused for all.
    SpecError: an unknown name, norm or bound. ValueError: a number out of its range.
    """
    info = attack_info(name)
    for option, value in (("norm", norm), ("bound", bound)):
        choices = OPTIONS[option].choices
        if value not in choices:
            raise SpecError(option, value, f"expected one of {', '.join(choices)}")
    match name.removesuffix("-untargeted"):
        case "fgsm":
            return FGSM(epsilon=epsilon, targeted=info.targeted)
        case "deepfool":
            return DeepFool(epsilon=epsilon, targeted=info.targeted, norm=norm, bound=bound)
        case "pgd":
            return PGD(epsilon=epsilon, targeted=info.targeted, steps=steps)
        case "noise":
            return SignNoise(epsilon=epsilon)
    raise AssertionError(f"the catalogue names {name}, and nothing builds it")
