"""What is told in a shell while an experiment is computed: announced once it is sure, said once."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from rich.progress_bar import ProgressBar

from core.records.events import (
    CoordinatorStarted,
    DatasetLoaded,
    EpochFinished,
    Event,
    Finished,
    Progress,
    RunCompleted,
    RunFailed,
    RunStarted,
    StageFinished,
    StageStarted,
)
from core.records.experiment import Experiment
from core.records.journal import JournalReader
from core.records.stages import stages_of
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


# Bars


@dataclass
class Drawn:
    """The bars of an experiment at a clock of ours: each row as its words, and the share that its bar shows."""

    bars: Bars
    console: Console
    now: list[float]

    def rows(self) -> list[tuple[list[str], float]]:
        table = self.bars.drawn()
        columns = [list(column.cells) for column in table.columns]
        found = []
        for cells in zip(*columns, strict=True):
            words = [str(cell) for cell in cells if not isinstance(cell, ProgressBar)]
            (share,) = (cell.completed for cell in cells if isinstance(cell, ProgressBar))
            found.append((words, share))
        return found


@pytest.fixture
def drawn(tmp_path: Path) -> Iterator[Drawn]:
    experiment = make_experiment_from_answers(tmp_path, SPEC, complete=[]).experiment
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    now = [1000.0]
    bars = Bars(experiment, console=console, clock=lambda: now[0])
    try:
        yield Drawn(bars, console, now)
    finally:
        bars.close()


def at(time: float, *told: Event) -> list[Event]:
    return [msgspec.structs.replace(event, time=time) for event in told]


def test_the_bar_of_all_runs_counts_events_and_reads_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make_experiment_from_answers(tmp_path, SPEC, complete=[0]).experiment
    monkeypatch.setattr(Experiment, "results", None)
    monkeypatch.setattr(Experiment, "reloaded", None)
    bars = Bars(experiment, console=Console(file=io.StringIO()))
    try:
        counts = []
        for event in (
            started(1, 2, complete=1), RunStarted(run=1, worker=1, attempt=1), RunCompleted(run=1),
            RunFailed(run=2, error="it broke", hint="", retry=True), RunStarted(run=3, worker=1, attempt=1),
            RunCompleted(run=2), RunCompleted(run=3),
        ):  # fmt: skip
            bars.tell(event)
            counts.append(bars.counts)
    finally:
        bars.close()
    assert counts == [(1, 3), (1, 3), (2, 3), (2, 3), (2, 4), (3, 4), (4, 4)]


def test_each_run_at_work_has_a_bar_of_its_stage_and_all_have_one_together(drawn: Drawn) -> None:
    stages = stages_of(SPEC)
    assert drawn.rows() == [(["all runs", "0 of 3", "0 %", "starting"], 0.0)]
    for event in at(
        1000.0,
        started(0, 1, 2, complete=0),
        RunStarted(run=0, worker=1, attempt=1),
        StageStarted(run=0, stage=stages[0], total=1),
        StageFinished(run=0, stage=stages[0], seconds=0.0),
        StageStarted(run=0, stage=stages[1], total=400),
    ):
        drawn.bars.tell(event)
    (progress,) = at(1002.0, Progress(run=0, stage=stages[1], done=100, total=400))
    drawn.bars.tell(progress)
    drawn.now[0] = 1002.0
    everything, run = drawn.rows()
    # One stage and a quarter of the next, of all the stages of three runs: nobody knows yet how long each takes.
    share = (1 + 0.25) / len(stages) / 3
    assert everything[0][:3] == ["all runs", "0 of 3", f"{int(100 * share)} %"]
    assert everything[0][3].endswith(" left")
    assert everything[1] == pytest.approx(share)
    assert run == (["run 1", f"2/{len(stages)} {stages[1]}", "25 %", "50 a second"], 0.25)
    drawn.bars.tell(RunFailed(run=0, error="it broke", hint="", retry=False))
    assert [words[0] for words, _ in drawn.rows()] == ["all runs"]


def test_time_left_is_told_once_every_stage_is_known(drawn: Drawn) -> None:
    """Every stage takes ten seconds. One run is done, one has begun its first stage, one waits for the other."""
    stages = stages_of(SPEC)
    for event in at(1000.0, started(0, 1, 2, complete=0), RunStarted(run=0, worker=1, attempt=1)):
        drawn.bars.tell(event)
    for stage in stages:
        for event in at(1000.0, StageFinished(run=0, stage=stage, seconds=10.0)):
            drawn.bars.tell(event)
    for event in at(
        1000.0,
        RunCompleted(run=0),
        RunStarted(run=1, worker=1, attempt=1),
        StageStarted(run=1, stage=stages[0], total=100),
    ):
        drawn.bars.tell(event)
    drawn.now[0] = 1004.0
    everything, _ = drawn.rows()
    # The third run starts at once, for two are computed at a time: it takes all stages.
    assert everything[0] == ["all runs", "1 of 3", "33 %", f"{10 * len(stages)} s left"]
    drawn.bars.tell(at(1005.0, Progress(run=1, stage=stages[0], done=50, total=100))[0])
    # Weighed by their seconds, the half of one stage is that part of a run.
    assert drawn.rows()[0][1] == pytest.approx((1 + 0.5 / len(stages)) / 3)


def test_of_a_network_that_is_trained_the_epoch_is_told(drawn: Drawn) -> None:
    for event in at(
        1000.0,
        started(0, complete=0),
        RunStarted(run=0, worker=1, attempt=1),
        StageStarted(run=0, stage="surrogate", total=10),
        EpochFinished(run=0, epoch=1, epochs=3, loss=0.7),
        EpochFinished(run=0, epoch=2, epochs=3, loss=0.5),
    ):
        drawn.bars.tell(event)
    assert drawn.rows()[1][0][-1] == "epoch 2 of 3"


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_bars_fit_the_terminal_and_need_no_colour(drawn: Drawn, width: int) -> None:
    for event in at(1000.0, started(0, complete=0), RunStarted(run=0, worker=1, attempt=1),
                    StageStarted(run=0, stage="surrogate", total=10),
                    Progress(run=0, stage="surrogate", done=5, total=10)):  # fmt: skip
        drawn.bars.tell(event)
    drawn.now[0] = 1001.0
    plain = Console(file=io.StringIO(), width=width, force_terminal=True, no_color=True)
    drawn.bars._console = plain
    plain.print(drawn.bars.drawn())
    assert isinstance(plain.file, io.StringIO)
    text = plain.file.getvalue()
    assert not re.search(r"\x1b\[[0-9;]*(3[0-8]|4[0-8]|9[0-7])", text), "no colour"
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    assert len(lines) == 2
    assert max(map(len, lines)) <= width
    assert "50 %" in lines[1]
