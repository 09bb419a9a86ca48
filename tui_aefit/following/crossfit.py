"""The cross-fitted accuracies of an experiment, as means over its complete runs. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.families.ladder import Ladder
from core.records.deciding import DECIDING_SETS, ByLevel
from core.records.metrics import RunMetrics

Means = Mapping[str, Mapping[str, float | None]]
"""Set -> level -> mean accuracy over the runs that have one; None where none has."""


@dataclass(frozen=True)
class CrossFitMeans:
    """Accuracies on sets selected at the most general level by the classifier of one half of the training images.

    other: of the classifier of the other half; own: of the classifier that selected. Both have the same sets, in
    the order of DECIDING_SETS. runs: how many runs have cross-fitted accuracies.
    """

    other: Means
    own: Means
    runs: int


def crossfit_means(metrics: Iterable[RunMetrics], ladder: Ladder) -> CrossFitMeans | None:
    """The means over runs on one ladder; None where no run has cross-fitted accuracies, as in older versions."""
    found = [run.crossfit for run in metrics if run.crossfit is not None]
    others = [one.accuracy for one in found]
    sets = [name for name in DECIDING_SETS if any(name in other for other in others)]
    if not sets:
        return None
    return CrossFitMeans(
        other={name: _mean([other[name] for other in others if name in other], ladder) for name in sets},
        own={name: _mean([one.own[name] for one in found if name in one.own], ladder) for name in sets},
        runs=len(found),
    )


def _mean(runs: Sequence[ByLevel], ladder: Ladder) -> dict[str, float | None]:
    means: dict[str, float | None] = {}
    for level in ladder.levels:
        there = [value for run in runs if (value := run.get(level)) is not None]
        means[level] = math.fsum(there) / len(there) if there else None
    return means
