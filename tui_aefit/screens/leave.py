"""The question on leaving while something is being computed: leave it running, stop it, stay."""

from __future__ import annotations

from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

Answer = Literal["leave", "stop", "stay"]


class Leave(ModalScreen[Answer]):
    """Asks what becomes of the experiments that are being computed."""

    CSS_PATH = "../styles/confirm.tcss"
    AUTO_FOCUS = "#leave"
    BINDINGS = [  # noqa: RUF012  # declared so by Screen
        Binding(
            "l,q",
            "answer('leave')",
            "Leave it running",
            id="leave.leave",
            tooltip="The work goes on without us",
        ),
        Binding("s", "answer('stop')", "Stop it", id="leave.stop", tooltip="Complete runs are kept"),
        Binding("escape", "answer('stay')", "Stay", id="leave.stay", tooltip="Do not quit"),
        Binding(
            "left,up",
            "app.focus_previous",
            "Previous",
            show=False,
            id="leave.previous",
            tooltip="Other button",
        ),
        Binding("right,down", "app.focus_next", "Next", show=False, id="leave.next", tooltip="Other button"),
    ]

    def __init__(self, running: list[str]) -> None:
        super().__init__()
        self._at_work = running

    def compose(self) -> ComposeResult:
        """What runs, and three buttons."""
        with Vertical(classes="dialog"):
            yield Static("Work is going on", id="question")
            yield Static(", ".join(self._at_work), id="detail", markup=False)
            with Horizontal():
                yield Button("Leave it running (l)", id="leave", variant="primary", compact=True)
                yield Button("Stop it (s)", id="stop", variant="warning", compact=True)
                yield Button("Stay (esc)", id="stay", compact=True)

    @on(Button.Pressed, "#leave")
    def _leave(self) -> None:
        self.dismiss("leave")

    @on(Button.Pressed, "#stop")
    def _stop(self) -> None:
        self.dismiss("stop")

    @on(Button.Pressed, "#stay")
    def _stay(self) -> None:
        self.dismiss("stay")

    def action_answer(self, answer: Answer) -> None:
        """Close with this answer."""
        self.dismiss(answer)
