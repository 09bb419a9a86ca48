"""All runs in one line: a segment with stage, bar and rate for each at work, a cell for each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from rich.text import Text
from textual.reactive import reactive
from textual.theme import Theme
from textual.widget import Widget

from core.records.status import RunStatus
from tui_aefit.following.snapshot import RunView, Snapshot
from tui_aefit.lab.theme import FollowsTheme, ink
from tui_aefit.lab.widgets.live.progress import EMPTY, FULL, percent, rate_of

GLYPHS = {RunStatus.COMPLETE: "■", RunStatus.FAILED: "✗", RunStatus.PENDING: "·"}
"""Status -> the cell of a run that is not at work."""
STYLES = {RunStatus.COMPLETE: "green", RunStatus.FAILED: "red", RunStatus.PENDING: "dim"}
WORDS = {RunStatus.COMPLETE: "complete", RunStatus.FAILED: "failed", RunStatus.PENDING: "waiting"}
DAMAGED = "!"
LEAD = "runs "
BAR = 9
"""Cells of a bar."""


class RunStrip(FollowsTheme, Widget):
    """One line on the runs of a `snapshot`."""

    DEFAULT_CSS = """
    RunStrip { height: 1; padding: 0 1; }
    """

    snapshot: reactive[Snapshot | None] = reactive(None)

    def render(self) -> Text:
        """The line, in the present width."""
        if self.snapshot is None:
            return Text()
        return run_strip(self.snapshot, self.size.width, partial(ink, self.app))

    def theme_changed(self, theme: Theme) -> None:
        """Draw in the colours of another theme."""
        self.refresh()


def run_strip(snapshot: Snapshot, width: int, tint: Callable[[str], str] = str) -> Text:
    """The runs in order, in `width` cells, with the most detail that fits; see `_drawn`.

    tint: style -> the style to draw with.
    """
    text = Text()
    for detail in (3, 2, 1, 0):
        for counts in (False, True):
            text = _drawn(snapshot, detail, tint, counts=counts)
            if text.cell_len <= width:
                return text
    text.truncate(width, overflow="ellipsis")
    return text


def _drawn(snapshot: Snapshot, detail: int, tint: Callable[[str], str], *, counts: bool) -> Text:
    """The line with so much detail of runs at work: 3 bar, stage, share, rate; 2 no rate; 1 no bar; 0 no stage.

    counts: whether neighbouring runs not at work are shown by their number.
    """
    text = Text(LEAD, no_wrap=True)
    text.stylize("dim")
    parts = []
    for key, views in groupby(snapshot.runs, key=partial(_kind, snapshot)):
        group = list(views)
        if key is None:
            parts += [_segment(view, snapshot.now, detail, tint) for view in group]
        else:
            parts.append(_rest(key, group, tint, counts=counts))
    return Text.assemble(text, Text("  ").join(parts), no_wrap=True)


def _kind(snapshot: Snapshot, view: RunView) -> tuple[str, str, str] | None:
    """Glyph, style and word of a run that is not at work; None for one at work."""
    if view.status is RunStatus.RUNNING:
        return None
    if view.status is RunStatus.PENDING and view.index in snapshot.damaged:
        return DAMAGED, "red", "unreadable"
    return GLYPHS[view.status], STYLES[view.status], WORDS[view.status]


def _rest(
    kind: tuple[str, str, str], group: Sequence[RunView], tint: Callable[[str], str], *, counts: bool
) -> Text:
    glyph, style, word = kind
    shown = f"{glyph} {len(group)} {word}" if counts else glyph * len(group)
    return Text(shown, tint(style))


def _segment(view: RunView, now: float, detail: int, tint: Callable[[str], str]) -> Text:
    share = min(1.0, view.done / view.total) if view.total else 0.0
    full = int(share * BAR)
    bar = f" {FULL * full}{EMPTY * (BAR - full)}" if detail > 1 else ""
    stage = f" {view.stage or 'begins'}" if detail > 0 else ""
    rate = f" {found}" if detail > 2 and (found := rate_of(view, now)) else ""
    return Text.assemble((f"{view.index + 1}", tint("bold")), f"{bar}{stage} {percent(share)}{rate}")
