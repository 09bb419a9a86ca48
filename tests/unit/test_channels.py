"""Standard output and error that are closed or full: documented exit statuses, never a traceback."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.files import channels
from core.files.exit_status import ExitStatus
from tests.fakes.experiments import make_experiment
from tui_aefit.shell import cli


class Broken(io.StringIO):
    """A channel on which every write fails in one way."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def flush(self) -> None:
        raise OSError(self._number, os.strerror(self._number))


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The channels that were given up; the tests' own stay."""
    found: list[int] = []
    for place in (channels, cli):
        monkeypatch.setattr(place, "forget", found.append)
    monkeypatch.setattr(cli, "hold_channels", lambda: None)
    return found


def status_of(monkeypatch: pytest.MonkeyPatch, *words: str) -> object:
    monkeypatch.setattr(sys, "argv", ["aefit-tui", *words])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code


@pytest.mark.parametrize("words", [("list",), ("--version",), ("show", "--help"), ("export", "latest")])
@pytest.mark.parametrize(
    ("number", "status"), [(errno.ENOSPC, 1), (errno.EBADF, 1), (errno.EPIPE, 128 + signal.SIGPIPE)]
)
def test_results_that_cannot_be_written_are_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, forgotten: list[int],
    words: tuple[str, ...], number: int, status: int,
) -> None:  # fmt: skip
    make_experiment(tmp_path)
    monkeypatch.setenv("AEFIT_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "stdout", Broken(number))
    assert status_of(monkeypatch, *words) == status
    said = capsys.readouterr().err
    assert said == (
        "" if number == errno.EPIPE else f"aefit-tui: the output cannot be written: {os.strerror(number)}\n"
    )
    assert forgotten == [1]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EBADF, errno.EPIPE])
def test_what_nobody_can_be_told_changes_no_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, forgotten: list[int],
    number: int,
) -> None:  # fmt: skip
    monkeypatch.setenv("AEFIT_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "stderr", Broken(number))
    assert status_of(monkeypatch, "list") == ExitStatus.COMPLETE
    assert status_of(monkeypatch, "show", "none") == ExitStatus.REFUSED
    assert status_of(monkeypatch, "list", "--json") == ExitStatus.COMPLETE
    assert capsys.readouterr().out == "[]\n"
    assert forgotten == [2, 2]


@pytest.fixture
def spare() -> Iterator[None]:
    """Puts the descriptors 0, 1 and 2 back."""
    kept = [os.dup(number) for number in range(3)]
    yield
    for number, descriptor in enumerate(kept):
        os.dup2(descriptor, number)
        os.close(descriptor)


def test_closed_channels_are_held_so_that_no_file_takes_their_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spare: None
) -> None:
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.close(number)
        monkeypatch.setattr(sys, name, None)
    channels.hold_channels()
    assert sys.stdin.read() == ""
    with (tmp_path / "file").open("w") as file:
        assert file.fileno() > 2
        sys.stderr.write("lost")
        sys.stderr.flush()
        with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
            os.write(sys.stdout.fileno(), b"no")
    assert (tmp_path / "file").read_bytes() == b""


def test_channels_that_are_open_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sys.stdin, sys.stdout, sys.stderr
    channels.hold_channels()
    assert (sys.stdin, sys.stdout, sys.stderr) == before


def test_a_channel_that_is_given_up_takes_what_is_left(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.write(b"half")
        channels.forget(file.fileno())
    assert (tmp_path / "file").read_bytes() == b""


def test_a_lock_that_must_not_be_read_is_said_and_is_no_failed_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, forgotten: list[int]
) -> None:
    experiment = make_experiment(tmp_path)
    monkeypatch.setenv("AEFIT_HOME", str(tmp_path))

    def refuse(*_: object) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(experiment.folder / "lock"))

    monkeypatch.setattr("core.records.lock.read_plain", refuse)
    assert status_of(monkeypatch, "resume", experiment.id) == ExitStatus.REFUSED
    said = capsys.readouterr().err
    assert said.startswith(f"aefit-tui: {experiment.folder / 'lock'}: Permission denied\n")
    assert forgotten == []


def test_a_working_folder_that_is_gone_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, forgotten: list[int]
) -> None:
    monkeypatch.setenv("AEFIT_HOME", str(tmp_path))

    def gone() -> Path:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr("tui_aefit.shell.settings.Path.cwd", gone)
    assert status_of(monkeypatch, "list") == ExitStatus.COMPLETE
    assert "the working folder cannot be read" in capsys.readouterr().err
    assert status_of(monkeypatch, "resume", "latest") == ExitStatus.REFUSED
    assert "the working folder cannot be read" in capsys.readouterr().err
