"""What a coordinator and a worker process say to each other: one JSON object a line, parsed here into its type."""

from __future__ import annotations

from typing import Annotated

import msgspec

from core.errors import RecordError
from core.records.events import RunNumber
from core.records.types import Name, Record, parse

LONGEST_WORD = 10_000
"""Characters of an error or a hint, at most."""
Word = Annotated[str, msgspec.Meta(max_length=LONGEST_WORD)]
LONGEST_LINE = 2**18
"""Bytes of a message, at most: an error and a hint fit, even with every character escaped."""
ENCODED = "--encoded"
"""A worker's first word where the others are percent-encoded."""


class Compute(Record, frozen=True, kw_only=True, tag_field="command", tag="compute"):
    """To a worker: compute this run and publish it, unless it has a valid result."""

    run: RunNumber


class _Answer(Record, frozen=True, kw_only=True, tag_field="answer"):
    """From a worker."""


class Ready(_Answer, frozen=True, kw_only=True, tag="ready"):
    """The worker has read the data, whose pooled images have this SHA-256."""

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


def to_marked_line(message: Answer, mark: str) -> bytes:
    """A message on a line of its own behind `mark`, for a channel on which other lines come as well."""
    return b"\n" + mark.encode() + to_line(message)


def parse_command(line: bytes) -> Compute:
    """The command in a line from the coordinator. Raises RecordError."""
    return parse(line, Compute, "a command")


def word(text: str) -> str:
    """A text cut to LONGEST_WORD characters, with an ellipsis where it was longer."""
    return text if len(text) <= LONGEST_WORD else f"{text[: LONGEST_WORD - 1]}\N{HORIZONTAL ELLIPSIS}"


def parse_answer(line: bytes) -> Answer:
    """The answer in a line from a worker. Raises RecordError for any other line, and one without its newline."""
    if not line.endswith(b"\n"):
        raise RecordError(f"a line without an end within {LONGEST_LINE:,} bytes")
    return parse(line, Answer, "an answer")  # type: ignore[arg-type]  # a union of types is one for msgspec
