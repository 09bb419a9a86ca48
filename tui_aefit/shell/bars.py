"""An experiment's events as bars, where standard error is a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from core.records.events import Event
from core.records.experiment import Experiment
from tui_aefit.following.wording import run_number
from tui_aefit.shell.narration import Sentences


class Bars:
    """One bar for all runs and one for each run at work, with lines above them for what matters."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._sentences = Sentences(experiment)
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
            console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._all = self._progress.add_task("all runs", total=experiment.spec.runs, completed=0)
        self._bars: dict[object, TaskID] = {}
        self._progress.start()

    def tell(self, event: Event) -> None:
        """See `Narrator.tell`."""
        if text := self._sentences.of(event):
            self._progress.console.print(text, highlight=False, markup=False)
        match event.kind:
            case "stage_started":
                self._clear(event["run"])
                text = f"run {run_number(event)} {event['stage']}"
                total = event["total"]
                self._bars[event["run"]] = self._progress.add_task(
                    text, total=float(total) if isinstance(total, int | float) else None
                )
            case "progress" if event["run"] in self._bars and isinstance(event["done"], int | float):
                self._progress.update(self._bars[event["run"]], completed=float(event["done"]))
            case "run_completed" | "run_failed":
                self._clear(event["run"])
                self._progress.update(self._all, completed=len(self._experiment.results()))

    def close(self) -> None:
        """Take the bars away; the lines stay."""
        self._progress.stop()

    def _clear(self, run: object) -> None:
        if run in self._bars:
            self._progress.remove_task(self._bars.pop(run))
