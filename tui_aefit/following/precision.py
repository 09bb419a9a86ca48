"""How wide the interval of what decides the claim will be, by the number of runs. Pure, without SciPy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.spec.spec import Spec
from core.statistics.plain_t import NORMAL_QUANTILE, critical_value
from tui_aefit.following.past import PastSpread, most_alike

RUNS = (3, 4, 5, 6, 8, 12, 16, 24, 48, 100)
"""Numbers of runs that are shown."""
USUAL = 12
"""The paper's number of runs on MNIST, with which others are compared where nothing else is known."""


@dataclass(frozen=True)
class Precision:
    """half_widths: runs -> half the width of the 95 % interval of a mean over so many runs; endless: what it tends
    to with ever more. In shares of 1 where `past` says whose runs lie so far apart, relative to USUAL runs where
    there is none.
    """

    half_widths: Mapping[int, float]
    endless: float
    past: PastSpread | None
    what: str


def precision_of(spec: Spec, past: Iterable[PastSpread], overlap: float) -> Precision:
    """What a new experiment can expect. overlap: n_test / n_train of its runs, 0 or more.

    The half-width is t(0.975; n - 1) sd sqrt(1 / n + overlap) (Nadeau and Bengio, 2003).
    """
    alike, what = most_alike(spec, list(past))
    # Other things being equal, another epsilon is another spread.
    found = min(alike, key=lambda one: (abs(one.spec.epsilon - spec.epsilon), -one.runs), default=None)
    scale = found.sd if found is not None else 1 / _half_width(USUAL, overlap)
    wanted = sorted({*RUNS, *([spec.runs] if spec.runs >= RUNS[0] else [])})
    return Precision(
        half_widths={runs: scale * _half_width(runs, overlap) for runs in wanted},
        endless=scale * NORMAL_QUANTILE * math.sqrt(overlap),
        past=found,
        what=what,
    )


def _half_width(runs: int, overlap: float) -> float:
    """In standard deviations of a run."""
    return critical_value(runs - 1) * math.sqrt(1 / runs + overlap)
