"""Has experiments computed from the lab: starts, resumes and extends them, and watches for their ends."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from textual.app import App
from textual.notifications import SeverityLevel

from core.declarations.setting import Whole
from core.errors import AefitError, ExperimentError, SpecError
from core.files.exit_status import ExitStatus
from core.records.experiment import Experiment
from core.records.home import create
from core.records.state import State
from core.records.study import save_study
from core.records.study_state import StudyState
from core.spec.settings import COMMON
from tui_aefit.following.home import Watch, at_work, lacks_further_runs
from tui_aefit.lab.actions import with_each
from tui_aefit.lab.background import Complaints, carry_out, complain
from tui_aefit.lab.coordinators import Coordinators
from tui_aefit.lab.form import Checked
from tui_aefit.lab.messages import CanBeExtended, ExperimentEnded, OpenExperiment, OpenStudy
from tui_aefit.shell.settings import Settings

STUDY_ENDS: Mapping[int, str] = {
    ExitStatus.COMPLETE: "complete",
    ExitStatus.FAILED: "not all experiments are complete",
    ExitStatus.INTERRUPTED: "stopped",
    ExitStatus.LOCKED: "seen to by another process",
}
"""Exit status of a supervisor -> how its study has ended."""


class RunningExperiments:
    """All that the app does with coordinators, in threads, since it reads files.

    Posts to the app `OpenExperiment` or `OpenStudy` when one has been started, `CanBeExtended` where the person can
    be asked how many runs, `ExperimentEnded` at the end of every experiment of the home. Notifies of errors;
    complain_once: of those that are met at every look.
    """

    def __init__(self, app: App[Any], settings: Settings, complain_once: Complaints) -> None:
        self._app = app
        self._home: Path = settings.home
        self._coordinators = Coordinators(settings)
        self._watch = Watch(settings.home)
        self._complain_once = complain_once
        self._extended: set[str] = set()

    def begin(self, checked: Checked) -> None:
        """Have what the form asks for computed, one experiment or a study. checked: without problems."""
        if checked.study:
            self._app.run_worker(partial(self._begin_study, checked), thread=True, group="begin")
            return
        (spec,) = checked.specs
        self._beside(lambda: create(self._home, spec)[0], checked.jobs, checked.threads, checked.data_dir)

    def resume(self, experiment: Experiment) -> None:
        """Have the missing runs of an experiment computed, with those that another process has asked for."""
        self._beside(partial(_reloaded, experiment))

    def consider_extending(self, experiment: Experiment) -> None:
        """Look whether an experiment can be given more runs, unless such a look goes on."""
        if not self._is_at_work("consider"):
            self._app.run_worker(partial(self._consider, experiment), thread=True, group="consider")

    def extend(self, experiment: Experiment, word: str) -> None:
        """Have an experiment computed with so many runs in all. word: their number, as typed."""
        self._app.run_worker(partial(self._extend, experiment, word), thread=True, group="begin")

    def resume_several(self, experiments: Sequence[Experiment]) -> None:
        """Have the missing runs of several experiments computed, all at the same time."""

        def resume(experiment: Experiment) -> str:
            self._coordinators.start(_reloaded(experiment))
            return f"{experiment.id} is resumed"

        self._with_each(experiments, resume, "resumed {}")

    def extend_several(self, experiments: Sequence[Experiment], word: str) -> None:
        """Have several experiments computed with so many runs in all, at the same time. word: as in `extend`."""

        def extend(experiment: Experiment) -> str:
            extended = self._coordinators.extend(experiment, _number_of_runs(word))
            self._extended.add(extended.id)
            return f"{extended.id} has {extended.spec.runs} runs now"

        self._with_each(experiments, extend, f"{{}} have {word.strip()} runs now")

    def resume_study(self, state: StudyState) -> None:
        """Have what a study lacks computed."""

        def resume() -> str:
            try:
                self._coordinators.start_study(state.study)
            except OSError as error:
                raise self._unreadable(error) from error
            return f"{state.study.name} is being computed"

        carry_out(self._app, resume)

    def at_work(self) -> list[Experiment]:
        """The experiments that are being computed, the newest first; none where they cannot be listed."""
        try:
            return at_work(self._home)
        except ExperimentError as error:
            self._complain_once(error)
            return []

    def watch(self, experiment: Experiment) -> None:
        """From now on watch for the end of an experiment that is being computed."""
        self._watch.add(experiment)

    def look_around(self) -> None:
        """Notify of coordinators and supervisors of ours that have ended, and look for experiments that have."""
        # One look at a time: a slow file server must not make them queue up.
        if self._is_at_work("watch"):
            return
        found = self._coordinators.look()
        for experiment, status in found:
            self._watch.add(experiment)
            if status is not None and (status < 0 or status == ExitStatus.CRASHED):
                # The journal tells of all other endings.
                why = f"its process ended with status {status}; the end of {experiment.log} may tell why"
                title = f"{experiment.id} is not computed"
                self._app.notify(why, title=title, severity="error", markup=False)
        for study, status in self._coordinators.look_at_studies():
            title = f"{study.name}: {STUDY_ENDS.get(status, 'not computed')}"
            wrong = status not in (ExitStatus.COMPLETE, ExitStatus.INTERRUPTED, ExitStatus.LOCKED)
            more = f"the end of {study.log} tells why" if wrong else "E lists the studies"
            severity: SeverityLevel = "error" if wrong else "information"
            self._app.notify(more, title=title, severity=severity, markup=False)
        starting = [experiment.id for experiment, status in found if status is None]
        self._app.run_worker(partial(self._find_endings, starting), thread=True, group="watch")

    def _is_at_work(self, group: str) -> bool:
        return any(worker.group == group and not worker.is_finished for worker in self._app.workers)

    def _with_each(
        self, experiments: Sequence[Experiment], act: Callable[[Experiment], str], done: str
    ) -> None:
        def act_readable(experiment: Experiment) -> str:
            try:
                return act(experiment)
            except OSError as error:
                raise self._unreadable(error) from error

        carry_out(self._app, partial(with_each, experiments, act_readable, done))

    # In a thread

    def _beside(
        self,
        find: Callable[[], Experiment],
        jobs: int | None = None,
        threads: int | None = None,
        data_dir: str = "",
    ) -> None:
        work = partial(self._start, find, jobs, threads, data_dir)
        self._app.run_worker(work, thread=True, group="begin")

    def _start(
        self, find: Callable[[], Experiment], jobs: int | None, threads: int | None, data_dir: str
    ) -> None:
        try:
            experiment = find()
            if not self._coordinators.start(experiment, jobs, threads, data_dir):
                text = "it was computed before: these are its stored results"
                self._app.notify(text, title="Already complete")
        except (AefitError, OSError) as error:
            self._complain(error)
        else:
            self._app.post_message(OpenExperiment(experiment))

    def _begin_study(self, checked: Checked) -> None:
        try:
            self._coordinators.check_data({spec.dataset for spec in checked.specs}, checked.data_dir)
            study = save_study(self._home, checked.study, checked.specs)
            if not self._coordinators.start_study(study, checked.jobs, checked.threads, checked.data_dir):
                text = "all of it was computed before: these are its stored results"
                self._app.notify(text, title="Already complete")
        except (AefitError, OSError) as error:
            self._complain(error)
        else:
            self._app.post_message(OpenStudy(study.folder))

    def _consider(self, experiment: Experiment) -> None:
        try:
            experiment = _reloaded(experiment)
            experiment.check_computable()
            if experiment.spec.runs >= most_runs():
                raise ExperimentError(
                    f"{experiment.id} has {experiment.spec.runs:,} runs: there can be no more",
                    "change the seed: another experiment has other runs",
                )
        except (AefitError, OSError) as error:
            self._complain(error)
        else:
            self._app.post_message(CanBeExtended(experiment))

    def _extend(self, experiment: Experiment, word: str) -> None:
        try:
            before = experiment.spec.runs
            extended = self._coordinators.extend(experiment, _number_of_runs(word))
            self._extended.add(extended.id)
        except (AefitError, OSError) as error:
            self._complain(error)
        else:
            added = f"run {before + 1} is" if extended.spec.runs == before + 1 else None
            added = added or f"runs {before + 1} to {extended.spec.runs} are"
            self._app.notify(f"{added} added", title=extended.id, markup=False)
            self._app.post_message(OpenExperiment(extended))

    def _find_endings(self, starting: Collection[str]) -> None:
        try:
            for state in self._watch.look(starting):
                if not self._goes_on(state):
                    self._app.post_message(ExperimentEnded(state))
        except ExperimentError as error:
            self._complain_once(error)

    def _goes_on(self, state: State) -> bool:
        """Restart an experiment that was extended from here while its coordinator was ending; whether it was."""
        experiment = state.experiment
        if experiment.id not in self._extended or not lacks_further_runs(state):
            return False
        self._extended.remove(experiment.id)  # once: if it ends so again, the person is told
        try:
            return self._coordinators.start(experiment)
        except (AefitError, OSError) as error:
            self._complain(error)
            return False

    def _complain(self, error: AefitError | OSError) -> None:
        complain(self._app, self._unreadable(error) if isinstance(error, OSError) else error)

    def _unreadable(self, error: OSError) -> ExperimentError:
        why = f"cannot read {error.filename or self._home}: {error.strerror}"
        return ExperimentError(why, "make it readable, or choose another home with --home DIR")


def _reloaded(experiment: Experiment) -> Experiment:
    """The experiment with the runs that are asked for now. Raises ExperimentError."""
    if not os.path.isdir(experiment.folder):
        raise ExperimentError(
            f"the folder of {experiment.id} is gone: deleted, moved, or its disk is away",
            "open another experiment",
        )
    return experiment.reloaded()


def most_runs() -> int:
    """The largest number of runs that an experiment can have."""
    kind = COMMON["runs"].kind
    assert isinstance(kind, Whole)
    return kind.highest


def _number_of_runs(word: str) -> int:
    """The number in a word. Raises SpecError where it is none, or not possible."""
    runs = COMMON["runs"]
    try:
        number = runs.kind.read(word.strip())
    except ValueError as error:
        raise SpecError(runs.name, word, f"expected {runs.kind.expected}") from error
    return cast("int", runs.check(number))
