"""The headless mode: the same coordinator as the lab's, followed in the shell until its results are there."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from core.data.catalogue import CATALOGUE, check_available
from core.errors import DataError, ExperimentError
from core.records.experiment import Experiment, State, create
from core.records.journal import JournalReader
from core.report.result import result_of
from core.report.tables.text import WIDTH, tables
from tui_aefit.shell.console import EXIT_COMPLETE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_WRONG_REQUEST, Console
from tui_aefit.shell.follow import Stopped, follow, from_last_start, stop_signals
from tui_aefit.shell.launcher import EXIT_CRASHED, EXIT_LOCKED, EXIT_REFUSED, start_coordinator
from tui_aefit.shell.narration import Lines, Narrator, Silence
from tui_aefit.shell.settings import Settings, processors


@dataclass(frozen=True)
class BatchOptions:
    """How a headless call behaves. jobs, data_dir, cache_dir, no_cache: see `core.engine.coordinator.Settings`."""

    jobs: int
    data_dir: Path
    cache_dir: Path
    no_cache: bool = False
    detach: bool = False
    as_json: bool = False


def new_batch(settings: Settings, console: Console, *, detach: bool, as_json: bool) -> int:
    """Compute the experiment that the settings ask for; the exit status. Raises AefitError, having made nothing."""
    spec = settings.spec()
    check_available(spec.dataset, settings.data_dir)
    jobs = settings.jobs(spec)
    experiment, new = create(settings.home, spec)
    options = BatchOptions(
        jobs=jobs,
        data_dir=settings.data_dir,
        cache_dir=settings.cache_dir,
        no_cache=settings.no_cache,
        detach=detach,
        as_json=as_json,
    )
    return run_batch(experiment, options, console, new=new)


def run_batch(experiment: Experiment, options: BatchOptions, console: Console, *, new: bool = False) -> int:
    """Compute what an experiment lacks and print its result; the exit status.

    new: the folder was made for this call: it is taken away again where the request turns out to be wrong.
    Raises DataError where nothing is lacking, but the data set is another one by now.
    """
    state = experiment.state()
    if state.status == "running":
        return _join(experiment, options, console)
    sound = len(experiment.results(verify=True)) == experiment.spec.runs
    if state.status == "complete" and state.summarised and sound:
        _refuse_changed_source(experiment, options.cache_dir)
        console.narrate(f"{experiment.id} is complete already: this is its stored result")
        return print_result(state, console, as_json=options.as_json)
    jobs, threads = options.jobs, experiment.spec.threads
    if jobs * threads > processors():
        console.narrate(
            f"aefit-tui: runs at a time x threads of a run = {jobs} x {threads}, more than the {processors()} "
            "processors there are: they will wait for each other (see --jobs and --threads)"
        )
    status = (_detach if options.detach else _compute)(experiment, options, console)
    if status == EXIT_LOCKED:
        # Somebody else began between our look and our start.
        return _join(experiment, options, console)
    if status == EXIT_REFUSED:
        _tell_ending(experiment.state(), console)
        if new and not experiment.results():
            with suppress(ExperimentError):  # somebody has begun in it meanwhile: it is theirs
                experiment.delete()
        return EXIT_WRONG_REQUEST
    if status == EXIT_CRASHED:
        _tell_log(experiment, console)
        return EXIT_FAILED
    if status == EXIT_INTERRUPTED:
        console.problem(
            "stopped before all runs were complete", f"go on with: aefit-tui resume {experiment.id}"
        )
        return status
    if options.detach:
        return status
    if status == EXIT_FAILED and experiment.state().last("finished") is None:
        _tell_log(experiment, console)
    return print_result(experiment.state(), console, as_json=options.as_json)


def attach(experiment: Experiment, console: Console, *, as_json: bool) -> int:
    """Follow an experiment that somebody else computes and print its result; leaving does not stop it."""
    reader = JournalReader(experiment.journal)
    try:
        with stop_signals(), closing(_narrator(experiment, console)) as told:
            follow(reader, told, lambda: experiment.running, from_last_start(reader))
    except Stopped:
        again = f"aefit-tui attach {experiment.id}"
        console.narrate(f"{experiment.id} goes on without you; see it again with: {again}")
        return EXIT_INTERRUPTED
    return print_result(experiment.state(), console, as_json=as_json)


def print_result(state: State, console: Console, *, as_json: bool) -> int:
    """Print a result as it stands; the exit status that it means."""
    result = result_of(state)
    if as_json:
        console.result_json(result)
    else:
        console.result(tables(result, console.width or WIDTH))
    for run, failure in state.failures.items():
        console.problem(f"run {run + 1} failed: {failure['error']}", str(failure["hint"]))
    if state.failures:
        console.narrate(f"try the failed runs again with: aefit-tui resume {state.experiment.id}")
    if state.status in ("failed", "refused"):
        _tell_ending(state, console)
    if state.status == "refused":
        return EXIT_WRONG_REQUEST
    return EXIT_COMPLETE if len(state.results) == state.experiment.spec.runs else EXIT_FAILED


def _join(experiment: Experiment, options: BatchOptions, console: Console) -> int:
    """Somebody else computes it: follow them, or leave them to it."""
    console.narrate(f"{experiment.id} is being computed already")
    return EXIT_COMPLETE if options.detach else attach(experiment, console, as_json=options.as_json)


def _compute(experiment: Experiment, options: BatchOptions, console: Console) -> int:
    """Start a coordinator tied to us and follow it to its end; its exit status."""
    reader = JournalReader(experiment.journal)
    reader.poll()
    process = None
    with closing(_narrator(experiment, console)) as told, stop_signals():
        try:
            process = _start(experiment, options, tied=True)
            follow(reader, told, lambda: process.poll() is None)
        except Stopped:
            if process is None:
                return EXIT_INTERRUPTED
            assert process.stdin is not None
            process.stdin.close()  # which asks it to stop
        # Still deaf to further signals: the work is being put away.
        status = process.wait()
    if status < 0:
        console.problem(f"the coordinator was killed by signal {-status}; nothing that was complete is lost")
        return EXIT_INTERRUPTED
    return status


def _detach(experiment: Experiment, options: BatchOptions, console: Console) -> int:
    """Start a coordinator that outlives us and see it take the lock; its exit status, 0 while it computes."""
    process = _start(experiment, options, tied=False)
    follow(
        JournalReader(experiment.journal),
        Silence(),
        lambda: process.poll() is None and not experiment.running,
    )
    status = process.poll() or EXIT_COMPLETE
    if status == EXIT_COMPLETE:
        console.narrate(f"computing in the background; follow it with: aefit-tui attach {experiment.id}")
        if options.as_json:
            console.result_json(result_of(experiment.state()))
        else:
            console.result(experiment.id)
    return status


def _start(experiment: Experiment, options: BatchOptions, *, tied: bool) -> subprocess.Popen[bytes]:
    return start_coordinator(
        experiment,
        jobs=options.jobs,
        data_dir=options.data_dir,
        cache_dir=options.cache_dir,
        no_cache=options.no_cache,
        tied=tied,
    )


def _refuse_changed_source(experiment: Experiment, cache_dir: Path) -> None:
    """Raises DataError where a user's own data set is not what the stored result was computed from.

    It is read only where its times say that it was written to after the experiment was made.
    """
    source = Path(experiment.spec.dataset)
    if experiment.spec.dataset in CATALOGUE or not _written_since(source, experiment.created):
        return
    # Pillow and the decoders, which hardly anybody waits for here.
    from core.data import own  # noqa: PLC0415

    computed_from = {metrics["data_sha256"] for metrics in experiment.results().values()}
    if {own.read(source, cache_dir / "datasets", lambda text: None).sha256} != computed_from:
        raise DataError(
            f"{source} has changed since {experiment.id} was computed from it",
            f"`aefit-tui show {experiment.id}` prints the stored result; to compute it anew, type "
            f"`aefit-tui delete {experiment.id}` and start it again",
        )


def _written_since(source: Path, moment: float) -> bool:
    try:
        places = (
            [source, *(path for path in source.iterdir() if path.is_dir())] if source.is_dir() else [source]
        )
        return max(path.stat().st_mtime for path in places) > moment
    except OSError:
        return False  # moved away or unreadable: the stored result stands for itself


def _tell_ending(state: State, console: Console) -> None:
    """Why the last coordinator ended, if it said so."""
    finished = state.last("finished")
    if finished is not None and "error" in finished.fields:
        console.problem(str(finished["error"]), str(finished["hint"]))


def _tell_log(experiment: Experiment, console: Console) -> None:
    try:
        log = experiment.log.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise ExperimentError(f"the log {experiment.log} cannot be read: {error}") from error
    console.problem(f"the coordinator ended unexpectedly; the end of {experiment.log}:", log[-2000:])


def _narrator(experiment: Experiment, console: Console) -> Narrator:
    """The narrator that suits standard error."""
    if console.quiet:
        return Silence()
    if not sys.stderr.isatty():
        return Lines(experiment, console.narrate)
    # The bars' library is of no use to a pipe.
    from tui_aefit.shell.bars import Bars  # noqa: PLC0415

    return Bars(experiment)
