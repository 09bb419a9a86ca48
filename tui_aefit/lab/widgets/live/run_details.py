"""One run in full: its stages with their seconds, the surrogate's losses, the counts, the attack's rates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.reactive import reactive
from textual.widgets import Static

from core.records.metrics import RunMetrics
from core.records.stages import stages_of
from core.records.status import RunStatus
from core.report.formatting import counted, duration
from tui_aefit.following.snapshot import RunView, Snapshot
from tui_aefit.lab.theme import ink
from tui_aefit.lab.widgets.live.progress import FULL, bar, percent, rate_of, seconds_between
from tui_aefit.lab.widgets.live.runs_table import RUN_STATES

BAR = 20
"""Cells of the longest bar of a stage."""
BLOCKS = " ▁▂▃▄▅▆▇█"
ROWS, EPOCHS = 3, 36
"""The curve of losses: its lines, and the epochs that it shows, at most."""
NAME = 15
"""Cells of a stage's name."""


class RunDetails(VerticalScroll):
    """Shows run `run` (from 0; None for the first) of a `snapshot`."""

    DEFAULT_CSS = """
    RunDetails {
        border: round $foreground 30%;
        border-title-color: $foreground;
        padding: 0 1;
        &:focus { border: round $primary; }
        Static { height: auto; }
    }
    """

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)
    run: reactive[int | None] = reactive(None, init=False, layout=False, repaint=False)

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(markup=False)

    def on_resize(self, event: Resize) -> None:
        """Fit the text to the new width."""
        self._show()

    def on_show(self) -> None:
        """Show what has happened while this was hidden."""
        self._show()

    def watch_snapshot(self) -> None:
        """Show what changed."""
        self._show()

    def watch_run(self) -> None:
        """Show another run."""
        self._show()

    def _show(self) -> None:
        snapshot = self.snapshot
        if snapshot is None or not snapshot.runs or not self.size.width:
            return
        view = snapshot.runs[min(self.run or 0, len(snapshot.runs) - 1)]
        title = Text(f"Run {view.index + 1} of {len(snapshot.runs)}")
        if self.border_title != title.plain:
            self.border_title = title.plain
        self.query_one(Static).update(Text("\n").join(details(snapshot, view, partial(ink, self.app))))


def details(snapshot: Snapshot, view: RunView, tint: Callable[[str], str]) -> Iterator[Text]:
    """What is known of one run, line by line. tint: style -> the style to draw with."""
    glyph, word, style = RUN_STATES[view.status]
    spent = seconds_between(view.started, snapshot.now if view.status is RunStatus.RUNNING else view.finished)
    parts = [f"attempt {view.attempt}"] if view.attempt > 1 else []
    parts += [f"{duration(spent)}"] if spent is not None else []
    left = snapshot.left.get(view.index)
    parts += [f"about {duration(left)} left"] if left is not None else []
    yield Text.assemble((f"{glyph} {word}", tint(style)), "  " + ", ".join(parts))
    if view.error:
        yield Text(f"{view.error}. {view.hint}", "bold")
    if view.seconds or view.stage:
        yield Text("stages", "bold")
        yield from _stages(snapshot, view)
    if view.losses:
        yield Text("training of the surrogate", "bold")
        yield from _losses(view)
    if metrics := snapshot.metrics.get(view.index):
        yield Text("counts", "bold")
        yield from _listed(_counts(metrics))
        yield Text("attack on the surrogate", "bold")
        yield from _listed(_attack(metrics))


def _stages(snapshot: Snapshot, view: RunView) -> Iterator[Text]:
    longest = max(view.seconds.values(), default=0.0)
    names = list(dict.fromkeys([*view.seconds, *stages_of(snapshot.spec)]))
    for name in names:
        if name in view.seconds:
            took = view.seconds[name]
            shown = FULL * round(BAR * took / longest) if longest else ""
            yield Text(f"{name:<{NAME}}{took:>8.1f} s  {shown}")
        elif name == view.stage and view.status is RunStatus.RUNNING:
            share = view.done / view.total if view.total else 0.0
            yield Text(f"{name:<{NAME}}{percent(share):>10}  {bar(share, BAR)} {rate_of(view, snapshot.now)}")
        elif view.status is RunStatus.RUNNING:
            yield Text(f"{name:<{NAME}}{'·':>10}", "dim")


def _losses(view: RunView) -> Iterator[Text]:
    """A curve of the mean loss of every epoch, from 0 to the highest; at most EPOCHS of them, evenly spread."""
    many = min(len(view.losses), EPOCHS)
    chosen = [view.losses[round(place * (len(view.losses) - 1) / max(1, many - 1))] for place in range(many)]
    highest = max(chosen)
    wide = max(1, min(3, EPOCHS // many))
    for row in range(ROWS):
        above = ROWS - 1 - row
        cells = [
            BLOCKS[min(8, max(0, round(8 * (ROWS * loss / highest - above))))] if highest > 0 else " "
            for loss in chosen
        ]
        label = f"{highest:.4f}" if row == 0 else f"{0:.4f}" if row == ROWS - 1 else ""
        curve = "".join(cell * wide for cell in cells)
        last = (
            f"  {view.losses[-1]:.4f} after epoch {len(view.losses)} of {view.epochs}" if above == 0 else ""
        )
        yield Text(f"{'loss' if row == 0 else '':<{NAME}}{label:>10}  {curve}{last}")


def _counts(metrics: RunMetrics) -> Mapping[str, str]:
    counts = metrics.counts
    return {
        "training images": f"{counts.train:,}",
        "test images": f"{counts.test:,}, {counts.correct:,} right, {counts.misclassified:,} misclassified",
        "candidates": f"{counts.candidates:,}, {counts.adversarial:,} adversarial",
        "sources": f"{counted(counts.adversarial_sources, 'test image')} of the adversarial ones",
    }


def _attack(metrics: RunMetrics) -> Mapping[str, str]:
    figures = metrics.attack
    found = {"accuracy": f"{metrics.surrogate_accuracy:.4f}"}
    if figures.surrogate_fooled is not None:
        found["fooled"] = f"{100 * figures.surrogate_fooled:.2f} % of the candidates"
    if figures.target_hit is not None:
        found["target hit"] = f"{100 * figures.target_hit:.2f} % of the candidates"
    if figures.linf_max is not None:
        found["largest change"] = f"{figures.linf_max:.4f} of a pixel"
    if figures.l2_mean is not None:
        found["mean change"] = f"{figures.l2_mean:.3f} in L2"
    return found


def _listed(entries: Mapping[str, str]) -> Iterator[Text]:
    width = max(map(len, entries)) + 2
    for name, value in entries.items():
        yield Text(f"{name:<{width}}{value}")
