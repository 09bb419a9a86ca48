"""Messages between a coordinator and its workers survive their line; a wrong one is no library's warning."""

from __future__ import annotations

import pytest

from core.engine.messages import (
    LONGEST_LINE,
    Answer,
    Completed,
    Compute,
    Ready,
    Refusal,
    RunFailure,
    parse_answer,
    parse_command,
    to_line,
    word,
)
from core.errors import RecordError


@pytest.mark.parametrize(
    "answer",
    [
        Ready(data_sha256="0" * 64),
        Completed(run=3),
        RunFailure(run=0, error="no\nroom", hint=""),
        Refusal(error="日本", hint="type"),
    ],
)
def test_an_answer_survives_its_line(answer: Answer) -> None:
    line = to_line(answer)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert parse_answer(line) == answer


def test_a_command_survives_its_line() -> None:
    assert parse_command(to_line(Compute(run=7))) == Compute(run=7)
    with pytest.raises(RecordError):
        parse_command(b'{"command":"compute","run":"7"}\n')


@pytest.mark.parametrize(
    "line",
    [
        b"UserWarning: a library prints",
        b"",
        b"\xff",
        b"{}",
        b"false",
        b"[1]",
        b"7",
        pytest.param(b"[" * 100_000, id="deep"),
        b'{"answer":"completed"}',
        b'{"answer":"completed","run":-1}',
        b'{"answer":"completed","run":true}',
        b'{"answer":"ready","data_sha256":7}',
        b'{"answer":"failed","run":0,"error":"x"}',
        b'{"answer":"thinking"}',
        b'{"answer":7}',
    ],
)
def test_what_is_no_answer_is_an_error(line: bytes) -> None:
    with pytest.raises(RecordError, match="an answer cannot be read"):
        parse_answer(line + b"\n")


def test_a_line_without_an_end_is_an_error() -> None:
    with pytest.raises(RecordError, match="without an end"):
        parse_answer(to_line(Completed(run=1))[:-1])


def test_the_longest_words_there_are_fit_into_a_message() -> None:
    long = word("\x00" * 10**6)
    answer = RunFailure(run=1, error=long, hint=long)
    assert len(to_line(answer)) < LONGEST_LINE
    assert parse_answer(to_line(answer)) == answer
    assert long.endswith("\N{HORIZONTAL ELLIPSIS}")
    assert word("short") == "short"
