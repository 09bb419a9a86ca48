"""What an experiment will cost, by hand-made examples from the published sizes of the sets and from past runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.declarations.setting import Setting, Whole
from core.spec.spec import Spec
from tests.fakes import plugins
from tui_aefit.following.cost import Cost, cost_of, describe_cost
from tui_aefit.following.past_runs import PastRun
from tui_aefit.following.size import Size

MNIST = Spec(dataset="mnist")


class Wide(plugins.Linear):
    """A surrogate with an option."""

    options = (
        Setting(
            name="layer_width", title="Width", help="of a layer", metavar="N", default=10, kind=Whole(1, 99)
        ),
    )


def past(seconds: float, **settings: object) -> PastRun:
    return PastRun(MNIST.changed(**settings), seconds)


class TestSizes:
    @pytest.mark.parametrize(
        ("spec", "train", "test", "candidates", "predictions"),
        [
            # Nine other classes: nine candidates a test image, and both noise controls draw as many again.
            (MNIST, 60_000, 10_000, 90_000, 10_000 + 3 * 90_000),
            (MNIST.changed(controls=("noise",)), 60_000, 10_000, 90_000, 10_000 + 2 * 90_000),
            (MNIST.changed(controls=()), 60_000, 10_000, 90_000, 10_000 + 90_000),
            (MNIST.changed(controls=("sources", "fooled")), 60_000, 10_000, 90_000, 10_000 + 90_000),
            (MNIST.changed(test_size=1_000), 69_000, 1_000, 9_000, 1_000 + 3 * 9_000),
            # Without a target there is one candidate a test image, and the noise controls draw once.
            (Spec(dataset="mnist", attack="fgsm-untargeted"), 60_000, 10_000, 10_000, 40_000),
            (Spec(dataset="svhn"), 73_257, 26_032, 9 * 26_032, 28 * 26_032),
        ],
    )
    def test_they_follow_from_the_data_set_the_attack_and_the_controls(
        self, spec: Spec, train: int, test: int, candidates: int, predictions: int
    ) -> None:
        cost = cost_of(spec, 1, [])
        assert (cost.train, cost.test, cost.candidates, cost.predictions) == (
            train,
            test,
            candidates,
            predictions,
        )

    def test_a_persons_own_set_has_no_size_before_it_is_read(self) -> None:
        cost = cost_of(Spec(dataset="/data/own.npz"), 1, [])
        assert (cost.train, cost.test, cost.candidates, cost.predictions) == (None, None, None, None)
        assert "is known once it is read" in describe_cost(cost)

    def test_one_that_was_looked_at_has(self) -> None:
        # 40 images of 3 classes, 6 of them for testing, each toward 2 others; two controls draw as often.
        cost = cost_of(Spec(dataset="/data/own.npz", controls=("noise",)), 1, [], Size(40, 3, 6, (8, 8, 1)))
        assert (cost.train, cost.test, cost.candidates, cost.predictions) == (34, 6, 12, 6 + 2 * 12)
        cost = cost_of(Spec(dataset="/data/own.npz", test_size=10), 1, [], Size(40, 3, 6, (8, 8, 1)))
        assert (cost.train, cost.test) == (30, 10)
        assert cost_of(MNIST, 1, [], Size(40, 3, 6, (8, 8, 1))) == cost_of(MNIST, 1, [])

    def test_the_work_is_called_as_the_classifier_calls_it(self) -> None:
        assert "280,000 neighbour searches a run" in describe_cost(cost_of(MNIST, 1, []))


class TestTime:
    def test_it_is_the_median_past_run_times_the_rounds(self) -> None:
        # 12 runs, 5 at a time: three rounds. The median of 100, 130 and 900 is 130.
        cost = cost_of(MNIST, 5, [past(100), past(900), past(130)])
        assert cost.seconds == pytest.approx(3 * 130)
        assert cost.basis == "runs of the same kind"

    @pytest.mark.parametrize(
        ("runs", "seconds", "basis"),
        [
            ([past(7, epochs=9), past(10), past(3, attack="pgd")], 10, "runs of the same kind"),
            (
                [past(10, epsilon=0.3, seed=4, runs=2, device="cpu", keep="candidates")],
                10,
                "runs of the same kind",
            ),
            ([past(90, z=11), past(10)], 10, "runs of the same kind"),
            ([past(90, test_size=500), past(80, controls=()), past(10)], 10, "runs of the same kind"),
            ([past(90, search="kd-tree"), past(10)], 10, "runs of the same kind"),
            ([past(90, search="kd-tree")], 90, "this data set and attack with other settings"),
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

    def test_an_option_of_the_attack_tells_runs_apart(self) -> None:
        spec = MNIST.changed(attack="pgd", steps=40)
        cost = cost_of(spec, 12, [past(9, attack="pgd", steps=5), past(70, attack="pgd", steps=40)])
        assert (cost.seconds, cost.basis) == (70, "runs of the same kind")

    def test_a_surrogate_that_was_there_already_may_have_to_be_trained_now(self) -> None:
        # 100 s of which 30 s trained; with a kept surrogate 74 s, of which loading it took 1 s.
        fgsm = PastRun(MNIST, 100, training=30)
        deepfool = PastRun(MNIST.changed(attack="deepfool"), 74, training=1, trained=False)
        assert cost_of(MNIST, 12, [deepfool, fgsm]).seconds == 100
        cost = cost_of(MNIST.changed(attack="deepfool"), 12, [deepfool, fgsm])
        assert (cost.seconds, cost.basis) == (73 + 30, "runs of the same kind")
        # Nobody knows how long other epochs take to train: what is known is said.
        longer = MNIST.changed(attack="deepfool", epochs=9)
        assert cost_of(longer, 12, [deepfool, fgsm]).seconds == 73

    def test_an_option_of_the_surrogate_changes_how_long_it_is_trained(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plugins.install(tmp_path / "site", monkeypatch, {"aefit.surrogates": {"wide": f"{__name__}:Wide"}})
        narrow = MNIST.changed(surrogate="wide", layer_width=10)
        wide = MNIST.changed(surrogate="wide", layer_width=90)
        # Of 74 s loading a kept surrogate took 1 s; one of another attack was trained for 30 s, if it is as wide.
        kept = PastRun(wide.changed(attack="deepfool"), 74, training=1, trained=False)
        for trained, seconds in ((wide, 73 + 30), (narrow, 73)):
            past = [kept, PastRun(trained, 100, training=30)]
            assert cost_of(kept.spec, 12, past).seconds == seconds


class TestSentences:
    def test_all_figures_are_said(self) -> None:
        cost = Cost(60_000, 10_000, 90_000, 190_000, "neighbour searches", 200.0, "runs of the same kind")
        assert describe_cost(cost) == (
            "images: 60,000 for training and 10,000 for testing, in each run\n"
            "work: up to 90,000 candidates and 190,000 neighbour searches a run\n"
            "time: about 3 min 20 s, from runs of the same kind"
        )
