"""Statistics over the complete runs of an experiment, journaled now and then while more runs are computed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from core.engine.statistics import experiment_statistics
from core.records.events import Event
from core.records.metrics import RunMetrics
from core.spec.spec import Spec

STATISTICS_SECONDS = 3.0
"""Seconds between two publications, at least: statistics grow with the sets and tests, to 100 kB and more."""


class StatisticsJournal:
    """Keeps the metrics of an experiment's complete runs, and journals the statistics over them.

    results: run -> metrics, of the runs that are complete already. write: appends an event to the journal and says
    whether it is there. clock: seconds, for the time between two publications.
    """

    def __init__(
        self,
        spec: Spec,
        results: Mapping[int, RunMetrics],
        write: Callable[[Event], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spec = spec
        self._results = dict(results)
        self._write = write
        self._clock = clock
        self._changed = bool(self._results)
        self._published_at = -math.inf

    def extend(self, spec: Spec) -> None:
        """Take in a spec with more runs, which the verdict counts."""
        self._spec = spec
        self._changed = bool(self._results)

    def add(self, run: int, metrics: RunMetrics) -> None:
        """One more run is complete."""
        self._results[run] = metrics
        self._changed = True

    def publish_if_due(self) -> None:
        """Journal the statistics if they have changed and the last publication is STATISTICS_SECONDS ago."""
        if self._clock() - self._published_at >= STATISTICS_SECONDS:
            self.publish()

    def publish(self) -> None:
        """Journal the statistics if they have changed; where they cannot be written the next call tries again."""
        if not self._changed:
            return
        self._changed = not self._write(experiment_statistics(self._spec, self._results))
        self._published_at = self._clock()
