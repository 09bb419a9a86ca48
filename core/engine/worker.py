"""A process that computes runs: for a coordinator over pipes, or alone, wherever the experiment's folder is seen.

`python -m core.engine.worker FOLDER RUN...` computes runs of an experiment, counted from 0 as its folders are,
but none that has a valid result. It says on standard error what it does; the exit status is 0 when all of them have
a result, 1 when one failed, 2 when the request cannot be met, 130 when it was interrupted.

With `--serve` runs come as messages (`core.engine.messages`) on standard input, and answers go to the descriptor
that `--answers` names: what a library prints cannot be taken for one. Where a launcher such as `srun` or `ssh`
passes no descriptor on, they go to standard output, each behind the word that `--marked` names. When the input ends
(the coordinator stopped, or died) the process leaves at once; with `--tied` also when it computes alone, and when
nobody alive holds the experiment's lock any more: a cut network need not end an input.

`--encoded` as the first word says that the others are percent-encoded, so that a shell on the way changes none.
"""

from __future__ import annotations

import argparse
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

import core.engine.one_thread  # isort: skip  # before NumPy and torch, which read the environment when they load
from core.engine.signs_of_life import MARKED, SIGN_SECONDS, give_first_sign, sign_of_life  # isort: skip

if __name__ == "__main__":
    give_first_sign(sys.argv[1:])

import torch

from core.engine.arguments import at_least_one
from core.engine.event_log import EventLog
from core.engine.messages import (
    ENCODED,
    Answer,
    Completed,
    Ready,
    Refusal,
    RunFailure,
    parse_command,
    to_line,
    to_marked_line,
    word,
)
from core.engine.run_computer import RunComputer, Write, prepare
from core.engine.tether import leave_with_the_lock
from core.engine.torch_folder import keep_to_own_folder
from core.errors import AefitError, DataError, ExperimentError
from core.files import channels
from core.files.exit_status import ExitStatus
from core.files.locations import cache_dir, default_data_dir, default_home, experiments_dir
from core.records.events import EpochFinished, Event, Notice, StageFinished
from core.records.experiment import Experiment
from core.records.experiment import load as load_experiment


class JournalTaken(ExperimentError):
    """The journal that this worker was to make exists: another worker was started for the same task before."""


def main(arguments: list[str] | None = None) -> int:
    """Serve a coordinator until it closes our standard input, or compute the runs that are named."""
    parser = _parser()
    words = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args([unquote(word) for word in words[1:]] if words[:1] == [ENCODED] else words)
    if options.serve == bool(options.runs):
        parser.error("expected the numbers of runs, counted from 0, or --serve")
    if options.serve != ((options.answers is None) != (options.marked is None)):
        parser.error("--serve and either --answers or --marked belong together")
    torch.set_num_threads(core.engine.one_thread.THREADS)
    if options.tied:
        leave_with_the_lock(options.folder)
    return _serve(options) if options.serve else _compute_alone(options)


def _serve(options: argparse.Namespace) -> int:
    answer = _answering(options.answers) if options.marked is None else _marking(options.marked)
    commands = _commands()
    try:
        computer = _prepare(load_experiment(options.folder), options, _journal_of(options))
    except JournalTaken as error:
        # Dask has begun a task for the second time while the first process was loading. That says nothing of the
        # experiment, so it is no refusal: this process ends, and counts as lost.
        _say(str(error))
        return ExitStatus.REFUSED
    except AefitError as error:
        answer(Refusal(error=word(str(error)), hint=word(error.hint)))
        return ExitStatus.REFUSED
    answer(Ready(data_sha256=computer.pool.sha256))
    while True:
        run = commands.get()
        failure = computer.compute(run)
        answer(
            Completed(run=run)
            if failure is None
            else RunFailure(run=run, error=word(failure.error), hint=word(failure.hint))
        )


def _compute_alone(options: argparse.Namespace) -> int:
    if options.tied:
        _leave_with_the_input()
    try:
        journal = _journal_of(options)

        def write(event: Event) -> None:
            journal(event)
            _say(_line(event))

        experiment = load_experiment(options.folder)
        experiment.check_computable()
        lacking = _lacking(experiment, options.runs)
        if not lacking:
            return ExitStatus.COMPLETE
        computer = _prepare(experiment, options, write)
        _check_same_data(computer)
    except AefitError as error:
        _say(str(error))
        _say(error.hint)
        return ExitStatus.REFUSED
    try:
        failed = [run for run in lacking if not _compute_and_say(computer, run)]
    except KeyboardInterrupt:
        _say("interrupted: runs that are complete stay so")
        return ExitStatus.INTERRUPTED
    return ExitStatus.FAILED if failed else ExitStatus.COMPLETE


def _lacking(experiment: Experiment, runs: list[int]) -> list[int]:
    """Those of `runs` that have no valid result, in their order. Raises ExperimentError for an unknown run."""
    there = experiment.spec.runs
    if unknown := [run for run in runs if not 0 <= run < there]:
        raise ExperimentError(
            f"{experiment.id} has no run {unknown[0]}: expected 0 to {there - 1}",
            f"for more runs: aefit-tui extend {experiment.word} --runs {max(unknown) + 1}",
        )
    lacking = []
    for run in dict.fromkeys(runs):
        if experiment.stands(run):
            _say(f"run {run} has its result already")
        else:
            lacking.append(run)
    return lacking


def _check_same_data(computer: RunComputer) -> None:
    """Raises DataError where other runs of the experiment were computed from other images."""
    experiment = computer.experiment
    for metrics in experiment.results().values():
        if metrics.data_sha256 != computer.pool.sha256:
            raise DataError(
                f"the data set {experiment.spec.dataset} is not what it was when earlier runs were computed",
                "bring the former files back, or compute all anew: "
                f"aefit-tui delete {experiment.word}, then start it again",
            )


def _compute_and_say(computer: RunComputer, run: int) -> bool:
    """Compute a run; whether it has a result now."""
    _say(f"run {run} begins")
    failure = computer.compute(run)
    if failure is None:
        _say(f"run {run} is complete")
        return True
    _say(f"run {run} failed: {failure.error}")
    _say(failure.hint)
    return False


def _line(event: Event) -> str:
    """The line that tells a person of an event, "" for an event that is not told."""
    match event:
        case Notice(text=text):
            return text
        case StageFinished(run=run, stage=stage, seconds=seconds):
            return f"run {run}: {stage} took {seconds:.1f} s"
        case EpochFinished(run=run, epoch=epoch, epochs=epochs, loss=loss):
            return f"run {run}: epoch {epoch} of {epochs}, loss {loss:.4f}"
    return ""


def _prepare(experiment: Experiment, options: argparse.Namespace, write: Write) -> RunComputer:
    """The computer of the experiment's runs, as the options say. Raises AefitError."""
    # Nothing is written beside a folder that lies elsewhere than in a home.
    folder = experiment.folder.resolve()
    own_home = folder.parent.parent
    home = own_home if folder.parent == experiments_dir(own_home) else default_home()
    cached_in = options.cache_dir or cache_dir(home)
    keep_to_own_folder(cached_in)
    return prepare(
        experiment,
        data_dir=options.data_dir or default_data_dir(home),
        cache_dir=cached_in,
        cached=not options.no_cache,
        threads=options.threads,
        write=write,
        trace_place=f"in {experiment.log}" if options.serve else "above",
    )


def _journal_of(options: argparse.Namespace) -> Write:
    """A function that journals an event, or ignores it without --journal. Raises JournalTaken, ExperimentError."""
    if options.journal is None:
        return lambda event: None
    try:
        return EventLog(options.journal).write
    except OSError as error:
        kind = JournalTaken if isinstance(error, FileExistsError) else ExperimentError
        raise kind(
            f"cannot make the journal {options.journal}: {error.strerror}", "expected a new file"
        ) from error


def _say(line: str) -> None:
    if line:
        channels.say(f"{line}\n")


def _answering(descriptor: int) -> Callable[[Answer], None]:
    """A function that writes an answer to a descriptor."""
    # A process that we start would keep it open, and the coordinator not notice our end.
    os.set_inheritable(descriptor, False)
    channel = os.fdopen(descriptor, "wb")

    def answer(message: Answer) -> None:
        channel.write(to_line(message))
        channel.flush()

    return answer


def _marking(mark: str) -> Callable[[Answer], None]:
    """A function that writes an answer behind `mark` to standard output; a thread writes signs of life there too.

    What else this process prints there goes to standard error from now on.
    """
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "wb")  # its own, which no process that we start inherits
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    speaking = threading.Lock()

    def send(line: bytes) -> None:
        with speaking:
            channel.write(line)
            channel.flush()

    def live() -> None:
        with suppress(BrokenPipeError):  # nobody reads it: our input has ended too, which ends this process
            while True:
                send(sign_of_life(mark))
                time.sleep(SIGN_SECONDS)

    threading.Thread(target=live, daemon=True).start()
    return lambda message: send(to_marked_line(message, mark))


def _leave_with_the_input() -> None:
    """From now on end this process when its standard input ends; what comes there is ignored."""

    def listen() -> None:
        # Without a buffer, as in `_commands`.
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os._exit(ExitStatus.INTERRUPTED)

    threading.Thread(target=listen, daemon=True).start()


def _commands() -> queue.SimpleQueue[int]:
    """A queue of the runs that the coordinator asks for; its thread ends this process when the input ends."""
    commands: queue.SimpleQueue[int] = queue.SimpleQueue()
    # Without a buffer, whose lock Python would wait for in vain where this process ends before its input does.
    commanding = os.fdopen(sys.stdin.fileno(), "rb", buffering=0, closefd=False)

    def listen() -> None:
        try:
            for line in commanding:
                commands.put(parse_command(line).run)
        except AefitError as error:
            _say(str(error))
        finally:
            # Nobody is left to answer; the run at work is computed again by whoever resumes.
            os._exit(ExitStatus.COMPLETE)

    threading.Thread(target=listen, daemon=True).start()
    return commands


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core.engine.worker",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="an experiment's folder")
    parser.add_argument("runs", type=int, nargs="*", metavar="RUN", help="a run, counted from 0")
    parser.add_argument("--serve", action="store_true", help="take runs from standard input")
    parser.add_argument("--answers", type=int, metavar="FD", help="with --serve: where answers go")
    parser.add_argument(MARKED, metavar="WORD", help="with --serve: answers go to standard output, so marked")
    parser.add_argument(
        "--tied", action="store_true", help="leave when nobody holds the experiment's lock, or the input ends"
    )
    parser.add_argument("--journal", type=Path, help="a new file for what happens (default: none)")
    parser.add_argument("--data-dir", type=Path, help="where data lie (default: in the home)")
    parser.add_argument(
        "--cache-dir",
        type=Path,
        help="for what can be made again (default: in the home)",
    )
    parser.add_argument(
        "--threads", type=at_least_one, default=1, help="Python threads of a run (default: 1)"
    )
    parser.add_argument("--no-cache", action="store_true", help="train and search anew, and keep neither")
    return parser


if __name__ == "__main__":
    sys.exit(main())
