"""What a process that publishes says on standard error where a person's mistake stopped it."""

from __future__ import annotations

import json

from core.errors import AefitError, RecordError
from core.records.types import Record, parse


class Refusal(Record, frozen=True, kw_only=True):
    """The mistake, and what to do instead ("" for nothing)."""

    error: str
    hint: str


def refusal_line(error: AefitError) -> str:
    """A refusal as one line of JSON, in ASCII: standard error may have any encoding."""
    texts = {"error": str(error), "hint": error.hint}
    # A path may have bytes that are no text.
    return json.dumps({name: text.encode(errors="replace").decode() for name, text in texts.items()}) + "\n"


def refusal_in(text: str) -> Refusal | None:
    """The refusal in the last line of what a process wrote; None where there is none."""
    *_, last = text.splitlines() or [""]
    try:
        return parse(last.encode(errors="replace"), Refusal, "a refusal")
    except RecordError:
        return None
