"""The line in which the words of a filter are typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class Filter(Input):
    """The line for the words of a filter; while it has the focus, the footer shows how to leave it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "screen.to_table", "To the table", id="experiments.table",
                tooltip="Go on among those that the filter leaves"),
        Binding("escape", "screen.back", "Show all", id="experiments.unfilter", tooltip="Take the filter away"),
    ]  # fmt: skip
