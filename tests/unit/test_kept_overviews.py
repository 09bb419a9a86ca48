"""What is kept of overviews: never believed where a file has changed, never needed."""

from __future__ import annotations

import errno
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import core.records.overview as overview_module
from core.files.locations import overviews_dir
from core.records.annotations import Annotations, write_annotations
from core.records.experiment import Experiment
from core.records.findings import Details
from core.records.home import delete_experiment
from core.records.kept_overviews import SETTLED_SECONDS, KeptOverviews, stamp_of
from core.records.overview import Overview, OverviewReader
from core.records.status import ExperimentStatus
from core.spec.spec import Spec
from tests.fakes.experiments import make_experiment


def last_change(folder: Path) -> float:
    """When something in a folder was changed last, seconds since 1970."""
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))


@pytest.fixture(autouse=True)
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long enough after all that a test has written, whatever the clock of this machine shows."""
    monkeypatch.setattr(
        "core.records.overview.time.time", lambda: last_change(tmp_path) + 10 * SETTLED_SECONDS
    )


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return make_experiment(tmp_path, runs=3)


def look(experiment: Experiment) -> Overview:
    """As a process that has just been started."""
    (found,) = OverviewReader(experiment.folder.parents[1]).look()
    return found


def index_of(experiment: Experiment) -> Path:
    return overviews_dir(experiment.folder.parents[1]) / "index.overviews"


def details_of(experiment: Experiment) -> Path:
    return overviews_dir(experiment.folder.parents[1]) / f"{experiment.id}.overview"


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
    for name in ("load", "read_annotations", "read_statistics"):
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
    "journal": (lambda one: _touch(one.journal / "0001-coordinator.jsonl"), ["read_statistics"]),
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


def resealed(index: Path, change: Callable[[list[Any]], None]) -> bytes:
    """The last line of the index changed by somebody who knows how it is checked."""
    _, name, content = index.read_bytes().splitlines()[-1].split(b"\t")
    values = json.loads(content)
    change(values)
    content = json.dumps(values).encode()
    return b"\t".join((b"%08x" % zlib.crc32(name + content), name, content)) + b"\n"


def _set(values: list[Any], value: object, *places: Any) -> None:
    for place in places[:-1]:
        values = values[place]
    values[places[-1]] = value


VERSION, STAMPS, SPEC, RUNS, HEADLINE = 0, 1, 3, 6, 7
"""Places in a line of the index."""
FORGED: dict[str, Callable[[list[Any]], None]] = {
    "of another version": lambda line: _set(line, 999, VERSION),
    "a spec that cannot be": lambda line: _set(line, -0.1, SPEC, "epsilon"),
    "of more runs than its spec": lambda line: line[RUNS].append(line[RUNS][0]),
    "without the stamps of a run": lambda line: line[STAMPS][-1].pop(),
    "a run of less than no time": lambda line: _set(line, -1.0, RUNS, 0, 0),
    "a stamp of words": lambda line: _set(line, "now", STAMPS, 0),
    "nothing": lambda line: line.clear(),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_line_that_says_what_cannot_be_is_not_believed(experiment: Experiment, what: str) -> None:
    first = look(experiment)
    index = index_of(experiment)
    forged = resealed(index, FORGED[what])
    index.write_bytes(forged)
    assert look(experiment) == first
    assert count_lines(index) == 2, "the new reading is kept"


def test_whatever_lies_in_the_place_of_the_index_the_overview_is_the_same(experiment: Experiment) -> None:
    first = look(experiment)
    index = index_of(experiment)
    whole = index.read_bytes()
    torn = [whole[: len(whole) // 2], whole[1:], whole[:-20], whole.replace(b"\t", b" ")]
    flipped = [bytes([*whole[:n], whole[n] ^ 1, *whole[n + 1 :]]) for n in range(0, len(whole), 97)]
    for content in [b"", b"\n\n", b"\xff" * 100, b"\t\t\n", b"null\tnull\tnull\n", *torn, *flipped]:
        index.write_bytes(content)
        assert look(experiment) == first
    index.unlink()
    index.mkdir()
    assert look(experiment) == first
    index.rmdir()
    os.mkfifo(index)
    assert look(experiment) == first


def test_every_part_of_an_experiment_is_checked_before_a_line_is_believed(experiment: Experiment) -> None:
    """Numbers that are as good as any others come from the index as long as no file has changed, and not after."""
    look(experiment)
    index = index_of(experiment)
    forged = resealed(index, lambda line: _set(line, 1234.5, RUNS, 0, 0))
    stamps = json.loads(forged.split(b"\t")[2])[STAMPS]
    index.write_bytes(forged)
    assert look(experiment).seconds > 1234.5, "this line would be believed"
    places: list[tuple[int, ...]] = [(n,) for n, one in enumerate(stamps[:-1]) if one is not None]
    places += [(len(stamps) - 1, run, n) for run in range(3) for n in range(2)]
    assert len(places) == 10
    for place in places:
        for part in range(3):
            of = [STAMPS, *place]

            def change(line: list[Any], of: list[int] = of, part: int = part) -> None:
                _set(line, 1234.5, RUNS, 0, 0)
                stamp: Any = line
                for step in of:
                    stamp = stamp[step]
                stamp[part] += 1

            index.write_bytes(forged)
            index.write_bytes(resealed(index, change))
            found = look(experiment)
            # The figures of a run are believed for as long as its own files are as they were.
            assert (found.seconds > 1234.5) is (place[0] != len(stamps) - 1 or place[1] != 0)
            read = count_lines(index)
            assert read == 2, f"{place}: it was read again and kept"


def count_lines(index: Path) -> int:
    return index.read_bytes().count(b"\n")


@pytest.mark.parametrize("content", [None, b"", b"{}", b"null", b"\xff" * 100, "flipped", "other levels"])
def test_findings_that_were_damaged_are_read_from_the_journal(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, content: bytes | str | None
) -> None:
    first = look(experiment)
    path, index = details_of(experiment), index_of(experiment)
    whole = path.read_bytes()
    if content is None:
        path.unlink()
    elif content == "flipped":
        path.write_bytes(whole.replace(b'"mean":0.', b'"mean":1.', 1))
    elif content == "other levels":
        fitted = experiment.spec.ladder.fitted
        path.write_bytes(whole.replace(f'"{fitted}":'.encode(), b'"999":'))
        check = zlib.crc32(path.read_bytes())
        index.write_bytes(resealed(index, lambda line: _set(line, check, HEADLINE, -1)))
    else:
        assert isinstance(content, bytes)
        path.write_bytes(content)
    assert path.exists() == (content is not None)
    read = count_reading(monkeypatch)
    found = look(experiment)
    assert read == []
    assert found.findings is not None
    assert first.findings is not None
    assert found.findings.accuracies == first.findings.accuracies
    assert read == ["read_statistics"]
    assert found == first


def test_what_is_long_is_read_when_it_is_asked_for(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = look(experiment)
    assert first.findings is not None
    asked: list[str] = []
    original = KeptOverviews.details

    def details(self: KeptOverviews, name: str, check: int) -> Details | None:
        asked.append(name)
        return original(self, name, check)

    monkeypatch.setattr(KeptOverviews, "details", details)
    read = count_reading(monkeypatch)
    found = look(experiment).findings
    assert found is not None
    assert (found.runs, found.rise, found.accuracy) == (3, first.findings.rise, first.findings.accuracy)
    assert asked == []
    assert found.claims == first.findings.claims
    assert found.accuracies == first.findings.accuracies
    assert found.tests == first.findings.tests
    assert (asked, read) == ([experiment.id], [])


def test_one_that_is_computed_again_is_seen_to_be_at_once(experiment: Experiment) -> None:
    look(experiment)
    with experiment.lock:
        assert look(experiment).status == "running"
    assert look(experiment).status == "complete"


def test_one_that_was_extended_is_no_longer_complete(experiment: Experiment) -> None:
    reader = OverviewReader(experiment.folder.parents[1])
    reader.look()
    experiment.extend(5)
    for found in (look(experiment), *reader.look()):
        assert (found.status, found.done) == ("interrupted", 3)


def test_another_journal_of_a_coordinator_is_read(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(experiment)
    (experiment.journal / "0002-coordinator.jsonl").write_bytes(b"")
    read = count_reading(monkeypatch)
    look(experiment)
    assert read == ["read_statistics"]


def test_when_it_was_made_is_read_where_that_has_changed(experiment: Experiment) -> None:
    assert look(experiment).created != 5.0
    (experiment.folder / "created").write_text("5.0")
    assert look(experiment).created == 5.0


def test_several_processes_add_to_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, other = make_experiment(tmp_path, runs=3), make_experiment(tmp_path, runs=3, seed=1)
    readers = OverviewReader(tmp_path), OverviewReader(tmp_path)
    for reader, experiment in zip(readers, (first, other), strict=True):
        reader.look_at(experiment.folder)
    read = count_reading(monkeypatch)
    assert len(OverviewReader(tmp_path).look()) == 2
    assert read == []


def test_lines_that_no_longer_count_go_when_they_are_many(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.records.kept_overviews.SPARE_LINES", 3)
    counts = []
    for number in range(12):
        write_annotations(experiment.folder, Annotations(str(number)))
        assert look(experiment).annotations.label == str(number)
        counts.append(count_lines(index_of(experiment)))
    assert max(counts) == 6
    read = count_reading(monkeypatch)
    assert look(experiment).annotations.label == "11"
    assert read == []


def test_only_what_is_complete_and_has_settled_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = make_experiment(tmp_path, state="interrupted", runs=3, complete=1)
    OverviewReader(tmp_path).look()
    assert not index_of(stopped).exists()
    fresh = make_experiment(tmp_path, runs=3, seed=1)
    monkeypatch.setattr("core.records.overview.time.time", lambda: last_change(fresh.folder))
    OverviewReader(tmp_path).look()
    assert not index_of(fresh).exists(), "another change within the same tick of the clock would not be seen"


def test_nothing_is_kept_of_what_plug_ins_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of one may read the same files otherwise."""
    monkeypatch.setattr(Spec, "_installed_plugins", lambda spec: {"attack fgsm": "aefit-other 1.0"})
    experiment = make_experiment(tmp_path, runs=3)
    assert look(experiment).status is ExperimentStatus.COMPLETE
    assert not index_of(experiment).exists()


def test_a_journal_whose_name_no_json_holds_is_read_each_time(experiment: Experiment) -> None:
    (journal,) = experiment.journal.glob("*coordinator*")
    os.rename(journal, os.fsencode(experiment.journal) + b"/0002-\xff-coordinator.jsonl")
    first = look(experiment)
    assert first.status is ExperimentStatus.COMPLETE
    assert first == look(experiment)
    assert not index_of(experiment).exists()


def test_an_index_that_cannot_be_read_now_is_there_later(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = look(experiment)
    whole = index_of(experiment).read_bytes()

    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr("core.records.kept_overviews.read_plain", fail)
        assert look(experiment) == first
    assert index_of(experiment).read_bytes().startswith(whole)


def test_what_cannot_be_had_now_is_asked_for_again(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = look(experiment)
    assert first.findings is not None
    details_of(experiment).unlink()
    found = look(experiment).findings
    assert found is not None

    def fail(*_: object) -> None:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    with monkeypatch.context() as broken:
        broken.setattr(overview_module, "read_statistics", fail)
        assert found.claims == ()
    assert found.claims == first.findings.claims


def test_what_is_kept_of_a_deleted_experiment_goes(experiment: Experiment, tmp_path: Path) -> None:
    other = make_experiment(tmp_path, runs=3, seed=1)
    reader = OverviewReader(tmp_path)
    reader.look()
    delete_experiment(experiment.folder)
    reader.look()
    assert {path.name for path in overviews_dir(tmp_path).iterdir()} == {
        "index.overviews",
        f"{other.id}.overview",
    }
    assert experiment.id not in index_of(other).read_text()
    assert other.id in index_of(other).read_text()


def test_a_person_s_own_files_beside_it_are_left_alone(experiment: Experiment, tmp_path: Path) -> None:
    folder = overviews_dir(tmp_path)
    folder.mkdir()
    for name in ("index.txt", "notes.txt", "package.json", f"{experiment.id}.json"):
        (folder / name).write_text("a person's own")
    own = {path: stamp_of(str(path)) for path in folder.iterdir()}
    look(experiment)
    assert index_of(experiment).exists()
    delete_experiment(experiment.folder)
    assert not OverviewReader(tmp_path).look()
    left = {path: stamp_of(str(path)) for path in folder.iterdir()}
    assert left == own | {index_of(experiment): stamp_of(str(index_of(experiment)))}


def test_through_a_link_nothing_is_written_or_removed(experiment: Experiment, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "gone.overview").write_text("somebody's")
    overviews_dir(tmp_path).symlink_to(elsewhere)
    assert look(experiment).status == "complete"
    assert [path.name for path in elsewhere.iterdir()] == ["gone.overview"]


def test_where_nothing_can_be_written_it_is_read_each_time(experiment: Experiment, tmp_path: Path) -> None:
    overviews_dir(tmp_path).write_text("a file in the way")
    assert look(experiment) == look(experiment)
