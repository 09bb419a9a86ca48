"""The pane beside the list of experiments: what one of them found, and what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rich.table import Table
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from core.declarations.printable import printable
from core.records.overview import Overview
from tui_aefit.following.preview import SETS, Preview, accuracies, answer, facts, read_preview
from tui_aefit.lab.charts.data import accuracy_data
from tui_aefit.lab.charts.drawing import accuracy_chart
from tui_aefit.lab.widgets.chart import Chart

NO_CHART = 32
"""The height below which the pane shows accuracies as a small table, not as a chart."""


class PreviewPane(VerticalScroll):
    """Shows the preview of the experiment of an `overview`, None for none; reads it only while visible.

    now: for its age, seconds since 1970. preview: as last read; read-only.
    """

    class Read(Message):
        """The experiment was read."""

        def __init__(self, preview: Preview) -> None:
            super().__init__()
            self.preview = preview

    overview: reactive[Overview | None] = reactive(None, init=False, layout=False, repaint=False)
    preview: reactive[Preview | None] = reactive(None, init=False, layout=False, repaint=False)
    now: reactive[float] = reactive(0.0, init=False, layout=False, repaint=False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[Any, ...] = ()

    def compose(self) -> ComposeResult:
        """The answer, a chart or a small table, the facts."""
        yield Static(id="preview-answer", markup=False)
        yield Chart(accuracy_chart, empty="", id="preview-chart")
        yield Static(id="preview-table")
        yield Static(id="preview-facts")

    def watch_overview(self) -> None:
        """Read another experiment, or what changed of this one."""
        self._read_if_seen()

    def on_show(self) -> None:
        """Read what was not read while the pane was hidden."""
        self._read_if_seen()

    def _read_if_seen(self) -> None:
        if self.overview is None:
            self.preview = None
        elif self.display and (self.preview is None or self.preview.overview is not self.overview):
            self._read(self.overview)

    @work(thread=True, group="preview", exclusive=True)
    def _read(self, overview: Overview) -> None:
        self.post_message(self.Read(read_preview(overview)))

    @on(Read)
    def _was_read(self, message: Read) -> None:
        message.stop()
        # Another one may be wanted by now.
        if message.preview.overview is self.overview:
            self.preview = message.preview

    def watch_preview(self) -> None:
        """Show another experiment, or what changed of this one."""
        self._show()

    def watch_now(self) -> None:
        """Show the age anew."""
        self._show()

    def on_resize(self) -> None:
        """Show a chart or a table, as there is room now."""
        self._show()

    def _show(self) -> None:
        preview, low = self.preview, self.size.height < NO_CHART
        words = facts(preview, self.now) if preview is not None else []
        shown = (preview, words, low)
        if shown == self._shown:
            return
        before = self._shown[0] if self._shown else None
        if preview is not None and before is not None and preview.overview.id != before.overview.id:
            self.scroll_home(animate=False)
        self._shown = shown
        if preview is None:
            self.border_title = ""
            for name in ("answer", "table", "facts"):
                self.query_one(f"#preview-{name}", Static).update("")
            self.query_one(Chart).display = False
            return
        label = printable(preview.overview.annotations.label)
        self.border_title = Text(label or printable(preview.overview.id))
        self.border_subtitle = Text(printable(preview.overview.id) if label else "")
        self.query_one("#preview-answer", Static).update(answer(preview))
        chart, experiment = self.query_one(Chart), preview.overview.experiment
        data = None
        if preview.statistics is not None and experiment is not None:
            corrected = bool(preview.statistics.claims)
            data = accuracy_data(preview.statistics.summary, experiment.spec.ladder, corrected=corrected)
        if data is not None:
            # A small chart has room for few.
            data = replace(data, curves={name: data.curves[name] for name in SETS if name in data.curves})
        chart.display = data is not None and not low
        chart.data = data if chart.display else None
        rows = accuracies(preview) if low else []
        self.query_one("#preview-table", Static).update(_table(rows))
        self.query_one("#preview-table").display = bool(rows)
        self.query_one("#preview-facts", Static).update(_listed(words))


def _table(rows: list[list[str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for place, _ in enumerate(rows[0] if rows else []):
        table.add_column(justify="right" if place else "left", no_wrap=True)
    for place, row in enumerate(rows):
        table.add_row(*(Text(cell, "" if place else "bold") for cell in map(printable, row)))
    return table


def _listed(words: list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for word, text in words:
        table.add_row(Text(word, "dim"), Text(text))
    return table
