"""A worker behind a launcher gives a sign of life before it loads what takes long."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.engine.launched import worker_command
from core.engine.signs_of_life import give_first_sign, sign_of_life

ROOT = Path(__file__).parents[2]
MARK = "answer-1f:"


def test_it_comes_while_torch_is_still_loading(tmp_path: Path) -> None:
    """Here it loads until something comes on standard input, which is never."""
    (tmp_path / "torch.py").write_text("import sys; sys.stdin.read()")
    command = worker_command(["/nowhere", "--serve", "--marked", MARK], {"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        expected = sign_of_life(MARK)
        assert worker.stdout.read(len(expected)) == expected
        assert worker.poll() is None
        worker.kill()


def test_a_worker_over_pipes_says_nothing_there(capfd: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["folder", "--serve", "--answers", "3"], ["folder", "0"], ["--marked"]):
        give_first_sign(words)
    assert capfd.readouterr().out == ""


def test_who_is_not_heard_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)
        give_first_sign(["--marked", MARK])
