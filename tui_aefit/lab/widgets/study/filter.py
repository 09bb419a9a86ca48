"""The line in which the words of the study screen's filter are typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class CellsFilter(Input):
    """The line for the words of the filter; while it has the focus, the footer shows how to leave it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "screen.to_cells", "To the study", id="study.table",
                tooltip="Go on among the experiments that the filter leaves"),
        Binding("escape", "screen.back", "Show all", id="study.unfilter", tooltip="Take the filter away"),
    ]  # fmt: skip
