"""What the benchmarks share: taking turns, saying where it was measured, a table and its JSON."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

from core.tensors.device import processor_name

PACKAGES = (
    "numpy",
    "torch",
    "scikit-learn",
    "faiss-cpu",
    "foolbox",
    "torchattacks",
    "adversarial-robustness-toolbox",
)


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has."""
    made = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--data-dir", type=Path, default=Path("data"), help="where torchvision's MNIST lies")
    made.add_argument(
        "--dataset", default="mnist", help="a name, a .npz, or a folder or .zip of class folders"
    )
    made.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    made.add_argument("--rounds", type=int, default=3, help="turns; their median is shown")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the measurements here too")
    return made


def limit_threads(threads: int) -> None:
    """Give torch so many threads, and NumPy's products one: our search runs blocks beside each other instead."""
    torch.set_num_threads(threads)
    threadpool_limits(1, user_api="blas")


def in_turns(works: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Seconds of each work in each round, one more round not counted.

    They take turns, so that a busy moment hits all alike.
    """
    seconds: list[list[float]] = [[] for _ in works]
    for turn in range(rounds + 1):
        for work, times in zip(works, seconds, strict=True):
            start = time.perf_counter()
            work()
            if turn:
                times.append(time.perf_counter() - start)
    return seconds


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def machine(threads: int) -> dict[str, Any]:
    """Where it was measured, and with which versions."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": processor_name(),
        "processors": os.cpu_count(),
        "threads": threads,
        "versions": versions,
    }


def report(
    title: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    threads: int,
    path: Path | None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Print the rows under their keys, and write them as JSON with the machine."""
    where = machine(threads)
    versions = ", ".join(f"{name} {number}" for name, number in where["versions"].items())
    print(f"{title}\n{where['processor']}, {where['processors']} processors, {threads} threads; {versions}")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [columns, *([_cell(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    for line in cells:
        first, *others = (
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())
    if path is not None:
        record = {"title": title, "machine": where, **(extra or {}), "rows": [dict(row) for row in rows]}
        path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
