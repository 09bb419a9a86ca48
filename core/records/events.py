"""The events of a journal: their kinds, their fields, and one line of text for each.

A line is one JSON object: `seq` (whole numbers from 1, a writer's own), `time` (seconds since 1970, UTC),
`v` (the schema version), `event` (its kind), and the fields of that kind.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

SCHEMA_VERSION = 1

KINDS: dict[str, frozenset[str]] = {
    # written by the coordinator
    "coordinator_started": frozenset({"host", "pid", "jobs", "pending"}),
    "worker_started": frozenset({"worker", "pid"}),
    "worker_lost": frozenset({"worker", "reason"}),
    "run_started": frozenset({"run", "worker", "attempt"}),
    "run_completed": frozenset({"run"}),
    "run_failed": frozenset({"run", "error", "hint", "retry"}),
    "statistics": frozenset({"runs", "summary", "tests"}),
    "notice": frozenset({"text"}),
    "finished": frozenset({"status"}),
    # written by a worker
    "environment": frozenset({"versions", "device", "threads", "cpu"}),
    "dataset": frozenset({"name", "sha256", "images", "shape", "classes", "test_size", "notices"}),
    "stage_started": frozenset({"run", "stage", "total"}),
    "progress": frozenset({"run", "stage", "done", "total"}),
    "epoch": frozenset({"run", "epoch", "epochs", "loss"}),
    "stage_finished": frozenset({"run", "stage", "seconds"}),
}
"""Every kind of event with the fields that it must have."""


class BrokenLine(ValueError):
    """A complete line that is no event; the message says why."""


@dataclass(frozen=True)
class Event:
    """One line of one journal. `writer` is the journal's file name without its suffix."""

    writer: str
    sequence: int
    time: float
    version: int
    kind: str
    fields: Mapping[str, object]

    def __getitem__(self, name: str) -> object:
        return self.fields[name]

    @property
    def order(self) -> tuple[int, float, str, int]:
        """The key by which the events of several writers are put in one order.

        Coordinators work one after another and number their sessions (0002-coordinator, 0002-worker-1): the
        clock, which may have been set back or be another host's, only orders the events within a session.
        """
        session = self.writer.partition("-")[0]
        return int(session) if session.isdecimal() else 0, self.time, self.writer, self.sequence


def encode(sequence: int, time: float, kind: str, fields: Mapping[str, object]) -> bytes:
    """One journal line with its newline.

    Raises ValueError for an unknown kind, a missing field, a field named like one of the line's own, NaN or
    Infinity; TypeError for what JSON cannot hold.
    """
    if kind not in KINDS:
        raise ValueError(f"event {kind!r}: unknown kind")
    if missing := KINDS[kind] - fields.keys():
        raise ValueError(f"event {kind!r}: missing {sorted(missing)}")
    line = {"seq": sequence, "time": time, "v": SCHEMA_VERSION, "event": kind}
    if reserved := line.keys() & fields.keys():
        raise ValueError(f"event {kind!r}: {sorted(reserved)} are the line's own")
    return json.dumps({**line, **fields}, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def decode(writer: str, line: bytes) -> Event:
    """The event in one complete line. Raises BrokenLine. Unknown kinds and fields are kept as they are."""
    try:
        record = _DECODER.decode(line.decode())
        take = record.pop
        sequence, time, version, kind = take("seq"), take("time"), take("v"), take("event")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise BrokenLine(f"not an event: {error}") from error
    if type(sequence) is not int or type(version) is not int or not isinstance(kind, str):
        raise BrokenLine("seq and v must be whole numbers, event a name")
    # Written so that NaN, which no comparison is true of, is refused with infinities and endless integers.
    if type(time) not in (int, float) or not abs(time) <= sys.float_info.max:
        raise BrokenLine("time must be a finite number")
    if not KINDS.get(kind, frozenset()) <= record.keys():
        missing = KINDS[kind] - record.keys()
        raise BrokenLine(f"{kind} without {', '.join(sorted(missing))}")
    return Event(writer, sequence, float(time), version, kind, record)


def _no_constant(name: str) -> NoReturn:
    """Python's JSON reader takes NaN and Infinity; JSON, and whatever is computed from them, does not."""
    raise ValueError(f"{name} is not JSON")


# One for all lines: `json.loads` would make a new one for each.
_DECODER = json.JSONDecoder(parse_constant=_no_constant)
