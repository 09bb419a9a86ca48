"""The main program that computes an experiment: takes its lock, starts workers, answers with an exit status.

`python -P -m core.engine.coordinator FOLDER ...` computes whatever runs of an experiment folder lack a valid
result. It alone holds the folder's lock, and its journal says what happens. The exit status is 0 when every run is
complete, 1 when one failed or the work broke off, 2 when the request cannot be met, 130 when it was stopped, 75
when another coordinator holds the lock, 70 when it crashed (the trace is in its log).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.engine.arguments import add_how, place_of
from core.engine.computation import Computation
from core.engine.elsewhere import executor_elsewhere
from core.engine.event_log import EventLog
from core.engine.executor import Executor, Request
from core.engine.local import LocalProcesses, PipedProcess, WorkerProcess
from core.engine.lock_keeping import working_in
from core.engine.main_program import answer
from core.engine.schedule import ATTEMPTS, ATTEMPTS_ELSEWHERE
from core.engine.stopping import ProcessStops, stop_requested
from core.engine.turn import Turn
from core.files.exit_status import ExitStatus
from core.records.events import Ending, Notice
from core.records.experiment import Experiment, load
from core.records.journal import session_of
from core.records.named_folders import sweep_half_done

EXIT_STATUS: dict[Ending, ExitStatus] = {
    "complete": ExitStatus.COMPLETE,
    "failed": ExitStatus.FAILED,
    "refused": ExitStatus.REFUSED,
    "cancelled": ExitStatus.INTERRUPTED,
    "interrupted": ExitStatus.INTERRUPTED,
}
"""The exit status for each way in which an experiment's computation ends."""


def main(arguments: list[str] | None = None) -> int:
    """Take the lock and compute; the exit status."""
    options = _parser().parse_args(arguments)

    def work(stops: ProcessStops) -> ExitStatus:
        experiment = load(options.folder)
        experiment.check_computable()
        return EXIT_STATUS[coordinate(experiment, options, stops)]

    return answer(work, options.folder, foreground=options.foreground, doing="compute in")


def coordinate(experiment: Experiment, options: argparse.Namespace, stops: ProcessStops) -> Ending:
    """Compute an experiment while its lock is held; how that ended. Raises LockHeld."""
    with working_in(experiment, stops) as (lock, lost):
        sweep_half_done(experiment.folder.parent)
        session = f"{_sessions(experiment) + 1:04d}"
        journal = EventLog(experiment.journal / f"{session}-coordinator.jsonl")
        if lock.taken_from is not None:
            journal.write(Notice(text=f"took over from {lock.taken_from.host}, silent for a while"))
        place = place_of(options)
        with Turn(
            experiment.folder.parent.parent,
            experiment.id,
            limit=options.limit or options.jobs * options.threads,
            threads=options.threads,
            since=options.since,
            study=options.study,
            elsewhere=place[1] if place is not None else "",
            at_once=options.now,
        ) as turn:
            status = Computation(
                experiment,
                _executor(experiment, options, session),
                journal.write,
                stop_requested(experiment.cancel_file, stops, lost),
                data_dir=options.data_dir.resolve(),
                turn=turn,
                attempts=ATTEMPTS if place is None else ATTEMPTS_ELSEWHERE,
            ).compute()
        journal.close()
    return status


def _executor(experiment: Experiment, options: argparse.Namespace, session: str) -> Executor:
    """What computes: worker processes here, unless they are asked for elsewhere."""

    def words(folder: Path) -> list[str]:
        return [
            str(folder),
            "--data-dir", str(options.data_dir.resolve()), "--cache-dir", str(options.cache_dir.resolve()),
            "--threads", str(options.threads),
            *(["--no-cache"] if options.no_cache else []),
        ]  # fmt: skip

    def journal(worker: int) -> Path:
        return experiment.journal / f"{session}-worker-{worker}.jsonl"

    def start(worker: int) -> WorkerProcess:
        command = [sys.executable, "-P", "-m", "core.engine.worker", *words(experiment.folder)]
        return PipedProcess([*command, "--serve", "--journal", str(journal(worker))])

    place = place_of(options)
    if place is None:
        return LocalProcesses(options.jobs, start)
    name, text = place
    return executor_elsewhere(
        name,
        Request(
            # Seen from elsewhere, by a process that begins in another folder.
            folder=experiment.folder.resolve(),
            text=text,
            jobs=options.jobs,
            threads=options.threads,
            options=words,
            journal=journal,
        ),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core.engine.coordinator", description=__doc__)
    parser.add_argument("folder", type=Path, help="an experiment's folder")
    add_how(parser)
    parser.add_argument("--since", type=float, help="seconds since 1970: its place in the queue")
    parser.add_argument("--study", default="", help="the study that it is computed for")
    parser.add_argument("--foreground", action="store_true", help="stop when standard input ends")
    return parser


def _sessions(experiment: Experiment) -> int:
    """How many coordinators have worked on this folder, by the highest number in the names of its journals.

    Those of workers count too: a coordinator's own journal may be lost while its workers' are there.
    """
    return max(map(session_of, experiment.journal.glob("*.jsonl")), default=0)


if __name__ == "__main__":
    sys.exit(main())
