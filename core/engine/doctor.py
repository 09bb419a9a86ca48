"""What works here: `python -P -m core.engine.doctor` loads the heavy libraries and prints one JSON object.

The light terminal program starts it as a process of its own and shows what it says.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch

from core.data.torchvision_sets import import_torchvision_datasets
from core.declarations.registry import Registry
from core.engine.environment import describe_environment
from core.errors import AefitError
from core.records.types import plain
from core.sets.registry import SETS
from core.spec.settings import PARTS
from core.tensors.device import choose_device


def examine() -> dict[str, Any]:
    """`versions`, `device`, `threads` (torch's default), `cpu`, `devices` found, `torchvision` (how it loads).

    `plugins`: what installed plug-ins bring, such as "attack swirl" -> "aefit-swirl 1.0", with what is wrong with
    one that cannot be used.
    """
    environment = describe_environment(choose_device("auto"), installed_plugins({**PARTS, "set": SETS}))
    import_torchvision_datasets()
    devices = {"cpu": environment.cpu}
    if torch.cuda.is_available():
        devices["cuda"] = torch.cuda.get_device_name(0)
    if torch.backends.mps.is_available():
        devices["mps"] = "Apple GPU"
    return {**plain(environment), "threads": torch.get_num_threads(), "devices": devices}


def installed_plugins(registries: dict[str, Registry[Any]]) -> dict[str, str]:
    """What plug-ins bring to each kind of thing -> their distributions and versions. Loads them."""
    found: dict[str, str] = {}
    for what, registry in registries.items():
        for name in registry:
            if (origin := registry.origin(name)) is not None:
                found[f"{what} {name}"] = f"{origin}{_problem(registry, name)}"
    return found


def _problem(registry: Registry[Any], name: str) -> str:
    try:
        registry[name]
    except AefitError as error:
        return f" (cannot be used: {error})"
    return ""


if __name__ == "__main__":
    sys.stdout.write(json.dumps(examine()) + "\n")
