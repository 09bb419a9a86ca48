"""Journals: a file that one process appends to and any number of others follow."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import RecordError
from core.files.folders import make_folder
from core.files.reading import open_plain
from core.records.events import SCHEMA_VERSION, Event, Unknown, decode, encode

LONGEST_LINE = 2**24
"""Bytes of a line, at most: the longest, statistics, have some hundred thousand."""
BUFFER = 2**18
"""Bytes of a journal that are read at a time: large, since each read may let another thread run first."""


class JournalWriter:
    """Appends events to one new file, which no other process writes to; safe to share between threads.

    Each event is one `write` of one whole line, so a reader sees it whole or, for a moment, cut off at its end.
    Raises FileExistsError where the file exists, FileNotFoundError where the experiment is gone, whose folder is
    not made again, another OSError where the journals' folder is a link.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        make_folder(path.parent)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        self._clock = clock
        self._sequence = 0
        self._last = 0.0
        self._torn = False
        self._lock = threading.Lock()

    def write(self, event: Event) -> None:
        """Append one event, its sequence number and time filled in. Raises ValueError for NaN or Infinity.

        Raises OSError where the disk is full or gone; later events can be written once it is back.
        """
        with self._lock:
            # A clock set back must not put a later event before an earlier one.
            now = max(self._clock(), self._last)
            line = encode(event, seq=self._sequence + 1, time=now)
            self._sequence, self._last = self._sequence + 1, now
            # After a write that failed halfway (a full disk) the next event begins on a line of its own.
            line = b"\n" + line if self._torn else line
            self._torn = True
            while line:
                line = line[os.write(self._file, line) :]
            self._torn = False

    def close(self) -> None:
        """Sync the file to the disk and close it. Raises OSError where the sync fails."""
        try:
            os.fsync(self._file)
        finally:
            os.close(self._file)


@dataclass(frozen=True)
class Problem:
    """A line that could not be read and was skipped. writer: the journal's name. offset: of the line, in bytes."""

    writer: str
    offset: int
    reason: str


class JournalReader:
    """Reads every journal of a folder from the beginning, then what was added since.

    Reading never raises for what a file holds: a cut-off last line is not there yet, a broken line is put into
    `problems`, a folder that does not exist yet has no events. `newer` is true once a line of a newer schema
    version was met (it is read as far as this version understands it).

    newest_only: decode only the last of progress lines that follow each other in one journal, and the last of all
    statistics that were added to it since the last look. They supersede the earlier ones, most of a long journal.
    """

    def __init__(self, folder: Path, *, newest_only: bool = False) -> None:
        self._folder = folder
        self._newest_only = newest_only
        self._offsets: dict[str, int] = {}
        self.problems: list[Problem] = []
        self.newer = False

    def poll(self) -> list[Event]:
        """The events that all journals gained since the last call, merged in order of session, then of time.

        Coordinators work one after another and number their sessions (0002-coordinator, 0002-worker-1): the
        clock, which may have been set back or be another host's, only orders the events within a session.
        """
        try:
            # Workers before their coordinator: a run's first stage must not be read before the run's start,
            # which may be written while this goes on.
            paths = sorted(self._folder.glob("*.jsonl"), reverse=True)
        except OSError as error:
            # The folder is deleted at this moment, or its file server has lost it.
            self._report(Problem("", 0, f"{self._folder} cannot be listed: {error.strerror}"))
            return []
        found: list[tuple[tuple[int, float, str, int], Event]] = []
        for path in paths:
            session = session_of(path)
            found += [((session, event.time, path.stem, event.seq), event) for event in self._read_on(path)]
        return [event for _, event in sorted(found, key=lambda one: one[0])]

    def _read_on(self, path: Path) -> list[Event]:
        writer, offset = path.stem, self._offsets.get(path.stem, 0)
        events: list[Event] = []
        problems: list[Problem] = []

        def take(place: int, line: bytes) -> None:
            try:
                event = decode(line)
            except RecordError as error:
                problems.append(Problem(writer, place, str(error)))
                return
            self.newer = self.newer or event.v > SCHEMA_VERSION
            if not isinstance(event, Unknown):
                events.append(event)

        superseded = _SUPERSEDED if self._newest_only else ()
        held: dict[bytes, tuple[int, bytes]] = {}
        try:
            with open_plain(path, buffering=BUFFER) as file:
                file.seek(offset)
                while line := file.readline(LONGEST_LINE):
                    if not line.endswith(b"\n"):
                        if len(line) < LONGEST_LINE or not (length := _rest_of_line(file)):
                            break
                        problems.append(
                            Problem(writer, offset, f"a line of more than {LONGEST_LINE:,} bytes")
                        )
                        offset += LONGEST_LINE + length
                        continue
                    place, offset = offset, offset + len(line)
                    for kind in superseded:
                        if kind in line:
                            held[kind] = place, line
                            break
                    else:
                        if _PROGRESS in held:
                            take(*held.pop(_PROGRESS))
                        take(place, line)
        except OSError as error:
            # The next call reads from the former offset again.
            self._report(Problem(writer, offset, f"cannot be read: {error.strerror}"))
            return []
        for last in held.values():
            take(*last)
        self._offsets[writer] = offset
        self.problems += problems
        return events

    def _report(self, problem: Problem) -> None:
        """Note a problem, unless it is noted already: every look meets it again."""
        if problem not in self.problems:
            self.problems.append(problem)


def _rest_of_line(file: BinaryIO) -> int:
    """Read to the end of a line that is too long; how many bytes that were, 0 where its end is not written yet."""
    length = 0
    while part := file.readline(BUFFER):
        length += len(part)
        if part.endswith(b"\n"):
            return length
    return 0


_PROGRESS = b'"event":"progress"'
_SUPERSEDED = (_PROGRESS, b'"event":"statistics"')
# A quotation mark within a text is escaped: these bytes stand nowhere but at an event's kind.


def session_of(path: Path) -> int:
    """The number, from 1, of the coordinator that a journal belongs to: 2 of 0002-worker-1.jsonl; 0 for none."""
    session = path.stem.partition("-")[0]
    return int(session) if session.isascii() and session.isdecimal() and len(session) < 10 else 0


def read_all(folder: Path) -> list[Event]:
    """Every event that a folder's journals hold now, in order."""
    return JournalReader(folder).poll()
