"""The long table: one row a run, set and level, for other programs to read."""

from __future__ import annotations

import csv
import io
from typing import Any

COLUMNS = ("id", "dataset", "attack", "epsilon", "z", "seed", "run", "set", "size", "k", "accuracy", "slope")


def long_csv(result: dict[str, Any]) -> str:
    """The complete runs of a JSON result as CSV with a header; what is undefined is an empty field.

    run counts from 0, size is the number of images in the set, slope is S_k = A_k / A_{k+2}.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    spec = result["spec"]
    settings = [result["id"], *(spec[name] for name in ("dataset", "attack", "epsilon", "z", "seed"))]
    for run in result["runs"]:
        if run["status"] == "complete":
            for name, by_level in run["accuracy"].items():
                size = run["counts"]["sets"][name]
                slope = run["slopes"][name]
                for level, accuracy in by_level.items():
                    writer.writerow([*settings, run["index"], name, size, level, accuracy, slope.get(level)])
    return text.getvalue()
