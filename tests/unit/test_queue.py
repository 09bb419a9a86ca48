"""Experiments of one home share a machine's processors: in turn, never more than there are, never for ever."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.turn import LOOK_SECONDS, UNSEEN_SECONDS, Turn
from core.files.locations import queue_dir
from core.records.process import ProcessIdentity, identity
from core.records.queue import (
    Queued,
    Ticket,
    hurry,
    in_turn,
    move,
    new_name,
    read_queue,
    room,
    sweep_queue,
    waiting_in,
    write_ticket,
)


def dead_process() -> ProcessIdentity:
    process = subprocess.Popen([sys.executable, "-c", ""])
    found = identity(process.pid)
    process.wait()
    return found


def ticket(experiment: str, since: float, **fields: object) -> Ticket:
    return msgspec.structs.replace(Ticket(process=identity(), experiment=experiment, since=since), **fields)


def queued(name: str, place: float, using: int, wanted: int, **fields: object) -> Queued:
    return Queued(name, ticket(name, place, using=using, wanted=wanted, **fields), place)


def order(home: Path) -> list[str]:
    return [one.ticket.experiment for one in read_queue(home)]


class Machine:
    """Experiments that take and give back processors as their turns allow, one look after another."""

    def __init__(self, wanted: list[tuple[int, int]]) -> None:
        """wanted: processors of each, and the limit of all together in its eyes."""
        self.queue = [queued(f"{n:02d}", n, 0, want, limit=limit) for n, (want, limit) in enumerate(wanted)]
        self.left = {one.name: one.ticket.wanted for one in self.queue}

    def look(self, at: int) -> None:
        """One experiment looks, takes what it may, and some of its runs end."""
        one = self.queue[at]
        allowed = room(in_turn(self.queue), one.name, one.ticket.limit)
        using = max(one.ticket.using, min(allowed, self.left[one.name]))
        taken = using > one.ticket.using
        self._set(at, using)
        # Who waits for nobody is held to its own limit alone; the others, to that of all.
        all_use = using if one.ticket.at_once else sum(other.ticket.using for other in self.queue)
        assert not taken or all_use <= one.ticket.limit

    def hurry(self, at: int) -> None:
        """Somebody wants one to wait for nobody."""
        one = self.queue[at]
        self.queue[at] = replace(one, ticket=msgspec.structs.replace(one.ticket, at_once=True))

    def end(self, at: int) -> None:
        one = self.queue[at]
        if one.ticket.using:
            self.left[one.name] -= 1
            self._set(at, one.ticket.using - 1)

    def _set(self, at: int, using: int) -> None:
        one = self.queue[at]
        now = msgspec.structs.replace(one.ticket, using=using, wanted=self.left[one.name])
        self.queue[at] = replace(one, ticket=now)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 8)), min_size=1, max_size=5),
    st.lists(st.tuples(st.sampled_from(("look", "end", "hurry")), st.integers(0, 4)), max_size=60),
)
def test_nobody_takes_more_than_all_may_have_and_all_are_done_in_the_end(
    wanted: list[tuple[int, int]], steps: list[tuple[str, int]]
) -> None:
    machine = Machine(wanted)
    for does, at in steps:
        getattr(machine, does)(at % len(wanted))
    rounds = 0
    while any(machine.left.values()):
        for at in range(len(wanted)):
            machine.look(at)
        for at in range(len(wanted)):
            machine.end(at)
        rounds += 1
        assert rounds <= sum(want for want, _ in wanted), "nobody waits for ever"


def test_who_came_first_is_served_first_and_leaves_what_it_does_not_want() -> None:
    queue = [queued("a", 1, 0, 1), queued("b", 2, 0, 4), queued("c", 3, 0, 4)]
    assert [room(queue, name, 4) for name in "abc"] == [4, 3, 0]


def test_who_moves_forward_waits_for_processors_that_are_in_use_and_no_longer() -> None:
    queue = [queued("late", 0, 0, 2), queued("early", 1, 2, 4)]
    assert room(queue, "late", 2) == 0
    assert room(queue, "early", 2) == 0, "it takes no new ones"
    assert room([queue[0], queued("early", 1, 1, 4)], "late", 2) == 1


def test_who_waits_for_nobody_does_not_and_the_others_do() -> None:
    queue = in_turn([queued("a", 1, 2, 2), queued("now", 9, 0, 2, at_once=True)])
    assert [one.name for one in queue] == ["now", "a"]
    assert (room(queue, "now", 2), room(queue, "a", 2)) == (2, 0)


def test_who_came_first_with_a_lower_limit_is_not_starved_by_who_has_a_higher_one() -> None:
    queue = [queued("few", 1, 0, 2, limit=2), queued("many", 2, 6, 8, limit=8)]
    assert room(queue, "few", 2) == 0
    assert room(queue, "many", 8) == 0, "it takes no new ones until the first has its own"
    assert room([queue[0], queued("many", 2, 0, 8, limit=8)], "few", 2) == 2


def test_of_a_study_one_that_is_hurried_does_not_wait_for_the_others() -> None:
    queue = in_turn([queued("a", 1, 2, 2, study="ours"), queued("b", 2, 0, 2, study="ours", at_once=True)])
    assert (room(queue, "b", 2), room(queue, "a", 2)) == (2, 0)


def test_a_study_that_waits_for_nobody_takes_no_more_than_its_limit_itself() -> None:
    ours = [queued(name, n, 0, 8, at_once=True, study="ours") for n, name in enumerate("abc")]
    queue = in_turn([*ours, queued("other", -1, 8, 8)])
    assert [room(queue, name, 8) for name in "abc"] == [8, 0, 0]


def test_tickets_are_read_in_turn_and_moved(tmp_path: Path) -> None:
    for since, name in enumerate("abcd"):
        write_ticket(tmp_path, new_name(), ticket(name, since))
    assert order(tmp_path) == ["a", "b", "c", "d"]
    for name, steps, expected in (
        ("d", -1, "abdc"),
        ("d", -10, "dabc"),
        ("d", 2, "abdc"),
        ("a", 1, "badc"),
        ("b", 99, "adcb"),
        ("b", 0, "adcb"),
    ):
        assert move(tmp_path, name, steps)
        assert order(tmp_path) == list(expected)
    assert not move(tmp_path, "nobody", 1)


def test_a_ticket_of_a_dead_process_is_nobodys(tmp_path: Path) -> None:
    write_ticket(tmp_path, new_name(), ticket("dead", 0, process=dead_process(), wanted=2))
    write_ticket(tmp_path, new_name(), ticket("other", 0, process=replace_host(identity()), wanted=2))
    write_ticket(tmp_path, new_name(), ticket("alive", 1, wanted=2))
    assert order(tmp_path) == ["alive"]
    sweep_queue(tmp_path)
    names = {msgspec.json.decode(path.read_bytes())["experiment"] for path in queue_dir(tmp_path).iterdir()}
    assert names == {"alive", "other"}, "of another machine nothing can be said"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_ticket_of_a_process_that_the_system_hides_stays(
    tmp_path: Path, child: subprocess.Popen[bytes], hide: Callable[[int], None]
) -> None:
    write_ticket(tmp_path, new_name(), ticket("theirs", 0, process=identity(child.pid), wanted=2))
    hide(child.pid)
    sweep_queue(tmp_path)
    assert len(list(queue_dir(tmp_path).iterdir())) == 1
    child.kill()
    child.wait()
    sweep_queue(tmp_path)
    assert list(queue_dir(tmp_path).iterdir()) == []


def replace_host(process: ProcessIdentity) -> ProcessIdentity:
    return msgspec.structs.replace(process, host="elsewhere")


@pytest.mark.parametrize("content", [b"", b"{", b'{"experiment": 1}', b"\xff" * 100, b"x" * 2**17])
def test_what_is_no_ticket_is_passed_over(tmp_path: Path, content: bytes) -> None:
    write_ticket(tmp_path, new_name(), ticket("a", 1))
    (queue_dir(tmp_path) / f"{new_name()}.json").write_bytes(content)
    (queue_dir(tmp_path) / "notes.json").write_bytes(content)
    (queue_dir(tmp_path) / f"{new_name()}.json").mkdir()
    (queue_dir(tmp_path) / f"{new_name()}.json").symlink_to("nowhere")
    assert order(tmp_path) == ["a"]
    sweep_queue(tmp_path)
    assert (queue_dir(tmp_path) / "notes.json").exists()


@pytest.mark.parametrize("place", ["nan", "inf", "word", "", "1" * 500])
def test_what_is_no_place_moves_nobody(tmp_path: Path, place: str) -> None:
    name = new_name()
    write_ticket(tmp_path, name, ticket("a", 1))
    write_ticket(tmp_path, new_name(), ticket("b", 2))
    (queue_dir(tmp_path) / f"{name}.place").write_text(place)
    assert order(tmp_path) == ["a", "b"]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_turns_take_what_others_leave_and_give_it_back(tmp_path: Path) -> None:
    clock = Clock()

    def turn(name: str, since: float, *, at_once: bool = False) -> Turn:
        return Turn(tmp_path, name, limit=2, threads=1, since=since, clock=clock, at_once=at_once)

    with turn("first", 1) as first, turn("second", 2) as second:
        assert first.runs(0, 2) == 2
        assert first.runs(2, 2) == 2
        assert (second.runs(0, 2), second.before) == (0, ("first",))
        assert first.runs(1, 1) == 2
        clock.now += LOOK_SECONDS
        assert second.runs(0, 2) == 1
        with turn("third", 3, at_once=True) as third:
            assert third.runs(0, 1) == 2
            third.runs(1, 1)
            clock.now += LOOK_SECONDS
            assert second.runs(0, 2) == 0
            assert set(second.before) == {"first", "third"}
    assert list(queue_dir(tmp_path).iterdir()) == []


def test_who_waits_can_be_hurried_and_takes_its_turn_at_the_next_look(tmp_path: Path) -> None:
    clock = Clock()
    with (
        Turn(tmp_path, "first", limit=2, threads=1, since=1, clock=clock, study="ours") as first,
        Turn(tmp_path, "second", limit=2, threads=1, since=2, clock=clock, study="ours") as second,
        Turn(tmp_path, "third", limit=2, threads=1, since=3, clock=clock) as third,
    ):
        assert (first.runs(2, 4), second.runs(0, 3), third.runs(0, 3)) == (2, 0, 0)
        assert hurry(tmp_path, "third")
        assert order(tmp_path) == ["third", "first", "second"]
        assert third.runs(0, 3) == 0, "the queue is looked at no more often than that"
        clock.now += LOOK_SECONDS
        assert (first.runs(2, 4), second.runs(0, 3)) == (0, 0), "what they have they keep, and take no more"
        assert third.runs(0, 3) == 2, "its own limit it keeps"
        third.runs(2, 3)
        assert hurry(tmp_path, "second")
        clock.now += LOOK_SECONDS
        assert second.runs(0, 3) == 2
    assert list(queue_dir(tmp_path).iterdir()) == []
    assert not hurry(tmp_path, "third")


def test_a_run_of_several_threads_takes_as_many_processors(tmp_path: Path) -> None:
    with (
        Turn(tmp_path, "a", limit=4, threads=2, since=1.0) as a,
        Turn(tmp_path, "b", limit=4, threads=3, since=2.0) as b,
    ):
        assert a.runs(0, 1) == 2
        assert b.runs(0, 5) == 0, "two are left, and three would be needed"
        assert Turn(tmp_path, "c", limit=1, threads=3).runs(0, 1) == 0


@contextmanager
def two_in_turn(home: Path, clock: Callable[[], float]) -> Iterator[tuple[Turn, Turn]]:
    """Two that want two processors of two, the first before the second."""
    with (
        Turn(home, "first", limit=2, threads=1, since=1, clock=clock) as first,
        Turn(home, "second", limit=2, threads=1, since=2, clock=clock) as second,
    ):
        yield first, second


def test_a_ticket_that_has_gone_is_written_again(tmp_path: Path) -> None:
    clock = Clock()
    with two_in_turn(tmp_path, clock) as (first, second):
        assert (first.runs(2, 2), second.runs(0, 2)) == (2, 0)
        shutil.rmtree(queue_dir(tmp_path))
        clock.now += LOOK_SECONDS
        assert first.runs(2, 2) == 2
        assert order(tmp_path) == ["first"]
        assert second.runs(0, 2) == 0
        assert order(tmp_path) == ["first", "second"]


def test_on_a_machine_that_is_given_another_name_nobody_waits_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    with two_in_turn(tmp_path, clock) as (first, second):
        assert (first.runs(1, 2), second.runs(0, 2)) == (2, 0)
        monkeypatch.setattr("core.records.process.socket.gethostname", lambda: "another-name")
        clock.now += LOOK_SECONDS
        assert first.runs(1, 2) == 2
        assert second.runs(0, 2) == 0
        assert order(tmp_path) == ["first", "second"], "they see each other again"


def test_who_is_not_seen_in_the_queue_waits_for_nobody_until_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    with two_in_turn(tmp_path, clock) as (first, second):
        assert (first.runs(2, 2), second.runs(0, 2)) == (2, 0)
        clock.now += LOOK_SECONDS
        with monkeypatch.context() as blind:
            blind.setattr("core.engine.turn.read_queue", lambda home: [])
            assert (first.runs(1, 2), second.runs(0, 2)) == (2, 0), "a file server may be away for a moment"
            clock.now += UNSEEN_SECONDS
            assert second.runs(0, 2) == 2
        assert second.runs(0, 2) == 0, "it looks again at once"


def test_a_queue_that_cannot_be_looked_at_now_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()

    def away(path: object, **_: object) -> NoReturn:
        raise OSError(errno.EIO, "Input/output error", str(path))

    with Turn(tmp_path, "first", limit=2, threads=1, clock=clock) as turn:
        assert turn.runs(0, 1) == 2
        clock.now += LOOK_SECONDS
        with monkeypatch.context() as broken:
            broken.setattr("os.lstat", away)
            assert turn.runs(1, 1) == 2
            assert waiting_in(tmp_path) == {}
            sweep_queue(tmp_path)


def test_where_no_ticket_can_be_written_nobody_waits(tmp_path: Path) -> None:
    queue_dir(tmp_path).write_text("a file")
    with Turn(tmp_path, "a", limit=2, threads=1) as turn:
        assert turn.runs(0, 7) == 7
