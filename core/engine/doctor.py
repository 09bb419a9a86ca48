"""What works here: `python -P -m core.engine.doctor` loads the heavy libraries and prints an `Examined`.

It is one line of JSON, which begins with its brace; libraries may print others. The light terminal program starts
it as a process of its own and shows what it says.
"""

from __future__ import annotations

import sys
from typing import Any

import torch

from core.data.torchvision_sets import import_torchvision_datasets
from core.declarations.registry import Registry
from core.engine.environment import describe_environment
from core.errors import AefitError
from core.records.examined import Devices, Examined, Versions
from core.records.types import convert, to_json
from core.sets.registry import SETS
from core.spec.settings import PARTS
from core.tensors.device import choose_device


def examine() -> Examined:
    """What there is, and what of it does not work. Loads every plug-in."""
    registries = {**PARTS, "set": SETS}
    environment = describe_environment(choose_device("auto"), installed_plugins(registries))
    problems = plugin_problems(registries)
    if problem := _torchvision_problem():
        problems["torchvision"] = problem
    cuda = torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
    if cuda and (problem := _gpu_problem("cuda")):
        problems["gpu"] = problem
    mps = "Apple GPU" if torch.backends.mps.is_available() else ""
    return Examined(
        versions=convert(environment.versions, Versions, "the versions of the libraries"),
        device=environment.device,
        cpu=environment.cpu,
        plugins=environment.plugins,
        threads=torch.get_num_threads(),
        devices=Devices(cpu=environment.cpu, cuda=cuda, mps=mps),
        problems=problems,
        cuda_build=torch.version.cuda or "",
    )


def installed_plugins(registries: dict[str, Registry[Any]]) -> dict[str, str]:
    """What plug-ins bring, such as "attack swirl" -> distribution and version. registries: by kind of thing."""
    found: dict[str, str] = {}
    for what, registry in registries.items():
        for name in registry:
            if (origin := registry.origin(name)) is not None:
                found[f"{what} {name}"] = str(origin)
    return found


def plugin_problems(registries: dict[str, Registry[Any]]) -> dict[str, tuple[str, str]]:
    """What plug-ins bring and cannot be used -> why, what to do. Loads them."""
    found: dict[str, tuple[str, str]] = {}
    for what, registry in registries.items():
        for name in registry:
            if registry.origin(name) is not None:
                try:
                    registry[name]
                except AefitError as error:
                    found[f"{what} {name}"] = _said(error)
    return found


def _torchvision_problem() -> tuple[str, str] | None:
    """Why torchvision's data sets cannot be read, and what to do; None where they can."""
    try:
        import_torchvision_datasets()
    except AefitError as error:
        return _said(error)
    return None


def _gpu_problem(device: str) -> tuple[str, str] | None:
    """Why a GPU that torch finds does not compute, and what to do; None where it does."""
    try:
        square = torch.eye(8, device=device) @ torch.eye(8, device=device)
        if square.sum().item() == 8:
            return None
        why = "it multiplies wrongly"
    except RuntimeError as error:  # too old or too new for this build, out of memory, its driver is another's
        why = str(error).strip().partition("\n")[0]
    return f"torch finds it, but cannot compute on it: {why}", "compute on the processor: --device cpu"


def _said(error: AefitError) -> tuple[str, str]:
    """What is the matter, and what to do. A path in them may have bytes that are no text."""
    why, remedy = (text.encode(errors="replace").decode() for text in (str(error), error.hint))
    return why, remedy


def main() -> None:
    """Print what is found, in a line of its own."""
    found = to_json(examine())
    sys.stdout.flush()
    sys.stdout.buffer.write(b"\n" + found + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
