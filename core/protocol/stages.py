"""The stages of a run: who watches learns when each begins, how far it is, and how long it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol


class Observer(Protocol):
    """Receives the events of a run, by kind, with the fields that `core.records.events` lists but `run`."""

    def __call__(self, kind: str, **fields: object) -> None:
        """Take note of one event; it must not raise."""
        ...


def unobserved(kind: str, **fields: object) -> None:
    """An observer for whom nothing is of interest."""


class Stages:
    """Reports stages to an observer and adds up their seconds.

    `seconds`: stage or part -> seconds so far, in the order in which they were first entered.
    """

    def __init__(self, observe: Observer, clock: Callable[[], float]) -> None:
        self._observe = observe
        self._clock = clock
        self._stage = ""
        self._total = 0
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator[None]:
        """A stage of `total` steps, reported at its beginning and its end."""
        self._stage, self._total = name, total
        self._observe("stage_started", stage=name, total=total)
        with self.part(name):
            yield
        self._observe("stage_finished", stage=name, seconds=self.seconds[name])

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time that is counted under a name of its own, within a stage or between two."""
        self.seconds.setdefault(name, 0.0)
        begun = self._clock()
        yield
        self.seconds[name] += self._clock() - begun

    def progress(self, done: int) -> None:
        """So many steps of the present stage are done."""
        self._observe("progress", stage=self._stage, done=done, total=self._total)

    def epoch(self, epoch: int, epochs: int, loss: float) -> None:
        """The surrogate finished an epoch (counted from 1) with this mean training loss."""
        self._observe("epoch", epoch=epoch, epochs=epochs, loss=loss)
