"""The attacks, by the names of the setting `attack`. A new one is a line here."""

from __future__ import annotations

from core.attacks.attack import Attack
from core.declarations.registry import Registry

ATTACKS: Registry[Attack] = Registry(
    "attack",
    "aefit.attacks",
    Attack,  # type: ignore[type-abstract]
    {
        "fgsm": "core.attacks.fgsm:FGSM",
        "fgsm-untargeted": "core.attacks.fgsm:UntargetedFGSM",
        "deepfool": "core.attacks.deepfool:DeepFool",
        "deepfool-untargeted": "core.attacks.deepfool:UntargetedDeepFool",
        "pgd": "core.attacks.pgd:PGD",
        "pgd-untargeted": "core.attacks.pgd:UntargetedPGD",
        "noise": "core.attacks.noise:SignNoise",
    },
)
