"""What several unit tests need."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.commands import Answer, Command
from tui_aefit.shell.cli import run


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits until its input ends."""
    waiting = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", waiting], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An experiments home, in a world without settings of whoever runs the tests."""
    for variable in [name for name in os.environ if name.startswith("AEFIT_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setattr("tui_aefit.shell.settings.user_config", lambda: tmp_path / "no-config.toml")
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    monkeypatch.setenv("AEFIT_HOME", str(home))
    return home


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """The program without a terminal, on that home."""

    def type_in(*words: str) -> Answer:
        capsys.readouterr()
        status = run(list(words))
        return Answer(status, *capsys.readouterr())

    return type_in
