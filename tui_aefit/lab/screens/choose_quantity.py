"""A list of quantities to choose one from, which letters make shorter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from core.declarations.printable import printable
from tui_aefit.following.quantities import GROUPS, Quantity
from tui_aefit.lab.screens.dialog import Dialog

CHOSEN = "●"


class ChooseQuantity(Dialog[Quantity]):
    """Asks which of `quantities` is to be shown, `chosen` being so now; None where the person would rather not."""

    CSS_PATH: ClassVar = ["dialog.tcss", "choose_quantity.tcss"]
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move('up')", "Up", id="choose-quantity.up", show=False, tooltip="To the quantity above"),
        Binding("down", "move('down')", "Down", id="choose-quantity.down", show=False,
                tooltip="To the quantity below"),
        Binding("pageup", "move('page_up')", "Page up", id="choose-quantity.page-up", show=False,
                tooltip="Some quantities up"),
        Binding("pagedown", "move('page_down')", "Page down", id="choose-quantity.page-down", show=False,
                tooltip="Some quantities down"),
        Binding("escape", "leave", "Cancel", id="choose-quantity.cancel", tooltip="Leave it as it was"),
    ]  # fmt: skip

    def __init__(self, quantities: Sequence[Quantity], chosen: Quantity) -> None:
        super().__init__("Which quantity?")
        self._quantities, self._chosen = list(quantities), chosen
        self._listed: list[Quantity] = []

    def answers(self) -> ComposeResult:
        """The line that makes the list shorter, the list, the keys."""
        yield Input(placeholder="type to find one", id="words", compact=True)
        yield OptionList(id="quantities")
        yield Static("up and down choose, enter shows it, escape leaves", id="keys")

    def on_mount(self) -> None:
        """Show all, with the cursor at the one that is shown now."""
        self._show()

    @on(Input.Changed)
    def _show(self) -> None:
        words = self.query_one(Input).value.casefold().split()
        options = self.query_one(OptionList)
        options.clear_options()
        self._listed = [
            one
            for one in self._quantities
            if all(word in f"{GROUPS[one.kind]} {one.title}".casefold() for word in words)
        ]
        group = ""
        for place, one in enumerate(self._listed):
            if GROUPS[one.kind] != group:
                group = GROUPS[one.kind]
                options.add_option(Option(Text(group, "bold"), disabled=True))
            mark = CHOSEN if one == self._chosen else " "
            options.add_option(Option(Text(f"{mark} {printable(one.title)}"), str(place)))
        if self._listed:
            at = self._listed.index(self._chosen) if not words and self._chosen in self._listed else 0
            options.highlighted = options.get_option_index(str(at))

    def action_move(self, where: str) -> None:
        """Move the cursor of the list, while letters still go to the line."""
        options = self.query_one(OptionList)
        getattr(options, f"action_{'cursor_' if where in ('up', 'down') else ''}{where}")()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self._take(options.get_option_at_index(options.highlighted))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._take(event.option)

    def _take(self, option: Option) -> None:
        if option.id is not None:
            self.dismiss(self._listed[int(option.id)])
