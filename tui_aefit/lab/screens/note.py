"""The dialog for a note of several lines."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, TextArea

from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.screens.dialog import Dialog


class Note(Dialog[str]):
    """Asks for a text of any length; the result is None where the person leaves it as it was.

    question: whose note it is. value: the present note. detail: what to know before, may be empty.
    """

    CSS_PATH: ClassVar = ["dialog.tcss", "note.tcss"]
    AUTO_FOCUS = "TextArea"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s", "keep", "Keep", id="note.keep", tooltip="Keep the note as it stands", priority=True
        ),
        Binding("escape", "leave", "Cancel", id="note.cancel", tooltip="Leave it as it was", priority=True),
    ]

    def __init__(self, question: str, value: str = "", detail: str = "") -> None:
        super().__init__(question, detail)
        self._value = value

    def answers(self) -> ComposeResult:
        """The text, two buttons."""
        yield TextArea(self._value, id="note", tab_behavior="focus", compact=True)
        with Horizontal():
            yield Button(f"Keep ({key_of(self, 'note.keep')})", id="keep", compact=True)
            yield Button(f"Cancel ({key_of(self, 'note.cancel')})", id="cancel", compact=True)

    @on(Button.Pressed, "#keep")
    def action_keep(self) -> None:
        """Close with the text."""
        self.dismiss(self.query_one(TextArea).text)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.action_leave()
