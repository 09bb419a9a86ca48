"""Made-up experiments have the form of computed ones, and are the same every time."""

from __future__ import annotations

from pathlib import Path

from core.protocol.run import compute_run
from core.spec.spec import Spec
from tests.made_up import made_up_pool
from tests.recorded import make_experiment


def test_a_made_up_result_has_the_members_of_a_computed_one(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=1)
    computed = compute_run(Spec(dataset="mnist", epochs=1), 0, made_up_pool()).metrics
    made_up = experiment.result(0)
    assert made_up is not None
    assert list(made_up) == ["schema_version", *computed, "data_sha256", "environment", "sha256"]
    for name in ("counts", "attack", "noise", "accuracy", "slopes", "seconds"):
        assert list(made_up[name]) == list(computed[name]), name  # type: ignore[call-overload]
    assert experiment.result(0, verify=True) == made_up


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    folders = [make_experiment(tmp_path / home, state="failed", runs=3).folder for home in "ab"]
    contents = [
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in folders
    ]
    assert len(contents[0]) > 6
    assert contents[0] == contents[1]
