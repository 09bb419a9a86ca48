"""Messages between a coordinator and its workers survive their line; a wrong one is no library's warning."""

from __future__ import annotations

import pytest

from core.engine.messages import (
    Answer,
    Completed,
    Compute,
    Ready,
    Refusal,
    RunFailure,
    parse_answer,
    parse_command,
    to_line,
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
    "line", [b"UserWarning: a library prints\n", b"\n", b"\xff\n", b"{}\n", b"[1]\n", b"7\n", b"[" * 100_000]
)
def test_a_line_that_is_no_answer_is_none(line: bytes) -> None:
    assert parse_answer(line) is None


@pytest.mark.parametrize(
    "line",
    [
        b'{"answer":"completed"}',
        b'{"answer":"completed","run":-1}',
        b'{"answer":"completed","run":true}',
        b'{"answer":"ready","data_sha256":7}',
        b'{"answer":"failed","run":0,"error":"x"}',
        b'{"answer":"thinking"}',
        b'{"answer":7}',
    ],
)
def test_an_answer_of_a_wrong_shape_is_an_error(line: bytes) -> None:
    with pytest.raises(RecordError, match="an answer cannot be read"):
        parse_answer(line)
