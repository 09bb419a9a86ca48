"""A small list of columns, to sort the experiments by one of them."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_aefit.following.listing import COLUMNS
from tui_aefit.following.ordering import Order
from tui_aefit.lab.arrows import arrow_bindings
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.screens.dialog import Dialog


class ChooseOrder(Dialog[Order]):
    """Asks what to sort by. order: the present one; to choose its column again reverses it."""

    CSS_PATH: ClassVar = ["dialog.tcss", "choose_order.tcss"]
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", id="choose-order.cancel", tooltip="Leave the order as it was"),
        *arrow_bindings("choose-order"),
    ]

    def __init__(self, order: Order) -> None:
        super().__init__("Sort by")
        self._order = order

    def answers(self) -> ComposeResult:
        """The columns and the keys."""
        yield OptionList(*(Option(self._line(column), column) for column in COLUMNS))
        leave = key_of(self, "choose-order.cancel")
        yield Static(
            f"enter sorts, of the same column the other way; {leave} leaves", id="keys", markup=False
        )

    def on_mount(self) -> None:
        """Put the cursor on the column of the present order."""
        self.query_one(OptionList).highlighted = list(COLUMNS).index(self._order.column)

    def _line(self, column: str) -> Text:
        arrow = f" {self._order.arrow}" if column == self._order.column else ""
        return Text(f"{COLUMNS[column].about}{arrow}")

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._order.by(str(event.option_id)))
