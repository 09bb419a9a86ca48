"""An experiment's turn: how many of its runs may be computed now, beside what else is computed in its home."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from core.records.process import identity
from core.records.queue import (
    Queued,
    Ticket,
    new_name,
    read_queue,
    remove_ticket,
    room,
    sweep_queue,
    write_ticket,
)

LOOK_SECONDS = 0.25
"""Seconds between two readings of the queue, at least."""
UNSEEN_SECONDS = 60.0
"""How long our own ticket may be out of sight before we no longer wait for anybody: a file server may hide it."""


class Turn:
    """An experiment's place in the queue of a home, held within the block.

    limit: processors that all experiments of the home together may use on this machine. threads: of each run.
    since: seconds since 1970, by which it takes its place; None for now. study: "" for none. at_once: it waits for
    nobody. elsewhere: how it reaches other machines, "" for this one; only tickets with the same `elsewhere` count.

    A ticket that has gone from the queue is written again. Where the queue could never be written, or the ticket is
    not seen in it for UNSEEN_SECONDS, the experiment waits for nobody, and nobody for it: a full disk must not stop
    an experiment that needs no more room. Until then the last answer holds: a file server that is away for a moment
    must not let everybody begin.
    """

    def __init__(
        self,
        home: Path,
        experiment: str,
        *,
        limit: int,
        threads: int,
        since: float | None = None,
        study: str = "",
        elsewhere: str = "",
        at_once: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._name = new_name()
        self._threads = threads
        self._limit = max(limit, threads)
        self._clock = clock
        self._ticket = Ticket(
            process=identity(),
            experiment=experiment,
            since=time.time() if since is None else since,
            study=study,
            elsewhere=elsewhere,
            limit=max(limit, threads),
            at_once=at_once,
        )
        self._written: Ticket | None = None
        self._looked = -LOOK_SECONDS
        self._runs = 0
        self._unseen: float | None = None
        """Since when our own ticket is not seen in the queue, by `clock`."""
        self._was_written = False
        self.before: tuple[str, ...] = ()
        """The experiments that it waits for, as the queue was last read."""

    def __enter__(self) -> Self:
        sweep_queue(self._home)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        remove_ticket(self._home, self._name)

    def runs(self, using: int, wanted: int) -> int:
        """How many runs may be computed at the same time now.

        using: how many are computed now. wanted: how many would be if all had room, at least `using`.
        """
        ticket = msgspec.structs.replace(
            self._ticket, using=using * self._threads, wanted=max(using, wanted) * self._threads
        )
        if ticket == self._written and self._clock() - self._looked < LOOK_SECONDS:
            return self._runs
        queue = self._queue(ticket)
        if not queue:
            # Somebody has removed it, or this machine has another name by now.
            self._ticket = msgspec.structs.replace(self._ticket, process=identity())
            queue = self._queue(msgspec.structs.replace(ticket, process=self._ticket.process))
        if not queue:
            if not self._was_written:
                return wanted
            self._unseen = self._clock() if self._unseen is None else self._unseen
            is_patient = self._clock() - self._unseen < UNSEEN_SECONDS
            return max(self._runs, using) if is_patient else wanted
        self._unseen = None
        self._looked = self._clock()
        self._runs = room(queue, self._name, self._limit) // self._threads
        self.before = _before(queue, self._name)
        return self._runs

    def _queue(self, ticket: Ticket) -> list[Queued]:
        """Write our ticket; the tickets of those that compute in our place. Empty where ours is not among them."""
        if not self._write(ticket):
            return []
        queue = [one for one in read_queue(self._home) if one.ticket.elsewhere == ticket.elsewhere]
        if any(one.name == self._name for one in queue):
            return queue
        self._written = None
        return []

    def _write(self, ticket: Ticket) -> bool:
        if ticket == self._written:
            return True
        with suppress(OSError):
            write_ticket(self._home, self._name, ticket)
            self._written = ticket
            self._was_written = True
            return True
        return False


def _before(queue: list[Queued], own: str) -> tuple[str, ...]:
    """The experiments that stand before the ticket named `own`, or hold processors that it waits for."""
    at = next((n for n, queued in enumerate(queue) if queued.name == own), len(queue))
    found = [q.ticket.experiment for q in queue[:at] if q.ticket.wanted]
    found += [q.ticket.experiment for q in queue[at + 1 :] if q.ticket.using]
    return tuple(dict.fromkeys(found))
