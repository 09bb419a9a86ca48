"""The main program of a study: has its experiments computed, one after the other, each by a coordinator of its own.

`python -P -m core.engine.supervisor FOLDER ...` starts a coordinator for each experiment that lacks a run, in the
study's order. It keeps one of them waiting for its turn in the home's queue, so that no processor is idle while
anything is left, and computes nothing itself: what it has started goes on without it. It alone holds the study's
lock. The exit status is 0 when every experiment is complete, 1 when one is not, 130 when it was stopped, 75 when
another supervisor holds the lock, 2 when the request cannot be met, 70 when it crashed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol

from core.engine.arguments import at_least_one
from core.engine.lock_keeping import heartbeat
from core.engine.stopping import ProcessStops
from core.errors import AefitError
from core.files.exit_status import ExitStatus
from core.records.experiment import Experiment
from core.records.home import create, existing
from core.records.lock import Lock, LockHeld
from core.records.queue import Queued, read_queue
from core.records.starting import How, start_coordinator
from core.records.state import read_state
from core.records.study import Study, StudyCell, load_study

LOOK_SECONDS = 0.25
"""How often it is looked who has ended and who waits."""

BETWEEN = 1e-4
"""Seconds by which each experiment of a study comes after the one before, in the queue."""


class Started(Protocol):
    """A coordinator, as much of its process as is looked at."""

    def poll(self) -> int | None:
        """Its exit status, None while it lives."""
        ...

    def terminate(self) -> None:
        """Ask it to go on another time."""
        ...


Start = Callable[[Experiment], Started]
"""Starts a coordinator. Raises AefitError."""


class Supervision:
    """Has what a study lacks computed.

    start: begins an experiment. tell: is told what cannot be begun, and why. queue: who computes in the home now.
    """

    def __init__(
        self, study: Study, start: Start, tell: Callable[[str], object], queue: Callable[[], list[Queued]]
    ) -> None:
        self._study = study
        self._start = start
        self._tell = tell
        self._queue = queue
        self._left = deque(study.cells)
        self._started: dict[str, tuple[Experiment, Started]] = {}
        self._elsewhere: list[StudyCell] = []
        self._tried_again: set[str] = set()

    @property
    def processes(self) -> list[Started]:
        """The coordinators that it has started, but those that it has seen to have ended."""
        return [process for _, process in self._started.values()]

    def stop(self, *, for_good: bool) -> None:
        """Ask those that it has started to stop. for_good: a person wants no more of it."""
        for experiment, process in self._started.values():
            with suppress(OSError):
                if for_good:
                    experiment.cancel_file.touch()
                else:
                    process.terminate()

    def step(self) -> bool:
        """Look who has ended, begin what can be; whether anything is left to be seen to."""
        for key, (experiment, process) in list(self._started.items()):
            status = process.poll()
            if status is None:
                continue
            del self._started[key]
            if status == ExitStatus.LOCKED:  # somebody else has begun it
                self._elsewhere.append(next(cell for cell in self._study.cells if cell.id == experiment.id))
        self._see_to_others()
        while self._left and not self._one_waits():
            self._begin(self._left.popleft())
        return bool(self._left or self._started or self._elsewhere)

    def _see_to_others(self) -> None:
        """What others computed and have left unfinished is begun, once."""
        for cell in list(self._elsewhere):
            with suppress(OSError):
                experiment = _experiment_of(self._study, cell)
                if experiment is not None and experiment.running:
                    continue
            self._elsewhere.remove(cell)
            if cell.id not in self._tried_again:
                self._tried_again.add(cell.id)
                self._left.appendleft(cell)

    def _one_waits(self) -> bool:
        """Whether one that was started computes nothing yet: it has no ticket yet, or waits for its turn."""
        tickets = {queued.ticket.experiment: queued for queued in self._queue()}
        return any(key not in tickets or tickets[key].waiting for key in self._started)

    def _begin(self, cell: StudyCell) -> None:
        try:
            experiment = _experiment_of(self._study, cell)
            if experiment is None:
                self._tell(f"{cell.id} is left out: {cell.problem}")
            elif experiment.running:
                self._elsewhere.append(cell)
            elif not is_complete(experiment):
                experiment.check_computable()
                self._started[cell.id] = experiment, self._start(experiment)
        except (AefitError, OSError) as error:
            self._tell(f"{cell.id} is left out: {error}")


def supervise(study: Study, how: How, stops: Callable[[], bool]) -> ExitStatus:
    """Have a study computed while its lock is held; the exit status. Raises LockHeld, OSError."""
    left_over = study.cancel_file.exists() and not study.running
    if left_over:  # of one that died before it could obey
        study.cancel_file.unlink(missing_ok=True)
    with Lock(study.folder, give_up=stops) as lock, heartbeat(lock) as lost:
        study.clear_leftovers()
        since = time.time()

        begun = count()

        def start(experiment: Experiment) -> subprocess.Popen[bytes]:
            jobs = min(how.jobs, experiment.spec.runs)
            place = since + next(begun) * BETWEEN
            return start_coordinator(
                experiment, replace(how, jobs=jobs), tied=False, since=place, study=study.name
            )

        def queue() -> list[Queued]:
            return read_queue(study.home)

        supervision = Supervision(study, start, _tell, queue)
        stopped = False
        while supervision.step():
            if lost():
                return ExitStatus.INTERRUPTED
            cancelled = study.cancel_file.exists()
            if cancelled or stops():
                supervision.stop(for_good=cancelled)
                stopped = True
                break
            time.sleep(LOOK_SECONDS)
        while any(process.poll() is None for process in supervision.processes):
            time.sleep(LOOK_SECONDS)
        if lock.held:
            study.cancel_file.unlink(missing_ok=True)
    if stopped:
        return ExitStatus.INTERRUPTED
    return ExitStatus.COMPLETE if all(map(partial(_is_done, study), study.cells)) else ExitStatus.FAILED


def _is_done(study: Study, cell: StudyCell) -> bool:
    found = existing(study.home, cell.spec) if cell.spec is not None else None
    return found is not None and is_complete(found)


def is_complete(experiment: Experiment) -> bool:
    """Whether every run has a result and the statistics are over all of them. Raises OSError."""
    if len(experiment.results()) < experiment.spec.runs:
        return False
    return read_state(experiment).summarised


def _experiment_of(study: Study, cell: StudyCell) -> Experiment | None:
    """The experiment of a cell, made where it is not there; None for a cell that cannot be read."""
    return create(study.home, cell.spec)[0] if cell.spec is not None else None


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main(arguments: list[str] | None = None) -> int:
    """Take the study's lock and see to it; the exit status."""
    options = _parser().parse_args(arguments)
    stops = ProcessStops()
    stops.watch_signals()
    if options.foreground:
        stops.watch_parent()
    how = How(
        jobs=options.jobs,
        threads=options.threads,
        limit=options.limit or options.jobs * options.threads,
        data_dir=options.data_dir.resolve(),
        cache_dir=options.cache_dir.resolve(),
        no_cache=options.no_cache,
        now=options.now,
    )
    try:
        return supervise(load_study(options.folder), how, stops)
    except LockHeld:
        return ExitStatus.INTERRUPTED if stops() else ExitStatus.LOCKED
    except OSError as error:
        _tell(f"cannot see to {options.folder}: {error.strerror or error}")
        return ExitStatus.REFUSED
    except AefitError as error:
        _tell(f"{error}\n{error.hint}")
        return ExitStatus.REFUSED
    except Exception:  # noqa: BLE001  # it is in the log, and has a status of its own
        traceback.print_exc()
        return ExitStatus.CRASHED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.engine.supervisor", description=__doc__)
    parser.add_argument("folder", type=Path, help="a study's folder")
    parser.add_argument("--jobs", type=at_least_one, required=True, help="runs computed at the same time")
    parser.add_argument("--threads", type=at_least_one, default=1, help="Python threads of a run")
    parser.add_argument(
        "--limit", type=at_least_one, help="processors of all experiments of the home together"
    )
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--no-cache", action="store_true", help="train and search anew, and keep neither")
    parser.add_argument("--now", action="store_true", help="wait for no other experiment")
    parser.add_argument("--foreground", action="store_true", help="stop when standard input ends")
    return parser


if __name__ == "__main__":
    sys.exit(main())
