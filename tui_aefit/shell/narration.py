"""Tells an experiment's events in a shell as plain lines, for pipes and logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from core.records.events import (
    CoordinatorStarted,
    DatasetLoaded,
    EnvironmentReported,
    Event,
    Notice,
    RunCompleted,
    RunStarted,
    StageFinished,
    WorkerLost,
)
from core.records.experiment import Experiment
from tui_aefit.following.sentences import describe, describe_progress


class Narrator(Protocol):
    """Tells a person of an experiment's events: gets every event, in order, and is closed after the last."""

    def tell(self, event: Event) -> None:
        """Take an event, and say what a person would want to know of it."""
        ...

    def close(self) -> None:
        """Leave the terminal tidy."""
        ...


class Silence:
    """A narrator for `--quiet`."""

    def tell(self, event: Event) -> None:
        """Say nothing."""

    def close(self) -> None:
        """There is nothing to tidy."""


class Lines:
    """A narrator that prints a line for everything that matters: for logs, pipes and dumb terminals."""

    def __init__(self, experiment: Experiment, say: Callable[[str], None]) -> None:
        self._sentences = Sentences(experiment)
        self._say = say

    def tell(self, event: Event) -> None:
        """See `Narrator.tell`."""
        text = describe_progress(event) if isinstance(event, StageFinished) else self._sentences.of(event)
        if text:
            self._say(text)

    def close(self) -> None:
        """There is nothing to tidy."""


class Sentences:
    """Turns an experiment's events into sentences; those that every worker repeats are given once."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._announced: set[str] = set()
        self._held: list[str] = []

    def of(self, event: Event) -> str:
        """The sentence of an event, "" for none, see `describe`; the metrics of a complete run are read for it.

        Sentences on the beginning of the computation are held back until the data are read: it may be refused.
        """
        text = self._sentence(event)
        match event:
            case CoordinatorStarted():
                self._held = [f"results go to {self._experiment.folder}", text]
                return ""
            case EnvironmentReported() if self._held:
                self._held.append(text)
                return ""
            case DatasetLoaded() | RunStarted() | WorkerLost():
                text = "\n".join(filter(None, [*self._held, text]))
                self._held = []
        return text

    def _sentence(self, event: Event) -> str:
        experiment = self._experiment
        metrics = experiment.result(event.run) if isinstance(event, RunCompleted) else None
        text = describe(event, experiment.id, metrics)
        if isinstance(event, EnvironmentReported | DatasetLoaded | Notice) and text in self._announced:
            return ""
        self._announced.add(text)
        return "\n".join([text, *event.notices]) if isinstance(event, DatasetLoaded) else text
