"""Tells an experiment's events by progress bars, where standard error is a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from math import floor

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from core.declarations.printable import printable_text
from core.records import events
from core.records.experiment import Experiment
from core.records.stages import SURROGATE, stages_of
from core.report.formatting import duration
from tui_aefit.following.fold import Fold
from tui_aefit.following.snapshot import RunView
from tui_aefit.shell.narration import Sentences

FEWEST_COLUMNS = 60
"""The width in characters below which the last column, paces and times, is left out."""


class Bars:
    """A bar for all runs with the time left, one for each run at work, and above them a line for what matters.

    past: the events before those that will be told, from which the time left can be estimated sooner. clock:
    seconds since 1970. console: where bars are drawn, by default standard error, without colours where NO_COLOR is
    set.
    """

    def __init__(
        self,
        experiment: Experiment,
        past: Iterable[events.Event] = (),
        *,
        console: Console | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sentences = Sentences(experiment)
        self._spec, self._stages = experiment.spec, stages_of(experiment.spec)
        self._fold = Fold(experiment.id, experiment.spec)
        self._fold.add(past)
        self._before = 0
        self._complete: set[int] = set()
        self._clock = clock
        # It draws four times a second, in a thread of its own: the time left runs on between events.
        self._lock = threading.Lock()
        self._console = console or Console(stderr=True)
        self._live = Live(
            console=self._console, get_renderable=self.drawn, refresh_per_second=4, transient=True
        )
        self._live.start()

    @property
    def counts(self) -> tuple[int, int]:
        """How many runs are complete, and how many are asked for as far as is known."""
        return self._before + len(self._complete), self._spec.runs

    def tell(self, event: events.Event) -> None:
        """See `Narrator.tell`."""
        if text := self._sentences.of(event):
            self._console.print(printable_text(text), highlight=False, markup=False, soft_wrap=True)
        with self._lock:
            match event:
                case events.CoordinatorStarted(complete=complete):
                    self._before, self._complete = complete or 0, set()
                case events.RunStarted(run=run) if run >= self._spec.runs:
                    self._spec = self._spec.changed(runs=run + 1)  # asked for meanwhile
                    self._fold.take_spec(self._spec)
                case events.RunCompleted(run=run):
                    self._complete.add(run)
            self._fold.add([event])

    def close(self) -> None:
        """Remove the bars; the lines stay."""
        self._live.stop()

    def drawn(self) -> Table:
        """The bars at this moment."""
        now = self._clock()
        with self._lock:
            at_work, typical = self._fold.at_work(), self._fold.typical
            left = self._fold.remaining(now, self._complete)
        complete, runs = self.counts
        weights = {stage: typical.get(stage, 0.0) for stage in self._stages}
        if not all(weights.values()):  # how long each stage takes is not known yet: all count alike
            weights = dict.fromkeys(self._stages, 1.0)
        share = (complete + sum(_share_of_run(view, weights) for view in at_work)) / runs
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, min_width=14)
        table.add_column(ratio=1)
        table.add_column(no_wrap=True, justify="right", min_width=5)
        roomy = self._console.width >= FEWEST_COLUMNS
        if roomy:
            table.add_column(no_wrap=True, min_width=15)

        def add(name: Text, what: Text, part: float, style: str, after: Text) -> None:
            bar = ProgressBar(1.0, part, style="bright_black", complete_style=style, finished_style=style)
            table.add_row(name, what, bar, Text(f"{floor(100 * part)} %"), *([after] if roomy else []))

        ending = "" if at_work or complete else "starting"
        if left is not None:
            ending = f"{duration(left)} left"
        add(Text("all runs", "bold"), Text(f"{complete} of {runs}"), share, "green", Text(ending, "bold"))
        for view in at_work:
            after = Text(_pace(view, now), "dim")
            add(Text(f"run {view.index + 1}"), self._stage(view), _share_of_stage(view), "cyan", after)
        return table

    def _stage(self, view: RunView) -> Text:
        """The number and name of the stage that a run is in: "3/5 surrogate"."""
        if view.stage not in self._stages:
            return Text(view.stage)
        step = f"{self._stages.index(view.stage) + 1}/{len(self._stages)}"
        return Text.assemble((step, "dim"), f" {view.stage}")


def _share_of_run(view: RunView, weights: Mapping[str, float]) -> float:
    """The share of a run that is done, 0 to 1. weights: stage -> its part of a run, in any unit."""
    done = sum(weight for stage, weight in weights.items() if stage in view.seconds)
    if view.stage not in view.seconds:
        done += weights.get(view.stage, 0.0) * _share_of_stage(view)
    return done / sum(weights.values())


def _share_of_stage(view: RunView) -> float:
    return min(1.0, view.done / view.total) if view.total else 0.0


def _pace(view: RunView, now: float) -> str:
    """The epoch while the surrogate is trained, else the stage's steps a second, "" before the first."""
    if view.stage == SURROGATE and view.epochs:
        return f"epoch {len(view.losses)} of {view.epochs}"
    elapsed = now - view.stage_started if view.stage_started is not None else 0.0
    if view.total <= 1 or not view.done or elapsed <= 0:
        return ""
    rate = view.done / elapsed
    return f"{rate:,.0f} a second" if rate >= 10 else f"{rate:.1f} a second"
