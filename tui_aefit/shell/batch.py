"""The headless mode: starts a coordinator, as the lab does, and follows it in the shell until it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.data.catalogue import check_available
from core.errors import AefitError, ExperimentError
from core.files.exit_status import ExitStatus
from core.files.reading import read_end
from core.records.events import Event, Finished
from core.records.experiment import Experiment
from core.records.home import create, delete_experiment, existing
from core.records.journal import JournalReader
from core.records.starting import How, start_coordinator
from core.records.state import State, read_state
from core.records.status import ExperimentStatus
from core.report.formats import WIDTH
from core.report.formatting import counted
from core.report.result import result_of
from core.report.tables.text import tables
from tui_aefit.shell.changed_source import refuse_changed_source
from tui_aefit.shell.console import Console
from tui_aefit.shell.follow import Stopped, follow, from_last_start, stop_signals
from tui_aefit.shell.launcher import is_at_work
from tui_aefit.shell.narration import Lines, Narrator, Silence
from tui_aefit.shell.parallelism import processors
from tui_aefit.shell.settings import Settings

Done = Literal["computed", "nothing", "started", "joined", "interrupted", "failed"]
"""What `resume` and `extend` did, in their JSON: computed runs, found nothing to do, started work in the
background, joined somebody else's computation, were interrupted, or saw the computation break off.
"""


LOG_BYTES = 2000
"""How many bytes of the end of a log are shown where a coordinator ended unexpectedly."""


@dataclass(frozen=True)
class BatchOptions:
    """How a headless call behaves.

    how: how it computes. detach: go on in the background. as_json: print JSON. before: the runs that were complete
    when the command began, where its JSON also says what it did (`done`, `computed`); None where its output is the
    result alone.
    """

    how: How
    detach: bool = False
    as_json: bool = False
    before: frozenset[int] | None = None


def batch_options(
    settings: Settings,
    runs: int,
    *,
    data_dir: Path,
    detach: bool,
    as_json: bool,
    now: bool = False,
    before: frozenset[int] | None = None,
) -> BatchOptions:
    """The options of a call with these settings that computes `runs` runs. Raises SpecError as `Settings.how`."""
    how = settings.how(runs, data_dir=data_dir, now=now)
    return BatchOptions(how, detach=detach, as_json=as_json, before=before)


def new_batch(settings: Settings, console: Console, *, detach: bool, as_json: bool, now: bool = False) -> int:
    """Compute the experiment that the settings ask for; the exit status. Raises AefitError, having made nothing.

    An experiment that exists with fewer runs is extended; of one with more, all runs are in the result.
    """
    spec = settings.spec()
    check_available(spec.dataset, settings.data_dir)
    found = existing(settings.home, spec)
    lacking = max(spec.runs, found.spec.runs) - len(found.results()) if found is not None else spec.runs
    # Errors in these are told before anything is made.
    options = batch_options(
        settings,
        max(1, lacking),
        data_dir=settings.data_dir,
        detach=detach,
        as_json=as_json,
        now=now,
    )
    if found is not None and found.spec.runs < spec.runs:
        return extend(found, spec.runs, options, console)
    experiment, new = create(settings.home, spec)
    if experiment.spec.runs > spec.runs:
        runs = counted(experiment.spec.runs, "run")
        console.narrate(
            f"{experiment.id} has {runs} already, more than {spec.runs}: its result is that of all"
        )
    return run_batch(experiment, options, console, new=new)


def extend(experiment: Experiment, runs: int, options: BatchOptions, console: Console) -> int:
    """Extend an experiment to `runs` runs, compute the further ones and print the result; the exit status.

    Where they are refused and none of them was computed, the experiment keeps the runs that it had.
    Raises AefitError, having changed nothing.
    """
    if not experiment.running:  # whoever computes it has its data
        check_available(experiment.spec.dataset, options.how.data_dir)
    extended = experiment.extend(runs)
    try:
        status = run_batch(extended, options, console)
    except AefitError:
        extended.take_back(experiment.spec.runs)
        raise
    if status == ExitStatus.REFUSED:
        extended.take_back(experiment.spec.runs)
    return status


def run_batch(experiment: Experiment, options: BatchOptions, console: Console, *, new: bool = False) -> int:
    """Compute what an experiment lacks and print its result; the exit status.

    new: the folder was made for this call: it is removed again where the request is refused and no result is in it.
    Raises ExperimentError where no run can be added to the experiment, DataError where it is complete, but the
    person's own data set has changed since.
    """
    if is_at_work(experiment):
        return _join(experiment, options, console)
    state = read_state(experiment)
    valid = len(experiment.results(verify=True)) == experiment.spec.runs
    if state.status is ExperimentStatus.COMPLETE and state.summarised and valid:
        experiment.check_identity()
        refuse_changed_source(experiment, options.how.cache_dir)
        console.narrate(f"{experiment.id} is complete already: this is its stored result")
        return _print_done(state, console, options)
    experiment.check_computable()
    jobs, threads = options.how.jobs, options.how.threads
    if jobs * threads > processors() and not options.how.elsewhere:
        console.narrate(
            f"aefit-tui: runs at a time x threads of a run = {jobs} x {threads}, more than the {processors()} "
            "processors there are: they will wait for each other (see --jobs and --threads)"
        )
    if doubt := experiment.doubt:
        console.narrate(doubt)
    status = (_detach if options.detach else _compute)(experiment, options, console)
    if status < 0:
        console.problem(f"the coordinator was killed by signal {-status}; nothing that was complete is lost")
        status = ExitStatus.INTERRUPTED
    if status == ExitStatus.LOCKED:
        # Somebody else began between our look and our start.
        return _join(experiment, options, console)
    if status == ExitStatus.REFUSED:
        ended = read_state(experiment)
        if ended.last(Finished) == state.last(Finished):  # the coordinator could not even make its journal
            _show_log(experiment, console, f"{experiment.id} cannot be computed")
        else:
            _explain_ending(ended, console)
        if new and not experiment.may_have_results():
            with suppress(ExperimentError):  # somebody else computes it by now: the folder is theirs
                delete_experiment(experiment.folder)
        return status
    if status == ExitStatus.CRASHED:
        _show_log(experiment, console)
        _say_done(experiment, console, options, "failed")
        return ExitStatus.FAILED
    if status == ExitStatus.INTERRUPTED:
        console.problem(
            "stopped before all runs were complete", f"go on with: aefit-tui resume {experiment.word}"
        )
        _say_done(experiment, console, options, "interrupted")
        return status
    if options.detach:
        return status
    state = read_state(_reloaded(experiment))
    if status == ExitStatus.FAILED and state.last(Finished) is None:
        _show_log(experiment, console)
    return _print_done(state, console, options)


def attach(experiment: Experiment, console: Console, *, as_json: bool) -> int:
    """Follow an experiment that somebody else computes and print its result; leaving does not stop it."""
    if not _follow_to_its_end(experiment, console):
        return ExitStatus.INTERRUPTED
    return print_result(read_state(_reloaded(experiment)), console, as_json=as_json)


def print_result(state: State, console: Console, *, as_json: bool, width: int | None = None) -> int:
    """Print the result of an experiment as read; its exit status, see `_exit_status`.

    width: characters of a line, by default the terminal's, and WIDTH where there is none.
    """
    result = result_of(state)
    if as_json:
        console.result(result.to_text())
    else:
        console.result(tables(result, width or console.width or WIDTH))
    return _exit_status(state, console)


def _print_done(state: State, console: Console, options: BatchOptions) -> int:
    """Print the result as `print_result`, or as `_say_done` where `options.before` is set; the exit status."""
    if options.before is None:
        return print_result(state, console, as_json=options.as_json)
    computed = bool(state.results.keys() - options.before)
    _say_done(state.experiment, console, options, "computed" if computed else "nothing")
    return _exit_status(state, console)


def _say_done(experiment: Experiment, console: Console, options: BatchOptions, done: Done) -> None:
    """Print the present result and what the command did, as JSON; nothing where `options.before` is None."""
    if options.before is not None:
        state = read_state(_reloaded(experiment))
        computed = sorted(state.results.keys() - options.before)
        console.result_json({**result_of(state).to_json(), "done": done, "computed": computed})


def _exit_status(state: State, console: Console) -> int:
    """Say what went wrong and how to go on; the exit status: REFUSED, COMPLETE if all runs are, else FAILED."""
    for run, failure in state.failures.items():
        console.problem(f"run {run + 1} failed: {failure.error}", failure.hint)
    if state.failures:
        console.narrate(f"try the failed runs again with: aefit-tui resume {state.experiment.word}")
    if state.status in (ExperimentStatus.FAILED, ExperimentStatus.REFUSED):
        _explain_ending(state, console)
    if state.status is ExperimentStatus.REFUSED:
        return ExitStatus.REFUSED
    complete = len(state.results) == state.experiment.spec.runs
    return ExitStatus.COMPLETE if complete else ExitStatus.FAILED


def _join(experiment: Experiment, options: BatchOptions, console: Console) -> int:
    """Follow an experiment that somebody else computes, or leave at once with --detach; the exit status."""
    console.narrate(f"{experiment.id} is being computed already")
    if options.detach:
        _print_background(experiment, console, options, "joined")
        return ExitStatus.COMPLETE
    if not _follow_to_its_end(experiment, console):
        _say_done(experiment, console, options, "interrupted")
        return ExitStatus.INTERRUPTED
    state = read_state(_reloaded(experiment))
    last = state.last(Finished)
    ended = last is not None and last.status in ("complete", "failed")
    if state.untried and (ended or experiment.abandoned):
        # That coordinator ended before it could notice the further runs that we ask for, or it was killed.
        return run_batch(state.experiment, options, console)
    return _print_done(state, console, options)


def _follow_to_its_end(experiment: Experiment, console: Console) -> bool:
    """Narrate what somebody else computes until that ends; False where the person leaves before."""
    reader = JournalReader(experiment.journal)
    try:
        with stop_signals(), closing(_narrator(experiment, console)) as narrator:
            follow(reader, narrator, lambda: experiment.running, from_last_start(reader))
    except Stopped:
        again = f"aefit-tui attach {experiment.word}"
        console.narrate(f"{experiment.id} goes on without you; see it again with: {again}")
        return False
    return True


def _compute(experiment: Experiment, options: BatchOptions, console: Console) -> int:
    """Start a coordinator tied to us and follow it to its end; its exit status, below 0 where it was killed."""
    reader = JournalReader(experiment.journal)
    past = reader.poll()
    process = None
    with closing(_narrator(experiment, console, past)) as narrator, stop_signals():
        try:
            process = start_coordinator(experiment, options.how, tied=True)
            follow(reader, narrator, lambda: process.poll() is None)
        except Stopped:
            if process is None:
                return ExitStatus.INTERRUPTED
            assert process.stdin is not None
            process.stdin.close()  # which asks it to stop
        # Further signals are still ignored: the coordinator is finishing.
        return process.wait()


def _detach(experiment: Experiment, options: BatchOptions, console: Console) -> int:
    """Start a coordinator that outlives us and wait until it has the lock; its exit status, 0 while it computes."""
    process = start_coordinator(experiment, options.how, tied=False)
    follow(
        JournalReader(experiment.journal),
        Silence(),
        lambda: process.poll() is None and not experiment.running,
    )
    status = process.poll() or ExitStatus.COMPLETE
    if status == ExitStatus.COMPLETE:
        console.narrate(f"computing in the background; follow it with: aefit-tui attach {experiment.word}")
        _print_background(experiment, console, options, "started")
    return status


def _print_background(experiment: Experiment, console: Console, options: BatchOptions, done: Done) -> None:
    """Print that an experiment goes on in the background: its id, or JSON where `options` ask for that."""
    if options.before is not None:
        _say_done(experiment, console, options, done)
    elif options.as_json:
        console.result(result_of(read_state(experiment)).to_text())
    else:
        console.result(experiment.id)


def _reloaded(experiment: Experiment) -> Experiment:
    """The experiment with the runs that are asked for now; unchanged where its specification cannot be read."""
    try:
        return experiment.reloaded()
    except ExperimentError:
        return experiment


def _explain_ending(state: State, console: Console) -> None:
    """Say why the last coordinator ended, if it journaled an error."""
    last = state.last(Finished)
    if last is not None and last.error:
        console.problem(last.error, last.hint)


def _show_log(
    experiment: Experiment, console: Console, what: str = "the coordinator ended unexpectedly"
) -> None:
    try:
        log = read_end(experiment.log, LOG_BYTES).decode(errors="replace").strip()
    except OSError as error:
        raise ExperimentError(f"the log {experiment.log} cannot be read: {error.strerror}") from error
    if not log:
        experiment.check_room()  # a full disk may be why the log is empty
    console.problem(f"{what}; the end of {experiment.log}:", log)


def _narrator(experiment: Experiment, console: Console, past: Sequence[Event] = ()) -> Narrator:
    """The narrator that suits standard error: silence, lines or bars. past: the events before those it is told."""
    if console.quiet:
        return Silence()
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return Lines(experiment, console.narrate)
    # Rich, which draws the bars, is loaded for a terminal only.
    from tui_aefit.shell.bars import Bars  # noqa: PLC0415

    return Bars(experiment, past)
