"""A study's file is a list of experiments: it grows, it is found by its name, damage costs it alone."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.engine.statistics import experiment_statistics
from core.errors import StudyError
from core.files.locations import studies_dir
from core.records.home import create, experiment_id
from core.records.lock import LockHeld
from core.records.overview import OverviewReader
from core.records.process import identity
from core.records.queue import Ticket, new_name, write_ticket
from core.records.study import (
    STUDY_FILE,
    Study,
    delete_study,
    find_study,
    load_study,
    save_study,
    study_folders,
)
from core.records.study_state import CellStatus, StudyStatus, read_study_state, study_status
from core.records.types import to_json
from core.spec.grid import specs_of
from core.spec.spec import Spec
from tests.fakes.experiments import append_events, make_experiment_from_answers, make_experiment_of

BASE = {"dataset": "digits", "runs": 3, "controls": ("noise",)}


def specs(**grid: list[object]) -> list[Spec]:
    return specs_of(BASE, grid)


def ids(study: Study) -> set[str]:
    return {cell.id for cell in study.cells}


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    asked = specs(attack=["fgsm", "pgd"], epsilon=[0.1, 0.05])
    study = save_study(tmp_path, "", asked)
    assert load_study(study.folder) == study
    assert [cell.spec for cell in study.cells] == asked
    assert ids(study) == {experiment_id(spec) for spec in asked}
    assert study.axes == {"attack": ("fgsm", "pgd"), "epsilon": (0.05, 0.1)}
    assert [study.place(cell)["epsilon"] for cell in study.cells] == [spec.epsilon for spec in asked]


def test_a_further_value_adds_to_the_same_study(tmp_path: Path) -> None:
    first = save_study(tmp_path, "", specs(epsilon=[0.1, 0.05]))
    second = save_study(tmp_path, "", specs(epsilon=[0.05, 0.2]))
    assert second.name == first.name
    assert ids(second) == {experiment_id(spec) for spec in specs(epsilon=[0.1, 0.05, 0.2])}
    assert second.created == first.created
    other = save_study(tmp_path, "", specs_of({**BASE, "seed": 1}, {"epsilon": [0.1, 0.05]}))
    assert other.name != first.name, "what does not differ in it is another"


def test_more_runs_extend_its_experiments_and_fewer_take_none(tmp_path: Path) -> None:
    for runs, expected in ((3, 3), (5, 5), (2, 5)):
        study = save_study(tmp_path, "a", specs_of({**BASE, "runs": runs}, {"epsilon": [0.1, 0.2]}))
        assert [cell.spec.runs for cell in study.cells if cell.spec] == [expected, expected]


@pytest.mark.parametrize("name", ["", "latest", "A", "../a", "-a", ".a", "a b", "a/b", "a" * 81, "\x1b[1m"])
def test_a_name_that_no_folder_should_have_is_refused(tmp_path: Path, name: str) -> None:
    if name:
        with pytest.raises(StudyError, match="no name for a study"):
            save_study(tmp_path, name, specs(epsilon=[0.1, 0.2]))
    assert study_folders(tmp_path) == []


def test_two_that_add_to_it_at_the_same_time_are_both_in_it(tmp_path: Path) -> None:
    values = [n / 100 for n in range(1, 9)]
    with ThreadPoolExecutor(len(values)) as pool:
        for done in [pool.submit(save_study, tmp_path, "a", specs(epsilon=[value])) for value in values]:
            done.result()
    found = find_study(tmp_path, "a")
    assert sorted(cell.spec.epsilon for cell in found.cells if cell.spec is not None) == values
    assert [folder.name for folder in study_folders(tmp_path)] == ["a"]


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    studies_dir(tmp_path).write_text("a file")
    with pytest.raises(StudyError, match="cannot write a study under"):
        save_study(tmp_path, "a", specs(epsilon=[0.1, 0.2]))


def test_it_is_found_by_a_part_of_its_name(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no study under"):
        find_study(tmp_path, "latest")
    for name in ("one", "other"):
        save_study(tmp_path, name, specs(epsilon=[0.1, 0.2]))
    assert find_study(tmp_path, "on").name == "one"
    assert find_study(tmp_path, "other").name == "other"
    for moment, name in enumerate(("one", "other"), start=2_000_000_000):
        os.utime(studies_dir(tmp_path) / name / STUDY_FILE, (moment, moment))
        assert find_study(tmp_path, "latest").name == name
    for wrong, words in (("o", "may mean one, other"), ("", "there is no study"), ("oneself", "no study")):
        with pytest.raises(StudyError, match=words):
            find_study(tmp_path, wrong)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "schema_version"),
        ("schema_version = 1\nbase = 3", r"is damaged: expected \[base\] .* at `\$\.base`"),
        ("schema_version = 1\ncell = 3", r"damaged: .* at `\$\.cell`"),
        ("schema_version = 1\ncreated = true", r"damaged: .* at `\$\.created`"),
        ("schema_version = 1\ncreated = nan", r"damaged: .* at `\$\.created`"),
        ("schema_version = 1\n[[cell]]\nepsilon = 0.1", "damaged: .* the id of a .* `id`"),
        ("schema_version = 1\n[[cell]]\nid = 3", "damaged: .* the id of a .* got `int`"),
        *(
            (f"schema_version = 1\n[[cell]]\nid = {name}", "damaged")
            for name in ('""', '".."', '"a\\n"', '"/etc"', '"../../x"', '"a/b"', '".new"', '"a\\u0000"')
        ),
        ("schema_version = 2", "reads up to 1"),
        ("schema_version = true", "reads up to 1"),
        ("a = [[[", "damaged"),
        ("a = " + "[" * 5000, "damaged"),
        ("a = " + "9" * 5000, "damaged"),
        ("\udcff", "damaged"),
    ],
)
def test_a_damaged_file_is_told_in_words(tmp_path: Path, text: str, words: str) -> None:
    study = save_study(tmp_path, "a", specs(epsilon=[0.1, 0.2]))
    (study.folder / STUDY_FILE).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(StudyError, match=words):
        load_study(study.folder)


def test_a_damaged_experiment_of_it_costs_no_other(tmp_path: Path) -> None:
    study = save_study(tmp_path, "a", specs(epsilon=[0.1, 0.2]))
    path = study.folder / STUDY_FILE
    path.write_text(path.read_text().replace("epsilon = 0.2", "epsilon = 0.3"))
    found = load_study(study.folder)
    assert [cell.spec is None for cell in found.cells] == [False, True]
    assert "are those of" in found.cells[1].problem
    assert read_study_state(found).cells[1].status is CellStatus.UNREADABLE
    with pytest.raises(StudyError, match="cannot take further experiments"):
        save_study(tmp_path, "a", specs(epsilon=[0.4]))
    path.write_text(path.read_text().replace("epsilon = 0.3", "epsilon = 3"))
    assert "epsilon = 3 is not possible" in load_study(study.folder).cells[1].problem


def test_it_is_forgotten_and_its_experiments_stay(tmp_path: Path) -> None:
    study = save_study(tmp_path, "a", specs(epsilon=[0.1, 0.2]))
    spec = study.cells[0].spec
    assert spec is not None
    experiment, _ = create(tmp_path, spec)
    with study.lock, pytest.raises(LockHeld):
        delete_study(study.folder)
    delete_study(study.folder)
    assert experiment.folder.is_dir()
    assert study_folders(tmp_path) == []


def test_how_its_experiments_stand(tmp_path: Path) -> None:
    study = save_study(tmp_path, "a", specs(epsilon=[0.1, 0.2, 0.3, 0.4]))
    by_epsilon = {cell.spec.epsilon: cell for cell in study.cells if cell.spec is not None}
    assert read_study_state(study).status is StudyStatus.CREATED
    states = {0.1: "complete", 0.2: "failed", 0.3: "running"}
    for epsilon, state in states.items():
        spec = by_epsilon[epsilon].spec
        assert spec is not None
        make_experiment_of(tmp_path, spec, state=state)  # type: ignore[arg-type]
    reader = OverviewReader(tmp_path)
    found = {cell.cell.spec.epsilon: cell for cell in read_study_state(study, reader).cells if cell.cell.spec}
    assert {epsilon: cell.status.value for epsilon, cell in found.items()} == {**states, 0.4: "waiting"}
    assert (found[0.1].done, found[0.4].done, found[0.1].runs) == (3, 0, 3)
    assert read_study_state(study, reader).status is StudyStatus.RUNNING
    ticket = Ticket(process=identity(), experiment=by_epsilon[0.3].id, since=1.0, wanted=1)
    write_ticket(tmp_path, new_name(), ticket)
    queued = {cell.cell.id: cell.status for cell in read_study_state(study, reader).cells}
    assert queued[by_epsilon[0.3].id] is CellStatus.QUEUED


def test_an_experiment_with_fewer_runs_than_it_asks_for_waits(tmp_path: Path) -> None:
    (spec,) = specs(epsilon=[0.1])
    make_experiment_of(tmp_path, spec.changed(runs=2))
    (cell,) = read_study_state(save_study(tmp_path, "a", [spec])).cells
    assert (cell.status, cell.done, cell.runs) == (CellStatus.WAITING, 2, 3)


def test_one_whose_coordinator_was_killed_before_it_said_what_follows_is_interrupted(tmp_path: Path) -> None:
    (spec,) = specs(epsilon=[0.1])
    study = save_study(tmp_path, "a", [spec])
    experiment = make_experiment_from_answers(tmp_path, spec, statistics=False).experiment
    state = read_study_state(study)
    assert (state.status, state.done, state.runs) == (StudyStatus.INTERRUPTED, 3, 3)
    append_events(experiment, experiment_statistics(spec, experiment.results()))
    assert read_study_state(study).status is StudyStatus.COMPLETE
    listed = OverviewReader(tmp_path)
    assert read_study_state(study, listed).status is StudyStatus.COMPLETE


@pytest.mark.parametrize(
    ("running", "cells", "status"),
    [
        (True, ["complete", "waiting"], "running"),
        (False, ["complete", "queued"], "running"),
        (False, ["complete", "complete"], "complete"),
        (False, ["waiting", "waiting"], "created"),
        (False, ["complete", "waiting"], "interrupted"),
        (False, ["complete", "refused", "waiting"], "failed"),
        (False, ["complete", "cancelled", "waiting"], "cancelled"),
        (False, ["interrupted", "complete"], "interrupted"),
        (False, ["unreadable", "complete"], "failed"),
    ],
)
def test_how_it_stands_follows_from_them(running: bool, cells: list[str], status: str) -> None:
    assert study_status(running=running, cells=[CellStatus(cell) for cell in cells]) == StudyStatus(status)


def test_a_folder_in_the_place_of_a_request_to_stop_is_set_aside(tmp_path: Path) -> None:
    study = save_study(tmp_path, "a", specs(epsilon=[0.1, 0.2]))
    (study.cancel_file / "precious").mkdir(parents=True)
    study.clear_cancel()
    assert not study.cancel_file.exists()
    (aside,) = study.folder.glob(".broken.*/precious")
    assert aside.is_dir()
    study.cancel_file.touch()
    study.clear_cancel()
    study.clear_cancel()
    assert not study.cancel_file.exists()


def test_who_sees_to_it_removes_the_claims_of_the_dead(tmp_path: Path) -> None:
    study = save_study(tmp_path, "a", specs(epsilon=[0.1, 0.2]))
    claim = study.folder / f".lock.{'0' * 64}"
    claim.write_bytes(to_json(replace(identity(), start_time="1")))
    study.clear_leftovers()
    assert not claim.exists()


def test_who_adds_to_one_removes_what_the_dead_left_half_made(tmp_path: Path) -> None:
    save_study(tmp_path, "a", specs(epsilon=[0.1, 0.2]))
    folder = studies_dir(tmp_path)
    code = "from core.files.ownership import owned_name as name; print(name('.new'), name('.heartbeat'))"
    gone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    half_made, half_written = gone.stdout.split()
    (folder / half_made).mkdir()
    (folder / ".edit" / half_written).write_bytes(b"")
    save_study(tmp_path, "a", specs(epsilon=[0.3]))
    assert {path.name for path in folder.iterdir()} == {"a", ".edit"}
    assert not (folder / ".edit" / half_written).exists()
