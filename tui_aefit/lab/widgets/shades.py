"""What pictures are drawn with: half blocks of colour, or characters from dark to bright. Light: loads no NumPy."""

from __future__ import annotations

from typing import Any

from textual.app import App

UPPER_HALF = "▀"
BRIGHTNESS = " .:-=+*#%@"
"""Ten characters from dark to bright."""
SIGNED = "=- +#"
"""For a picture whose mid grey means nothing: much darker, darker, nothing, brighter, much brighter."""
LUMINANCE = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in brightness (ITU-R BT.601)."""


def shows_colours(app: App[Any]) -> bool:
    """Whether half blocks can be told apart: 256 colours at least, and nobody asked for none (NO_COLOR)."""
    # Headless, the terminal that is named by the environment is not the one that the picture is drawn for.
    enough = app.is_headless or app.console.color_system in ("truecolor", "256")
    return enough and not app.no_color
