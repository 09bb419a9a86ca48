"""Messages from screens to the app on what concerns more than one screen, and from the app to itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message
from textual.screen import Screen

from core.spec.spec import Spec

if TYPE_CHECKING:
    from core.records.experiment import Experiment
    from core.records.state import State
    from core.records.status import ExperimentStatus
    from core.records.study import Study
    from core.records.study_state import StudyState


class OpenScreen(Message):
    """The person wants to see another screen, such as `screens.GalleryScreen(experiment)`."""

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self.screen = screen


class NewExperiment(Message):
    """The person wants to set up a new experiment."""


class OpenExperiment(Message):
    """The person wants to look at an experiment, running or not."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment


class OpenBeside(Message):
    """The person wants to look at the experiment `steps` places after this one in the list."""

    def __init__(self, experiment: Experiment, steps: int) -> None:
        super().__init__()
        self.experiment = experiment
        self.steps = steps


class CopyCommands(Message):
    """The person wants the commands that compute these specs."""

    def __init__(self, specs: Sequence[Spec]) -> None:
        super().__init__()
        self.specs = specs


class CloneExperiment(Message):
    """The person wants to set up a new experiment that begins from this spec."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec


class ResumeSeveral(Message):
    """The person wants the missing runs of several experiments computed, without leaving the screen."""

    def __init__(self, experiments: Sequence[Experiment]) -> None:
        super().__init__()
        self.experiments = experiments


class ExtendSeveral(Message):
    """The person wants several experiments to have so many runs in all, without leaving the screen.

    word: how many, as it was typed.
    """

    def __init__(self, experiments: Sequence[Experiment], word: str) -> None:
        super().__init__()
        self.experiments = experiments
        self.word = word


class ResumeExperiment(Message):
    """The person wants the missing runs of an experiment computed; nobody computes them now."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment


class ExtendExperiment(Message):
    """The person wants more runs of an experiment; the app asks how many."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment


class CanBeExtended(Message):
    """An experiment, read again, can be given more runs: the app asks the person how many."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment


class ExportExperiment(Message):
    """The person wants files of an experiment written.

    status, done: its status and how many runs are complete, None and 0 where that is not known yet.
    choice: one of `publications.CHOICES`; "" to ask the person. others: further experiments to write files of.
    """

    def __init__(
        self,
        experiment: Experiment,
        status: ExperimentStatus | None,
        done: int,
        choice: str = "",
        others: Sequence[Experiment] = (),
    ) -> None:
        super().__init__()
        self.experiments = (experiment, *others)
        self.experiment = experiment
        self.status = status
        self.done = done
        self.choice = choice


class OpenStudy(Message):
    """The person wants to look at the study in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder


class ResumeStudy(Message):
    """The person wants what a study lacks computed; no supervisor is at work."""

    def __init__(self, state: StudyState) -> None:
        super().__init__()
        self.state = state


class ExportStudy(Message):
    """The person wants the tables of a study written."""

    def __init__(self, study: Study) -> None:
        super().__init__()
        self.study = study


class ListExperiments(Message):
    """The person wants the list of experiments, with these words in its filter."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words


class ExperimentEnded(Message):
    """The computation of an experiment has ended."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.state = state
