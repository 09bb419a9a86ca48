"""TOML that anybody may have written: whatever it holds is read or refused, at once and in words."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from core.files.toml import DEEPEST, LARGEST, MOST_PARTS, parse_toml, read_toml

VALUES = st.recursive(
    st.text(st.characters(codec="utf-8"))
    | st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.\"' ", min_size=1), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=30)
@given(st.dictionaries(st.text("abc", min_size=1), VALUES))
def test_what_is_within_bounds_is_what_the_parser_says(table: dict[str, object]) -> None:
    text = tomli_w.dumps(table)
    assert parse_toml(text) == tomllib.loads(text)


def nested(levels: int) -> str:
    return "a = " + "[" * (levels - 1) + "]" * (levels - 1)


def test_depth_is_bounded() -> None:
    assert parse_toml(nested(DEEPEST))
    for levels in (DEEPEST + 1, 300, 3000):
        with pytest.raises(ValueError, match=f"nested deeper than {DEEPEST}"):
            parse_toml(nested(levels))
    with pytest.raises(ValueError, match="nested deeper"):
        parse_toml("[" + ".".join("a" * (DEEPEST + 1)) + "]")


@pytest.mark.parametrize("number", ["0x" + "f" * 4000, str(2**64), str(-(2**65)), "0b" + "1" * 20_000])
def test_a_number_that_no_machine_holds_is_refused(number: str) -> None:
    for text in (f"runs = {number}", f"a = [{{b = {number}}}]"):
        with pytest.raises(ValueError, match="more than 64 bits"):
            parse_toml(text)


@pytest.mark.parametrize("text", ["a = [[[", "a", "= 1", "a = 1\na = 2", "a = " + "9" * 5000, "\x00"])
def test_what_is_no_toml_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_toml(text)


@pytest.mark.parametrize("part", ["a", '"a b"', "'a'"])
@pytest.mark.parametrize("around", ["{} = 1", "[{}]", "a = {{ {} = 1 }}", "x = 1\n  {} = 1"])
def test_a_key_that_the_parser_would_take_minutes_for_is_refused_at_once(part: str, around: str) -> None:
    with pytest.raises(ValueError, match=f"more than {MOST_PARTS} parts"):
        parse_toml(around.format(" . ".join([part] * 30_000)))


def test_words_with_dots_are_a_text_like_any_other() -> None:
    text = ".".join("a" * 200)
    assert parse_toml(f'notes = "{text}"') == {"notes": text}


def test_only_a_plain_file_of_a_fitting_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_bytes(b"a = 1\n")
    assert read_toml(path) == {"a": 1}
    path.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(OSError, match="more than"):
        read_toml(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a plain file"):
        read_toml(path)
    path.unlink()
    path.write_bytes(b"a = '\xff'")
    with pytest.raises(ValueError, match="utf-8"):
        read_toml(path)
