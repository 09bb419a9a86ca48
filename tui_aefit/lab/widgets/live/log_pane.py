"""The log of an experiment: its newest lines, wrapped to the width."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text
from textual.events import Resize
from textual.reactive import reactive
from textual.theme import Theme
from textual.widgets import RichLog

from core.report.formatting import moment
from tui_aefit.following.snapshot import LogLine, Snapshot
from tui_aefit.lab.theme import FollowsTheme, ink

LEVELS = {"warning": "yellow", "error": "bold red"}
"""Level -> the Rich style of its word; lines of level info have no word."""


class LogPane(FollowsTheme, RichLog):
    """Shows the log of its `snapshot`. It follows the newest line until the person scrolls up."""

    DEFAULT_CSS = """
    LogPane {
        height: 1fr;
        border: round $foreground 30%;
        border-title-color: $foreground;
        scrollbar-size-vertical: 1;
        &:focus { border: round $primary; }
    }
    """

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(wrap=True, min_width=1, highlight=False, markup=False, id=id, classes=classes)
        self._shown: tuple[LogLine, ...] = ()
        self._shown_of = "", 0

    def on_mount(self) -> None:
        """Set the title."""
        self.border_title = "Log"

    def on_resize(self, event: Resize) -> None:
        """Wrap the lines anew where the width changed."""
        following = self.is_vertical_scroll_end
        super().on_resize(event)
        self._add_new()
        if following:
            self.call_after_refresh(self.scroll_end, animate=False)

    def on_show(self) -> None:
        """Add the lines that came while the pane was hidden."""
        self._add_new()

    def watch_snapshot(self) -> None:
        """Add the new lines."""
        self._add_new()

    def theme_changed(self, theme: Theme) -> None:
        """Draw in the colours of another theme."""
        self._shown_of = "", 0
        self._add_new()

    def _add_new(self) -> None:
        """Write the new lines; all lines anew for another experiment or width.

        Does nothing while hidden: there is no width to wrap lines to, and a hidden widget that is written to may
        miss that it is shown again.
        """
        snapshot, width = self.snapshot, self.size.width
        if snapshot is None or not width:
            return
        following = self.is_vertical_scroll_end  # before clearing: an empty pane is always at its end
        added = _added(self._shown, snapshot.log) if self._shown_of == (snapshot.id, width) else None
        if added is None:
            self.clear()
            added = snapshot.log
        self._shown, self._shown_of = snapshot.log, (snapshot.id, width)
        for line in added:
            self.write(_rendered(line, ink(self.app, LEVELS.get(line.level, "bold"))), scroll_end=following)


def _added(before: tuple[LogLine, ...], now: tuple[LogLine, ...]) -> tuple[LogLine, ...] | None:
    """The lines of `now` after those that both have; None where they have none in common.

    `now` may lack the first lines of `before`: a snapshot keeps only the newest.
    """
    for lost in range(len(before)):
        kept = len(before) - lost
        if kept <= len(now) and before[lost:] == now[:kept]:
            return now[kept:]
    return None if before else now


def _rendered(line: LogLine, style: str) -> Table:
    """A row with the time, and beside it the wrapped text. style: of the level's word."""
    time = f"{moment(line.time, '%H:%M:%S'):<8}"
    word = (f"{line.level}: ", style) if line.level != "info" else ""
    row = Table.grid(padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(Text(time, "dim"), Text.assemble(word, line.text))
    return row
