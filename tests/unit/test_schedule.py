"""What is next, and what follows when a worker is lost: decided without a process or a file."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.engine.executor import Task
from core.engine.schedule import ATTEMPTS, Consequence, Schedule

FOLDER = Path("/home/experiments/one")


def task(run: int) -> Task:
    return Task(FOLDER, run)


def begun(schedule: Schedule, *runs: int, worker: int = 1) -> None:
    """A worker is ready and has begun with these tasks."""
    schedule.worker_ready(worker)
    schedule.take(len(runs))
    for run in runs:
        schedule.begin(task(run))


def test_tasks_are_taken_in_order_as_many_as_there_is_room_for() -> None:
    schedule = Schedule(map(task, range(4)))
    assert schedule.take(2) == [task(0), task(1)]
    assert schedule.take(2) == []
    assert schedule.begin(task(0)) == 1
    assert schedule.take(2) == []
    schedule.finish(task(0))
    assert schedule.take(2) == [task(2)]
    assert schedule.waiting == (task(3),)
    assert schedule.take(9) == [task(3)]
    for run in range(1, 4):
        assert schedule.unfinished
        schedule.finish(task(run))
    assert not schedule.unfinished


def test_further_tasks_come_after_those_there_are() -> None:
    schedule = Schedule([task(0)])
    schedule.add([task(5), task(6)])
    assert schedule.take(2) == [task(0), task(5)]


def test_a_task_whose_worker_is_lost_is_begun_once_more_before_the_others_and_then_has_failed() -> None:
    schedule = Schedule(map(task, range(3)))
    begun(schedule, 0)
    assert schedule.worker_lost(1, task(0), ready=True) == Consequence(retry=task(0))
    assert schedule.waiting == (task(0), task(1), task(2))
    schedule.worker_ready(2)
    assert schedule.take(1) == [task(0)]
    assert schedule.begin(task(0)) == ATTEMPTS == 2
    assert schedule.worker_lost(2, task(0), ready=True) == Consequence(failed=task(0))
    assert schedule.take(1) == [task(1)]


def test_an_idle_workers_loss_has_no_consequence() -> None:
    schedule = Schedule([task(0)])
    begun(schedule, 0)
    schedule.worker_ready(2)
    assert schedule.worker_lost(2, None, ready=True) == Consequence()


def test_a_worker_that_dies_before_it_is_ready_while_others_work_makes_them_fewer() -> None:
    schedule = Schedule(map(task, range(9)))
    schedule.worker_ready(1)
    assert len(schedule.take(3)) == 3
    schedule.begin(task(0))
    assert schedule.worker_lost(2, task(2), ready=False) == Consequence(at_once=2)
    # What was waiting for it comes back first, and was not begun.
    assert schedule.waiting[0] == task(2)
    assert schedule.take(3) == []
    assert schedule.worker_lost(3, task(1), ready=False) == Consequence(at_once=1)
    assert schedule.worker_lost(4, None, ready=False) == Consequence(at_once=1)
    schedule.finish(task(0))
    assert schedule.take(3) == [task(1)]
    assert schedule.begin(task(1)) == 1


def test_what_may_run_at_a_time_follows_from_the_tasks_in_hand_not_from_what_the_turn_allows_now() -> None:
    schedule = Schedule(map(task, range(9)))
    schedule.worker_ready(1)
    assert len(schedule.take(4)) == 4
    schedule.begin(task(0))
    assert schedule.take(0) == []
    assert schedule.worker_lost(2, task(3), ready=False) == Consequence(at_once=3)
    for run in range(3):
        schedule.finish(task(run))
    assert schedule.take(1) == [task(3)]
    assert schedule.take(8) == [task(4), task(5)]


def test_each_worker_that_dies_early_makes_them_fewer_also_where_no_task_comes_back_with_it() -> None:
    schedule = Schedule(map(task, range(9)))
    schedule.worker_ready(1)
    assert len(schedule.take(4)) == 4
    losses = [schedule.worker_lost(worker, None, ready=False) for worker in range(2, 6)]
    assert losses == [Consequence(at_once=n) for n in (3, 2, 1, 1)]


def test_workers_that_die_one_after_another_before_any_is_ready_are_hopeless() -> None:
    schedule = Schedule([task(0)])
    schedule.take(1)
    assert schedule.worker_lost(1, None, ready=False) == Consequence()
    schedule.worker_ready(2)
    assert schedule.worker_lost(2, None, ready=True) == Consequence()
    # One that was ready in between proves that it can be done.
    assert schedule.worker_lost(3, None, ready=False) == Consequence()
    assert schedule.worker_lost(4, None, ready=False) == Consequence(hopeless=True)


@given(st.data(), st.integers(1, 8), st.integers(1, 4))
def test_whatever_happens_every_task_ends_once_and_never_more_are_out_than_there_is_room_for(
    data: st.DataObject, tasks: int, capacity: int
) -> None:
    schedule = Schedule(map(task, range(tasks)))
    schedule.worker_ready(0)  # one that stays
    out: dict[Task, int] = {}
    ended: list[Task] = []
    begins: list[Task] = []
    while schedule.unfinished:
        for taken in schedule.take(capacity):
            out[taken] = 0
        assert 1 <= len(out) <= capacity
        one = data.draw(st.sampled_from(sorted(out, key=lambda t: t.run)))
        if not out[one]:
            begins.append(one)
            out[one] = schedule.begin(one)
        elif data.draw(st.booleans()):
            del out[one]
            schedule.finish(one)
            ended.append(one)
        else:
            del out[one]
            then = schedule.worker_lost(9, one, ready=True)
            assert (then.retry, then.failed) in ((one, None), (None, one))
            ended += [then.failed] if then.failed else []
    assert sorted(t.run for t in ended) == list(range(tasks))
    assert all(begins.count(t) <= ATTEMPTS for t in ended)
