"""Experiments and studies are deleted alike: whole, alone, and saying what stays."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from core.errors import AefitError, ExperimentError, StudyError
from core.records.home import create, delete_experiment, find_folder
from core.records.lock import Lock, LockHeld
from core.records.study import delete_study, find_study_folder, save_study
from core.spec.grid import specs_of


@dataclass(frozen=True)
class Kind:
    """Experiments or studies: how one is made, found and deleted, and what is raised where it cannot be."""

    make: Callable[[Path, float], Path]
    find: Callable[[Path, str], Path]
    delete: Callable[[Path], None]
    error: type[AefitError]


def make_experiment(home: Path, epsilon: float) -> Path:
    (spec,) = specs_of({"dataset": "digits", "runs": 2}, {"epsilon": [epsilon]})
    return create(home, spec)[0].folder


def make_study(home: Path, epsilon: float) -> Path:
    specs = specs_of({"dataset": "digits", "runs": 2}, {"epsilon": [epsilon, epsilon / 2]})
    return save_study(home, f"of-{epsilon}-made", specs).folder


@pytest.fixture(
    params=[
        Kind(make_experiment, find_folder, delete_experiment, ExperimentError),
        Kind(make_study, find_study_folder, delete_study, StudyError),
    ],
    ids=["experiment", "study"],
)
def kind(request: pytest.FixtureRequest) -> Kind:
    assert isinstance(request.param, Kind)
    return request.param


@pytest.fixture
def folder(kind: Kind, tmp_path: Path) -> Path:
    """One with something in it at some depth."""
    folder = kind.make(tmp_path, 0.1)
    for name in ("one", "other"):
        (folder / "exports" / name).mkdir(parents=True)
        (folder / "exports" / name / "table.csv").write_text("1,2")
    return folder


def left_beside(folder: Path) -> list[str]:
    """What lies where it was; studies have the lock of who writes them there too."""
    return sorted(name for name in os.listdir(folder.parent) if name != ".edit")


def fail_to_remove(name: str, monkeypatch: pytest.MonkeyPatch, times: int = 99) -> None:
    """From now on the system refuses to remove files of this name, so many times."""
    unlink = os.unlink
    failures = iter(range(times))

    def fail(path: Any, **named: Any) -> None:
        if Path(os.fspath(path)).name == name and next(failures, None) is not None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        unlink(path, **named)

    monkeypatch.setattr("os.unlink", fail)


def test_a_full_disk_can_be_made_room_on(kind: Kind, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no room for a lock either."""
    opened = Path.open

    def full(path: Path, mode: str = "r", *arguments: Any, **named: Any) -> IO[Any]:
        if "r" not in mode:
            path.touch()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, mode, *arguments, **named)

    with Lock(folder), monkeypatch.context() as disk:
        disk.setattr(Path, "open", full)
        with pytest.raises(LockHeld):
            kind.delete(folder)
    with monkeypatch.context() as disk:
        disk.setattr(Path, "open", full)
        kind.delete(folder)
    assert left_beside(folder) == []


@pytest.mark.parametrize("there", [True, False])
def test_of_a_link_only_the_link_is_deleted(kind: Kind, folder: Path, tmp_path: Path, there: bool) -> None:
    elsewhere = folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    if not there:
        shutil.rmtree(elsewhere)
    kind.delete(folder)
    assert left_beside(folder) == []
    assert elsewhere.exists() == there
    if there:
        assert sorted(elsewhere.rglob("*")) == before


def test_a_link_to_one_that_somebody_is_at_is_not_deleted(kind: Kind, folder: Path, tmp_path: Path) -> None:
    elsewhere = folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(elsewhere)
    with Lock(elsewhere), pytest.raises(LockHeld):
        kind.delete(folder)
    assert folder.is_symlink()


def test_who_holds_it_can_be_asked_where_he_is_known(kind: Kind, folder: Path) -> None:
    with Lock(folder), pytest.raises(LockHeld) as held:
        kind.delete(folder)
    assert f"cancel {folder.name}" in held.value.hint
    (folder / "lock").write_text("nobody")
    with pytest.raises(LockHeld) as held:
        kind.delete(folder)
    assert "try again" in held.value.hint


def test_who_deletes_while_somebody_else_sweeps_is_not_disturbed(
    kind: Kind, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def rename_and_be_swept(path: Path, target: Path) -> Path:
        moved = rename(path, target)
        shutil.rmtree(moved)
        return moved

    monkeypatch.setattr(Path, "rename", rename_and_be_swept)
    kind.delete(folder)
    assert left_beside(folder) == []


def test_what_cannot_be_removed_is_said_and_all_else_goes(
    kind: Kind, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "exports" / "other" / "table.csv").rename(folder / "exports" / "other" / "kept.csv")
    fail_to_remove("kept.csv", monkeypatch)
    with pytest.raises(
        kind.error, match=r"cannot delete .*: Permission denied; what is left of it is in"
    ) as told:
        kind.delete(folder)
    (trash,) = left_beside(folder)
    assert str(told.value).endswith(str(folder.with_name(trash)))
    assert not folder.exists()
    left = [path for path in folder.with_name(trash).rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["kept.csv"]


def test_what_can_be_removed_a_moment_later_is_removed(
    kind: Kind, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_remove("table.csv", monkeypatch, times=1)
    kind.delete(folder)
    assert left_beside(folder) == []


def test_what_cannot_be_made_whole_leaves_nothing(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.name.startswith(".new."):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(kind.error, match=r"cannot write .*: Input/output error"):
        kind.make(tmp_path, 0.1)
    (made,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert left_beside(made / "any") == []


def test_a_name_means_one_of_them_or_what_is_near_is_said(kind: Kind, tmp_path: Path) -> None:
    one, other = kind.make(tmp_path, 0.1), kind.make(tmp_path, 0.2)
    for folder in (one, other):
        assert kind.find(tmp_path, folder.name) == folder
        assert kind.find(tmp_path, folder.name[:-1]) == folder
    with pytest.raises(kind.error, match="may mean") as several:
        kind.find(tmp_path, one.name[:2])
    assert one.name in str(several.value)
    assert other.name in str(several.value)
    with pytest.raises(kind.error, match="there is no") as unknown:
        kind.find(tmp_path, f"{one.name}x")
    assert unknown.value.hint == f"did you mean {one.name}?"
    with pytest.raises(kind.error, match="there is no") as unknown:
        kind.find(tmp_path, "")
    assert "list` shows those there are" in unknown.value.hint
