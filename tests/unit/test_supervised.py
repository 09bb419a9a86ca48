"""What a Dask worker does for us, with a process that only speaks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import core
from core.engine import supervised
from core.engine.local import PipedProcess
from core.engine.messages import Completed, Refusal, RunFailure
from core.engine.supervised import Begun, Outcome, end_session, supervise

PATIENCE = 120.0
SPEAKER = """
import json, os, sys
part, channel = sys.argv[1], os.fdopen(int(sys.argv[-1]), "w")
def say(**answer):
    print(json.dumps(answer), file=channel, flush=True)
if part == "refuses":
    say(answer="refused", error="no data", hint="")
    sys.exit(2)
if part == "babbles":
    print("hello", file=channel, flush=True)
if part == "ends":
    sys.exit(3)
say(answer="ready", data_sha256="a" * 64)
run = json.loads(sys.stdin.readline())["run"]
if part == "fails":
    say(answer="failed", run=run, error="no", hint="why")
if part == "computes":
    say(answer="completed", run=run)
if part == "dies":
    os.kill(os.getpid(), 9)
sys.stdin.read()
"""


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[list[str]]]:
    """The commands that would have been started; in their place comes a process that plays the first option."""
    path = tmp_path / "speaker.py"
    path.write_text(SPEAKER, encoding="utf-8")
    found: list[list[str]] = []

    def start(command: list[str], environment: dict[str, str]) -> PipedProcess:
        found.append(command)
        assert environment["PYTHONPATH"].split(":")[0] == str(Path(core.__file__).parents[1])
        return PipedProcess([sys.executable, str(path), command[4]], environment)

    monkeypatch.setattr(supervised, "PipedProcess", start)
    monkeypatch.setattr(supervised, "_ENDED", set())
    yield found
    assert not any(supervised._AT_WORK.values()), "every process is ended and forgotten"


def outcome_of(part: str, journal: Path, begun: list[Begun] | None = None) -> Outcome:
    told = [] if begun is None else begun
    return supervise("session", 5, 12, [part, "--threads", "1"], str(journal), told.append)


def test_a_process_is_started_asked_and_ended(commands: list[list[str]], tmp_path: Path) -> None:
    begun: list[Begun] = []
    journal = tmp_path / "w.jsonl"
    outcome = outcome_of("computes", journal, begun)
    assert outcome.answer == Completed(run=12)
    assert not outcome.again
    assert [(one.worker, one.pid, one.ready) for one in begun] == [
        (5, outcome.pid, False),
        (5, outcome.pid, True),
    ]
    (command,) = commands
    assert command[:4] == [sys.executable, "-P", "-m", "core.engine.worker"]
    assert command[4:] == ["computes", "--threads", "1", "--journal", str(journal), "--serve", "--tied"]


@pytest.mark.parametrize(
    ("part", "answer", "ending"),
    [
        ("fails", RunFailure(run=12, error="no", hint="why"), ""),
        ("refuses", Refusal(error="no data", hint=""), ""),
        ("ends", None, "ended with status 3"),
        ("dies", None, "was killed (SIGKILL)"),
        ("babbles", None, "said what it should not"),
    ],
)
def test_what_becomes_of_it_is_told(
    commands: list[list[str]], tmp_path: Path, part: str, answer: object, ending: str
) -> None:
    begun: list[Begun] = []
    outcome = outcome_of(part, tmp_path / "w.jsonl", begun)
    assert [one.ready for one in begun] == ([False, True] if part in ("fails", "dies") else [False])
    assert outcome.answer == answer
    assert outcome.ending.startswith(ending)
    assert bool(outcome.ending) == bool(ending)


def test_what_dask_begins_again_is_not_begun(commands: list[list[str]], tmp_path: Path) -> None:
    journal = tmp_path / "w.jsonl"
    journal.touch()
    outcome = outcome_of("computes", journal)
    assert outcome.again
    assert outcome.answer is None
    assert commands == []


def test_the_end_of_a_session_kills_its_processes_and_begins_no_more(
    commands: list[list[str]], tmp_path: Path
) -> None:
    begun = threading.Event()
    outcomes: list[Outcome] = []

    def work() -> None:
        outcomes.append(
            supervise("session", 1, 0, ["waits"], str(tmp_path / "w.jsonl"), lambda one: begun.set())
        )

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(PATIENCE)
    assert end_session("another") == 0
    assert end_session("session") == 1
    thread.join(PATIENCE)
    assert outcomes[0].answer is None
    assert outcomes[0].ending == "was killed (SIGKILL)"
    late = outcome_of("computes", tmp_path / "w2.jsonl")
    assert late.pid == 0
    assert late.ending == "was stopped before it began"
    assert len(commands) == 1
