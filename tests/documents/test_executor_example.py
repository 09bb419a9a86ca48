"""The document's file and entry in a copy of the program: options follow, and a coordinator computes by them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.records.events import RunCompleted, RunStarted
from core.records.experiment import load
from core.records.journal import read_all
from tests.documents.copies import command, copy_program, insert_before, run
from tests.documents.examples import blocks_of

FILE, REGISTRY = "core/engine/prefixed.py", "core/places/registry.py"
END_OF_ENTRIES = ")  # fmt: skip"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with the executor that the document adds."""
    folder = tmp_path_factory.mktemp("copy")
    copy_program(folder)
    blocks = blocks_of("adding/executor.md")
    assert blocks.keys() == {FILE, REGISTRY}
    assert not (folder / FILE).exists()
    (folder / FILE).write_text(blocks[FILE], encoding="utf-8")
    entry = blocks[REGISTRY].removeprefix("_ENTRIES = (\n    ...,\n").removesuffix(")\n")
    insert_before(folder / REGISTRY, END_OF_ENTRIES, entry)
    return folder


def test_command_environment_files_and_help_have_it(copy: Path, tmp_path: Path) -> None:
    assert "--prefix COMMAND" in command(copy, "--help").stdout
    shown = json.loads(command(copy, "config", "show", "--json", AEFIT_PREFIX="ssh node2").stdout)
    assert shown["prefix"] == {"value": "ssh node2", "source": "AEFIT_PREFIX"}
    file = tmp_path / "own.toml"
    file.write_text('prefix = "ssh node2"', encoding="utf-8")
    batch = ("--batch", "--home", str(tmp_path), "--config", str(file))
    refused = command(copy, *batch, "--dask", "slurm")
    assert refused.returncode == 2
    assert "--prefix is set too: expected one of the two" in refused.stderr


LOOK = """
from core.engine import coordinator, supervisor
from core.engine.arguments import how_of
from core.spec.settings import RESERVED
words = "folder --jobs 2 --data-dir . --cache-dir . --prefix".split()
for parser in (coordinator._parser(), supervisor._parser()):
    assert how_of(parser.parse_args([*words, "ssh node2"])).elsewhere == ("--prefix", "ssh node2")
assert "prefix" in RESERVED
"""


def test_coordinators_and_supervisors_take_it_and_hand_it_on(copy: Path) -> None:
    done = run(copy, "-c", LOOK)
    assert done.returncode == 0, done.stderr


def test_a_coordinator_computes_an_experiment_by_it(copy: Path, tmp_path: Path) -> None:
    small = ("--dataset", "digits", "--runs", "2", "--epochs", "1", "--controls", "none", "--no-cache")
    prefix = "env AEFIT_EXAMPLE=1"
    done = command(
        copy, "--batch", "--home", str(tmp_path), *small, "--jobs", "1", "--prefix", prefix, "--json"
    )
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "experiments").iterdir()
    experiment = load(folder)
    assert sorted(experiment.results(verify=True)) == [0, 1]
    events = read_all(experiment.journal)
    assert {event.run for event in events if isinstance(event, RunStarted)} == {0, 1}
    assert sorted(event.run for event in events if isinstance(event, RunCompleted)) == [0, 1]
    workers = sorted(path.name for path in experiment.journal.glob("*-worker-*.jsonl"))
    assert workers == ["0001-worker-1.jsonl", "0001-worker-2.jsonl"], "a process a run"


def test_a_prefix_that_starts_nothing_is_told(copy: Path, tmp_path: Path) -> None:
    words = ("--batch", "--home", str(tmp_path), "--dataset", "digits", "--runs", "1", "--controls", "none")
    done = command(copy, *words, "--prefix", "false")
    assert done.returncode == 1
    assert "its worker could not compute it" in done.stderr
