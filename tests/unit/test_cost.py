"""What an experiment will cost, by hand-made examples from the published sizes of the sets and from past runs."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.spec.spec import Spec
from tui_aefit.following.cost import Cost, PastRun, cost_of, duration, run_seconds, said

MNIST = Spec(dataset="mnist")


def past(seconds: float, **settings: object) -> PastRun:
    return PastRun(replace(MNIST, **settings), seconds)  # type: ignore[arg-type]


class TestSizes:
    @pytest.mark.parametrize(
        ("spec", "train", "test", "candidates", "queries"),
        [
            # Nine other classes: nine candidates a test image, and the noise control draws as many again.
            (MNIST, 60_000, 10_000, 90_000, 10_000 + 90_000 + 90_000),
            (replace(MNIST, controls=()), 60_000, 10_000, 90_000, 10_000 + 90_000),
            (replace(MNIST, controls=("sources", "fooled")), 60_000, 10_000, 90_000, 10_000 + 90_000),
            (replace(MNIST, test_size=1_000), 69_000, 1_000, 9_000, 1_000 + 9_000 + 9_000),
            # Without a target there is one candidate a test image, and the noise control draws once.
            (Spec(dataset="mnist", attack="fgsm-untargeted"), 60_000, 10_000, 10_000, 30_000),
            (Spec(dataset="svhn"), 73_257, 26_032, 9 * 26_032, 19 * 26_032),
        ],
    )
    def test_they_follow_from_the_data_set_the_attack_and_the_controls(
        self, spec: Spec, train: int, test: int, candidates: int, queries: int
    ) -> None:
        cost = cost_of(spec, 1, [])
        assert (cost.train, cost.test, cost.candidates, cost.queries) == (train, test, candidates, queries)

    def test_a_persons_own_set_has_no_size_before_it_is_read(self) -> None:
        cost = cost_of(Spec(dataset="/data/own.npz"), 1, [])
        assert (cost.train, cost.test, cost.candidates, cost.queries) == (None, None, None, None)
        assert "is known once it is read" in said(cost)


class TestTime:
    def test_it_is_the_median_past_run_times_the_rounds(self) -> None:
        # 12 runs, 5 at a time: three rounds. The median of 100, 130 and 900 is 130.
        cost = cost_of(MNIST, 5, [past(100), past(900), past(130)])
        assert cost.seconds == pytest.approx(3 * 130)
        assert cost.basis == "runs of the same kind"

    def test_a_run_lasts_as_long_as_its_stages_without_their_parts(self) -> None:
        stages = {"split": 0.5, "neighbours": 9.0, "candidates": 50.0, "attack": 20.0, "filter": 29.0}
        assert run_seconds({"seconds": stages}) == pytest.approx(59.5)

    @pytest.mark.parametrize(
        ("runs", "seconds", "basis"),
        [
            ([past(7, epochs=9), past(10), past(3, attack="pgd")], 10, "runs of the same kind"),
            ([past(10, epsilon=0.3, z=11, seed=4, runs=2)], 10, "runs of the same kind"),
            ([past(3, attack="pgd"), past(7, epochs=9)], 7, "this data set and attack with other settings"),
            ([past(3, attack="pgd"), past(5, dataset="svhn")], 3, "this data set with another attack"),
            ([past(5, dataset="svhn")], None, "no past run of this data set"),
            ([], None, "no past run of this data set"),
        ],
    )
    def test_the_most_similar_past_runs_are_gone_by(
        self, runs: list[PastRun], seconds: float | None, basis: str
    ) -> None:
        cost = cost_of(MNIST, 12, runs)
        assert cost.seconds == seconds
        assert basis in cost.basis


class TestSentences:
    def test_all_figures_are_said(self) -> None:
        assert said(Cost(60_000, 10_000, 90_000, 190_000, 200.0, "runs of the same kind")) == (
            "images: 60,000 for training and 10,000 for testing, in each run\n"
            "work: up to 90,000 candidates and 190,000 neighbour searches a run\n"
            "time: about 3 min 20 s, from runs of the same kind"
        )

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0.4, "0 s"),
            (59.4, "59 s"),
            (59.6, "1 min 00 s"),
            (185, "3 min 05 s"),
            (3599.6, "1 h 00 min"),
            (7530, "2 h 05 min"),
            (360_000, "100 h 00 min"),
        ],
    )
    def test_a_duration_is_said_as_a_person_says_it(self, seconds: float, words: str) -> None:
        assert duration(seconds) == words

    @given(st.floats(0, 1e6))
    def test_a_duration_means_its_seconds(self, seconds: float) -> None:
        unit = {"h": 3600, "min": 60, "s": 1}
        parts = re.findall(r"(\d+) (h|min|s)", duration(seconds))
        meant = sum(int(number) * unit[name] for number, name in parts)
        assert abs(meant - seconds) <= (60 if seconds >= 3599.5 else 0.5)
