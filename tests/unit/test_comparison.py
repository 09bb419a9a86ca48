"""A comparison shows what differs and nothing else, and its numbers are those of the experiments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.sets.catalogue import SETS
from core.spec.spec import DEFAULTS, Spec
from tests.recorded import make_experiment
from tui_aefit.following.sound import sound_summary
from tui_aefit.lab.comparison import ABSENT, Compared, curves, differing, names, numbers, sets_of

SPEC = Spec()


def summary(**accuracy: dict[str, Any]) -> dict[str, Any]:
    return {"accuracy": accuracy}


def at(value: float | None, half: float | None = None) -> dict[str, Any]:
    ci95 = None if half is None or value is None else [value - half, value + half]
    return {"mean": value, "sd": None, "ci95": ci95, "n": 3}


A = Compared("a", SPEC, "complete", 3, summary(
    test={"5": at(0.9, 0.01), "3": at(0.92, 0.02), "1": at(0.93)},
    adversarial={"5": at(0.0, 0.0), "3": at(0.25, 0.125), "1": at(0.5)},
))  # fmt: skip
B = Compared("b", replace(SPEC, z=3), "running", 1, summary(
    adversarial={"3": at(0.0), "1": at(None)},
    noise={"3": at(0.0), "1": at(1 / 3)},
    test={"3": at(1.0), "1": at(1.0)},
))  # fmt: skip
C = Compared("c", replace(SPEC, seed=4), "created", 0, None)


class TestDifferences:
    def test_only_what_differs_is_there_with_every_value(self) -> None:
        specs = [
            Spec(epsilon=0.1, controls=(), test_size=None),
            Spec(epsilon=8 / 255, controls=("noise", "fooled"), test_size=100),
            Spec(epsilon=0.1, controls=(), test_size=None),
        ]
        assert differing(specs) == [
            ("epsilon", ["0.1", "0.03137254901960784", "0.1"]),
            ("controls", ["none", "noise, fooled", "none"]),
            ("test_size", ["the data set's own", "100", "the data set's own"]),
        ]

    def test_values_that_differ_late_are_not_written_alike(self) -> None:
        assert differing([Spec(epsilon=0.1), Spec(epsilon=0.1 + 1e-15)]) != []

    def test_equal_specs_differ_in_nothing(self) -> None:
        assert differing([SPEC, Spec(), SPEC]) == []

    @given(
        st.lists(
            st.builds(Spec, seed=st.integers(0, 1), z=st.sampled_from([3, 5]), runs=st.integers(1, 2)),
            min_size=1,
            max_size=4,
        )
    )
    @settings(deadline=None, max_examples=40)
    def test_the_rows_are_the_fields_with_several_values_in_their_order(self, specs: list[Spec]) -> None:
        several = [name for name in DEFAULTS if len({getattr(spec, name) for spec in specs}) > 1]
        assert [name for name, _ in differing(specs)] == several
        assert all(len(values) == len(specs) for _, values in differing(specs))


class TestNames:
    def test_a_label_is_the_name(self) -> None:
        assert names(["mnist-fgsm-11", "mnist-fgsm-22"], ["paper", "mine"]) == ["paper", "mine"]

    def test_the_digest_stands_in_for_a_label_and_tells_equal_ones_apart(self) -> None:
        ids = ["mnist-fgsm-11", "mnist-fgsm-22", "digits-pgd-untargeted-33"]
        assert names(ids, ["paper", "paper", ""]) == ["paper 11", "paper 22", "33"]

    def test_a_label_that_is_anothers_digest_leaves_the_ids(self) -> None:
        ids = ["mnist-fgsm-11", "mnist-fgsm-22"]
        assert names(ids, ["22", ""]) == ids


class TestAccuracies:
    def test_sets_come_in_the_order_of_all_tables(self) -> None:
        assert sets_of([B, C, A]) == ["test", "adversarial", "noise"]
        assert sets_of([C]) == []

    def test_a_newer_set_comes_last(self) -> None:
        one = replace(A, summary=summary(later={"1": at(0.5)}, **{name: {"1": at(0.5)} for name in SETS}))
        assert sets_of([one]) == [*SETS, "later"]

    def test_every_experiment_with_means_has_its_curve(self) -> None:
        data = curves([A, B, C], "adversarial")
        assert data is not None
        assert data.levels == (5, 3, 1)
        assert {
            name: [(p.level, p.mean, p.interval) for p in points] for name, points in data.curves.items()
        } == {
            "a": [(5, 0.0, (0.0, 0.0)), (3, 0.25, (0.125, 0.375)), (1, 0.5, None)],
            "b": [(3, 0.0, None)],
        }

    def test_a_set_that_nobody_measured_has_no_curves(self) -> None:
        assert curves([A, B, C], "fooled") is None
        assert numbers([A, B, C], "fooled") == []

    def test_numbers_have_half_their_interval_and_holes_stay_holes(self) -> None:
        assert numbers([A, B, C], "adversarial") == [
            (5, ["0.0000 ± 0.0000", ABSENT, ABSENT]),
            (3, ["0.2500 ± 0.1250", "0.0000", ABSENT]),
            (1, ["0.5000", ABSENT, ABSENT]),
        ]

    def test_numbers_are_those_of_the_runs_by_scipys_t_distribution(self, tmp_path: Path) -> None:
        state = make_experiment(tmp_path, runs=5, dataset="mnist").state()
        told = state.last("statistics")
        assert told is not None
        one = Compared("x", state.experiment.spec, "complete", 5, sound_summary(told["summary"]))
        metrics: list[Any] = list(state.results.values())
        for name in sets_of([one]):
            expected = []
            for k in state.experiment.spec.levels:
                values = [run["accuracy"][name][str(k)] for run in metrics]
                half = stats.t.ppf(0.975, 4) * stdev(values) / 5**0.5
                expected.append((k, [f"{mean(values):.4f} ± {half:.4f}"]))
            assert numbers([one], name) == expected
