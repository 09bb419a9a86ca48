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
"""How often it is looked who has ended and who waits."""

AGAIN_SECONDS = 10.0
"""How long after the system failed it an experiment is tried again."""

PATIENCE = 300.0
"""For how long the system may fail an experiment until it is left out: an NFS server takes 90 s to come back."""

BETWEEN = 1e-4
"""Seconds by which each experiment of a study comes after the one before, in the queue."""


class Started(Protocol):
    """A coordinator, as much of its process as is looked at."""

    @property
    def pid(self) -> int:
        """Its number among this machine's processes."""
        ...

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
    clock: seconds, for the time until what the system failed is tried again.
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
        """What is to be begun, in this order."""
        self._started: dict[str, tuple[Experiment, Started]] = {}
        """Id -> what was begun here and is not known to have ended."""
        self._further: dict[str, int] = {}
        """Of those the ones that were given further runs since: id -> how many runs were asked for at the start."""
        self._elsewhere: dict[str, StudyCell] = {}
        """Id -> what somebody else computes."""
        self._tried_again: set[str] = set()
        """The ids of those that others have left unfinished, and that were begun for it: once is enough."""
        self._later: list[tuple[float, StudyCell]] = []
        """What the system failed, and from when on it is tried again."""
        self._failed: Counter[str] = Counter()
        """Id -> how many times in a row the system has failed it."""

    def stop(self, *, for_good: bool) -> bool:
        """Ask those that it has started and that live to stop; whether there are any.

        for_good: a person wants no more of it. To be asked again until they have: one that is only starting takes a
        request for one that its predecessor left over. One that does not hold its experiment's lock, yet or ever,
        is asked by a signal: a request in the folder would reach somebody else, who does.
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
        """Look who has ended, begin what can be; whether anything is left to be seen to."""
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
        """What others computed and have left unfinished is begun, once."""
        for cell in list(self._elsewhere.values()):
            try:
                experiment = _experiment_of(self._study, cell)
                if experiment is not None and experiment.running:
                    continue
            except (AefitError, OSError) as error:
                if _may_pass(error):  # that is no end of what others compute: its one retry is not spent
                    del self._elsewhere[cell.id]
                    self._put_off(cell, error)
                    continue
            del self._elsewhere[cell.id]
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
        """What the system failed is tried again later, unless that has been so for long enough."""
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
    """Whether a process of ours that lives holds an experiment's lock. Raises OSError."""
    holding = experiment.lock.holding()
    return holding is not None and holding.holder == identity(process.pid)


def _lacks(study: Study, cell: StudyCell, first: int) -> bool:
    """Whether run `first` or a later one that the study asks for has neither a result nor failed for good.

    What cannot be read now may lack: that is seen when it is begun.
    """
    with suppress(OSError, AefitError):
        experiment = _experiment_of(study, cell)
        return experiment is not None and any(
            first <= run < _runs(cell) for run in read_state(experiment).untried
        )
    return True


def supervise(study: Study, how: How, stops: Callable[[], bool]) -> ExitStatus:
    """Have a study computed while its lock is held; the exit status. Raises LockHeld, OSError."""
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
    """Whether the system is behind an error: a file server that is away comes back, a full disk is made room on."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__
    return error is not None


def is_complete(experiment: Experiment, runs: int) -> bool:
    """Whether its first `runs` runs have results, and the statistics are over all there are. Raises OSError."""
    if not experiment.results().keys() >= set(range(runs)):
        return False
    return experiment.spec.runs > runs or read_state(experiment).summarised


def _runs(cell: StudyCell) -> int:
    """How many runs the study asks for."""
    return cell.spec.runs if cell.spec is not None else 0


def _stamp(study: Study) -> tuple[int, int]:
    """What changes with the study's file."""
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
    """Take the study's lock and see to it; the exit status."""
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
