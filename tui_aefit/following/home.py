"""Finds the experiments of a home that are being computed, and notices those that have ended."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from core.errors import ExperimentError
from core.records.events import CoordinatorStarted, Finished
from core.records.experiment import Experiment, load
from core.records.folders import locked_folders
from core.records.state import State, read_state
from core.records.status import ExperimentStatus


def at_work(home: Path) -> list[Experiment]:
    """The experiments that are being computed, the newest first, without those that cannot be read.

    Raises ExperimentError where the home cannot be listed.
    """
    found = []
    for folder in locked_folders(home):  # few of them: reading the specs of the others would take long
        try:
            experiment = load(folder)
            if experiment.running:
                found.append(experiment)
        except (ExperimentError, OSError):
            continue  # the list of experiments says what is the matter with it
    return sorted(found, key=lambda experiment: experiment.created, reverse=True)


def lacks_further_runs(state: State) -> bool:
    """Whether the last coordinator has completed all runs that it knew of, and more were asked for since."""
    told = (event for event in reversed(state.events) if isinstance(event, CoordinatorStarted | Finished))
    newest = next(told, None)
    complete = isinstance(newest, Finished) and newest.status == "complete"
    return complete and not state.running and len(state.results) < state.experiment.spec.runs


def _reloaded(experiment: Experiment) -> Experiment:
    """The experiment with the runs that are asked for now; unchanged where its specification cannot be read."""
    try:
        return experiment.reloaded()
    except ExperimentError:
        return experiment


class Watch:
    """Notices when experiments of a home end, whoever computes them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._watched: dict[str, Experiment] = {}

    def add(self, experiment: Experiment) -> None:
        """Watch an experiment that is about to be computed: it may end before it is seen at work."""
        self._watched[experiment.id] = experiment

    def look(self, starting: Collection[str] = ()) -> list[State]:
        """The states of the experiments that have ended since the last look. Raises ExperimentError as `at_work`.

        starting: ids of experiments whose coordinator process lives, even if it does not hold the lock yet.
        """
        working = {experiment.id: experiment for experiment in at_work(self._home)}
        ended = []
        for name, experiment in list(self._watched.items()):
            if name in working or name in starting:
                continue
            try:
                state = read_state(_reloaded(experiment))
            except OSError:
                continue  # a file server that does not answer says nothing of the process: asked again
            if state.status is not ExperimentStatus.RUNNING:
                del self._watched[name]
            # CREATED: it never began, or was deleted.
            if state.status not in (ExperimentStatus.RUNNING, ExperimentStatus.CREATED):
                ended.append(state)
        self._watched |= working
        return ended
