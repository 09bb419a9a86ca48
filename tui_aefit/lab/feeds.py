"""Follows an experiment for a screen: a thread looks at its folder and posts every change to the screen."""

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
    """An experiment has changed. Of several such messages in a queue only the newest is handled."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Whether the later `message` makes this one superfluous."""
        return isinstance(message, SnapshotArrived) and message.snapshot.id == self.snapshot.id


def start_feed(node: DOMNode, experiment: Experiment, clock: Callable[[], float] = time.time) -> Worker[None]:
    """Post a SnapshotArrived to `node` whenever the experiment changes, until the worker is cancelled.

    It is cancelled when its node goes, and when another feed is started for the node.
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
