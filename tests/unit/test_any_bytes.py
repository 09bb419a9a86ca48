"""Whatever lies in a home: `list`, `show`, `resume` end as they are documented to; nothing outside is touched."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from core.engine import coordinator
from core.engine.stopping import ProcessStops
from core.records.experiment import Experiment
from core.records.home import create
from tests.fakes.executor import FakeExecutor, put_result
from tests.faults.damage import damage_home, damaged
from tests.faults.lab import OBEYED, SPEC, Lab, contents
from tui_aefit.shell import cli

Command = Callable[..., int]


class EndedCoordinator:
    """A coordinator that has done its work in this process."""

    stdin = None

    def __init__(self, status: int) -> None:
        self._status = status

    def poll(self) -> int:
        return self._status

    wait = poll


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A home with one of three runs, and a second experiment; all happens in this process."""
    lab = Lab(tmp_path)
    put_result(lab.experiment, 0)
    put_result(create(lab.home, SPEC.changed(seed=1, runs=1))[0], 0)

    def start(experiment: Experiment, *_: object, **__: object) -> EndedCoordinator:
        words = lab.coordinator_words(experiment.folder)
        return EndedCoordinator(coordinator.main(words))

    workers = partial(FakeExecutor, lab.compute)
    monkeypatch.setattr(coordinator, "LocalProcesses", lambda jobs, start: workers(capacity=jobs))
    monkeypatch.setattr(ProcessStops, "watch_signals", lambda stops: None)
    monkeypatch.setattr("tui_aefit.shell.batch.start_coordinator", start)
    monkeypatch.setattr("core.records.lock.SILENCE_SECONDS", 0.05)
    monkeypatch.setattr("core.records.lock.LOOK_SECONDS", 0.005)
    monkeypatch.setattr("tui_aefit.shell.follow.LOOK_SECONDS", 0.0)
    monkeypatch.setenv("AEFIT_HOME", str(lab.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return lab


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*words: str) -> int:
        status = cli.run(list(words))
        said = capsys.readouterr()
        assert not OBEYED.search(said.out + said.err), words
        if status == 0 and "--json" in words:
            json.loads(said.out)
        return status

    return run


@pytest.mark.parametrize("seed", range(24))
def test_any_damage_to_any_files(lab: Lab, command: Command, seed: int) -> None:
    rng = random.Random(seed)
    assert command("resume", lab.experiment.id) == 0
    for _ in range(1 + seed % 3):
        damage_home(rng, lab.home, lab.outside)
    assert command("list") == 0
    assert command("list", "--json") == 0
    assert command("show", lab.experiment.id) in (0, 1, 2)
    assert command("resume", lab.experiment.id) in (0, 1, 2)
    assert contents(lab.outside) == lab.untouched


@pytest.mark.parametrize(
    "name",
    [
        "spec.toml",
        "annotations.toml",
        "created",
        "lock",
        "heartbeat",
        "journal/0001-coordinator.jsonl",
        "runs/0000/result/metrics.json",
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_any_bytes_in_a_file_of_an_experiment_cost_no_other(
    lab: Lab, command: Command, name: str, seed: int
) -> None:
    rng = random.Random(f"{name}:{seed}")
    path = lab.experiment.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(damaged(rng, path.read_bytes() if path.exists() else b'label = "a"\n'))
    other = next(folder for folder in (lab.home / "experiments").iterdir() if folder != lab.experiment.folder)
    assert command("list") == 0
    assert command("show", lab.experiment.id) in (0, 1, 2)
    assert command("show", other.name) == 0
    assert command("resume", lab.experiment.id) in (0, 1, 2)
    assert command("delete", lab.experiment.id, "--yes") == 0
    assert [folder.name for folder in (lab.home / "experiments").iterdir()] == [other.name]
    assert contents(lab.outside) == lab.untouched
