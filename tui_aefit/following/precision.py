"""Predicts the width of the interval of the deciding claim, by the number of runs. Pure, without SciPy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.spec.spec import Spec
from core.statistics.plain_t import NORMAL_QUANTILE, critical_value
from tui_aefit.following.past_runs import PastSpread, most_alike

RUNS = (3, 4, 5, 6, 8, 12, 16, 24, 48, 100)
"""The numbers of runs that are shown."""
USUAL = 12
"""The paper's number of runs on MNIST, to which widths are relative where no past experiment is known."""


@dataclass(frozen=True)
class Precision:
    """The predicted precision of an experiment.

    half_widths: runs -> half the width of the 95 % interval of the mean over so many runs. endless: its limit for
    ever more runs. Both in accuracy (1 is all images) where `past` is the experiment whose spread was used;
    relative to the half-width with USUAL runs where that is None. what: which past runs these are, in words.
    """

    half_widths: Mapping[int, float]
    endless: float
    past: PastSpread | None
    what: str


def precision_of(spec: Spec, past: Iterable[PastSpread], overlap: float) -> Precision:
    """The precision that a new experiment can expect. overlap: n_test / n_train of its runs, 0 or more.

    The half-width is t(0.975; n - 1) sd sqrt(1 / n + overlap) (Nadeau and Bengio, 2003).
    """
    alike, what = most_alike(spec, list(past))
    # The spread depends on epsilon: the nearest one is the best guess.
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
    """The half-width in units of the standard deviation between runs."""
    return critical_value(runs - 1) * math.sqrt(1 / runs + overlap)
