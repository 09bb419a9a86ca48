"""An experiment's events as told in a shell: plain lines, for pipes and logs."""

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
    """Told of every event of an experiment, in order; closed when there are no more."""

    def tell(self, event: Event) -> None:
        """Say what a person would want to know of this event."""
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
    """A line for everything that matters: for logs, pipes and people who want no bars."""

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
    """An experiment's events as sentences; what every worker says alike is said once."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._announced: set[str] = set()
        self._held: list[str] = []

    def of(self, event: Event) -> str:
        """See `describe`; what a run found is read from its result.

        What is announced of the computation is held back until the data have been read: the request may be refused.
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
