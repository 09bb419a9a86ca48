"""How long an experiment has still to go, from how long its stages have taken. Pure: durations in, seconds out."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

ENOUGH = 0.05
"""The share of a stage that must be done before its own pace says more than the average of others."""


@dataclass(frozen=True)
class AtWork:
    """A run at work, as it last reported.

    finished: the stages it has behind it. stage: the present one, "" before the first. share: of that stage's
    steps that were done then, 0 to 1. elapsed: seconds from the stage's start until then. silent: seconds
    since then.
    """

    finished: Collection[str]
    stage: str
    share: float
    elapsed: float
    silent: float


def seconds_left(
    typical: Mapping[str, float],
    at_work: Sequence[AtWork],
    *,
    waiting: int,
    jobs: int,
    stages: Collection[str],
) -> float | None:
    """Seconds until the runs at work and the `waiting` ones are done; None where a stage is still unknown.

    typical: stage -> mean seconds, of the stages that some run has finished. jobs: runs at the same time.
    stages: those that every run is known to have, in any order. A stage that no run has finished is judged by
    the runs that have done a good part of it.
    """
    known = {**_projected(at_work), **typical}
    if not set(stages) <= known.keys():
        return None
    # Each waiting run goes to whichever run at work, or waiting run before it, is done first.
    free = [_left(run, known) for run in at_work]
    free += [0.0] * min(jobs - len(free), max(waiting, 1))  # more would have nothing to do
    heapq.heapify(free)
    whole = sum(known.values())
    for _ in range(waiting if free else 0):
        heapq.heapreplace(free, free[0] + whole)
    return max(free, default=None)


def _projected(at_work: Sequence[AtWork]) -> dict[str, float]:
    """Stage -> mean of the seconds that it will have taken at its present pace."""
    paces: dict[str, list[float]] = {}
    for run in at_work:
        if run.share >= ENOUGH:
            paces.setdefault(run.stage, []).append(run.elapsed / run.share)
    return {stage: sum(pace) / len(pace) for stage, pace in paces.items()}


def _left(run: AtWork, known: Mapping[str, float]) -> float:
    later = sum(seconds for stage, seconds in known.items() if stage not in (*run.finished, run.stage))
    whole = run.elapsed / run.share if run.share >= ENOUGH else known.get(run.stage, 0.0)
    return later + max(0.0, whole * (1 - run.share) - run.silent)
