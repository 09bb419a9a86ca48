"""Screens of several panes; in a narrow terminal, or on request, only the one that was chosen last is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import on
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Tab, Tabs

from tui_aefit.lab.key_names import key_of


def pane_bindings(screen: str, panes: Mapping[str, str]) -> Iterable[Binding]:
    """Bindings that show panes: digits, in their order. screen: the ids' first word. panes: name -> title."""
    for place, (name, title) in enumerate(panes.items(), start=1):
        yield Binding(
            str(place), f"pane('{name}')", title, id=f"{screen}.{name}", show=False, tooltip=f"Show: {title}"
        )


class PanesScreen(Screen[None]):
    """A screen with a widget for each of PANES (its name is the widget's id), `pane_tabs`, and a style sheet.

    Its classes for that sheet: "-NAME": the pane that was chosen last. "-narrow": there is room for one pane only.
    "-alone": the person wants to see one pane only.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  # declared so by Screen
    NAME: ClassVar[str]
    """The first word of the ids of the screen's bindings."""
    PANES: ClassVar[Mapping[str, str]]
    """Pane -> its title, in the order of their keys."""

    def pane_tabs(self) -> Tabs:
        """A tab for each pane, with the key that shows it."""
        return Tabs(
            *(Tab(f"{self.pane_key(name)} {title}", id=f"{name}-tab") for name, title in self.PANES.items())
        )

    def pane_key(self, name: str) -> str:
        """The key that shows a pane."""
        return key_of(self, f"{self.NAME}.{name}")

    @property
    def pane(self) -> str:
        """The name of the pane that was chosen last."""
        return next(name for name in self.PANES if self.has_class(f"-{name}"))

    @property
    def shows_one(self) -> bool:
        """Whether only that pane is visible."""
        return self.has_class("-narrow") or self.has_class("-alone")

    def on_mount(self) -> None:
        """Begin with the first pane."""
        self._bring(next(iter(self.PANES)))

    def on_resize(self) -> None:
        """Show the keys anew: other panes may be visible now."""
        self.call_after_refresh(self.refresh_bindings)

    @on(Tabs.TabActivated)
    def _tab(self, event: Tabs.TabActivated) -> None:
        self._bring(str(event.tab.id).removesuffix("-tab"))

    def action_pane(self, name: str) -> None:
        """Bring a pane to the front, and give it the focus."""
        self.query_one(Tabs).active = f"{name}-tab"
        self._bring(name)
        # What is hidden takes no focus.
        self.call_after_refresh(self.query_one(f"#{name}").focus)

    def action_alone(self) -> None:
        """Show the pane with the focus alone, or all of them."""
        name = self.focused.id if self.focused is not None else None
        if name is not None and name in self.PANES:
            self._bring(name)
        self.toggle_class("-alone")
        self.call_after_refresh(self.refresh_bindings)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide the key for one pane alone in a narrow terminal, which shows one anyway."""
        return not self.has_class("-narrow") if action == "alone" else True

    def _bring(self, name: str) -> None:
        for pane in self.PANES:
            self.set_class(pane == name, f"-{pane}")
        self.refresh_bindings()
