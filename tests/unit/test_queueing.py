"""Who waits for its turn, after whom, and how a person changes that."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ExperimentError
from core.records.queue import read_queue, waiting_in
from tests.fakes.studies import queue_up
from tui_aefit.lab.queueing import move_in_queue, start_now, turn_of, turn_words


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """One is computed, three wait."""
    queue_up(tmp_path, "at-work", 1.0, using=2)
    for place, name in enumerate(("first", "second", "third"), start=2):
        queue_up(tmp_path, name, float(place))
    return tmp_path


def order(home: Path) -> list[str]:
    return list(waiting_in(home))


def test_an_experiment_waits_after_those_at_work_and_those_before_it(home: Path) -> None:
    turn = turn_of(read_queue(home), "third")
    assert turn is not None
    assert (turn.place, turn.of, turn.before) == (3, 3, ("at-work", "first", "second"))
    assert turn_words(turn) == "◔ queued: 3 of 3 that wait, after at-work, first and 1 more"
    assert turn_words(turn, "! start now") == (
        "◔ queued: 3 of 3 that wait (! start now), after at-work, first and 1 more"
    )
    assert turn_of(read_queue(home), "at-work") is None
    assert turn_of(read_queue(home), "another") is None


@pytest.mark.parametrize(
    ("who", "steps", "expected"),
    [
        ("third", -1, ["first", "third", "second"]),
        ("third", -2, ["third", "first", "second"]),
        ("first", 1, ["second", "first", "third"]),
        ("first", 2, ["second", "third", "first"]),
        ("second", 1, ["first", "third", "second"]),
    ],
)
def test_it_is_moved_among_those_that_wait(home: Path, who: str, steps: int, expected: list[str]) -> None:
    said = move_in_queue(home, who, steps)
    assert order(home) == expected
    assert said == f"{who} is {expected.index(who) + 1} of 3 that wait"


def test_it_is_moved_past_others_that_are_at_work(tmp_path: Path) -> None:
    queue_up(tmp_path, "first", 1.0)
    queue_up(tmp_path, "at-work", 2.0, using=2)
    queue_up(tmp_path, "second", 3.0)
    move_in_queue(tmp_path, "second", -1)
    assert order(tmp_path) == ["second", "first"]


@pytest.mark.parametrize(
    ("who", "steps", "why"),
    [
        ("first", -1, "first is the first of 3 that wait already"),
        ("third", 1, "third is the last of 3 that wait already"),
        ("at-work", 1, "at-work does not wait for its turn"),
        ("another", -1, "another does not wait for its turn"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(home: Path, who: str, steps: int, why: str) -> None:
    with pytest.raises(ExperimentError, match=f"^{why}$"):
        move_in_queue(home, who, steps)
    assert order(home) == ["first", "second", "third"]


def test_it_waits_for_nobody_where_that_is_asked_for(home: Path) -> None:
    assert start_now(home, "third") == "third waits for nobody any more"
    assert [(one.ticket.experiment, one.ticket.at_once) for one in read_queue(home)] == [
        ("third", True), ("at-work", False), ("first", False), ("second", False),
    ]  # fmt: skip
    for who in ("at-work", "another"):
        with pytest.raises(ExperimentError, match=f"^{who} does not wait for its turn$"):
            start_now(home, who)
