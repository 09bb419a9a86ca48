"""Studies in the shell: makes them from settings with several values, computes, follows and prints them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.data.catalogue import check_available
from core.errors import StudyError
from core.files.exit_status import ExitStatus
from core.files.reading import read_end
from core.records.overview import OverviewReader
from core.records.starting import How, start_supervisor
from core.records.study import Study, save_study
from core.records.study_state import CellState, CellStatus, StudyState, StudyStatus, read_study_state
from core.report.formats import WIDTH
from core.report.formatting import counted, duration
from core.report.study.result import result_of_state, study_result
from core.report.study.text import study_table
from core.spec.command import word_of
from tui_aefit.following.past_runs import read_past
from tui_aefit.following.savings import expected_seconds, expected_words, saved_seconds, sharing_words
from tui_aefit.following.study import axes_words
from tui_aefit.shell.console import Console
from tui_aefit.shell.follow import Stopped, stop_signals
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import Options

if TYPE_CHECKING:
    from core.records.overview import Overview

LOG_BYTES = 2000
"""How many bytes of the end of a supervisor's log are shown where it ended unexpectedly."""
LOOK_SECONDS = 0.5
UNEXPLAINED = (CellStatus.WAITING, CellStatus.INTERRUPTED)
"""Statuses of an experiment that was left out, or broke off: only the log says why."""


@dataclass(frozen=True)
class StudyOptions:
    """How a call on a study behaves. how: how it computes. detach: in the background. as_json: prints JSON."""

    how: How
    detach: bool = False
    as_json: bool = False


def new_study(given: Options, settings: Settings, console: Console) -> int:
    """Compute the study that the settings ask for; the exit status. Raises AefitError, having made nothing."""
    specs = settings.specs(paired=given.get("pair", False))
    for dataset in dict.fromkeys(spec.dataset for spec in specs):
        check_available(dataset, settings.data_dir)
    runs = sum(spec.runs for spec in specs)
    options = options_of(given, settings, runs)
    study = save_study(settings.home, given.get("name", "") or settings.study_name, specs)
    _announce(study, read_study_state(study), options.how.jobs, console)
    return run_study(study, options, console)


def options_of(given: Options, settings: Settings, runs: int) -> StudyOptions:
    """The options of a call that computes `runs` runs. Raises SpecError as `Settings.how`."""
    how = settings.how(max(1, runs), now=given.get("now", False))
    return StudyOptions(how, detach=given.get("detach", False), as_json=given.get("as_json", False))


def run_study(study: Study, options: StudyOptions, console: Console) -> int:
    """Compute what a study lacks and print its result; the exit status. Raises AefitError."""
    state = read_study_state(study)
    if state.status is StudyStatus.COMPLETE:
        console.narrate(f"{study.name} is complete already: this is its stored result")
        return print_study(state, console, as_json=options.as_json)
    if study.running:
        return join(study, options, console)
    process = start_supervisor(study, options.how, tied=not options.detach)
    if options.detach:
        return _leave(study, process, options, console)
    status = _follow(study, console, lambda: process.poll() is None, process)
    if status == ExitStatus.LOCKED:
        return join(study, options, console)
    if status == ExitStatus.INTERRUPTED:
        console.problem(
            "stopped before all experiments were complete", f"go on with: aefit-tui study resume {study.name}"
        )
        return status
    state = read_study_state(study)
    if status not in (ExitStatus.COMPLETE, ExitStatus.FAILED):
        _show_log(study, console, "the study's process ended unexpectedly; the end of")
    elif any(cell.status in UNEXPLAINED and not cell.reason for cell in state.cells):
        _show_log(study, console, "not all of it was computed; the end of")
    return print_study(state, console, as_json=options.as_json)


def join(study: Study, options: StudyOptions, console: Console) -> int:
    """Follow a study that another supervisor computes; leaving does not stop it. The exit status."""
    console.narrate(f"{study.name} is being computed already")
    if options.detach:
        console.result(study.name)
        return ExitStatus.COMPLETE
    if _follow(study, console, lambda: study.running, None) == ExitStatus.INTERRUPTED:
        return _left(study, console)
    state = read_study_state(study)
    if any(cell.status is CellStatus.WAITING for cell in state.cells) and not study.running:
        # That supervisor ended before it could notice the further experiments that we ask for.
        return run_study(study, options, console)
    return print_study(state, console, as_json=options.as_json)


def attach(study: Study, console: Console, *, as_json: bool) -> int:
    """Follow a study to its end and print its result; leaving does not stop it. The exit status."""
    if _follow(study, console, lambda: study.running, None) == ExitStatus.INTERRUPTED:
        return _left(study, console)
    return print_study(read_study_state(study), console, as_json=as_json)


def _left(study: Study, console: Console) -> int:
    """Say that a study that is no longer followed goes on; the exit status INTERRUPTED."""
    console.narrate(
        f"{study.name} goes on without you; see it again with: aefit-tui study attach {study.name}"
    )
    return ExitStatus.INTERRUPTED


def print_study(state: StudyState, console: Console, *, as_json: bool, width: int | None = None) -> int:
    """Print the result of a study as read; the exit status: COMPLETE with all experiments complete, else FAILED."""
    result = result_of_state(state)
    if as_json:
        console.result_json(result.to_json())
    else:
        console.result(study_table(result, width or console.width or WIDTH))
    for cell in state.cells:
        if cell.status in (CellStatus.FAILED, CellStatus.REFUSED, CellStatus.UNREADABLE):
            console.problem(f"{cell.cell.id} is {cell.status}: {cell.reason}")
    complete = [cell.overview for cell in state.cells if cell.overview is not None]
    _say_saved(complete, console)
    return ExitStatus.COMPLETE if state.complete == len(state.cells) else ExitStatus.FAILED


def _announce(study: Study, state: StudyState, jobs: int, console: Console) -> None:
    """Say what a study has to do, what its experiments share, and how long it may take."""
    specs = [cell.spec for cell in study.cells if cell.spec is not None]
    runs = sum(spec.runs for spec in specs)
    axes = ", ".join(axes_words(study.axes))
    console.narrate(
        f"{study.name}: {counted(len(specs), 'experiment')}, {counted(runs, 'run')}{f': {axes}' if axes else ''}"
    )
    console.narrate(f"its {sharing_words(specs)}")
    left = [
        cell.cell.spec
        for cell in state.cells
        if cell.cell.spec is not None and cell.status is not CellStatus.COMPLETE
    ]
    expected = expected_seconds(left, jobs, read_past(study.home).runs) if left else None
    if expected is not None:
        console.narrate(f"what is left of it takes about {expected_words(expected)}")


def _say_saved(overviews: Sequence[Overview], console: Console) -> None:
    """Say how much time shared surrogates saved, if any."""
    found = saved_seconds(overviews)
    if found.runs:
        console.narrate(
            f"{counted(found.runs, 'surrogate')} of {found.of} had been trained for another experiment: "
            f"about {duration(found.seconds)} saved"
        )


def _leave(study: Study, process: subprocess.Popen[bytes], options: StudyOptions, console: Console) -> int:
    while process.poll() is None and not study.running:
        time.sleep(LOOK_SECONDS / 5)
    status = process.poll() or ExitStatus.COMPLETE
    if status == ExitStatus.LOCKED:
        return join(study, options, console)
    if status not in (ExitStatus.COMPLETE, ExitStatus.FAILED):
        _show_log(study, console, "the study's process ended unexpectedly; the end of")
        return ExitStatus.FAILED
    console.narrate(f"computing in the background; follow it with: aefit-tui study attach {study.name}")
    if options.as_json:
        console.result_json(study_result(study).to_json())
    else:
        console.result(study.name)
    return ExitStatus.COMPLETE


def _follow(
    study: Study, console: Console, goes_on: Callable[[], bool], process: subprocess.Popen[bytes] | None
) -> int:
    """Narrate a study until `goes_on` returns False; the exit status of `process`, 0 where that is None.

    process: the supervisor that we started. INTERRUPTED where a signal asks us to stop.
    """
    reader = OverviewReader(study.home)
    told: dict[str, str] = {}
    with stop_signals():
        try:
            more = True
            while more:
                more = goes_on()
                state = read_study_state(study, reader)
                for number, cell in enumerate(state.cells, start=1):
                    text, before = _news(cell), told.get(cell.cell.id)
                    told[cell.cell.id] = text or before or ""
                    if before is not None and text and text != before:
                        console.narrate(
                            f"[{number}/{len(state.cells)}] {cell.cell.id} {_where(study, cell)}{text}"
                        )
                if more:
                    time.sleep(LOOK_SECONDS)
        except Stopped:
            if process is None:
                return ExitStatus.INTERRUPTED
            assert process.stdin is not None
            process.stdin.close()  # which asks it to stop
        if process is None:
            return ExitStatus.COMPLETE
        # Further signals are still ignored: the supervisor is finishing.
        status = process.wait()
    if status < 0:
        console.problem(
            f"the study's process was killed by signal {-status}; nothing that was complete is lost"
        )
        return ExitStatus.INTERRUPTED
    return status


def _news(cell: CellState) -> str:
    """What to tell of an experiment in its present state; "" for nothing."""
    if cell.status is CellStatus.RUNNING:
        return f"run {cell.done} of {cell.runs} is complete" if cell.done else "begins"
    if cell.status in (CellStatus.WAITING, CellStatus.QUEUED):
        return ""
    return f"is {cell.status}" + (f": {cell.reason}" if cell.reason else "")


def _where(study: Study, cell: CellState) -> str:
    words = [
        f"{name} {word_of(value)}" for name, value in study.place(cell.cell).items() if value is not None
    ]
    return f"({', '.join(words)}) " if words else ""


def _show_log(study: Study, console: Console, what: str) -> None:
    """Show the end of the log of a study's supervisor. what: the words before the log's name."""
    try:
        log = read_end(study.log, LOG_BYTES).decode(errors="replace").strip()
    except OSError as error:
        raise StudyError(f"the log {study.log} cannot be read: {error.strerror}") from error
    console.problem(f"{what} {study.log}:", log)
