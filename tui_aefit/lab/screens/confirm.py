"""Small dialogs in front of a screen: a question to answer with yes or no, and one to answer with a line."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static

from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.screens.dialog import Dialog


class Confirm(Dialog[bool]):
    """A question about something that cannot be undone. Its result is True only for an explicit yes.

    question: one sentence. detail: what would be lost or go on, may be empty. yes_label: what yes does, such
    as "Delete"; the other button, which has the focus at first, leaves everything as it is.
    """

    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding("n,escape", "answer(False)", "No", id="confirm.no", tooltip="Leave everything as it is"),
        Binding(
            "left,right,up,down",
            "other",
            "Other button",
            id="confirm.other",
            tooltip="The other button",
            show=False,
        ),
    ]

    def __init__(self, question: str, detail: str = "", yes_label: str = "Yes") -> None:
        super().__init__(question, detail)
        self._yes_label = yes_label

    def answers(self) -> ComposeResult:
        """Two buttons."""
        with Horizontal():
            yes, no = key_of(self, "confirm.yes"), key_of(self, "confirm.no")
            yield Button(f"{self._yes_label} ({yes})", id="yes", variant="warning", compact=True)
            yield Button(f"Cancel ({no})", id="no", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """Close the dialog with this answer."""
        self.dismiss(answer)

    def action_other(self) -> None:
        """Move the focus to the other button."""
        self.focus_next()


class Ask(Dialog[str]):
    """A question that a line of text answers; the result is None where the person leaves it.

    value: the line's text at first. enter: what the key enter does, in words. detail: what to know before, may be
    empty.
    """

    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", id="ask.cancel", tooltip="Leave it as it was"),
    ]

    def __init__(self, question: str, value: str = "", enter: str = "keeps it", detail: str = "") -> None:
        super().__init__(question, detail)
        self._value = value
        self._enter = enter

    def answers(self) -> ComposeResult:
        """The line, the keys."""
        yield Input(self._value, id="answer", compact=True)
        leave = key_of(self, "ask.cancel")
        yield Static(f"enter {self._enter}, {leave} leaves it as it was", id="keys", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
