"""The lab's theme of greys, and what is drawn otherwise where there is no colour."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.theme import Theme
from textual.widget import Widget

MONOCHROME = Theme(
    name="monochrome",
    primary="#d0d0d0",
    secondary="#a8a8a8",
    accent="#ffffff",
    success="#e6e6e6",
    warning="#ffffff",
    error="#ffffff",
    foreground="#e6e6e6",
    background="#000000",
    surface="#121212",
    panel="#2c2c2c",
    dark=True,
)


def is_colourless(app: App[Any]) -> bool:
    """Whether nothing on the screen has a colour: NO_COLOR is set, or the theme of greys was chosen."""
    return app.no_color or app.theme == MONOCHROME.name


def ink(app: App[Any], style: str) -> str:
    """A Rich style; where there is no colour, without its own: a red would become a grey that hardly shows."""
    if not is_colourless(app):
        return style
    return " ".join(word for word in style.split() if word in ("bold", "dim"))


class FollowsTheme:
    """Stands before the class of a widget or screen that draws anew, by `theme_changed`, for another theme."""

    def on_mount(self) -> None:
        """Follow the theme."""
        assert isinstance(self, Widget)
        self.app.theme_changed_signal.subscribe(self, self.theme_changed)

    def on_unmount(self) -> None:
        """Follow it no longer, or the signal would keep this, and the screen that it was on, in memory."""
        assert isinstance(self, Widget)
        self.app.theme_changed_signal.unsubscribe(self)

    def theme_changed(self, theme: Theme) -> None:
        """Draw anew."""
        raise NotImplementedError
