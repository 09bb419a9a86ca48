"""Studies from the outside: their experiments are those that would be computed alone, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from core.records.events import EpochFinished, Notice
from core.records.experiment import load
from core.records.folders import experiment_folders
from core.records.journal import read_all
from core.records.process import ProcessIdentity
from core.records.queue import read_queue
from core.records.study import Study, find_study
from core.records.study_state import StudyStatus, read_study_state
from core.records.types import parse
from tests.end_to_end.conftest import Shell, kill_hard, numbers, wait_for, wait_for_event
from tests.fakes.terminal import PseudoTerminal

STUDY = ("--epsilon", "0.2,0.3", "--runs", "2", "--epochs", "2", "--name", "mine", "--jobs", "2")


def supervisor_of(study: Study) -> int:
    """The process that sees to a study."""
    found = parse((study.folder / "lock").read_bytes(), ProcessIdentity, "the lock")
    assert found.alive
    return found.pid


def results(shell: Shell) -> dict[float, str]:
    """The numbers of every experiment, by epsilon."""
    found = {}
    for folder in experiment_folders(shell.home):
        shown = json.loads(shell.run("show", folder.name, "--json").stdout)
        assert shown["status"] == "complete"
        found[shown["spec"]["epsilon"]] = numbers(shown)
    return found


def alone(shell: Shell, home: Path) -> dict[float, str]:
    """The same, each computed for itself."""
    found = {}
    for epsilon in ("0.2", "0.3"):
        words = (
            "--epsilon",
            epsilon,
            "--runs",
            "2",
            "--epochs",
            "2",
            "--json",
            "--home",
            str(home),
            "--no-cache",
        )
        done = shell.batch(*words)
        found[float(epsilon)] = numbers(json.loads(done.stdout))
    return found


def test_a_study_that_the_form_starts_is_the_one_that_batch_computes(shell: Shell, tmp_path: Path) -> None:
    asked = ("--dataset", str(shell.data), "--z", "5", "--threads", "1", *STUDY)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AEFIT_")}
    elsewhere = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "TERM": "xterm-256color"}
    with PseudoTerminal(
        [sys.executable, "-m", "tui_aefit.shell.cli", *asked],
        environment={**clean, **elsewhere, "AEFIT_HOME": str(shell.home)},
        folder=tmp_path,
    ) as terminal:
        terminal.wait_for("2 experiments")
        terminal.press(b"\x13")  # ctrl+s
        terminal.wait_for("Study mine")
        study = wait_for(lambda: find_study(shell.home, "mine"))
        wait_for(lambda: read_study_state(study).status is StudyStatus.COMPLETE)
    wait_for(lambda: not study.running)
    other = tmp_path / "other"
    done = shell.batch(*STUDY, "--home", str(other))
    assert done.returncode == 0, done.stderr
    assert [cell.id for cell in find_study(other, "mine").cells] == [cell.id for cell in study.cells]
    assert results(shell) == results(Shell(other, shell.data))


def test_a_study_whose_processes_are_all_killed_is_resumed_to_the_same_numbers(
    shell: Shell, tmp_path: Path
) -> None:
    with shell.workers_held():
        process = shell.start_batch(*STUDY, "--detach")
        assert process.wait() == 0
        wait_for_event(shell, EpochFinished, 2)
        study = find_study(shell.home, "mine")
        victims = [supervisor_of(study)]
        victims += [one.ticket.process.pid for one in read_queue(shell.home)]
        assert len(victims) >= 2
        for pid in victims:
            kill_hard(pid)
    wait_for(lambda: not study.running)
    wait_for(lambda: not read_queue(shell.home))  # tickets of the dead are nobody's
    done = shell.run("study", "resume", "mine", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert results(shell) == alone(shell, tmp_path / "alone")
    events = [event for folder in experiment_folders(shell.home) for event in read_all(load(folder).journal)]
    assert any(isinstance(event, Notice) and "waits for its turn" in event.text for event in events)


def test_a_study_that_is_interrupted_says_how_to_go_on_and_does(shell: Shell) -> None:
    with shell.workers_held():
        process = shell.start_batch(*STUDY)
        wait_for_event(shell, EpochFinished, 1)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    assert process.returncode == 130
    assert "aefit-tui study resume mine" in told
    assert not any(load(folder).running for folder in experiment_folders(shell.home))
    done = shell.run("study", "resume", "mine", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert "mine  complete  2 of 2 experiments, 4 of 4 runs" in done.stdout


def test_a_cancelled_study_stops_what_it_has_begun_and_nothing_else(shell: Shell) -> None:
    with shell.workers_held():
        assert shell.start_batch(*STUDY, "--detach").wait() == 0
        wait_for_event(shell, EpochFinished, 1)
        cancelled = shell.run("study", "cancel", "mine")
    assert cancelled.returncode == 0, cancelled.stderr
    assert "study resume mine" in cancelled.stderr
    assert read_queue(shell.home) == []
