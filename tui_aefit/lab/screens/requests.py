"""What a screen asks the app for, because it concerns more than that screen, and what the app tells itself."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from core.records.experiment import Experiment, State
from core.spec.spec import Spec


class NewExperiment(Message):
    """The person wants to set up a new experiment."""


class OpenExperiment(Message):
    """The person wants to look at an experiment, running or not."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment


class OpenGallery(Message):
    """The person wants to look at an experiment's images."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment


class CloneExperiment(Message):
    """The person wants to set up a new experiment that begins from this spec."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec


class ResumeExperiment(Message):
    """The person wants the missing runs of an experiment computed; nobody computes them now."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment


class CompareExperiments(Message):
    """The person wants to see these experiments, two or more, side by side."""

    def __init__(self, experiments: Sequence[Experiment]) -> None:
        super().__init__()
        self.experiments = list(experiments)


class ExportExperiment(Message):
    """The person wants files of an experiment written.

    status, done: how it stands and how many runs are complete, "" and 0 where that is not known yet.
    choice: which of `publications.CHOICES`; "" where the person is to be asked.
    """

    def __init__(self, experiment: Experiment, status: str, done: int, choice: str = "") -> None:
        super().__init__()
        self.experiment = experiment
        self.status = status
        self.done = done
        self.choice = choice


class Finished(Message):
    """An experiment has ended, one way or another."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.state = state
