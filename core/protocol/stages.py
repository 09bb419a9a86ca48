"""The stages of a run: who watches learns when each begins, how far it is, and how long it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.records.events import EpochFinished, Event, Progress, StageFinished, StageStarted

Observer = Callable[[Event], None]
"""Receives the events of a run; it must not raise."""


def ignore(event: Event) -> None:
    """An observer for whom nothing is of interest."""


class Stages:
    """Reports the stages of run `run` to an observer and adds up their seconds.

    `seconds`: stage or part -> seconds so far, in the order in which they were first entered.
    """

    def __init__(self, run: int, observe: Observer, clock: Callable[[], float]) -> None:
        self._run = run
        self._observe = observe
        self._clock = clock
        self._stage = ""
        self._total = 0
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator[None]:
        """A stage of `total` steps, reported at its beginning and its end."""
        self._stage, self._total = name, total
        self._observe(StageStarted(run=self._run, stage=name, total=total))
        with self.part(name):
            yield
        self._observe(StageFinished(run=self._run, stage=name, seconds=self.seconds[name]))

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time that is counted under a name of its own, within a stage or between two."""
        self.seconds.setdefault(name, 0.0)
        begun = self._clock()
        yield
        self.seconds[name] += self._clock() - begun

    def progress(self, done: int) -> None:
        """So many steps of the present stage are done."""
        self._observe(Progress(run=self._run, stage=self._stage, done=done, total=self._total))

    def epoch(self, epoch: int, epochs: int, loss: float) -> None:
        """The surrogate finished an epoch (counted from 1) with this mean training loss."""
        self._observe(EpochFinished(run=self._run, epoch=epoch, epochs=epochs, loss=loss))
