"""The time that an experiment still takes, from the time that its stages have taken. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

ENOUGH = 0.05
"""The share of a stage that must be done before its own pace says more than the average of others."""
TRUST = 0.1
"""The weight of the expected pace against that of the stages that were seen, as a share of a run's seconds."""


@dataclass(frozen=True)
class AtWork:
    """A run at work, as of its last report.

    finished: the finished stages. stage: the present one, "" before the first. share: of the present stage's steps,
    those that were done, 0 to 1. elapsed: seconds from that stage's start to the report. silent: seconds since the
    report.
    """

    finished: Collection[str]
    stage: str
    share: float
    elapsed: float
    silent: float


@dataclass(frozen=True)
class Estimate:
    """An estimate of the time left.

    seconds: until all runs are done, None where there is nothing to estimate from, or nothing to do. each: seconds
    until each run at work is done, in their order. shares: how much of the work of each run at work is done, 0 to
    1. Both are empty where there is nothing to estimate from. rough: some stage was seen in no run.
    """

    seconds: float | None = None
    each: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    rough: bool = False


def estimate(
    typical: Mapping[str, float],
    at_work: Sequence[AtWork],
    *,
    waiting: int,
    jobs: int,
    stages: Collection[str],
    expected: Mapping[str, float] | None = None,
) -> Estimate:
    """How long the runs at work and the `waiting` ones still take, and how far those at work are.

    typical: stage -> mean seconds, of the stages that some run has finished. jobs: runs at the same time. stages:
    those that every run is known to have, in any order. expected: stage -> seconds, from past runs.
    A stage that no run has finished is judged by the runs that have done at least ENOUGH of it, else by `expected`,
    corrected by how much the seen stages took compared with what was expected of them.
    """
    seen = {**_projected(at_work), **typical}
    known = {**_scaled(expected or {}, seen, stages), **seen}
    if not set(stages) <= known.keys():
        return Estimate()
    each = tuple(_left(run, known) for run in at_work)
    whole = sum(known.values())
    shares = tuple(1 - min(1.0, left / whole) if whole else 0.0 for left in each)
    rough = not set(stages) <= seen.keys()
    return Estimate(_until_all_are_done(each, whole, waiting, jobs), each, shares, rough)


def _until_all_are_done(each: Sequence[float], whole: float, waiting: int, jobs: int) -> float | None:
    """Seconds until all is done, where each waiting run (of `whole` seconds) begins when the next job becomes free.

    each: seconds until each run at work is done.
    """
    free = list(each)
    free += [0.0] * max(0, min(jobs - len(free), waiting or 1))  # further jobs would have nothing to do
    heapq.heapify(free)
    for _ in range(waiting if free else 0):
        heapq.heapreplace(free, free[0] + whole)
    return max(free, default=None)


def _projected(at_work: Sequence[AtWork]) -> dict[str, float]:
    """Stage -> the seconds that it takes at the present pace, mean over the runs that have done ENOUGH of it."""
    paces: dict[str, list[float]] = {}
    for run in at_work:
        if run.share >= ENOUGH:
            paces.setdefault(run.stage, []).append(run.elapsed / run.share)
    return {stage: sum(pace) / len(pace) for stage, pace in paces.items()}


def _scaled(
    expected: Mapping[str, float], seen: Mapping[str, float], stages: Collection[str]
) -> dict[str, float]:
    """Stage -> expected seconds, all scaled by the pace of the stages that have been seen.

    The expected pace has a weight of its own (TRUST): a stage of a moment says little of the pace of the others.
    """
    own = {stage: expected[stage] for stage in stages if stage in expected}
    weight = TRUST * sum(own.values())
    both = [stage for stage in own if stage in seen]
    if not weight:
        return own
    pace = (weight + sum(seen[stage] for stage in both)) / (weight + sum(own[stage] for stage in both))
    return {stage: pace * seconds for stage, seconds in own.items()}


def _left(run: AtWork, known: Mapping[str, float]) -> float:
    later = sum(seconds for stage, seconds in known.items() if stage not in (*run.finished, run.stage))
    whole = run.elapsed / run.share if run.share >= ENOUGH else known.get(run.stage, 0.0)
    return later + max(0.0, whole * (1 - run.share) - run.silent)
