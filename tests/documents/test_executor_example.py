"""The documents' executor computes an experiment, run by run, with the worker that works alone."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from core.engine.computation import Computation
from core.records.events import Event, RunCompleted, RunStarted
from core.records.home import create
from core.spec.spec import Spec
from tests.documents.examples import write_blocks

pytestmark = pytest.mark.slow


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    write_blocks(tmp_path, "adding/executor.md")
    spec = importlib.util.spec_from_file_location("prefixed_example", tmp_path / "example" / "prefixed.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "prefixed_example", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("prefix", [[], ["env", "AEFIT_EXAMPLE=1"]])
def test_an_executor_of_thirty_lines_computes_an_experiment(
    example: ModuleType, prefix: list[str], tmp_path: Path
) -> None:
    spec = Spec(dataset="digits", runs=2, epochs=1, controls=())
    experiment, _ = create(tmp_path / "home", spec)
    journal: list[Event] = []

    def write(event: Event) -> bool:
        journal.append(event)
        return True

    executor = example.PrefixedCommands(prefix, ["--no-cache"], jobs=1)
    ending = Computation(experiment, executor, write, lambda: None, data_dir=tmp_path).compute()
    assert ending == "complete"
    assert sorted(experiment.results(verify=True)) == [0, 1]
    assert [event.run for event in journal if isinstance(event, RunStarted)] == [0, 1]
    assert [event.run for event in journal if isinstance(event, RunCompleted)] == [0, 1]
