"""The time that experiments save by sharing surrogates: expected before they are computed, and counted after."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.declarations.lazy import statistics
from core.records.overview import Overview
from core.report.formatting import counted, duration
from core.spec.grid import shared_splits, shared_surrogate
from core.spec.spec import Spec
from tui_aefit.following.past_runs import PastRun, most_alike


@dataclass(frozen=True)
class Expected:
    """The expected time of experiments. seconds: until all are computed. saved: seconds, by shared surrogates."""

    seconds: float
    saved: float


@dataclass(frozen=True)
class Saved:
    """Time saved: `runs` of `of` runs had their surrogate from the cache; training them takes `seconds`."""

    runs: int
    of: int
    seconds: float


def expected_seconds(specs: Sequence[Spec], jobs: int, past: Sequence[PastRun]) -> Expected | None:
    """The expected time of experiments computed one after another; None where one has no past runs to go by.

    jobs: runs at the same time. past: complete runs, the newest first.
    """
    work, saved = 0.0, 0.0
    trained: set[tuple[object, ...]] = set()
    for spec in specs:
        alike, _ = most_alike(spec, past)
        if not alike:
            return None
        rest = statistics.median(run.seconds - run.training for run in alike)
        training = statistics.median([run.training for run in alike if run.trained] or [0.0])
        new = [run for run in range(spec.runs) if (*shared_surrogate(spec), run) not in trained]
        trained.update((*shared_surrogate(spec), run) for run in new)
        work += spec.runs * rest + len(new) * training
        saved += (spec.runs - len(new)) * training
    runs = sum(spec.runs for spec in specs)
    return Expected(work / runs * math.ceil(runs / jobs), saved)


def sharing_words(specs: Sequence[Spec]) -> str:
    """What the runs of experiments have in common: "6 runs share 3 splits and 3 surrogates, each made once"."""
    runs = sum(spec.runs for spec in specs)
    splits = {(shared_splits(spec), run) for spec in specs for run in range(spec.runs)}
    surrogates = {(shared_surrogate(spec), run) for spec in specs for run in range(spec.runs)}
    return (
        f"{counted(runs, 'run')} share {counted(len(splits), 'split')} and "
        f"{counted(len(surrogates), 'surrogate')}, each made once"
    )


def expected_words(expected: Expected) -> str:
    """An expected time in words: "12 min, 3 min less than with surrogates of their own"."""
    less = f", {duration(expected.saved)} less than with surrogates of their own" if expected.saved else ""
    return f"{duration(expected.seconds)}{less}"


def saved_seconds(overviews: Iterable[Overview]) -> Saved:
    """The time that the complete runs of these experiments saved by surrogates trained before."""
    found = list(overviews)
    reused, of = sum(one.reused for one in found), sum(one.done for one in found)
    trained = [seconds for one in found for seconds in one.training]
    return Saved(reused if trained else 0, of, reused * statistics.median(trained) if trained else 0.0)
