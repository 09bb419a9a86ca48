"""What this process computes with: versions, device, processor."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version

import torch

from core.records.environment import Environment
from core.tensors.device import processor_name

PACKAGES = ("aefit-tui", "numpy", "scipy", "scikit-learn", "torch", "torchvision")


def describe_environment(device: str, plugins: Mapping[str, str]) -> Environment:
    """The environment of this process. device: torch's name of it. plugins: as in `Spec.plugins`."""
    versions = {"python": platform.python_version()} | {package: version(package) for package in PACKAGES}
    # torch itself names its build too ("+cpu", "+cu130"), which an index may leave out of the version of a package.
    versions["torch"] = str(torch.__version__)
    return Environment(versions=versions, device=device, cpu=processor_name(), plugins=dict(plugins))
