"""Follows the computation of an experiment in a shell until it ends."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from core.records.events import CoordinatorStarted, Event
from core.records.journal import JournalReader
from tui_aefit.shell.narration import Narrator

LOOK_SECONDS = 0.1


class Stopped(Exception):
    """The person, or the system, asked this process to stop."""


@contextmanager
def stop_signals() -> Iterator[None]:
    """Within the block, the first of SIGINT, SIGTERM and SIGHUP raises Stopped; further ones have no effect.

    A signal that is ignored already (nohup, a background job) stays ignored.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        raise Stopped

    numbers = [
        n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN
    ]
    former = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def from_last_start(reader: JournalReader) -> list[Event]:
    """The events in the journals since the last coordinator began; the reader has read them then."""
    events = reader.poll()
    starts = [position for position, event in enumerate(events) if isinstance(event, CoordinatorStarted)]
    return events[starts[-1] if starts else 0 :]


def follow(
    reader: JournalReader, narrator: Narrator, goes_on: Callable[[], bool], events: Sequence[Event] = ()
) -> None:
    """Narrate `events`, then those that the reader has not read yet, until `goes_on` returns False."""
    more = True
    while more:
        # Asked before reading: what is written between the two is read in this round.
        more = goes_on()
        for event in [*events, *reader.poll()]:
            narrator.tell(event)
        events = ()
        if more:
            time.sleep(LOOK_SECONDS)
