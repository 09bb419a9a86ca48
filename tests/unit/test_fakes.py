"""Made-up experiments have the form of computed ones, and are the same every time."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from core.protocol.run import compute_run
from core.records.experiment import load
from core.records.metrics import RunMetrics
from core.records.state import read_state
from core.spec.spec import Spec
from tests.fakes.experiments import State, make_experiment
from tests.fakes.images import made_up_pool


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
    assert experiment.result(0, verify=True) == made_up


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
