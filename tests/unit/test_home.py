"""What goes on in a home: who is at work, what has ended since the last look, what past runs took."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.errors import ExperimentError
from core.records.events import Ending
from core.records.experiment import Experiment
from core.records.home import create, delete_experiment
from core.records.state import read_state
from core.spec.spec import Spec
from tests.fakes.experiments import NOW, State, end, lock_of_the_dead, make_experiment
from tui_aefit.following.home import Watch, at_work, lacks_further_runs


def test_those_at_work_come_with_the_newest_first(tmp_path: Path) -> None:
    old = make_experiment(tmp_path, state="running", runs=3, now=NOW - 1e5)
    new = make_experiment(tmp_path, state="running", runs=3, seed=1, now=NOW)
    dead = make_experiment(tmp_path, state="running", runs=3, seed=2, now=NOW)
    lock_of_the_dead(dead)
    make_experiment(tmp_path, runs=3, seed=3, now=NOW)
    assert at_work(tmp_path) == [new, old]
    assert at_work(tmp_path / "nowhere") == []


def test_what_cannot_be_read_is_not_at_work_and_hides_nothing(tmp_path: Path) -> None:
    running = make_experiment(tmp_path, state="running", runs=3)
    specs = [Spec(dataset="mnist", runs=3, seed=seed) for seed in (1, 2, 3)]
    torn, folder, deep = (create(tmp_path, spec)[0].folder for spec in specs)
    (deep / "lock").write_text("{}")
    (deep / "spec.toml").write_text("runs = " + "[" * 5000)
    (torn / "lock").write_text("{}")
    (torn / "spec.toml").write_text("runs = [")
    (folder / "lock").mkdir()
    assert at_work(tmp_path) == [running]


def test_a_home_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "experiments").write_text("a file")
    with pytest.raises(ExperimentError, match="cannot list"):
        at_work(tmp_path)


@pytest.mark.parametrize("status", ["cancelled", "failed", "refused"])
def test_an_ending_is_told_once(tmp_path: Path, status: Ending) -> None:
    running = make_experiment(tmp_path, state="running", runs=3, complete=1)
    watch = Watch(tmp_path)
    assert watch.look() == watch.look() == []
    end(running, status)
    assert [(state.experiment.id, state.status) for state in watch.look()] == [(running.id, status)]
    assert watch.look() == []


def test_one_that_was_extended_as_it_ended_lacks_further_runs(tmp_path: Path) -> None:
    running = make_experiment(tmp_path, state="running", runs=3, complete=2)
    other = make_experiment(tmp_path / "other", runs=3)
    watch = Watch(tmp_path)
    assert watch.look() == []
    shutil.copytree(other.run_folder(2), running.run_folder(2), dirs_exist_ok=True)
    running.extend(5)
    end(running, "complete")
    (state,) = watch.look()
    assert (state.experiment.spec.runs, len(state.results), state.status) == (5, 3, "interrupted")
    assert lacks_further_runs(state)


@pytest.mark.parametrize("state", ["complete", "interrupted", "cancelled", "failed", "created"])
def test_every_other_ending_is_what_it_is(tmp_path: Path, state: State) -> None:
    assert not lacks_further_runs(read_state(make_experiment(tmp_path, state=state, runs=3)))


def test_a_death_is_an_ending_and_a_resumption_is_watched_again(tmp_path: Path) -> None:
    running = make_experiment(tmp_path, state="running", runs=3, complete=1)
    watch = Watch(tmp_path)
    watch.look()
    lock_of_the_dead(running)
    assert [state.status for state in watch.look()] == ["interrupted"]
    with running.lock:
        assert watch.look() == []
    assert [state.status for state in watch.look()] == ["interrupted"]


def test_what_ends_before_it_is_seen_at_work_is_told(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    experiment = make_experiment(tmp_path, state="failed", runs=3)
    assert watch.look() == []  # over before anybody watched
    watch.add(experiment)
    assert watch.look([experiment.id]) == []  # its coordinator lives, and is about to take the lock
    assert [state.status for state in watch.look()] == ["failed"]


def test_what_was_never_begun_or_was_deleted_has_no_ending(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    watch.add(make_experiment(tmp_path, state="created", runs=3))
    deleted = make_experiment(tmp_path, state="interrupted", runs=3, seed=1)
    watch.add(deleted)
    delete_experiment(deleted.folder)
    assert watch.look() == []


def test_a_lock_that_cannot_be_read_says_nothing_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = make_experiment(tmp_path, state="running", runs=3, complete=1)
    watch = Watch(tmp_path)
    watch.look()

    def refuse(_: Experiment) -> bool:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Experiment, "running", property(refuse))
        assert watch.look() == []
    end(running, "cancelled")
    assert [state.status for state in watch.look()] == ["cancelled"]
