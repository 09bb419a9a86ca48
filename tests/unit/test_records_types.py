"""Records of a shape that nobody expects are refused by the parser: a line is set aside, a result is absent."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.errors import RecordError
from core.records.events import CoordinatorStarted, Notice, decode
from core.records.experiment import load
from core.records.journal import JournalReader
from core.records.results import parse_metrics, read_result
from core.records.state import read_state
from tests.fakes.damage import DECIDING, LINES, METRICS, change_metrics, line_of
from tests.fakes.experiments import append_events, make_experiment


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A metrics.json of every version."""
    first = Path(__file__).parents[1] / "first_version"
    made = make_experiment(tmp_path_factory.mktemp("home"), runs=1)
    folders = {"1": next(first.glob("experiments/*")), "2": made.folder}
    return {
        version: (folder / "runs/0000/result/metrics.json").read_bytes()
        for version, folder in folders.items()
    }


@pytest.mark.parametrize("damage", LINES)
@pytest.mark.parametrize("version", [1, 2])
def test_a_damaged_line_is_set_aside_and_the_next_is_read(tmp_path: Path, damage: str, version: int) -> None:
    line = line_of(LINES[damage], version)
    with pytest.raises(RecordError, match="not an event"):
        decode(line)
    experiment = make_experiment(tmp_path, state="created")
    append_events(experiment, CoordinatorStarted(host="h", pid=1, jobs=1, pending=()))
    path = experiment.journal / "0002-coordinator.jsonl"
    path.write_bytes(path.read_bytes() + line + b"\n")
    append_events(experiment, Notice(text="still here"), writer="0003-coordinator")
    for newest_only in (False, True):
        reader = JournalReader(experiment.journal, newest_only=newest_only)
        assert [type(event) for event in reader.poll()] == [CoordinatorStarted, Notice]
        (problem,) = reader.problems
        assert problem.writer == "0002-coordinator"
    assert read_state(load(experiment.folder)).statistics is None


@pytest.mark.parametrize(
    ("version", "damage"), [("1", one) for one in METRICS] + [("2", one) for one in {**METRICS, **DECIDING}]
)
def test_damaged_metrics_are_refused_and_their_result_counts_as_absent(
    tmp_path: Path, metrics: dict[str, bytes], damage: str, version: str
) -> None:
    whole = metrics[version]
    assert parse_metrics(whole).schema_version == int(version)
    record = json.loads(whole)
    {**METRICS, **DECIDING}[damage](record)
    damaged = json.dumps(record).encode()
    with pytest.raises(RecordError, match="metrics"):
        parse_metrics(damaged)
    result = tmp_path / "result"
    result.mkdir()
    for name in record["sha256"]:
        (result / name).touch()
    (result / "metrics.json").write_bytes(whole)
    assert read_result(result) is not None
    (result / "metrics.json").write_bytes(damaged)
    assert read_result(result) is None


def test_of_an_experiment_with_damaged_results_the_others_are_there(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=len(METRICS) + 1)
    for run, damage in enumerate(METRICS.values()):
        change_metrics(experiment.run_folder(run) / "result", damage)
    shutil.rmtree(experiment.run_folder(0) / "result")
    assert list(experiment.results()) == [len(METRICS)]
