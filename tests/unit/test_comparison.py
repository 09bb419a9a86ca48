"""A comparison shows what differs and nothing else, and its numbers are those of the experiments."""

from __future__ import annotations

from pathlib import Path
from statistics import mean, stdev

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.families.ladder import Ladder
from core.records.state import read_state
from core.records.statistics import Claim, Summary, SummaryTable
from core.records.status import ExperimentStatus
from core.report.comparison import Compared, claims_of, differing, merge_levels, names, sets_of
from core.report.formatting import ABSENT
from core.report.result import Result, result_of
from core.sets.registry import SETS
from core.spec.spec import Spec
from tests.fakes.experiments import make_experiment
from tui_aefit.lab.comparison import claim_title, claim_words, curves, numbers, with_another_knob

SPEC = Spec()


def summary(**accuracy: dict[str, Summary]) -> SummaryTable:
    return SummaryTable(accuracy=accuracy)


def at(value: float | None, half: float | None = None) -> Summary:
    ci95 = None if half is None or value is None else (value - half, value + half)
    return Summary(mean=value, sd=None, ci95=ci95, n=3)


def ladder_to(z: int) -> Ladder:
    return SPEC.changed(z=z).ladder


def compared(
    name: str, spec: Spec, status: ExperimentStatus, runs: int, ladder: Ladder, summary: SummaryTable | None
) -> Compared:
    return Compared(
        name,
        Result(
            id=f"id-{name}", status=status, ladder=ladder, spec=spec, environment=None, runs=(), metrics={},
            statistics_runs=tuple(range(runs)), summary=summary,
        ),
    )  # fmt: skip


A = compared("a", SPEC.changed(z=5), ExperimentStatus.COMPLETE, 3, ladder_to(5), summary(
    test={"5": at(0.9, 0.01), "3": at(0.92, 0.02), "1": at(0.93)},
    adversarial={"5": at(0.0, 0.0), "3": at(0.25, 0.125), "1": at(0.5)},
))  # fmt: skip
B = compared("b", SPEC.changed(z=3), ExperimentStatus.RUNNING, 1, ladder_to(3), summary(
    adversarial={"3": at(0.0), "1": at(None)},
    noise={"3": at(0.0), "1": at(1 / 3)},
    test={"3": at(1.0), "1": at(1.0)},
))  # fmt: skip
C = compared("c", SPEC.changed(seed=4), ExperimentStatus.CREATED, 0, SPEC.ladder, None)
OTHER_KNOB = compared(
    "d", SPEC, ExperimentStatus.COMPLETE, 3, Ladder("Bandwidth", ("wide", "narrow")),
    summary(adversarial={"wide": at(0.0), "narrow": at(0.75)}, half={"wide": at(0.1), "narrow": at(0.2)}),
)  # fmt: skip


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
            st.fixed_dictionaries(
                {"seed": st.integers(0, 1), "z": st.sampled_from([3, 5]), "runs": st.integers(1, 2)}
            ).map(lambda values: SPEC.changed(**values)),
            min_size=1,
            max_size=4,
        )
    )
    @settings(max_examples=40)
    def test_the_rows_are_the_settings_with_several_values_in_their_order(self, specs: list[Spec]) -> None:
        several = [name for name in SPEC.settings if len({spec.values[name] for spec in specs}) > 1]
        assert [name for name, _ in differing(specs)] == several
        assert all(len(values) == len(specs) for _, values in differing(specs))

    def test_an_option_that_another_attack_has_not_is_absent_there(self) -> None:
        rows = dict(differing([SPEC, SPEC.changed(attack="pgd", steps=7), SPEC.changed(attack="deepfool")]))
        assert rows["attack"] == ["fgsm", "pgd", "deepfool"]
        assert rows["steps"] == [ABSENT, "7", ABSENT]
        assert "norm" not in rows  # it is the usual one where there is one


class TestNames:
    def test_a_label_is_the_name(self) -> None:
        assert names(["mnist-fgsm-11", "mnist-fgsm-22"], ["paper", "mine"], [SPEC, SPEC]) == ["paper", "mine"]

    def test_settings_stand_in_for_a_label_as_many_as_it_takes(self) -> None:
        specs = [
            Spec(dataset="mnist"),
            Spec(dataset="mnist", epsilon=0.2),
            Spec(dataset="digits", epsilon=0.2, seed=1, device="cpu"),
            Spec(dataset="mnist", attack="pgd"),
        ]
        assert names(["a-1", "b-2", "c-3", "d-4"], [""] * 4, specs) == [
            "mnist fgsm epsilon=0.1", "mnist fgsm epsilon=0.2", "digits", "mnist pgd",
        ]  # fmt: skip

    def test_an_own_data_set_goes_by_its_short_name(self) -> None:
        specs = [Spec(dataset="/data/a/pictures.npz"), Spec(dataset="/data/mnist")]
        assert names(["a-1", "b-2"], ["", ""], specs) == ["pictures", "mnist"]

    def test_the_digest_tells_equal_ones_apart_and_stands_in_for_what_is_too_long(self) -> None:
        ids = ["mnist-fgsm-11", "mnist-fgsm-22", "digits-pgd-untargeted-33"]
        assert names(ids, ["paper", "paper", ""], [SPEC, SPEC, SPEC]) == ["paper 11", "paper 22", "33"]
        long = [Spec(dataset=f"/data/{letter * 40}.npz") for letter in "ab"]
        assert names(ids[:2], ["", ""], long) == ["11", "22"]

    def test_a_label_that_is_anothers_digest_leaves_the_ids(self) -> None:
        ids = ["mnist-fgsm-11", "mnist-fgsm-22"]
        assert names(ids, ["22", ""], [SPEC, SPEC]) == ids


class TestAccuracies:
    def test_sets_come_in_the_order_of_all_tables(self) -> None:
        assert sets_of([B, C, A]) == ["test", "adversarial", "noise"]
        assert sets_of([C]) == []

    def test_a_set_of_a_plug_in_that_is_not_installed_comes_last(self) -> None:
        accuracy = {name: {"1": at(0.5)} for name in ("later", *SETS)}
        one = compared("a", SPEC, ExperimentStatus.COMPLETE, 3, SPEC.ladder, summary(**accuracy))
        assert sets_of([one]) == [*SETS, "later"]

    def test_every_experiment_with_means_has_its_curve(self) -> None:
        data = curves([A, B, C], "adversarial")
        assert data is not None
        assert (data.knob, data.levels) == ("K", ("5", "3", "1"))
        assert {
            name: [(p.level, p.mean, p.interval) for p in points] for name, points in data.curves.items()
        } == {
            "a": [("5", 0.0, (0.0, 0.0)), ("3", 0.25, (0.125, 0.375)), ("1", 0.5, None)],
            "b": [("3", 0.0, None)],
        }

    def test_an_experiment_with_another_knob_has_no_curve_beside_the_first(self) -> None:
        data = curves([C, A, OTHER_KNOB], "adversarial")
        assert data is not None
        assert (data.knob, list(data.curves)) == ("K", ["a"])
        assert with_another_knob([C, A, OTHER_KNOB], data) == ["d"]
        assert numbers([C, A, OTHER_KNOB], "adversarial")[-1] == ("1", [ABSENT, "0.5000", ABSENT])
        alone = curves([A, OTHER_KNOB], "half")
        assert alone is not None
        assert (alone.knob, alone.levels, list(alone.curves)) == ("Bandwidth", ("wide", "narrow"), ["d"])

    def test_a_set_that_nobody_measured_has_no_curves(self) -> None:
        assert curves([A, B, C], "fooled") is None
        assert numbers([A, B, C], "fooled") == []

    def test_numbers_have_half_their_interval_and_holes_stay_holes(self) -> None:
        assert numbers([A, B, C], "adversarial") == [
            ("5", ["0.0000 ± 0.0000", ABSENT, ABSENT]),
            ("3", ["0.2500 ± 0.1250", "0.0000", ABSENT]),
            ("1", ["0.5000", ABSENT, ABSENT]),
        ]

    def test_numbers_are_those_of_the_runs_by_scipys_t_distribution(self, tmp_path: Path) -> None:
        state = read_state(make_experiment(tmp_path, runs=5, dataset="mnist"))
        one = Compared("x", result_of(state))
        assert (one.runs, one.corrected) == (5, True)
        for name in sets_of([one]):
            expected = []
            for level in state.ladder.levels:
                values = [metrics.accuracy[name][level] or 0.0 for metrics in state.results.values()]
                # 70,000 images are divided anew in every run: Nadeau and Bengio (2003).
                half = stats.t.ppf(0.975, 4) * stdev(values) * (1 / 5 + 10_000 / 60_000) ** 0.5
                expected.append((level, [f"{mean(values):.4f} ± {half:.4f}"]))
            assert numbers([one], name) == expected


@pytest.mark.parametrize(
    ("ladders", "levels"),
    [
        (["753", "53"], "753"),
        (["53", "9753"], "9753"),
        (["731", "751"], "7351"),
        (["73", "95"], "7935"),
        (["abc", "cba"], "abc"),
    ],
)
def test_levels_of_several_ladders_keep_the_order_of_each(ladders: list[str], levels: str) -> None:
    assert merge_levels([Ladder("K", tuple(ladder)) for ladder in ladders]) == tuple(levels)


class TestClaims:
    def test_each_stands_beside_those_of_the_others_the_first_of_every_quantity_first(
        self, tmp_path: Path
    ) -> None:
        made = [
            make_experiment(tmp_path, runs=4, seed=seed, controls=controls)
            for seed, controls in enumerate((["noise"], ["noise", "matched"], []))
        ]
        results = [result_of(read_state(one)) for one in made]
        found = claims_of([Compared(str(place), one) for place, one in enumerate(results)])
        for quantity, claims in found:
            for result, claim in zip(results, claims, strict=True):
                own = [one for one in result.claims if (one.name, one.sets) == quantity]
                assert own == ([] if claim is None else [claim])
        assert len(found) == len({(one.name, one.sets) for result in results for one in result.claims})
        firsts = [name for (name, _), _ in found[: len({name for (name, _), _ in found})]]
        assert len(set(firsts)) == len(firsts)
        assert found[0][0] == ("crossfit_rise", ("adversarial", "misclassified"))
        assert any(None in claims for _, claims in found)

    def test_in_words(self) -> None:
        claim = Claim(
            name="crossfit_rise", sets=("adversarial", "misclassified"), estimate=-0.0806, ci95=(-0.1304, -0.031),
            margin=0.02, decision="lower", n=3,
        )  # fmt: skip
        assert claim_title(claim) == "cross-fit rise, D − M"
        assert (
            claim_title(msgspec.structs.replace(claim, name="new_thing", sets=("noise",)))
            == "new thing, noise"
        )
        assert claim_words(claim) == "▼ -.081 [-.130, -.031]"
        few = msgspec.structs.replace(claim, ci95=None, decision="undecided", reason="too_few_runs")
        assert claim_words(few) == "? -.081 (too few runs)"
        assert claim_words(None) == ABSENT
