"""Curves with a cursor that reads values off, for screens that hold the curves' data and cursor themselves."""

from __future__ import annotations

from textual.binding import Binding, BindingType
from textual.message import Message

from tui_aefit.lab.charts.drawing import accuracy_chart
from tui_aefit.lab.widgets.chart import Chart


def reading_bindings(ids: str, reads: str, place: str) -> list[BindingType]:
    """Bindings of a chart's cursor, which call `action_move`.

    ids: the beginning of their ids. reads: the beginning of their tooltips. place: a word for a place of the axis.
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
    """Shows `data`, an `AccuracyData`. Posts `Moved` with the cursor's new place on the axis, or None.

    A subclass has the `reading_bindings`.
    """

    class Moved(Message):
        """The person wants to read the curves off at another place, None for no place."""

        def __init__(self, cursor: str | None) -> None:
            super().__init__()
            self.cursor = cursor

    def __init__(self, *, empty: str, id: str | None = None) -> None:
        super().__init__(accuracy_chart, empty=empty, id=id)

    def action_move(self, step: int) -> None:
        """Move the cursor; a step beyond an end removes it, the next puts it at the other end."""
        if self.data is None:
            return
        places = [None, *self.data.levels]
        at = places.index(self.data.cursor)
        self.post_message(self.Moved(places[(at + step) % len(places)]))
