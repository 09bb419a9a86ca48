"""The curves of a study against one of its axes."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui_aefit.lab.widgets.read_off import ReadOff, reading_bindings

NOTHING = "Curves appear when the first experiment has a number."


class StudyCurves(ReadOff):
    """The curves, with a cursor that reads them off at the values of the axis."""

    BINDINGS: ClassVar[list[BindingType]] = reading_bindings(
        "study.curves-", "Read the curves off at", "value"
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(empty=NOTHING, id=id)
