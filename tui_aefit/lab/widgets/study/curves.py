"""The curves of a study against one of its axes."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tui_aefit.lab.charts.drawing import accuracy_chart
from tui_aefit.lab.widgets.chart import Chart

NOTHING = "Curves appear when the first experiment has a number."


class StudyCurves(Chart, can_focus=True):
    """Shows `data`, an `AccuracyData`. Posts `Moved` where its cursor is to go: a value of the axis, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Cursor left", id="study.curves-left", show=False,
                tooltip="Read the curves off at the value before"),
        Binding("right", "move(1)", "Cursor right", id="study.curves-right", show=False,
                tooltip="Read the curves off at the next value"),
    ]  # fmt: skip

    class Moved(Message):
        """The curves are to be read off here."""

        def __init__(self, cursor: str | None) -> None:
            super().__init__()
            self.cursor = cursor

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(accuracy_chart, empty=NOTHING, id=id)

    def action_move(self, step: int) -> None:
        """Move the cursor; from an end it goes away, and comes back at the other one."""
        if self.data is None:
            return
        places = [None, *self.data.levels]
        at = places.index(self.data.cursor)
        self.post_message(self.Moved(places[(at + step) % len(places)]))
