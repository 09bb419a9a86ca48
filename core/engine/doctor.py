"""What works here: `python -P -m core.engine.doctor` loads the heavy libraries and prints one JSON object.

The light terminal program starts it as a process of its own and shows what it says.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch

from core.data.torchvision_sets import import_torchvision_datasets
from core.engine.worker import describe_environment
from core.tensors.device import choose_device


def examine() -> dict[str, Any]:
    """`versions`, `device`, `threads` (torch's default), `cpu`, `devices` found, `torchvision` (how it loads)."""
    environment = describe_environment(choose_device("auto"))
    import_torchvision_datasets()
    devices = {"cpu": environment["cpu"]}
    if torch.cuda.is_available():
        devices["cuda"] = torch.cuda.get_device_name(0)
    if torch.backends.mps.is_available():
        devices["mps"] = "Apple GPU"
    return {**environment, "devices": devices}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(examine()) + "\n")
