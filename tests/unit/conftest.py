"""What several unit tests need."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
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


@pytest.fixture(params=[PermissionError, FileNotFoundError], ids=["hidepid=1", "hidepid=2"])
def hide(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Callable[[int], None]:
    """Shows a process from now on as a system does that hides the processes of other users: as another user's."""
    kill, read = os.kill, Path.read_bytes

    def hide_process(hidden: int) -> None:
        def refuse(pid: int, number: int) -> None:
            kill(pid, number)
            if (pid, number) == (hidden, 0):
                raise PermissionError

        def show_nothing(path: Path) -> bytes:
            if path == Path(f"/proc/{hidden}/stat"):
                raise request.param
            return read(path)

        monkeypatch.setattr(os, "kill", refuse)
        monkeypatch.setattr(Path, "read_bytes", show_nothing)

    return hide_process


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
