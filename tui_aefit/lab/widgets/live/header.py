"""The first line of the live screen: the experiment, its state, the time left, and the machine's load."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from functools import partial

from rich.cells import cell_len
from rich.text import Text
from textual.reactive import reactive
from textual.theme import Theme
from textual.widget import Widget

from core.declarations.printable import printable
from core.records.status import ExperimentStatus
from core.report.formatting import duration
from core.spec.spec import Spec
from tui_aefit.following.listing import QUEUED, STATES
from tui_aefit.following.machine import Load
from tui_aefit.following.sentences import describe_rates
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.queueing import Turn
from tui_aefit.lab.theme import FollowsTheme, ink

BARS = "▁▂▃▄▅▆▇█"
LONGEST_NAME = 24
"""Cells of a label or of an own data set's name, at most."""
BETWEEN = "  "
HERE = socket.gethostname()


class LiveHeader(FollowsTheme, Widget):
    """One line of a `snapshot` and the `load` of the machine; what does not fit is left out from the right.

    turn: of the experiment in the queue, None where it does not wait.
    """

    DEFAULT_CSS = """
    LiveHeader { height: 1; padding: 0 1; background: $panel; }
    """

    snapshot: reactive[Snapshot | None] = reactive(None)
    load: reactive[Load] = reactive(Load())
    turn: reactive[Turn | None] = reactive(None)

    def __init__(self, name: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._first = name

    def render(self) -> Text:
        """The line; the name alone before there is a snapshot."""
        if self.snapshot is None:
            return Text(self._first, "bold", no_wrap=True, overflow="ellipsis")
        return header_line(
            self.snapshot, self.load, self.size.width, partial(ink, self.app), waits=self.turn is not None
        )

    @property
    def text(self) -> str:
        """The line as plain text."""
        return self.render().plain

    def theme_changed(self, theme: Theme) -> None:
        """Draw in the colours of another theme."""
        self.refresh()


def header_line(
    snapshot: Snapshot, load: Load, width: int, tint: Callable[[str], str] = str, *, waits: bool = False
) -> Text:
    """The line in `width` cells: as many of its parts as fit, from the left; the load ends at the right.

    The load is shown while this machine computes the experiment, id and attack's rates while nobody does.
    tint: style -> the style to draw with. waits: whether it waits for its turn.
    """
    text = Text(no_wrap=True, overflow="ellipsis")
    for gap, part, style in _parts(snapshot, tint, waits=waits):
        if text.plain and text.cell_len + len(gap) + cell_len(part) > width:
            return text
        text.append(gap if text.plain else "")
        text.append(part, style)
    running = snapshot.status is ExperimentStatus.RUNNING
    words = describe_load(load) if running and snapshot.host in ("", HERE) else []
    while words and text.cell_len + len(BETWEEN) + cell_len(BETWEEN.join(words)) > width:
        words.pop()
    at_the_right = BETWEEN.join(words)
    if at_the_right:
        text.append(" " * (width - text.cell_len - cell_len(at_the_right)) + at_the_right, "dim")
    return text


def _parts(snapshot: Snapshot, tint: Callable[[str], str], *, waits: bool) -> Iterator[tuple[str, str, str]]:
    """Gap before it, words and style of each part of the line, the most important first."""
    spec = snapshot.spec
    running = snapshot.status is ExperimentStatus.RUNNING
    glyph, word, style = QUEUED if waits and running else STATES[snapshot.status]
    yield "", shortened(snapshot.label or printable(spec.dataset_title)), "bold"
    for name in ([spec.dataset_title] if snapshot.label else []) + [spec.attack]:
        yield " · ", shortened(printable(name)), ""
    yield " · ", f"eps {spec.epsilon:g}", ""
    yield " · ", knob_of(spec, snapshot), ""
    yield " · ", f"seed {spec.seed}", ""
    yield BETWEEN, f"{glyph} {word}", tint(style)
    yield BETWEEN, f"{snapshot.complete}/{spec.runs} runs", ""
    if running:
        if snapshot.remaining is not None:
            yield " · ", f"{time_left(snapshot.remaining, rough=snapshot.rough)} left", ""
        if snapshot.jobs:
            yield " · ", f"{snapshot.jobs} at a time", ""
        return
    if snapshot.worked is not None:
        yield " · ", f"in {duration(snapshot.worked)}", ""
    yield BETWEEN, printable(snapshot.id), "dim"
    if rates := describe_rates(snapshot.metrics.values()):
        yield BETWEEN, rates, ""


def time_left(seconds: float, *, rough: bool) -> str:
    """A duration in words; a rough one of minutes without the seconds: "~27 min"."""
    if not rough:
        return duration(seconds)
    return f"~{duration(seconds) if not 60 <= seconds < 3600 else f'{round(seconds / 60)} min'}"


def knob_of(spec: Spec, snapshot: Snapshot) -> str:
    """The ladder in a word or two: as its family says it, else the knob with both ends."""
    return printable(spec.make_family().headline or snapshot.ladder.span)


def shortened(name: str) -> str:
    """A name cut to LONGEST_NAME cells."""
    if cell_len(name) <= LONGEST_NAME:
        return name
    text = Text(name)
    text.truncate(LONGEST_NAME, overflow="ellipsis")
    return text.plain


def describe_load(load: Load) -> list[str]:
    """Words for processors, memory and GPU, as far as they are known: a bar, and a share or gigabytes."""
    words = []
    if load.processors is not None:
        words.append(f"cpu {_bar(load.processors)} {100 * load.processors:.0f} %")
    if load.memory is not None and load.memory_used is not None:
        words.append(f"mem {_bar(load.memory)} {_gigabytes(load.memory_used)}")
    if load.gpu is not None:
        memory = "" if load.gpu_memory_used is None else f" {_gigabytes(load.gpu_memory_used)}"
        words.append(f"gpu {_bar(load.gpu)} {100 * load.gpu:.0f} %{memory}")
    return words


def _bar(share: float) -> str:
    return BARS[min(len(BARS) - 1, int(share * len(BARS)))]


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
