"""The verdict says what the intervals say, and no more: every number in it is derived here from made-up runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy import stats

from core.engine.statistics import experiment_statistics
from core.families.ladder import Ladder
from core.records.deciding import BiasVariance, CrossFit, Decomposition, Flips, LevelRobustness, Robustness
from core.records.events import StatisticsComputed
from core.records.metrics import RunMetrics
from core.records.state import read_state
from core.records.statistics import Claim
from core.report.result import result_of
from core.report.tables.text import tables
from core.sets.candidate_part import CandidatePart
from core.sets.matched import Matched
from core.sets.measured_set import Counterpart
from core.sets.registry import SETS, own_controls
from core.spec.spec import Spec
from core.statistics.decision import MARGIN, decision_of
from core.statistics.quantities import quantities
from core.verdict import verdict
from tests.fakes.curves import ATTACK_L2, N_TEST, N_TRAIN, Curve, metrics_from_curves
from tests.fakes.experiments import make_experiment
from tests.fakes.numbers import draw_metrics

Curves = Sequence[Curve]
"""One curve a run: accuracy at K = 5, 3, 1."""
LADDER = Ladder("K", ("5", "3", "1"), (5, 3, 1))
WORDS = Ladder("depth", ("shallow", "middle", "deep"))

UP = [(0, 0.30, 0.50), (0, 0.32, 0.55), (0, 0.28, 0.52), (0, 0.31, 0.48)]
FLAT = [(0, 0.10, 0.30), (0, 0.11, 0.33), (0, 0.09, 0.29), (0, 0.12, 0.31)]
FURTHER = [(0, a + 0.1, b + 0.1 + e) for (_, a, b), e in zip(UP, (0, 0.01, -0.01, 0), strict=True)]
TEST = (0.95, 0.96, 0.97)
EMPTY = (None, None, None)
CONTROLS = own_controls()

HIGH = (0.20, 0.21, 0.19, 0.20)
LOW = (0.10, 0.11, 0.10, 0.09)
WIDE = (0.55, -0.40, 0.50, -0.35)


@dataclass(frozen=True)
class Deciding:
    """What decides the claim in made-up runs, one value a run; None where a run has no images of that set.

    rise, fitted, bias: set -> the cross-fitted rise, the same selected at the fitted level, the fall of bias.
    own: the rise by the half that selected. success, worst_case: their change. flips: gained, lost, of how many.
    """

    rise: Mapping[str, Sequence[float | None]]
    bias: Mapping[str, Sequence[float]] = field(default_factory=dict)
    fitted: Mapping[str, Sequence[float]] = field(default_factory=dict)
    own: float = 0.5
    success: Sequence[float] = ()
    worst_case: Sequence[float] = ()
    flips: Sequence[tuple[int, int, int]] = ()
    noise_success: Sequence[float] = ()

    def of(self, metrics: RunMetrics) -> RunMetrics:
        """The metrics of a run with these."""
        run, ladder = metrics.index, metrics.ladder
        robustness = self._robustness(run, ladder, self.success) if self.success else None
        return replace(
            metrics,
            crossfit=self._crossfit(run, ladder, self.rise, -1),
            crossfit_fitted=self._crossfit(run, ladder, self.fitted, 0) if self.fitted else None,
            bias_variance=BiasVariance(
                **{name: self._falls(values[run], ladder) for name, values in self.bias.items()}, subsets=40
            )
            if self.bias
            else None,
            robustness=robustness.robustness if robustness else None,
            flips=robustness.flips if robustness else None,
            noise=self._robustness(run, ladder, self.noise_success) if self.noise_success else None,
        )

    def _crossfit(
        self, run: int, ladder: Ladder, rises: Mapping[str, Sequence[float | None]], end: int
    ) -> CrossFit:
        def levels(rise: float | None, start: float) -> dict[str, float | None]:
            values: dict[str, float | None] = {
                level: None if rise is None else start for level in ladder.levels
            }
            if rise is not None:
                values[ladder.levels[end]] = start + rise
            return values

        return CrossFit(
            **{name: levels(values[run], 0.4) for name, values in rises.items()},
            own={name: levels(self.own, 0.0) for name in rises},
            counts=dict.fromkeys(rises, (100, 100)),
        )

    @staticmethod
    def _falls(fall: float, ladder: Ladder) -> dict[str, Decomposition]:
        bias = dict.fromkeys(ladder.levels, 0.5) | {ladder.fitted: 0.5 - fall}
        return {
            level: Decomposition(bias=one, variance=0.1, unbiased=0.1, biased=0.1, error=one)
            for level, one in bias.items()
        }

    def _robustness(self, run: int, ladder: Ladder, success: Sequence[float]) -> Robustness:
        worst = self.worst_case[run] if self.worst_case else 0.0
        changes = {level: (0.0, 0.0) for level in ladder.levels} | {ladder.fitted: (success[run], worst)}
        gained, lost, n = self.flips[run] if self.flips else (0, 0, 0)
        return Robustness(
            robustness={
                level: LevelRobustness(accuracy=0.9, success=0.3 + one, worst_case=0.5 + other)
                for level, (one, other) in changes.items()
            },
            flips=Flips(gained=gained, lost=lost, n=n),
        )


AGAINST_THE_CLAIM = Deciding(
    rise={"adversarial": LOW, "misclassified": HIGH, "noise": LOW, "test": (0.001, 0.002, 0.001, 0.0)},
    fitted={"adversarial": HIGH, "misclassified": LOW, "noise": LOW},
    bias={"adversarial": LOW, "misclassified": HIGH, "noise": HIGH, "test": (0.01, 0.011, 0.01, 0.012)},
    success=(0.05, 0.06, 0.05, 0.04),
    worst_case=(-0.10, -0.11, -0.09, -0.10),
    flips=((10, 110, 1000), (12, 120, 1000), (11, 105, 1000), (9, 112, 1000)),
    noise_success=(0.001, 0.0, -0.001, 0.001),
)
FOR_THE_CLAIM = Deciding(
    rise={"adversarial": HIGH, "misclassified": LOW, "noise": LOW},
    bias={"adversarial": HIGH, "misclassified": LOW, "noise": LOW},
    success=(-0.05, -0.06, -0.05, -0.04),
    worst_case=(0.10, 0.11, 0.09, 0.10),
    flips=((110, 10, 1000), (120, 12, 1000), (105, 11, 1000), (112, 9, 1000)),
)
ALL_UNDECIDED = Deciding(
    rise={
        "adversarial": (0.4, -0.2, 0.3, -0.3),
        "misclassified": (0.1, 0.1, 0.2, 0.1),
        "noise": (0.0, 0.1, 0.2, 0.1),
    },
    bias={
        "adversarial": (0.4, -0.2, 0.3, -0.3),
        "misclassified": (0.1, 0.1, 0.2, 0.1),
        "noise": (0.0, 0.1, 0.2, 0.1),
    },
    success=(0.2, -0.2, 0.1, -0.15),
    worst_case=(0.2, -0.2, 0.1, -0.15),
    flips=((300, 10, 1000), (10, 300, 1000), (200, 10, 1000), (10, 150, 1000)),
)


def statistics(
    d: Curves,
    m: Curves,
    controls: Mapping[str, Curves] | None = None,
    deciding: Deciding | None = None,
    *,
    test: Curves | None = None,
    sizes: Mapping[str, int] | None = None,
    noise_l2: float | None = None,
    attack_figures: Mapping[str, float | None] | None = None,
    surrogate: float = 0.98,
    ladder: Ladder = LADDER,
    **spec_settings: Any,
) -> tuple[Spec, dict[int, RunMetrics], StatisticsComputed]:
    given_controls = controls or {}
    spec = Spec(dataset="mnist", controls=tuple(given_controls), **{"runs": len(d), **spec_settings})
    curves = {"test": test or [TEST] * len(d), "misclassified": m, "adversarial": d, **given_controls}
    results = {}
    for run in range(len(d)):
        metrics = metrics_from_curves(
            ladder,
            run,
            {name: by_run[run] for name, by_run in curves.items()},
            sizes=sizes,
            noise_l2=noise_l2,
        )
        metrics = replace(
            metrics,
            attack=replace(metrics.attack, **(attack_figures or {})),
            surrogate_accuracy=surrogate,
        )
        results[run] = deciding.of(metrics) if deciding else metrics
    return spec, results, experiment_statistics(spec, results)


def sentences(*curves: Any, **others: Any) -> list[str]:
    spec, results, found = statistics(*curves, **others)
    assert verdict(spec, list(results.values()), found.tests, found.claims) == found.verdict
    for paragraph in found.verdict:
        assert_well_formed(paragraph)
    return list(found.verdict)


def assert_well_formed(paragraph: str) -> None:
    """A paragraph begins and ends as one; nothing in it is left over from code."""
    assert re.fullmatch(r"[A-Z].*\.", paragraph), paragraph
    for slip in ("  ", "..", " ,", " .", " ;", "None", "nan", "inf", "{", "}", "-0.000", "()", "; .", ", ."):
        assert slip not in paragraph, (slip, paragraph)


def about(said: Sequence[str], begin: str) -> str:
    """The one paragraph that begins so."""
    (found,) = (sentence for sentence in said if sentence.startswith(begin))
    return found


def has(said: Sequence[str], begin: str) -> bool:
    return any(sentence.startswith(begin) for sentence in said)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Nadeau and Bengio's, from their formula."""
    half = stats.t.ppf(0.975, len(values) - 1) * stdev(values) * (1 / len(values) + N_TEST / N_TRAIN) ** 0.5
    return fmean(values) - half, fmean(values) + half


def told(values: Sequence[float]) -> str:
    """A mean with its interval, as it stands in a sentence."""
    low, high = interval(values)
    return f"{fmean(values):+z.3f} [{low:z.3f}, {high:z.3f}]"


def told_share(values: Sequence[float]) -> str:
    low, high = interval(values)
    return f"{fmean(values):z.0%} [{low:z.0%}, {high:z.0%}]"


def every_control(curves: Curves, names: Sequence[str] = CONTROLS) -> dict[str, Curves]:
    """These curves on every control, from its own end of the ladder."""
    mirrored = [tuple(reversed(curve)) for curve in curves]
    return {name: mirrored if SETS[name].selected_at == "fitted" else curves for name in names}


def less(first: Sequence[Any], second: Sequence[Any]) -> list[float]:
    return [a - b for a, b in zip(first, second, strict=True)]


def ends(curves: Curves) -> list[float]:
    """Accuracy at the fitted end of every run."""
    return [curve[-1] for curve in curves]  # type: ignore[misc]


def slope(curves: Curves, at: int = 2) -> list[float]:
    return [curve[at] / curve[at - 1] for curve in curves]  # type: ignore[operator]


def corrected_p(differences: Sequence[float]) -> float:
    """Nadeau and Bengio's test, from their formula."""
    j = len(differences)
    t = fmean(differences) / (stdev(differences) * (1 / j + N_TEST / N_TRAIN) ** 0.5)
    return float(2 * stats.t.sf(abs(t), j - 1))


def holm(one: float, other: float) -> float:
    """The first of two p-values, adjusted."""
    return min(1.0, 2 * one) if one < other else max(one, min(1.0, 2 * other))


class TestTheAnswerInShort:
    def test_what_speaks_against_the_claim_is_said_with_its_intervals(self) -> None:
        said = sentences(UP, FLAT, deciding=AGAINST_THE_CLAIM)
        flips = [(gained - lost) / n for gained, lost, n in AGAINST_THE_CLAIM.flips]
        share = [1 - rise / AGAINST_THE_CLAIM.own for rise in LOW]
        assert said[0] == (
            "In short: by the classifier that did not select the images, the rise of accuracy from K = 5 to K = 1 "
            f"is lower on adversarial images than on ordinary mistakes, which the claim does not predict "
            f"({told(less(LOW, HIGH))}); "
            "the fall of bias is lower on adversarial images, which the claim does not predict "
            f"({told(less(LOW, HIGH))}); without selection, robustness is lower at K = 1 than at K = 5, which the "
            f"claim does not predict ({told(flips)}); of the rise by the classifier that selected the adversarial "
            f"images, {told_share(share)} is selection."
        )

    def test_what_the_claim_predicts_is_said_so(self) -> None:
        said = sentences(FLAT, UP, deciding=FOR_THE_CLAIM)
        assert said[0].count(", as the claim predicts (") == 3
        assert "is higher on adversarial images than on ordinary mistakes, as the claim predicts" in said[0]
        assert "the fall of bias is higher on adversarial images" in said[0]
        assert "robustness is higher at K = 1 than at K = 5" in said[0]
        assert "not predict" not in said[0]

    def test_the_same_is_said_with_its_margin(self) -> None:
        alike = (0.101, 0.109, 0.101, 0.089)
        same = Deciding(
            rise={"adversarial": LOW, "misclassified": alike},
            bias={"adversarial": LOW, "misclassified": alike},
            success=(0.001, 0.002, 0.0, 0.001),
            flips=((10, 11, 1000), (12, 10, 1000), (9, 9, 1000), (8, 9, 1000)),
        )
        assert max(map(abs, interval(less(LOW, alike)))) < 0.02
        answer = sentences(UP, FLAT, deciding=same)[0]
        assert (
            "is the same within 0.02 on adversarial images as on ordinary mistakes, which the claim does not"
            in answer
        )
        assert "the fall of bias is the same within 0.02 on both, which" in answer
        assert "robustness is the same within 0.02 at K = 1 as at K = 5, which" in answer
        assert not re.search("higher|lower|undecided", answer)

    def test_wide_intervals_decide_nothing_whatever_the_means(self) -> None:
        said = sentences(UP, FLAT, deciding=ALL_UNDECIDED)
        answer, _, share = said[0].rpartition("; ")
        assert answer.count("it is undecided") == 3
        assert not re.search("higher|lower|same|predict", answer)
        shares = [1 - rise / 0.5 for rise in (0.4, -0.2, 0.3, -0.3)]
        assert share == f"what part of the rise is selection is undecided ({told_share(shares)})."

    def test_a_rise_that_is_all_fitting_has_no_part_of_selection(self) -> None:
        own = 0.2
        fitting = Deciding(
            rise={"adversarial": (0.2, 0.201, 0.199, 0.2), "misclassified": (0.1, 0.1, 0.11, 0.1)}, own=own
        )
        share = less([1.0] * 4, [rise / own for rise in (0.2, 0.201, 0.199, 0.2)])
        answer = sentences(UP, FLAT, deciding=fitting)[0]
        assert answer.endswith(f"; no part of the rise is selection ({told_share(share)}).")

    def test_what_does_not_vary_has_no_interval_and_is_undecided(self) -> None:
        constant = Deciding(rise={"adversarial": (0.2,) * 4, "misclassified": (0.1,) * 4})
        said = sentences(UP, FLAT, deciding=constant)
        assert "it is undecided whether the rise of accuracy" in said[0]
        assert "(+0.100 [no interval: exactly the same in every run])" in said[0]
        assert "; runs that differ for the cross-fitted change" in said[-1] or said[-1].startswith(
            "What would decide what is undecided: runs that differ for the cross-fitted change"
        )

    @pytest.mark.parametrize(("runs", "there"), [(1, "there is 1"), (2, "there are 2")])
    def test_one_or_two_runs_decide_nothing(self, runs: int, there: str) -> None:
        controls = every_control(UP[:runs])
        said = sentences(UP[:runs], FLAT[:runs], controls, AGAINST_THE_CLAIM)
        assert said[0] == f"In short: nothing is decided yet, since that takes 3 complete runs and {there}."
        plural = "s" if runs > 1 else ""
        assert f"With {runs} complete run{plural} no test is possible yet: it takes 3." in said
        text = " ".join(said)
        assert not re.search(
            r"higher|lower|same within|undecided|signific|p = |not be tested|no adversary|account|\[|interval",
            text,
        )
        rise = fmean(LOW[:runs])
        assert f"by {rise:+.3f} on the adversarial images" in about(said, "Cross-fitted")

    def test_results_that_did_not_measure_it_say_so_and_claim_nothing(self) -> None:
        said = sentences(UP, FLAT, {"noise": UP})
        assert said[0] == (
            "In short: these runs have not measured what decides the claim. What follows is the comparison that "
            "the paper makes, in which an image is measured by the classifier that selected it."
        )
        assert not has(said, "Cross-fitted")
        assert not has(said, "Bias")
        assert not has(said, "Without selection")

    def test_what_a_family_cannot_measure_is_left_out(self) -> None:
        no_bias = Deciding(rise=AGAINST_THE_CLAIM.rise)
        said = sentences(UP, FLAT, deciding=no_bias)
        assert "bias" not in " ".join(said)
        assert "robustness" not in said[0]
        assert "is lower on adversarial images" in said[0]

    def test_runs_without_images_in_one_of_the_sets_are_counted(self) -> None:
        some = Deciding(rise={"adversarial": (*HIGH[:3], None), "misclassified": LOW})
        said = sentences(UP, FLAT, deciding=some)
        differences = less(HIGH[:3], LOW[:3])
        assert about(said, "On the adversarial images this change") == (
            f"On the adversarial images this change is higher than on the misclassified ones ({told(differences)}; "
            "over 3 runs)."
        )
        few = Deciding(rise={"adversarial": (*HIGH[:2], None, None), "misclassified": LOW})
        said = sentences(UP, FLAT, deciding=few)
        assert (
            f"({fmean(less(HIGH[:2], LOW[:2])):+.3f} [no interval]; the claim predicts higher; over 2 runs)"
            in about(said, "On the adversarial images this change")
        )
        assert f"({fmean(less(HIGH[:2], LOW[:2])):+.3f} [no interval])" in said[0]
        assert "3 runs in which both sets have images for the cross-fitted change" in said[-1]


CLAUSES = {
    "crossfit_rise": (("adversarial", "misclassified"), "by the classifier that did not select"),
    "bias_fall": (("adversarial", "misclassified"), "bias"),
    "flips": (("adversarial",), "without selection"),
}
ENDS = st.floats(-1.5, 1.5).map(lambda end: round(end, 4))
INTERVALS = st.one_of(
    st.tuples(ENDS, ENDS).map(lambda pair: (min(pair), max(pair))),
    st.tuples(st.floats(-0.03, 0.03), st.floats(-0.03, 0.03)).map(lambda pair: (min(pair), max(pair))),
    st.floats(-1e6, 1e6).map(lambda end: (-abs(end), abs(end))),
    st.none(),
)


@st.composite
def random_claims(draw: st.DrawFn) -> list[Claim]:
    """Of any of the quantities, decided by their intervals."""
    found = []
    for quantity in quantities(LADDER, CONTROLS):
        if draw(st.booleans()) and quantity.name not in CLAUSES:
            continue
        ends_ = draw(INTERVALS)
        found.append(
            Claim(
                name=quantity.name,
                sets=quantity.sets,
                estimate=0.5 if ends_ is None else sum(ends_) / 2,
                ci95=ends_,
                margin=MARGIN,
                decision=decision_of(ends_, MARGIN),
                n=draw(st.integers(3, 4)),
                reason="zero_variance" if ends_ is None else None,
            )
        )
    return found


def decisions_in(text: str) -> set[str]:
    return set(re.findall(r"\b(higher|lower|same(?= within)|undecided)\b", text))


class TestWordsAndDecisions:
    spec, results, _ = statistics(UP, FLAT, every_control(UP), AGAINST_THE_CLAIM)

    @pytest.mark.slow
    @settings(max_examples=150)
    @given(claims=random_claims())
    def test_the_words_in_short_are_those_of_the_decisions(self, claims: list[Claim]) -> None:
        answer = verdict(self.spec, list(self.results.values()), [], claims)[0]
        by_name = {(claim.name, claim.sets): claim for claim in claims}
        *clauses, last = answer.removeprefix("In short: ").removesuffix(".").split("; ")
        share = by_name.get(("selection_share", ("adversarial",)))
        assert len(clauses) == (3 if share is not None else 2)
        clauses += [last] if share is None else []
        for (name, (sets, sign)), clause in zip(CLAUSES.items(), clauses, strict=True):
            claim = by_name[name, sets]
            assert sign in clause
            assert decisions_in(clause) == {claim.decision}
            assert ("as the claim predicts" in clause) == (claim.decision == "higher")
            assert ("which the claim does not predict" in clause) == (claim.decision in ("lower", "same"))
        assert ("what part" in last) == (share is not None and share.decision == "undecided")
        assert (last.endswith(" is selection")) == (share is not None and share.decision == "higher")
        assert ("no part" in last) == (share is not None and share.decision in ("lower", "same"))

    @pytest.mark.slow
    @settings(max_examples=100)
    @given(claims=random_claims())
    def test_every_estimate_stands_beside_its_decision_alone(self, claims: list[Claim]) -> None:
        said = verdict(self.spec, list(self.results.values()), [], claims)
        for paragraph in said:
            assert_well_formed(paragraph)
        rises = {
            claim.sets[1]: claim
            for claim in claims
            if claim.name == "rise" and claim.sets[0] == "adversarial"
        }
        for name in ("noise", "noise-matched", "matched"):
            (paragraph,) = (one for one in said if f"({name})" in one and "rise to" in one)
            decision = rises[name].decision if name in rises else None
            assert decisions_in(paragraph) == ({decision} if decision else set())
            assert ("needs no adversary" in paragraph) == (decision in ("lower", "same"))
            assert ("does not account for all of it" in paragraph) == (decision == "higher")

    @pytest.mark.slow
    @settings(max_examples=60)
    @given(wide=st.floats(0.1, 1e6))
    def test_where_nothing_is_decided_no_other_word_is_said(self, wide: float) -> None:
        claims = [
            Claim(name=q.name, sets=q.sets, estimate=wide / 3, ci95=(-wide, 5 * wide / 3), margin=MARGIN,
                  decision="undecided", n=4)
            for q in quantities(LADDER, CONTROLS)
        ]  # fmt: skip
        said = verdict(self.spec, list(self.results.values()), [], claims)
        text = " ".join(sentence for sentence in said if not sentence.startswith("The paper's"))
        assert decisions_in(text.replace("the claim predicts higher", "")) == {"undecided"}
        assert "adversary:" not in text
        assert "needs no adversary" not in text


class TestAttack:
    def test_an_attack_that_hardly_fools_its_own_target_is_said_first(self) -> None:
        figures = {"surrogate_fooled": 0.0086, "target_hit": 0.0004}
        said = sentences(
            UP,
            FLAT,
            deciding=AGAINST_THE_CLAIM,
            attack="deepfool",
            options={"bound": "clip"},
            attack_figures=figures,
        )
        assert said[0] == (
            "First of all, the attack hardly fools its own target, the surrogate: keep that in mind with all that "
            "follows. The surrogate gets 0.980 of the test images right; 0.86% of the candidates fool it, and "
            "0.04% reach the class that they aim at."
        )
        assert said[1].startswith("In short: ")
        assert not has(said, "The surrogate gets")

    def test_an_attack_that_fools_but_misses_its_aim_is_said_first(self) -> None:
        said = sentences(UP, FLAT, attack_figures={"surrogate_fooled": 0.11, "target_hit": 0.03})
        assert said[0].startswith("First of all, the attack hardly reaches the classes that it aims at: keep")

    def test_a_poor_surrogate_is_said_first(self) -> None:
        said = sentences(UP, FLAT, surrogate=0.312)
        assert said[0].startswith("First of all, the surrogate that it is made on is a poor classifier: keep")
        assert (
            "The surrogate gets 0.312 of the test images right; 50.00% of the candidates fool it." in said[0]
        )
        both = sentences(UP, FLAT, surrogate=0.312, attack_figures={"surrogate_fooled": 0.02})
        assert (
            "target, the surrogate and the surrogate that it is made on is a poor classifier: keep" in both[0]
        )

    def test_a_poor_surrogate_without_candidates_has_no_share_of_them(self) -> None:
        said = sentences([EMPTY] * 3, FLAT[:3], surrogate=0.2, attack_figures={"surrogate_fooled": None})
        assert said[0].endswith("The surrogate gets 0.200 of the test images right.")

    def test_an_attack_that_works_is_told_after_what_was_compared(self) -> None:
        said = sentences(UP, FLAT, attack_figures={"surrogate_fooled": 0.5651, "target_hit": 0.2125})
        assert said[2] == (
            "The surrogate gets 0.980 of the test images right; 56.51% of the candidates fool it, and 21.25% reach "
            "the class that they aim at."
        )
        assert not has(said, "First of all")

    def test_the_warning_begins_under_a_tenth(self) -> None:
        assert has(sentences(UP, FLAT, attack_figures={"surrogate_fooled": 0.0999}), "First of all")
        assert not has(sentences(UP, FLAT, attack_figures={"surrogate_fooled": 0.1}), "First of all")
        assert not has(sentences(UP, FLAT, surrogate=0.5), "First of all")

    def test_noise_as_the_attack_is_a_control_and_concludes_nothing(self) -> None:
        controls = {"noise": UP, "noise-matched": UP, "matched": FLAT}
        said = sentences(
            UP, FLAT, controls, AGAINST_THE_CLAIM, attack="noise", attack_figures={"surrogate_fooled": 0.01}
        )
        assert said[0].startswith("In short: by the classifier")
        assert said[0].endswith(
            " This attack follows no gradient: what it makes is a control itself, and speaks neither for nor "
            "against the claim."
        )
        text = " ".join(said)
        for word in (
            "First of all",
            "claim predict",
            "the claim does not",
            "needs no adversary",
            "account for all",
        ):
            assert word not in text
        assert not has(said, "Images with random noise")
        assert has(said, "Misclassified test images that are wrong by the same margin (matched) rise")
        assert (
            "The controls noise and noise-matched draw anew what this attack draws, and so are no control of it."
            in text
        )
        alone = sentences(UP, FLAT, {"noise": UP}, attack="noise")
        assert "The control noise draws anew what this attack draws, and so is no control of it." in " ".join(
            alone
        )


class TestScope:
    def test_after_the_answer_comes_what_was_compared_over_how_many_runs(self) -> None:
        assert sentences(UP, FLAT)[1] == (
            "FGSM, targeted, epsilon 0.1, on mnist, K 5 to 1: the adversarial images are compared with the "
            "misclassified test images over 4 complete runs."
        )
        assert sentences(UP, FLAT, runs=12)[1].endswith("over 4 complete runs of 12.")
        assert sentences(UP[:1], FLAT[:1], runs=2)[1].endswith("over 1 complete run of 2.")

    def test_two_sets_are_compared_over_the_runs_in_which_both_have_images(self) -> None:
        said = sentences([UP[0], UP[1]], [UP[0], EMPTY])
        assert said[1].endswith(
            "are compared with the misclassified test images over the 1 of 2 complete runs in which both have "
            "images (1 run has no misclassified image)."
        )
        said = sentences([*UP[:3], EMPTY], [EMPTY, *FLAT[1:]], runs=12)
        assert said[1].endswith(
            "over the 2 of 4 complete runs of 12 in which both have images (1 run has no adversarial and 1 run has "
            "no misclassified image)."
        )
        ours, theirs = (UP[1][2] + UP[2][2]) / 2, (FLAT[1][2] + FLAT[2][2]) / 2
        assert (
            f"from 0 to {ours:.3f} on the adversarial images, from 0 to {theirs:.3f} on the misclassified"
            in about(said, "As the paper counts")
        )

    def test_the_sizes_of_the_sets_are_told_and_small_ones_with_a_caution(self) -> None:
        said = sentences(UP, FLAT)
        assert said[3] == "A run has 40 adversarial images from 20 sources, and 40 misclassified ones."
        assert "; with so few" not in sentences(UP, FLAT, sizes={"adversarial": 30})[3]
        said = sentences([UP[0], EMPTY], FLAT[:2], sizes={"adversarial": 3, "misclassified": 1200})
        assert said[3] == (
            "A run has 0 to 3 adversarial images from 0 to 2 sources, and 1,200 misclassified ones; with so few, "
            f"one image moves the accuracy of a run by up to {1 / 3:.3f} on the adversarial ones."
        )
        both = sentences(UP, FLAT, sizes={"adversarial": 29, "misclassified": 1})[3]
        assert both.endswith(
            f"by up to {1 / 29:.3f} on the adversarial ones and 1.000 on the misclassified ones."
        )
        assert (
            "A run has 1 adversarial image from 1 source, and 1 misclassified one; "
            in (sentences(UP, FLAT, sizes={"adversarial": 1, "misclassified": 1})[3])
        )

    def test_an_empty_set_leaves_nothing_to_compare(self) -> None:
        nothing = [EMPTY] * 4
        said = sentences(nothing, FLAT, {"noise": UP, "fooled": nothing}, AGAINST_THE_CLAIM)
        assert "No candidate became adversarial, so there is nothing to compare." in said
        assert "A run has 0 adversarial images from 0 sources, and 40 misclassified ones." in said
        assert not has(said, "Images with random noise")
        assert not has(said, "The paper's")
        said = sentences(UP, nothing)
        assert has(
            said, "No test image is misclassified, so there is nothing to compare the adversarial images with"
        )
        assert not has(said, "The paper's first result")
        assert has(said, "The paper's second result")
        halves = [*UP[:2], *nothing[:2]], [*nothing[:2], *FLAT[:2]]
        assert has(sentences(*halves), "No run has both adversarial and misclassified images")

    def test_without_a_complete_run_there_is_no_verdict(self) -> None:
        assert verdict(Spec(dataset="mnist", controls=()), [], [], []) == ()


class TestThePaper:
    def test_its_rise_is_told_with_both_comparisons_and_decided_by_intervals(self) -> None:
        test = [(0.95, 0.96, 0.97), (0.95, 0.96, 0.98), (0.94, 0.95, 0.95), (0.96, 0.96, 0.97)]
        change = [curve[2] - curve[0] for curve in test]
        said = about(sentences(UP, FLAT, test=test), "As the paper counts")
        assert said == (
            "As the paper counts, by the classifier that selected, from K = 5 to K = 1 accuracy goes from 0 to "
            f"{fmean(ends(UP)):.3f} on the adversarial images, from 0 to {fmean(ends(FLAT)):.3f} on the "
            f"misclassified ones and from {fmean(c[0] for c in test):.3f} to {fmean(ends(test)):.3f} on the whole "
            "test set; the change on the adversarial images, with its selection in it, is higher than on the "
            f"misclassified ones ({told(less(ends(UP), ends(FLAT)))}) and on the whole test set "
            f"({told(less(ends(UP), change))})."
        )
        assert "is lower than on the misclassified ones" in about(sentences(FLAT, UP), "As the paper")
        assert "and higher than on the whole test set (" in about(sentences(FLAT, UP), "As the paper")

    def test_a_mean_that_is_larger_is_not_called_so(self) -> None:
        noisy = [(0, 0.3, 0.9), (0, 0.3, 0.2), (0, 0.2, 0.8), (0, 0.3, 0.3)]
        assert fmean(ends(noisy)) > fmean(ends(FLAT))
        said = about(sentences(noisy, FLAT), "As the paper counts")
        assert f"undecided against the misclassified ones ({told(less(ends(noisy), ends(FLAT)))})" in said

    def test_slopes_that_differ_by_welchs_test_meet_its_first_result(self) -> None:
        ours, theirs = slope(UP), slope(FLAT)
        welch = stats.ttest_ind(ours, theirs, equal_var=False).pvalue
        p = corrected_p(less(ours, theirs))
        assert max(welch, p) < 0.05
        assert about(sentences(UP, FLAT), "The paper's first") == (
            "The paper's first result, slopes that differ from those on the misclassified ones by Welch's test, is "
            f"met: S_1 ({fmean(less(ours, theirs)):+.3f}, p = {welch:.2g}, corrected and Holm-adjusted {p:.2g}) is "
            "significantly lower."
        )
        other = about(sentences(FLAT, UP), "The paper's first")
        assert "is met: S_1 (+" in other
        assert other.endswith(") is significantly higher.")

    def test_its_second_result_asks_for_the_direction(self) -> None:
        flatter = [(0, 0.5, 0.4), (0, 0.5, 0.41), (0, 0.5, 0.39), (0, 0.5, 0.42)]
        test = [(0.95, 0.96, 0.97), (0.95, 0.96, 0.98), (0.94, 0.95, 0.95), (0.96, 0.96, 0.97)]
        differences = less(slope(flatter), slope(test))
        welch = stats.ttest_ind(slope(flatter), slope(test), equal_var=False).pvalue
        assert about(sentences(flatter, FLAT, test=test), "The paper's second") == (
            "The paper's second result, slopes that are higher than those on the whole test set, is not met: S_1 "
            f"({fmean(differences):+.3f}, p = {welch:.2g}, corrected and Holm-adjusted "
            f"{corrected_p(differences):.2g}) is significantly lower."
        )
        met = about(sentences(UP, FLAT), "The paper's second")
        assert ", is met: S_1 (+" in met
        assert met.endswith(") is significantly higher.")

    def test_what_only_welchs_test_finds_is_not_called_significant(self) -> None:
        d = [(0, 0.3, 0.3 * s) for s in (1.51, 1.58, 1.73, 1.62)]
        m = [(0, 0.3, 0.3 * s) for s in (1.45, 1.44, 1.46, 1.43)]
        assert corrected_p(less(slope(d), slope(m))) > 0.05
        assert stats.ttest_ind(slope(d), slope(m), equal_var=False).pvalue < 0.05
        said = about(sentences(d, m), "The paper's first")
        assert "is met: S_1 (+" in said
        assert said.endswith(") is higher by Welch's test alone.")
        assert "significant" not in said

    def test_what_only_the_corrected_test_finds_does_not_meet_it(self) -> None:
        shifts = (0.0, 0.3, 0.6, 0.9)
        d = [
            (0, 0.3, 0.3 * (1.0 + s + 0.05 + e))
            for s, e in zip(shifts, (0, 0.002, -0.002, 0.001), strict=True)
        ]
        m = [(0, 0.3, 0.3 * (1.0 + s)) for s in shifts]
        assert corrected_p(less(slope(d), slope(m))) < 0.05
        assert stats.ttest_ind(slope(d), slope(m), equal_var=False).pvalue > 0.05
        said = about(sentences(d, m), "The paper's first")
        assert "is not met: S_1 (+" in said
        assert said.endswith(") is significantly higher by the corrected test alone.")

    def test_what_no_test_finds_is_undecided(self) -> None:
        d = [(0, 0.3, 0.5), (0, 0.3, 0.4), (0, 0.3, 0.6), (0, 0.3, 0.45)]
        m = [(0, 0.3, 0.45), (0, 0.3, 0.5), (0, 0.3, 0.5), (0, 0.3, 0.44)]
        said = about(sentences(d, m), "The paper's first")
        assert "is not met: S_1 (+" in said
        assert said.endswith(") is undecided.")
        assert not re.search("higher|lower|signific", said)

    def test_one_of_two_slopes_meets_it_in_part_and_holm_counts_both(self) -> None:
        tails = (1.5, 1.3, 1.6, 1.4), (1.45, 1.4, 1.5, 1.35)
        d = [
            (0.0, 0.1, 0.2 * s, 0.2 * s * e) for s, e in zip((1.40, 1.52, 1.70, 1.58), tails[0], strict=True)
        ]
        m = [
            (0.0, 0.1, 0.2 * s, 0.2 * s * e) for s, e in zip((1.20, 1.22, 1.18, 1.21), tails[1], strict=True)
        ]
        ladder = Ladder("K", ("7", "5", "3", "1"), (7, 5, 3, 1))
        p = corrected_p(less(slope(d), slope(m)))
        other = corrected_p(less(slope(d, 3), slope(m, 3)))
        assert p < 0.05 < holm(p, other)
        said = about(sentences(d, m, test=[(0.95, 0.95, 0.96, 0.97)] * 4, ladder=ladder), "The paper's first")
        assert ", is met in part: S_1 (" in said
        assert ") is undecided and S_3 (+" in said
        assert said.endswith(") is higher by Welch's test alone.")
        assert f"corrected and Holm-adjusted {holm(p, other):.2g})" in said

    def test_the_slopes_of_a_long_ladder_are_told_without_figures(self) -> None:
        levels = tuple(str(k) for k in range(15, 0, -2))
        jitter = (0.0, 0.004, -0.003, 0.002)

        def curves(first: float, factor: float, spread: float) -> list[Curve]:
            return [(0.0, *(first * (factor + e * spread) ** step for step in range(7))) for e in jitter]

        d, m = curves(0.3, 1.05, 1), curves(0.1, 1.3, 0.5)
        said = sentences(d, m, test=[(0.95,) * 8] * 4, ladder=Ladder("K", levels))
        assert about(said, "The paper's first").endswith(
            "is met: S_1, S_3, S_5, S_7, S_9 and S_11 are significantly lower."
        )
        assert "points against" not in " ".join(said)

    def test_many_differences_against_their_slopes_are_counted(self) -> None:
        levels = tuple(str(k) for k in range(15, 0, -2))
        jitter = (0.0, 0.004, -0.003, 0.002)
        d = [(0.0, *(0.30 + 0.1 * step + e for step in range(7))) for e in jitter]
        m = [(0.0, *(0.02 + 0.05 * step + e / 2 for step in range(7))) for e in jitter]
        said = sentences(d, m, test=[(0.95,) * 8] * 4, ladder=Ladder("K", levels))
        slower = sum(
            fmean(c[at] / c[at - 1] for c in d) < fmean(c[at] / c[at - 1] for c in m) for at in range(2, 8)
        )
        assert slower == 6
        assert about(said, "By the corrected test, where no slope exists").endswith(
            "; the differences of 6 steps point against the direction of their slopes: a slope divides by the "
            "accuracy before it."
        )

    def test_slopes_that_do_not_exist_are_not_tested(self) -> None:
        never = [(0, 0.0, 0.3), (0, 0.0, 0.35), (0, 0.0, 0.31), (0, 0.0, 0.3)]
        said = sentences(never, FLAT)
        assert about(said, "The paper's first").endswith("is not tested, since no slope can be.")
        assert has(said, "What could not be tested: S_1, since accuracy at the next more general level is 0")
        last = less([c[2] - c[1] for c in never], [c[2] - c[1] for c in FLAT])
        first = less([c[1] for c in never], [c[1] for c in FLAT])
        p, other = corrected_p(last), corrected_p(first)
        assert about(said, "By the corrected test").startswith(
            "By the corrected test, where no slope exists, A_1 - A_3 is "
            f"{'significantly higher on the adversarial images' if holm(p, other) < 0.05 else 'undecided'} "
            f"({fmean(last):+.3f}, p = {holm(p, other):.2g}) and A_3 - A_5 is significantly lower"
        )

    def test_the_first_step_which_no_ratio_can_express_is_tested_as_a_difference(self) -> None:
        first = less([c[1] for c in UP], [c[1] for c in FLAT])
        last = less([c[2] - c[1] for c in UP], [c[2] - c[1] for c in FLAT])
        p = holm(corrected_p(first), corrected_p(last))
        assert about(sentences(UP, FLAT), "By the corrected test").startswith(
            "By the corrected test, where no slope exists, A_3 - A_5 is significantly higher on the adversarial "
            f"images ({fmean(first):+.3f}, p = {p:.2g}); "
        )

    def test_a_difference_that_points_the_other_way_than_its_ratio_is_told(self) -> None:
        d = [(0, 0.40, 0.70), (0, 0.42, 0.73), (0, 0.38, 0.69), (0, 0.41, 0.72)]
        last = less([c[2] - c[1] for c in d], [c[2] - c[1] for c in FLAT])
        first = less([c[1] for c in d], [c[1] for c in FLAT])
        p = holm(corrected_p(last), corrected_p(first))
        assert p < 0.05
        assert about(sentences(d, FLAT), "By the corrected test, where no slope exists").endswith(
            f"; against the direction of S_1, which divides by {fmean(c[1] for c in d):.3f} on the adversarial "
            f"images and by {fmean(c[1] for c in FLAT):.3f} on the misclassified ones, the difference A_1 - A_3 is "
            f"significantly higher on the adversarial images ({fmean(last):+.3f}, p = {p:.2g})."
        )
        agreeing = [(0, 0.1, 0.40), (0, 0.11, 0.45), (0, 0.09, 0.41), (0, 0.12, 0.44)]
        assert "gainst the direction" not in " ".join(sentences(agreeing, FLAT))

    def test_runs_whose_slope_does_not_exist_are_counted_out(self) -> None:
        m = [*FLAT[:3], (0, 0.0, 0.2)]
        assert "S_1 (over 3 runs, " in about(sentences(UP, m), "The paper's first")

    def test_what_could_not_be_tested_is_told_with_the_reason(self) -> None:
        said = sentences(UP, FLAT)
        assert (
            "What could not be tested: S_3, since the set was selected so that accuracy at the most general level "
            "is 0: dividing by it says nothing."
        ) in said
        same = [(0, 0.3, 0.6)] * 4
        assert about(sentences(same, same), "What could not").startswith(
            "What could not be tested: S_1, since the values do not vary over the runs, so a t statistic does not "
            "exist; S_3, since the set was selected so"
        )

    def test_everything_the_same_decides_nothing_and_says_so(self) -> None:
        same = [(0, 0.3, 0.6)] * 4
        deciding = Deciding(rise={"adversarial": (0.1,) * 4, "misclassified": (0.1,) * 4})
        said = sentences(same, same, {"noise": same, "matched": same}, deciding)
        text = " ".join(said)
        assert not re.search(r"\bhigher (than on the misc|\()|lower|same within|signific", text)
        constant = "(+0.000 [no interval: exactly the same in every run])"
        assert f"undecided against the misclassified ones {constant}" in text
        assert f"which rises further is undecided {constant}." in text
        assert about(said, "What would decide").endswith(
            "runs that differ for the cross-fitted change, the paper's rise, the control noise and the control "
            "matched."
        )


class TestWhatDecides:
    said = sentences(UP, FLAT, deciding=AGAINST_THE_CLAIM)

    def test_the_cross_fitted_change_is_told_of_every_set_with_its_selection(self) -> None:
        found = AGAINST_THE_CLAIM
        share = {name: [1 - rise / found.own for rise in rises] for name, rises in found.rise.items()}  # type: ignore[operator]
        assert about(self.said, "Cross-fitted") == (
            "Cross-fitted, that is selected by the classifier of one half of the training images and measured by "
            f"that of the other, accuracy changes from K = 5 to K = 1 by {told(LOW)} on the adversarial images, "
            f"{told(HIGH)} on the misclassified ones, {told(LOW)} on images with random noise and "
            f"{told((0.001, 0.002, 0.001, 0.0))} on the whole test set; of the rise by the classifier "
            f"that selected, selection is {told_share(share['adversarial'])} on the adversarial images, "
            f"{told_share(share['misclassified'])} on the misclassified ones and "
            f"{told_share(share['noise'])} on images with random noise."
        )

    def test_the_decisions_on_it_say_what_the_claim_predicts(self) -> None:
        zero = less(LOW, LOW)
        assert zero == [0.0] * 4
        assert about(self.said, "On the adversarial images this change") == (
            "On the adversarial images this change is lower than on the misclassified ones "
            f"({told(less(LOW, HIGH))}; the claim predicts higher) and undecided against images with random noise "
            "(+0.000 [no interval: exactly the same in every run]); selected at K = 1 instead and "
            "measured back to K = 5, it is higher than "
            f"on the misclassified ones ({told(less(HIGH, LOW))})."
        )
        agreed = sentences(UP, FLAT, deciding=FOR_THE_CLAIM)
        assert about(agreed, "On the adversarial images this change") == (
            "On the adversarial images this change is higher than on the misclassified ones "
            f"({told(less(HIGH, LOW))}) and on images with random noise ({told(less(HIGH, LOW))})."
        )

    def test_bias_is_told_of_every_set_and_decided_on_two(self) -> None:
        assert about(self.said, "Bias") == (
            "Bias, on random halves of the half that did not select, falls from K = 5 to K = 1 by "
            f"{told(LOW)} on the adversarial images, {told(HIGH)} on the misclassified ones, {told(HIGH)} on "
            f"images with random noise and {told((0.01, 0.011, 0.01, 0.012))} on the whole test set; on the "
            f"adversarial images this fall is lower than on the misclassified ones ({told(less(LOW, HIGH))}; the "
            f"claim predicts higher) and on images with random noise ({told(less(LOW, HIGH))})."
        )

    def test_robustness_is_told_without_selection(self) -> None:
        found = AGAINST_THE_CLAIM
        gained, lost = sum(one[0] for one in found.flips), sum(one[1] for one in found.flips)
        flips = [(one[0] - one[1]) / one[2] for one in found.flips]
        against_noise = less(found.success, found.noise_success)
        assert about(self.said, "Without selection") == (
            "Without selection, over all candidates of all test images, from K = 5 to K = 1 the attack's success "
            f"changes by {told(found.success)} (higher), which against that of random noise of epsilon is higher "
            f"({told(against_noise)}), and the share of test images that stay right under all their candidates by "
            f"{told(found.worst_case)} (lower); the claim predicts less of the first and more of the second. Of "
            f"the candidates whose source both get right, {gained} are right at K = 1 only and {lost} at K = 5 "
            f"only, over all runs; as shares these differ by {told(flips)} (lower)."
        )

    def test_opposite_signs_are_told_as_they_are(self) -> None:
        mixed = Deciding(
            rise={"adversarial": HIGH, "misclassified": LOW},
            bias={"adversarial": LOW, "misclassified": HIGH},
            success=FOR_THE_CLAIM.success,
            flips=AGAINST_THE_CLAIM.flips,
        )
        rise, bias, flips, _ = sentences(UP, FLAT, deciding=mixed)[0].split("; ")
        assert "is higher on adversarial images than on ordinary mistakes, as the claim predicts" in rise
        assert "is lower on adversarial images, which the claim does not predict" in bias
        assert "is lower at K = 1 than at K = 5, which the claim does not predict" in flips

    def test_a_share_of_selection_that_is_huge_is_told_as_undecided(self) -> None:
        tiny = Deciding(rise={"adversarial": WIDE, "misclassified": LOW}, own=0.001)
        answer = sentences(UP, FLAT, deciding=tiny)[0]
        shares = [1 - one / 0.001 for one in WIDE]
        assert answer.endswith(f"; what part of the rise is selection is undecided ({told_share(shares)}).")


class TestControls:
    def test_noise_that_rises_further_shows_that_a_rise_needs_no_adversary(self) -> None:
        said = about(sentences(UP, FLAT, {"noise": FURTHER}), "Images with random noise")
        assert said == (
            f"Images with random noise of epsilon in every pixel (noise), selected alike, rise to "
            f"{fmean(ends(FURTHER)):.3f} at K = 1, against {fmean(ends(UP)):.3f} on the adversarial images; "
            f"the rise on the adversarial images is lower ({told(less(ends(UP), ends(FURTHER)))}): such a "
            "rise needs no adversary."
        )

    def test_noise_that_rises_less_does_not_account_for_all_of_it(self) -> None:
        said = about(sentences(UP, FLAT, {"noise-matched": FLAT}), "Images with random noise")
        assert said == (
            "Images with random noise of the norm of the attack's own change (noise-matched), selected alike, rise "
            f"to {fmean(ends(FLAT)):.3f} at K = 1, against {fmean(ends(UP)):.3f} on the adversarial images; the "
            f"rise on the adversarial images is higher ({told(less(ends(UP), ends(FLAT)))}): this control does not "
            "account for all of it."
        )

    def test_the_same_rise_within_the_margin_needs_no_adversary_either(self) -> None:
        alike = [(0, a, b + e) for (_, a, b), e in zip(UP, (0.001, 0, 0.002, -0.001), strict=True)]
        said = about(sentences(UP, FLAT, {"noise": alike}), "Images with random noise")
        assert (
            f"is the same within 0.02 ({told(less(ends(UP), ends(alike)))}): such a rise needs no adversary."
            in said
        )

    def test_a_larger_mean_of_a_control_concludes_nothing(self) -> None:
        wild = [(0, a, b + e) for (_, a, b), e in zip(UP, (0.3, -0.2, 0.4, -0.1), strict=True)]
        assert fmean(ends(wild)) > fmean(ends(UP))
        said = about(sentences(UP, FLAT, {"noise": wild}), "Images with random noise")
        assert said.endswith(f"; which rises further is undecided ({told(less(ends(UP), ends(wild)))}).")

    def test_how_much_noise_changes_an_image_is_told_where_it_differs(self) -> None:
        said = about(sentences(UP, FLAT, {"noise": FURTHER}, noise_l2=2.25), "Images with random noise")
        assert (
            f" rise to {fmean(ends(FURTHER)):.3f} at K = 1 (they change an image by 2.25 in L2 on average, the "
            f"attack's candidates by "
            f"{ATTACK_L2:.2f}), against"
        ) in said
        for l2 in (ATTACK_L2, None):
            assert "L2" not in about(
                sentences(UP, FLAT, {"noise": UP}, noise_l2=l2), "Images with random noise"
            )

    def test_matched_images_are_counted_and_few_of_them_tell_little(self) -> None:
        sizes = {"distinct": 9}
        said = sentences(UP, FLAT, {"matched": FURTHER}, sizes=sizes)
        assert " at K = 1 (a run has 9 distinct ones of them, used in turn), against " in about(
            said, "Misclassified test images"
        )
        assert (
            "The control matched has fewer than 30 different images in some run, so that little follows from it."
            in said
        )
        assert not has(sentences(UP, FLAT, {"matched": UP}, sizes={"distinct": 30}), "The control matched")

    def test_a_control_is_compared_over_the_runs_in_which_it_has_images(self) -> None:
        d = [UP[0], UP[1], UP[2], EMPTY]
        noise: Curves = [EMPTY, UP[1], FURTHER[2], UP[3]]
        said = sentences(d, FLAT, {"noise": noise})
        theirs = (UP[1][2] + FURTHER[2][2]) / 2
        ours = (UP[1][2] + UP[2][2]) / 2
        difference = (UP[2][2] - FURTHER[2][2]) / 2
        assert about(said, "Images with random noise").endswith(
            f"rise to {theirs:.3f} at K = 1, against {ours:.3f} on the adversarial images, over the 2 runs in "
            f"which both have images; which rises further is undecided ({difference:+.3f} [no interval])."
        )
        never = sentences([UP[0], EMPTY], FLAT[:2], {"noise": [EMPTY, UP[1]]})
        assert "The control noise has images in no run in which the adversarial set has any." in never
        empty = sentences(UP, FLAT, {"noise": [EMPTY] * 4, "shuffled": [EMPTY] * 4, "fooled": UP})
        assert "The controls noise and shuffled have no images." in empty

    def test_the_shuffled_sets_tell_what_selection_alone_gives_and_stand_for_nothing_else(self) -> None:
        shuffled = [(0, 0.15, 0.3 + e) for e in (0, 0.01, -0.01, 0)]
        theirs = [(0, 0.08, 0.2 + e) for e in (0, 0.01, 0.01, 0)]
        controls = {"shuffled": shuffled, "misclassified-shuffled": theirs}
        said = about(sentences(UP, FLAT, controls), "Judged")
        assert said == (
            "Judged by the same training images in random order, so that nearness tells nothing, accuracy still "
            f"goes from 0 at K = 5 to {fmean(ends(shuffled)):.3f} on the adversarial images (shuffled) and "
            f"{fmean(ends(theirs)):.3f} on the misclassified ones (misclassified-shuffled) at K = 1: so much "
            "selection alone gives; the rise in true order, against that, is higher on the adversarial images "
            f"({told(less(ends(UP), ends(shuffled)))}) and on the misclassified ones "
            f"({told(less(ends(FLAT), ends(theirs)))})."
        )
        assert "adversary" not in said
        only = about(sentences(UP, FLAT, {"misclassified-shuffled": UP}), "Judged")
        assert only.endswith(
            f"{fmean(ends(UP)):.3f} on the misclassified ones (misclassified-shuffled) at K = 1: so much selection "
            f"alone gives; the rise in true order, against that, is lower on the misclassified ones "
            f"({told(less(ends(FLAT), ends(UP)))})."
        )
        too_few = about(sentences(UP[:2], FLAT[:2], {"shuffled": shuffled[:2]}), "Judged")
        assert too_few.endswith("(shuffled) at K = 1: so much selection alone gives.")

    def test_candidates_selected_at_the_other_end_are_no_evidence_against_the_adversary(self) -> None:
        reverse = [(0.7 + e, 0.4, 0) for e in (0, 0.01, -0.01, 0.0)]
        both = [(0, 0.4, 0.6 + e) for e in (0.01, 0, -0.01, 0)]
        back = [(0.6 + e, 0.4, 0) for e in (0.009, 0.001, -0.01, 0.001)]
        controls = {"reverse": reverse, "adversarial-both-ends": both, "reverse-both-ends": back}
        said = sentences(UP, FLAT, controls)
        opposite = [curve[0] for curve in back]
        assert about(said, "The attack's own candidates") == (
            "The attack's own candidates show what selection does, and are no evidence against adversarial images: "
            f"selected at K = 1 instead, they rise to {fmean(c[0] for c in reverse):.3f} as the knob is turned "
            "back to K = 5 (reverse), and the rise on the adversarial images, against that, is lower "
            f"({told(less(ends(UP), [c[0] for c in reverse]))}); of those from sources that both ends get right, "
            f"the ones selected at K = 5 rise to {fmean(ends(both)):.3f} (adversarial-both-ends), the ones "
            f"selected at K = 1 to {fmean(opposite):.3f} (reverse-both-ends), and the first rise, against that, is "
            f"the same within 0.02 ({told(less(ends(both), opposite))})."
        )
        assert "needs no adversary" not in " ".join(said)

    def test_the_reverse_set_of_older_results_has_no_equal(self) -> None:
        said = sentences(UP, FLAT, {"reverse-both-ends": [(0.7, 0.4, 0)] * 4})
        assert about(said, "The attack's own candidates").endswith(
            "selected at K = 1 instead, from sources that both ends get right, they rise to 0.700 "
            "(reverse-both-ends) as the knob is turned back to K = 5, which has no equal here: the sources of the "
            "adversarial images need to be right at K = 5 only."
        )

    def test_no_set_of_adversarial_candidates_ever_counts_against_them(self) -> None:
        names = [name for name in CONTROLS if SETS[name].adversarial_itself or "shuffled" in name]
        controls = every_control(FURTHER, names)
        assert {"reverse", "fooled", "one-per-source", "candidates", "adversarial-both-ends"} <= set(controls)
        text = " ".join(sentences(UP, FLAT, controls, AGAINST_THE_CLAIM))
        assert "adversary" not in text.replace("adversarial", "")
        assert "account" not in text

    def test_every_other_control_is_described_by_its_means_together(self) -> None:
        sources = [(1.0, 0.97, 0.92)] * 4
        said = sentences(UP, FLAT, {"sources": sources, "fooled": FLAT, "one-per-source": UP})
        assert about(said, "For description only") == (
            "For description only: from K = 5 to K = 1 accuracy goes from 1.000 to 0.920 on sources "
            f"({SETS['sources'].description}), from 0.000 to {fmean(ends(FLAT)):.3f} on fooled "
            f"({SETS['fooled'].description}) and from 0.000 to {fmean(ends(UP)):.3f} on one-per-source "
            f"({SETS['one-per-source'].description})."
        )

    def test_small_controls_are_named_by_those_that_are_not(self) -> None:
        names = ("noise", "noise-matched", "fooled", "one-per-source")
        controls: dict[str, Curves] = dict.fromkeys(names, UP)
        said = sentences(UP, FLAT, controls, sizes={name: 5 for name in names[:3]})
        end = "fewer than 30 different images in some run, so that little follows from them."
        assert f"All controls but one-per-source have {end}" in said
        assert f"All controls have {end}" in sentences(UP, FLAT, controls, sizes=dict.fromkeys(names, 5))
        two = sentences(UP, FLAT, controls, sizes=dict.fromkeys(names[:2], 5))
        assert f"The controls noise and noise-matched have {end}" in two

    def test_one_control_alone_is_enough(self) -> None:
        for name in CONTROLS:
            said = sentences(UP, FLAT, every_control(UP, [name]), AGAINST_THE_CLAIM, sizes={"distinct": 40})
            mentions = [one for one in said if f"({name})" in one or f"on {name} (" in one]
            assert len(mentions) == 1, (name, said)

    @pytest.mark.parametrize("attack", ["fgsm", "noise"])
    def test_all_controls_make_about_twenty_sentences(self, attack: str) -> None:
        spec = Spec(dataset="mnist", runs=4, controls=CONTROLS, attack=attack)
        found = experiment_statistics(spec, {run: draw_metrics(spec, run) for run in range(4)})
        ends_of_sentences = re.findall(r"\.(?= [A-Z]|\n)", "\n".join([*found.verdict, ""]))
        assert 15 <= len(found.verdict) <= len(ends_of_sentences) <= 22
        for paragraph in found.verdict:
            assert_well_formed(paragraph)


class TestWhatWouldDecide:
    def test_it_is_said_once_for_each_topic_with_the_runs_that_it_takes(self) -> None:
        wild = [(0, a, b + e) for (_, a, b), e in zip(UP, (0.3, -0.2, 0.4, -0.1), strict=True)]
        deciding = Deciding(
            rise={"adversarial": (0.20, 0.10, 0.26, 0.12), "misclassified": (0.1, 0.1, 0.1, 0.1)},
            bias={"adversarial": (0.4, -0.4, 0.3, -0.31), "misclassified": (0.1, 0.1, 0.1, 0.1)},
        )
        said = sentences(UP, FLAT, {"noise": wild}, deciding)
        differences = less((0.20, 0.10, 0.26, 0.12), (0.1,) * 4)
        assert min(interval(differences)) < 0

        def decided(runs: int) -> bool:
            half = stats.t.ppf(0.975, runs - 1) * stdev(differences) * (1 / runs + N_TEST / N_TRAIN) ** 0.5
            return bool(half < fmean(differences))

        runs = next(runs for runs in range(5, 1000) if decided(runs))
        assert about(said, "What would decide") == (
            f"What would decide what is undecided: about {runs} runs in all for the cross-fitted change, if mean "
            "and spread stay as they are: a rough guess from 4 runs; more images, since more runs that divide "
            "these would not do, for bias and the control noise."
        )
        assert sum("would decide" in sentence for sentence in said) == 1

    def test_where_all_is_decided_nothing_is_said_of_it(self) -> None:
        assert not has(sentences(UP, FLAT, deciding=AGAINST_THE_CLAIM), "What would decide")

    def test_huge_intervals_ask_for_more_images(self) -> None:
        huge = Deciding(rise={"adversarial": WIDE, "misclassified": (0.1, 0.1, 0.2, 0.1)})
        said = sentences(UP, FLAT, deciding=huge)
        assert about(said, "What would decide") == (
            "What would decide what is undecided: more images, since more runs that divide these would not do, for "
            "the cross-fitted change."
        )


class Twin(Matched):
    """A set of a plug-in that could account for the rise."""

    description = "twins of the adversarial images"
    counterpart = Counterpart(subject="Twins")

    @classmethod
    def remarks(cls, runs: list[RunMetrics]) -> str:
        """A clause on the runs in which both have images."""
        return f"they come in {len(runs)} runs"


class PoisonedTwin(CandidatePart):
    """A plug-in's part of the attack's candidates, which says that it has no adversary."""

    description = "some of the candidates"
    selected_at = "general"
    counterpart = Counterpart(subject="Some candidates")

    def choose(self, block: Any, random: Any) -> Any:
        """See `CandidatePart.choose`."""
        raise NotImplementedError


class TestPlugIns:
    def test_a_set_with_a_counterpart_takes_part(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(SETS._own, "twin", "")
        monkeypatch.setitem(SETS._loaded, "twin", Twin)
        twin: Curves = [*FURTHER, UP[0]]
        said = sentences([*UP, EMPTY], [*FLAT, FLAT[0]], {"twin": twin})
        assert about(said, "Twins") == (
            f"Twins rise to {fmean(ends(FURTHER)):.3f} at K = 1 (they come in 4 runs), against "
            f"{fmean(ends(UP)):.3f} on the adversarial images, over the 4 runs in which both have images; the rise "
            "on the adversarial images is lower "
            f"({told(less(ends(UP), ends(FURTHER)))}): such a rise needs no adversary."
        )

    def test_a_part_of_the_candidates_is_no_counterpart_whatever_it_says(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(SETS._own, "twin", "")
        monkeypatch.setitem(SETS._loaded, "twin", PoisonedTwin)
        said = sentences(UP, FLAT, {"twin": FURTHER})
        assert not has(said, "Some candidates rise")
        assert "on twin (some of the candidates)" in about(said, "For description only")

    def test_a_set_whose_plug_in_is_not_installed_is_named_and_left(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(SETS._own, "twin", "")
        monkeypatch.setitem(SETS._loaded, "twin", Twin)
        spec, results, found = statistics(UP, FLAT, {"noise": UP, "twin": UP})
        monkeypatch.undo()
        said = verdict(spec, list(results.values()), found.tests, found.claims)
        assert (
            "The control twin is of a plug-in that is not installed, so that nothing is said of it." in said
        )
        assert not has(said, "Twins")
        assert has(said, "Images with random noise")

    def test_a_ladder_of_words_is_told_in_its_words(self) -> None:
        said = sentences(UP, FLAT, every_control(FLAT), AGAINST_THE_CLAIM, ladder=WORDS)
        assert "rise of accuracy from depth = shallow to depth = deep is lower" in said[0]
        assert "robustness is lower at depth = deep than at depth = shallow" in said[0]
        assert ", on mnist, depth shallow to deep: " in said[1]
        assert ", is met: S_deep (" in about(said, "The paper's first")
        assert "A_middle - A_shallow is significantly higher" in about(said, "By the corrected test")
        assert "from depth = shallow to depth = deep accuracy goes" in about(said, "As the paper counts")
        assert "from depth = shallow to depth = deep by" in about(said, "Cross-fitted")
        assert "right at depth = deep only" in about(said, "Without selection")
        assert "turned back to depth = shallow (reverse)" in about(said, "The attack's own")
        assert has(said, "What could not be tested: S_middle, since the set")
        assert not re.search(r"\bK\b|neighbour|\bvotes?\b|\bNN\b", " ".join(said))


class TestWhereItIsShown:
    def test_the_json_result_and_the_printed_tables_carry_the_verdict(self, tmp_path: Path) -> None:
        result = result_of(read_state(make_experiment(tmp_path, runs=3)))
        assert result.verdict[1].endswith("over 3 complete runs.")
        assert result.to_json()["verdict"] == list(result.verdict)
        printed = tables(result)
        # Lines may break at a hyphen.
        assert "".join("".join(result.verdict).split()) in "".join(printed.split())
        (first,) = (block for block in printed.split("\n\n") if block.startswith("In short"))
        assert max(map(len, first.splitlines())) <= 100

    def test_a_journal_of_a_version_without_verdicts_gives_none(self, tmp_path: Path) -> None:
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

    def test_an_experiment_without_results_has_no_verdict(self, tmp_path: Path) -> None:
        assert result_of(read_state(make_experiment(tmp_path, state="created"))).verdict == ()
