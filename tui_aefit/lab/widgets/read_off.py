"""Curves with a cursor that reads them off, for a screen that holds what they are drawn by."""

from __future__ import annotations

from textual.message import Message

from tui_aefit.lab.charts.drawing import accuracy_chart
from tui_aefit.lab.widgets.chart import Chart


class ReadOff(Chart, can_focus=True):
    """Shows `data`, an `AccuracyData`. Posts `Moved` where its cursor is to go: a place of the axis, or None.

    A subclass has the keys of `action_move`.
    """

    class Moved(Message):
        """The curves are to be read off here."""

        def __init__(self, cursor: str | None) -> None:
            super().__init__()
            self.cursor = cursor

    def __init__(self, *, empty: str, id: str | None = None) -> None:
        super().__init__(accuracy_chart, empty=empty, id=id)

    def action_move(self, step: int) -> None:
        """Move the cursor; from an end it goes away, and comes back at the other one."""
        if self.data is None:
            return
        places = [None, *self.data.levels]
        at = places.index(self.data.cursor)
        self.post_message(self.Moved(places[(at + step) % len(places)]))
