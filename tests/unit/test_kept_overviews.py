"""What is kept of overviews: never believed where a file has changed, never needed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import core.records.overview as overview_module
from core.files.locations import overviews_dir
from core.records.annotations import Annotations, write_annotations
from core.records.experiment import Experiment
from core.records.home import delete_experiment
from core.records.kept_overviews import SETTLED_SECONDS
from core.records.overview import Overview, OverviewReader
from tests.fakes.experiments import make_experiment


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long enough after all that a test has written."""
    now = time.time
    monkeypatch.setattr("core.records.kept_overviews.time.time", lambda: now() + 10 * SETTLED_SECONDS)


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return make_experiment(tmp_path, runs=3)


def look(experiment: Experiment) -> Overview:
    """As a process that has just been started."""
    (found,) = OverviewReader(experiment.folder.parents[1]).look()
    return found


def kept_of(experiment: Experiment) -> Path:
    return overviews_dir(experiment.folder.parents[1]) / f"{experiment.id}.json"


def count_reading(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what reads an experiment's own files, as it is called from now on."""
    read: list[str] = []

    def counted(owner: object, name: str) -> None:
        original: Callable[..., object] = getattr(owner, name)

        def call(*arguments: object) -> object:
            read.append(name)
            return original(*arguments)

        monkeypatch.setattr(owner, name, call)

    counted(Experiment, "result")
    for name in ("load", "read_annotations", "_read_statistics"):
        counted(overview_module, name)
    return read


def test_a_later_process_sees_the_same_and_reads_none_of_it(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_annotations(experiment.folder, Annotations("mine", ("a", "b"), "long\nwords"))
    first = look(experiment)
    assert first.findings is not None
    assert first.annotations.notes == "long\nwords"
    read = count_reading(monkeypatch)
    assert look(experiment) == first
    assert read == []


def _touch(path: Path) -> None:
    moment = path.stat().st_mtime_ns + 1
    os.utime(path, ns=(moment, moment))


CHANGES: dict[str, tuple[Callable[[Experiment], object], list[str]]] = {
    "spec": (lambda one: _touch(one.folder / "spec.toml"), ["load"]),
    "annotations": (lambda one: write_annotations(one.folder, Annotations("new")), ["read_annotations"]),
    "journal": (lambda one: _touch(one.journal / "0001-coordinator.jsonl"), ["_read_statistics"]),
    "metrics": (lambda one: _touch(one.run_folder(1) / "result" / "metrics.json"), ["result"]),
    "a result's folder": (lambda one: (one.run_folder(1) / "result" / "new").touch(), ["result"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_since_is_read_itself_and_nothing_else(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    look(experiment)
    make, expected = CHANGES[change]
    make(experiment)
    read = count_reading(monkeypatch)
    look(experiment)
    assert read == expected
    read.clear()
    look(experiment)
    assert read == [], "the new state is kept"


def test_one_changed_byte_of_a_result_is_noticed(experiment: Experiment) -> None:
    assert look(experiment).done == 3
    path = experiment.run_folder(1) / "result" / "metrics.json"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"0.", b"1.", 1))
    assert look(experiment).done == 2


def test_a_lost_result_is_noticed(experiment: Experiment) -> None:
    look(experiment)
    (experiment.run_folder(0) / "result" / "arrays.npz").unlink()
    assert (look(experiment).done, look(experiment).status) == (2, "interrupted")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b'{"version": 1}',
        b"\xff" * 100,
        pytest.param(None, id="the findings"),
        pytest.param(b"version", id="of another version"),
        pytest.param(b"spec", id="a spec that cannot be"),
    ],
)
def test_what_was_damaged_is_read_anew(experiment: Experiment, content: bytes | None) -> None:
    first = look(experiment)
    path = kept_of(experiment)
    whole = path.read_bytes()
    damaged = {
        None: whole.replace(b'"estimate":', b'"estimate":"x', 1),
        b"version": whole.replace(b'"version":1', b'"version":999'),
        b"spec": whole.replace(b'"epsilon":', b'"epsilon":-', 1),
    }.get(content, content or b"")
    assert damaged != whole
    path.write_bytes(damaged)
    assert look(experiment) == first


def test_findings_of_other_levels_are_not_believed(experiment: Experiment) -> None:
    first = look(experiment)
    path = kept_of(experiment)
    fitted = experiment.spec.ladder.fitted
    path.write_bytes(path.read_bytes().replace(f'"{fitted}":'.encode(), b'"999":'))
    assert look(experiment) == first


def test_only_what_is_complete_and_has_settled_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = make_experiment(tmp_path, state="interrupted", runs=3, complete=1)
    OverviewReader(tmp_path).look()
    assert not kept_of(stopped).exists()
    monkeypatch.undo()
    fresh = make_experiment(tmp_path, runs=3, seed=1)
    OverviewReader(tmp_path).look()
    assert not kept_of(fresh).exists(), "another change within the same tick of the clock would not be seen"


def test_who_wants_no_findings_reads_none_and_spoils_none(experiment: Experiment) -> None:
    home = experiment.folder.parents[1]
    first = look(experiment)
    (brief,) = OverviewReader(home, findings=False).look()
    assert (brief.findings, brief.done) == (None, first.done)
    write_annotations(experiment.folder, Annotations("new"))
    (brief,) = OverviewReader(home, findings=False).look()
    assert brief.annotations.label == "new"
    assert look(experiment).findings == first.findings


def test_what_is_kept_of_a_deleted_experiment_goes(experiment: Experiment, tmp_path: Path) -> None:
    other = make_experiment(tmp_path, runs=3, seed=1)
    reader = OverviewReader(tmp_path)
    reader.look()
    (overviews_dir(tmp_path) / "notes.txt").write_text("a person's own")
    delete_experiment(experiment.folder)
    reader.look()
    assert sorted(path.name for path in overviews_dir(tmp_path).iterdir()) == [
        f"{other.id}.json",
        "notes.txt",
    ]


def test_through_a_link_nothing_is_written_or_removed(experiment: Experiment, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "gone.json").write_text("somebody's")
    overviews_dir(tmp_path).symlink_to(elsewhere)
    assert look(experiment).status == "complete"
    assert [path.name for path in elsewhere.iterdir()] == ["gone.json"]


def test_where_nothing_can_be_written_it_is_read_each_time(experiment: Experiment, tmp_path: Path) -> None:
    overviews_dir(tmp_path).write_text("a file in the way")
    assert look(experiment) == look(experiment)
