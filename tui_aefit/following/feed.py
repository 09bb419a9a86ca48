"""Following an experiment on disk for a screen: all that is new since the last look in one snapshot."""

from __future__ import annotations

import os.path
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from textual.dom import DOMNode
from textual.message import Message
from textual.worker import Worker, get_current_worker

from core.records.events import Event
from core.records.experiment import Experiment
from core.records.journal import JournalReader
from tui_aefit.following.fold import Fold
from tui_aefit.following.listing import printable
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.following.sound import is_sound_result

TICK_SECONDS = 0.25
"""How often a feed looks."""
CLOCK_SECONDS = 1.0
"""How often a running experiment gives a snapshot for the passing of time alone."""
PROBLEMS = 20
"""How many unreadable lines a snapshot names."""


class SnapshotArrived(Message):
    """An experiment has changed. Of several that wait to be handled, only the newest is."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Whether the later `message` makes this one superfluous."""
        return isinstance(message, SnapshotArrived) and message.snapshot.id == self.snapshot.id


class Feed:
    """Reads on in an experiment's journals and results. Never raises for what its folder holds."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._reader = JournalReader(experiment.journal, newest_only=True)
        self._fold = Fold(experiment.id, experiment.spec.to_json())
        self._metrics: Mapping[int, Mapping[str, Any]] = {}
        self._unread: set[int] = set()
        self._misshapen: set[int] = set()
        self._problems: tuple[str, ...] = ()
        self._counted = 0
        self._alive: bool | None = None
        self._told = -CLOCK_SECONDS
        self._gone = False

    def look(self, now: float) -> Snapshot | None:
        """Everything that happened since the last look in one snapshot; None where there is nothing to tell.

        now: seconds since 1970. The first look always gives a snapshot. A folder that has been deleted gives
        one more, with an error.
        """
        if not os.path.isdir(self._experiment.folder):
            return self._farewell(now)
        self._gone = False
        # Asked first: once nobody computes any more, what is read after that is final.
        alive = self._is_alive()
        events = self._reader.poll()
        self._fold.add(events)
        anew = alive != self._alive or any(event.kind == "coordinator_started" for event in events)
        found = self._read_results(events, anew=anew)
        problems = self._read_problems()
        passed = alive and not 0 <= now - self._told < CLOCK_SECONDS
        if not (events or found or anew or passed or problems != self._problems):
            return None
        self._alive, self._problems, self._told = alive, problems, now
        return self._snapshot(now)

    def _snapshot(self, now: float) -> Snapshot:
        return self._fold.snapshot(
            now=now,
            alive=bool(self._alive),
            metrics=self._metrics,
            problems=self._problems,
            newer=self._reader.newer,
        )

    def _farewell(self, now: float) -> Snapshot | None:
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

    def _read_results(self, events: list[Event], *, anew: bool) -> bool:
        """Read the results of the runs that are said to be complete, or of all; whether that changed any."""
        before = self._metrics
        if anew:
            self._metrics = {run: self._checked(run, one) for run, one in self._experiment.results().items()}
        completed = (event["run"] for event in events if event.kind == "run_completed")
        self._unread |= {run for run in completed if type(run) is int}
        # On a file server a result may be seen a little later than the line that tells of it.
        self._unread = {
            run for run in self._unread if run not in self._metrics and 0 <= run < self._experiment.spec.runs
        }
        new = {
            run: self._checked(run, metrics)
            for run in self._unread
            if (metrics := self._experiment.result(run)) is not None
        }
        if new:
            self._unread -= new.keys()
            # Another mapping, never the same one changed: an earlier snapshot may still be looked at.
            self._metrics = dict(sorted({**self._metrics, **new}.items()))
        return self._metrics != before if anew else bool(new)

    def _checked(self, run: int, metrics: Mapping[str, Any]) -> Mapping[str, Any]:
        """The metrics of a run; none of them, and a problem, where they are not what this version writes."""
        if is_sound_result(metrics):
            self._misshapen.discard(run)
            return metrics
        self._misshapen.add(run)
        return {}

    def _read_problems(self) -> tuple[str, ...]:
        lines = self._reader.problems
        count = len(self._misshapen) + len(lines)
        if count == self._counted:
            return self._problems
        self._counted = count
        named = [
            *(
                f"run {run + 1}: its metrics.json lacks the counts and accuracies that this version shows"
                for run in sorted(self._misshapen)
            ),
            *(printable(f"{line.writer or 'journal'}: {line.reason}") for line in lines[:PROBLEMS]),
        ][:PROBLEMS]
        return (*named, f"and {count - len(named)} more") if count > len(named) else tuple(named)


def start_feed(node: DOMNode, experiment: Experiment, clock: Callable[[], float] = time.time) -> Worker[None]:
    """Post a SnapshotArrived to `node` whenever the experiment changes, until the worker is cancelled.

    It is cancelled with its node, and by following another experiment on the same node.
    """
    work = partial(_run, node, Feed(experiment), clock)
    return node.run_worker(work, name=experiment.id, group="feed", exclusive=True, thread=True)


def _run(node: DOMNode, feed: Feed, clock: Callable[[], float]) -> None:
    worker = get_current_worker()
    while not worker.is_cancelled:
        snapshot = feed.look(clock())
        if snapshot is not None and not worker.is_cancelled:
            node.post_message(SnapshotArrived(snapshot))
        worker.cancelled_event.wait(TICK_SECONDS)
