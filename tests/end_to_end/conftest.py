"""The real command in processes of its own, in a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

import tests.fakes
from core.records.events import Event
from core.records.experiment import Experiment, load
from core.records.folders import experiment_folders
from core.records.journal import read_all
from tests.fakes.images import write_npz
from tests.fakes.terminal import PATIENCE

BATCH = ("--batch", "--z", "5", "--epsilon", "0.25", "--threads", "1")
"""A small experiment; more threads would only wait for each other on a busy machine."""
HOLDING = Path(tests.fakes.__file__).parent / "holding"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real processes take seconds each: `make test` runs those that are marked quick, `make test-all` all."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("quick") is None:
            item.add_marker(pytest.mark.slow)


T = TypeVar("T")
E = TypeVar("E", bound=Event)


@dataclass
class Shell:
    """Runs `aefit-tui` with a home and nothing else that could leak in from the outside."""

    home: Path
    data: Path

    def start(
        self, *words: str, ignored: signal.Signals | None = None, **environment: str
    ) -> subprocess.Popen[str]:
        """ignored: a signal that the process is started deaf to, as nohup does."""

        def deafen() -> None:
            if ignored is not None:
                signal.signal(ignored, signal.SIG_IGN)

        return subprocess.Popen(
            [sys.executable, "-m", "tui_aefit.shell.cli", *words],
            preexec_fn=deafen,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home.parent,
            env={**self.environment, **environment},
        )

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, ignored=None, **environment)
        out, err = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def batch(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run(*BATCH, "--dataset", str(self.data), *words)

    def start_batch(
        self, *words: str, ignored: signal.Signals | None = None, **environment: str
    ) -> subprocess.Popen[str]:
        fixed = (*BATCH, "--dataset", str(self.data))
        return self.start(*fixed, *words, ignored=ignored, **environment)

    def only_experiment(self) -> Experiment:
        (folder,) = experiment_folders(self.home)
        return load(folder)

    @contextmanager
    def workers_held(self) -> Iterator[None]:
        """Workers wait after each epoch, which they have journaled, until the block ends.

        That holds for the workers of what is started within the block, however fast the machine.
        """
        self._hold_file.touch()
        try:
            yield
        finally:
            self._hold_file.unlink()

    @property
    def environment(self) -> dict[str, str]:
        """The variables of every command: no settings of whoever runs the tests."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("AEFIT_")},
            "AEFIT_HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home.parent / "config"),
            **self.holding,
        }

    @property
    def holding(self) -> dict[str, str]:
        """The variables by which workers can be held."""
        if not self._hold_file.exists():
            return {}
        return {
            "TEST_HOLD_FILE": str(self._hold_file),
            "PYTHONPATH": os.pathsep.join(filter(None, (str(HOLDING), os.environ.get("PYTHONPATH")))),
        }

    @property
    def _hold_file(self) -> Path:
        return self.home.parent / "hold"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home", write_npz(tmp_path / "made-up.npz"))


def wait_for(condition: Callable[[], T | None]) -> T:
    """The first truthy answer of a condition."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def wait_for_event(shell: Shell, kind: type[E], count: int = 1) -> E:
    """The count-th event of a type in the only experiment."""

    def look() -> E | None:
        journals = [load(folder).journal for folder in experiment_folders(shell.home)]
        events = [event for journal in journals for event in read_all(journal)]
        found = [event for event in events if isinstance(event, kind)]
        return found[count - 1] if len(found) >= count else None

    return wait_for(look)


def alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def kill_hard(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def numbers(result: dict[str, Any]) -> str:
    """All of a JSON result that must not depend on how an experiment was computed."""
    passing = ("seconds", "search", "surrogate_reused")
    runs = [{k: v for k, v in run.items() if k not in passing} for run in result["runs"]]
    return json.dumps([runs, result["summary"], result["tests"]])
