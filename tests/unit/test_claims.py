"""Quantities that decide are those computed by hand from the runs; intervals are SciPy's, decisions by rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from core.families.ladder import Ladder
from core.records.deciding import (
    DECIDING_SETS,
    BiasVariance,
    CrossFit,
    Decomposition,
    Flips,
    LevelRobustness,
    Robustness,
)
from core.records.metrics import RunMetrics
from core.records.statistics import Claim, Decision
from core.statistics.claims import claims, corrected_interval
from core.statistics.decision import MARGIN, decision_of, runs_that_decide
from core.statistics.quantities import quantities
from core.statistics.summary import summarise
from tests.fakes.bare_metrics import TEST, TRAIN, bare_metrics

LADDER = Ladder("depth", ("shallow", "middle", "deep"))
GENERAL, MIDDLE, FITTED = LADDER.levels
CONTROLS = (
    "noise",
    "matched",
    "shuffled",
    "misclassified-shuffled",
    "reverse",
    "adversarial-both-ends",
    "reverse-both-ends",
    "sources",
)
MEASURED = ("test", "misclassified", "adversarial", *CONTROLS)
FROM_FITTED = ("reverse", "reverse-both-ends")
OVERLAP = TEST / TRAIN


def by_level(random: np.random.Generator) -> dict[str, float | None]:
    return dict(zip(LADDER.levels, random.uniform(0, 1, 3).tolist(), strict=True))


def draw_crossfit(random: np.random.Generator) -> CrossFit:
    return CrossFit(
        **{name: by_level(random) for name in DECIDING_SETS},
        own={name: {**by_level(random), GENERAL: 0.0} for name in DECIDING_SETS},
        counts={name: (10, 12) for name in DECIDING_SETS},
    )


def draw_robustness(random: np.random.Generator) -> Robustness:
    gained, lost, rest = random.integers(1, 60, 3).tolist()
    levels = {
        level: LevelRobustness(accuracy=accuracy, success=success, worst_case=worst)
        for level, (accuracy, success, worst) in zip(
            LADDER.levels, random.uniform(0, 1, (3, 3)).tolist(), strict=True
        )
    }
    return Robustness(robustness=levels, flips=Flips(gained=gained, lost=lost, n=gained + lost + rest))


def draw_decomposition(random: np.random.Generator) -> Decomposition:
    bias, variance, unbiased, biased, error = random.uniform(0, 1, 5).tolist()
    return Decomposition(bias=bias, variance=variance, unbiased=unbiased, biased=biased, error=error)


def draw_run(index: int) -> RunMetrics:
    """A run in which every number is another one."""
    random = np.random.default_rng([7, index])
    return bare_metrics(
        index,
        LADDER,
        accuracy={name: by_level(random) for name in MEASURED},
        crossfit=draw_crossfit(random),
        crossfit_fitted=draw_crossfit(random),
        bias_variance=BiasVariance(
            **{
                name: {level: draw_decomposition(random) for level in LADDER.levels} for name in DECIDING_SETS
            },
            subsets=40,
        ),
        robustness=draw_robustness(random),
        noise=draw_robustness(random),
        variants={"ties: nearest": draw_robustness(random)},
    )


RUNS = [draw_run(index) for index in range(9)]


def by_hand(run: RunMetrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """All quantities of one run, from its JSON."""
    json: Mapping[str, Any] = msgspec.to_builtins(run)
    found: dict[tuple[str, tuple[str, ...]], float] = {}

    def add(name: str, values: Mapping[str, float]) -> None:
        found.update({(name, (one,)): value for one, value in values.items()})
        for other in ("misclassified", "noise"):
            if other in values:
                found[name, ("adversarial", other)] = values["adversarial"] - values[other]

    crossfit, fitted, parts = json["crossfit"], json["crossfit_fitted"], json["bias_variance"]
    rise: dict[str, float] = {
        name: crossfit[name][FITTED] - crossfit[name][GENERAL] for name in DECIDING_SETS
    }
    add("crossfit_rise", rise)
    for name in ("adversarial", "misclassified", "noise"):
        own = crossfit["own"][name][FITTED] - crossfit["own"][name][GENERAL]
        found["selection_share", (name,)] = 1 - rise[name] / own
    add(
        "crossfit_fitted_rise", {name: fitted[name][GENERAL] - fitted[name][FITTED] for name in DECIDING_SETS}
    )
    add("bias_fall", {n: parts[n][GENERAL]["bias"] - parts[n][FITTED]["bias"] for n in DECIDING_SETS})

    candidates = {"adversarial": json, "noise": json["noise"]}
    for name, field in (("attack_success", "success"), ("worst_case", "worst_case")):
        levels = {one: of["robustness"] for one, of in candidates.items()}
        add(name, {one: of[FITTED][field] - of[GENERAL][field] for one, of in levels.items()})
    flips = {one: of["flips"] for one, of in candidates.items()}
    add("flips", {one: (of["gained"] - of["lost"]) / of["n"] for one, of in flips.items()})

    accuracy = json["accuracy"]
    total = {
        name: (accuracy[name][FITTED] - accuracy[name][GENERAL]) * (-1 if name in FROM_FITTED else 1)
        for name in MEASURED
    }
    for other in MEASURED:
        if other not in ("adversarial", "sources"):
            first = "misclassified" if other == "misclassified-shuffled" else "adversarial"
            found["rise", (first, other)] = total[first] - total[other]
    both_ends = ("adversarial-both-ends", "reverse-both-ends")
    found["rise", both_ends] = total[both_ends[0]] - total[both_ends[1]]
    return found


def decide(
    runs: Sequence[RunMetrics], controls: Sequence[str] = CONTROLS
) -> dict[tuple[str, tuple[str, ...]], Claim]:
    found = claims(runs, LADDER, controls, n_test=TEST, n_train=TRAIN)
    by_name = {(claim.name, claim.sets): claim for claim in found}
    assert len(by_name) == len(found), "no quantity twice"
    return by_name


def interval_of(values: Sequence[float], overlap: float = OVERLAP) -> tuple[float, float]:
    """The 95 % interval of a mean that Nadeau and Bengio correct for overlap, from SciPy's t distribution."""
    n = len(values)
    error = np.std(values, ddof=1) * math.sqrt(1 / n + overlap)
    low, high = stats.t.interval(0.95, n - 1, loc=np.mean(values), scale=error)
    return float(low), float(high)


# The quantities


@pytest.mark.parametrize("count", [3, 9])
def test_every_quantity_is_the_one_computed_by_hand(count: int) -> None:
    expected = [by_hand(run) for run in RUNS[:count]]
    found = decide(RUNS[:count])
    assert set(found) == set(expected[0])
    for key, claim in found.items():
        values = [one[key] for one in expected]
        assert claim.estimate == pytest.approx(np.mean(values), abs=1e-12), key
        assert claim.ci95 == pytest.approx(interval_of(values), abs=1e-12), key
        assert (claim.n, claim.margin, claim.reason) == (count, MARGIN, None), key
        assert claim.decision == decision_of(claim.ci95, MARGIN), key


def test_the_quantities_come_in_the_order_in_which_a_verdict_speaks_of_them() -> None:
    names = [quantity.name for quantity in quantities(LADDER, CONTROLS)]
    assert list(dict.fromkeys(names)) == [
        "crossfit_rise",
        "selection_share",
        "crossfit_fitted_rise",
        "bias_fall",
        "attack_success",
        "worst_case",
        "flips",
        "rise",
    ]
    assert names == sorted(names, key=list(dict.fromkeys(names)).index)
    first = [quantity.sets for quantity in quantities(LADDER, ())][:6]
    assert first == [
        ("adversarial", "misclassified"),
        ("adversarial", "noise"),
        ("adversarial",),
        ("misclassified",),
        ("noise",),
        ("test",),
    ]


def test_a_control_that_is_not_selected_or_not_known_has_no_rise_to_compare() -> None:
    found = decide(RUNS, ("sources", "candidates", "of another author"))
    assert [sets for name, sets in found if name == "rise"] == [
        ("adversarial", "test"),
        ("adversarial", "misclassified"),
        ("adversarial-both-ends", "reverse-both-ends"),
    ]


def test_what_no_run_has_measured_is_not_decided() -> None:
    bare = [bare_metrics(index, LADDER) for index in range(4)]
    assert decide(bare) == {}
    assert claims([], LADDER, CONTROLS, n_test=TEST, n_train=TRAIN) == ()
    without_noise = [
        msgspec.structs.replace(with_crossfit(run, noise=None), noise=None, crossfit_fitted=None)
        for run in RUNS
    ]
    found = decide(without_noise)
    assert set(decide(RUNS)) - set(found) == {
        (name, sets)
        for name, sets in decide(RUNS)
        if name == "crossfit_fitted_rise" or ("noise" in sets and name not in ("bias_fall", "rise"))
    }


# Reasons


def with_crossfit(run: RunMetrics, **sets: dict[str, float | None] | None) -> RunMetrics:
    """The run with other accuracies on some cross-fitted sets."""
    assert run.crossfit is not None
    return msgspec.structs.replace(run, crossfit=msgspec.structs.replace(run.crossfit, **sets))


KEY = ("crossfit_rise", ("adversarial",))
EMPTY: dict[str, float | None] = dict.fromkeys(LADDER.levels)


@pytest.mark.parametrize("count", [1, 2])
def test_with_fewer_than_three_runs_nothing_is_decided(count: int) -> None:
    for key, claim in decide(RUNS[:count]).items():
        expected = np.mean([by_hand(run)[key] for run in RUNS[:count]])
        assert claim.estimate == pytest.approx(expected, abs=1e-12)
        assert (claim.n, claim.ci95, claim.decision, claim.reason) == (
            count,
            None,
            "undecided",
            "too_few_runs",
        )


def test_a_set_that_is_empty_in_too_many_runs_is_the_reason() -> None:
    runs = [with_crossfit(run, adversarial=EMPTY) if run.index < 7 else run for run in RUNS]
    claim = decide(runs)[KEY]
    assert (claim.n, claim.ci95, claim.decision, claim.reason) == (2, None, "undecided", "empty_set")
    assert claim.estimate == pytest.approx(np.mean([by_hand(run)[KEY] for run in RUNS[7:]]), abs=1e-12)
    against = decide(runs)["crossfit_rise", ("adversarial", "misclassified")]
    assert (against.n, against.reason) == (2, "empty_set")
    other = decide(runs)["crossfit_rise", ("misclassified",)]
    assert (other.n, other.reason) == (9, None)


def test_a_run_in_which_the_set_is_empty_is_left_out() -> None:
    runs = [with_crossfit(run, adversarial=EMPTY) if run.index % 2 else run for run in RUNS]
    values = [by_hand(run)[KEY] for run in RUNS if not run.index % 2]
    claim = decide(runs)[KEY]
    assert (claim.n, claim.reason) == (5, None)
    assert claim.estimate == pytest.approx(np.mean(values), abs=1e-12)
    assert claim.ci95 == pytest.approx(interval_of(values), abs=1e-12)


def test_a_set_that_is_empty_in_every_run_is_not_decided() -> None:
    found = decide([with_crossfit(run, adversarial=EMPTY) for run in RUNS])
    assert KEY not in found
    assert ("selection_share", ("adversarial",)) not in found


def test_where_the_runs_do_not_differ_there_is_no_interval() -> None:
    level: dict[str, float | None] = {GENERAL: 0.1, MIDDLE: 0.2, FITTED: 0.4}
    claim = decide([with_crossfit(run, adversarial=level) for run in RUNS])[KEY]
    assert claim.estimate == pytest.approx(0.3)
    assert (claim.n, claim.ci95, claim.decision, claim.reason) == (9, None, "undecided", "zero_variance")


def test_without_a_rise_on_the_selecting_half_there_is_no_share() -> None:
    runs = []
    for run in RUNS:
        assert run.crossfit is not None
        own = {**run.crossfit.own, "adversarial": {**EMPTY, GENERAL: 0.0, MIDDLE: 0.0, FITTED: 0.0}}
        runs.append(msgspec.structs.replace(run, crossfit=msgspec.structs.replace(run.crossfit, own=own)))
    assert ("selection_share", ("adversarial",)) not in decide(runs)
    assert ("selection_share", ("misclassified",)) in decide(runs)


def test_without_sources_that_both_ends_know_there_are_no_flips() -> None:
    none = [msgspec.structs.replace(run, flips=Flips(gained=0, lost=0, n=0)) for run in RUNS]
    assert ("flips", ("adversarial",)) not in decide(none)
    assert decide(none)["flips", ("noise",)].n == 9


# Intervals


numbers = st.lists(st.integers(-1024, 1024).map(lambda k: k / 1024), min_size=2, max_size=15)


@settings(max_examples=80)
@given(values=numbers, overlap=st.sampled_from([0.0, 1 / 6, 0.2, 1.0]))
def test_intervals_are_scipy_s_with_the_correction_for_overlap(values: list[float], overlap: float) -> None:
    assume(np.std(values) > 0)
    expected = interval_of(values, overlap)
    assert corrected_interval(values, overlap) == pytest.approx(expected, abs=1e-10)
    summary = summarise(values, overlap=overlap)
    assert summary.ci95 == pytest.approx(expected, abs=1e-10)
    if not overlap:
        plain = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert summary.ci95 == pytest.approx((plain.low, plain.high), abs=1e-10)


def test_the_correction_widens_an_interval_of_twelve_runs_by_the_square_root_of_three() -> None:
    values = np.random.default_rng(0).normal(size=12).tolist()
    plain, corrected = (interval_of(values, overlap) for overlap in (0.0, 1 / 6))
    summary = summarise(values, overlap=1 / 6)
    assert summary.ci95 is not None
    assert summary.ci95 == pytest.approx(corrected)
    assert (summary.ci95[1] - summary.ci95[0]) / (plain[1] - plain[0]) == pytest.approx(math.sqrt(3))


# Decisions


@pytest.mark.parametrize(
    ("interval", "decision"),
    [
        (None, "undecided"),
        ((-0.019, 0.019), "same"),
        ((0.001, 0.019), "same"),
        ((-0.019, -0.001), "same"),
        ((-0.02, 0.01), "undecided"),
        ((-0.01, 0.02), "undecided"),
        ((0.001, 0.02), "higher"),
        ((0.001, 0.5), "higher"),
        ((0.03, 0.05), "higher"),
        ((0.0, 0.05), "undecided"),
        ((0.0, 0.019), "same"),
        ((-0.02, -0.001), "lower"),
        ((-0.5, -0.03), "lower"),
        ((-0.05, 0.0), "undecided"),
        ((-0.3, 0.3), "undecided"),
        ((0.0, 0.0), "same"),
    ],
    ids=str,
)
def test_a_decision_follows_from_the_interval_alone(
    interval: tuple[float, float] | None, decision: Decision
) -> None:
    assert decision_of(interval, 0.02) == decision


def test_without_a_margin_nothing_is_the_same() -> None:
    assert [decision_of(one, 0.0) for one in ((-1e-9, 1e-9), (1e-9, 2e-9), (-2e-9, -1e-9))] == [
        "undecided",
        "higher",
        "lower",
    ]


def claim_of(values: Sequence[float], overlap: float) -> Claim:
    interval = corrected_interval(values, overlap)
    return Claim(
        name="crossfit_rise",
        sets=("adversarial",),
        estimate=float(np.mean(values)),
        ci95=interval,
        margin=MARGIN,
        decision=decision_of(interval, MARGIN),
        n=len(values),
    )


@pytest.mark.parametrize("overlap", [0.0, 1 / 6])
@pytest.mark.parametrize("count", [3, 8, 12])
@pytest.mark.parametrize("mean", [0.0, 0.004, -0.015, 0.03, 0.2])
@pytest.mark.parametrize("spread", [0.003, 0.03, 0.4])
def test_as_many_runs_decide_as_brute_force_finds(
    overlap: float, count: int, mean: float, spread: float
) -> None:
    deviations = np.random.default_rng(count).normal(size=count)
    deviations = (deviations - deviations.mean()) / deviations.std(ddof=1)
    claim = claim_of((mean + spread * deviations).tolist(), overlap)
    if claim.decision != "undecided":
        return

    def decided(runs: int) -> bool:
        half = stats.t.ppf(0.975, runs - 1) * spread * math.sqrt(1 / runs + overlap)
        return decision_of((claim.estimate - half, claim.estimate + half), MARGIN) != "undecided"

    expected = next((runs for runs in range(count + 1, 301) if decided(runs)), None)
    assert runs_that_decide(claim, overlap, most=300) == expected


def test_more_runs_of_one_pool_may_never_decide() -> None:
    values = [0.1, -0.1, 0.05, -0.06, 0.03]
    assert runs_that_decide(claim_of(values, 1 / 6), 1 / 6) is None
    assert (runs_that_decide(claim_of(values, 0.0), 0.0) or 0) > 50


def test_a_claim_without_an_interval_has_no_number_of_runs() -> None:
    with pytest.raises(ValueError, match="crossfit_rise has no interval"):
        runs_that_decide(msgspec.structs.replace(claim_of([0.1, 0.2, 0.3], 0.0), ci95=None), 0.0)
