"""What anybody named or wrote is shown by a terminal, not obeyed; commands to copy are the words that they were."""

from __future__ import annotations

import shlex
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.declarations.printable import printable, printable_lines, printable_text, shell_word
from core.report.tables.csv_text import csv_text

HOSTILE = "\x1b]0;owned\x07\x9b2J\u202egnp\u2066.\ud800\x7f"
texts = st.text(st.characters(exclude_characters="\0"))
"""With halves of surrogate pairs and all control characters, as the name of a file may be decoded to."""


def obeyed(text: str, allowed: str = "") -> set[str]:
    """The characters of a text that a terminal would obey, or be misled by; an independent list of them."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in allowed}


@given(texts)
def test_no_text_reaches_a_terminal_that_it_would_obey(text: str) -> None:
    assert not obeyed(printable(text))
    assert not obeyed(printable_lines(text), "\n")
    assert not obeyed(printable_text(text), "\n\t")


@given(st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" \n\t")))
def test_a_text_without_such_characters_stays_as_it_is(text: str) -> None:
    assert printable_text(text) == text


def test_every_mark_stands_in_the_place_of_one_character() -> None:
    assert printable("a\x1b[31mb") == "a\ufffd[31mb"
    assert printable_text("a\tb\n\u202ec") == "a\tb\n\ufffdc"


@given(st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" ")))
def test_a_printable_word_is_quoted_as_ever(text: str) -> None:
    assert shell_word(text) == shlex.quote(text)


def test_a_shell_takes_any_word_for_what_it_was() -> None:
    words = [
        "it's",
        "$(touch owned);`id`",
        "\x1b]0;owned\x07",
        "'\x1b\\'",
        "ü\u202e",
        "a\nb",
        "\udcff",
        "-x",
        "ab\x1bcafe",
    ]
    line = f"printf '%s\\0' {' '.join(map(shell_word, words))}"
    assert not obeyed(line)
    said = subprocess.run(["bash", "-c", line], capture_output=True, check=True).stdout
    assert said.split(b"\0")[:-1] == [word.encode("utf-8", "surrogateescape") for word in words]


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "=HYPERLINK(1)", "-cmd"])
def test_a_cell_that_a_spreadsheet_would_run_is_text(cell: str) -> None:
    assert csv_text(["name"], [[cell]]) == f"name\n'{cell}\n"


@pytest.mark.parametrize("cell", ["-1", "-0.5", "+2e-3", "fgsm", "a=b", 3, -0.25, None, ""])
def test_numbers_and_names_are_cells_as_they_are(cell: object) -> None:
    shown = "" if cell is None else cell
    assert csv_text(["name", "value"], [[cell, 1]]) == f"name,value\n{shown},1\n"


def test_no_cell_is_obeyed_by_a_terminal() -> None:
    assert not obeyed(csv_text([HOSTILE], [[HOSTILE]]), "\n")
