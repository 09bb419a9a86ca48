"""The means to draw pictures: half blocks of colour, or characters from dark to bright. Loads no NumPy."""

from __future__ import annotations

from typing import Any

from textual.app import App

UPPER_HALF = "▀"
BRIGHTNESS = " .:-=+*#%@"
"""Ten characters from dark to bright."""
SIGNED = "=- +#"
"""Characters for a perturbation, mid grey for no change: much darker, darker, none, brighter, much brighter."""
LUMINANCE = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in brightness (ITU-R BT.601)."""


def shows_colours(app: App[Any]) -> bool:
    """Whether half blocks can be told apart: with 256 colours at least, and without NO_COLOR."""
    # A headless app does not draw for the terminal that the environment names.
    enough = app.is_headless or app.console.color_system in ("truecolor", "256")
    return enough and not app.no_color
