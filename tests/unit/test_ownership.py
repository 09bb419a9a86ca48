"""What a process makes for a while is told from everything else, and removed once that process is gone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from core.files import ownership
from core.files.atomic import replace_file
from core.files.ownership import is_abandoned, owned_name, sweep

on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def made_by(child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, prefix: str) -> str:
    """What a name would be that another process makes."""
    with monkeypatch.context() as there:
        there.setattr(os, "getpid", lambda: child.pid)
        return owned_name(prefix)


@on_linux
def test_what_a_process_made_for_a_while_is_abandoned_when_it_is_gone(
    tmp_path: Path, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / made_by(child, monkeypatch, ".result")
    theirs.mkdir()
    assert theirs.name.startswith(".result.")
    assert not is_abandoned(theirs)
    child.kill()
    child.wait()
    assert is_abandoned(theirs)


@pytest.mark.parametrize("other", ["host", "namespace"])
def test_what_processes_that_we_cannot_see_made_is_left_for_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """Two containers of one machine may share a host name, and yet not see each other's processes."""
    with monkeypatch.context() as there:
        ownership._owner.cache_clear()
        if other == "host":
            there.setattr("socket.gethostname", lambda: "node2.example")
        else:
            there.setattr(ownership, "pid_namespace", lambda: "pid:[17]")
        there.setattr(os, "getpid", lambda: 2**22 - 3)
        theirs = tmp_path / owned_name(".result")
    ownership._owner.cache_clear()
    theirs.mkdir()
    assert not is_abandoned(theirs)
    os.utime(theirs, (1, 1))
    assert is_abandoned(theirs)


@on_linux
def test_what_a_process_that_the_system_hides_made_is_left_for_a_day(
    tmp_path: Path,
    child: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
    hide: Callable[[int], None],
) -> None:
    theirs = tmp_path / made_by(child, monkeypatch, ".result")
    theirs.mkdir()
    hide(child.pid)
    assert not is_abandoned(theirs)
    os.utime(theirs, (1, 1))
    assert is_abandoned(theirs)


@pytest.mark.parametrize(
    "name", [".result.precious", ".result.0123", ".result.host.12-7.ab", ".lock." + "0" * 64, ".result"]
)
def test_a_name_of_another_form_is_somebody_elses(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    os.utime(tmp_path / name, (1, 1))
    assert not is_abandoned(tmp_path / name)
    sweep(tmp_path, r"\..*")
    assert (tmp_path / name).exists()


@on_linux
def test_sweeping_removes_what_dead_processes_left_under_the_names_it_is_told(
    tmp_path: Path, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    file, tree, link, other = (
        folder / made_by(child, monkeypatch, prefix) for prefix in (".file", ".tree", ".link", ".other")
    )
    mine = folder / owned_name(".file")
    for path in (file, other, mine):
        path.touch()
    (tree / "deep").mkdir(parents=True)
    link.symlink_to(outside)
    sweep(folder, r"\.(file|tree|link)")
    assert len(list(folder.iterdir())) == 5, "their maker lives"
    child.kill()
    child.wait()
    elsewhere = tmp_path / "link-to-folder"
    elsewhere.symlink_to(folder)
    sweep(elsewhere, r"\.(file|tree|link)")
    assert len(list(folder.iterdir())) == 5, "what a link leads to may be anybody's"
    sweep(folder, r"\.(file|tree|link)")
    assert {path.name for path in folder.iterdir()} == {other.name, mine.name}
    assert (outside / "precious").exists()
    sweep(tmp_path / "nowhere", r"\..*")


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "日" * 85])
def test_a_file_with_the_longest_name_there_is_can_be_replaced(tmp_path: Path, name: str) -> None:
    replace_file(tmp_path / name, lambda file: file.write(b"1"))
    assert [path.name for path in tmp_path.iterdir()] == [name]
