"""The journal of a process that computes: a full disk costs it some events, not hours of computing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from core.records.events import Event
from core.records.journal import JournalWriter


class EventLog:
    """A new journal whose writer goes on where an event cannot be written.

    What must not be lost, the results, is in the runs' folders. Raises OSError where the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._journal = JournalWriter(path)

    def write(self, event: Event) -> bool:
        """Append an event; whether it is there."""
        with suppress(OSError):
            self._journal.write(event)
            return True
        return False

    def close(self) -> None:
        """Bring what was written to the disk, as far as that is possible."""
        with suppress(OSError):
            self._journal.close()
