"""What a result says of the runs together, computed anew with NumPy and SciPy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from core.records.metrics import RunMetrics
from core.report.result import Result


def mean_and_half(values: Sequence[float | None], metrics: RunMetrics) -> tuple[float, float]:
    """The mean over the runs that have a value, two at least, and half the width of its 95 % interval."""
    there = np.array([value for value in values if value is not None])
    spread = math.sqrt(1 / len(there) + metrics.counts.test / metrics.counts.train)
    return float(there.mean()), float(stats.t.ppf(0.975, len(there) - 1) * there.std(ddof=1) * spread)


def crossfit_cells(result: Result, name: str, *, own: bool, fitted: bool = False) -> list[list[float | None]]:
    """For every level, general to fitted, the cross-fitted accuracy on a set in each run."""
    found = [run.crossfit_fitted if fitted else run.crossfit for run in result.metrics.values()]
    by_run = [one.own[name] if own else getattr(one, name) for one in found if one is not None]
    return [[by_level[level] for by_level in by_run] for level in result.ladder.levels]


def bias_cells(result: Result, name: str, field: str) -> list[list[float | None]]:
    """The same for a field of the decomposition."""
    found = [run.bias_variance for run in result.metrics.values() if run.bias_variance is not None]
    return [
        [getattr(getattr(one, name)[level], field) for one in found if getattr(one, name) is not None]
        for level in result.ladder.levels
    ]


def robustness_cells(result: Result, kind: str, field: str) -> list[list[float | None]]:
    """The same for a field of robustness. kind: "attack", "noise", or another rule of the family."""
    cells = []
    for level in result.ladder.levels:
        row = []
        for run in result.metrics.values():
            found = run.noise.robustness if kind == "noise" and run.noise else run.robustness
            if kind not in ("attack", "noise"):
                found = run.variants[kind].robustness
            assert found is not None
            row.append(getattr(found[level], field))
        cells.append(row)
    return cells


def net_flips(result: Result, kind: str) -> tuple[list[tuple[int, int, int]], list[float]]:
    """Of every run: gained, lost, n; and their difference as a share of n."""
    counts = []
    for run in result.metrics.values():
        flips = run.noise.flips if kind == "noise" and run.noise else run.flips
        if kind not in ("attack", "noise"):
            flips = run.variants[kind].flips
        assert flips is not None
        counts.append((flips.gained, flips.lost, flips.n))
    return counts, [(gained - lost) / n for gained, lost, n in counts]
