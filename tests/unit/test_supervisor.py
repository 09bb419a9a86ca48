"""A study's supervisor begins what lacks a run, one ahead, and leaves alone what others compute."""

from __future__ import annotations

import dataclasses
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.engine.supervisor import AGAIN_SECONDS, PATIENCE, Supervision, is_complete, main, supervise
from core.errors import ExperimentError, StudyError
from core.files.exit_status import ExitStatus
from core.records.experiment import Experiment, load
from core.records.lock import Lock
from core.records.process import ProcessIdentity, identity
from core.records.queue import Queued, Ticket
from core.records.starting import How
from core.records.study import Study, load_study, save_study
from core.records.types import to_json
from core.spec.grid import specs_of
from tests.fakes.experiments import make_experiment_from_answers, make_experiment_of


@dataclass
class Process:
    """A coordinator that ends when it is told to."""

    status: int | None = None
    terminated: bool = False
    pid: int = field(default_factory=os.getpid)

    def poll(self) -> int | None:
        return self.status

    def terminate(self) -> None:
        self.terminated = True


@dataclass
class House:
    """A study whose coordinators are pretended: who computes, who waits for its turn."""

    study: Study
    started: dict[str, Process] = field(default_factory=dict)
    computing: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    failing: list[str] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.supervision = Supervision(self.study, self.start, self.told.append, self.queue, lambda: self.now)

    def start(self, experiment: Experiment) -> Process:
        """refused: those that never can be; failing: one more each time that the file server is away."""
        if experiment.id in self.refused:
            raise ExperimentError("its log cannot be written")
        if experiment.id in self.failing:
            self.failing.remove(experiment.id)
            raise ExperimentError("its log cannot be written") from OSError(errno.EIO, os.strerror(errno.EIO))
        self.started[experiment.id] = Process()
        return self.started[experiment.id]

    def queue(self) -> list[Queued]:
        return [
            Queued(name, Ticket(process=identity(), experiment=name, since=0.0, using=using, wanted=1), 0.0)
            for name, process in self.started.items()
            if process.status is None
            for using in [int(name in self.computing)]
        ]

    @property
    def order(self) -> list[str]:
        return [cell.id for cell in self.study.cells]

    def end(self, name: str, status: int = 0) -> None:
        self.started[name].status = status


@pytest.fixture
def house(tmp_path: Path) -> House:
    base = {"dataset": "digits", "runs": 2, "controls": ("noise",), "z": 5}
    return House(save_study(tmp_path, "a", specs_of(base, {"epsilon": [0.1, 0.2, 0.3]})))


def larger(house: House, epsilon: list[float], runs: int = 3) -> Study:
    """The house's study once so many runs are asked for at these epsilon."""
    base = {"dataset": "digits", "runs": runs, "controls": ("noise",), "z": 5}
    return save_study(house.study.home, "a", specs_of(base, {"epsilon": epsilon}))


def fail_as_a_server_that_is_away(*_: object) -> bytes:
    raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))


def test_one_always_waits_so_that_no_processor_is_idle(house: House) -> None:
    assert house.supervision.step()
    assert list(house.started) == house.order[:1]
    house.supervision.step()
    assert len(house.started) == 1, "the first has not begun yet"
    house.computing.add(house.order[0])
    house.supervision.step()
    assert list(house.started) == house.order[:2]
    house.supervision.step()
    assert len(house.started) == 2
    house.end(house.order[0])
    house.computing.add(house.order[1])
    house.supervision.step()
    assert list(house.started) == house.order
    house.computing.add(house.order[2])
    for name in house.order[1:]:
        house.end(name)
    assert not house.supervision.step()


def test_what_is_complete_is_not_begun(house: House) -> None:
    first = house.study.cells[0].spec
    assert first is not None
    complete = make_experiment_from_answers(house.study.home, first).experiment
    assert is_complete(complete, first.runs)
    house.supervision.step()
    assert list(house.started) == [house.order[1]]


def test_runs_that_the_study_does_not_ask_for_are_not_computed_for_it(house: House) -> None:
    first = house.study.cells[0].spec
    assert first is not None
    longer = make_experiment_from_answers(house.study.home, first.changed(runs=4), complete=[0, 1]).experiment
    assert is_complete(longer, 2)
    assert not is_complete(longer, 4)
    house.supervision.step()
    assert list(house.started) == [house.order[1]]


def test_further_experiments_and_runs_are_taken_in_while_it_goes_on(house: House) -> None:
    house.supervision.step()
    study = larger(house, [0.1, 0.4])
    house.supervision.take_in(study)
    for _ in range(6):
        house.computing.update(house.started)
        house.supervision.step()
    assert set(house.started) == {cell.id for cell in study.cells}
    experiment = house.study.folder_of(house.study.cells[0])
    assert "runs = 3" in (experiment / "spec.toml").read_text(), "who computes it hears of them"


@pytest.mark.parametrize(
    ("status", "again"),
    [(ExitStatus.COMPLETE, True), (ExitStatus.FAILED, True), (ExitStatus.INTERRUPTED, False)],
)
def test_further_runs_that_a_coordinator_did_not_hear_of_are_computed_by_another(
    house: House, status: ExitStatus, again: bool
) -> None:
    """INTERRUPTED: a person has stopped it."""
    for _ in house.order:
        house.supervision.step()
        house.computing.update(house.started)
    first = house.order[0]
    house.supervision.take_in(larger(house, [0.1]))
    house.supervision.step()
    before = house.started[first]
    house.end(first, status)
    for _ in range(2):
        house.supervision.step()
        assert (house.started[first] is not before) == again
    house.end(first)
    for _ in range(2):
        house.supervision.step()
        assert house.started[first].status == 0, "it is begun once more and no oftener"


@pytest.mark.parametrize(
    ("failed", "again"),
    [((2,), False), ((0, 2), False), ((0,), True)],
)
def test_further_runs_that_a_coordinator_has_tried_are_not_computed_once_more(
    house: House, failed: tuple[int, ...], again: bool
) -> None:
    """failed: its runs, of three, that failed by themselves; where run 2 is not among them, nobody has tried it."""
    for _ in house.order:
        house.supervision.step()
        house.computing.update(house.started)
    study = larger(house, [0.1])
    house.supervision.take_in(study)
    house.supervision.step()
    spec = study.cells[0].spec
    assert spec is not None
    complete = [run for run in (0, 1) if run not in failed]
    failures = {run: ("it failed", "") for run in failed}
    make_experiment_from_answers(study.home, spec, complete=complete, failures=failures)
    before = house.started[study.cells[0].id]
    house.end(study.cells[0].id, ExitStatus.FAILED)
    house.supervision.step()
    assert (house.started[study.cells[0].id] is not before) == again


def test_what_fails_or_cannot_be_begun_leaves_the_others_alone(house: House) -> None:
    house.refused.add(house.order[0])
    house.supervision.step()
    assert list(house.started) == [house.order[1]]
    assert house.told == [f"{house.order[0]} is left out: its log cannot be written"]
    house.end(house.order[1], ExitStatus.REFUSED)
    house.supervision.step()
    assert list(house.started) == house.order[1:]


def test_what_the_system_failed_is_tried_again_after_the_others(house: House) -> None:
    first, second, third = house.order
    house.failing += [first, second, second]
    house.supervision.step()
    assert list(house.started) == [third], "the others do not wait for it"
    house.end(third)
    assert house.supervision.step(), "it goes on for as long as something is to be tried"
    assert list(house.started) == [third]
    house.now += AGAIN_SECONDS
    assert house.supervision.step()
    assert list(house.started) == [third, first]
    house.end(first)
    for _ in range(2):
        assert house.supervision.step()
        house.now += AGAIN_SECONDS
    assert house.supervision.step()
    assert list(house.started) == [third, first, second]
    house.end(second)
    assert not house.supervision.step()
    assert [line.split(":")[0] for line in house.told] == [
        f"{name} is tried again for up to {PATIENCE:.0f} s" for name in (first, second)
    ], "it is said once"


def test_what_the_system_fails_for_long_is_left_out(house: House) -> None:
    first, *others = house.order
    house.failing += [first] * 1000
    for _ in others:
        house.supervision.step()
        house.computing.update(house.started)
    for name in others:
        house.end(name)
    while house.supervision.step():
        house.now += AGAIN_SECONDS
    assert first not in house.started
    assert house.now == PATIENCE
    assert 1000 - house.failing.count(first) == PATIENCE / AGAIN_SECONDS + 1
    assert house.told[1:] == [f"{first} is left out: its log cannot be written"], "it is said once more"


def test_the_wait_for_its_turn_is_no_outage(house: House) -> None:
    first, second, _ = house.order
    house.failing += [first, first]
    house.supervision.step()
    house.now += PATIENCE
    house.supervision.step()
    assert first in house.failing, "another one waits"
    house.computing.add(second)
    for _ in range(2):
        house.supervision.step()
        house.computing.update(house.started)
    assert first not in house.failing
    house.now += AGAIN_SECONDS
    house.supervision.step()
    assert first in house.started


def test_every_outage_is_waited_for_as_long(house: House) -> None:
    first = house.order[0]
    house.failing += [first] * int(PATIENCE / AGAIN_SECONDS)
    for _ in range(len(house.failing) + len(house.order)):
        assert house.supervision.step()
        house.computing.update(house.started)
        house.now += AGAIN_SECONDS
    assert first in house.started
    house.end(first, ExitStatus.LOCKED)  # somebody was faster, and is gone by now
    house.failing.append(first)
    house.supervision.step()
    assert first not in house.failing, "it was tried"
    del house.started[first]
    house.now += AGAIN_SECONDS
    house.supervision.step()
    assert first in house.started


def test_what_is_to_be_tried_again_follows_the_study(house: House) -> None:
    first, second, third = house.order
    house.failing += [first, second]
    house.supervision.step()
    house.supervision.take_in(dataclasses.replace(house.study, cells=house.study.cells[1:]))
    house.end(third)
    house.now += AGAIN_SECONDS
    house.supervision.step()
    assert list(house.started) == [third, second]


def test_what_is_to_be_tried_again_and_is_given_further_runs_waits_all_the_same(house: House) -> None:
    house.failing += house.order * 2
    house.supervision.step()
    house.supervision.take_in(larger(house, [0.1, 0.2, 0.3]))
    house.supervision.step()
    assert not house.started
    assert house.failing == house.order, "each has been tried once"


@pytest.mark.parametrize("place", ["core.records.experiment.read_plain", "core.records.lock.read_plain"])
def test_a_file_server_that_is_away_for_a_moment_costs_no_experiment(
    house: House, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    first = house.study.cells[0].spec
    assert first is not None
    make_experiment_of(house.study.home, first, state="created")
    with monkeypatch.context() as away:
        away.setattr(place, fail_as_a_server_that_is_away)
        house.supervision.step()
    assert house.order[0] not in house.started
    house.now += AGAIN_SECONDS
    for _ in range(3):
        house.computing.update(house.started)
        house.supervision.step()
    assert set(house.started) == set(house.order)


def test_what_somebody_else_computes_is_waited_for_and_begun_once_if_it_is_left_unfinished(
    house: House,
) -> None:
    first = house.study.cells[0].spec
    assert first is not None
    running = make_experiment_of(house.study.home, first, state="running")  # this process holds its lock
    house.supervision.step()
    assert list(house.started) == [house.order[1]]
    (running.folder / "lock").unlink()
    house.computing.add(house.order[1])
    house.supervision.step()
    assert set(house.started) == {house.order[0], house.order[1]}
    house.end(house.order[0], ExitStatus.LOCKED)  # somebody was faster
    house.supervision.step()
    assert house.supervision.step()
    for name in house.started:
        house.end(name)
    house.supervision.step()


@pytest.mark.parametrize("tried_again", [False, True])
def test_further_runs_of_what_somebody_else_computes_are_computed_when_they_stop(
    house: House, tried_again: bool
) -> None:
    """tried_again: it was begun before in their stead, and somebody was faster."""
    first = house.study.cells[0].spec
    assert first is not None
    running = make_experiment_from_answers(house.study.home, first, statistics=False).experiment
    running.lock.acquire()  # this very process stands for them
    lock = (running.folder / "lock").read_bytes()
    house.supervision.step()
    if tried_again:
        (running.folder / "lock").unlink()
        house.computing.add(house.order[1])
        house.supervision.step()
        (running.folder / "lock").write_bytes(lock)
        house.end(house.order[0], ExitStatus.LOCKED)
        house.supervision.step()
        del house.started[house.order[0]]
    assert house.order[0] not in house.started
    house.supervision.take_in(larger(house, [0.1, 0.2, 0.3]))
    house.supervision.step()
    assert load(running.folder).spec.runs == 3, "who computes it hears of them"
    (running.folder / "lock").unlink()
    for _ in range(4):
        house.computing.update(house.started)
        house.supervision.step()
    assert house.order[0] in house.started


def test_a_lock_that_cannot_be_read_for_a_moment_is_no_end_of_what_somebody_else_computes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = house.study.cells[0].spec
    assert first is not None
    running = make_experiment_of(house.study.home, first, state="running")  # this process holds its lock
    house.supervision.step()
    with monkeypatch.context() as away:
        away.setattr("core.records.lock.read_plain", fail_as_a_server_that_is_away)
        house.supervision.step()
    house.now += AGAIN_SECONDS
    for _ in range(3):
        house.computing.update(house.started)
        house.supervision.step()
    assert house.order[0] not in house.started
    (running.folder / "lock").unlink()
    house.computing.update(house.started)
    house.supervision.step()
    assert house.order[0] in house.started


def test_what_somebody_else_computes_may_leave_the_study_meanwhile(house: House) -> None:
    house.supervision.step()
    house.supervision.take_in(dataclasses.replace(house.study, cells=house.study.cells[1:]))
    house.end(house.order[0], ExitStatus.LOCKED)
    assert house.supervision.step()
    assert list(house.started) == house.order[:2]


def test_a_stop_reaches_those_that_it_has_begun(house: House) -> None:
    house.supervision.step()
    house.computing.add(house.order[0])
    house.supervision.step()
    house.supervision.stop(for_good=False)
    assert all(process.terminated for process in house.started.values())
    experiments = [load(house.study.folder_of(cell)) for cell in house.study.cells[:2]]
    for experiment in experiments:
        experiment.lock.acquire()  # this very process stands for both
    assert house.supervision.stop(for_good=True)
    for experiment in experiments:
        experiment.cancel_file.unlink()  # as one that is only starting does
    assert house.supervision.stop(for_good=True), "it is asked again"
    assert all(experiment.cancel_file.exists() for experiment in experiments)


@pytest.mark.parametrize(
    "holder", [None, ProcessIdentity("node7", os.getpid(), "", ""), identity(os.getppid())]
)
def test_a_stop_for_good_reaches_nobody_else_who_computes_an_experiment(
    house: House, holder: ProcessIdentity | None
) -> None:
    """What was begun may wait for a lock, or be about to find that somebody else holds it."""
    house.supervision.step()
    experiment = load(house.study.folder_of(house.study.cells[0]))
    if holder is not None:
        (experiment.folder / "lock").write_bytes(to_json(holder))
    assert house.supervision.stop(for_good=True)
    assert house.started[experiment.id].terminated
    assert not experiment.cancel_file.exists()


def test_a_stop_is_over_when_all_have_ended(house: House) -> None:
    house.supervision.step()
    house.end(house.order[0])
    assert not house.supervision.stop(for_good=True)


def test_an_experiment_that_cannot_be_read_costs_no_other(house: House) -> None:
    first = house.study.cells[0].spec
    assert first is not None
    broken = make_experiment_of(house.study.home, first, state="created")
    (broken.folder / "spec.toml").write_text("[[[")
    house.supervision.step()
    assert list(house.started) == [house.order[1]]
    assert "is left out" in house.told[0]


HOW = How(jobs=1, threads=1, data_dir=Path("data"), cache_dir=Path("cache"))


def test_a_study_that_is_complete_needs_no_process(house: House) -> None:
    for cell in house.study.cells:
        assert cell.spec is not None
        make_experiment_from_answers(house.study.home, cell.spec)
    assert supervise(house.study, HOW, lambda: False) == ExitStatus.COMPLETE
    assert not house.study.running


@dataclass
class Begun:
    """In the place of `start_coordinator`: each computes all at once, and ends after so many looks, or when asked.

    then: is called with what was begun.
    """

    home: Path
    looks: int = 1
    then: Callable[[Experiment], object] = lambda experiment: None
    order: list[str] = field(default_factory=list)

    def __call__(self, experiment: Experiment, how: How, **besides: object) -> Process:
        self.order.append(experiment.id)
        make_experiment_from_answers(self.home, experiment.spec)
        self.then(experiment)
        return Patient(looks=self.looks)


@dataclass
class Patient(Process):
    looks: int = 0

    def poll(self) -> int | None:
        self.looks -= 1
        return 0 if self.looks < 0 or self.terminated else None


@pytest.fixture
def begun(house: House, monkeypatch: pytest.MonkeyPatch) -> Begun:
    begun = Begun(house.study.home)
    monkeypatch.setattr("core.engine.supervisor.start_coordinator", begun)
    monkeypatch.setattr("core.engine.supervisor.LOOK_SECONDS", 0.0)
    return begun


def test_a_request_that_cannot_be_looked_for_stops_nothing(
    house: House, begun: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = os.stat

    def fail(path: Any, *options: Any, **named: Any) -> os.stat_result:
        if Path(path).name == "cancel":
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return stat(path, *options, **named)

    monkeypatch.setattr("os.stat", fail)
    assert supervise(house.study, HOW, lambda: False) == ExitStatus.COMPLETE
    assert begun.order == house.order


def test_a_study_s_file_that_cannot_be_read_for_a_moment_is_read_at_the_next_look(
    house: House, begun: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = {"dataset": "digits", "runs": 2, "controls": ("noise",), "z": 5}
    larger = save_study(house.study.home, "further", specs_of(base, {"epsilon": [0.1, 0.2, 0.3, 0.4]}))
    answers = iter([StudyError("the file server is away")])

    def load_later(folder: Path) -> Study:
        if (problem := next(answers, None)) is not None:
            raise problem
        return load_study(folder)

    def add(experiment: Experiment) -> None:
        (larger.folder / "study.toml").replace(house.study.folder / "study.toml")
        begun.then = lambda experiment: None

    begun.then, begun.looks = add, 3
    monkeypatch.setattr("core.engine.supervisor.load_study", load_later)
    assert supervise(house.study, HOW, lambda: False) == ExitStatus.COMPLETE
    assert set(begun.order) == {cell.id for cell in larger.cells}


@pytest.mark.parametrize(
    ("left_over", "meanwhile", "seen_alive", "status"),
    [
        (True, False, True, ExitStatus.COMPLETE),
        (False, True, True, ExitStatus.INTERRUPTED),
        (True, True, False, ExitStatus.INTERRUPTED),
    ],
)
def test_only_a_request_for_its_dead_predecessor_is_taken_away(
    house: House,
    begun: Begun,
    monkeypatch: pytest.MonkeyPatch,
    left_over: bool,
    meanwhile: bool,
    seen_alive: bool,
    status: ExitStatus,
) -> None:
    """left_over: it was there before. meanwhile: it is made while the other is watched. seen_alive: at first."""
    other = ProcessIdentity("node7", 12, "", "")
    lock_file = house.study.folder / "lock"

    class TakenOver(Lock):
        """The lock once the other has been watched for long enough."""

        def acquire(self) -> None:
            if meanwhile:
                house.study.cancel_file.touch()
            lock_file.unlink()
            super().acquire()
            self.taken_from = other

    monkeypatch.setattr("core.engine.lock_keeping.Lock", TakenOver)
    lock_file.write_bytes(to_json(other))
    if not seen_alive:
        os.utime(lock_file, (1e9, 1e9))
    if left_over:
        house.study.cancel_file.touch()
    begun.looks = 2
    assert supervise(house.study, HOW, lambda: False) == status
    assert begun.order == house.order[: 3 if status == ExitStatus.COMPLETE else 1]
    assert not house.study.cancel_file.exists(), "it was obeyed"


def test_one_supervisor_at_a_time(house: House) -> None:
    words = [str(house.study.folder), "--jobs", "1", "--data-dir", "d", "--cache-dir", "c"]
    with house.study.lock:
        assert main(words) == ExitStatus.LOCKED


def test_a_folder_that_is_no_study_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(tmp_path), "--jobs", "1", "--data-dir", "d", "--cache-dir", "c"]
    assert main(words) == ExitStatus.REFUSED
    assert "it holds no file study.toml" in capsys.readouterr().err
