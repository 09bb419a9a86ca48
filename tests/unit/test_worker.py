"""A worker: it says what goes wrong, gives the same numbers for any number of threads, and also works alone."""

from __future__ import annotations

import errno
import getpass
import os
import queue
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import pytest
import torch

from core.engine import run_computer, torch_folder
from core.engine import worker as worker_module
from core.engine.local import PipedProcess
from core.engine.messages import Answer, Completed, Refusal, parse_answer
from core.engine.run_computer import PROGRESS_SECONDS, Failure, RunComputer, prepare, sparingly
from core.errors import SpecError
from core.files.atomic import sync_folder
from core.files.exit_status import ExitStatus
from core.records import results
from core.records.events import (
    DatasetLoaded,
    EnvironmentReported,
    Event,
    Notice,
    Progress,
    StageFinished,
    StageStarted,
)
from core.records.experiment import Experiment
from core.records.home import create
from core.records.journal import read_all
from core.records.metrics import RunMetrics
from core.spec.spec import Spec
from tests.fakes.images import made_up_pool, write_npz
from tests.fakes.processes import ready_worker

E = TypeVar("E", bound=Event)


def make(folder: Path, **settings: object) -> Experiment:
    """An experiment on made-up images, of one run with one epoch unless `settings` say otherwise."""
    common = {"runs": 1, "z": 5, "epochs": 1, "controls": [], "device": "cpu"}
    spec = Spec.from_mapping({"dataset": str(write_npz(folder / "made.npz")), **common, **settings})
    return create(folder, spec)[0]


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return make(tmp_path)


class Journal:
    """What is said, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]


def computer(experiment: Experiment, journal: Journal, *, threads: int = 1) -> RunComputer:
    folder = experiment.folder.parent
    return prepare(
        experiment,
        data_dir=folder,
        cache_dir=folder / "cache",
        cached=False,
        threads=threads,
        write=journal.events.append,
        trace_place="above",
    )


def full(path: Path, *arguments: object) -> None:
    path.write_bytes(b"half")
    raise OSError(errno.ENOSPC, "No space left on device")


def numbers(metrics: RunMetrics | None) -> RunMetrics:
    """Without what may differ between two computations of the same run."""
    assert metrics is not None
    return msgspec.structs.replace(
        metrics, seconds={}, search={}, surrogate_reused=False, checksum="", experiment=""
    )


class TestComputing:
    """The runs of an experiment in this process."""

    def test_what_it_computes_with_and_on_is_said(self, experiment: Experiment) -> None:
        journal = Journal()
        computer(experiment, journal, threads=3)
        environment, dataset = journal.events
        assert isinstance(environment, EnvironmentReported)
        assert (environment.device, environment.threads, environment.plugins) == ("cpu", 3, {})
        assert environment.versions["torch"] == torch.__version__
        assert isinstance(dataset, DatasetLoaded)
        pool = made_up_pool()
        assert (dataset.images, dataset.shape, dataset.test_size) == (420, (28, 28, 1), 60)
        assert dataset.classes == pool.class_names

    def test_a_run_is_published_with_what_made_it_and_never_twice(self, experiment: Experiment) -> None:
        journal = Journal()
        worker = computer(experiment, journal)
        assert worker.compute(0) is None
        metrics = experiment.result(0, verify=True)
        assert metrics is not None
        assert metrics.data_sha256 == worker.pool.sha256
        assert metrics.environment == worker.environment
        assert metrics.environment.threads is None
        assert {event.run for event in journal.of(StageStarted)} == {0}
        assert [e.stage for e in journal.of(StageStarted)] == [e.stage for e in journal.of(StageFinished)]
        said = len(journal.events)
        assert worker.compute(0) is None
        assert len(journal.events) == said

    def test_too_few_training_images_for_the_family_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SpecError, match="z = 361 is not possible") as refused:
            computer(make(tmp_path, z=361), Journal())
        assert "360" in str(refused.value)

    def test_a_result_that_finds_no_room_is_a_failure_with_the_way_out(
        self,
        experiment: Experiment,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(run_computer, "write_arrays", full)
        assert computer(experiment, Journal()).compute(0) == Failure(
            f"its result cannot be written to {experiment.run_folder(0)}: No space left on device",
            f"free some space, or allow writing there, then: aefit-tui resume {experiment.id}",
        )
        assert list(experiment.run_folder(0).iterdir()) == []
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("place", ["the half-written result", "the run's folder"])
    def test_a_call_to_the_disk_that_fails_once_costs_no_run(
        self, experiment: Experiment, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        """Before the result appears, or when it has and may not be on the disk yet."""
        own = experiment.run_folder(0)
        synced: list[Path] = []

        def sync_unless_away(folder: Path) -> None:
            synced.append(folder)
            wanted = [path for path in synced if (path == own) == (place == "the run's folder")]
            if len(wanted) == 1 and wanted[0] is folder:
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
            sync_folder(folder)

        monkeypatch.setattr(results, "sync_folder", sync_unless_away)
        journal = Journal()
        assert computer(experiment, journal).compute(0) is None
        assert experiment.result(0, verify=True) is not None
        assert [path.name for path in own.iterdir()] == ["result"]
        assert synced[-1] == own, "it is on the disk when it is said to be there"
        (notice,) = journal.of(Notice)
        assert notice.text == "run 1: its result is written once more: Stale file handle"

    def test_candidates_that_were_written_as_they_came_are_not_written_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        experiment = make(tmp_path, keep="candidates")
        tried: list[Path] = []

        def fail(folder: Path) -> None:
            tried.append(folder)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

        monkeypatch.setattr(results, "sync_folder", fail)
        failure = computer(experiment, Journal()).compute(0)
        assert failure is not None
        assert "Stale file handle" in failure.error
        assert len(tried) == 1
        assert list(experiment.run_folder(0).iterdir()) == []

    def test_a_defect_is_the_runs_failure_with_its_trace(
        self,
        experiment: Experiment,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(run_computer, "compute_run", lambda *_, **__: 1 / 0)
        failure = computer(experiment, Journal()).compute(0)
        assert failure == Failure("ZeroDivisionError: division by zero", "the trace is above")
        assert "Traceback" in capsys.readouterr().err

    @pytest.mark.parametrize("name", ["write_galleries", "sync_file"])
    def test_a_gallery_that_finds_no_room_is_left_out_and_said(
        self, experiment: Experiment, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setattr(run_computer, name, full)
        journal = Journal()
        assert computer(experiment, journal).compute(0) is None
        result = experiment.run_folder(0) / "result"
        assert sorted(path.name for path in result.iterdir()) == ["arrays.npz", "metrics.json"]
        assert experiment.result(0, verify=True) is not None
        (notice,) = journal.of(Notice)
        assert "run 1 has no gallery" in notice.text
        assert "No space left" in notice.text

    def test_every_candidate_is_kept_on_request_and_the_adversarial_set_is_among_them(
        self, tmp_path: Path
    ) -> None:
        experiment = make(tmp_path, epochs=10, epsilon=0.25, keep="candidates")
        assert computer(experiment, Journal()).compute(0) is None
        metrics, result = experiment.result(0, verify=True), experiment.run_folder(0) / "result"
        assert metrics is not None
        assert set(metrics.sha256) >= {"candidate_image.npy", "candidates.npz", "arrays.npz"}
        images = np.load(result / "candidate_image.npy", mmap_mode="r", allow_pickle=False)
        with np.load(result / "candidates.npz") as file, np.load(result / "arrays.npz") as own:
            every, arrays = dict(file), dict(own)
        # Those of the test images that the most general level gets right come first, then those of all others.
        counts, targets = metrics.counts, 3
        total, known = counts.test * targets, counts.candidates
        assert known == counts.correct * targets < total
        assert images.shape == (total, 28, 28, 1)
        assert images.dtype == np.float32
        names = "label", "source", "target", "prediction", "surrogate_prediction", "crossfit_prediction"
        assert {name: array.shape[-1] for name, array in every.items() if name != "k"} == dict.fromkeys(
            names, total
        )
        recognised = arrays["test_prediction"][0] == arrays["test_label"]
        in_order = np.concatenate([arrays["test_index"][recognised], arrays["test_index"][~recognised]])
        np.testing.assert_array_equal(every["source"], in_order.repeat(targets))
        chosen = every["prediction"][0] != every["label"]
        chosen[known:] = False
        assert 0 < chosen.sum() < known
        np.testing.assert_array_equal(images[chosen], arrays["adversarial_image"])
        for name in ("label", "source", "target"):
            np.testing.assert_array_equal(every[name][chosen], arrays[f"adversarial_{name}"])
        np.testing.assert_array_equal(every["prediction"][:, chosen], arrays["adversarial_prediction"])
        fooled = (every["surrogate_prediction"] != every["label"])[:known].mean()
        assert metrics.attack.surrogate_fooled == pytest.approx(fooled)
        assert metrics.robustness is not None
        for level, prediction in zip(metrics.ladder.levels, every["prediction"], strict=True):
            right = (prediction == every["label"]).mean()
            assert metrics.robustness[level].accuracy == pytest.approx(right)
        assert [path.name for path in experiment.run_folder(0).iterdir()] == ["result"]

    def test_candidates_that_find_no_room_leave_nothing_behind(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        experiment = make(tmp_path, keep="candidates")
        monkeypatch.setattr("core.records.candidates.CandidateFiles.add", lambda *_: full(tmp_path / "x"))
        failure = computer(experiment, Journal()).compute(0)
        assert failure is not None
        assert "No space left on device" in failure.error
        assert list(experiment.run_folder(0).iterdir()) == []


def test_of_progress_a_little_is_said_of_all_else_everything() -> None:
    now = 100.0
    journal = Journal()
    observe = sparingly(journal.events.append, lambda: now)

    def progress(done: int) -> Progress:
        return Progress(run=0, stage="surrogate", done=done, total=9)

    started = StageStarted(run=0, stage="surrogate", total=9)
    observe(started)
    for done in (1, 2):
        observe(progress(done))
    now += PROGRESS_SECONDS
    for done in (3, 4, 9):
        observe(progress(done))
    observe(StageStarted(run=0, stage="candidates", total=9))
    observe(progress(1))
    assert [event.done for event in journal.of(Progress)] == [1, 3, 9, 1]
    assert len(journal.of(StageStarted)) == 2


class TestServing:
    """A process that takes runs from a coordinator."""

    @pytest.mark.slow
    @pytest.mark.parametrize("threads", ["1", "3"])
    def test_it_answers_and_its_journal_says_with_how_many_threads(
        self, tmp_path: Path, experiment: Experiment, threads: str
    ) -> None:
        with ready_worker(experiment, tmp_path, "--threads", threads) as compute:
            assert compute(0) == Completed(run=0)
        events = read_all(experiment.journal)
        (environment,) = [event for event in events if isinstance(event, EnvironmentReported)]
        assert environment.threads == int(threads)
        (tmp_path / "alone").mkdir()
        alone = make(tmp_path / "alone")
        assert computer(alone, Journal()).compute(0) is None
        assert numbers(experiment.result(0)) == numbers(alone.result(0))

    @pytest.mark.slow
    def test_what_cannot_be_computed_is_refused(self, tmp_path: Path, experiment: Experiment) -> None:
        (tmp_path / "made.npz").write_bytes(b"no images")
        words = [str(experiment.folder), "--serve", "--data-dir", str(tmp_path), "--cache-dir", str(tmp_path)]
        worker = PipedProcess([sys.executable, "-m", "core.engine.worker", *words])
        with worker.answers:
            assert isinstance(parse_answer(worker.answers.readline()), Refusal)
            assert worker.answers.readline() == b""
        assert worker.wait() == ExitStatus.REFUSED
        assert worker.stdin is not None
        worker.stdin.close()

    def test_who_finds_its_journal_taken_refuses_nothing(
        self, experiment: Experiment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Dask began its task for the second time: it ends, and the experiment is computed."""
        answers: list[Answer] = []
        monkeypatch.setattr(worker_module, "_answering", lambda descriptor: answers.append)
        monkeypatch.setattr(worker_module, "_commands", queue.SimpleQueue)
        journal = experiment.journal / "0001-worker-1.jsonl"
        journal.parent.mkdir()
        journal.touch()
        words = [str(experiment.folder), "--serve", "--answers", "9", "--journal", str(journal)]
        assert worker_module.main(words) == ExitStatus.REFUSED
        assert answers == []
        assert f"cannot make the journal {journal}: File exists" in capsys.readouterr().err

    def test_a_coordinator_is_needed_for_answers(
        self, experiment: Experiment, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for words in (["--serve"], ["0", "--answers", "7"]):
            with pytest.raises(SystemExit):
                worker_module.main([str(experiment.folder), *words])
            assert "belong together" in capsys.readouterr().err


@pytest.mark.slow
def test_nothing_is_read_from_a_shared_folder_that_another_user_can_fill(
    tmp_path: Path, experiment: Experiment
) -> None:
    """torch makes a folder with a name known in advance there, unless told otherwise."""
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / f"torchinductor_{getpass.getuser()}").write_text("somebody else's")
    before = sorted(shared.iterdir())
    command = [sys.executable, "-m", "core.engine.worker", str(experiment.folder), "0"]
    environment = {name: value for name, value in os.environ.items() if name != torch_folder.VARIABLE}
    done = subprocess.run(
        command, env={**environment, "TMPDIR": str(shared)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == ExitStatus.COMPLETE, done.stderr
    assert sorted(shared.iterdir()) == before
    assert experiment.result(0, verify=True) is not None


class TestTorchFolder:
    @pytest.fixture(autouse=True)
    def unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(torch_folder.VARIABLE, "to be restored")
        monkeypatch.delenv(torch_folder.VARIABLE)

    def test_it_lies_in_the_cache(self, tmp_path: Path) -> None:
        torch_folder.keep_to_own_folder(tmp_path / "cache")
        assert Path(os.environ[torch_folder.VARIABLE]) == (tmp_path / "cache" / "torch").resolve()
        assert (tmp_path / "cache" / "torch").is_dir()

    def test_one_that_the_environment_names_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(torch_folder.VARIABLE, "/mine")
        torch_folder.keep_to_own_folder(tmp_path)
        assert os.environ[torch_folder.VARIABLE] == "/mine"
        assert list(tmp_path.iterdir()) == []

    def test_without_a_cache_torch_is_given_one_that_is_there(self, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("a file in its place")
        torch_folder.keep_to_own_folder(tmp_path / "cache")
        assert Path(os.environ[torch_folder.VARIABLE]).is_dir()


class TestAlone:
    """`python -m core.engine.worker FOLDER RUN...`."""

    @pytest.fixture
    def three(self, tmp_path: Path) -> Experiment:
        return make(tmp_path, runs=3)

    def run(self, experiment: Experiment, *words: str) -> int:
        return worker_module.main([str(experiment.folder), *words])

    def test_it_computes_the_runs_that_are_named_and_says_so(
        self, three: Experiment, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(three, "2", "0", "2") == ExitStatus.COMPLETE
        assert list(three.results(verify=True)) == [0, 2]
        out, err = capsys.readouterr()
        assert out == ""
        said = [line for line in err.splitlines() if line.endswith(("begins", "complete"))]
        assert said == ["run 2 begins", "run 2 is complete", "run 0 begins", "run 0 is complete"]
        assert not three.journal.exists()

    def test_a_run_that_has_its_result_is_passed_over(
        self, three: Experiment, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert computer(three, Journal()).compute(1) is None
        before = (three.run_folder(1) / "result").stat().st_mtime_ns
        assert self.run(three, "1") == ExitStatus.COMPLETE
        assert capsys.readouterr().err == "run 1 has its result already\n"
        assert (three.run_folder(1) / "result").stat().st_mtime_ns == before

    def test_it_journals_on_request(self, three: Experiment) -> None:
        journal = three.journal / "0001-worker-1.jsonl"
        assert self.run(three, "0", "--journal", str(journal)) == ExitStatus.COMPLETE
        kinds = {event.kind for event in read_all(three.journal)}
        assert {"environment", "dataset", "stage_started", "epoch", "stage_finished"} <= kinds

    def test_a_journal_that_is_there_already_is_refused(
        self, three: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "w.jsonl").write_text("another's")
        assert self.run(three, "0", "--journal", str(tmp_path / "w.jsonl")) == ExitStatus.REFUSED
        assert "cannot make the journal" in capsys.readouterr().err
        assert (tmp_path / "w.jsonl").read_text() == "another's"

    def test_an_interruption_keeps_what_is_complete(
        self, three: Experiment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        compute = RunComputer.compute

        def interrupt(computer: RunComputer, run: int) -> Failure | None:
            if run == 1:
                raise KeyboardInterrupt
            return compute(computer, run)

        monkeypatch.setattr(RunComputer, "compute", interrupt)
        assert self.run(three, "0", "1", "2") == ExitStatus.INTERRUPTED
        assert list(three.results(verify=True)) == [0]
        assert "interrupted" in capsys.readouterr().err

    def test_a_failed_run_leaves_the_others_alone(
        self, three: Experiment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        compute = RunComputer.compute
        monkeypatch.setattr(
            RunComputer, "compute", lambda self, run: Failure("no", "way") if run == 1 else compute(self, run)
        )
        assert self.run(three, "1", "2") == ExitStatus.FAILED
        assert list(three.results()) == [2]
        assert "run 1 failed: no\nway\n" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            (["3"], "has no run 3: expected 0 to 2"),
            (["0", "-1"], "has no run -1: expected 0 to 2"),
        ],
    )
    def test_a_run_that_there_is_not_is_refused(
        self, three: Experiment, words: Sequence[str], error: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(three, "--", *words) == ExitStatus.REFUSED
        assert error in capsys.readouterr().err
        assert three.results() == {}

    def test_other_images_than_those_of_the_runs_there_are_refused(
        self, tmp_path: Path, three: Experiment, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(three, "0") == ExitStatus.COMPLETE
        write_npz(tmp_path / "made.npz", seed=6)
        capsys.readouterr()
        assert self.run(three, "1") == ExitStatus.REFUSED
        assert "is not what it was when earlier runs were computed" in capsys.readouterr().err
        assert list(three.results()) == [0]

    def test_no_runs_and_no_coordinator_is_a_wrong_request(
        self, three: Experiment, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as refused:
            self.run(three)
        assert refused.value.code == ExitStatus.REFUSED
        assert "expected the numbers of runs" in capsys.readouterr().err

    def test_an_experiment_of_the_first_version_is_refused(
        self, first_version_home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder,) = (first_version_home / "experiments").iterdir()
        assert worker_module.main([str(folder), "0"]) == ExitStatus.REFUSED
        assert "was computed by an earlier version" in capsys.readouterr().err
