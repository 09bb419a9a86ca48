"""Takes the lock of a folder, beats for it in a thread while its holder works, and tidies up at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from core.errors import ExperimentError
from core.records.lock import HEARTBEAT_SECONDS, Lock
from core.records.stopping import cancel_requested


@contextmanager
def heartbeat(lock: Lock, seconds: float = HEARTBEAT_SECONDS) -> Iterator[Callable[[], bool]]:
    """Within the block a thread beats every `seconds` for a lock that is held.

    Gives a function that says whether the lock was lost: somebody took its holder for dead and took it over, or
    removed it.
    """
    over, lost = threading.Event(), threading.Event()

    def beat() -> None:
        while not over.wait(seconds):
            try:
                lock.beat()
            except ExperimentError:
                lost.set()
                return
            except OSError:
                continue  # a full disk or a file server that is away: the next beat may get through

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield lost.is_set
    finally:
        over.set()
        thread.join()


class Lockable(Protocol):
    """An experiment or a study: a folder with a lock, in which one main program at a time works."""

    @property
    def folder(self) -> Path:
        """The folder that the lock is of."""

    @property
    def cancel_file(self) -> Path:
        """The file whose presence is a request to stop."""

    @property
    def running(self) -> bool:
        """Whether somebody alive holds the lock, as far as one look tells. Raises OSError."""

    def clear_cancel(self) -> None:
        """Remove the request to stop. Raises OSError."""

    def clear_leftovers(self) -> None:
        """Remove what killed processes left half written; only the holder of the lock may call it."""


@contextmanager
def working_in(record: Lockable, stops: Callable[[], bool]) -> Iterator[tuple[Lock, Callable[[], bool]]]:
    """Within the block the record's lock is held and beaten for; gives the lock, and what `heartbeat` gives.

    stops: see `give_up` of `Lock`. First removes what an earlier holder that died left: half-written files, and a
    request to stop; at the end removes a request to stop that was made to us. Raises LockHeld, OSError.
    """
    left = cancel_requested(record.cancel_file)
    if left and not record.running:  # a later one is meant for us
        record.clear_cancel()
        left = False
    with Lock(record.folder, give_up=stops) as lock, heartbeat(lock) as lost:
        if left and lock.taken_from is not None:  # the request was to a holder not yet known to be dead
            record.clear_cancel()
        record.clear_leftovers()
        yield lock, lost
        with suppress(OSError):  # what is done is done, whatever the disk does now
            if lock.held:  # else a request to stop is meant for whoever has taken over
                record.clear_cancel()
