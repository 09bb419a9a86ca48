"""A worker: a full disk is told for what it is, and it computes with as many threads as the spec says."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from core.engine import worker as worker_module
from core.engine.worker import _compute
from core.records.experiment import Experiment, create
from core.records.journal import JournalWriter, read_all
from core.spec.spec import Spec
from tests.hand_made import ENVIRONMENT
from tests.made_up import made_up_pool, write_npz
from tests.worker_process import ready_worker


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    spec = Spec(dataset=str(write_npz(tmp_path / "made.npz")), runs=1, z=5, epochs=1, controls=(), threads=2)
    return create(tmp_path, spec)[0]


def full(path: Path, *arguments: object) -> None:
    path.write_bytes(b"half")
    raise OSError(errno.ENOSPC, "No space left on device")


def compute(experiment: Experiment) -> dict[str, object]:
    journal = JournalWriter(experiment.journal / "0001-worker-1.jsonl")
    return _compute(experiment, 0, made_up_pool(), "cpu", ENVIRONMENT, journal, None)


def test_a_result_that_finds_no_room_is_a_failure_with_the_way_out(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(worker_module, "write_arrays", full)
    answer = compute(experiment)
    assert answer["answer"] == "failed"
    assert str(experiment.run_folder(0)) in str(answer["error"])
    assert str(answer["error"]).endswith("No space left on device")
    assert answer["hint"] == (
        f"free some space, or allow writing there, then: aefit-tui resume {experiment.id}"
    )
    assert list(experiment.run_folder(0).iterdir()) == []
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["write_galleries", "sync_file"])
def test_a_gallery_that_finds_no_room_is_left_out_and_said(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(worker_module, name, full)
    assert compute(experiment) == {"answer": "completed", "run": 0}
    result = experiment.run_folder(0) / "result"
    assert sorted(path.name for path in result.iterdir()) == ["arrays.npz", "metrics.json"]
    assert experiment.result(0, verify=True) is not None
    (notice,) = [event["text"] for event in read_all(experiment.journal) if event.kind == "notice"]
    assert "run 1 has no gallery" in str(notice)
    assert "No space left" in str(notice)


def test_torch_computes_with_the_threads_of_the_spec(tmp_path: Path, experiment: Experiment) -> None:
    # The environment of the tests asks for one thread.
    with ready_worker(experiment, tmp_path):
        pass
    (environment,) = [event for event in read_all(experiment.journal) if event.kind == "environment"]
    assert environment["threads"] == 2


def test_every_candidate_is_kept_on_request_and_the_adversarial_set_is_among_them(
    tmp_path: Path,
) -> None:
    spec = Spec(
        dataset=str(write_npz(tmp_path / "made.npz")), runs=1, z=5, epochs=10, controls=(), epsilon=0.25,
        keep="candidates",
    )  # fmt: skip
    experiment, _ = create(tmp_path, spec)
    assert compute(experiment) == {"answer": "completed", "run": 0}
    metrics, result = experiment.result(0, verify=True), experiment.run_folder(0) / "result"
    assert metrics is not None
    assert set(metrics["sha256"]) >= {"candidate_image.npy", "candidates.npz", "arrays.npz"}  # type: ignore[call-overload]
    images = np.load(result / "candidate_image.npy", mmap_mode="r", allow_pickle=False)
    with np.load(result / "candidates.npz") as file, np.load(result / "arrays.npz") as own:
        every, arrays = dict(file), dict(own)
    total = metrics["counts"]["candidates"]  # type: ignore[index]
    assert images.shape == (total, 28, 28, 1)
    assert images.dtype == np.float32
    assert {name: len(array.T) for name, array in every.items() if name != "k"} == dict.fromkeys(
        ("label", "source", "target", "prediction", "surrogate_prediction"), total
    )
    chosen = every["prediction"][0] != every["label"]
    assert 0 < chosen.sum() < total
    np.testing.assert_array_equal(images[chosen], arrays["adversarial_image"])
    for name in ("label", "source", "target"):
        np.testing.assert_array_equal(every[name][chosen], arrays[f"adversarial_{name}"])
    np.testing.assert_array_equal(every["prediction"][:, chosen], arrays["adversarial_prediction"])
    fooled = (every["surrogate_prediction"] != every["label"]).mean()
    assert metrics["attack"]["surrogate_fooled"] == pytest.approx(fooled)  # type: ignore[index]
    assert [path.name for path in experiment.run_folder(0).iterdir()] == ["result"]


def test_candidates_that_find_no_room_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = Spec(dataset=str(write_npz(tmp_path / "made.npz")), runs=1, z=5, epochs=1, keep="candidates")
    experiment, _ = create(tmp_path, spec)
    monkeypatch.setattr("core.records.candidates.KeptCandidates.add", lambda *_: full(tmp_path / "x"))
    assert "No space left on device" in str(compute(experiment)["error"])
    assert list(experiment.run_folder(0).iterdir()) == []
