"""The question on leaving while something is being computed: leave it running, stop it, stay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.widgets import Button

from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.screens.dialog import Dialog

Answer = Literal["leave", "stop", "stay"]


class Leave(Dialog[Answer]):
    """Asks what becomes of the experiments `at_work`; once all of them have ended, whether to quit all the same."""

    CSS_PATH = "dialog.tcss"
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

    at_work: reactive[tuple[str, ...]] = reactive((), init=False)
    """The ids of the experiments that are being computed."""

    def __init__(self, at_work: Iterable[str]) -> None:
        ids = tuple(at_work)
        super().__init__("Work is going on", ", ".join(ids))
        # Kept, not looked up: work may end before they are on the screen.
        leave, stop = key_of(self, "leave.leave"), key_of(self, "leave.stop")
        self._leave_button = Button(
            f"Leave it running ({leave})", id="leave", variant="primary", compact=True
        )
        self._stop_button = Button(f"Stop it ({stop})", id="stop", variant="warning", compact=True)
        self.at_work = ids

    def answers(self) -> ComposeResult:
        """Three buttons."""
        with Horizontal():
            yield self._leave_button
            yield self._stop_button
            yield Button(f"Stay ({key_of(self, 'leave.stay')})", id="stay", compact=True)

    def watch_at_work(self) -> None:
        """Show what runs; once nothing does, ask whether to quit, without the button to stop it."""
        if self.at_work:
            self.detail.update(", ".join(self.at_work))
            return
        self.question.update("The work has ended")
        self.detail.update("Nothing is being computed any more.")
        self._leave_button.label = f"Quit ({key_of(self, 'leave.leave')})"
        self._stop_button.display = False
        if self._stop_button.has_focus:
            self._leave_button.focus()

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
