"""What goes on in a home, for the lab: what is being computed, and what has ended."""

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
    """The experiments that are being computed, the newest first. What cannot be read counts as not computed.

    Raises ExperimentError where the home cannot be listed.
    """
    found = []
    for folder in locked_folders(home):  # few of them: of the others the specs are not worth reading
        try:
            experiment = load(folder)
            if experiment.running:
                found.append(experiment)
        except (ExperimentError, OSError):
            continue  # the list of experiments says what is the matter with it
    return sorted(found, key=lambda experiment: experiment.created, reverse=True)


def lacks_further_runs(state: State) -> bool:
    """Whether a coordinator has computed all that it knew of, and more runs were asked for before it had ended."""
    told = (event for event in reversed(state.events) if isinstance(event, CoordinatorStarted | Finished))
    newest = next(told, None)
    complete = isinstance(newest, Finished) and newest.status == "complete"
    return complete and not state.running and len(state.results) < state.experiment.spec.runs


def _reloaded(experiment: Experiment) -> Experiment:
    """With the runs that are asked for now; as it was where its specification cannot be read any more."""
    try:
        return experiment.reloaded()
    except ExperimentError:
        return experiment


class Watch:
    """Notices the endings of all experiments of a home, whoever computes them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._watched: dict[str, Experiment] = {}

    def add(self, experiment: Experiment) -> None:
        """Watch an experiment that is about to be computed: it may end before it is seen at work."""
        self._watched[experiment.id] = experiment

    def look(self, starting: Collection[str] = ()) -> list[State]:
        """The experiments that have ended since the last look. Raises ExperimentError as `at_work`.

        starting: ids of those whose coordinator lives, whether or not it is at work yet.
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
