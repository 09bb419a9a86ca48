"""Curves with a cursor that reads them off, for a screen that holds what they are drawn by."""

from __future__ import annotations

from textual.binding import Binding, BindingType
from textual.message import Message

from tui_aefit.lab.charts.drawing import accuracy_chart
from tui_aefit.lab.widgets.chart import Chart


def reading_bindings(ids: str, reads: str, place: str) -> list[BindingType]:
    """The keys of a cursor that reads a chart off, which call `action_move`.

    ids: begins their ids. reads: what they do, up to the place. place: what the axis is made of.
    """
    return [
        Binding(
            "left",
            "move(-1)",
            "Cursor left",
            id=f"{ids}left",
            show=False,
            tooltip=f"{reads} the {place} before",
        ),
        Binding(
            "right",
            "move(1)",
            "Cursor right",
            id=f"{ids}right",
            show=False,
            tooltip=f"{reads} the next {place}",
        ),
    ]


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
