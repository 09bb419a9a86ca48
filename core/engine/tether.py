"""Ends a worker on another machine when its coordinator is gone, as the lock of the experiment's folder tells."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from core.files.exit_status import ExitStatus
from core.records.lock import HEARTBEAT_SECONDS, LOOKS, Holding, Lock


def leave_with_the_lock(folder: Path) -> None:
    """From now on this process ends once the present holder of the experiment's lock no longer holds it."""
    lock = Lock(folder)

    def watch() -> None:
        wait_for_the_end(lock.holding, lambda: time.sleep(HEARTBEAT_SECONDS))
        sys.stderr.write(f"nobody holds the lock of {folder} who started this worker: it leaves\n")
        sys.stderr.flush()
        # The run at work is computed again by whoever resumes.
        os._exit(ExitStatus.INTERRUPTED)

    threading.Thread(target=watch, daemon=True).start()


def wait_for_the_end(look: Callable[[], Holding | None], pause: Callable[[], object]) -> None:
    """Return once the holder found at the first look was seen LOOKS times in a row not to hold the lock.

    look: see `Lock.holding`. pause: lets the time between two looks pass.
    """
    first: bytes | None = None
    gone = 0
    while gone < LOOKS:
        try:
            found = look()
        except OSError:
            pass  # a file server that is away tells nothing
        else:
            if first is None and found is not None:
                first = found.content
            holds = found is not None and found.content == first and found.life != "dead"
            gone = 0 if holds else gone + 1
        pause()
