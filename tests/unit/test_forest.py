"""Intervals drawn as text: every mark stands where its number says, and what lies beyond the axis says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records.statistics import Claim
from tui_aefit.lab.charts.forest import axis, interval_line


def claim(estimate: float, interval: tuple[float, float] | None, margin: float = 0.02) -> Claim:
    return Claim(
        name="crossfit_rise",
        sets=("adversarial", "misclassified"),
        estimate=estimate,
        ci95=interval,
        margin=margin,
        decision="undecided",
        n=3,
    )


@pytest.mark.parametrize(
    ("estimate", "interval", "line"),
    [
        # 21 cells from -0.2 to 0.2: a cell is 0.02, so the margin is one cell on either side of zero.
        (-0.08, (-0.12, -0.04), "    ├─●─┤░┊░         "),
        (0.0, (-0.1, 0.06), "     ├────●──┤       "),
        (0.1, None, "         ░┊░   ●     "),
        (0.12, (0.1, 0.5), "         ░┊░   ├●───▸"),
        (-0.9, (-1.0, -0.16), "◂─┤      ░┊░         "),
        (0.9, (0.8, 1.0), "         ░┊░        ▸"),
        (-0.9, None, "◂        ░┊░         "),
    ],
)
def test_an_interval_stands_where_its_numbers_say(
    estimate: float, interval: tuple[float, float] | None, line: str
) -> None:
    assert interval_line(claim(estimate, interval), 0.2, 21) == line


def test_the_axis_has_its_zero_over_that_of_the_lines() -> None:
    for width in (19, 21, 61):
        line = interval_line(claim(0.15, None), 0.2, width)
        assert len(axis(0.2, width)) == width
        assert axis(0.2, width).startswith("-0.2")
        assert axis(0.2, width).endswith(" 0.2")
        assert axis(0.2, width)[width // 2] == "0"
        assert line[width // 2] == "┊"


@given(
    st.floats(-1e6, 1e6),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.integers(9, 40),
    st.sampled_from((0.0, 0.02)),
)
def test_any_interval_fits(estimate: float, below: float, above: float, half: int, margin: float) -> None:
    line = interval_line(claim(estimate, (estimate - below, estimate + above), margin), 0.2, 2 * half + 1)
    assert len(line) == 2 * half + 1
    assert any(mark in line for mark in "●◂▸")
