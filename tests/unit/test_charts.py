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
)
from tui_aefit.lab.charts.drawing import SMALLEST_SIZE, Palette, accuracy_chart, p_value_chart

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


def canvas(chart: Text) -> list[str]:
    """The rows between the axes, the top one first."""
    rows = [line for line in chart.plain.split("\n") if "┤" in line or "│" in line or "├" in line]
    left = min(line.index(glyph) for line in rows for glyph in "┤│" if glyph in line)
    return [line[left + 1 :] for line in rows]


def cells(rows: Sequence[str], glyph: str) -> list[tuple[int, int]]:
    """(row, column) of a glyph, by columns."""
    found = [(row, column) for row, line in enumerate(rows) for column, it in enumerate(line) if it == glyph]
    return sorted(found, key=lambda cell: cell[1])


def tick_rows(chart: Text) -> dict[str, int]:
    """Label -> its row on the left axis."""
    lines = [line for line in chart.plain.split("\n") if "┤" in line or "│" in line or "├" in line]
    return {line.split("┤")[0].strip(): row for row, line in enumerate(lines) if "┤" in line}


# Accuracy against the levels


def test_a_marker_stands_at_the_row_of_its_mean_from_general_to_fitted() -> None:
    rows = canvas(accuracy_chart(one_curve([0.0, 0.25, 0.5, 1.0]), 60, 20))
    found = cells(rows, set_marker("adversarial"))
    exact = [(1 - mean) * (len(rows) - 1) for mean in (0.0, 0.25, 0.5, 1.0)]
    assert all(abs(row - place) <= HALF for (row, _), place in zip(found, exact, strict=True))
    steps = [after - before for (_, before), (_, after) in pairwise(found)]
    assert max(steps) - min(steps) <= 1


def test_an_error_bar_covers_the_whole_interval() -> None:
    rows = canvas(accuracy_chart(one_curve([0.0, 0.5, 0.5, 0.5], half=0.25), 60, 23))
    ((_, column), *_) = cells(rows, set_marker("adversarial"))[1:]
    covered = [row for row, line in enumerate(rows) if line[column] in ("│", set_marker("adversarial"))]
    last = len(rows) - 1
    assert covered == list(range(covered[0], covered[-1] + 1))
    assert abs(covered[0] - 0.25 * last) <= HALF
    assert abs(covered[-1] - 0.75 * last) <= HALF


def test_an_interval_beyond_the_axis_ends_at_it() -> None:
    rows = canvas(accuracy_chart(one_curve([0.5] * 4, half=3.0), 60, 20))
    columns = {column for _, column in cells(rows, set_marker("adversarial"))}
    assert columns == {column for _, column in cells(rows, "│")}
    assert all(len([1 for row in rows if row[column] != " "]) == len(rows) for column in columns)


def test_every_set_is_seen_though_all_have_the_same_accuracy() -> None:
    data = AccuracyData("K", LEVELS, {name: curve([0.0, 0.3, 0.5, 0.6]) for name in SETS})
    rows = canvas(accuracy_chart(data, 78, 20))
    for name in SETS:
        assert len(cells(rows, set_marker(name))) == len(LEVELS)


def test_a_fitted_axis_keeps_what_is_drawn_within_it() -> None:
    chart = accuracy_chart(one_curve([0.93, 0.94, 0.95, 0.96], half=0.02, fit=True), 60, 20)
    ticks = sorted(map(float, tick_rows(chart)))
    assert 0.8 <= ticks[0] <= 0.91
    assert 0.98 <= ticks[-1] <= 1.0
    assert len(cells(canvas(chart), set_marker("adversarial"))) == len(LEVELS)


@pytest.mark.parametrize("height", [10, 17, 40])
def test_ticks_of_the_accuracy_axis_say_what_their_row_means(height: int) -> None:
    chart = accuracy_chart(one_curve([0.1, 0.2, 0.3, 0.4]), 60, height)
    last = len(canvas(chart)) - 1
    ticks = tick_rows(chart)
    assert {"0.0", "1.0"} <= ticks.keys()
    assert all(abs(row - (1 - float(label)) * last) <= HALF for label, row in ticks.items())


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
    places = [column for _, column in cells(canvas(chart), set_marker("test"))]
    left = chart.plain.split("\n")[1].index("┤") + 1
    for label, place in zip(ticks.split(), places, strict=True):
        assert abs(ticks.index(label) + len(label) / 2 - left - place) <= 1


@pytest.mark.parametrize("mean", [0.03, 0.37, 0.62, 0.94, 0.97])
def test_lines_pass_through_the_markers_that_they_join(mean: float) -> None:
    rows = canvas(accuracy_chart(one_curve([mean] * 4), 60, 20))
    assert len([row for row in rows if row.strip()]) == 1


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
        places = [at for at, glyph in enumerate(chart.plain) if glyph == set_marker(name)]
        assert len(places) == 1 + len(LEVELS)
        for at in places:
            assert [span.style for span in chart.spans if span.start <= at < span.end] == [colour]


# p-values


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


@pytest.mark.parametrize("height", [14, 20, 40])
def test_the_lines_of_significance_stand_at_their_values(height: int) -> None:
    chart = p_value_chart(p_values({"5": 0.5, "3": 0.5, "1": 1e-4}), 60, height)
    rows = canvas(chart)
    for p in (0.05, 0.01):
        (row,) = [at for at, line in enumerate(rows) if line.endswith(f"├{p}")]
        assert abs(row - math.log10(p) / -4 * (len(rows) - 1)) <= HALF
        assert set(rows[row].split("├")[0]) <= {"╌", "─"}


def test_lines_of_significance_in_one_row_are_both_named() -> None:
    rows = canvas(p_value_chart(p_values({"5": 0.5, "3": 0.5, "1": 0.0}), 60, 18))
    assert [line for line in rows if line.endswith("├0.05 0.01")]


@pytest.mark.parametrize("p", [0.0, 1e-17, 5e-324])
def test_a_p_value_below_the_axis_stands_at_its_end_over_an_arrow(p: float) -> None:
    chart = p_value_chart(p_values({"5": 0.5, "3": 0.5, "1": p}), 60, 20)
    rows = canvas(chart)
    ((row, column),) = cells(rows, TEST_MARKERS["welch"])[2:]
    assert tick_rows(chart)["≤1e-16"] == row == len(rows) - 2
    assert cells(rows, "↓") == [(len(rows) - 1, column)]
    assert "↓ below 1e-16: Welch at j = 1" in chart.plain


def test_the_smallest_p_value_of_the_axis_is_not_below_it() -> None:
    chart = p_value_chart(p_values({"5": 0.5, "3": 0.5, "1": 1e-16}), 60, 20)
    assert "↓" not in chart.plain
    assert tick_rows(chart)["1e-16"] == len(canvas(chart)) - 1


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


@settings(deadline=None, max_examples=40)
@given(any_accuracy_data(), st.integers(1, 130), st.integers(1, 40))
def test_any_accuracies_fit_any_size(data: AccuracyData, width: int, height: int) -> None:
    assert fits(accuracy_chart(data, width, height, PALETTE), width, height)


@settings(deadline=None, max_examples=40)
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


def test_only_some_sets_are_drawn_unless_all_are_asked_for() -> None:
    every = {name: [0.5] * 4 for name in (*SETS, "a set of a plug-in that is not installed")}
    few = accuracy_data(summary_of(**every), LADDER, all_sets=False)
    all_of_them = accuracy_data(summary_of(**every), LADDER)
    assert few is not None
    assert all_of_them is not None
    assert list(few.curves) == ["test", "misclassified", "adversarial", "noise", "noise-matched", "matched"]
    assert list(all_of_them.curves) == list(every)


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
