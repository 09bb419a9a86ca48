"""Proof of life for as long as a lock is held, whatever its holder is doing in the meantime."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import ExperimentError
from core.records.lock import HEARTBEAT_SECONDS, Lock


@contextmanager
def heartbeat(lock: Lock, seconds: float = HEARTBEAT_SECONDS) -> Iterator[Callable[[], bool]]:
    """Within the block a thread beats every `seconds` for a lock that is held.

    Gives a function that says whether the lock was lost: somebody took its holder for dead and has taken over, or
    has removed it.
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
