"""The lab's looks: a dark and a light theme, one of greys, graded colours, and styles without any colour.

Every text of both themes has a contrast of 4.5 to 1 or more with its background (WCAG 2.2, level AA).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import App
from textual.color import Color
from textual.theme import Theme
from textual.widget import Widget

LOAD = ("success", "warning", "error")
"""The theme's colours for a load, from idle to full."""
PROGRESS = ("primary", "success")
"""The theme's colours for progress, from begun to finished."""
NAMES = {"green": "success", "yellow": "warning", "red": "error"}
"""Colour word of a style -> the theme's colour for it."""

AEFIT_DARK = Theme(
    name="aefit-dark",
    primary="#6cb8f0",
    secondary="#93a4b8",
    accent="#f2bd62",
    success="#67cf93",
    warning="#eab765",
    error="#ff8a80",
    foreground="#dce3ea",
    background="#0b0f14",
    surface="#10161d",
    panel="#1b2530",
    dark=True,
    variables={
        "border": "#6cb8f0",
        "border-blurred": "#3a4959",
        "text-muted": "#93a4b8",
        "footer-key-foreground": "#f2bd62",
        "footer-description-foreground": "#b9c5d1",
        "block-cursor-foreground": "#0b0f14",
        "block-cursor-background": "#6cb8f0",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "#dce3ea",
        "block-cursor-blurred-background": "#263545",
        "scrollbar": "#334455",
        "scrollbar-hover": "#4a6076",
        "scrollbar-active": "#6cb8f0",
        "scrollbar-background": "#10161d",
        "input-selection-background": "#2f4a63",
    },
)
AEFIT_LIGHT = Theme(
    name="aefit-light",
    primary="#0a5ea8",
    secondary="#55636f",
    accent="#7d5200",
    success="#11683a",
    warning="#7d5200",
    error="#b02a22",
    foreground="#1b242d",
    background="#e9edf1",
    surface="#fafbfc",
    panel="#e1e7ed",
    dark=False,
    variables={
        "border": "#0a5ea8",
        "border-blurred": "#b3bfca",
        "text-muted": "#55636f",
        "footer-key-foreground": "#0a5ea8",
        "footer-description-foreground": "#38444f",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#0a5ea8",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "#1b242d",
        "block-cursor-blurred-background": "#cddbe8",
        "scrollbar": "#b3bfca",
        "scrollbar-hover": "#8c9aa8",
        "scrollbar-active": "#0a5ea8",
        "scrollbar-background": "#eef1f4",
        "input-selection-background": "#b9d6f0",
    },
)
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
THEMES = (AEFIT_DARK, AEFIT_LIGHT, MONOCHROME)
"""Our own themes; the first is the default."""


def is_colourless(app: App[Any]) -> bool:
    """Whether nothing on the screen has a colour: NO_COLOR is set, or the theme of greys was chosen."""
    return app.no_color or app.theme == MONOCHROME.name


def ink(app: App[Any], style: str) -> str:
    """A Rich style of the words bold, dim, green, yellow and red, its colours replaced by the theme's.

    Without colour the colour words are dropped: a red would become a grey that is hardly seen. Where the terminal's
    own colours are used, the style is returned as it is.
    """
    words = style.split()
    if is_colourless(app):
        return " ".join(word for word in words if word in ("bold", "dim"))
    if app.native_ansi_color:
        return style
    return " ".join(_colour(app, NAMES[word]) if word in NAMES else word for word in words)


def load_style(app: App[Any], share: float) -> str:
    """The Rich style of a load, or of anything else of which much is bad. share: 0 to 1.

    From green over yellow to red; bold from nine tenths, but not in the terminal's own colours. The number
    is always shown too: nothing is told by colour alone.
    """
    return _graded(app, LOAD, share, bold_from=0.9)


def progress_style(app: App[Any], share: float) -> str:
    """The Rich style of progress, of which much is good. share: 0 to 1.

    Bold at 1, but not in the terminal's own colours.
    """
    return _graded(app, PROGRESS, share, bold_from=1.0)


def _graded(app: App[Any], names: tuple[str, ...], share: float, *, bold_from: float) -> str:
    weight = "bold" if share >= bold_from else ""
    if is_colourless(app):
        return weight
    if app.native_ansi_color:  # no shades, but the terminal's own three or two
        words = {"success": "green", "warning": "yellow", "error": "red", "primary": "blue"}
        step = min(len(names) - 1, int(max(share, 0.0) * len(names)))
        return words[names[step]]
    colour = grade([Color.parse(_colour(app, name)) for name in names], share)
    return f"{weight} {colour.hex6}".strip()


def grade(stops: list[Color], share: float) -> Color:
    """The colour at a share, 0 to 1, of the way through equally spaced colours."""
    place = min(max(share, 0.0), 1.0) * (len(stops) - 1)
    below = min(int(place), len(stops) - 2)
    return stops[below].blend(stops[below + 1], place - below, alpha=1.0)


def _colour(app: App[Any], name: str) -> str:
    """A theme's colour, for text: in our own themes the colour itself, in others their variant for text."""
    variables: Mapping[str, str] = app.theme_variables
    own = app.theme in {theme.name for theme in THEMES}
    return Color.parse(variables[name] if own else variables[f"text-{name}"]).hex6


class FollowsTheme:
    """Mixin, before the class of a widget or screen, that calls `theme_changed` when the theme changes."""

    def on_mount(self) -> None:
        """Subscribe to changes of the theme."""
        assert isinstance(self, Widget)
        self.app.theme_changed_signal.subscribe(self, self.theme_changed)

    def on_unmount(self) -> None:
        """Unsubscribe: else the signal would keep this widget, and its screen, in memory."""
        assert isinstance(self, Widget)
        self.app.theme_changed_signal.unsubscribe(self)

    def theme_changed(self, theme: Theme) -> None:
        """Draw anew in the colours of `theme`."""
        raise NotImplementedError
