"""A person's words about an experiment come back as they were written, and are never lost to a broken file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.errors import ExperimentError
from core.records.annotations import (
    ANNOTATIONS_FILE,
    Annotations,
    label,
    note,
    read_annotations,
    tags,
    write_annotations,
)
from core.records.experiment import load
from core.records.home import create
from core.spec.spec import Spec

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@example(label="täglich 日本語 🙂", tags=['quote " and \\', "], #"], notes='"""\r\n\x00\t\n= [x]\n\n')
@given(label=ANY_TEXT, tags=st.lists(ANY_TEXT, max_size=4), notes=ANY_TEXT)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_what_is_written_is_read_again(tmp_path: Path, label: str, tags: list[str], notes: str) -> None:
    given_words = Annotations(label, tuple(tags), notes)
    assert given_words.notes == notes
    write_annotations(tmp_path, given_words)
    assert read_annotations(tmp_path) == (given_words, "")
    # The file itself, by the reader of the standard library.
    stored = tomllib.loads((tmp_path / ANNOTATIONS_FILE).read_bytes().decode())
    assert stored == {"label": given_words.label, "tags": list(given_words.tags), "notes": notes}
    assert [path.name for path in tmp_path.iterdir()] == [ANNOTATIONS_FILE]


def test_a_label_and_a_tag_are_one_line_without_control_characters() -> None:
    words = Annotations(label=" two\nlines\x1b[31m\u2028three\x9b ", tags=(" a\tb ", "", "\n", "a b", "c"))
    assert words.label == "two lines [31m three"
    assert words.tags == ("a b", "c")


def test_half_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    write_annotations(tmp_path, Annotations("a\ud800", ("\udcff",), "b\udfff"))
    assert read_annotations(tmp_path) == (Annotations("a?", ("?",), "b?"), "")


def test_no_file_says_nothing(tmp_path: Path) -> None:
    assert read_annotations(tmp_path) == (Annotations(), "")


@pytest.mark.parametrize(
    "content",
    [
        b"label = ",
        b"\xff\xfe",
        b'label = "a"\nlabel = "b"',
        b"a = " + b"[" * 5000,
        b"\x00",
        b"n = " + b"1" * 5000,
    ],
    ids=["cut", "not utf-8", "twice", "nested", "nul", "endless number"],
)
def test_a_broken_file_is_told_of_and_not_overwritten(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ANNOTATIONS_FILE).write_bytes(content)
    found, problem = read_annotations(tmp_path)
    assert found == Annotations()
    assert problem.startswith("annotations.toml cannot be read: ")
    with pytest.raises(ExperimentError) as raised:
        write_annotations(tmp_path, Annotations("new"))
    assert "mend or remove" in raised.value.hint
    assert (tmp_path / ANNOTATIONS_FILE).read_bytes() == content


def test_a_value_of_a_wrong_type_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / ANNOTATIONS_FILE).write_text('label = 3\ntags = ["a", 1]\nnotes = "kept"')
    found, problem = read_annotations(tmp_path)
    assert found == Annotations(notes="kept")
    assert problem == "annotations.toml: label must be text, tags must be a list of texts"


@pytest.mark.parametrize("value", ["1979-05-27", '["a"]', "{}", "true"])
def test_what_is_no_text_is_no_note(tmp_path: Path, value: str) -> None:
    (tmp_path / ANNOTATIONS_FILE).write_text(f'label = "kept"\nnotes = {value}')
    assert read_annotations(tmp_path) == (Annotations("kept"), "annotations.toml: notes must be text")


def test_keys_of_other_versions_are_kept(tmp_path: Path) -> None:
    (tmp_path / ANNOTATIONS_FILE).write_text('label = "old"\nstars = 5\n[colours]\nlabel = "red"\n')
    write_annotations(tmp_path, Annotations("new"))
    stored = tomllib.loads((tmp_path / ANNOTATIONS_FILE).read_text())
    assert stored == {"label": "new", "tags": [], "notes": "", "stars": 5, "colours": {"label": "red"}}


def test_a_folder_in_the_files_place_is_told_of(tmp_path: Path) -> None:
    (tmp_path / ANNOTATIONS_FILE).mkdir()
    assert read_annotations(tmp_path)[1].startswith("annotations.toml cannot be read")


def test_a_folder_that_is_gone_cannot_be_annotated(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="cannot write"):
        write_annotations(tmp_path / "gone", Annotations("x"))


def test_annotations_change_nothing_of_the_spec(tmp_path: Path) -> None:
    experiment, _ = create(tmp_path, Spec(dataset="digits"))
    before = (experiment.folder / "spec.toml").read_bytes()
    write_annotations(experiment.folder, Annotations("mine", ("a",), "b"))
    assert (experiment.folder / "spec.toml").read_bytes() == before
    assert load(experiment.folder) == experiment


class TestChanges:
    def test_each_leaves_the_others_words_alone(self, tmp_path: Path) -> None:
        assert label(tmp_path, " a\nb ") == Annotations("a b")
        assert tags(tmp_path, add=["fig5", "old"]) == Annotations("a b", ("fig5", "old"))
        assert note(tmp_path, "two\nlines") == Annotations("a b", ("fig5", "old"), "two\nlines")
        assert label(tmp_path, "") == Annotations("", ("fig5", "old"), "two\nlines")
        assert read_annotations(tmp_path) == (Annotations("", ("fig5", "old"), "two\nlines"), "")

    def test_tags_are_added_at_the_end_and_taken_away_by_name(self, tmp_path: Path) -> None:
        tags(tmp_path, add=["a", "b", "c"])
        assert tags(tmp_path, add=["b", "d"], remove=["a", "not there"]).tags == ("b", "c", "d")
        assert tags(tmp_path, remove=["c"]).tags == ("b", "d")

    @pytest.mark.parametrize(
        "change", [lambda f: label(f, "x"), lambda f: tags(f, add=["x"]), lambda f: note(f, "x")]
    )
    def test_a_broken_file_is_not_written_over(
        self, tmp_path: Path, change: Callable[[Path], Annotations]
    ) -> None:
        (tmp_path / ANNOTATIONS_FILE).write_text("label =")
        with pytest.raises(ExperimentError, match="cannot be read"):
            change(tmp_path)
        assert (tmp_path / ANNOTATIONS_FILE).read_text() == "label ="
