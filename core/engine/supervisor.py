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
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol

from core.engine.arguments import add_how, how_of
from core.engine.lock_keeping import working_in
from core.engine.main_program import answer
from core.engine.stopping import ProcessStops
from core.errors import AefitError, StudyError
from core.files import channels
from core.files.exit_status import ExitStatus
from core.records.experiment import Experiment
from core.records.home import create, existing
from core.records.process import identity
from core.records.queue import Queued, read_queue
from core.records.starting import How, start_coordinator
from core.records.state import read_state
from core.records.stopping import cancel_requested, request_cancel
from core.records.study import STUDY_FILE, Study, StudyCell, load_study

LOOK_SECONDS = 0.25
"""Seconds between two looks at the coordinators and the queue."""

AGAIN_SECONDS = 10.0
"""How long after an error of the system (an OSError) an experiment is tried again."""

PATIENCE = 300.0
"""For how long an experiment may meet such errors until it is left out: an NFS server takes 90 s to come back."""

BETWEEN = 1e-4
"""Seconds between the places in the queue of two successive experiments of a study, which keeps their order."""


class Started(Protocol):
    """The process of a coordinator, as much of `subprocess.Popen` as is used here."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    def poll(self) -> int | None:
        """Its exit status, None while it lives."""
        ...

    def terminate(self) -> None:
        """Ask it to stop, to go on another time."""
        ...


Start = Callable[[Experiment], Started]
"""Starts a coordinator. Raises AefitError."""


class Supervision:
    """Has the missing runs of a study computed.

    start: starts the coordinator of an experiment. tell: is told which experiment cannot be started, and why.
    queue: the tickets of those who compute in the home now. clock: seconds, for AGAIN_SECONDS.
    """

    def __init__(
        self,
        study: Study,
        start: Start,
        tell: Callable[[str], object],
        queue: Callable[[], list[Queued]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._study = study
        self._start = start
        self._tell = tell
        self._queue = queue
        self._clock = clock
        self._left = deque(study.cells)
        """The cells to be started, in this order."""
        self._started: dict[str, tuple[Experiment, Started]] = {}
        """Id -> an experiment that was started here and is not known to have ended, with its coordinator."""
        self._further: dict[str, int] = {}
        """Id of one of `_started` that was given further runs since -> how many runs it was started with."""
        self._elsewhere: dict[str, StudyCell] = {}
        """Id -> the cell of an experiment that somebody else computes."""
        self._tried_again: set[str] = set()
        """The ids of experiments that others left unfinished and that were put back to be started: once at most."""
        self._later: list[tuple[float, StudyCell]] = []
        """When to try again, and the cell of an experiment that met an error of the system."""
        self._failed: Counter[str] = Counter()
        """Id -> how many errors of the system an experiment has met in a row."""

    def stop(self, *, for_good: bool) -> bool:
        """Ask the living coordinators that were started here to stop; whether there are any.

        for_good: a person wants no more of it. To be called again until none lives: a coordinator that is only
        starting takes a cancel file for one that its predecessor left. One that does not hold its experiment's
        lock gets a signal instead: a cancel file would reach whoever holds it.
        """
        alive = [pair for pair in self._started.values() if pair[1].poll() is None]
        for experiment, process in alive:
            with suppress(OSError):
                if for_good and _computes(process, experiment):
                    request_cancel(experiment.cancel_file)
                else:
                    process.terminate()
        return bool(alive)

    def take_in(self, study: Study) -> None:
        """Go on with a study that has been given further experiments, or further runs of some."""
        known = {cell.id: _runs(cell) for cell in self._study.cells}
        left = {cell.id for cell in self._left}
        waiting = left | self._elsewhere.keys() | {cell.id for _, cell in self._later}
        self._study = study
        self._left = deque(cell for cell in study.cells if cell.id in left)
        self._later = [(due, cell) for due, old in self._later for cell in study.cells if cell.id == old.id]
        self._elsewhere = {cell.id: cell for cell in study.cells if cell.id in self._elsewhere}
        for cell in study.cells:
            if _runs(cell) > known.get(cell.id, 0):
                self._tried_again.discard(cell.id)
                if cell.id not in waiting:
                    self._left.append(cell)

    def step(self) -> bool:
        """Look which coordinators have ended, start those that can be; whether anything is left to do."""
        for key, (experiment, process) in list(self._started.items()):
            status = process.poll()
            if status is None:
                continue
            del self._started[key]
            cells = [cell for cell in self._study.cells if cell.id == experiment.id]
            if status == ExitStatus.LOCKED:  # somebody else has begun it
                self._elsewhere |= {cell.id: cell for cell in cells}
            elif key in self._further and status in (ExitStatus.COMPLETE, ExitStatus.FAILED):
                # It may have ended before it could hear of the further runs.
                self._left += [cell for cell in cells if _lacks(self._study, cell, self._further[key])]
            self._further.pop(key, None)
        self._see_to_others()
        now = self._clock()
        self._left += [cell for due, cell in self._later if due <= now]
        self._later = [(due, cell) for due, cell in self._later if due > now]
        while self._left and not self._one_waits():
            self._begin(self._left.popleft())
        return bool(self._left or self._started or self._elsewhere or self._later)

    def _see_to_others(self) -> None:
        """Put experiments that others computed and no longer compute back among those to be started, once each."""
        for cell in list(self._elsewhere.values()):
            try:
                experiment = _experiment_of(self._study, cell)
                if experiment is not None and experiment.running:
                    continue
            except (AefitError, OSError) as error:
                if _may_pass(error):  # it may still be computed: its one retry is not spent
                    del self._elsewhere[cell.id]
                    self._put_off(cell, error)
                    continue
            del self._elsewhere[cell.id]
            if cell.id not in self._tried_again:
                self._tried_again.add(cell.id)
                self._left.appendleft(cell)

    def _one_waits(self) -> bool:
        """Whether one of the started experiments computes nothing yet: it has no ticket, or waits for its turn."""
        tickets = {queued.ticket.experiment: queued for queued in self._queue()}
        return any(key not in tickets or tickets[key].waiting for key in self._started)

    def _begin(self, cell: StudyCell) -> None:
        try:
            experiment = _experiment_of(self._study, cell)
            if experiment is None:
                self._tell(f"{cell.id} is left out: {cell.problem}")
            elif cell.id in self._started:
                # Who computes it hears of the further runs, or is about to end.
                self._further.setdefault(cell.id, self._started[cell.id][0].spec.runs)
            elif experiment.running:
                self._elsewhere[cell.id] = cell
            elif not is_complete(experiment, _runs(cell)):
                experiment.check_computable()
                self._started[cell.id] = experiment, self._start(experiment)
            del self._failed[cell.id]
        except (AefitError, OSError) as error:
            if _may_pass(error):
                self._put_off(cell, error)
            else:
                self._tell(f"{cell.id} is left out: {error}")

    def _put_off(self, cell: StudyCell, error: Exception) -> None:
        """Have an experiment that met an error of the system tried again later, or leave it out after PATIENCE."""
        self._failed[cell.id] += 1
        if self._failed[cell.id] == 1:
            self._tell(f"{cell.id} is tried again for up to {PATIENCE:.0f} s: {error}")
        # Counted by tries: the time in which others had their turn, and nobody tried, is no outage.
        if (self._failed[cell.id] - 1) * AGAIN_SECONDS < PATIENCE:
            self._later.append((self._clock() + AGAIN_SECONDS, cell))
        else:
            del self._failed[cell.id]
            self._tell(f"{cell.id} is left out: {error}")


def _computes(process: Started, experiment: Experiment) -> bool:
    """Whether a living process of ours holds an experiment's lock. Raises OSError."""
    holding = experiment.lock.holding()
    return holding is not None and holding.holder == identity(process.pid)


def _lacks(study: Study, cell: StudyCell, first: int) -> bool:
    """Whether run `first` or a later one that the study asks for has neither a result nor failed for good.

    True where that cannot be read now: it is seen when the experiment is started.
    """
    with suppress(OSError, AefitError):
        experiment = _experiment_of(study, cell)
        return experiment is not None and any(
            first <= run < _runs(cell) for run in read_state(experiment).untried
        )
    return True


def supervise(study: Study, how: How, stops: Callable[[], bool]) -> ExitStatus:
    """Take the study's lock and have it computed; the exit status. Raises LockHeld, OSError."""
    with working_in(study, stops) as (_, lost):
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
        stopped, stamp = False, _stamp(study)
        while supervision.step():
            if (now := _stamp(study)) != stamp:
                # Whoever has written it is told; it is read again at the next look.
                with suppress(StudyError):
                    study = load_study(study.folder)
                    supervision.take_in(study)
                    stamp = now
            if lost():
                return ExitStatus.INTERRUPTED
            if cancel_requested(study.cancel_file) or stops():
                stopped = True
                break
            time.sleep(LOOK_SECONDS)
        while stopped and supervision.stop(for_good=cancel_requested(study.cancel_file)):
            time.sleep(LOOK_SECONDS)
    if stopped:
        return ExitStatus.INTERRUPTED
    return ExitStatus.COMPLETE if all(map(partial(_is_done, study), study.cells)) else ExitStatus.FAILED


def _is_done(study: Study, cell: StudyCell) -> bool:
    with suppress(OSError, AefitError):
        found = existing(study.home, cell.spec) if cell.spec is not None else None
        return found is not None and is_complete(found, _runs(cell))
    return False


def _may_pass(error: BaseException | None) -> bool:
    """Whether an OSError is among an error's causes: a file server may come back, a full disk be made room on."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__
    return error is not None


def is_complete(experiment: Experiment, runs: int) -> bool:
    """Whether an experiment's first `runs` runs have results, and all its statistics where it has no more runs.

    Raises OSError.
    """
    if not experiment.results().keys() >= set(range(runs)):
        return False
    return experiment.spec.runs > runs or read_state(experiment).summarised


def _runs(cell: StudyCell) -> int:
    """How many runs the study asks of a cell; 0 where the cell cannot be read."""
    return cell.spec.runs if cell.spec is not None else 0


def _stamp(study: Study) -> tuple[int, int]:
    """Time and inode of the study's file, which tell that it has changed; zeros where it cannot be looked at."""
    try:
        status = (study.folder / STUDY_FILE).stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_ino


def _experiment_of(study: Study, cell: StudyCell) -> Experiment | None:
    """The experiment of a cell, made where it is not there; None for a cell that cannot be read."""
    return create(study.home, cell.spec)[0] if cell.spec is not None else None


def _tell(text: str) -> None:
    channels.say(f"{text}\n")


def main(arguments: list[str] | None = None) -> int:
    """Take the study's lock and have it computed; the exit status."""
    options = _parser().parse_args(arguments)

    def work(stops: ProcessStops) -> ExitStatus:
        return supervise(load_study(options.folder), how_of(options), stops)

    return answer(work, options.folder, foreground=options.foreground, doing="see to")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.engine.supervisor", description=__doc__)
    parser.add_argument("folder", type=Path, help="a study's folder")
    add_how(parser)
    parser.add_argument("--foreground", action="store_true", help="stop when standard input ends")
    return parser


if __name__ == "__main__":
    sys.exit(main())
