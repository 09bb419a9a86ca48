"""Figures draw the numbers of the JSON result, can be told apart without colour, and are the same every time."""

from __future__ import annotations

import io
import math
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from msgspec.structs import replace
from numpy.testing import assert_array_equal
from PIL import Image

from core.errors import DataError, ExperimentError
from core.records.gallery import amplified, grey_levels
from core.records.state import read_state
from core.report.figures.curves import (
    PAPER,
    SMALLEST_P,
    THRESHOLDS,
    accuracy_figure,
    crossfit_figure,
    look_of,
    p_value_figure,
    render,
)
from core.report.figures.images import first_galleries, first_gallery, gallery_figure, rows_of
from core.report.formats import FIGURE_FORMATS, FigureFormat
from core.report.result import Result, result_of
from core.report.styles import MARKERS
from core.report.terms import TEST_NAMES
from core.sets.registry import own_controls
from core.spec.spec import Spec
from tests.fakes.arrays import add_gallery
from tests.fakes.corrected import crossfit_cells, mean_and_half
from tests.fakes.experiments import make_experiment
from tests.fakes.ladders import WORDS, with_ladder
from tests.fakes.published import MADE, complete, nothing_yet, one_run, partly_failed, published
from tui_aefit.lab.charts.data import MARKERS as LAB_MARKERS
from tui_aefit.lab.charts.data import TEST_MARKERS, set_marker

LEVELS_OF = {4: ("7", "5", "3", "1"), 3: ("5", "3", "1")}
COMPUTED = [name for name in MADE if name != "nothing_yet"]


@pytest.fixture(scope="module", params=COMPUTED)
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return published(tmp_path_factory.mktemp("home"), request.param)[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return published(tmp_path_factory.mktemp("home"), "complete")[1]


def lines(axes: Axes) -> dict[str, Line2D]:
    """The lines by their labels; those of no series begin with an underscore."""
    labels = [str(line.get_label()) for line in axes.lines]
    return dict(zip(labels, axes.lines, strict=True))


def series(axes: Axes) -> dict[str, Line2D]:
    return {label: line for label, line in lines(axes).items() if not label.startswith("_")}


def at(line: Line2D) -> list[tuple[int, float]]:
    """The points of a line: the place on the axis that each stands nearest to, and its height."""
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    return [(round(float(a)), float(b)) for a, b in zip(x, y, strict=True)]


def ticks(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_xticklabels()]


def panels(figure: Figure) -> dict[tuple[str, ...], Axes]:
    return {tuple(re.split(r" against\s", axes.get_title())): axes for axes in figure.axes}


def marker(line: Line2D) -> tuple[str, bool]:
    """The shape of a line's marker and whether it is filled."""
    return str(line.get_marker()), line.get_markerfacecolor() != PAPER


def differ_pairwise(drawn: list[Line2D]) -> None:
    assert len({marker(line) for line in drawn}) == len(drawn)
    assert len({str(line._dash_pattern) for line in drawn}) == len(drawn)  # type: ignore[attr-defined]
    looks = {(marker(line), str(line.get_color())) for line in drawn}
    assert len(looks) == len(drawn)


class TestAccuracy:
    def test_every_mean_and_interval_is_drawn_at_its_level(self, result: Result) -> None:
        (axes,) = accuracy_figure(result).axes
        levels = ticks(axes)
        assert levels == list(LEVELS_OF[len(levels)])
        found = {label.removesuffix(" (empty)"): line for label, line in series(axes).items()}
        assert result.summary is not None
        assert list(found) == list(result.summary.accuracy)
        for name, by_level in result.summary.accuracy.items():
            summaries = [by_level[level] for level in levels]
            points = [(place, one.mean) for place, one in enumerate(summaries) if one.mean is not None]
            assert at(found[name]) == points
            bars = [line for line in axes.lines if line.get_label() == f"_interval {name}"]
            assert [(at(bar)[0][0], np.asarray(bar.get_ydata()).tolist()) for bar in bars] == [
                (place, list(one.ci95)) for place, one in enumerate(summaries) if one.ci95
            ]
            middles = dict(
                zip([place for place, _ in points], np.asarray(found[name].get_xdata()), strict=True)
            )
            assert all(np.asarray(bar.get_xdata()).tolist() == [middles[at(bar)[0][0]]] * 2 for bar in bars)

    def test_a_set_without_images_is_said_to_be_empty(self, tmp_path: Path) -> None:
        (axes,) = accuracy_figure(published(tmp_path, "empty_sets")[1]).axes
        assert {label for label in series(axes) if label.endswith("(empty)")} == {
            "adversarial (empty)",
            "sources (empty)",
        }

    def test_the_legend_names_every_set(self, whole: Result) -> None:
        figure = accuracy_figure(whole)
        named = [text.get_text() for text in figure.legends[0].get_texts()]
        assert named == ["test", "misclassified", "adversarial", *own_controls()]

    def test_all_of_the_axis_is_seen(self, whole: Result) -> None:
        low, high = accuracy_figure(whole).axes[0].get_ylim()
        assert low < 0
        assert high > 1

    def test_sets_can_be_chosen_and_keep_their_looks(self, whole: Result) -> None:
        everything = series(accuracy_figure(whole).axes[0])
        chosen = series(accuracy_figure(whole, ["noise", "misclassified"]).axes[0])
        assert list(chosen) == ["misclassified", "noise"]
        for name, line in chosen.items():
            assert marker(line) == marker(everything[name])
            assert line.get_color() == everything[name].get_color()

    def test_the_axis_is_named_after_the_knob(self, whole: Result) -> None:
        assert accuracy_figure(whole).axes[0].get_xlabel() == "K (general → fitted)"

    def test_levels_of_another_family_stand_in_its_order(self, whole: Result) -> None:
        (axes,) = accuracy_figure(with_ladder(whole)).axes
        assert axes.get_xlabel() == "tree depth (general → fitted)"
        assert ticks(axes) == list(WORDS.levels)
        own = series(accuracy_figure(whole).axes[0])
        assert {name: at(line) for name, line in series(axes).items()} == {
            name: at(line) for name, line in own.items()
        }


CROSSFITTED = ("misclassified", "adversarial", "noise")


class TestCrossFit:
    @pytest.fixture(scope="class", params=["complete", "running"])
    def crossfitted(self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
        return published(tmp_path_factory.mktemp("home"), request.param)[1]

    def test_both_halves_are_drawn_with_corrected_intervals(self, crossfitted: Result) -> None:
        (axes,) = crossfit_figure(crossfitted).axes
        assert ticks(axes) == list(LEVELS_OF[len(crossfitted.ladder.levels)])
        drawn = series(axes)
        assert list(drawn) == [f"{name}, {half} half" for name in CROSSFITTED for half in ("other", "own")]
        run = crossfitted.metrics[0]
        for name in CROSSFITTED:
            for own, half in ((False, "other half"), (True, "own half")):
                cells = crossfit_cells(crossfitted, name, own=own)
                expected = [mean_and_half(values, run) for values in cells]
                points = at(drawn[f"{name}, {half}"])
                assert [place for place, _ in points] == list(range(len(expected)))
                assert [y for _, y in points] == pytest.approx([mean for mean, _ in expected])
                bars = [line for line in axes.lines if line.get_label() == f"_interval {name}, {half}"]
                ends = [np.asarray(bar.get_ydata()).tolist() for bar in bars]
                assert np.array(ends) == pytest.approx(
                    np.array([[mean - width, mean + width] for mean, width in expected])
                )

    def test_the_half_that_selected_is_dashed_and_the_other_solid(self, crossfitted: Result) -> None:
        drawn = series(crossfit_figure(crossfitted).axes[0])
        everything = series(accuracy_figure(crossfitted).axes[0])
        for name in CROSSFITTED:
            other, own = drawn[f"{name}, other half"], drawn[f"{name}, own half"]
            assert (other.get_linestyle(), own.get_linestyle()) == ("-", "--")
            # A set has its look; that by its own half is hollow.
            assert marker(other) == marker(everything[name])
            assert marker(own) == (marker(other)[0], False)
            assert {line.get_color() for line in (other, own)} == {everything[name].get_color()}

    def test_the_axis_says_where_they_were_selected(self, whole: Result) -> None:
        (axes,) = crossfit_figure(whole).axes
        assert axes.get_xlabel() == "K (general → fitted)"
        assert axes.get_ylabel() == "accuracy, selected at K = 7\nby the own half"
        (axes,) = crossfit_figure(with_ladder(whole)).axes
        assert ticks(axes) == list(WORDS.levels)
        assert axes.get_ylabel().startswith("accuracy, selected at tree depth = shallow_5%")

    def test_sets_can_be_chosen(self, whole: Result) -> None:
        drawn = series(crossfit_figure(whole, ["noise", "test", "reverse"]).axes[0])
        assert list(drawn) == ["noise, other half", "noise, own half"]
        with pytest.raises(ExperimentError, match="no cross-fitted accuracy of these sets"):
            crossfit_figure(whole, ["test", "reverse"])

    def test_a_set_that_no_run_selected_is_said_to_be_empty(self, tmp_path: Path) -> None:
        drawn = series(crossfit_figure(published(tmp_path, "empty_sets")[1]).axes[0])
        assert "adversarial, other half (empty)" in drawn

    def test_a_result_that_did_not_measure_it_has_nothing_to_draw(self, tmp_path: Path) -> None:
        result = published(tmp_path, "older")[1]
        with pytest.raises(ExperimentError, match="has no cross-fitted accuracy to draw") as refused:
            crossfit_figure(result)
        assert "older versions" in refused.value.hint


class TestPValues:
    def test_steps_of_another_family_stand_in_its_order(self, whole: Result) -> None:
        own = panels(p_value_figure(whole))
        for pair, axes in panels(p_value_figure(with_ladder(whole))).items():
            assert ticks(axes) == list(WORDS.levels[1:])
            assert "j = middle: by construction" in axes.get_xlabel()
            assert {kind: at(line) for kind, line in series(axes).items()} == {
                kind: at(line) for kind, line in series(own[pair]).items()
            }

    def test_every_p_value_is_drawn_in_the_panel_of_its_pair(self, result: Result) -> None:
        tests = [test for test in result.tests if test.quantity == "ratio"]
        found = panels(p_value_figure(result))
        assert list(found) == list(dict.fromkeys(test.sets for test in tests))
        for pair, axes in found.items():
            levels = ticks(axes)
            assert levels == list(LEVELS_OF[len(levels) + 1][1:])
            assert axes.get_yscale() == "log"
            for kind, line in series(axes).items():
                p_of = {test.j: test.p for test in tests if test.sets == pair and test.test == kind}
                drawn = [(place, p_of[j]) for place, j in enumerate(levels)]
                assert at(line) == [(place, max(p, 1e-16)) for place, p in drawn if p is not None]

    def test_dashed_lines_stand_at_the_papers_levels(self, result: Result) -> None:
        assert THRESHOLDS == (0.05, 0.01)
        for axes in p_value_figure(result).axes:
            for threshold in (0.05, 0.01):
                line = lines(axes)[f"_{threshold:g}"]
                assert set(np.asarray(line.get_ydata()).tolist()) == {threshold}
                assert line.get_linestyle() == "--"
                assert f"{threshold:g}" in [text.get_text() for text in axes.texts]

    def test_what_has_no_p_value_is_said_with_the_reason(self, result: Result) -> None:
        for pair, axes in panels(p_value_figure(result)).items():
            for test in result.tests:
                if test.sets == pair and test.quantity == "ratio" and test.reason:
                    words = test.reason.replace("_", " ")
                    assert re.search(rf"j = {test.j}.*: {words}", axes.get_xlabel())

    def test_every_point_is_within_the_axis(self, result: Result) -> None:
        for axes in p_value_figure(result).axes:
            low, high = axes.get_ylim()
            drawn = [y for line in axes.lines for _, y in at(line)]
            assert low < min(drawn)
            assert high > max(drawn)

    def test_what_is_too_small_for_the_axis_stands_at_its_end_and_is_said(self, whole: Result) -> None:
        tests = tuple(
            replace(test, p=0.0) if test.test == "welch" and test.p else test for test in whole.tests
        )
        for axes in p_value_figure(replace(whole, tests=tests)).axes:
            assert {y for _, y in at(series(axes)["welch"])} == {SMALLEST_P}
            assert "p below 1e-16" in axes.get_xlabel()

    def test_the_legend_names_every_test(self, whole: Result) -> None:
        named = [text.get_text() for text in p_value_figure(whole).legends[0].get_texts()]
        assert named == list(TEST_NAMES.values())

    def test_pairs_can_be_chosen(self, whole: Result) -> None:
        figure = p_value_figure(whole, ["misclassified", "adversarial", "noise"])
        assert list(panels(figure)) == [("adversarial", "misclassified"), ("adversarial", "noise")]
        with pytest.raises(ExperimentError, match="compares no pair"):
            p_value_figure(whole, ["test", "noise"])

    def test_the_axis_says_what_is_tested_and_that_nothing_is_adjusted(self, whole: Result) -> None:
        figure = p_value_figure(whole)
        expected = "p of Sⱼ = Aⱼ / Aᵢ,\ni before j, not adjusted"
        assert {axes.get_ylabel() for axes in figure.axes} == {expected, ""}

    def test_decades_are_powers_of_ten(self, whole: Result) -> None:
        figure = p_value_figure(whole)
        axes = figure.axes[0]
        low, high = axes.get_ylim()
        labels = {p: axes.yaxis.get_major_formatter()(p, 0) for p in axes.get_yticks() if low <= p <= high}
        assert 1.0 in labels
        assert len(labels) >= 3
        for p, label in labels.items():
            raised = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
            value = 10.0 ** int(label[2:].translate(raised)) if label[2:3] in set("⁻") else float(label)
            assert math.isclose(value, p)


class TestReadable:
    def test_series_differ_by_marker_and_by_dashes(self, result: Result) -> None:
        differ_pairwise(list(series(accuracy_figure(result).axes[0]).values()))
        for axes in p_value_figure(result).axes:
            differ_pairwise(list(series(axes).values()))

    def test_fifteen_series_differ_in_both_and_no_105_are_alike(self) -> None:
        drawn = [Line2D([], [], **look_of(number)) for number in range(105)]
        differ_pairwise(drawn[:15])
        looks = {
            (marker(line), str(look_of(n)["linestyle"]), str(line.get_color()))
            for n, line in enumerate(drawn)
        }
        assert len(looks) == 105

    def test_a_set_and_a_test_have_the_symbol_that_they_have_in_the_lab(self, tmp_path: Path) -> None:
        glyphs = {
            ("o", True): "●", ("^", True): "▲", ("D", True): "◆", ("s", True): "■", ("v", True): "▼",
            ("*", True): "★", ("o", False): "○", ("^", False): "△", ("D", False): "◇", ("s", False): "□",
            ("v", False): "▽", ("*", False): "☆", ("x", True): "×", ("+", True): "+", ("(6, 2, 0)", True): "*",
        }  # fmt: skip
        experiment = make_experiment(tmp_path, runs=3, controls=tuple(reversed(own_controls())))
        result = result_of(read_state(experiment))
        (axes,) = accuracy_figure(result).axes
        found = {name: glyphs[marker(line)] for name, line in series(axes).items()}
        assert found == {name: set_marker(name) for name in result.spec.sets}
        for axes in p_value_figure(result).axes:
            assert {kind: glyphs[marker(line)] for kind, line in series(axes).items()} == TEST_MARKERS
        assert [glyphs[str(one.shape), one.filled] for one in MARKERS] == list(LAB_MARKERS)

    def test_a_set_that_is_not_registered_has_a_look_of_its_own(self, whole: Result) -> None:
        assert whole.summary is not None
        accuracy = {**whole.summary.accuracy}
        accuracy |= {"spirals": accuracy["noise"], "moons": accuracy["noise"]}
        summary = replace(whole.summary, accuracy=accuracy)
        drawn = series(accuracy_figure(replace(whole, summary=summary)).axes[0])
        assert list(drawn)[-2:] == ["spirals", "moons"]
        looks = {(marker(line), str(line.get_color())) for line in drawn.values()}
        assert len(looks) == len(drawn)

    def test_colours_differ_for_those_who_see_two_of_three(self) -> None:
        # Linear RGB as protanopes and deuteranopes see it, after Vienot, Brettel and Mollon (1999).
        simulated = {
            "protanope": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
            "deuteranope": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
        }
        linear = linear_rgb([look_of(number)["color"] for number in range(7)])
        for kind, matrix in simulated.items():
            seen = lab(np.clip(linear @ np.array(matrix).T, 0, 1))
            distance = np.linalg.norm(seen[:, None] - seen[None], axis=2)
            # 2.3 is what can just be noticed side by side (Mahy et al., 1994).
            assert distance[~np.eye(7, dtype=bool)].min() > 4 * 2.3, kind


def linear_rgb(colours: list[str]) -> np.ndarray:
    encoded = np.array([to_rgb(colour) for colour in colours])
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def lab(linear: np.ndarray) -> np.ndarray:
    """CIELAB under D65, of linear sRGB."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    share = (linear @ to_xyz.T) / to_xyz.sum(axis=1)
    x, y, z = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


class TestFiles:
    @pytest.mark.parametrize("form", FIGURE_FORMATS)
    def test_a_file_is_of_its_format_and_without_a_date(self, whole: Result, form: FigureFormat) -> None:
        content = render(accuracy_figure(whole, ["test", "adversarial"]), form)
        if form == "pdf":
            assert content.startswith(b"%PDF-")
            assert b"Date" not in content
        elif form == "svg":
            root = ElementTree.fromstring(content)
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert b"<dc:date>" not in content
        else:
            with Image.open(io.BytesIO(content)) as image:
                assert image.format == "PNG"
                assert image.width > 1000

    @pytest.mark.slow
    def test_the_same_result_gives_the_same_bytes_in_another_process(self, tmp_path: Path) -> None:
        experiment = complete(tmp_path)
        for form in FIGURE_FORMATS:
            made = []
            for seed in ("1", "2"):
                path = tmp_path / f"{seed}.{form}"
                words = [str(experiment.folder), str(path), "--format", form, "--figure", "p-values"]
                subprocess.run(
                    [sys.executable, "-P", "-m", "core.report", *words],
                    check=True,
                    env={"PYTHONHASHSEED": seed, "MPLCONFIGDIR": str(tmp_path / "matplotlib")},
                )
                made.append(path.read_bytes())
            assert made[0] == made[1], form

    def test_letters_of_an_svg_stay_letters_on_demand(self, whole: Result) -> None:
        figure = accuracy_figure(whole)
        assert b">misclassified</text>" in render(figure, "svg", text=True)
        assert b"</text>" not in render(figure, "svg")

    @pytest.mark.slow
    def test_no_pyplot_and_no_setting_is_left_behind(self, whole: Result) -> None:
        before = dict(mpl.rcParams)
        render(accuracy_figure(whole), "svg")
        render(p_value_figure(whole), "png")
        assert dict(mpl.rcParams) == before
        program = "import sys, core.report.page.document; assert 'matplotlib.pyplot' not in sys.modules"
        subprocess.run([sys.executable, "-c", program], check=True)

    def test_a_matplotlibrc_of_ones_own_changes_nothing(self, whole: Result) -> None:
        expected = render(accuracy_figure(whole), "svg")
        with mpl.rc_context({"font.size": 20, "lines.linewidth": 7, "axes.grid": True, "text.usetex": True}):
            assert render(accuracy_figure(whole), "svg") == expected


class TestRefusals:
    def test_without_a_complete_run_there_is_nothing_to_draw(self, tmp_path: Path) -> None:
        result = published(tmp_path, "nothing_yet")[1]
        for draw in (accuracy_figure, p_value_figure, crossfit_figure):
            with pytest.raises(ExperimentError, match="no complete run") as refused:
                draw(result)
            assert f"aefit-tui resume {result.id}" in refused.value.hint

    def test_an_unknown_set_is_answered_with_those_there_are(self, whole: Result) -> None:
        for draw in (accuracy_figure, p_value_figure, crossfit_figure):
            with pytest.raises(ExperimentError, match="no set 'nois': expected one of test, misclassified"):
                draw(whole, ["nois"])


class TestUnfinished:
    def test_a_figure_of_numbers_that_may_change_says_so(self, tmp_path: Path) -> None:
        for name, over in (("running", "runs 1-3 of 9"), ("partly_failed", "runs 1-2, 4-5 of 5")):
            result = published(tmp_path / name, name)[1]
            for figure in (accuracy_figure(result), p_value_figure(result), crossfit_figure(result)):
                warning = f"Not complete: the numbers are over {over} and may change."
                assert figure.get_suptitle() == warning

    def test_a_long_warning_stays_on_the_paper(self, tmp_path: Path) -> None:
        result = published(tmp_path, "running")[1]
        asked = tuple(replace(result.runs[0], index=run) for run in range(41))
        scattered = replace(result, runs=asked, statistics_runs=tuple(range(0, 41, 2)))
        figure = p_value_figure(scattered, ["adversarial", "misclassified"])
        FigureCanvasAgg(figure).draw()
        (title,) = (text for text in figure.texts if "Not complete" in text.get_text())
        extent = title.get_window_extent()
        assert 0 <= extent.x0 < extent.x1 <= figure.bbox.width
        assert 0 <= extent.y0 < extent.y1 <= figure.bbox.height

    def test_a_final_one_says_nothing(self, whole: Result) -> None:
        for figure in (accuracy_figure(whole), p_value_figure(whole), crossfit_figure(whole)):
            assert figure.get_suptitle() == ""


class TestGallery:
    def test_a_row_shows_original_perturbation_and_adversarial_image(self, tmp_path: Path) -> None:
        gallery = add_gallery(complete(tmp_path), 1)
        figure = gallery_figure([(gallery, 3), (gallery, 1)])
        shown = [axes.images[0].get_array() for axes in figure.axes]
        assert len(shown) == 6
        for row, member in enumerate((3, 1)):
            original, adversarial = gallery.original[member], gallery.image[member]
            expected = [original, amplified(original, adversarial)[0], grey_levels(adversarial)]
            for picture, pixels in zip(shown[3 * row : 3 * row + 3], expected, strict=True):
                assert picture is not None
                assert picture.shape == (224, 224, 3)
                assert_array_equal(np.asarray(picture)[4::8, 4::8], np.broadcast_to(pixels, (28, 28, 3)))

    def test_captions_say_what_every_level_makes_of_it(self, tmp_path: Path) -> None:
        gallery = add_gallery(complete(tmp_path), 1)
        said = [text.get_text() for text in gallery_figure([(gallery, 1)]).texts]
        assert "true label: <b>dog</b> & $5$" in said
        assert "adversarial, target: horse" in said
        votes = [line for line in said if line.startswith("K = ")]
        assert votes == [
            "K = 7: <b>dog</b> & $5$, right",
            "K = 5: horse, wrong",
            "K = 3: cat, wrong",
            "K = 1: <b>dog</b> & $5$, right",
        ]

    def test_images_of_the_data_set_have_no_perturbation(self, tmp_path: Path) -> None:
        gallery = add_gallery(complete(tmp_path), 1, sets=("matched",))
        figure = gallery_figure([(gallery, 0)])
        original, change, image = (np.asarray(axes.images[0].get_array()) for axes in figure.axes)
        assert_array_equal(image, original)
        assert set(change.ravel().tolist()) == {128}
        said = [text.get_text() for text in figure.texts]
        assert {"no perturbation", "matched", "true label: cat"} < set(said)

    def test_several_sets_share_the_rows(self, tmp_path: Path) -> None:
        experiment = complete(tmp_path)
        add_gallery(experiment, 0, sets=("adversarial", "noise", "reverse"))
        galleries = first_galleries(experiment, ["noise", "adversarial"])
        rows = [(gallery.name, member) for gallery, member in rows_of(galleries)]
        # The second set goes on where the first has stopped.
        assert rows == [("noise", 0), ("noise", 1), ("adversarial", 2), ("adversarial", 3)]
        assert [member for _, member in rows_of(galleries[:1])] == [0, 1, 2, 3]
        # Five members each: beyond the last the first follows.
        assert [member for _, member in rows_of(galleries, rows=6)] == [0, 1, 2, 3, 4, 0]
        assert len(rows_of(galleries, rows=1)) == 2

    def test_an_image_of_the_default_z_leaves_a_page_its_margins(self, tmp_path: Path) -> None:
        gallery = add_gallery(complete(tmp_path), 1)
        assert gallery.levels == Spec(dataset="mnist").ladder.levels
        width, height = gallery_figure(rows_of([gallery])).get_size_inches()
        # A4 is 210 mm x 297 mm.
        assert width <= 190 / 25.4
        assert height <= 277 / 25.4

    def test_a_set_without_images_or_of_another_experiment_is_told(self, tmp_path: Path) -> None:
        experiment = complete(tmp_path)
        with pytest.raises(ExperimentError, match="no noise images to show") as refused:
            first_galleries(experiment, ["adversarial", "noise"])
        assert "older versions" in refused.value.hint
        with pytest.raises(ExperimentError, match="no set 'nois': expected one of test, misclassified"):
            first_galleries(experiment, ["nois"])

    def test_a_dollar_in_a_name_is_a_dollar(self, tmp_path: Path) -> None:
        gallery = add_gallery(complete(tmp_path), 1, names=("$\\frac{", "a$b$c", "_^"))
        assert b"a$b$c" in render(gallery_figure([(gallery, 1)]), "svg", text=True)

    def test_the_first_run_with_images_is_shown(self, tmp_path: Path) -> None:
        experiment = partly_failed(tmp_path)
        with pytest.raises(ExperimentError, match="no adversarial images to show"):
            first_gallery(experiment, "adversarial")
        add_gallery(experiment, 3)
        run, gallery = first_gallery(experiment, "adversarial")
        assert (run, len(gallery)) == (3, 5)

    def test_a_damaged_gallery_is_passed_over_and_told_where_it_is_the_only_one(self, tmp_path: Path) -> None:
        experiment = partly_failed(tmp_path)
        (experiment.run_folder(0) / "result" / "gallery.npz").write_bytes(b"damaged")
        with pytest.raises(DataError, match="cannot be read"):
            first_gallery(experiment, "adversarial")
        add_gallery(experiment, 1)
        assert first_gallery(experiment, "adversarial")[0] == 1


def test_one_run_is_drawn_without_intervals(tmp_path: Path) -> None:
    one_run(tmp_path / "one")
    (axes,) = accuracy_figure(published(tmp_path / "again", "one_run")[1]).axes
    assert not [label for label in lines(axes) if label.startswith("_interval")]
    assert list(series(axes)) == ["test", "misclassified", "adversarial"]


def test_nothing_yet_has_no_gallery(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="no adversarial images to show"):
        first_gallery(nothing_yet(tmp_path), "adversarial")
