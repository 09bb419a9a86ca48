"""Following an experiment from a screen: a thread looks, the screen hears of every change."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from textual.dom import DOMNode
from textual.message import Message
from textual.worker import Worker, get_current_worker

from core.records.experiment import Experiment
from tui_aefit.following.feed import Feed
from tui_aefit.following.snapshot import Snapshot

TICK_SECONDS = 0.25
"""How often a feed looks."""


class SnapshotArrived(Message):
    """An experiment has changed. Of several that wait to be handled, only the newest is."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Whether the later `message` makes this one superfluous."""
        return isinstance(message, SnapshotArrived) and message.snapshot.id == self.snapshot.id


def start_feed(node: DOMNode, experiment: Experiment, clock: Callable[[], float] = time.time) -> Worker[None]:
    """Post a SnapshotArrived to `node` whenever the experiment changes, until the worker is cancelled.

    It is cancelled with its node, and by following another experiment on the same node.
    """
    work = partial(_run, node, Feed(experiment), clock)
    return node.run_worker(work, name=experiment.id, group="feed", exclusive=True, thread=True)


def _run(node: DOMNode, feed: Feed, clock: Callable[[], float]) -> None:
    worker = get_current_worker()
    while not worker.is_cancelled:
        snapshot = feed.look(clock())
        if snapshot is not None and not worker.is_cancelled:
            node.post_message(SnapshotArrived(snapshot))
        worker.cancelled_event.wait(TICK_SECONDS)
