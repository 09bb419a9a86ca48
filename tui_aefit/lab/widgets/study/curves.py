"""The curves of a study against one of its axes."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui_aefit.lab.widgets.read_off import ReadOff

NOTHING = "Curves appear when the first experiment has a number."


class StudyCurves(ReadOff):
    """Read off at the values of the axis."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Cursor left", id="study.curves-left", show=False,
                tooltip="Read the curves off at the value before"),
        Binding("right", "move(1)", "Cursor right", id="study.curves-right", show=False,
                tooltip="Read the curves off at the next value"),
    ]  # fmt: skip

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(empty=NOTHING, id=id)
