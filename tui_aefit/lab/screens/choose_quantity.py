"""The dialog for a quantity: a list that typed letters filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from core.declarations.printable import printable
from tui_aefit.following.quantities import GROUPS, Quantity
from tui_aefit.lab.screens.dialog import Dialog

CHOSEN = "●"
READING = "reading what there is …"
NONE = "there are no numbers yet"


class ChooseQuantity(Dialog[Quantity]):
    """Asks which quantity to show; its result is None where the person leaves it. chosen: the present one.

    find: returns all quantities, those of a group together. It may take long: it is called in a thread, and what is
    typed meanwhile counts.
    """

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

    class Found(Message, namespace="choose_quantity"):
        """The quantities to choose from were found."""

        def __init__(self, quantities: Sequence[Quantity]) -> None:
            super().__init__()
            self.quantities = quantities

    def __init__(self, find: Callable[[], Sequence[Quantity]], chosen: Quantity) -> None:
        super().__init__("Which quantity?")
        self._find, self._chosen = find, chosen
        self._quantities: Sequence[Quantity] | None = None
        self._listed: list[Quantity] = []
        self._is_submitted = False

    def answers(self) -> ComposeResult:
        """The line of the filter, the list, the keys."""
        yield Input(placeholder="type to find one", id="words", compact=True)
        yield OptionList(id="quantities")
        yield Static("up and down choose, enter shows it, escape leaves", id="keys")

    def on_mount(self) -> None:
        """Find the quantities; say meanwhile that they are being read."""
        self._show()
        self._look()

    @work(thread=True)
    def _look(self) -> None:
        self.post_message(self.Found(self._find()))

    @on(Found)
    def _found(self, message: Found) -> None:
        self._quantities = message.quantities
        self._show()
        if self._is_submitted:
            self._submitted()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._is_submitted = False  # of what stood there before
        self._show()

    def _show(self) -> None:
        """Show the quantities that fit what was typed, with the cursor on the present one, or on the first."""
        words = self.query_one(Input).value.casefold().split()
        options = self.query_one(OptionList)
        options.clear_options()
        if not self._quantities:
            options.add_option(Option(READING if self._quantities is None else NONE, disabled=True))
            return
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
        """Move the cursor of the list; the focus stays on the line of the filter."""
        options = self.query_one(OptionList)
        getattr(options, f"action_{'cursor_' if where in ('up', 'down') else ''}{where}")()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._is_submitted = True
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self._take(options.get_option_at_index(options.highlighted))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._take(event.option)

    def _take(self, option: Option) -> None:
        if option.id is not None:
            self.dismiss(self._listed[int(option.id)])
