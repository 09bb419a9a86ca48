"""How wide the interval of what decides the claim will be, by the number of runs. Pure, without SciPy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.spec.spec import Spec
from tui_aefit.following.past import PastSpread, most_alike

RUNS = (3, 4, 5, 6, 8, 12, 16, 24, 48, 100)
"""Numbers of runs that are shown."""
USUAL = 12
"""The paper's number of runs on MNIST, with which others are compared where nothing else is known."""
STEPS = 80
"""Halvings of an interval, after which it is as short as floats allow."""


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


def critical_value(df: int) -> float:
    """The t with P(|T| <= t) = 0.95 for df >= 1 whole degrees of freedom.

    By bisection of the distribution's finite series (Abramowitz and Stegun, 26.7.3 and 26.7.4).
    """
    low, high = 0.0, 13.0  # with one degree of freedom it is 12.7
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, df) < 0.95 else (low, middle)
    return (low + high) / 2


NORMAL_QUANTILE = 1.959963984540054
"""The same for endlessly many degrees of freedom: the 97.5 % point of the normal distribution."""


def _half_width(runs: int, overlap: float) -> float:
    """In standard deviations of a run."""
    return critical_value(runs - 1) * math.sqrt(1 / runs + overlap)


def _within(t: float, df: int) -> float:
    """P(|T| <= t) for df degrees of freedom."""
    angle = math.atan(t / math.sqrt(df))
    sine, cosine = math.sin(angle), math.cos(angle)
    first, start = (cosine, 2) if df % 2 else (1.0, 1)
    term, total = first, 0.0
    for power in range(start, df, 2):
        total += term
        term *= cosine * cosine * power / (power + 1)
    return 2 / math.pi * (angle + sine * total) if df % 2 else sine * total
