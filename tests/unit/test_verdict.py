"""The verdict says what the numbers say, in the direction they have, and no more than that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from core.engine.statistics import experiment_statistics
from core.families.ladder import Ladder
from core.records.events import StatisticsComputed
from core.records.metrics import RunMetrics
from core.records.state import read_state
from core.report.result import result_of
from core.report.tables.text import tables
from core.sets.measured_set import Counterpart
from core.sets.one_per_source import OnePerSource
from core.sets.registry import SETS
from core.spec.spec import Spec
from core.verdict import verdict
from tests.fakes.curves import N_TEST, N_TRAIN, Curve, metrics_from_curves
from tests.fakes.experiments import make_experiment

Curves = Sequence[Curve]
"""One curve a run: accuracy at K = 5, 3, 1."""
LADDER = Ladder("K", ("5", "3", "1"), (5, 3, 1))

UP = [(0, 0.30, 0.50), (0, 0.32, 0.55), (0, 0.28, 0.52), (0, 0.31, 0.48)]
FLAT = [(0, 0.10, 0.30), (0, 0.11, 0.33), (0, 0.09, 0.29), (0, 0.12, 0.31)]
TEST = [(0.95, 0.96, 0.97)] * 4


def statistics(
    controls: Mapping[str, Curves],
    d: Curves,
    m: Curves,
    *,
    sizes: Mapping[str, int] | None = None,
    noisy: bool = False,
    ladder: Ladder = LADDER,
    **settings: Any,
) -> tuple[Spec, dict[int, RunMetrics], StatisticsComputed]:
    spec = Spec(dataset="mnist", controls=tuple(controls), **{"runs": len(d), **settings})
    curves = {"test": TEST[:1] * len(d), "misclassified": m, "adversarial": d, **controls}
    results = {
        run: metrics_from_curves(
            ladder,
            run,
            {name: by_run[run] for name, by_run in curves.items()},
            sizes=sizes,
            noise_l2=2.25 + run if noisy else None,
        )
        for run in range(len(d))
    }
    return spec, results, experiment_statistics(spec, results)


def sentences(
    d: Curves, m: Curves, controls: Mapping[str, Curves] | None = None, **settings: Any
) -> list[str]:
    spec, results, found = statistics(controls or {}, d, m, **settings)
    assert verdict(spec, list(results.values()), found.tests) == found.verdict
    return list(found.verdict)


def slope(curves: Curves) -> list[float]:
    return [one / three for _, three, one in curves]  # type: ignore[operator]


def corrected_p(differences: Sequence[float]) -> float:
    """Nadeau and Bengio's test, from their formula."""
    j = len(differences)
    mean = sum(differences) / j
    variance = sum((d - mean) ** 2 for d in differences) / (j - 1)
    t = mean / (variance * (1 / j + N_TEST / N_TRAIN)) ** 0.5
    return float(2 * stats.t.sf(abs(t), j - 1))


def about(said: Sequence[str], begin: str) -> str:
    """The one sentence that begins so."""
    (found,) = (sentence for sentence in said if sentence.startswith(begin))
    return found


def in_short(*curves: Any, **settings: Any) -> str:
    return sentences(*curves, **settings)[0]


START = "In short: accuracy rises further on the adversarial images than on the misclassified ones"
NOISE_THAT_RISES_LESS = [
    (0, a + e, b - 0.01 + e) for (_, a, b), e in zip(UP, (0.05, -0.06, 0.05, -0.05), strict=True)
]


def test_it_begins_with_the_answer() -> None:
    further = [(0, a + 0.1, b + 0.1) for _, a, b in UP]
    assert in_short(UP, FLAT) == f"{START}; no control that could account for it has been measured."
    assert in_short(UP, FLAT, {"noise": further}) == (
        f"{START}, but as far or further still on the control noise: such a rise is not particular to adversarial "
        "examples."
    )
    both = in_short(UP, FLAT, {"noise": FLAT, "matched": UP, "reverse": [(0.7, 0.4, 0)] * 4, "fooled": UP})
    assert "still on the controls matched and reverse: such" in both
    assert in_short(UP, FLAT, {"noise": FLAT}) == (
        f"{START}, and the control noise cannot account for all of it."
    )
    assert in_short(UP, FLAT, {"noise": NOISE_THAT_RISES_LESS}) == (
        f"{START}; less far on the control noise, but no test tells them apart."
    )


def test_an_answer_that_does_not_support_the_claim_says_so() -> None:
    less = "In short: accuracy rises less far on the adversarial images than on the misclassified ones"
    assert in_short(FLAT, UP, {"noise": UP}) == f"{less}, which does not support the paper's claim."
    assert "rises no further on the adversarial images" in in_short(UP, UP)


def test_the_answer_of_one_or_two_runs_says_how_far_it_goes_and_concludes_nothing() -> None:
    told = in_short(UP[:2], FLAT[:2], {"noise": UP[:2]})
    assert told == (
        "In short, as far as 2 runs can tell: accuracy rises further on the adversarial images than on the "
        "misclassified ones, but as far or further still on the control noise."
    )
    assert in_short(FLAT[:1], UP[:1]).endswith(
        "as far as 1 run can tell: accuracy rises less far on the "
        "adversarial images than on the misclassified ones."
    )


def test_noise_as_the_attack_is_no_control_of_itself() -> None:
    assert in_short(UP, FLAT, {"noise": UP}, attack="noise").endswith("has been measured.")


def test_the_first_step_which_no_ratio_can_express_is_tested_as_a_difference() -> None:
    d, m = [a for _, a, _ in UP], [a for _, a, _ in FLAT]
    differences = [a - b for a, b in zip(d, m, strict=True)]
    p = corrected_p(differences)
    last = corrected_p([(a[2] - a[1]) - (b[2] - b[1]) for a, b in zip(UP, FLAT, strict=True)])
    holm = 2 * p if p < last else max(p, 2 * last)
    welch = stats.ttest_ind(d, m, equal_var=False).pvalue
    assert about(sentences(UP, FLAT), "The first step") == (
        "The first step, A_3 - A_5, which no ratio can express, is significantly higher on the adversarial images "
        f"by {sum(differences) / 4:.3f} (p = {holm:.2g} by the corrected test, Holm-adjusted; {welch:.2g} by "
        "Welch's)."
    )


def test_after_the_answer_comes_what_was_compared_over_how_many_runs() -> None:
    assert sentences(UP, FLAT)[1] == (
        "FGSM, targeted, epsilon 0.1, on mnist, K 5 to 1: the adversarial images are compared with the "
        "misclassified test images over 4 complete runs."
    )
    assert sentences(UP, FLAT, runs=12)[1].endswith("over 4 complete runs of 12.")
    assert sentences(UP[:1], FLAT[:1], runs=2)[1].endswith("over 1 complete run of 2.")


def test_an_attack_without_a_gradient_is_called_a_control() -> None:
    assert "it is a control itself" in sentences(UP, FLAT, attack="noise")[1]
    assert "control" not in sentences(UP, FLAT)[1]


def test_the_rise_is_told_by_the_means_and_where_it_is_higher() -> None:
    rise = about(sentences(UP, FLAT), "From K")
    assert rise == (
        "From K = 5 to K = 1 mean accuracy rises from 0 to 0.512 on the adversarial images and from 0 to 0.307 "
        "on the misclassified ones. It is higher on the adversarial images at every level after K = 5."
    )
    assert "It is lower on the adversarial images at every level after K = 5." in about(
        sentences(FLAT, UP), "From K"
    )
    assert "It is no different on the adversarial images" in about(sentences(UP, UP), "From K")


EMPTY = (None, None, None)


def test_two_sets_are_compared_over_the_runs_in_which_both_have_images() -> None:
    said = sentences([UP[0], UP[1]], [UP[0], EMPTY])
    assert said[1].endswith(
        "are compared with the misclassified test images over the 1 of 2 complete runs in which both have "
        "images. Left out: 1 run has no misclassified image."
    )
    assert about(said, "From K") == (
        "From K = 5 to K = 1 accuracy rises from 0 to 0.500 on the adversarial images and from 0 to 0.500 on the "
        "misclassified ones. It is no different on the adversarial images at every level after K = 5."
    )
    said = sentences([*UP[:3], EMPTY], [EMPTY, *FLAT[1:]], runs=12)
    assert said[1].endswith(
        "over the 2 of 4 complete runs of 12 in which both have images. Left out: 1 run has no adversarial and "
        "1 run has no misclassified image."
    )
    ours, theirs = (UP[1][2] + UP[2][2]) / 2, (FLAT[1][2] + FLAT[2][2]) / 2
    assert (
        f"mean accuracy rises from 0 to {ours:.3f} on the adversarial images and from 0 to {theirs:.3f}"
        in (about(said, "From K"))
    )


def test_a_control_is_compared_over_the_runs_in_which_it_has_images() -> None:
    d = [UP[0], UP[1], UP[2], EMPTY]
    noise: Curves = [EMPTY, UP[1], UP[2], UP[3]]
    said = sentences(d, FLAT, {"noise": noise, "fooled": noise})
    mean = (UP[1][2] + UP[2][2]) / 2
    over = "on the adversarial images, over the 2 runs in which both have images; as far or further in 2 of 2 runs."
    assert f"to {mean:.3f} at K = 1, against {mean:.3f} {over}" in about(said, "Images with random noise")
    assert about(said, "The control fooled").endswith(
        f"comes to {mean:.3f} at K = 1, no different than the adversarial images, over the 2 runs in which both "
        "have images."
    )
    never = sentences([UP[0], EMPTY], FLAT[:2], {"noise": [EMPTY, UP[1]]})
    assert about(never, "The control noise").endswith("in no run in which the adversarial set has any.")


def test_the_sizes_of_the_sets_are_told_and_small_ones_with_a_caution() -> None:
    said = sentences(UP, FLAT)
    assert said[2] == "A run has 40 adversarial images from 20 sources, and 40 misclassified ones."
    assert not [sentence for sentence in said if sentence.startswith("Caution")]
    assert not [s for s in sentences(UP, FLAT, sizes={"adversarial": 30}) if s.startswith("Caution")]
    said = sentences([UP[0], EMPTY], FLAT[:2], sizes={"adversarial": 3, "misclassified": 1200})
    assert said[2] == "A run has 0 to 3 adversarial images from 0 to 2 sources, and 1,200 misclassified ones."
    assert said[3] == (
        "Caution: sets of fewer than 30 images have coarse accuracies; here one image more or less moves that of a "
        "run by up to 0.333 on the adversarial ones."
    )
    both = about(sentences(UP, FLAT, sizes={"adversarial": 29, "misclassified": 1}), "Caution")
    assert both.endswith("by up to 0.034 on the adversarial ones and 1.000 on the misclassified ones.")
    assert sentences(UP, FLAT, sizes={"adversarial": 1, "misclassified": 1})[2] == (
        "A run has 1 adversarial image from 1 source, and 1 misclassified one."
    )


def test_accuracies_that_cross_are_told_level_by_level() -> None:
    crossing = [(0, 0.05, 0.6), (0, 0.06, 0.7), (0, 0.07, 0.65), (0, 0.05, 0.62)]
    assert about(sentences(crossing, FLAT), "From K").endswith(
        "On the adversarial images it is lower at K = 3 and higher at K = 1."
    )


def test_a_slope_is_told_with_its_direction_its_size_and_both_readings() -> None:
    d, m = slope(UP), slope(FLAT)
    size = abs(sum(d) - sum(m)) / 4
    corrected = corrected_p([a - b for a, b in zip(d, m, strict=True)])
    welch = stats.ttest_ind(d, m, equal_var=False).pvalue
    assert corrected < 0.05
    expected = (
        f"The slope S_1 = A_1 / A_3 is significantly lower on the adversarial images by {size:.3f} "
        f"(p = {corrected:.2g} by the corrected test, Holm-adjusted; {welch:.2g} by Welch's, the paper's reading)."
    )
    assert about(sentences(UP, FLAT), "The slope S_1").startswith(expected)
    assert "is significantly higher on" in about(sentences(FLAT, UP), "The slope S_1")


def test_what_only_welchs_test_finds_is_not_called_significant_without_saying_so() -> None:
    d = [(0, 0.3, 0.3 * s) for s in (1.51, 1.58, 1.73, 1.62)]
    m = [(0, 0.3, 0.3 * s) for s in (1.45, 1.44, 1.46, 1.43)]
    differences = [a - b for a, b in zip(slope(d), slope(m), strict=True)]
    assert corrected_p(differences) > 0.05
    assert stats.ttest_ind(slope(d), slope(m), equal_var=False).pvalue < 0.05
    told = about(sentences(d, m), "The slope S_1")
    assert " is higher on the adversarial images by " in told
    assert ", but significantly so only by Welch's test (p = " in told


def test_what_no_test_finds_keeps_its_direction() -> None:
    d = [(0, 0.3, 0.5), (0, 0.3, 0.4), (0, 0.3, 0.6), (0, 0.3, 0.45)]
    m = [(0, 0.3, 0.45), (0, 0.3, 0.5), (0, 0.3, 0.5), (0, 0.3, 0.44)]
    told = about(sentences(d, m), "The slope S_1")
    assert " is higher on the adversarial images by " in told
    assert ", but not significantly (p = " in told


def test_significance_is_judged_after_adjusting_for_the_number_of_slopes() -> None:
    ends = (1.5, 1.3, 1.6, 1.4), (1.45, 1.4, 1.5, 1.35)
    d = [(0.0, 0.1, 0.2 * s, 0.2 * s * e) for s, e in zip((1.40, 1.52, 1.70, 1.58), ends[0], strict=True)]
    m = [(0.0, 0.1, 0.2 * s, 0.2 * s * e) for s, e in zip((1.20, 1.22, 1.18, 1.21), ends[1], strict=True)]
    names: dict[str, Curves] = {"test": [(0.95, 0.95, 0.96, 0.97)] * 4, "misclassified": m, "adversarial": d}
    ladder = Ladder("K", ("7", "5", "3", "1"), (7, 5, 3, 1))
    results = {
        run: metrics_from_curves(ladder, run, {name: by_run[run] for name, by_run in names.items()})
        for run in range(4)
    }
    spec = Spec(dataset="mnist", runs=4, controls=())
    p = corrected_p([a[2] / a[1] - b[2] / b[1] for a, b in zip(d, m, strict=True)])
    other = corrected_p([a[3] / a[2] - b[3] / b[2] for a, b in zip(d, m, strict=True)])
    adjusted = 2 * p if p < other else max(p, 2 * other)
    assert p < 0.05 < adjusted
    told = about(experiment_statistics(spec, results).verdict, "The slope S_3")
    assert "S_3 = A_3 / A_5 is higher on the adversarial images" in told
    assert f", but significantly so only by Welch's test (p = {adjusted:.2g} by the corrected test" in told


def test_a_ratio_and_a_difference_that_disagree_are_both_told() -> None:
    d = [(0, 0.40, 0.70), (0, 0.42, 0.73), (0, 0.38, 0.69), (0, 0.41, 0.72)]
    told = about(sentences(d, FLAT), "The slope S_1")
    assert " is significantly lower on " in told
    last = [(a[2] - a[1]) - (b[2] - b[1]) for a, b in zip(d, FLAT, strict=True)]
    first = [a[1] - b[1] for a, b in zip(d, FLAT, strict=True)]
    p, other = corrected_p(last), corrected_p(first)
    holm = 2 * p if p < other else max(p, 2 * other)
    assert told.endswith(
        f" The difference A_1 - A_3 points the other way: higher by {sum(last) / 4:.3f} (p = {holm:.2g} by the "
        "corrected test, Holm-adjusted). The ratio divides by 0.402 on the adversarial images, by 0.105 on the "
        "misclassified ones."
    )


def test_a_ratio_and_a_difference_that_agree_are_told_once() -> None:
    d = [(0, 0.1, 0.40), (0, 0.11, 0.45), (0, 0.09, 0.41), (0, 0.12, 0.44)]
    assert "points the other way" not in " ".join(sentences(d, FLAT))


@pytest.mark.parametrize("runs", [1, 2])
def test_with_fewer_than_three_runs_it_says_that_no_test_is_possible_and_concludes_nothing(runs: int) -> None:
    said = sentences(UP[:runs], FLAT[:runs], {"noise": UP[:runs]})
    plural = "s" if runs > 1 else ""
    assert f"With {runs} complete run{plural} no test is possible yet: it takes 3." in said
    text = " ".join(said)
    assert "signific" not in text
    assert "p =" not in text
    assert "particular" not in text
    assert "could not be tested" not in text


def test_noise_that_rises_as_far_takes_the_effect_away_from_the_adversary() -> None:
    noise = [(0, a + 0.1, b + 0.1) for _, a, b in UP]
    assert about(sentences(UP, FLAT, {"noise": noise}), "Images with random noise") == (
        "Images with random noise of epsilon in every pixel, selected alike, rise as far or further: to 0.613 at "
        "K = 1, against 0.512 on the adversarial images; as far or further in 4 of 4 runs. So the effect is not "
        "particular to adversarial examples. By the corrected test S_1 is significantly higher on the adversarial "
        "images."
    )
    assert "as far or further" in about(sentences(UP, FLAT, {"noise": UP}), "Images with random noise")


def test_noise_that_rises_further_but_later_leaves_the_larger_step_to_the_adversary() -> None:
    noise = [(0, a - 0.2, b + 0.1 + 0.01 * i) for i, (_, a, b) in enumerate(UP)]
    noise = [(0, a + (0.004 if i % 2 else 0), b) for i, (_, a, b) in enumerate(noise)]
    told = about(sentences(UP, FLAT, {"noise": noise}), "Images with random noise")
    assert told.endswith(
        "So the effect is not particular to adversarial examples, although by the corrected test the step from "
        "K = 5 to 3 is significantly larger on them."
    )


def test_noise_that_rises_less_but_not_clearly_so_leaves_the_matter_open() -> None:
    told = about(sentences(UP, FLAT, {"noise": NOISE_THAT_RISES_LESS}), "Images with random noise")
    assert "rise less far" in told
    assert told.endswith("nothing shows that the effect is particular to them.")


def test_noise_that_clearly_rises_less_does_not_account_for_all_of_it() -> None:
    told = about(sentences(UP, FLAT, {"noise": FLAT}), "Images with random noise")
    assert "rise less far: to 0.307 at K = 1, against 0.512" in told
    assert "the step from K = 5 to 3 is significantly larger on the adversarial images" in told
    assert told.endswith("this control does not account for all of the effect.")


def test_how_much_noise_changes_an_image_is_told_beside_the_attack() -> None:
    told = about(sentences(UP, FLAT, {"noise": UP}, noisy=True), "Images with random noise")
    assert " Its mean change of an image is 3.75 in L2, that of the attack's candidates 1.50. So" in told
    assert "L2" not in about(sentences(UP, FLAT, {"noise": UP}), "Images with random noise")


def test_slopes_that_are_steeper_than_those_of_noise_that_rises_as_far_are_told() -> None:
    noise = [(0, a + 0.15, b + 0.02 + 0.01 * (i % 2)) for i, (_, a, b) in enumerate(UP)]
    differences = [a - b for a, b in zip(slope(UP), slope(noise), strict=True)]
    assert corrected_p(differences) < 0.05
    assert min(differences) > 0
    told = about(sentences(UP, FLAT, {"noise": noise}), "Images with random noise")
    assert told.endswith(" By the corrected test S_1 is significantly higher on the adversarial images.")


def test_in_how_many_runs_a_control_rises_as_far_is_counted_run_by_run() -> None:
    noise = [(0, a, b + (0.2 if i else -0.01)) for i, (_, a, b) in enumerate(UP)]
    assert "; as far or further in 3 of 4 runs." in about(
        sentences(UP, FLAT, {"noise": noise}), "Images with random noise"
    )


def test_matched_errors_that_rise_as_far_take_the_effect_away_from_the_adversary() -> None:
    matched = [(0, a, b + 0.02) for _, a, b in UP]
    told = about(sentences(UP, FLAT, {"matched": matched}), "Misclassified test images")
    assert told == (
        "Misclassified test images that are wrong by the same margin (the control matched) rise as far or "
        "further: to 0.532 at K = 1, against 0.512 on the adversarial images; as far or further in 4 of 4 runs. It "
        "has 9 distinct images a run, used in turn. So the effect is not particular to adversarial examples."
    )
    assert "does not account" in about(sentences(UP, FLAT, {"matched": FLAT}), "Misclassified test images")


def test_the_reverse_control_is_read_from_the_fitted_end() -> None:
    further, less = [(0.7, 0.4, 0)] * 4, [(0.2, 0.1, 0)] * 4
    told = about(sentences(UP, FLAT, {"reverse": further}), "Candidates selected")
    assert told == (
        "Candidates selected by their errors at the most fitted level instead (the control reverse), as the knob "
        "is turned back, rise as far or further: to 0.700 at K = 5, against 0.512 on the adversarial images at "
        "K = 1; as far or further in 4 of 4 runs. So being selected at one end is enough to rise towards the other."
    )
    assert about(sentences(UP, FLAT, {"reverse": less}), "Candidates selected").endswith(
        "less far: to 0.200 at K = 5, against 0.512 on the adversarial images at K = 1; as far or further in 0 of "
        "4 runs."
    )
    assert "enough" not in " ".join(sentences(UP[:2], FLAT[:2], {"reverse": further[:2]}))


def test_every_other_control_is_told_by_its_means() -> None:
    sources = [(1.0, 0.97, 0.92)] * 4
    said = sentences(UP, FLAT, {"sources": sources, "fooled": FLAT, "one-per-source": UP})
    assert about(said, "The control sources").endswith("goes from 1.000 at K = 5 to 0.920 at K = 1.")
    assert about(said, "The control fooled").endswith(
        "comes to 0.307 at K = 1, lower than the adversarial images."
    )
    assert about(said, "The control one-per-source").endswith(
        "0.512 at K = 1, no different than the adversarial images."
    )


def test_what_could_not_be_tested_is_told_with_the_reason() -> None:
    assert sentences(UP, FLAT)[-1] == (
        "S_3 could not be tested. The set was selected so that accuracy at the most general level is 0: dividing "
        "by it says nothing."
    )
    same = [(0, 0.3, 0.6)] * 4
    said = sentences(same, same)
    assert about(said, "S_1 could").endswith("do not vary over the runs, so a t statistic does not exist.")
    assert not [sentence for sentence in said if sentence.startswith("The slope")]


def test_runs_whose_slope_does_not_exist_are_counted_out() -> None:
    m = [*FLAT[:3], (0, 0.0, 0.2)]
    assert " by " in (told := about(sentences(UP, m), "The slope S_1"))
    assert " in 3 of the runs" in told


def test_an_empty_set_leaves_nothing_to_compare() -> None:
    nothing = [(None, None, None)] * 4
    said = sentences(nothing, FLAT, {"noise": UP, "fooled": nothing})
    assert said[1] == "A run has 0 adversarial images from 0 sources, and 40 misclassified ones."
    assert said[2] == "No candidate became adversarial, so there is nothing to compare."
    assert about(said, "S_1 could").endswith("The set has no images, so it has no accuracy.")
    assert not [
        sentence for sentence in said if sentence.startswith(("Images with random noise", "The control"))
    ]
    assert sentences(UP, nothing)[2].startswith("No test image is misclassified")
    halves = [*UP[:2], *nothing[:2]], [*nothing[:2], *FLAT[:2]]
    assert sentences(*halves)[2].startswith("No run has both adversarial and misclassified images")
    assert "The control fooled" in " ".join(sentences(UP, FLAT, {"fooled": nothing}))


def test_without_a_complete_run_there_is_no_verdict() -> None:
    assert verdict(Spec(dataset="mnist", controls=()), [], []) == ()


def test_significance_is_never_said_without_a_direction() -> None:
    for d, m in [(UP, FLAT), (FLAT, UP), (UP, UP)]:
        for sentence in sentences(d, m, {"noise": FLAT}):
            for place in range(len(sentence)):
                if sentence.startswith("significantly", place):
                    rest = sentence[place:].split()[1]
                    assert rest in ("higher", "lower", "larger", "so")


WORDS = Ladder("depth", ("shallow", "middle", "deep"))


def test_a_ladder_of_words_is_told_in_its_words() -> None:
    controls: dict[str, Curves] = {
        "noise": FLAT,
        "reverse": [(0.7, 0.4, 0)] * 4,
        "sources": [(1.0, 0.97, 0.92)] * 4,
    }
    said = sentences(UP, FLAT, controls, ladder=WORDS)
    assert ", on mnist, depth shallow to deep: " in said[1]
    assert about(said, "From ").startswith(
        "From depth = shallow to depth = deep mean accuracy rises from 0 to "
    )
    assert about(said, "From ").endswith("at every level after depth = shallow.")
    assert about(said, "The slope").startswith(
        "The slope S_deep = A_deep / A_middle is significantly lower on "
    )
    assert about(said, "The first step").startswith(
        "The first step, A_middle - A_shallow, which no ratio can"
    )
    assert "the step from depth = shallow to middle is significantly larger" in about(said, "Images with")
    assert "to 0.700 at depth = shallow, against 0.512 on the adversarial images at depth = deep;" in about(
        said, "Candidates"
    )
    assert about(said, "The control sources").endswith("1.000 at depth = shallow to 0.920 at depth = deep.")
    assert said[-1].startswith("S_middle could not be tested.")
    assert "K" not in " ".join(said)
    crossing = [(0, 0.05, 0.6), (0, 0.06, 0.7), (0, 0.07, 0.65), (0, 0.05, 0.62)]
    assert about(sentences(crossing, FLAT, ladder=WORDS), "From ").endswith(
        "On the adversarial images it is lower at depth = middle and higher at depth = deep."
    )


def test_levels_and_steps_of_one_kind_are_told_together() -> None:
    ladder = Ladder("K", ("9", "7", "5", "3", "1"), (9, 7, 5, 3, 1))
    jitter = (0.0, 0.005, -0.004, 0.002)
    d = [(0.0, 0.2 + e, 0.4 - e, 0.5, 0.5 + e) for e in jitter]
    m = [(0.0, 0.1 - e, 0.2 + e, 0.5, 0.6 - e) for e in jitter]
    names: dict[str, Curves] = {
        "test": [(0.95,) * 5] * 4, "misclassified": m, "adversarial": d, "noise": m,
    }  # fmt: skip
    results = {
        run: metrics_from_curves(ladder, run, {name: by_run[run] for name, by_run in names.items()})
        for run in range(4)
    }
    said = experiment_statistics(Spec(dataset="mnist", runs=4, controls=("noise",)), results).verdict
    assert about(said, "From ").endswith(
        "On the adversarial images it is higher at K = 7 and 5, equal at K = 3 and lower at K = 1."
    )
    assert (
        "although by the corrected test the steps from K = 7 to 5 and K = 9 to 7 are significantly larger on them."
        in about(said, "Images with random noise")
    )


class Twin(OnePerSource):
    """A set of a plug-in that could account for the rise."""

    description = "twins of the adversarial images"
    counterpart = Counterpart(subject="Twins", conclusion="So twins do it too")

    @classmethod
    def remarks(cls, runs: list[RunMetrics]) -> str:
        """A sentence on the runs in which both have images."""
        return f"They come in {len(runs)} runs."


def test_a_plug_in_s_set_with_a_counterpart_takes_part_in_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETS._own, "twin", "")
    monkeypatch.setitem(SETS._loaded, "twin", Twin)
    said = sentences([*UP, EMPTY], [*FLAT, FLAT[0]], {"twin": [*UP, UP[0]]})
    assert said[0].endswith(
        "but as far or further still on the control twin: such a rise is not particular to adversarial examples."
    )
    assert about(said, "Twins") == (
        "Twins rise as far or further: to 0.512 at K = 1, against 0.512 on the adversarial images, over the 4 runs "
        "in which both have images; as far or further in 4 of 4 runs. They come in 4 runs. So twins do it too."
    )


def test_the_json_result_and_the_printed_tables_carry_the_verdict(tmp_path: Path) -> None:
    result = result_of(read_state(make_experiment(tmp_path, runs=3)))
    assert result.verdict[1].endswith("over 3 complete runs.")
    assert "signific" in " ".join(result.verdict)
    assert result.to_json()["verdict"] == list(result.verdict)
    assert " ".join(tables(result).split()).endswith(" ".join(" ".join(result.verdict).split()))
    assert max(map(len, tables(result).split("\n\n")[-1].splitlines())) <= 100


def test_a_journal_of_a_version_without_verdicts_gives_none(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=3)
    (path,) = experiment.journal.glob("*-coordinator.jsonl")
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for record in records:
        record.pop("verdict", None)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    result = result_of(read_state(experiment))
    assert result.verdict == ()
    assert "compared with" not in tables(result)
    assert result.tests


def test_an_experiment_without_results_has_no_verdict(tmp_path: Path) -> None:
    assert result_of(read_state(make_experiment(tmp_path, state="created"))).verdict == ()
