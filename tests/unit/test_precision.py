"""The interval that is foretold is the one that SciPy and the statistics of finished runs give."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from core.spec.spec import Spec
from core.statistics.claims import corrected_interval
from tui_aefit.following.past_runs import PastSpread
from tui_aefit.following.precision import RUNS, USUAL, precision_of

MNIST = Spec(dataset="mnist")


@pytest.mark.parametrize("overlap", [1 / 6, 0.2, 0.0])
def test_runs_that_lie_as_far_apart_get_the_half_width_that_is_foretold(overlap: float) -> None:
    values = np.random.default_rng(7).normal(size=16)
    spread = PastSpread(MNIST, "mnist-fgsm-example1", 9, float(np.std(values, ddof=1)), 0.4)
    found = precision_of(MNIST.changed(runs=16), [spread], overlap)
    interval = corrected_interval(values.tolist(), overlap)
    assert interval is not None
    low, high = interval
    assert found.half_widths[16] == pytest.approx((high - low) / 2)
    assert found.past is spread
    # With ever more runs only what they share is left.
    assert found.endless == pytest.approx(stats.norm.ppf(0.975) * spread.sd * math.sqrt(overlap))


def test_without_past_runs_it_is_relative_to_the_usual_number() -> None:
    found = precision_of(MNIST.changed(runs=7), [], 1 / 6)
    assert found.past is None
    assert list(found.half_widths) == sorted({*RUNS, 7})
    assert found.half_widths[USUAL] == pytest.approx(1)
    expected = (
        stats.t.ppf(0.975, 2)
        * math.sqrt(1 / 3 + 1 / 6)
        / (stats.t.ppf(0.975, 11) * math.sqrt(1 / 12 + 1 / 6))
    )
    assert found.half_widths[3] == pytest.approx(expected)


def test_too_few_runs_have_no_interval() -> None:
    assert list(precision_of(MNIST.changed(runs=2), [], 0.2).half_widths) == list(RUNS)


def test_of_runs_that_are_as_alike_those_of_the_nearest_epsilon_are_taken() -> None:
    spreads = [
        PastSpread(MNIST.changed(epsilon=epsilon), f"eps-{epsilon}", runs, 0.1, 0.2)
        for epsilon, runs in ((0.3, 50), (0.1, 4), (0.1, 12), (0.05, 9))
    ]
    past = precision_of(MNIST, spreads, 0.2).past
    assert past is spreads[2]
