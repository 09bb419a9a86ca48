"""What is kept of the numbers of a study's experiments: the same as is found anew, and never another's."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

import core.report.study.result as result_module
from core.files.locations import overviews_dir
from core.records.annotations import Annotations, write_annotations
from core.records.experiment import Experiment
from core.records.home import delete_experiment, find
from core.records.kept_overviews import SETTLED_SECONDS
from core.records.overview import OverviewReader
from core.records.study import Study
from core.report.study.kept_numbers import COMPUTED_BY
from core.report.study.measures import keys_of, reading
from core.report.study.result import StudyResult, study_result
from core.report.study.tables import study_csv
from core.report.study.text import study_table
from tests.fakes.study_numbers import make_study


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long enough after all that a test has written."""
    now = time.time
    monkeypatch.setattr("core.records.overview.time.time", lambda: now() + 10 * SETTLED_SECONDS)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path, {"epsilon": [0.1, 0.2]})


def numbers_of(study: Study, place: int = 0) -> Path:
    return overviews_dir(study.home) / f"{study.cells[place].id}.numbers"


def experiment_of(study: Study, place: int = 0) -> Experiment:
    return find(study.home, study.cells[place].id)


def found_anew(monkeypatch: pytest.MonkeyPatch, study: Study) -> tuple[StudyResult, list[str]]:
    """The study, and the ids of those experiments whose own files were read for it."""
    read: list[str] = []
    original = result_module._numbers

    def numbers(experiment: Experiment) -> object:
        read.append(experiment.id)
        return original(experiment)

    with monkeypatch.context() as patch:
        patch.setattr(result_module, "_numbers", numbers)
        return study_result(study), read


def shown(study: Study, result: StudyResult) -> list[object]:
    """All that comes of a result."""
    tables = [study_csv(study, result, table) for table in ("cells", "changes")]
    numbers = [reading(cell, key) for cell in result.cells for key in keys_of(result)]
    return [result.to_text(), study_table(result), *tables, numbers, *result.cells]


def test_what_was_kept_is_what_was_found(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [cell.id for cell in study.cells]
    first, read = found_anew(monkeypatch, study)
    assert read == ids
    again, read = found_anew(monkeypatch, study)
    assert read == []
    assert shown(study, again) == shown(study, first)


CHANGES: dict[str, Callable[[Experiment], object]] = {
    "metrics": lambda one: _touch(one.run_folder(1) / "result" / "metrics.json"),
    "a result's folder": lambda one: (one.run_folder(1) / "result" / "new").touch(),
    "spec": lambda one: _touch(one.folder / "spec.toml"),
    "journal": lambda one: _touch(one.journal / "0001-coordinator.jsonl"),
    "another journal": lambda one: (one.journal / "0002-coordinator.jsonl").touch(),
    "annotations": lambda one: write_annotations(one.folder, Annotations("new")),
}


def _touch(path: Path) -> None:
    moment = path.stat().st_mtime_ns + 1
    os.utime(path, ns=(moment, moment))


@pytest.mark.parametrize("change", CHANGES)
def test_where_a_file_has_changed_since_it_is_found_anew(
    study: Study, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    first = study_result(study)
    CHANGES[change](experiment_of(study))
    again, read = found_anew(monkeypatch, study)
    assert read == [study.cells[0].id]
    assert shown(study, again)[:-2] == shown(study, first)[:-2]
    _, read = found_anew(monkeypatch, study)
    assert read == [], "the new numbers are kept"


def test_a_lost_result_is_noticed(study: Study) -> None:
    study_result(study)
    (experiment_of(study).run_folder(0) / "result" / "arrays.npz").unlink()
    (cell, _) = study_result(study).cells
    assert cell.measured is not None
    assert cell.measured.runs == (1, 2, 3)


def test_numbers_of_another_program_are_not_taken(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    study_result(study)
    with monkeypatch.context() as patch:
        patch.setattr("core.report.study.kept_numbers._computed_by", lambda: 1)
        assert len(found_anew(monkeypatch, study)[1]) == 2
        assert found_anew(monkeypatch, study)[1] == []
    assert len(found_anew(monkeypatch, study)[1]) == 2


def test_the_program_is_known_by_the_modules_that_measure(study: Study) -> None:
    """Where a quantity is defined, what is kept of it is no longer taken once that is written otherwise."""
    (cell, _) = study_result(study).cells
    assert cell.measured is not None
    modules = {type(cell.measured).__module__, type(cell.claims[0]).__module__, study_result.__module__}
    assert modules | {"core.statistics.claims", "core.records.metrics"} <= set(COMPUTED_BY)


@pytest.mark.parametrize("content", [b"", b"\n", b"{", b"\xff" * 100, "flipped", "sealed", "another's"])
def test_what_was_damaged_is_found_anew(
    study: Study, monkeypatch: pytest.MonkeyPatch, content: bytes | str
) -> None:
    first = study_result(study)
    path = numbers_of(study)
    whole = path.read_bytes()
    if content == "flipped":
        content = whole.replace(b"0.", b"1.", 1)
    elif content == "sealed":
        body = whole.partition(b"\n")[2].replace(b'["fooled",[],"",[', b'["fooled",[],"",[0.5,', 1)
        content = b"%08x\n%b" % (zlib.crc32(body), body)
    elif content == "another's":
        content = numbers_of(study, 1).read_bytes()
    assert isinstance(content, bytes)
    assert content != whole
    path.write_bytes(content)
    again, read = found_anew(monkeypatch, study)
    assert read == [study.cells[0].id]
    assert shown(study, again) == shown(study, first)
    assert path.read_bytes() == whole, "the new numbers are kept"


def test_of_what_is_not_complete_nothing_is_kept(tmp_path: Path) -> None:
    study = make_study(tmp_path, {"epsilon": [0.1, 0.2]}, states={0: "interrupted"})
    study_result(study)
    assert not numbers_of(study).exists()
    assert numbers_of(study, 1).exists()


def test_what_is_kept_of_a_deleted_experiment_goes(study: Study) -> None:
    study_result(study)
    delete_experiment(study.folder_of(study.cells[0]))
    OverviewReader(study.home).look()
    assert not numbers_of(study).exists()
    assert numbers_of(study, 1).exists()


def test_where_nothing_can_be_written_it_is_found_each_time(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    overviews_dir(study.home).write_text("a file in the way")
    first, read = found_anew(monkeypatch, study)
    again, read_again = found_anew(monkeypatch, study)
    assert read == read_again == [cell.id for cell in study.cells]
    assert shown(study, again) == shown(study, first)
