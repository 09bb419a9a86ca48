"""Made-up experiments have the form of computed ones, and are the same every time."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from core.protocol.run import compute_run
from core.records.deciding import DECIDING_SETS
from core.records.experiment import load
from core.records.metrics import RunMetrics
from core.records.state import read_state
from core.records.types import plain
from core.spec.spec import Spec
from tests.fakes.experiments import State, make_experiment
from tests.fakes.images import made_up_pool
from tests.fakes.numbers import draw_answers, draw_metrics, metrics_from_answers


def test_a_made_up_result_has_the_members_of_a_computed_one(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=1)
    computed = compute_run(Spec(dataset="mnist", epochs=1), 0, made_up_pool()).metrics
    made_up = experiment.result(0)
    assert made_up is not None
    assert made_up.ladder == computed.ladder
    for name in ("accuracy", "slopes", "slope_reasons", "sets", "seconds", "search"):
        assert list(getattr(made_up, name)) == list(getattr(computed, name)), name
    assert list(made_up.counts.sets) == list(computed.counts.sets)
    assert list(made_up.counts.distinct) == list(computed.counts.distinct)
    assert outline(plain(made_up)) == outline(plain(computed))
    assert experiment.result(0, verify=True) == made_up


def outline(value: object, place: str = "") -> object:
    """The members of a record, and of theirs, without what they hold."""
    # Where it was not needed a number is None, and a set that is by chance empty has no decomposition.
    if isinstance(value, dict) and place not in ("versions", "sha256", "bias_variance", "slope_reasons"):
        return {name: outline(member, name) for name, member in value.items()}
    return None


def test_what_decides_the_claim_is_consistent_with_the_counts_of_its_run() -> None:
    spec = Spec(dataset="mnist")
    for run in range(3):
        metrics = draw_metrics(spec, run)
        ladder, counts = metrics.ladder, metrics.counts
        assert metrics.robustness is not None
        assert metrics.noise is not None
        assert metrics.crossfit is not None
        assert metrics.crossfit_fitted is not None
        assert metrics.bias_variance is not None
        assert metrics.robustness[ladder.general].success == counts.adversarial / counts.candidates
        assert metrics.noise.robustness[ladder.general].success == counts.sets["noise"] / counts.candidates
        for crossfit, zero in ((metrics.crossfit, ladder.general), (metrics.crossfit_fitted, ladder.fitted)):
            assert set(crossfit.accuracy) == set(crossfit.own) == set(crossfit.counts) == set(DECIDING_SETS)
            assert [name for name, own in crossfit.own.items() if own[zero] != 0] == ["test"]
            assert all(share for own in crossfit.accuracy.values() for share in own.values())
        assert set(metrics.bias_variance.sets) == set(DECIDING_SETS)
        for levels in metrics.bias_variance.sets.values():
            for one in levels.values():
                assert one.error == one.bias + one.unbiased - one.biased
                assert one.unbiased + one.biased <= one.variance
        assert metrics.variants.keys() == {"ties: nearest"}
        without = draw_metrics(spec, run, deciding=False)
        measured = (without.crossfit, without.robustness, without.noise, without.bias_variance)
        assert set(measured) == {None}
        assert without.accuracy == metrics.accuracy


def test_a_set_without_images_decides_nothing() -> None:
    spec = Spec(dataset="digits")
    metrics = metrics_from_answers(spec, 0, draw_answers(spec, 0, {"adversarial": 0}))
    assert metrics.crossfit is not None
    assert metrics.bias_variance is not None
    assert metrics.crossfit.adversarial == metrics.crossfit.own["adversarial"] == dict.fromkeys("7531")
    assert metrics.crossfit.counts["adversarial"] == (0, 0)
    assert metrics.bias_variance.adversarial is None
    assert metrics.bias_variance.misclassified is not None


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_is_the_one_that_the_folder_has(tmp_path: Path, state: State) -> None:
    experiment = make_experiment(tmp_path, state=state, runs=4)
    found = read_state(load(experiment.folder))
    assert found.status == {"newer": "complete"}.get(state, state)
    assert found.experiment.created == pytest.approx(experiment.created)


def test_a_folder_may_have_a_name_of_its_own(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, state="created", name="mnist-fgsm-example")
    assert experiment.id == "mnist-fgsm-example"
    load(experiment.folder).check_computable()


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    folders = [make_experiment(tmp_path / home, state="failed", runs=3).folder for home in "ab"]
    contents = [
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in folders
    ]
    assert len(contents[0]) > 6
    assert contents[0] == contents[1]


def test_an_experiment_of_the_first_version_is_complete_and_whole(first_version_home: Path) -> None:
    (folder,) = (first_version_home / "experiments").iterdir()
    experiment = load(folder)
    assert experiment.spec.schema_version == 1
    results = experiment.results(verify=True)
    assert len(results) == experiment.spec.runs == 3
    assert read_state(experiment).status == "complete"
    assert read_state(experiment).summarised
    assert all(isinstance(metrics, RunMetrics) for metrics in results.values())
