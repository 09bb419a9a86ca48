"""Intervals drawn as text: every mark stands where its number says, and what lies beyond the axis says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records.statistics import Claim
from tui_aefit.lab.charts.forest import ForestData, ForestRow, axis, forest_chart, interval_line
from tui_aefit.lab.charts.palette import Palette

PALETTE = Palette(axes="#111111", words="#222222", rules="#333333", series=("#aa0000", "#00aa00", "#0000aa"))


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


# The plot


def row(name: str, estimate: float, interval: tuple[float, float] | None) -> ForestRow:
    return ForestRow(name, "adversarial", f"{estimate:+.3f}", "▼ lower", True, claim(estimate, interval))


ROWS = (
    row("cross-fit rise", -0.1, (-0.16, -0.04)),
    row("bias fall", 0.1, (0.08, 0.12)),
    row("share", 0.8, None),
)


@pytest.mark.parametrize("size", [(60, 9), (66, 20), (120, 9)])
def test_every_mark_of_the_plot_stands_below_its_number_on_the_axis(size: tuple[int, int]) -> None:
    lines = forest_chart(ForestData(ROWS), *size).plain.split("\n")
    left = lines[0].index("-0.2")
    zero, right = lines[0].index(" 0 ") + 1, lines[0].rindex("0.2") + 2
    by_cell = 0.2 / (right - zero)
    assert zero - left == pytest.approx(right - zero, abs=0)
    for one in ROWS[:2]:
        line = next(text for text in lines if text.startswith(one.title))
        assert one.decision in line
        assert line.index("●", left) == pytest.approx(zero + one.claim.estimate / by_cell, abs=0.5)
        assert one.claim.ci95 is not None
        ends = line.index("├"), line.index("┤")
        for end, at in zip(one.claim.ci95, ends, strict=True):
            assert at == pytest.approx(zero + end / by_cell, abs=0.5)
    beyond = next(text for text in lines if text.startswith("share"))
    assert beyond.rstrip().endswith("▸")
    assert "same: within ±0.02 of 0" in lines[-1] or "±0.02" in lines[-1]


def test_numbers_stand_below_the_rows_where_there_is_room_and_rows_without_room_are_counted() -> None:
    assert "-0.100" in forest_chart(ForestData(ROWS), 66, 20).plain
    low = forest_chart(ForestData(ROWS), 100, 4).plain
    assert "-0.100" not in low
    assert "share" not in low
    assert "1 more below" in low


@given(st.integers(1, 140), st.integers(1, 40), st.integers(1, 9))
def test_the_plot_fits_any_size(width: int, height: int, many: int) -> None:
    data = ForestData(tuple(ROWS[number % 3] for number in range(many)), corrected=False)
    for palette in (None, PALETTE):
        lines = forest_chart(data, width, height, palette).plain.split("\n")
        assert len(lines) <= max(height, 1)
        assert all(len(line) <= width for line in lines)
