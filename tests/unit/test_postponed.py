"""An executor that is made with its first task, and so not before an experiment's turn has come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.engine.computation import Computation
from core.engine.executor import Done, Executor, Report, Task
from core.engine.postponed import Postponed
from core.records.events import CoordinatorStarted, Event, Notice
from core.records.home import create
from core.spec.spec import Spec
from tests.fakes.executor import FakeExecutor, put_result


def test_it_is_made_once_with_the_first_task_and_is_the_same_executor_then() -> None:
    made: list[FakeExecutor] = []
    waits: list[float] = []

    def make() -> Executor:
        made.append(FakeExecutor(lambda task: [Done(task)], capacity=4))
        return made[-1]

    executor = Postponed(3, make, sleep=waits.append)
    assert executor.capacity == 3
    assert executor.next_report(0.25) is None
    assert waits == [0.25], "whoever asks again and again is not to use a processor for it"
    assert made == []
    tasks = [Task(Path("/home/experiments/one"), run) for run in range(2)]
    for task in tasks:
        executor.submit(task)
    (inner,) = made
    assert inner.submitted == tasks
    assert executor.capacity == 4
    reports = [executor.next_report(0.25) for _ in range(6)]
    assert [report for report in reports if isinstance(report, Done)] == [Done(task) for task in tasks]
    assert waits == [0.25]
    executor.stop()
    assert inner.stopped


def test_what_was_never_needed_is_not_made_to_be_stopped() -> None:
    def make() -> Executor:
        raise AssertionError("it is not needed")

    Postponed(1, make).stop()


class LateTurn:
    """A turn that comes at the third look. looks: so far."""

    before = ("another",)

    def __init__(self) -> None:
        self.looks = 0

    def runs(self, using: int, wanted: int) -> int:
        self.looks += 1
        return wanted if self.looks >= 3 else 0


def test_an_experiment_that_waits_for_its_turn_has_no_executor(tmp_path: Path) -> None:
    experiment, _ = create(tmp_path, Spec(dataset="digits", runs=2, options={"z": 5}, controls=()))
    turn = LateTurn()
    looks: list[int] = []
    journal: list[Event] = []

    def compute(task: Task) -> Sequence[Report]:
        put_result(experiment, task.run)
        return [Done(task)]

    def make() -> Executor:
        looks.append(turn.looks)
        return FakeExecutor(compute, capacity=2)

    def write(event: Event) -> bool:
        journal.append(event)
        return True

    executor = Postponed(2, make, sleep=lambda seconds: None)
    computation = Computation(experiment, executor, write, lambda: None, data_dir=tmp_path, turn=turn)
    assert computation.compute() == "complete"
    assert looks == [3]
    assert [event.jobs for event in journal if isinstance(event, CoordinatorStarted)] == [2]
    notices = [event.text for event in journal if isinstance(event, Notice)]
    assert notices == ["it waits for its turn behind another", "its turn has come"]
