"""The queue of a home: a ticket for each process that computes or waits to, in an order that anybody may change.

No process rules the queue. Each process that wants processors of this machine writes a ticket, reads the others',
and takes what those before it leave; a ticket whose process is gone does not count. A ticket is up to three files,
each with one kind of writer: `NAME.json` is written by its process, `NAME.place` by whoever moves it, and the empty
`NAME.now` by whoever wants it to wait for nobody.
"""

from __future__ import annotations

import math
import os
import re
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.errors import RecordError
from core.files.atomic import replace_file
from core.files.folders import make_folder, make_home
from core.files.locations import queue_dir
from core.files.ownership import sweep
from core.files.reading import read_plain
from core.records.process import ProcessIdentity
from core.records.types import Count, Moment, Name, Record, parse, to_json

LARGEST = 2**16
"""Bytes of a ticket, at most; ours have some hundred."""
_NAME = re.compile(r"[0-9a-f]{32}")
HALF_WRITTEN = r"\.[0-9a-f]{32}\.(json|place)"
"""The prefixes of half-written tickets that killed processes leave."""


class Ticket(Record, frozen=True, kw_only=True):
    """How many of its machine's processors one process uses and wants.

    experiment: the id of what it computes. since: when it came, seconds since 1970, which is its place unless it
    is moved; for a study's experiments, when the study came. study: its name, or "". elsewhere: how the process
    reaches other machines, "" where it computes on this one. using: processors that its runs take now. wanted:
    processors that its runs would take if there were room, at least `using`. limit: processors that it lets all
    experiments use together, 0 for any number. at_once: it waits for nobody.
    """

    process: ProcessIdentity
    experiment: Name
    since: Moment
    study: Name = ""
    elsewhere: Name = ""
    limit: Count = 0
    using: Count = 0
    wanted: Count = 0
    at_once: bool = False


@dataclass(frozen=True)
class Queued:
    """A ticket in the queue. name: of its files. place: lower ones come first."""

    name: str
    ticket: Ticket
    place: float

    @property
    def waiting(self) -> bool:
        """Whether it computes nothing now, and wants to."""
        return self.ticket.using == 0 and self.ticket.wanted > 0


def read_queue(home: Path) -> list[Queued]:
    """The tickets of living processes of this machine, the first in turn first; none where nothing can be read."""
    folder = queue_dir(home)
    found = []
    for name in _names(folder):
        queued = _read(folder, name)
        if queued is not None and queued.ticket.process.on_this_host and queued.ticket.process.alive:
            found.append(queued)
    return in_turn(found)


def waiting_in(home: Path) -> dict[str, int]:
    """The experiments of a home that wait for their turn, each with its place among them, from 1."""
    waiting = (queued.ticket.experiment for queued in read_queue(home) if queued.waiting)
    return {experiment: place for place, experiment in enumerate(dict.fromkeys(waiting), start=1)}


def in_turn(queue: Iterable[Queued]) -> list[Queued]:
    """Tickets in the order of their turn: those that wait for nobody first, then by place, by name where equal."""
    return sorted(queue, key=lambda one: (not one.ticket.at_once, one.place, one.name))


def room(queue: Sequence[Queued], own: str, limit: int) -> int:
    """How many processors the holder of the ticket named `own` may use now, at least 0.

    queue: as `read_queue` gives it, those that compute in the same place. limit: processors that the holder lets
    all experiments use together; the smallest limit of it and of those before it counts. From that, what those
    before it want is subtracted, and what those after it use now, for they will take no more. A ticket that waits
    for nobody counts only those of its own study that wait for nobody either.
    """
    at = next((n for n, queued in enumerate(queue) if queued.name == own), None)
    if at is None:
        return 0
    mine = queue[at].ticket
    if mine.at_once:
        queue = [one for one in queue if one.name == own or _hurry_together(one.ticket, mine)]
        at = next(n for n, queued in enumerate(queue) if queued.name == own)
    before, after = queue[:at], queue[at + 1 :]
    limits = [limit, *(one.ticket.limit for one in before if one.ticket.wanted and one.ticket.limit)]
    taken = sum(one.ticket.wanted for one in before) + sum(one.ticket.using for one in after)
    return max(0, min(limits) - taken)


def _hurry_together(one: Ticket, other: Ticket) -> bool:
    """Whether both wait for nobody, and belong to one study."""
    return one.at_once and other.at_once and one.study == other.study != ""


def new_name() -> str:
    """A new name for a ticket, which no other has."""
    return uuid.uuid4().hex


def write_ticket(home: Path, name: str, ticket: Ticket) -> None:
    """Put a ticket into the queue, or replace what it said before. Raises OSError."""
    folder = queue_dir(home)
    make_home(home)
    make_folder(folder)
    content = to_json(ticket)
    # A ticket that a power cut damages is that of a dead process.
    replace_file(folder / f"{name}.json", lambda file: file.write(content), durable=False)


def write_place(home: Path, name: str, place: float) -> None:
    """Give the ticket of this name another place in the queue. Raises OSError."""
    content = repr(place).encode()
    replace_file(queue_dir(home) / f"{name}.place", lambda file: file.write(content), durable=False)


def move(home: Path, experiment: str, steps: int) -> bool:
    """Move an experiment `steps` places back in the queue (forward where negative); whether it was in the queue.

    Raises OSError.
    """
    queue = read_queue(home)
    at = next((n for n, queued in enumerate(queue) if queued.ticket.experiment == experiment), None)
    if at is None:
        return False
    rest = [queued for n, queued in enumerate(queue) if n != at]
    to = min(max(0, at + steps), len(rest))
    below = rest[to - 1].place if to > 0 else None
    above = rest[to].place if to < len(rest) else None
    if below is None:
        place = above - 1.0 if above is not None else queue[at].place
    else:
        place = below + 1.0 if above is None else (below + above) / 2
    write_place(home, queue[at].name, place)
    return True


def hurry(home: Path, experiment: str) -> bool:
    """Let an experiment wait for nobody any more, as `--now` does at its start; whether it was in the queue.

    Raises OSError.
    """
    queued = next((one for one in read_queue(home) if one.ticket.experiment == experiment), None)
    if queued is not None:
        (queue_dir(home) / f"{queued.name}.now").touch()
    return queued is not None


def remove_ticket(home: Path, name: str) -> None:
    """Remove a ticket; never raises."""
    folder = queue_dir(home)
    for suffix in ("json", "place", "now"):
        with suppress(OSError):
            (folder / f"{name}.{suffix}").unlink(missing_ok=True)


def sweep_queue(home: Path) -> None:
    """Remove the tickets of dead processes of this machine, and what they left half written; never raises."""
    folder = queue_dir(home)
    sweep(folder, HALF_WRITTEN)
    for name in _names(folder):
        queued = _read(folder, name)
        if queued is not None and queued.ticket.process.on_this_host and not queued.ticket.process.alive:
            remove_ticket(home, name)


def _names(folder: Path) -> list[str]:
    """The names of the tickets there are, in no order."""
    try:
        # What a link leads to may be anybody's.
        entries = [] if folder.is_symlink() else os.listdir(folder)
    except OSError:
        return []
    stems = (entry.removesuffix(".json") for entry in entries if entry.endswith(".json"))
    return [stem for stem in stems if _NAME.fullmatch(stem)]


def _read(folder: Path, name: str) -> Queued | None:
    """The ticket of this name; None where there is none, or it cannot be read."""
    try:
        ticket = parse(read_plain(folder / f"{name}.json", LARGEST), Ticket, "the ticket")
    except (OSError, RecordError):
        return None
    if os.path.lexists(folder / f"{name}.now"):
        ticket = msgspec.structs.replace(ticket, at_once=True)
    return Queued(name, ticket, _place(folder / f"{name}.place", ticket.since))


def _place(path: Path, otherwise: float) -> float:
    """The place to which somebody has moved a ticket; `otherwise` where nobody has."""
    try:
        place = float(read_plain(path, 100))
    except (OSError, ValueError):
        return otherwise
    return place if math.isfinite(place) else otherwise
