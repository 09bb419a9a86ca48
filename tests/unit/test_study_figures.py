"""A study's figures are drawn where its experiments' numbers are, and can be read in grey."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from core.errors import StudyError
from core.records.study import Study
from core.report.figures.curves import render
from core.report.figures.study import curve_figure, heatmap_figure
from core.report.formats import FIGURE_FORMATS
from core.report.quantities_by_run import ACCURACY, FOOLED, Key
from core.report.study.measures import P_VALUE, chosen_keys, reading
from core.report.study.result import StudyResult, study_result
from tests.fakes.study_numbers import make_varied_study

RISE = Key("crossfit_rise", ("adversarial", "misclassified"))
A_OF_D = Key(ACCURACY, ("adversarial",))
EPSILONS = (0.02, 0.05, 0.1, 0.3)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    home = tmp_path_factory.mktemp("home")
    return make_varied_study(
        home, {"attack": ["fgsm", "pgd"], "epsilon": EPSILONS}, states={2: None, 5: "created"}
    )


@pytest.fixture(scope="module")
def result(study: Study) -> StudyResult:
    return study_result(study)


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    return study_result(make_varied_study(tmp_path_factory.mktemp("home"), {"z": [3, 5, 7]}))


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_xlabel()]


def curves(axes: Axes) -> dict[str, Line2D]:
    return {str(line.get_label()): line for line in axes.lines if not str(line.get_label()).startswith("_")}


def by_place(result: StudyResult, **settings: object) -> Any:
    (found,) = (cell for cell in result.cells if all(cell.settings[k] == v for k, v in settings.items()))
    return found


@pytest.mark.parametrize("key", [RISE, A_OF_D, Key(FOOLED)])
def test_a_curve_goes_through_the_numbers_of_its_experiments(result: StudyResult, key: Key) -> None:
    (axes,) = panels(curve_figure(result, [key]))
    found = curves(axes)
    assert list(found) == ["fgsm", "pgd"]
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == [str(one) for one in EPSILONS]
    for attack, line in found.items():
        readings = [reading(by_place(result, attack=attack, epsilon=one), key) for one in EPSILONS]
        expected = [one.value if one is not None else math.nan for one in readings]
        assert np.array_equal(np.asarray(line.get_ydata(), float), expected, equal_nan=True)
        # Beside its value, nearer to it than to any other.
        xs = np.log10(np.asarray(line.get_xdata(), float))
        assert np.abs(xs - np.log10(EPSILONS)).max() < np.diff(np.log10(EPSILONS)).min() / 2
        bars = [bar.get_ydata() for bar in axes.lines if bar.get_label() == f"_interval {attack}"]
        assert [tuple(map(float, bar)) for bar in bars] == [  # type: ignore[arg-type]
            one.ci95 for one in readings if one is not None
        ]


def test_an_experiment_without_numbers_breaks_the_line(result: StudyResult) -> None:
    (axes,) = panels(curve_figure(result, [RISE]))
    gaps = [int(np.isnan(np.asarray(line.get_ydata(), float)).sum()) for line in curves(axes).values()]
    assert gaps == [1, 1]


def test_claims_have_lines_at_0_and_at_their_margin(result: StudyResult) -> None:
    (axes,) = panels(curve_figure(result, [RISE]))
    flat = {
        np.asarray(line.get_ydata(), float)[0] for line in axes.lines if line.get_label() in ("_0", "_margin")
    }
    assert flat == {0.0, -0.02, 0.02}
    (axes,) = panels(curve_figure(result, [A_OF_D]))
    assert not [line for line in axes.lines if line.get_label() in ("_0", "_margin")]


def test_several_sets_are_panels_or_lines(result: StudyResult, ladder: StudyResult) -> None:
    keys = [A_OF_D, Key(ACCURACY, ("noise",))]
    assert len(panels(curve_figure(result, keys))) == 2
    (axes,) = panels(curve_figure(ladder, keys))
    found = curves(axes)
    assert list(found) == ["adversarial", "noise"]
    looks = {(line.get_marker(), line.get_color()) for line in found.values()}
    assert len(looks) == 2
    assert axes.get_xscale() == "linear"
    values = [reading(cell, keys[1]) for cell in ladder.cells]
    assert list(found["noise"].get_ydata()) == [one.value for one in values if one]  # type: ignore[arg-type]


def test_names_stand_one_after_the_other(result: StudyResult) -> None:
    (axes,) = panels(curve_figure(result, [RISE], "attack"))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["fgsm", "pgd"]
    assert list(curves(axes)) == [f"epsilon {one}" for one in EPSILONS]


def cells_of(figure: Figure) -> tuple[list[Rectangle], list[str]]:
    axes = panels(figure)[0]
    return [p for p in axes.patches if isinstance(p, Rectangle)], [t.get_text() for t in axes.texts]


def test_every_cell_of_a_heat_map_has_its_number_and_decision(result: StudyResult) -> None:
    patches, texts = cells_of(heatmap_figure(result, RISE))
    assert len(patches) == len(texts) == len(result.cells)
    expected = []
    for epsilon in EPSILONS:
        for attack in ("fgsm", "pgd"):
            cell = by_place(result, attack=attack, epsilon=epsilon)
            found = reading(cell, RISE)
            expected.append(cell.status.value if found is None else f"{found.value:+z.3f}\n{found.decision}")
    assert texts == expected
    hatched = [text for patch, text in zip(patches, texts, strict=True) if patch.get_hatch()]
    assert len(hatched) == 2
    assert all("\n" not in text for text in hatched)


def lightness(given: Any) -> float:
    """Relative luminance as WCAG 2 defines it."""
    colour: Sequence[float] = given
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_larger_number_is_lighter_and_what_is_written_on_it_can_be_read(result: StudyResult) -> None:
    figure = heatmap_figure(result, Key(FOOLED))
    axes = panels(figure)[0]
    filled = [
        (float(text.get_text()), patch.get_facecolor(), text.get_color())
        for patch, text in zip(axes.patches, axes.texts, strict=True)
        if not patch.get_hatch()
    ]
    ordered = [lightness(colour) for _, colour, _ in sorted(filled, key=lambda one: one[0])]
    assert ordered == sorted(ordered)
    for _, colour, ink in filled:
        dark, light = sorted([lightness(colour), 1.0 if ink == "#ffffff" else 0.0])
        assert (light + 0.05) / (dark + 0.05) >= 4


def test_one_axis_is_one_row_and_a_third_one_has_panels(ladder: StudyResult, tmp_path: Any) -> None:
    patches, texts = cells_of(heatmap_figure(ladder, RISE))
    assert len(patches) == len(texts) == 3
    deep = study_result(
        make_varied_study(tmp_path, {"attack": ["fgsm", "pgd"], "epsilon": [0.1, 0.2], "z": [3, 5, 7]})
    )
    titles = [axes.get_title() for axes in panels(heatmap_figure(deep, RISE))]
    assert len(titles) == 2
    assert "(epsilon 0.1)" in titles[0] or "(fgsm)" in titles[0]


@pytest.mark.slow
@pytest.mark.parametrize("form", FIGURE_FORMATS)
def test_equal_results_give_equal_bytes(result: StudyResult, form: Any) -> None:
    for draw in (lambda: curve_figure(result, [RISE]), lambda: heatmap_figure(result, A_OF_D)):
        assert render(draw(), form) == render(draw(), form)


def test_an_unfinished_study_says_so(result: StudyResult, ladder: StudyResult) -> None:
    def said(figure: Figure) -> str:
        return figure.get_suptitle()

    assert said(curve_figure(result, [RISE])) == "Not complete: 6 of 8 experiments."
    assert said(heatmap_figure(result, RISE)) == "Not complete: 6 of 8 experiments."
    assert said(curve_figure(ladder, [RISE])) == ""


def test_p_values_stand_on_a_logarithmic_axis(ladder: StudyResult) -> None:
    (axes,) = panels(curve_figure(ladder, chosen_keys(P_VALUE, None, ladder)))
    assert axes.get_yscale() == "log"


def test_what_cannot_be_drawn_is_refused(result: StudyResult, tmp_path: Any) -> None:
    empty = study_result(make_varied_study(tmp_path, {"epsilon": [0.1, 0.2]}, states={0: None, 1: None}))
    for draw in (lambda: curve_figure(empty, [RISE]), lambda: heatmap_figure(empty, RISE)):
        with pytest.raises(StudyError, match="nothing to draw"):
            draw()
    with pytest.raises(StudyError, match="z is no axis of ours"):
        curve_figure(result, [RISE], "z")
    alone = dataclasses.replace(result, axes={}, cells=result.cells[:1])
    with pytest.raises(StudyError, match="has no axis"):
        curve_figure(alone, [RISE])
    many = dataclasses.replace(result, axes={**result.axes, "epsilon": tuple(n / 100 for n in range(1, 60))})
    with pytest.raises(StudyError, match="too many values to draw"):
        heatmap_figure(many, RISE)
