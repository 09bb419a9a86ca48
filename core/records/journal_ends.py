"""How coordinators ended and their last statistics, read from the ends of their journals, which are long."""

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
    """How the newest coordinator of an experiment ended, as its journal says.

    turning_point: the newest event for which `is_turning_point` holds. failure: why that coordinator, or a run,
    failed or was refused; "" where nothing did.
    """

    turning_point: Event | None = None
    failure: str = ""


@dataclass(frozen=True)
class LastStatistics:
    """findings: of the newest statistics in the journals. newer: a later version wrote the newest journal."""

    findings: Findings | None = None
    newer: bool = False

    def over(self, runs: int) -> bool:
        """Whether the statistics are over at least so many runs; True for 0, which need none."""
        return runs == 0 or (self.findings is not None and self.findings.runs >= runs)


def read_end(journals: list[Path]) -> JournalEnd:
    """The end of the newest coordinator that wrote anything decisive. journals: the newest first."""
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
    """The newest statistics of that ladder, and whether a later version wrote the newest journal.

    journals: the newest first.
    """
    version: int | None = None
    for path in journals:
        for line in lines_from_the_end(path):
            if version is None and path is journals[0]:
                version = _version(line)  # of the last line that can be read: one writer wrote all of them
            if (found := findings_in(line, ladder)) is not None:
                return LastStatistics(found, (version or 0) > JOURNAL_VERSION)
    return LastStatistics(None, (version or 0) > JOURNAL_VERSION)


def _last_session(journals: list[Path]) -> list[Event]:
    """The decisive events of the newest coordinator that wrote any, the last first, its start at the end."""
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
    """The _DECISIVE events of a journal, the last first; lines that cannot be read are skipped."""
    for line in lines_from_the_end(path):
        # Statistics are long, and most of a coordinator's journal: not parsed for nothing.
        if any(mark in line for mark in _MARKS):
            try:
                event = decode(line)
            except RecordError:
                continue
            if isinstance(event, _DECISIVE):
                yield event
