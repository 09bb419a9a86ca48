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
    """`versions`, `device`, `threads` (torch's default), `cpu`, `devices`, `problems`, `plugins`, `cuda_build`.

    devices: those found of "cpu", "cuda" and "mps" -> name. cuda_build: the CUDA version that torch was built for,
    "" for a build without. problems: what does not work (torchvision, gpu, a plug-in) -> [why, what to do].
    plugins: what installed plug-ins bring -> by which, such as "attack swirl" -> "aefit-swirl 1.0".
    """
    registries = {**PARTS, "set": SETS}
    environment = describe_environment(choose_device("auto"), installed_plugins(registries))
    devices = {"cpu": environment.cpu}
    problems = plugin_problems(registries)
    if problem := _torchvision_problem():
        problems["torchvision"] = problem
    if torch.cuda.is_available():
        devices["cuda"] = torch.cuda.get_device_name(0)
        if problem := _gpu_problem("cuda"):
            problems["gpu"] = problem
    if torch.backends.mps.is_available():
        devices["mps"] = "Apple GPU"
    found = {"threads": torch.get_num_threads(), "devices": devices, "problems": problems}
    return {**plain(environment), **found, "cuda_build": torch.version.cuda or ""}


def installed_plugins(registries: dict[str, Registry[Any]]) -> dict[str, str]:
    """What plug-ins bring, such as "attack swirl" -> distribution and version. registries: by kind of thing."""
    found: dict[str, str] = {}
    for what, registry in registries.items():
        for name in registry:
            if (origin := registry.origin(name)) is not None:
                found[f"{what} {name}"] = str(origin)
    return found


def plugin_problems(registries: dict[str, Registry[Any]]) -> dict[str, list[str]]:
    """What plug-ins bring that cannot be used, such as "attack swirl" -> [why, what to do]. Loads the plug-ins."""
    found: dict[str, list[str]] = {}
    for what, registry in registries.items():
        for name in registry:
            if registry.origin(name) is not None:
                try:
                    registry[name]
                except AefitError as error:
                    found[f"{what} {name}"] = [str(error), error.hint]
    return found


def _torchvision_problem() -> list[str]:
    """Why torchvision's data sets cannot be read, and what to do; empty where they can."""
    try:
        import_torchvision_datasets()
    except AefitError as error:
        return [str(error), error.hint]
    return []


def _gpu_problem(device: str) -> list[str]:
    """Why a GPU that torch finds does not compute, and what to do; empty where it does."""
    try:
        square = torch.eye(8, device=device) @ torch.eye(8, device=device)
        if square.sum().item() == 8:
            return []
        why = "it multiplies wrongly"
    except RuntimeError as error:  # too old or too new for this build, out of memory, its driver is another's
        why = str(error).strip().partition("\n")[0]
    return [f"torch finds it, but cannot compute on it: {why}", "compute on the processor: --device cpu"]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(examine()) + "\n")
