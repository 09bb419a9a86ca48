"""The table of an experiment's runs: how far each is, what it found, or why it failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.message import Message
from textual.reactive import reactive
from textual.theme import Theme
from textual.widgets import DataTable

from core.records.metrics import RunMetrics
from core.records.status import ExperimentStatus, RunStatus
from tui_aefit.following.listing import STATES
from tui_aefit.following.sentences import describe_rates
from tui_aefit.following.snapshot import RunView, Snapshot
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.theme import FollowsTheme, ink
from tui_aefit.lab.widgets.cell_table import CellTable, left, right
from tui_aefit.lab.widgets.live.progress import bar, clock, percent, rate_of, seconds_between

ALL = "all"
"""The key of the row of all runs together."""
RUN_STATES: Mapping[RunStatus, tuple[str, str, str]] = {
    RunStatus.PENDING: ("·", "waiting", "dim"),
    RunStatus.RUNNING: STATES[ExperimentStatus.RUNNING],
    RunStatus.COMPLETE: STATES[ExperimentStatus.COMPLETE],
    RunStatus.FAILED: STATES[ExperimentStatus.FAILED],
}
"""Status -> its glyph, its word and its Rich style; nothing is told by the style alone."""
WORDS = {
    "M": "misclassified test images of the run",
    "D": "adversarial images of the run; its sources: the test images that they come from",
    "net": "accuracy of the surrogate, the network that they were made on, on the test images",
    "fooled": "the share of all candidates that the surrogate misclassifies",
}
"""Short word of the table -> its meaning."""
TITLE, LEGEND = "Runs", "net surrogate's accuracy, M misclassified, D adversarial"
"""The text of the upper border; the legend is added with the first result."""
ROOMY = {"run": 6, "status": 12, "stage": 12, "time": 15}
TIGHT = {"run": 4, "status": 11, "stage": 11, "time": 12}
"""Widths of all columns but that of progress and results, which takes the rest."""
NARROWEST, WIDEST = 19, 48
"""The least and the largest width of the column of progress and results."""
DAMAGED = "result unreadable"
"""The words for a run whose result is there and cannot be read, until it is computed anew."""


class RunsTable(FollowsTheme, CellTable):
    """A row for all runs and below it one for each; moving to a row posts `RunSelected`."""

    class RunSelected(Message):
        """The person is looking at run `index`, from 0; None for all runs together."""

        def __init__(self, index: int | None) -> None:
            super().__init__()
            self.index = index

    class DetailsAsked(Message):
        """The person wants to see the details of the selected run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "details", "Details", id="runs.details", show=False,
                tooltip="All of the run under the cursor: stages, losses, counts; again: the table alone"),
    ]  # fmt: skip
    KEYS_WORK_ON: ClassVar[tuple[str, ...]] = ("live",)

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._selected: int | None = None
        self._drawn: dict[int, tuple[tuple[RunView, bool], list[Text]]] = {}
        self._progress_width = 0

    def on_mount(self) -> None:
        """Set the title."""
        self.entitle(TITLE)

    def on_resize(self, event: Resize) -> None:
        """Give the bars the new room."""
        self._update_cells()

    def watch_snapshot(self) -> None:
        """Show what changed."""
        self._update_cells()

    def action_details(self) -> None:
        """Ask for the details of the run under the cursor."""
        self.post_message(self.DetailsAsked())

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Post the selected run, if it is another one."""
        event.stop()
        self._post_selected()

    def _post_selected(self) -> None:
        row = self.row_under_cursor
        selected = None if row is None or row == ALL else int(row)
        if selected != self._selected:
            self._selected = selected
            self.post_message(self.RunSelected(selected))

    def explanation(self, row: str) -> str:
        """What the cells have no room for."""
        if self.snapshot is None:
            return ""
        if row == ALL:
            counts = Counter(RUN_STATES[view.status][1] for view in self.snapshot.runs)
            error = [_line(self.snapshot.error)] if self.snapshot.error else []
            rates = describe_rates(self.snapshot.metrics.values())
            words = [*error, *(f"{count} {word}" for word, count in counts.items())]
            return ", ".join([*words, rates] if rates else words)
        view = self.snapshot.runs[int(row)]
        if view.status is RunStatus.FAILED:
            return _line(f"{view.error}; {view.hint}" if view.hint else view.error)
        if _is_damaged(view, self.snapshot):
            return f"{DAMAGED}: resume the experiment, and this run is computed anew"
        words = [f"attempt {view.attempt}"] if view.attempt > 1 else []
        if view.status is RunStatus.RUNNING and view.losses:
            words.append(f"epoch {len(view.losses)} of {view.epochs}, loss {view.losses[-1]:.4f}")
        if metrics := self.snapshot.metrics.get(view.index):
            words.append(f"{metrics.counts.adversarial_sources:,} sources of D")
            words += [rates] if (rates := describe_rates([metrics])) else []
        return ", ".join([*words, *(f"{stage} {took:.1f} s" for stage, took in view.seconds.items())])

    def theme_changed(self, theme: Theme) -> None:
        """Draw every run in the colours of another theme."""
        self._drawn.clear()
        self._update_cells()

    def _update_cells(self) -> None:
        snapshot = self.snapshot
        if snapshot is None or not self.size.width:
            return
        available = self.size.width - self.styles.scrollbar_size_vertical
        others = ROOMY if available >= sum(ROOMY.values()) + NARROWEST else TIGHT
        width = max(NARROWEST, min(WIDEST, available - sum(others.values())))
        if width != self._progress_width:
            self._drawn.clear()
            self._progress_width = width
        columns = {
            "run": ("run", others["run"]),
            "status": ("status", others["status"]),
            "stage": ("stage", others["stage"]),
            "progress": ("progress or result", width),
            "time": ("time / left", others["time"]),
        }
        tint = partial(ink, self.app)
        rows = {ALL: _all_cells(snapshot, width, tint)}
        for view in snapshot.runs:
            shown = view, view.index in snapshot.damaged
            before, cells = self._drawn.get(view.index, (None, []))
            # Only a run at work changes with time alone.
            if view.status is RunStatus.RUNNING or shown != before:
                cells = _run_cells(view, snapshot, width, tint)
            self._drawn[view.index] = shown, cells
            rows[str(view.index)] = cells
        details = f"; {key_of(self, 'runs.details')}: details"
        legends = [f"{TITLE}: {LEGEND}{details}", f"{TITLE}: {LEGEND}"] if snapshot.metrics else []
        self.entitle(*legends, f"{TITLE}{details}", TITLE)
        self.fill(columns, rows)
        self._post_selected()


def _all_cells(snapshot: Snapshot, width: int, tint: Callable[[str], str]) -> list[Text]:
    glyph, word, style = STATES[snapshot.status]
    style = tint(style)
    working = snapshot.status is ExperimentStatus.RUNNING
    return [
        right(ALL),
        left((f"{glyph} {snapshot.complete} of {len(snapshot.runs)}", style)),
        left((word, style)),
        left(_bar(snapshot.done, width - 1, "")),
        right(_times(snapshot.worked, snapshot.remaining if working else None)),
    ]


def _run_cells(view: RunView, snapshot: Snapshot, width: int, tint: Callable[[str], str]) -> list[Text]:
    glyph, word, style = RUN_STATES[view.status]
    style = tint(style)
    stage, progress, times = view.stage, "", ""
    match view.status:
        case RunStatus.RUNNING:
            progress = _progress(view, snapshot.now, width - 1)
            times = _times(seconds_between(view.started, snapshot.now), snapshot.left.get(view.index))
        case RunStatus.COMPLETE:
            stage, progress = _findings(snapshot.metrics[view.index], width - 1)
            times = _times(seconds_between(view.started, view.finished), None)
        case RunStatus.FAILED:
            progress = _line(view.error)
            times = _times(seconds_between(view.started, view.finished), None)
        case RunStatus.PENDING:
            progress = DAMAGED if _is_damaged(view, snapshot) else ""
    return [
        right(str(view.index + 1)),
        left((f"{glyph} {word}", style)),
        left(stage),
        left((progress, style if view.status is RunStatus.FAILED else "")),
        right(times),
    ]


def _is_damaged(view: RunView, snapshot: Snapshot) -> bool:
    """Whether a run is pending because its result cannot be read."""
    return view.status is RunStatus.PENDING and view.index in snapshot.damaged


def _findings(metrics: RunMetrics, width: int) -> tuple[str, str]:
    """The main findings of a complete run: the surrogate's accuracy; |M|, |D|, and the attack's rate if it fits."""
    counts, fooled = metrics.counts, metrics.attack.surrogate_fooled
    found = f"M {counts.misclassified:,} D {counts.adversarial:,}"
    more = f" fooled {100 * fooled:.3g} %" if fooled is not None else ""
    return f"net {metrics.surrogate_accuracy:.3f}", found + more if len(found + more) <= width else found


def _progress(view: RunView, now: float, width: int) -> str:
    """Bar, share and steps a second of the present stage."""
    rate = f" {found}" if (found := rate_of(view, now)) else ""
    return _bar(view.done / view.total if view.total else 0.0, width, rate.rjust(8) if view.total > 1 else "")


def _bar(share: float, width: int, after: str) -> str:
    words = f"{percent(share):>6}{after}"
    return bar(share, max(0, width - len(words))) + words


def _line(text: str) -> str:
    """A text in one line."""
    return " ".join(text.splitlines())


def _times(elapsed: float | None, left_over: float | None) -> str:
    spent = "" if elapsed is None else clock(elapsed)
    return spent if left_over is None else f"{spent} / {clock(left_over)}"
