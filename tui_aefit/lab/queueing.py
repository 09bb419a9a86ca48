"""Reads and changes the order of the experiments that wait for their turn, for the lab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from textual.binding import Binding
from textual.dom import DOMNode
from textual.message import Message
from textual.timer import Timer

from core.errors import ExperimentError
from core.records.queue import Queued, hurry, move, read_queue

SECONDS = 1.0
"""How often the queue is read."""
GROUP = "queue"
"""The group of the workers that read the queue."""
MOST_NAMED = 2

KEYS = Binding.Group("Queue/now", compact=True)
"""The group, in the footer, of the keys that move an experiment in the queue or let it wait for nobody."""


@dataclass(frozen=True)
class Turn:
    """The turn of an experiment that waits. place: from 1, among the `of` that wait.

    before: the ids of the experiments that are computed now, then of those that wait before it, in turn.
    """

    place: int
    of: int
    before: tuple[str, ...]


class TurnRead(Message):
    """The queue was read. turn: of the experiment, None where it does not wait."""

    def __init__(self, turn: Turn | None) -> None:
        super().__init__()
        self.turn = turn

    def can_replace(self, message: Message) -> bool:
        """Whether the later `message` makes this one superfluous."""
        return isinstance(message, TurnRead)


def start_reading(node: DOMNode, home: Path, experiment: str) -> Timer:
    """Post a TurnRead to `node` now and every SECONDS, until the timer is stopped, as it is when its node goes.

    Each look takes a thread of the pool, which is free for other work in between.
    """

    def look() -> None:
        # A slow file server must not make looks queue up.
        if not any(
            worker.node is node and worker.group == GROUP and not worker.is_finished
            for worker in node.workers
        ):
            node.run_worker(partial(_look, node, home, experiment), group=GROUP, thread=True)

    look()
    return node.set_interval(SECONDS, look)


def _look(node: DOMNode, home: Path, experiment: str) -> None:
    node.post_message(TurnRead(turn_of(read_queue(home), experiment)))


def turn_of(queue: Sequence[Queued], experiment: str) -> Turn | None:
    """The turn of an experiment in a queue; None where it does not wait."""
    waiting = [queued.ticket.experiment for queued in queue if queued.waiting]
    if experiment not in waiting:
        return None
    place = waiting.index(experiment)
    computed = [queued.ticket.experiment for queued in queue if queued.ticket.using]
    before = dict.fromkeys([*computed, *waiting[:place]])
    return Turn(place + 1, len(waiting), tuple(one for one in before if one != experiment))


def turn_words(turn: Turn, keys: str = "") -> str:
    """A sentence on an experiment's turn. keys: those that change it, with what they do."""
    named = ", ".join(turn.before[:MOST_NAMED])
    more = len(turn.before) - MOST_NAMED
    after = f", after {named}{f' and {more} more' if more > 0 else ''}" if named else ""
    # The keys first: ids are long, and a small terminal cuts them off.
    return f"◔ queued: {turn.place} of {turn.of} that wait{f' ({keys})' if keys else ''}{after}"


def move_in_queue(home: Path, experiment: str, steps: int) -> str:
    """Move an experiment `steps` places back among those that wait (forward where negative); a sentence on it.

    Raises ExperimentError where it does not wait, has no such place, or the queue cannot be written.
    """
    queue = read_queue(home)
    waiting = [at for at, queued in enumerate(queue) if queued.waiting]
    at = next((at for at in waiting if queue[at].ticket.experiment == experiment), None)
    if at is None:
        raise ExperimentError(f"{experiment} does not wait for its turn")
    place = waiting.index(at) + steps
    if not 0 <= place < len(waiting):
        end = "first" if steps < 0 else "last"
        raise ExperimentError(f"{experiment} is the {end} of {len(waiting)} that wait already")
    try:
        moved = move(home, experiment, waiting[place] - at)
    except OSError as error:
        raise ExperimentError(f"cannot change the queue: {error.strerror}") from error
    if not moved:
        raise ExperimentError(f"{experiment} does not wait for its turn any more")
    return f"{experiment} is {place + 1} of {len(waiting)} that wait"


def start_now(home: Path, experiment: str) -> str:
    """Let an experiment that waits be computed at once, beside all others; a sentence on it.

    Raises ExperimentError where it does not wait, or the queue cannot be written.
    """
    waits = any(queued.waiting and queued.ticket.experiment == experiment for queued in read_queue(home))
    try:
        hurried = waits and hurry(home, experiment)
    except OSError as error:
        raise ExperimentError(f"cannot change the queue: {error.strerror}") from error
    if not hurried:
        raise ExperimentError(f"{experiment} does not wait for its turn")
    return f"{experiment} waits for nobody any more"
