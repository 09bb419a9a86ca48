"""A small list of sets with a mark at each that a chart draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import SelectionList, Static
from textual.widgets.selection_list import Selection

from tui_aefit.following.printable import printable
from tui_aefit.lab.charts.data import set_marker


class ChooseSets(ModalScreen[tuple[str, ...] | None]):
    """Asks which of `names` are to be drawn, `drawn` being so now; its result is these, in the same order.

    None where the person would rather not. At least one stays: a chart of nothing says nothing.
    """

    CSS_PATH = "choose_sets.tcss"
    AUTO_FOCUS = "SelectionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter,z", "take", "Take", id="choose-sets.take", priority=True, tooltip="Draw what is marked"
        ),
        Binding("a", "all", "All", id="choose-sets.all", tooltip="Mark every set, or none but the first"),
        Binding("escape", "leave", "Cancel", id="choose-sets.cancel", tooltip="Leave the chart as it was"),
    ]

    def __init__(self, names: Sequence[str], drawn: Sequence[str]) -> None:
        super().__init__()
        self._names, self._drawn = list(names), set(drawn)

    def compose(self) -> ComposeResult:
        """The list and its keys."""
        with Vertical(classes="dialog"):
            yield Static("Sets in the chart", id="question")
            yield SelectionList[str](
                *(
                    Selection(f"{set_marker(name)} {printable(name)}", name, name in self._drawn)
                    for name in self._names
                )
            )
            yield Static("space marks, a all, enter draws, escape leaves it", id="keys")

    def action_take(self) -> None:
        """Close with what is marked."""
        marked = set(self.query_one(SelectionList).selected)
        self.dismiss(tuple(name for name in self._names if name in marked) or None)

    def action_all(self) -> None:
        """Mark all; where all are marked already, the first alone."""
        choices = self.query_one(SelectionList)
        if len(choices.selected) < len(self._names):
            choices.select_all()
        else:
            choices.deselect_all()
            choices.select(self._names[0])

    def action_leave(self) -> None:
        """Close without a choice."""
        self.dismiss(None)
