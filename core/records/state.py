"""One reading of an experiment: its results, its events, whether it is computed, and what follows from these."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from core.families.ladder import Ladder
from core.records.events import CoordinatorStarted, Event, RunFailed, RunStarted, StatisticsComputed
from core.records.experiment import Experiment
from core.records.journal import read_all
from core.records.metrics import RunMetrics
from core.records.status import ExperimentStatus, RunStatus, experiment_status, is_turning_point, run_status

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class State:
    """One reading of an experiment.

    results: run -> metrics, of its complete runs. events: all, in order. running: whether a living coordinator held
    the lock when the reading began.
    """

    experiment: Experiment
    results: dict[int, RunMetrics]
    events: tuple[Event, ...]
    running: bool

    @cached_property
    def status(self) -> ExperimentStatus:
        """The status of the experiment."""
        turning_point = next((event for event in reversed(self.events) if is_turning_point(event)), None)
        lacking = self.experiment.spec.runs - len(self.results)
        return experiment_status(running=self.running, lacking=lacking, turning_point=turning_point)

    @cached_property
    def ladder(self) -> Ladder:
        """The ladder of its results; that of its specification where it has none."""
        return next((metrics.ladder for metrics in self.results.values()), self.experiment.spec.ladder)

    @cached_property
    def statistics(self) -> StatisticsComputed | None:
        """The newest statistics that a coordinator journaled."""
        return self.last(StatisticsComputed)

    @cached_property
    def summarised(self) -> bool:
        """Whether the journaled statistics are over all the results there are."""
        return self.statistics is not None and list(self.statistics.runs) == sorted(self.results)

    @cached_property
    def failures(self) -> dict[int, RunFailed]:
        """The last failure of every run that failed for good and has no result since."""
        newest = {run: self._newest_of.get(run) for run in range(self.experiment.spec.runs)}
        return {
            run: event
            for run, event in newest.items()
            if isinstance(event, RunFailed) and self.run_status(run) is RunStatus.FAILED
        }

    @cached_property
    def untried(self) -> list[int]:
        """The runs that neither have a result nor have failed for good."""
        return [
            run
            for run in range(self.experiment.spec.runs)
            if run not in self.results and run not in self.failures
        ]

    def last(self, kind: type[E]) -> E | None:
        """The newest event of a type, or None."""
        return next((event for event in reversed(self.events) if isinstance(event, kind)), None)

    def run_status(self, run: int) -> RunStatus:
        """The status of a run."""
        return run_status(complete=run in self.results, running=self.running, newest=self._newest_of.get(run))

    @cached_property
    def _newest_of(self) -> dict[int, RunStarted | RunFailed]:
        """Run -> the event that `core.records.status.run_status` takes as `newest`."""
        newest: dict[int, RunStarted | RunFailed] = {}
        for event in self.events:
            if isinstance(event, CoordinatorStarted):
                # What an earlier coordinator left unfinished is begun anew; what failed for good stays so.
                newest = {
                    run: one for run, one in newest.items() if isinstance(one, RunFailed) and not one.retry
                }
            elif isinstance(event, RunStarted | RunFailed):
                newest[event.run] = event
        return newest


def read_state(experiment: Experiment) -> State:
    """Read an experiment's folder as it is now. Raises OSError where the lock cannot be read."""
    # Asked first: once nobody computes any more, what is read after that is final.
    running = experiment.running
    return State(experiment, experiment.results(), tuple(read_all(experiment.journal)), running)
