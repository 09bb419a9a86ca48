"""The lab's screens, one a file, each with its style sheet of the same name.

`screens.LiveScreen(experiment)` imports the module of that screen when it is first used, so that the lab's first
picture needs only the form's. A new screen is a line in `SCREENS`, and one for the type checker.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.screen import Screen

SCREENS: Mapping[str, str] = {
    "Ask": "tui_aefit.lab.screens.confirm",
    "ChooseOrder": "tui_aefit.lab.screens.choose_order",
    "ChooseQuantity": "tui_aefit.lab.screens.choose_quantity",
    "ChooseSome": "tui_aefit.lab.screens.choose_some",
    "CompareScreen": "tui_aefit.lab.screens.compare",
    "ExperimentsScreen": "tui_aefit.lab.screens.experiments",
    "Export": "tui_aefit.lab.screens.export",
    "GalleryScreen": "tui_aefit.lab.screens.gallery",
    "HelpScreen": "tui_aefit.lab.screens.help",
    "Leave": "tui_aefit.lab.screens.leave",
    "LiveScreen": "tui_aefit.lab.screens.live",
    "Note": "tui_aefit.lab.screens.note",
    "SetupScreen": "tui_aefit.lab.screens.setup",
    "StudiesScreen": "tui_aefit.lab.screens.studies",
    "StudyScreen": "tui_aefit.lab.screens.study",
}
"""Class of a screen -> its module."""

if TYPE_CHECKING:
    from tui_aefit.lab.screens.choose_order import ChooseOrder as ChooseOrder
    from tui_aefit.lab.screens.choose_quantity import ChooseQuantity as ChooseQuantity
    from tui_aefit.lab.screens.choose_some import ChooseSome as ChooseSome
    from tui_aefit.lab.screens.compare import CompareScreen as CompareScreen
    from tui_aefit.lab.screens.confirm import Ask as Ask
    from tui_aefit.lab.screens.experiments import ExperimentsScreen as ExperimentsScreen
    from tui_aefit.lab.screens.export import Export as Export
    from tui_aefit.lab.screens.gallery import GalleryScreen as GalleryScreen
    from tui_aefit.lab.screens.help import HelpScreen as HelpScreen
    from tui_aefit.lab.screens.leave import Leave as Leave
    from tui_aefit.lab.screens.live import LiveScreen as LiveScreen
    from tui_aefit.lab.screens.note import Note as Note
    from tui_aefit.lab.screens.setup import SetupScreen as SetupScreen
    from tui_aefit.lab.screens.studies import StudiesScreen as StudiesScreen
    from tui_aefit.lab.screens.study import StudyScreen as StudyScreen
else:

    def __getattr__(name: str) -> type[Screen[object]]:
        """The class of that name, of which Python asks here before its module is imported."""
        if name not in SCREENS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(SCREENS[name]), name)
