"""The journal of a computing process: where the disk is full events are lost, and computing goes on."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from core.records.events import Event
from core.records.journal import JournalWriter


class EventLog:
    """A new journal; an event that cannot be written is left out, since results lie in the runs' folders.

    Raises OSError where the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._journal = JournalWriter(path)

    def write(self, event: Event) -> bool:
        """Append an event; return whether it was written."""
        with suppress(OSError):
            self._journal.write(event)
            return True
        return False

    def close(self) -> None:
        """Bring what was written to the disk, as far as that is possible."""
        with suppress(OSError):
            self._journal.close()
