"""Follows an experiment on disk for a screen: each look gives one snapshot if anything is new."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.declarations.printable import printable
from core.errors import ExperimentError
from core.records.annotations import ANNOTATIONS_FILE, read_annotations
from core.records.events import CoordinatorStarted, Event, RunCompleted
from core.records.experiment import SPEC_FILE, Experiment
from core.records.journal import JournalReader
from core.records.metrics import RunMetrics
from tui_aefit.following.fold import Fold
from tui_aefit.following.past_runs import read_past
from tui_aefit.following.snapshot import Snapshot

CLOCK_SECONDS = 1.0
"""After how many seconds a look at a running experiment gives a snapshot though nothing has happened."""
PROBLEMS = 20
"""How many results and journal lines that cannot be read a snapshot names, at most."""

Stamp = tuple[int, int, int]


class Feed:
    """Reads what is new in an experiment's journals and results. Never raises for what its folder holds."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        # None: the first look reads the specification, which may say more runs than the caller knows of.
        self._spec_stamp: Stamp | None = None
        self._knows_past = False
        self._label = ""
        self._label_stamp: Stamp | None = None
        self._reader = JournalReader(experiment.journal, newest_only=True)
        self._fold = Fold(experiment.id, experiment.spec)
        self._metrics: Mapping[int, RunMetrics] = {}
        self._unread: set[int] = set()
        self._problems: tuple[str, ...] = ()
        self._damaged: dict[int, str] = {}
        self._alive: bool | None = None
        self._shown = -CLOCK_SECONDS
        self._gone = False

    def look(self, now: float) -> Snapshot | None:
        """The snapshot of the experiment now; None where nothing has changed since the last look.

        now: seconds since 1970. The first look always gives a snapshot. After the folder was deleted one more look
        gives a snapshot, with an error.
        """
        if not os.path.isdir(self._experiment.folder):
            return self._last_snapshot(now)
        self._gone = False
        # Asked first: once nobody computes any more, what is read after that is final.
        alive = self._is_alive()
        events = self._reader.poll()
        # After the events: a run that the experiment was extended by is in the specification before it is begun.
        extended = self._read_spec()
        renamed = self._read_label()
        self._fold.add(events)
        self._read_past(alive=alive)
        anew = (
            extended or alive != self._alive or any(isinstance(event, CoordinatorStarted) for event in events)
        )
        found = self._read_results(events, anew=anew)
        problems = self._read_problems()
        passed = alive and not 0 <= now - self._shown < CLOCK_SECONDS
        if not (events or found or anew or passed or renamed or problems != self._problems):
            return None
        self._alive, self._problems, self._shown = alive, problems, now
        return self._snapshot(now)

    def _snapshot(self, now: float) -> Snapshot:
        return self._fold.snapshot(
            now=now,
            alive=bool(self._alive),
            metrics=self._metrics,
            problems=self._problems,
            damaged=frozenset(self._damaged),
            newer=self._reader.newer,
            label=self._label,
        )

    def _last_snapshot(self, now: float) -> Snapshot | None:
        if self._gone:
            return None
        self._gone, self._alive = True, False
        error = f"the folder of {self._experiment.id} is gone: deleted, moved, or its disk is away"
        return replace(self._snapshot(now), error=error, hint="open another experiment")

    def _is_alive(self) -> bool:
        try:
            return self._experiment.running
        except OSError:
            # A file server that does not answer says nothing of the process.
            return bool(self._alive)

    def _read_spec(self) -> bool:
        """Read the specification again where its file has changed; whether more runs are asked for now."""
        stamp = _stamp_of(self._experiment.folder / SPEC_FILE)
        if stamp is None or stamp == self._spec_stamp:
            return False
        try:
            found = self._experiment.reloaded()
        except ExperimentError:
            return False  # keep what was read before; the list of experiments says what is wrong
        self._spec_stamp = stamp
        if found.spec.runs <= self._experiment.spec.runs:
            return False
        self._experiment = found
        self._fold.take_spec(found.spec)
        return True

    def _read_past(self, *, alive: bool) -> None:
        """Read once how long past runs of the home took, while this one is computed and has no complete run.

        Not at the first look, which is to be shown at once.
        """
        if self._knows_past or not alive or self._metrics or self._alive is None:
            return
        self._knows_past = True
        try:
            self._fold.take_past(read_past(self._experiment.folder.parents[1]).runs)
        except ExperimentError:
            return  # a home that cannot be listed has no past to go by

    def _read_label(self) -> bool:
        """Read the label again where its file has changed; whether it is another one."""
        stamp, before = _stamp_of(self._experiment.folder / ANNOTATIONS_FILE), self._label
        if stamp != self._label_stamp:
            self._label_stamp = stamp
            self._label = printable(read_annotations(self._experiment.folder)[0].label)
        return self._label != before

    def _read_results(self, events: Sequence[Event], *, anew: bool) -> bool:
        """Read the results of the runs that `events` call complete, anew: of all; whether any metrics changed."""
        before = self._metrics
        if anew:
            self._metrics = self._experiment.results()
        self._unread |= {event.run for event in events if isinstance(event, RunCompleted)}
        # On a file server a result may be seen a little later than the line that tells of it.
        self._unread = {
            run for run in self._unread if run not in self._metrics and run < self._experiment.spec.runs
        }
        new = {run: metrics for run in self._unread if (metrics := self._experiment.result(run)) is not None}
        if new:
            self._unread -= new.keys()
            # Another mapping, never the same one changed: an earlier snapshot may still be looked at.
            self._metrics = dict(sorted({**self._metrics, **new}.items()))
        self._look_for_damage(range(self._experiment.spec.runs) if anew else self._unread)
        return self._metrics != before if anew else bool(new)

    def _look_for_damage(self, runs: Iterable[int]) -> None:
        """Note which of these runs have a result that cannot be read, and why; forget those read since."""
        for run in runs:
            if run not in self._metrics:
                self._damaged[run] = self._experiment.result_problem(run)
        self._damaged = {
            run: reason for run, reason in self._damaged.items() if reason and run not in self._metrics
        }

    def _read_problems(self) -> tuple[str, ...]:
        """What cannot be read, in words: results, then lines of journals."""
        results = [f"run {run + 1}: {reason}" for run, reason in sorted(self._damaged.items())]
        lines = self._reader.problems
        count = len(results) + len(lines)
        named = [*results, *(f"{line.writer or 'journal'}: {line.reason}" for line in lines[:PROBLEMS])]
        shown = tuple(map(printable, named[:PROBLEMS]))
        return (*shown, f"and {count - PROBLEMS} more") if count > PROBLEMS else shown


def _stamp_of(path: Path) -> Stamp | None:
    """Time in nanoseconds, bytes and inode of a file, which change with it; None where it cannot be looked at."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
