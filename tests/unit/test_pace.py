"""What each stage of a run may take, by past runs and by how much there is to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.families.family import PredictionTime
from core.records.stages import stages_of
from core.spec.spec import Spec
from tests.fakes import plugins
from tui_aefit.following.pace import expected_stages, work_of
from tui_aefit.following.past_runs import PastRun
from tui_aefit.following.size import Size, size_of

MNIST = Spec(dataset="mnist")


class TestStages:
    """What each stage may take before any run of the experiment has come so far."""

    def test_runs_of_the_same_kind_tell_it_stage_by_stage(self) -> None:
        stages = [{name: float(seconds) for name in stages_of(MNIST)} for seconds in (1, 5, 2)]
        runs = [PastRun(MNIST.changed(seed=seed), 0.0, stages=found) for seed, found in enumerate(stages)]
        others = [PastRun(MNIST.changed(attack="pgd"), 0.0, stages=dict.fromkeys(stages_of(MNIST), 99.0))]
        assert expected_stages(MNIST, None, [*others, *runs]) == dict.fromkeys(stages_of(MNIST), 2.0)

    def test_others_tell_the_pace_of_the_machine(self) -> None:
        kmnist = MNIST.changed(dataset="kmnist")
        size = size_of(kmnist.dataset)
        assert size is not None
        assert (size.train_of(kmnist), size.test_of(kmnist), size.values, size.classes) == (
            60_000,
            10_000,
            784,
            10,
        )
        work = work_of(kmnist, size)
        slow = PastRun(kmnist, 0.0, stages={stage: 3 * seconds for stage, seconds in work.items()})
        assert expected_stages(MNIST, size, [slow]) == pytest.approx(
            {stage: 3 * seconds for stage, seconds in work_of(MNIST, size).items()}
        )

    def test_without_any_past_the_stages_stand_to_each_other_as_they_were_measured(self) -> None:
        # A run of MNIST and PGD with ten steps, beside another on two cores. Wrong by a factor of two at most is
        # near enough for "about".
        pgd = MNIST.changed(attack="pgd")
        expected = expected_stages(pgd, size_of(pgd.dataset), [])
        assert list(expected) == list(stages_of(pgd))
        for stage, seconds in {"classifier": 21, "surrogate": 43, "candidates": 311, "noise": 76}.items():
            assert seconds / 2 < expected[stage] < 2 * seconds, stage

    def test_predictions_take_what_the_family_says_and_gradients_as_many_passes_as_the_attack(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plugins.install(tmp_path / "plugins", monkeypatch)
        size = size_of("mnist")
        assert size is not None
        spec = MNIST.changed(family="kernel", attack="shift")
        candidates = size.candidates_of(spec)
        monkeypatch.setattr(plugins.Kernel, "prediction_time", lambda *_: PredictionTime(0.5, 0.25))
        plain = work_of(spec, size)
        assert plain["classifier"] == 0.5 * size.test_of(spec)
        assert plain["noise"] == 0.25 * candidates
        monkeypatch.setattr(plugins.Shift, "passes", classmethod(lambda *_: 3))
        dearer = work_of(spec, size)
        one_pass = (dearer["candidates"] - plain["candidates"]) / 2
        assert plain["candidates"] == pytest.approx(0.25 * candidates + one_pass)
        pgd = [work_of(MNIST.changed(attack="pgd", steps=steps), size)["candidates"] for steps in (1, 10)]
        assert pgd[1] - pgd[0] == pytest.approx(9 * one_pass)

    def test_a_persons_own_set_is_expected_to_take_nothing_before_it_is_read(self) -> None:
        own = Spec(dataset="/data/own.npz", epochs=2)
        assert expected_stages(own, None, []) == {}
        assert set(expected_stages(own, Size(100, 3, 10, (28, 28, 1)), [])) == set(stages_of(own))
