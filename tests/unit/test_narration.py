"""What is told in a shell while an experiment is computed: announced once it is sure, said once."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.records.events import (
    CoordinatorStarted,
    DatasetLoaded,
    Event,
    Finished,
    RunCompleted,
    RunFailed,
    RunStarted,
)
from core.records.experiment import Experiment
from core.records.journal import JournalReader
from core.spec.spec import Spec
from tests.fakes.experiments import append_events, make_experiment_from_answers
from tests.fakes.timeline import environment_reported
from tui_aefit.shell.bars import Bars
from tui_aefit.shell.narration import Lines

SPEC = Spec(dataset="digits", options={"z": 3}, runs=3, controls=())
DATASET = DatasetLoaded(
    name="digits", sha256="5" * 64, images=9, shape=(28, 28, 1), classes=("0", "1"), test_size=2,
    notices=("9 images resized",),
)  # fmt: skip


def narrated(tmp_path: Path, *events: Event, complete: int = 0) -> tuple[list[str], Path]:
    """What is told of new events of an experiment with so many complete runs, and the experiment's folder."""
    made = make_experiment_from_answers(tmp_path, SPEC, complete=range(complete), statistics=False)
    reader = JournalReader(made.experiment.journal)
    reader.poll()
    append_events(made.experiment, *events)
    said: list[str] = []
    lines = Lines(made.experiment, said.append)
    for event in reader.poll():
        lines.tell(event)
    return said, made.experiment.folder


def started(*pending: int, complete: int | None = None) -> Event:
    return CoordinatorStarted(host="h", pid=1, jobs=2, pending=pending, complete=complete)


def test_where_results_go_and_what_is_to_do_is_told_once_the_data_are_read(tmp_path: Path) -> None:
    said, folder = narrated(tmp_path, started(0, 1, 2), environment_reported(), DATASET)
    assert "\n".join(said).splitlines() == [
        f"results go to {folder}",
        f"{folder.name}: 3 runs to compute, 2 at a time",
        "computing on cpu, 1 thread a run",
        "digits: 9 images of 28 x 28 x 1 in 2 classes, 2 of them for testing",
        "9 images resized",
    ]


def test_of_a_request_that_is_refused_nothing_is_announced(tmp_path: Path) -> None:
    refused = Finished(status="refused", error="no images")
    said, _ = narrated(tmp_path, started(0, 1, 2), environment_reported(), refused)
    assert said == []


def test_one_run_is_no_runs(tmp_path: Path) -> None:
    said, folder = narrated(
        tmp_path, started(2, complete=2), RunStarted(run=2, worker=1, attempt=1), complete=2
    )
    assert f"{folder.name}: 1 run to compute, 2 at a time (2 are done)" in said[0]
    said, folder = narrated(tmp_path / "b", started(1, 2, complete=1), DATASET, complete=1)
    assert f"{folder.name}: 2 runs to compute, 2 at a time (1 is done)" in said[0]


def test_what_was_complete_at_the_start_is_said_as_it_was_then(tmp_path: Path) -> None:
    # It was extended since: three runs are asked for by now, one was when this coordinator began.
    said, folder = narrated(tmp_path, started(0, complete=0), DATASET, complete=1)
    assert f"{folder.name}: 1 run to compute, 2 at a time\n" in said[0]
    said, folder = narrated(tmp_path / "b", started(0), DATASET, complete=1)
    assert f"{folder.name}: 1 run to compute, 2 at a time\n" in said[0], "an earlier version did not say"


def test_the_bar_of_all_runs_counts_events_and_reads_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make_experiment_from_answers(tmp_path, SPEC, complete=[0]).experiment
    monkeypatch.setattr(Experiment, "results", None)
    monkeypatch.setattr(Experiment, "reloaded", None)
    bars = Bars(experiment)
    try:
        (everything,) = bars._progress.tasks
        counts = []
        for event in (
            started(1, 2, complete=1), RunStarted(run=1, worker=1, attempt=1), RunCompleted(run=1),
            RunFailed(run=2, error="it broke", hint="", retry=True), RunStarted(run=3, worker=1, attempt=1),
            RunCompleted(run=2), RunCompleted(run=3),
        ):  # fmt: skip
            bars.tell(event)
            counts.append((everything.completed, everything.total))
    finally:
        bars.close()
    assert counts == [(1, 3), (1, 3), (2, 3), (2, 3), (2, 4), (3, 4), (4, 4)]
