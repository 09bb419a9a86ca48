"""The attacks a person can choose, by name, with their options; light enough (no torch) for the screens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core.errors import SpecError, expected_names


@dataclass(frozen=True, kw_only=True)
class Option:
    """A setting that only some attacks read.

    choices: each possible word with its one-line meaning, the default first; empty for a whole number >= 1.
    """

    name: str
    summary: str
    default: str | int
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AttackInfo:
    """What can be said of an attack without running it.

    targeted: it moves an image toward a given class (else: only away from where it is).
    per_target: a source gives one candidate for each other class (else: one candidate in all). Noise is the
        one attack that is per_target without being targeted: it draws as often as the targeted attacks do.
    options: names of the settings it reads, keys of `OPTIONS`.
    """

    name: str
    title: str
    summary: str
    targeted: bool
    per_target: bool
    uses_gradient: bool
    options: tuple[str, ...] = ()


NORMS: Mapping[str, str] = MappingProxyType(
    {
        "l2": "steps along the gradient: the shortest way to the boundary in Euclidean distance",
        "linf": "steps along the gradient's sign: the smallest change of the most changed pixel",
    }
)
BOUNDS: Mapping[str, str] = MappingProxyType(
    {
        "clip": "walk freely, then clip the perturbation to epsilon",
        "project": "stay within epsilon after every step",
        "reject": "walk freely, then discard the candidates that exceed epsilon",
    }
)

OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        option.name: option
        for option in (
            Option(name="norm", summary="what DeepFool calls near", default="l2", choices=NORMS),
            Option(name="bound", summary="how DeepFool is held to epsilon", default="clip", choices=BOUNDS),
            Option(name="steps", summary="gradient steps of PGD, each 2.5 epsilon / steps long", default=10),
        )
    }
)

ATTACKS: Mapping[str, AttackInfo] = MappingProxyType(
    {
        info.name: info
        for info in (
            AttackInfo(
                name="fgsm",
                title="FGSM, targeted",
                summary="one step of epsilon a pixel toward each other class; the paper's first attack",
                targeted=True,
                per_target=True,
                uses_gradient=True,
            ),
            AttackInfo(
                name="fgsm-untargeted",
                title="FGSM, untargeted",
                summary="one step of epsilon a pixel away from the true class",
                targeted=False,
                per_target=False,
                uses_gradient=True,
            ),
            AttackInfo(
                name="deepfool",
                title="DeepFool, targeting all classes",
                summary="repeated steps to the linearised boundary of each other class; the paper's second",
                targeted=True,
                per_target=True,
                uses_gradient=True,
                options=("norm", "bound"),
            ),
            AttackInfo(
                name="deepfool-untargeted",
                title="DeepFool, untargeted",
                summary="repeated steps to the nearest linearised boundary, as first published",
                targeted=False,
                per_target=False,
                uses_gradient=True,
                options=("norm", "bound"),
            ),
            AttackInfo(
                name="pgd",
                title="PGD, targeted",
                summary="many small FGSM steps toward each other class, from a random start",
                targeted=True,
                per_target=True,
                uses_gradient=True,
                options=("steps",),
            ),
            AttackInfo(
                name="pgd-untargeted",
                title="PGD, untargeted",
                summary="many small FGSM steps away from the true class, from a random start",
                targeted=False,
                per_target=False,
                uses_gradient=True,
                options=("steps",),
            ),
            AttackInfo(
                name="noise",
                title="Random sign noise",
                summary="every pixel up or down by epsilon at random: the control without a gradient",
                targeted=False,
                per_target=True,
                uses_gradient=False,
            ),
        )
    }
)


def attack_info(name: str) -> AttackInfo:
    """The entry of that name; an unknown name is a `SpecError` that lists the known ones."""
    if name not in ATTACKS:
        allowed, hint = expected_names(name, ATTACKS)
        raise SpecError("attack", name, allowed, hint)
    return ATTACKS[name]
