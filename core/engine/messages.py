"""What a coordinator and a worker process say to each other: one JSON object a line, parsed here into its type."""

from __future__ import annotations

from typing import Annotated

import msgspec

from core.errors import RecordError
from core.records.events import RunNumber
from core.records.types import Name, Record, parse

Word = Annotated[str, msgspec.Meta(max_length=1_000_000)]


class Compute(Record, frozen=True, kw_only=True, tag_field="command", tag="compute"):
    """To a worker: compute this run, unless its valid result is there, and publish it."""

    run: RunNumber


class _Answer(Record, frozen=True, kw_only=True, tag_field="answer"):
    """From a worker."""


class Ready(_Answer, frozen=True, kw_only=True, tag="ready"):
    """It has read the data, whose pooled images have this SHA-256."""

    data_sha256: Name


class Completed(_Answer, frozen=True, kw_only=True, tag="completed"):
    """The run's result is published."""

    run: RunNumber


class RunFailure(_Answer, frozen=True, kw_only=True, tag="failed"):
    """The run cannot be computed. hint: what to do about it, may be empty."""

    run: RunNumber
    error: Word
    hint: Word


class Refusal(_Answer, frozen=True, kw_only=True, tag="refused"):
    """No run can be computed."""

    error: Word
    hint: Word


Answer = Ready | Completed | RunFailure | Refusal


def to_line(message: Compute | Answer) -> bytes:
    """A message with its newline."""
    return msgspec.json.encode(message) + b"\n"


def parse_command(line: bytes) -> Compute:
    """What a coordinator wants. Raises RecordError."""
    return parse(line, Compute, "a command")


def parse_answer(line: bytes) -> Answer | None:
    """What a worker answers; None for a line that is no answer at all, such as a library's warning.

    Raises RecordError for an answer of a wrong shape.
    """
    try:
        parse(line, _Labelled, "a line")
    except RecordError:
        return None
    return parse(line, Answer, "an answer")  # type: ignore[arg-type]  # a union of types is one for msgspec


class _Labelled(Record, frozen=True, kw_only=True):
    """What every answer has, whatever else is wrong with it."""

    answer: msgspec.Raw
