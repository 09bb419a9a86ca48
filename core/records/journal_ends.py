"""What coordinators journaled last: how they ended, and their statistics. Read from the end: they are long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from core.errors import RecordError
from core.families.ladder import Ladder
from core.records.events import SCHEMA_VERSION as JOURNAL_VERSION
from core.records.events import CoordinatorStarted, Event, Finished, RunFailed, decode
from core.records.findings import Findings, findings_in
from core.records.status import is_turning_point
from core.records.tail import lines_from_the_end


@dataclass(frozen=True)
class JournalEnd:
    """How the coordinators of an experiment say that they ended.

    turning_point: the newest event by which the status is judged. failure: why the newest coordinator failed or
    refused, "" where it did neither.
    """

    turning_point: Event | None = None
    failure: str = ""


@dataclass(frozen=True)
class LastStatistics:
    """findings: of the newest statistics in the journals. newer: a later version wrote the newest journal."""

    findings: Findings | None = None
    newer: bool = False

    def over(self, runs: int) -> bool:
        """Whether they are over so many runs."""
        return runs == 0 or (self.findings is not None and self.findings.runs >= runs)


def read_end(journals: list[Path]) -> JournalEnd:
    """What the journals, the newest first, say last: the newest coordinator that wrote anything counts."""
    session = _last_session(journals)
    turning_point = next((event for event in session if is_turning_point(event)), None)
    reasons = [event.error for event in session if isinstance(event, Finished)]
    reasons += [
        f"a run failed: {event.error}"
        for event in session
        if isinstance(event, RunFailed) and not event.retry
    ]
    failure = next(filter(None, reasons), "")
    return JournalEnd(turning_point, failure)


def read_statistics(journals: list[Path], ladder: Ladder) -> LastStatistics:
    """What the journals, the newest first, say last of the numbers, and whether they are a later version's."""
    version: int | None = None
    for path in journals:
        for line in lines_from_the_end(path):
            if version is None and path is journals[0]:
                version = _version(line)  # one writer wrote them all: the last line that can be read says
            if (found := findings_in(line, ladder)) is not None:
                return LastStatistics(found, (version or 0) > JOURNAL_VERSION)
    return LastStatistics(None, (version or 0) > JOURNAL_VERSION)


def _last_session(journals: list[Path]) -> list[Event]:
    """How the newest coordinator that wrote any went, the last event first, its start at the end."""
    events: list[Event] = []
    for event in chain.from_iterable(map(_decisive_events, journals)):
        events.append(event)
        if isinstance(event, CoordinatorStarted):
            break
    return events


def _version(line: bytes) -> int | None:
    """The schema version of a journal's line, None where it cannot be read."""
    try:
        return decode(line).v
    except RecordError:
        return None


_DECISIVE = (Finished, RunFailed, CoordinatorStarted)
_MARKS = tuple(f'"{kind.__struct_config__.tag}"'.encode() for kind in _DECISIVE)


def _decisive_events(path: Path) -> Iterator[Event]:
    """The events that say how a computation ended, the last first; what cannot be read is passed over."""
    for line in lines_from_the_end(path):
        # Statistics are long, and most of a coordinator's journal: not parsed for nothing.
        if any(mark in line for mark in _MARKS):
            try:
                event = decode(line)
            except RecordError:
                continue
            if isinstance(event, _DECISIVE):
                yield event
