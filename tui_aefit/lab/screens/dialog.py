"""The base of all small dialogs in front of a screen: a question, what to know before, a way to leave it."""

from __future__ import annotations

from typing import TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from core.declarations.printable import printable_lines

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A question with the widgets of `answers` below it.

    question: one sentence. detail: what to know before, may be empty. CSS_PATH begins with "dialog.tcss".
    """

    def __init__(self, question: str, detail: str = "") -> None:
        super().__init__()
        # Kept, not looked up: what they say may change before they are on the screen.
        self.question = Static(printable_lines(question), id="question", markup=False)
        self.detail = Static(printable_lines(detail), id="detail", markup=False)
        self._has_detail = bool(detail)

    def compose(self) -> ComposeResult:
        """The question, the detail, the ways to answer."""
        with Vertical(classes="dialog"):
            yield self.question
            if self._has_detail:
                yield self.detail
            yield from self.answers()

    def answers(self) -> ComposeResult:
        """The widgets below the question, by which it is answered."""
        raise NotImplementedError

    def action_leave(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
