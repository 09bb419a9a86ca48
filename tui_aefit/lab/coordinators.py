"""Starts coordinators and supervisors for the lab, and notices which have ended."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from core.data.catalogue import check_available
from core.errors import AefitError
from core.records.experiment import Experiment
from core.records.journal import JournalReader
from core.records.starting import How, start_coordinator, start_supervisor
from core.records.state import State, read_state
from core.records.status import ExperimentStatus
from core.records.study import Study
from core.records.study_state import StudyStatus, lacking_datasets, read_study_state
from tui_aefit.shell.launcher import data_dir_of, is_at_work
from tui_aefit.shell.parallelism import jobs_of, limit_of
from tui_aefit.shell.settings import Settings


class Coordinators:
    """Starts coordinators and supervisors as the settings say, and polls their exit statuses. They outlive it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started: list[tuple[Experiment, subprocess.Popen[bytes]]] = []
        self._supervisors: list[tuple[Study, subprocess.Popen[bytes]]] = []

    def start(
        self,
        experiment: Experiment,
        jobs: int | None = None,
        threads: int | None = None,
        data_dir: str = "",
    ) -> bool:
        """Start an experiment's coordinator, unless one is at work; False where no run is missing.

        jobs: runs at the same time; threads: of each; None for what the settings say. data_dir: where its data lie,
        "" for where they were when it was computed last, else for what the settings say.
        Raises AefitError where it cannot be started or must not be, OSError where a file cannot be read.
        """
        if is_at_work(experiment):
            return True
        reader = JournalReader(experiment.journal, newest_only=True)
        state = State(experiment, experiment.results(), tuple(reader.poll()), running=False)
        if state.status is ExperimentStatus.COMPLETE and (state.summarised or reader.newer):
            return False
        experiment.check_computable()
        lacking = max(1, experiment.spec.runs - len(state.results))
        folder = _folder(data_dir) or data_dir_of(state, self._settings)
        how = self._how(lacking, folder, jobs, threads)
        process = start_coordinator(experiment, how, tied=False)
        self._started.append((experiment, process))
        return True

    def start_study(
        self, study: Study, jobs: int | None = None, threads: int | None = None, data_dir: str = ""
    ) -> bool:
        """Start a study's supervisor, unless one is at work; False where the study is complete.

        jobs, threads: as for `start`. data_dir: where its data lie, "" for what the settings say.
        Raises AefitError where it cannot be started or must not be, OSError where a file cannot be read.
        """
        state = read_study_state(study)
        if state.status is StudyStatus.COMPLETE:
            return False
        if study.running:
            return True
        self.check_data(lacking_datasets(state), data_dir)
        lacking = max(1, state.runs - state.done)
        how = self._how(lacking, _folder(data_dir) or self._settings.data_dir, jobs, threads)
        self._supervisors.append((study, start_supervisor(study, how, tied=False)))
        return True

    def check_data(self, datasets: Iterable[str], data_dir: str = "") -> None:
        """Raises DataError where one of these data sets is not there. data_dir: "" for what the settings say."""
        for dataset in datasets:
            check_available(dataset, _folder(data_dir) or self._settings.data_dir)

    def _how(self, runs: int, data_dir: Path, jobs: int | None, threads: int | None) -> How:
        """How `runs` runs are computed. jobs, threads: None for what the settings say. Raises SpecError."""
        how = self._settings.how(runs, data_dir=data_dir)
        if jobs is None and threads is None:
            return how
        jobs, threads = jobs or how.jobs, threads or how.threads
        asked = None if jobs == jobs_of(None, threads, runs) else jobs
        return replace(how, jobs=jobs, threads=threads, limit=limit_of(asked, threads))

    def extend(self, experiment: Experiment, runs: int) -> Experiment:
        """Extend an experiment to `runs` runs, and start a coordinator unless one is at work; the extended one.

        Raises AefitError where that is not possible, OSError where a file cannot be read: then nothing has changed.
        """
        found = experiment.reloaded()
        # Errors in jobs, threads or data are raised before anything changes.
        self._settings.jobs(runs)
        self._settings.elsewhere()
        if not found.running:  # whoever computes it has its data
            check_available(found.spec.dataset, data_dir_of(read_state(found), self._settings))
        extended = found.extend(runs)
        try:
            self.start(extended)
        except (AefitError, OSError):
            extended.take_back(found.spec.runs)
            raise
        return extended

    def look(self) -> list[tuple[Experiment, int | None]]:
        """The started experiments, each with its coordinator's exit status, None while it lives; each exit once."""
        # Polled here, or the ended ones would stay zombies for as long as the lab is open.
        found = [(experiment, process, process.poll()) for experiment, process in list(self._started)]
        for experiment, process, status in found:
            if status is not None:
                self._started.remove((experiment, process))
        return [(experiment, status) for experiment, _, status in found]

    def look_at_studies(self) -> list[tuple[Study, int]]:
        """The studies whose supervisor has ended since the last look, each with its exit status."""
        found = [(study, process, process.poll()) for study, process in self._supervisors]
        self._supervisors = [(study, process) for study, process, status in found if status is None]
        return [(study, status) for study, _, status in found if status is not None]


def _folder(word: str) -> Path | None:
    return Path(word).expanduser().absolute() if word else None
