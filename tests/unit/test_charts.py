"""Charts as text: every mark stands where its number says, at any size, with and without colour."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text

from core.families.ladder import Ladder
from core.records.metrics import RunMetrics
from core.records.statistics import Quantity, StatisticalTest, Summary, SummaryTable
from core.report.terms import SLOPES
from core.sets.registry import SETS
from core.spec.spec import Spec
from core.statistics.slopes import REASONS
from tests.fakes.numbers import draw_metrics
from tui_aefit.lab.charts.axes import linear_scale, log_scale, p_value_row, spread, threshold_rows
from tui_aefit.lab.charts.data import (
    PAPER_PAIR,
    TEST_MARKERS,
    AccuracyData,
    AccuracyPoint,
    PValue,
    PValueData,
    accuracy_data,
    crossfit_data,
    p_value_data,
    set_marker,
    sets_in_charts,
)
from tui_aefit.lab.charts.drawing import SMALLEST_SIZE, accuracy_chart, p_value_chart
from tui_aefit.lab.charts.palette import Palette

LADDER = Ladder("K", ("7", "5", "3", "1"), (7, 5, 3, 1))
LEVELS = LADDER.levels
WORDS = Ladder("Bandwidth", ("wide", "medium", "narrow"))
"""A ladder of a plug-in, whose levels are no numbers."""
HALF = 0.5 + 1e-9
"""A mark stands in the row nearest to its value."""
PALETTE = Palette(axes="#111111", words="#222222", rules="#333333", series=("#aa0000", "#00aa00", "#0000aa"))


def curve(means: Sequence[float], half: float | None = None) -> tuple[AccuracyPoint, ...]:
    return tuple(
        AccuracyPoint(level, mean, None if half is None else (mean - half, mean + half))
        for level, mean in zip(LEVELS, means, strict=True)
    )


def one_curve(means: Sequence[float], half: float | None = None, fit: bool = False) -> AccuracyData:
    return AccuracyData("K", LEVELS, {"adversarial": curve(means, half)}, fit=fit)


def p_values(by_j: Mapping[str, float | None], test: str = "welch", reason: str | None = None) -> PValueData:
    return PValueData(
        tuple(by_j),
        tuple(PValue(j, test, p, None if p is not None else reason) for j, p in by_j.items()),
    )


def axis_lines(chart: Text) -> tuple[int, list[str]]:
    """Where the left axis is, and the lines through which it goes."""
    lines = chart.plain.split("\n")
    axis = next(line.index("└") for line in lines if "└" in line)
    return axis, [line for line in lines if line[axis : axis + 1] in ("┤", "│")]


def canvas(chart: Text) -> list[str]:
    """The rows between the axes, the top one first, with the names beside them."""
    axis, lines = axis_lines(chart)
    return [line[axis + 1 :] for line in lines]


def at(row: str, column: int) -> str:
    """What stands in a cell: a row ends with its last glyph."""
    return row[column] if column < len(row) else " "


def place_on(chart: Text, value: float) -> float:
    """How many rows below the first one a value stands, by the labels of two ticks."""
    ticks = {float(label): row for label, row in tick_rows(chart).items()}
    low, high = min(ticks), max(ticks)
    return ticks[high] + (high - value) / (high - low) * (ticks[low] - ticks[high])


def cells(rows: Sequence[str], glyph: str) -> list[tuple[int, int]]:
    """(row, column) of a glyph, by columns."""
    found = [(row, column) for row, line in enumerate(rows) for column, it in enumerate(line) if it == glyph]
    return sorted(found, key=lambda cell: cell[1])


def tick_rows(chart: Text) -> dict[str, int]:
    """Label -> its row on the left axis."""
    axis, lines = axis_lines(chart)
    return {line[:axis].strip(): row for row, line in enumerate(lines) if line[axis] == "┤"}


# Accuracy against the levels


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (100, 33)])
def test_a_marker_stands_at_the_row_of_its_mean_from_general_to_fitted(size: tuple[int, int]) -> None:
    chart = accuracy_chart(one_curve([0.0, 0.25, 0.5, 1.0]), *size)
    found = cells(in_plot(chart), set_marker("adversarial"))
    exact = [place_on(chart, mean) for mean in (0.0, 0.25, 0.5, 1.0)]
    assert all(abs(row - place) <= HALF for (row, _), place in zip(found, exact, strict=True))
    steps = [after - before for (_, before), (_, after) in pairwise(found)]
    assert max(steps) - min(steps) <= 1


def in_plot(chart: Text) -> list[str]:
    """The canvas without the names at the ends of curves."""
    axis, _ = axis_lines(chart)
    end = next(line for line in chart.plain.split("\n") if "└" in line)
    return [row[: len(end) - axis - 1] for row in canvas(chart)]


def test_an_error_bar_covers_the_whole_interval_behind_marker_and_curve() -> None:
    chart = accuracy_chart(one_curve([0.0, 0.5, 0.5, 0.5], half=0.25), 60, 24)
    rows = in_plot(chart)
    ((marker, column), *_) = cells(rows, set_marker("adversarial"))[1:]
    covered = [row for row, line in enumerate(rows) if at(line, column) != " "]
    assert covered == list(range(covered[0], covered[-1] + 1))
    assert abs(covered[0] - place_on(chart, 0.75)) <= HALF
    assert abs(covered[-1] - place_on(chart, 0.25)) <= HALF
    assert [at(rows[row], column) for row in (covered[0], marker, covered[-1])] == ["┬", "◆", "┴"]


def test_without_bars_the_curves_are_the_same() -> None:
    data = AccuracyData("K", LEVELS, {name: curve([0.0, 0.3, 0.5, 0.6], half=0.2) for name in list(SETS)[:5]})
    with_bars, without = (in_plot(accuracy_chart(replace(data, bars=bars), 90, 24)) for bars in (True, False))
    hidden = [
        (ours, theirs)
        for over, under in zip(with_bars, without, strict=True)
        for ours, theirs in zip(over.ljust(90), under.ljust(90), strict=True)
        if ours != theirs
    ]
    assert hidden
    assert {theirs for _, theirs in hidden} == {" "}  # a bar stands only where nothing else does
    assert {ours for ours, _ in hidden} <= set("│┬┴")


def test_an_interval_beyond_the_axis_ends_at_it() -> None:
    chart = accuracy_chart(one_curve([0.5] * 4, half=3.0), 60, 20)
    rows = in_plot(chart)
    columns = {column for _, column in cells(rows, set_marker("adversarial"))}
    assert columns == {column for _, column in cells(rows, "│")}
    assert all(len([1 for row in rows if at(row, column) != " "]) == len(rows) for column in columns)
    assert not {"┬", "┴"} & set("".join(rows))


def test_every_set_is_seen_though_all_have_the_same_accuracy() -> None:
    data = AccuracyData("K", LEVELS, {name: curve([0.0, 0.3, 0.5, 0.6]) for name in SETS})
    rows = in_plot(accuracy_chart(data, 110, 30))
    for name in SETS:
        assert len(cells(rows, set_marker(name))) == len(LEVELS)


def test_a_fitted_axis_keeps_what_is_drawn_within_it() -> None:
    chart = accuracy_chart(one_curve([0.93, 0.94, 0.95, 0.96], half=0.02, fit=True), 60, 20)
    ticks = sorted(map(float, tick_rows(chart)))
    assert 0.8 <= ticks[0] <= 0.91
    assert 0.98 <= ticks[-1] <= 1.0
    assert len(cells(in_plot(chart), set_marker("adversarial"))) == len(LEVELS)


@settings(max_examples=60)
@given(st.floats(0, 1), st.floats(0, 1), st.integers(4, 60))
def test_ticks_stand_in_equally_spaced_rows_and_say_what_their_row_means(
    one: float, other: float, rows: int
) -> None:
    low, high = sorted((one, other))
    scale = linear_scale(low, high, rows)
    places = sorted(scale.ticks)
    assert len({after - before for before, after in pairwise(places)}) <= 1
    assert len(places) >= 2
    for row, label in scale.ticks.items():
        assert scale.place(float(label)) == pytest.approx(row, abs=1e-6)
    for value in (low, high):
        assert -1e-6 <= scale.place(value) <= rows - 1 + 1e-6


@pytest.mark.parametrize("height", [10, 17, 40])
def test_an_axis_of_accuracy_goes_from_0_to_1(height: int) -> None:
    labels = [float(label) for label in tick_rows(accuracy_chart(one_curve([0.1] * 4), 60, height))]
    assert (max(labels), min(labels)) == (1, 0)


def test_the_last_level_has_a_tick_however_many_there_are() -> None:
    levels = tuple(map(str, range(999, 0, -2)))
    data = AccuracyData("K", levels, {"test": tuple(AccuracyPoint(level, 0.5, None) for level in levels)})
    labels = accuracy_chart(data, 60, 15).plain.split("\n")[-2].split()
    assert labels[0].startswith("K=")
    assert labels[-1] == "1"
    assert all(label in levels for label in labels[1:])


def test_levels_that_are_words_stand_below_their_points() -> None:
    points = tuple(AccuracyPoint(level, 0.5, None) for level in WORDS.levels)
    chart = accuracy_chart(AccuracyData(WORDS.knob, WORDS.levels, {"test": points}), 80, 15)
    *_, ticks, caption = chart.plain.split("\n")
    assert ticks.split() == ["Bandwidth=wide", "medium", "narrow"]
    assert caption.strip() == "accuracy against Bandwidth, general → fitted"
    places = [column for _, column in cells(in_plot(chart), set_marker("test"))]
    axis = next(line for line in chart.plain.split("\n") if "└" in line)
    assert [at - axis.index("└") - 1 for at, glyph in enumerate(axis) if glyph == "┬"] == places


@pytest.mark.parametrize("mean", [0.03, 0.37, 0.62, 0.94, 0.97])
def test_a_level_curve_keeps_to_the_row_of_its_markers(mean: float) -> None:
    rows = in_plot(accuracy_chart(one_curve([mean] * 4), 60, 20))
    assert len([row for row in rows if row.strip()]) == 1


@settings(max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.integers(50, 120), st.integers(10, 40))
def test_a_curve_runs_through_the_cells_of_its_markers(means: list[float], width: int, height: int) -> None:
    rows = in_plot(accuracy_chart(one_curve(means), width, height))
    for row, column in cells(rows, set_marker("adversarial")):
        for side in (-1, 1):
            beside = column + side
            if beside < cells(rows, "◆")[0][1] or beside > cells(rows, "◆")[-1][1]:
                continue
            # The curve goes on in the next column, from the marker's row or the one above or below it: where it
            # is steep, in the same column.
            around = [(line, column) for line in (row - 1, row + 1)]
            around += [(line, beside) for line in (row - 1, row, row + 1)]
            assert any("⠀" < at(rows[line], place) <= "⣿" for line, place in around if 0 <= line < len(rows))


def test_names_stand_at_the_ends_of_curves_where_they_fit_else_in_a_legend() -> None:
    data = AccuracyData(
        "K",
        LEVELS,
        {"test": curve([0.9] * 4), "adversarial": curve([0.2, 0.3, 0.4, 0.5]), "noise": curve([0.9] * 4)},
    )
    wide = canvas(accuracy_chart(data, 78, 20))
    ends = {name: next(row for row, line in enumerate(wide) if line.endswith(name)) for name in data.curves}
    chart = accuracy_chart(data, 78, 20)
    assert abs(ends["adversarial"] - place_on(chart, 0.5)) <= HALF
    # Two that end in one cell are named in two rows, each with its marker.
    assert {abs(ends[name] - place_on(chart, 0.9)) <= 2 for name in ("test", "noise")} == {True}
    assert ends["test"] != ends["noise"]
    for name, row in ends.items():
        assert wide[row].endswith(f"{set_marker(name)} {name}")
    narrow = accuracy_chart(data, 50, 20).plain.split("\n")
    assert narrow[0] == "● test  ◆ adversarial  ○ noise"


@given(st.lists(st.floats(-3, 30), min_size=1, max_size=12), st.integers(12, 30))
def test_names_have_rows_of_their_own_in_the_order_of_their_curves(rows: list[float], count: int) -> None:
    places = spread(rows, count)
    assert len(set(places)) == len(rows)
    assert all(0 <= place < count for place in places)
    for (one, at_one), (other, at_other) in pairwise(sorted(zip(rows, places, strict=True))):
        assert one == other or at_one < at_other


def test_colour_changes_nothing_but_styles() -> None:
    data = AccuracyData("K", LEVELS, {name: curve([0.0, 0.3, 0.5, 0.6], half=0.1) for name in SETS})
    plain, coloured = accuracy_chart(data, 70, 18), accuracy_chart(data, 70, 18, PALETTE)
    assert plain.plain == coloured.plain
    assert not [span for span in plain.spans if span.style]
    used = {str(span.style) for span in coloured.spans}
    assert {*PALETTE.series, PALETTE.axes} <= used
    assert "\x1b" not in coloured.plain


def test_a_marker_has_the_colour_of_its_set() -> None:
    data = AccuracyData("K", LEVELS, {"test": curve([0.9] * 4), "adversarial": curve([0.2] * 4)})
    chart = accuracy_chart(data, 60, 15, PALETTE)
    for name, colour in (("test", PALETTE.series[0]), ("adversarial", PALETTE.series[2])):
        places = [place for place, glyph in enumerate(chart.plain) if glyph == set_marker(name)]
        assert len(places) == 1 + len(LEVELS)
        for place in places:
            assert [span.style for span in chart.spans if span.start <= place < span.end] == [colour]


def test_the_cursor_stands_at_its_level_and_its_values_are_read_off_below() -> None:
    data = AccuracyData(
        "K",
        LEVELS,
        {"test": curve([0.9876] * 4), "misclassified": curve([0.0, 0.149, 0.2, 0.3], half=0.009),
         "adversarial": curve([0.0, 0.33, 0.4, 0.5], half=0.018)},
        cursor="5",
    )  # fmt: skip
    chart = accuracy_chart(data, 100, 20)
    reading = "K = 5: adversarial .330 ± .018, misclassified .149 ± .009, test .988"
    assert chart.plain.split("\n")[-1].strip() == reading
    (column,) = {column for _, column in cells(in_plot(chart), "┊")}
    markers = [column for name in data.curves for _, column in cells(in_plot(chart), set_marker(name))[1:2]]
    assert min(markers) <= column <= max(markers)
    narrow = accuracy_chart(data, 60, 20).plain.split("\n")[-1].strip()
    assert narrow == "K = 5: adversarial .330 ± .018, misclassified .149 ± .009"
    plain = in_plot(accuracy_chart(replace(data, cursor=None), 100, 20))
    for ours, theirs in zip(in_plot(chart), plain, strict=True):
        assert ours.replace("┊", " ").rstrip() == theirs.rstrip()


# p-values


def edge_rows(chart: Text) -> dict[float, int]:
    """Threshold -> the row on whose lower edge its line lies."""
    return {
        float(line.split()[-1]): row
        for row, line in enumerate(canvas(chart))
        if line.endswith((" 0.05", " 0.01"))
    }


def test_a_p_value_stands_on_the_row_of_its_decade() -> None:
    chart = p_value_chart(p_values({"5": 0.1, "3": 1e-3, "1": 1e-5}), 60, 24)
    ticks = tick_rows(chart)
    found = [row for row, _ in cells(canvas(chart), TEST_MARKERS["welch"])]
    assert found == [ticks["0.1"], ticks["1e-3"], ticks["1e-5"]]


def test_the_second_drawing_is_as_right_as_the_first() -> None:
    data = p_values({"5": 0.5, "3": 0.02, "1": 1e-4})
    first = p_value_chart(data, 60, 18)
    accuracy_chart(one_curve([0.1] * 4), 33, 9)
    assert p_value_chart(data, 60, 18).plain == first.plain


near_thresholds = st.sampled_from([0.05, 0.01]).flatmap(
    lambda threshold: (
        st.floats(0.6, 1.6).map(lambda factor: min(1.0, threshold * factor))
        | st.sampled_from([threshold, math.nextafter(threshold, 0), math.nextafter(threshold, 1)])
    )
)
"""Numbers on both sides of a threshold, some as near as can be, or on it: which is not below it."""


@pytest.mark.slow
@settings(max_examples=200)
@given(
    st.lists(near_thresholds | st.floats(0, 1), min_size=3, max_size=3),
    st.integers(12, 50),
    st.none() | st.floats(-18, -3),
)
def test_a_p_value_is_always_on_its_own_side_of_a_threshold(
    ps: list[float], height: int, lowest: float | None
) -> None:
    if lowest is not None:
        ps = [*ps[:2], 10**lowest]
    chart = p_value_chart(p_values(dict(zip(("5", "3", "1"), ps, strict=True))), 60, height)
    edges = edge_rows(chart)
    assert set(edges) == {0.05, 0.01}
    found = [row for row, _ in cells(canvas(chart), TEST_MARKERS["welch"])]
    assert len(found) == 3
    for p, row in zip(ps, found, strict=True):
        for threshold, edge in edges.items():
            assert (row > edge) is (p < threshold), (p, threshold)


@settings(max_examples=80)
@given(st.floats(-16, 0), st.integers(4, 50), st.booleans())
def test_rows_and_thresholds_are_as_near_to_their_values_as_rows_allow(
    lowest: float, rows: int, arrows: bool
) -> None:
    if arrows and rows < 5:
        return
    scale = log_scale([lowest], rows, arrows=arrows)
    edges = threshold_rows(scale)
    for p, edge in edges.items():
        # The line lies on the lower edge of the row, half a row below its middle; two lines are a row apart.
        assert abs(edge + 0.5 - scale.place(math.log10(p))) <= (0.5 if p == 0.05 else 1.5) + 1e-9
    for p in (1.0, 0.5, 0.071, 0.0625, 0.125, 0.04, 0.02, 0.005, 10**lowest):
        row = p_value_row(p, scale)
        assert 0 <= row <= rows - 1 - arrows
        assert abs(row - scale.place(math.log10(p))) <= 2
    # Where rows are fine enough, a point is never farther than half of one from where it is, but for its side.
    fine = log_scale([-3.0], 40, arrows=False)
    for p in (0.9, 0.3, 0.002):
        assert abs(p_value_row(p, fine) - fine.place(math.log10(p))) <= HALF


def test_a_marker_above_a_line_does_not_hide_it() -> None:
    edge = edge_rows(p_value_chart(p_values({"5": 0.5, "3": 0.5, "1": 1e-4}), 60, 20))[0.05]
    chart = p_value_chart(p_values({"5": 0.06, "3": 0.5, "1": 1e-4}), 60, 20, PALETTE)
    assert edge_rows(chart)[0.05] == edge
    found = {row for row, _ in cells(canvas(chart), TEST_MARKERS["welch"])}
    assert edge in found
    place = [place for place, glyph in enumerate(chart.plain) if glyph == TEST_MARKERS["welch"]]
    styles = {str(span.style) for at in place for span in chart.spans if span.start <= at < span.end}
    assert any("underline" in style for style in styles)


@pytest.mark.parametrize("p", [0.0, 1e-17, 5e-324])
def test_a_p_value_below_the_axis_stands_at_its_end_over_an_arrow(p: float) -> None:
    chart = p_value_chart(p_values({"5": 0.5, "3": 0.5, "1": p}), 60, 20)
    rows = canvas(chart)
    ((row, column),) = cells(rows, TEST_MARKERS["welch"])[2:]
    assert tick_rows(chart)["≤1e-16"] == row
    assert cells(rows, "↓") == [(len(rows) - 1, column)]
    assert row < len(rows) - 1
    assert "↓ below 1e-16: Welch at j = 1" in chart.plain


def test_the_smallest_p_value_of_the_axis_is_not_below_it() -> None:
    chart = p_value_chart(p_values({"5": 0.5, "3": 0.5, "1": 1e-16}), 60, 20)
    assert "↓" not in chart.plain
    assert tick_rows(chart)["1e-16"] == cells(canvas(chart), TEST_MARKERS["welch"])[2][0]


def test_the_cursor_reads_p_values_and_says_why_there_is_none() -> None:
    points = (
        PValue("5", "welch", None, "by_construction"), PValue("3", "welch", 0.0712),
        PValue("3", "paired", 0.0004),
    )  # fmt: skip
    data = PValueData(("5", "3"), points, cursor="3")
    assert "j = 3: Welch 0.071, paired t 0.0004" in map(
        str.strip, p_value_chart(data, 60, 20).plain.split("\n")
    )
    assert "j = 5: Welch by construction" in p_value_chart(replace(data, cursor="5"), 60, 20).plain


def test_what_has_no_p_value_is_said_in_words() -> None:
    data = p_values({"5": None, "3": 0.2, "1": 0.1}, reason="by_construction")
    roomy, low = p_value_chart(data, 78, 20).plain, p_value_chart(data, 38, 10).plain
    assert "j = 5: no p-value." in roomy
    assert REASONS["by_construction"] in " ".join(roomy.split("\n")[-2:])
    assert low.endswith("j = 5: by construction")


def test_only_the_tests_without_a_p_value_are_named() -> None:
    points = (PValue("1", "welch", 0.1), PValue("1", "wilcoxon", None, "all_differences_zero"))
    assert "j = 1, Wilcoxon: no p-value." in p_value_chart(PValueData(("1",), points), 78, 20).plain


@pytest.mark.parametrize(
    ("width", "caption"),
    [
        (100, "Holm-adjusted p of S_j = A_j / A_i: adversarial against noise, general → fitted"),
        (78, "Holm-adjusted p of S_j = A_j / A_i: adversarial against noise"),
        (68, "Holm-adjusted p of S_j = A_j / A_i: adversarial against noise"),
        (51, "Holm-adjusted p of S_j: adversarial against noise"),
        (44, "Holm p of S_j: adversarial against noise"),
    ],
)
def test_the_caption_says_which_p_values_of_which_sets_these_are(width: int, caption: str) -> None:
    data = replace(p_values({"3": 0.1, "1": 0.2}), pair=("adversarial", "noise"), holm=True)
    *_, last = p_value_chart(data, width, 16).plain.split("\n")
    assert last.strip() == caption
    plain = p_value_chart(replace(data, holm=False), width, 16).plain
    assert caption.replace("Holm-adjusted", "unadjusted").replace("Holm p", "p") in plain


@pytest.mark.parametrize("width", [76, 68])
@pytest.mark.parametrize("holm", [False, True])
@pytest.mark.parametrize("quantity", SLOPES)
@pytest.mark.parametrize("other", [name for name in SETS if name != "adversarial"])
def test_in_both_layouts_every_comparison_is_named_with_its_quantity(
    width: int, holm: bool, quantity: str, other: str
) -> None:
    data = replace(p_values({"3": 0.1, "1": 0.2}), pair=("adversarial", other), quantity=quantity, holm=holm)
    *_, last = p_value_chart(data, width, 16).plain.split("\n")
    letters = SLOPES[quantity].partition(" = ")[0]
    assert f"p of {letters}" in last
    assert f": adversarial against {other}" in last
    assert len(last) < width


def test_a_low_chart_has_rows_instead_of_a_caption() -> None:
    assert "unadjusted" not in p_value_chart(p_values({"3": 0.1, "1": 0.2}), 78, 9).plain
    assert "unadjusted" in p_value_chart(p_values({"3": 0.1, "1": 0.2}), 78, 10).plain


def test_a_chart_without_any_p_value_is_still_a_chart() -> None:
    chart = p_value_chart(p_values({"5": None, "3": None, "1": None}, reason="too_few_runs"), 78, 20)
    assert chart.plain.endswith(f"j = 5, 3, 1: no p-value. {REASONS['too_few_runs']}")
    assert {"1", "1e-3"} <= tick_rows(chart).keys()


# Any data, any size


shares = st.floats(0, 1)
intervals = st.none() | st.tuples(st.floats(-2, 0.5), st.floats(0.5, 3))
names = st.sampled_from([*SETS, "a set of a plug-in that is not installed"])
knobs = st.sampled_from(["K", "epoch", "a knob with a name that is longer than a narrow chart is wide"])
ladders = st.sampled_from([3, 7, 15, 99]).map(lambda z: tuple(map(str, range(z, 0, -2)))) | st.just(
    WORDS.levels
)


@st.composite
def any_accuracy_data(draw: st.DrawFn) -> AccuracyData:
    levels = draw(ladders)
    curves = {}
    for name in draw(st.lists(names, min_size=1, unique=True)):
        there = draw(st.sets(st.sampled_from(levels), min_size=1))
        curves[name] = tuple(
            AccuracyPoint(level, draw(shares), draw(intervals)) for level in levels if level in there
        )
    return AccuracyData(draw(knobs), levels, curves, draw(st.booleans()))


@st.composite
def any_p_value_data(draw: st.DrawFn) -> PValueData:
    levels = draw(ladders)[1:]
    tests = draw(st.lists(st.sampled_from(list(TEST_MARKERS)), min_size=1, unique=True))
    ps = st.none() | st.just(0.0) | st.floats(0, 1) | st.floats(-320, 0).map(lambda exponent: 10.0**exponent)
    points = []
    for j in levels:
        for test in tests:
            p = draw(ps)
            points.append(PValue(j, test, p, None if p is not None else draw(st.sampled_from(list(REASONS)))))
    return PValueData(levels, tuple(points), draw(st.sampled_from(list(SLOPES))))


def fits(chart: Text, width: int, height: int) -> bool:
    lines = chart.plain.split("\n")
    return len(lines) <= height and all(Text(line).cell_len <= width for line in lines)


@settings(max_examples=40)
@given(any_accuracy_data(), st.integers(1, 130), st.integers(1, 40))
def test_any_accuracies_fit_any_size(data: AccuracyData, width: int, height: int) -> None:
    assert fits(accuracy_chart(data, width, height, PALETTE), width, height)


@settings(max_examples=40)
@given(any_p_value_data(), st.integers(1, 130), st.integers(1, 40))
def test_any_p_values_fit_any_size(data: PValueData, width: int, height: int) -> None:
    assert fits(p_value_chart(data, width, height), width, height)


def test_what_is_too_small_for_a_chart_says_so() -> None:
    columns, rows = SMALLEST_SIZE
    data = one_curve([0.1] * 4)
    assert "No room" in accuracy_chart(data, columns - 1, rows).plain
    assert set_marker("adversarial") in accuracy_chart(data, columns, rows).plain


def test_a_chart_may_be_larger_than_the_terminal_was() -> None:
    lines = accuracy_chart(one_curve([0.1] * 4), 300, 90).plain.split("\n")
    assert len(lines) == 90
    assert max(map(len, lines)) == 300


def test_threads_do_not_draw_into_each_others_charts() -> None:
    jobs = [partial(accuracy_chart, one_curve([share / 10] * 4), 60, 15) for share in range(8)]
    jobs += [partial(p_value_chart, p_values({"3": 10.0**-decade, "1": 0.5}), 60, 15) for decade in range(8)]
    alone = [draw().plain for draw in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda draw: draw().plain, jobs * 2))
    assert together == alone * 2
    assert len(set(alone)) == len(jobs)


PROGRAM = """
import sys
from tui_aefit.lab.charts.data import AccuracyData, AccuracyPoint
from tui_aefit.lab.charts.drawing import accuracy_chart
assert "plotext" not in sys.modules
levels = tuple(map(str, range(31, 0, -2)))
points = tuple(AccuracyPoint(level, 1 / int(level), (0.0, 1.0)) for level in levels)
print(accuracy_chart(AccuracyData("K", levels, {"test": points, "noise": points}), 60, 18).plain)
assert "plotext" in sys.modules
assert not {"numpy", "textual"} & set(sys.modules)
"""


def test_a_chart_is_the_same_in_every_process_and_loads_plotext_only_when_drawn() -> None:
    # plotext takes points and ticks through sets, whose order depends on the hashes of strings.
    charts = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(charts) == 1


# From a snapshot


def summary_of(**means: Sequence[float | None]) -> SummaryTable:
    return SummaryTable(
        accuracy={
            name: {
                level: Summary(mean=mean, sd=None, ci95=None, n=0 if mean is None else 1)
                for level, mean in zip(LEVELS, values, strict=True)
            }
            for name, values in means.items()
        }
    )


def test_curves_are_read_from_general_to_fitted() -> None:
    by_level = summary_of(test=[0.9, 0.8, 0.7, 0.6]).accuracy["test"]
    summary = SummaryTable(accuracy={"test": dict(reversed(by_level.items()))})
    data = accuracy_data(summary, LADDER)
    assert data is not None
    assert (data.knob, data.levels) == ("K", LEVELS)
    assert [(point.level, point.mean) for point in data.curves["test"]] == [
        ("7", 0.9),
        ("5", 0.8),
        ("3", 0.7),
        ("1", 0.6),
    ]


def test_a_set_without_images_has_no_curve() -> None:
    data = accuracy_data(summary_of(test=[0.9] * 4, misclassified=[None] * 4), LADDER)
    assert data is not None
    assert list(data.curves) == ["test"]
    assert accuracy_data(summary_of(misclassified=[None] * 4), LADDER) is None
    assert accuracy_data(None, LADDER) is None


def test_every_set_has_a_curve_and_charts_draw_some_by_themselves() -> None:
    every = {name: [0.5] * 4 for name in (*SETS, "a set of a plug-in that is not installed")}
    data = accuracy_data(summary_of(**every), LADDER)
    assert data is not None
    assert list(data.curves) == list(every)
    few = ["test", "misclassified", "adversarial", "noise", "noise-matched", "matched"]
    assert sets_in_charts(data.curves) == few


def runs_with_crossfit() -> list[RunMetrics]:
    spec = Spec(dataset="mnist", runs=3)
    return [draw_metrics(spec, run) for run in range(3)]


def test_cross_fitted_curves_stand_beside_those_of_the_half_that_selected() -> None:
    runs = runs_with_crossfit()
    data = crossfit_data(runs, LADDER)
    assert data is not None
    others = ["test", "misclassified", "adversarial", "noise"]
    assert list(data.curves) == [*others, *(f"{name}, own" for name in others[1:])]
    means = [point.mean for point in data.curves["adversarial"]]
    found = [run.crossfit.adversarial for run in runs if run.crossfit is not None]
    for level, mean in zip(LEVELS, means, strict=True):
        values = [by_level[level] for by_level in found if by_level is not None]
        assert mean == pytest.approx(sum(value for value in values if value is not None) / 3)
    own = [point.mean for point in data.curves["adversarial, own"]]
    assert own[0] == 0 < means[0]
    assert data.dashed == {f"{name}, own" for name in others[1:]}
    assert crossfit_data([], LADDER) is None


def test_a_dashed_curve_has_gaps_and_every_curve_its_own_marker_without_colour() -> None:
    data = crossfit_data(runs_with_crossfit(), LADDER)
    assert data is not None
    chart = accuracy_chart(data, 78, 22).plain
    legend = {
        name: next(line[line.index(f" {name}") - 1] for line in chart.split("\n") if f" {name}" in line)
        for name in data.curves
    }
    assert len(set(legend.values())) == len(data.curves)
    assert "own, dashed: by the half that selected" in chart
    solid = AccuracyData("K", LEVELS, {"adversarial": curve([0.5] * 4)})
    dashed = replace(solid, dashed=frozenset(["adversarial"]))
    drawn = [line_cells(canvas(accuracy_chart(data, 78, 20))) for data in (solid, dashed)]
    assert drawn[1] < drawn[0] < 2 * drawn[1] + 20


def line_cells(rows: Sequence[str]) -> int:
    """How many cells lines are drawn in."""
    return sum("⠀" < cell <= "⣿" for row in rows for cell in row)


@pytest.mark.parametrize(
    ("width", "caption"), [(120, "95 % intervals, for overlapping splits"), (68, "95 %, for")]
)
def test_a_chart_says_that_its_intervals_allow_for_overlapping_splits_where_they_do(
    width: int, caption: str
) -> None:
    data = one_curve([0.0, 0.25, 0.5, 1.0], half=0.1)
    assert caption in accuracy_chart(replace(data, corrected=True), width, 20).plain
    assert "splits" not in accuracy_chart(data, width, 20).plain


def a_test(quantity: Quantity, sets: tuple[str, str], j: str) -> StatisticalTest:
    return StatisticalTest(
        quantity=quantity, j=j, sets=sets, test="welch", n=3, statistic=1.0, df=2.0, p=0.01, p_holm=0.02,
        mean_difference=0.1, ci95=(0.0, 0.2), effect_size=1.0, direction="higher", reason=None,
    )  # fmt: skip


def test_p_values_are_those_of_the_pair_and_quantity() -> None:
    tests = [
        a_test(quantity, sets, j)
        for quantity in ("ratio", "difference")
        for sets in (PAPER_PAIR, ("adversarial", "noise"))
        for j in ("1", "3")
    ]
    data = p_value_data(tests, LADDER, pair=PAPER_PAIR)
    points = PValue("1", "welch", 0.01), PValue("3", "welch", 0.01)
    assert data == PValueData(("3", "1"), points, "ratio", PAPER_PAIR, holm=False)
    adjusted = p_value_data(tests, LADDER, pair=PAPER_PAIR, holm=True)
    assert adjusted is not None
    assert {point.p for point in adjusted.points} == {0.02}
    assert adjusted.holm
    noise = p_value_data(tests, LADDER, pair=("adversarial", "noise"), quantity="difference")
    assert noise is not None
    assert (noise.pair, noise.quantity) == (("adversarial", "noise"), "difference")
    assert p_value_data(tests, LADDER, pair=("adversarial", "fooled")) is None


def test_tests_of_levels_that_the_ladder_has_not_are_left_out() -> None:
    tests = [
        a_test("ratio", PAPER_PAIR, j) for j in ("9", "7", "3")
    ]  # no step ends at the most general level
    data = p_value_data(tests, LADDER, pair=PAPER_PAIR)
    assert data is not None
    assert [point.j for point in data.points] == ["3"]
