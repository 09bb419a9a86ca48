"""Specifications of schema version 1 as this version reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.sets.first_version import new_name

OPTIONS_OF_ATTACKS = {
    "norm": ("deepfool", "deepfool-untargeted"),
    "bound": ("deepfool", "deepfool-untargeted"),
    "steps": ("pgd", "pgd-untargeted"),
}
"""Version 1 held these whatever the attack; those that did not read one had its default."""
CONTROLS = ("noise", "matched", "reverse", "sources", "unfiltered", "fooled", "one-per-source")
DEFAULTS = {"norm": "l2", "bound": "clip", "steps": 10}
"""Of version 1, where a file left an option out."""


def from_first_version(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a version 1 file as those of version 2, which has no threads and gives options an owner.

    Threads changed the last bits of version 1's numbers; those of version 2 do not depend on them.
    """
    attack = values.get("attack", "fgsm")
    kept = {name: value for name, value in values.items() if name != "threads"}
    if isinstance(controls := kept.setdefault("controls", list(CONTROLS)), list):
        kept["controls"] = [new_name(name) if isinstance(name, str) else name for name in controls]
    for option, attacks in OPTIONS_OF_ATTACKS.items():
        if attack in attacks:
            kept.setdefault(option, DEFAULTS[option])
        elif kept.get(option) == DEFAULTS[option]:
            del kept[option]
    return kept
