"""An experiment's events as bars, where standard error is a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from core.records import events
from core.records.experiment import Experiment
from tui_aefit.shell.narration import Sentences


class Bars:
    """One bar for all runs and one for each run at work, with lines above them for what matters."""

    def __init__(self, experiment: Experiment) -> None:
        self._sentences = Sentences(experiment)
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
            console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._all = self._progress.add_task("all runs", total=experiment.spec.runs, completed=0)
        self._bars: dict[int, TaskID] = {}
        self._runs = experiment.spec.runs
        self._before = 0
        self._complete: set[int] = set()
        self._progress.start()

    def tell(self, event: events.Event) -> None:
        """See `Narrator.tell`."""
        if text := self._sentences.of(event):
            self._progress.console.print(text, highlight=False, markup=False)
        match event:
            case events.CoordinatorStarted(complete=complete):
                self._before, self._complete = complete or 0, set()
                self._count()
            case events.RunStarted(run=run) if run >= self._runs:
                self._runs = run + 1  # asked for meanwhile
                self._count()
            case events.StageStarted(run=run, stage=stage, total=total):
                self._clear(run)
                self._bars[run] = self._progress.add_task(f"run {run + 1} {stage}", total=total)
            case events.Progress(run=run, done=done) if run in self._bars:
                self._progress.update(self._bars[run], completed=done)
            case events.RunCompleted(run=run):
                self._clear(run)
                self._complete.add(run)
                self._count()
            case events.RunFailed(run=run):
                self._clear(run)

    def close(self) -> None:
        """Take the bars away; the lines stay."""
        self._progress.stop()

    def _count(self) -> None:
        """Say how many runs are complete, of as many as there are known to be by now."""
        self._progress.update(self._all, total=self._runs, completed=self._before + len(self._complete))

    def _clear(self, run: int) -> None:
        if run in self._bars:
            self._progress.remove_task(self._bars.pop(run))
