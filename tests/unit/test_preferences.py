"""Preferences come back as they were, and a home that does not help costs them and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.spec.settings import COMMON
from tui_aefit.lab.preferences import FILE, Preferences, load_preferences, save_preferences

PREFERENCES = st.builds(
    Preferences,
    words=st.dictionaries(st.sampled_from([*COMMON, "z", "search", "jobs", "threads"]), st.text()),
    theme=st.text(),
    bell=st.booleans(),
)


@given(PREFERENCES)
@settings(max_examples=30)
def test_what_is_saved_is_loaded(preferences: Preferences) -> None:
    # Whichever classifier the words name, these are of every one that is known.
    preferences = Preferences(
        words={name: word for name, word in preferences.words.items() if name != "family"},
        theme=preferences.theme,
        bell=preferences.bell,
    )
    with TemporaryDirectory() as folder:
        home = Path(folder) / "not" / "made yet"
        assert save_preferences(home, preferences)
        assert load_preferences(home) == preferences


def test_an_empty_home_holds_no_preferences(tmp_path: Path) -> None:
    assert load_preferences(tmp_path) == Preferences(words={}, theme="", bell=True)


@pytest.mark.parametrize(
    "content",
    [b"", b'{"words": {', b"null", b"[]", b'{"words": 3, "theme": "", "bell": true}', b'{"words": {"z": 7}}',
     b'{"theme": 3}', b"\xff\xfe", b"[" * 100_000],
)  # fmt: skip
def test_broken_preferences_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert load_preferences(tmp_path) == Preferences()
    assert save_preferences(tmp_path, Preferences(bell=False))
    assert load_preferences(tmp_path) == Preferences(bell=False)


def test_of_another_versions_preferences_the_known_part_is_loaded(tmp_path: Path) -> None:
    words = {"epsilon": "0.2", "a later field": "x", "strength": "of a plug-in that is gone"}
    (tmp_path / FILE).write_text(json.dumps({"words": words, "bell": False, "later": 1}))
    assert load_preferences(tmp_path) == Preferences(words={"epsilon": "0.2"}, bell=False)


def test_the_options_of_the_attack_that_was_chosen_are_kept(tmp_path: Path) -> None:
    words = {"attack": "pgd", "steps": "5"}
    assert save_preferences(tmp_path, Preferences(words=words))
    assert load_preferences(tmp_path).words == words


def test_a_home_that_cannot_be_written_is_told_and_nothing_is_raised(tmp_path: Path) -> None:
    (home := tmp_path / "home").write_text("a file in its place")
    assert not save_preferences(home, Preferences(theme="nord"))
    assert not save_preferences(home / "below", Preferences(theme="nord"))
    assert load_preferences(home) == Preferences()


def test_a_word_that_is_no_unicode_is_not_kept_and_nothing_is_raised(tmp_path: Path) -> None:
    assert not save_preferences(tmp_path, Preferences(words={"dataset": "/moths\udcff"}))
    assert load_preferences(tmp_path) == Preferences()


def test_preferences_that_are_a_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert not save_preferences(tmp_path, Preferences(theme="nord"))
    assert load_preferences(tmp_path) == Preferences()
    assert (tmp_path / FILE).is_dir()
