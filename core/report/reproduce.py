"""The shell commands that compute an experiment again, and write what was published of it."""

from __future__ import annotations

import shlex
from typing import Any

from core.data.catalogue import CATALOGUE
from core.report.formats import FIGURES


def batch_command(spec: dict[str, Any]) -> str:
    """The line that computes a spec (its JSON form) headless.

    Every setting stands in it: the defaults of another version or machine may be others.
    """
    words = ["aefit-tui", "--batch"]
    for name, value in spec.items():
        if name == "schema_version" or value is None:
            continue
        word = (",".join(value) or "none") if isinstance(value, list) else str(value)
        words += ["--" + name.replace("_", "-"), word]
    return shlex.join(words)


def commands(result: dict[str, Any]) -> list[str]:
    """The lines of a shell, in their order, that make a JSON result and its publications anew."""
    dataset, name = result["spec"]["dataset"], result["id"]
    fetched = dataset in CATALOGUE and CATALOGUE[dataset].origin == "torchvision"
    return [
        *([f"aefit-tui data fetch {dataset}"] if fetched else []),
        batch_command(result["spec"]),
        f"aefit-tui report {name}",
        f"aefit-tui export {name} --format csv --table accuracy --output {name}-accuracy.csv",
        f"aefit-tui export {name} --format csv --table tests --output {name}-tests.csv",
        f"aefit-tui export {name} --format latex --output {name}.tex",
        *(
            f"aefit-tui export {name} --format pdf --figure {figure} --output {name}-{figure}.pdf"
            for figure in FIGURES
        ),
    ]
