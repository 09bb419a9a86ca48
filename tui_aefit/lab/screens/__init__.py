"""The lab's screens, one a file, each with its style sheet of the same name. A new one is a line here."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from typing import Any

from textual.screen import Screen

SCREENS: Mapping[str, str] = {
    "setup": "tui_aefit.lab.screens.setup:SetupScreen",
    "live": "tui_aefit.lab.screens.live:LiveScreen",
    "experiments": "tui_aefit.lab.screens.experiments:ExperimentsScreen",
    "compare": "tui_aefit.lab.screens.compare:CompareScreen",
    "gallery": "tui_aefit.lab.screens.gallery:GalleryScreen",
    "export": "tui_aefit.lab.screens.export:Export",
    "ask": "tui_aefit.lab.screens.confirm:Ask",
    "leave": "tui_aefit.lab.screens.leave:Leave",
    "help": "tui_aefit.lab.screens.help:HelpScreen",
}
"""Name -> class. The first picture of the lab waits for none but the form."""


def screen_class(name: str) -> type[Screen[Any]]:
    """The class of a screen, whose module is imported when it is first asked for."""
    found: type[Screen[Any]] = pkgutil.resolve_name(SCREENS[name])
    return found


def make_screen(name: str, *arguments: object, **options: object) -> Screen[Any]:
    """A new screen of that name, made with these arguments."""
    return screen_class(name)(*arguments, **options)  # type: ignore[arg-type]
