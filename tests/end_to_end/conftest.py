"""The real command in processes of its own, in a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.records.experiment import Experiment, every
from core.records.journal import read_all
from tests.made_up import write_npz

BATCH = ("--batch", "--z", "5", "--epsilon", "0.25", "--threads", "1")
"""A small experiment; more threads would only wait for each other on a busy machine."""
PATIENCE = 120.0
"""Seconds after which something that should happen counts as not happening."""


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

        clean = {k: v for k, v in os.environ.items() if not k.startswith("AEFIT_")}
        return subprocess.Popen(
            [sys.executable, "-m", "tui_aefit.shell.cli", *words],
            preexec_fn=deafen,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home.parent,
            env={
                **clean,
                "AEFIT_HOME": str(self.home),
                "XDG_CONFIG_HOME": str(self.home.parent / "config"),
                **environment,
            },
        )

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, **environment)
        out, err = process.communicate(timeout=2 * PATIENCE)
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
        (found,) = every(self.home)
        assert isinstance(found, Experiment)
        return found


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home", write_npz(tmp_path / "made-up.npz"))


def wait_for(condition: Callable[[], Any]) -> Any:
    """The first truthy answer of a condition."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def wait_for_event(shell: Shell, kind: str, count: int = 1) -> dict[str, Any]:
    """The fields of the count-th event of a kind in the only experiment."""

    def look() -> Any:
        found = [event for event in every(shell.home) if isinstance(event, Experiment)]
        events = [e for experiment in found for e in read_all(experiment.journal) if e.kind == kind]
        return [dict(event.fields) for event in events[count - 1 : count]]

    return wait_for(look)[0]


def kill_hard(pid: object) -> None:
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)


def numbers(result: dict[str, Any]) -> str:
    """All that must not depend on how an experiment was computed."""
    passing = ("seconds", "search", "surrogate_reused")
    runs = [{k: v for k, v in run.items() if k not in passing} for run in result["runs"]]
    return json.dumps([runs, result["summary"], result["tests"]])
