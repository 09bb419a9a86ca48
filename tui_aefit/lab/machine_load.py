"""Measures the machine's load for a screen: a thread reads it and posts it to the screen."""

from __future__ import annotations

from functools import partial

from textual.dom import DOMNode
from textual.message import Message
from textual.worker import Worker, get_current_worker

from tui_aefit.following.machine import Load, Meter

SECONDS = 2.0
"""How often the load is read."""


class LoadMeasured(Message):
    """The load of the machine since the last reading."""

    def __init__(self, load: Load) -> None:
        super().__init__()
        self.load = load

    def can_replace(self, message: Message) -> bool:
        """Whether the later `message` makes this one superfluous."""
        return isinstance(message, LoadMeasured)


def start_measuring(node: DOMNode, meter: Meter | None = None) -> Worker[None]:
    """Post a LoadMeasured to `node` every few seconds until the worker is cancelled, as it is with its node."""
    work = partial(_run, node, meter or Meter())
    return node.run_worker(work, name="machine load", group="load", exclusive=True, thread=True)


def _run(node: DOMNode, meter: Meter) -> None:
    worker = get_current_worker()
    while not worker.is_cancelled:
        load = meter.read()
        if not worker.is_cancelled:
            node.post_message(LoadMeasured(load))
        worker.cancelled_event.wait(SECONDS)
