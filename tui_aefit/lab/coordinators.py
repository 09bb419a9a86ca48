"""The coordinators that the lab has started: when one may be, where its data are, which have ended."""

from __future__ import annotations

import subprocess

from core.errors import ExperimentError
from core.records.experiment import Experiment, State
from core.records.journal import JournalReader
from core.records.status import ExperimentStatus
from tui_aefit.shell.launcher import data_dir_of, start_coordinator
from tui_aefit.shell.settings import Settings


class Coordinators:
    """Starts coordinators as the settings say, and awaits them. They outlive it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started: list[tuple[Experiment, subprocess.Popen[bytes]]] = []

    def start(self, experiment: Experiment, jobs: int | None = None, threads: int | None = None) -> bool:
        """Start one, unless one is at work; False where none is needed, for nothing is missing.

        jobs: runs at the same time; threads: of each; None for what the settings say.
        Raises AefitError where it cannot be started or must not be, OSError where a file cannot be read.
        """
        if experiment.running:
            return True
        reader = JournalReader(experiment.journal, newest_only=True)
        state = State(experiment, experiment.results(), tuple(reader.poll()), running=False)
        if state.status is ExperimentStatus.COMPLETE and (state.summarised or reader.newer):
            return False
        if reader.newer:
            raise ExperimentError(
                f"{experiment.id} was written by a newer version: this one can only show it",
                "go on with the version that wrote it, or change a setting or the seed",
            )
        experiment.check_computable()
        process = start_coordinator(
            experiment,
            jobs=self._settings.jobs(experiment.spec) if jobs is None else jobs,
            threads=self._settings.threads(experiment.spec) if threads is None else threads,
            data_dir=data_dir_of(state, self._settings),
            cache_dir=self._settings.cache_dir,
            no_cache=self._settings.no_cache,
            tied=False,
        )
        self._started.append((experiment, process))
        return True

    def look(self) -> list[tuple[Experiment, int | None]]:
        """All that were started, each with its exit status, None while it lives; an exit is told once."""
        # They are ours to await, or they would stay zombies for as long as the lab is open.
        found = [(experiment, process, process.poll()) for experiment, process in list(self._started)]
        for experiment, process, status in found:
            if status is not None:
                self._started.remove((experiment, process))
        return [(experiment, status) for experiment, _, status in found]
