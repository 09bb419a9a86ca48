"""An experiment's events as told in a shell: plain lines, for pipes and logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from core.records.events import Event
from core.records.experiment import Experiment
from tui_aefit.following import wording
from tui_aefit.following.wording import run_number


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
        text = self._sentences.of(event)
        if event.kind == "stage_finished":
            text = wording.progress_sentence(event)
        if text:
            self._say(text)

    def close(self) -> None:
        """There is nothing to tidy."""


class Sentences:
    """An experiment's events as sentences; what every worker says alike is said once."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._said: set[str] = set()
        self._held: list[str] = []

    def of(self, event: Event) -> str:
        """See `wording.sentence`; what a run found is read from its result.

        What is announced of the computation is held back until the data have been read: the request may be refused.
        """
        text = self._sentence(event)
        match event.kind:
            case "coordinator_started":
                self._held = [f"results go to {self._experiment.folder}", text]
                return ""
            case "environment" if self._held:
                self._held.append(text)
                return ""
            case "dataset" | "run_started" | "worker_lost":
                text = "\n".join(filter(None, [*self._held, text]))
                self._held = []
        return text

    def _sentence(self, event: Event) -> str:
        experiment = self._experiment
        metrics = experiment.result(run_number(event) - 1) if event.kind == "run_completed" else None
        text = wording.sentence(event, experiment.id, experiment.spec.runs, metrics)
        if event.kind in ("environment", "dataset", "notice") and text in self._said:
            return ""
        self._said.add(text)
        notices = event.fields.get("notices")
        return "\n".join([text, *map(str, notices)]) if isinstance(notices, list) else text
