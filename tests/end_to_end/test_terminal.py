"""The lab under a real terminal: starting work, a terminal that goes away, coming back, no terminal at all."""

import os
import signal
import sys

import numpy as np
import pytest

from core.records.events import EpochFinished
from core.records.state import read_state
from tests.end_to_end.conftest import wait_for_event
from tests.fakes.experiments import make_experiment
from tests.fakes.terminal import PATIENCE, PseudoTerminal

SETTINGS = ("--z", "5", "--epsilon", "0.25", "--runs", "2", "--epochs", "3", "--jobs", "1")
"""An experiment on the made-up images."""
CTRL_S, CTRL_Q = b"\x13", b"\x11"
LEFT_WITH_TERMINAL = 128 + signal.SIGHUP


@pytest.fixture
def terminal(shell):
    """Opens a terminal in which `aefit-tui` runs with these words; closed when the test ends."""
    opened = []

    def open_terminal(*words, hangup_ignored=False, **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AEFIT_")}
        one = PseudoTerminal(
            [sys.executable, "-m", "tui_aefit.shell.cli", *words],
            environment={
                **clean,
                "AEFIT_HOME": str(shell.home),
                "XDG_CONFIG_HOME": str(shell.home.parent / "config"),
                "TERM": "xterm-256color",
                **environment,
            },
            folder=shell.home.parent,
            hangup_ignored=hangup_ignored,
        )
        opened.append(one)
        return one

    yield open_terminal
    for one in opened:
        with one:
            pass


def test_work_outlives_the_terminal_in_which_it_was_started_and_is_found_again(shell, terminal):
    with shell.workers_held():
        first = terminal("--dataset", str(shell.data), *SETTINGS, hangup_ignored=True, **shell.holding)
        first.wait_for("$ aefit-tui --batch")
        first.press(CTRL_S)
        wait_for_event(shell, EpochFinished)
        first.wait_for("surrogate")
        first.close()
        # Where SIGHUP is ignored (nohup), only the lab itself can notice; it must not go on, spinning.
        assert first.process.wait(PATIENCE) == LEFT_WITH_TERMINAL
        experiment = shell.only_experiment()
        assert experiment.running

        second = terminal()
        second.wait_for("▶ running  0/2 runs")
    second.wait_for("✓ complete  2/2 runs")
    assert read_state(experiment).status == "complete"
    mark = second.mark()
    second.press(b"4")
    second.wait_for("Accuracy, mean of 2 runs", mark)
    second.wait_for(mean_accuracy(experiment), mark)
    second.press(b"q")
    assert second.process.wait(PATIENCE) == 0

    third = terminal("attach", experiment.id[:-2])
    third.wait_for("✓ complete  2/2 runs")
    third.press(CTRL_Q)
    assert third.process.wait(PATIENCE) == 0


@pytest.mark.parametrize(("hangup_ignored", "status"), [(False, -signal.SIGHUP), (True, LEFT_WITH_TERMINAL)])
def test_the_lab_ends_with_its_terminal(terminal, hangup_ignored, status):
    one = terminal(hangup_ignored=hangup_ignored)
    one.wait_for("Data set")
    one.close()
    # The kernel's hang-up and the lab's own watch are both at once; either may win the race.
    assert one.process.wait(PATIENCE) in {status, LEFT_WITH_TERMINAL}


def test_attaching_with_json_in_a_terminal_prints_the_result_and_no_screen(shell, terminal):
    make_experiment(shell.home)
    one = terminal("attach", "latest", "--json")
    assert one.process.wait(PATIENCE) == 0
    one.wait_for('"status": "complete"')
    assert "? Help" not in one.text()


@pytest.mark.parametrize("home_typed", [False, True])
@pytest.mark.parametrize(
    ("key", "told"),
    [
        (b"l", "goes on without you; see it again with: aefit-tui attach"),
        (b"s", "is being stopped; compute what is missing with: aefit-tui resume"),
    ],
)
def test_leaving_while_work_is_going_on_asks_and_tells_how_to_come_back(
    shell, terminal, key, told, home_typed
):
    experiment = make_experiment(shell.home, state="running")  # this process holds its lock
    over = make_experiment(shell.home, seed=1)
    typed = ("--home", str(shell.home)) if home_typed else ()
    one = terminal(*typed)
    one.wait_for("▶ running")
    one.press(b"q")
    one.wait_for("Leave it running")
    assert not experiment.cancel_file.exists()
    one.press(key)
    assert one.process.wait(PATIENCE) == 0
    assert experiment.cancel_file.exists() is (key == b"s")
    one.wait_for(" ".join([experiment.id, told, experiment.id, *typed]) + "\r\n")
    # On the screen of the shell, not on the lab's, which is gone.
    written = b"".join(piece for _, piece in one.arrivals()).decode()
    _, _, after = written.rpartition("\x1b[?1049l")
    assert after.count("aefit-tui ") == 1
    assert over.id not in after


def test_without_a_terminal_the_lab_says_what_to_use_instead(shell):
    refused = shell.run()
    assert refused.returncode == 2
    assert "--batch" in refused.stderr
    assert refused.stdout == ""


def test_a_terminal_that_cannot_move_its_cursor_is_told_what_to_use_instead(terminal):
    one = terminal(TERM="dumb")
    assert one.process.wait(PATIENCE) == 2
    one.wait_for("--batch")
    assert "\x1b" not in b"".join(piece for _, piece in one.arrivals()).decode()


def mean_accuracy(experiment):
    """Mean accuracy at K = 1 on the test set, counted in both runs' predictions, as a narrow table shows it."""
    accuracies = []
    for run in (0, 1):
        with np.load(experiment.run_folder(run) / "result" / "arrays.npz") as arrays:
            fitted = arrays["test_prediction"][list(arrays["k"]).index(1)]
            accuracies.append(np.mean(fitted == arrays["test_label"]))
    return f"{np.mean(accuracies):.3f}".lstrip("0")
