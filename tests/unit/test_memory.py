"""What the lab remembers comes back as it was, and a home that does not help costs the memory and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_aefit.lab.form import FIELDS
from tui_aefit.lab.preferences import FILE, Memory, recall, remember

MEMORIES = st.builds(
    Memory,
    words=st.dictionaries(st.sampled_from(FIELDS), st.text()),
    theme=st.text(),
    bell=st.booleans(),
)


@given(MEMORIES)
@settings(deadline=None, max_examples=30)
def test_what_is_remembered_is_recalled(memory: Memory) -> None:
    with TemporaryDirectory() as folder:
        home = Path(folder) / "not" / "made yet"
        assert remember(home, memory)
        assert recall(home) == memory


def test_an_empty_home_holds_no_memory(tmp_path: Path) -> None:
    assert recall(tmp_path) == Memory({}, "", True)


@pytest.mark.parametrize(
    "content",
    [b"", b'{"words": {', b"null", b"[]", b"{}", b'{"words": 3, "theme": "", "bell": true}',
     b"\xff\xfe", b"[" * 100_000, b'{"words": {}, "theme": ""}'],
)  # fmt: skip
def test_a_broken_memory_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert recall(tmp_path) == Memory()
    assert remember(tmp_path, Memory(bell=False))
    assert recall(tmp_path) == Memory(bell=False)


def test_of_another_versions_memory_the_known_part_is_recalled(tmp_path: Path) -> None:
    words = {"epsilon": "0.2", "z": 7, "a later field": "x"}
    (tmp_path / FILE).write_text(json.dumps({"words": words, "theme": 3, "bell": False, "later": 1}))
    assert recall(tmp_path) == Memory({"epsilon": "0.2"}, "", False)


def test_a_home_that_cannot_be_written_is_told_and_nothing_is_raised(tmp_path: Path) -> None:
    (home := tmp_path / "home").write_text("a file in its place")
    assert not remember(home, Memory(theme="nord"))
    assert not remember(home / "below", Memory(theme="nord"))
    assert recall(home) == Memory()


def test_a_memory_that_is_a_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert not remember(tmp_path, Memory(theme="nord"))
    assert recall(tmp_path) == Memory()
    assert (tmp_path / FILE).is_dir()
