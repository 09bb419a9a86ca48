"""Workers behind a launcher: what reaches them through a shell, what is heard of them, how they are ended."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import unquote

import pytest

from core.engine import launched
from core.engine.executor import Assigned, Done, Executor, Lost, Task, WorkerReady, WorkerStarted
from core.engine.launched import LaunchedProcess, MarkedLines, worker_command
from core.engine.local import LocalProcesses, WorkerSilent
from core.engine.signs_of_life import sign_of_life
from core.errors import AefitError

PATIENCE = 120.0
ODD = ["/home/of mine/it's $HOME", "--journal", 'a"b;c&d|e', "*", "\u00e9\n", "--threads", "2"]
PLAYER = '''
"""A launcher that plays the worker it is to start; argv: its part, then the worker's command."""
import json, re, sys, time
from urllib.parse import unquote
part, words = sys.argv[1], [unquote(word) for word in sys.argv[2:]]
mark = words[words.index("--marked") + 1]
def say(**answer):
    print("\\n" + mark + json.dumps(answer), flush=True)
print("Welcome to node2")
print("a login without an end", end="")
say(answer="ready", data_sha256="a" * 64)
if part == "deaf":
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf", flush=True)
    time.sleep(600)
for line in sys.stdin:
    run = json.loads(line)["run"]
    if run == 9:
        sys.exit(255)
    print("noise " * 3, flush=True)
    say(answer="completed", run=run)
'''


def task(run: int) -> Task:
    return Task(Path("/home/experiments/one"), run)


@pytest.fixture
def player(tmp_path: Path) -> list[str]:
    path = tmp_path / "player.py"
    path.write_text(PLAYER, encoding="utf-8")
    return [sys.executable, str(path)]


def test_a_command_passes_through_a_shell_and_past_one_unchanged() -> None:
    command = worker_command(ODD, {"PYTHONPATH": "/one:/two"})
    script = "import sys\nprint(ascii(sys.argv[1:]))"
    shown = [
        subprocess.run(words, input=script, capture_output=True, text=True, check=True).stdout
        for words in (
            [sys.executable, "-", *command],
            ["sh", "-c", " ".join([sys.executable, "-", *command])],  # as sshd does
        )
    ]
    assert shown[0] == shown[1]
    assert command[:3] == ["env", "PYTHONPATH=/one:/two", sys.executable]
    assert [unquote(word) for word in command[command.index("--encoded") + 1 :]] == ODD


def test_only_what_a_worker_needs_is_passed_on_from_wherever_it_begins() -> None:
    assert worker_command([], {"HOME": "/root", "PYTHONPATH": ""})[0] == sys.executable
    assert worker_command([], {"PYTHONPATH": f"lib{os.pathsep}"})[1] == f"PYTHONPATH={Path.cwd() / 'lib'}"


def test_a_place_that_no_shell_passes_on_is_refused() -> None:
    with pytest.raises(AefitError) as caught:
        worker_command([], {"PYTHONPATH": "/home/of mine"})
    assert "/home/of mine" in str(caught.value)
    assert "install the program in a folder" in caught.value.hint


@pytest.fixture
def pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A pipe's two ends: to read from, to write to."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as sink:
        yield source, sink


def test_answers_are_told_from_noise(pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    source, sink = pipe
    said = (
        b"hello\r\nno end\nmark:one\nanother mark, not ours\n\nbefore mark:two\nmark:" + b"x" * 50 + b"\ntail"
    )
    sink.write(said)
    sink.close()
    noise = io.BytesIO()
    lines = MarkedLines(source, "mark:", noise)
    assert lines.readline(40) == b"one\n"
    assert lines.readline(40) == b"two\n"
    assert lines.readline(40) == b"x" * 40, "a line that is too long is cut, and refused by who parses it"
    assert lines.readline(40) == b""
    assert noise.getvalue() == b"hello\r\nno end\nanother mark, not ours\nbefore \nxxxxxxxxxx\ntail\n"


def test_signs_of_life_are_no_answers_and_their_end_is_told(
    pipe: tuple[IO[bytes], IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launched, "SILENT_SECONDS", 0.0)
    source, sink = pipe
    lines = MarkedLines(source, "mark:", io.BytesIO())
    sink.write(b"a login\n" + sign_of_life("mark:") + b"\nmark:one\n" + sign_of_life("mark:"))
    assert lines.readline(40) == b"one\n"
    with pytest.raises(WorkerSilent, match="gave no sign of life for 0 s"):
        lines.readline(40)


def test_after_its_first_sign_of_life_a_worker_has_longer(
    pipe: tuple[IO[bytes], IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It loads torch, with many others from one file server."""
    monkeypatch.setattr(launched, "LOADING_SECONDS", 0.001)
    source, sink = pipe
    lines = MarkedLines(source, "mark:", io.BytesIO())
    sink.write(sign_of_life("mark:"))
    with pytest.raises(WorkerSilent, match="gave no sign of life for 0 s"):
        lines.readline(40)
    monkeypatch.setattr(launched, "SILENT_SECONDS", 0.002)
    sink.write(sign_of_life("mark:"))
    with pytest.raises(WorkerSilent, match="gave no sign of life for 0 s"):
        lines.readline(40)
    assert lines._patience == launched.SILENT_SECONDS


def test_a_silent_worker_is_lost(player: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launched, "SILENT_SECONDS", 0.0)
    noise = io.BytesIO()
    executor = LocalProcesses(1, lambda worker: LaunchedProcess([*player, "deaf"], ["/folder"], noise=noise))
    monkeypatch.setattr(launched, "ASKED_SECONDS", 0.0)
    executor.submit(task(0))
    reports = [executor.next_report(PATIENCE) for _ in range(5)]
    found = [report for report in reports if isinstance(report, Lost)]
    executor.stop()
    assert found[0].reason == "gave no sign of life for 0 s"
    assert found[0].task == task(0) or not found[0].ready


def test_a_worker_behind_a_launcher_is_one_like_any_other(player: list[str]) -> None:
    noise = io.BytesIO()
    executor: Executor = LocalProcesses(
        1, lambda worker: LaunchedProcess([*player, "kind"], ["/folder"], noise=noise), end_seconds=PATIENCE
    )
    executor.submit(task(0))
    executor.submit(task(9))
    started = executor.next_report(PATIENCE)
    assert isinstance(started, WorkerStarted)
    assert executor.next_report(PATIENCE) == WorkerReady(1, "a" * 64)
    assert executor.next_report(PATIENCE) == Assigned(task(0), 1)
    assert executor.next_report(PATIENCE) == Done(task(0))
    assert executor.next_report(PATIENCE) == Assigned(task(9), 1)
    assert executor.next_report(PATIENCE) == Lost(1, task(9), "ended with status 255", ready=True)
    executor.stop()
    assert noise.getvalue() == b"Welcome to node2\na login without an end\nnoise noise noise \n"


def test_who_does_not_listen_is_killed(player: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launched, "ASKED_SECONDS", 0.0)
    noise = io.BytesIO()
    process = LaunchedProcess([*player, "deaf"], ["/folder"], noise=noise)
    assert b"ready" in process.answers.readline(1000)
    process.kill()
    assert process.wait(PATIENCE) in (-9, -15)
    assert process.answers.readline(1000) == b""
    process.answers.close()


def test_a_launcher_that_is_not_there_is_told() -> None:
    with pytest.raises(FileNotFoundError):
        LaunchedProcess(["/nowhere/srun"], ["/folder"])
