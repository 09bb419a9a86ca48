"""Screens that show what lies on the disk: they look at it in threads, while they are in front."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.message import Message
from textual.screen import Screen


class PollingScreen(Screen[None]):
    """Calls `look` every `LOOK_SECONDS`, but never while the look before goes on: a worker of the group "look"."""

    LOOK_SECONDS: ClassVar[float] = 2.0
    """Seconds between two looks."""

    class Done(Message, namespace="polling"):
        """An action of the person's has ended, well or not: what is shown may have changed."""

    def look(self) -> object:
        """Begin to look, in a worker of the group "look"."""
        raise NotImplementedError

    def look_anew(self) -> None:
        """Look now, since something may have changed. Overridden by what can look while a look goes on."""
        self._look_if_idle()

    def look_after(self) -> None:
        """Look once an action has ended; called in the action's thread."""
        self.post_message(self.Done())

    def action_look_again(self) -> None:
        """Look now."""
        self.look_anew()

    def on_mount(self) -> None:
        """Look again and again from now on."""
        self._looks = self.set_interval(self.LOOK_SECONDS, self._look_if_idle)

    def on_screen_resume(self, _: events.ScreenResume) -> None:
        """Look again and again from now on, at once for the first time."""
        self._looks.resume()
        self.look_anew()

    def on_screen_suspend(self, _: events.ScreenSuspend) -> None:
        """Stop looking while the screen is not in front."""
        self._looks.pause()

    def _look_if_idle(self) -> None:
        # A slow file server must not make looks queue up.
        if not any(worker.group == "look" and not worker.is_finished for worker in self.workers):
            self.look()

    @on(Done)
    def _done(self) -> None:
        self.look_anew()
