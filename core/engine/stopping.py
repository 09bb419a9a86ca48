"""What makes a coordinator stop: a signal, the end of the process that started it, a cancel file, a lost lock."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from core.records.stopping import cancel_requested

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Stop = Literal["cancelled", "interrupted"]
"""How the work ends. cancelled: a person wants no more of it; interrupted: it may go on another time."""


class ProcessStops:
    """Says, when it is called, whether this process was asked to stop in a way that it watches for."""

    def __init__(self) -> None:
        # A list: an Event's lock would deadlock where one signal's handler interrupts another's.
        self._reasons: list[object] = []

    def __call__(self) -> bool:
        """Whether a stop was asked for."""
        return bool(self._reasons)

    def watch_signals(self) -> None:
        """From now on SIGINT, SIGTERM and SIGHUP ask for a stop; one that is ignored (nohup) stays ignored."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda number, frame: self._reasons.append(number))

    def watch_parent(self, wait: Callable[[], object] | None = None) -> None:
        """From now on the end of standard input asks for a stop: the process that holds its other end is gone.

        wait: returns when that process is gone; by default it reads standard input to its end.
        """

        def watch() -> None:
            (wait or sys.stdin.read)()
            self._reasons.append("parent")

        threading.Thread(target=watch, daemon=True).start()


def stop_requested(
    cancel_file: Path, process_stopped: Callable[[], bool], lock_lost: Callable[[], bool]
) -> Callable[[], Stop | None]:
    """A function that returns how to end, or None to go on."""

    def look() -> Stop | None:
        if cancel_requested(cancel_file):
            return "cancelled"
        return "interrupted" if process_stopped() or lock_lost() else None

    return look
