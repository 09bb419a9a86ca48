"""Makes the executor that computes an experiment on other machines, as `--launcher` or `--dask` says."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from core.declarations.setting import Unfit
from core.engine.dask_cluster import check_installed, connect
from core.engine.dask_tasks import DaskTasks
from core.engine.executor import Executor, Refused, Report, Task
from core.engine.launched import END_SECONDS, LaunchedProcess, worker_command
from core.engine.local import LocalProcesses, WorkerProcess
from core.engine.postponed import Postponed
from core.engine.seen_results import SeenResults
from core.errors import AefitError
from core.places.dask import parse_cluster
from core.places.launcher import parse_launcher

Options = Callable[[Path], Sequence[str]]
"""An experiment's folder -> the command-line options of a worker for it."""


class Refusing:
    """Stands in for an executor that could not be made: reports why as `Refused`, and computes nothing."""

    capacity = 1

    def __init__(self, error: AefitError) -> None:
        self._error = error

    def submit(self, task: Task) -> None:
        """See `Executor.submit`."""

    def next_report(self, timeout: float) -> Report | None:
        """See `Executor.next_report`."""
        return Refused(str(self._error), self._error.hint)

    def stop(self) -> None:
        """See `Executor.stop`."""


def executor_elsewhere(
    folder: Path,
    *,
    launcher: str | None,
    dask: str | None,
    jobs: int,
    threads: int,
    options: Options,
    journal: Callable[[int], Path],
) -> Executor:
    """The executor for the experiment in `folder`; a `Refusing` where it cannot be made.

    launcher, dask: what a person wrote; one of the two is None. jobs: runs at the same time; threads: of each.
    options: of a worker, without --journal. journal: worker's number -> the path of its journal.
    """
    try:
        if launcher is not None:
            return SeenResults(_launched(folder, launcher, jobs, options, journal))
        return SeenResults(_by_dask(folder, dask or "", jobs, threads, options, journal))
    except AefitError as error:
        return Refusing(error)


def _launched(
    folder: Path, text: str, jobs: int, options: Options, journal: Callable[[int], Path]
) -> LocalProcesses:
    """The executor behind a launcher. Raises AefitError."""
    try:
        launcher = parse_launcher(text)
    except Unfit as unfit:
        raise AefitError(f"--launcher {text!r} is not possible: {unfit.allowed}", unfit.hint) from unfit
    worker_command([], os.environ)  # a command that cannot be passed on is refused before anything is started

    def start(worker: int) -> WorkerProcess:
        prefix = launcher.prefix(worker, python=sys.executable, folder=folder)
        return LaunchedProcess(prefix, [*options(folder), "--journal", str(journal(worker)), "--serve"])

    return LocalProcesses(jobs, start, end_seconds=END_SECONDS)


def _by_dask(
    folder: Path, text: str, jobs: int, threads: int, options: Options, journal: Callable[[int], Path]
) -> Postponed:
    """The executor on a Dask cluster, reached or started when the experiment's turn comes. Raises AefitError."""
    try:
        cluster = parse_cluster(text)
    except Unfit as unfit:
        raise AefitError(f"--dask {text!r} is not possible: {unfit.allowed}", unfit.hint) from unfit
    check_installed(cluster)  # now, rather than after hours of waiting for the turn

    def make() -> Executor:
        try:
            connection = connect(cluster, jobs=jobs, threads=threads)
        except AefitError as error:
            return Refusing(error)
        return DaskTasks(
            connection.client,
            jobs,
            session=f"{folder.name}-{secrets.token_hex(8)}",
            options=lambda task: options(task.folder),
            journal=journal,
            close=connection.close,
        )

    return Postponed(jobs, make)
