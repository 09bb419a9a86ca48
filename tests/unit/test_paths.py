"""A path is completed by what lies where it leads so far."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_aefit.lab.widgets.setup.paths import PathSuggester, completions

SUFFIXES = (".npz", ".zip")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("images", "imports", ".hidden"):
        (tmp_path / name).mkdir()
    for name in ("im.npz", "IM2.ZIP", "im.txt", ".im.npz"):
        (tmp_path / name).touch()
    return tmp_path


def test_folders_and_files_of_these_suffixes_complete_it(folder: Path) -> None:
    assert completions(f"{folder}/im", SUFFIXES) == [
        f"{folder}/{name}" for name in ("im.npz", "images/", "imports/")
    ]
    assert completions(f"{folder}/im", ()) == [f"{folder}/{name}" for name in ("images/", "imports/")]
    assert completions(f"{folder}/IM", SUFFIXES) == [f"{folder}/IM2.ZIP"]


def test_hidden_ones_are_listed_only_where_they_are_meant(folder: Path) -> None:
    assert not any("/." in path for path in completions(f"{folder}/", SUFFIXES))
    assert completions(f"{folder}/.", SUFFIXES) == [f"{folder}/.hidden/", f"{folder}/.im.npz"]


def test_it_stays_as_it_was_typed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    assert completions("ima", SUFFIXES) == ["images/"]
    assert completions("./ima", SUFFIXES) == ["./images/"]
    assert completions("~/ima", SUFFIXES) == ["~/images/"]


@pytest.mark.parametrize("text", ["", "/no/such/folder/x", "a\0/b", "~nobody-of-that-name/x"])
def test_where_nothing_can_be_listed_there_are_none(text: str) -> None:
    assert completions(text, SUFFIXES) == []


async def test_the_first_that_says_more_is_suggested(folder: Path) -> None:
    suggester = PathSuggester(SUFFIXES)
    assert await suggester.get_suggestion(f"{folder}/im") == f"{folder}/im.npz"
    assert await suggester.get_suggestion(f"{folder}/im.npz") is None
    assert suggester.suggested == (f"{folder}/im.npz", None)
