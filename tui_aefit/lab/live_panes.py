"""The panes of the live screen: which have room, and which one is chosen."""

from __future__ import annotations

from textual import on
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Tab, Tabs

from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.widgets.live.answer import Answer

PICTURES = {"charts": "Chart", "decides": "Decides", "p-values": "p-values"}
TABLES = {
    "accuracy": "Means",
    "claims": "Claims",
    "tests": "Tests",
    "runs": "Runs",
    "log": "Log",
    "verdict": "Verdict",
}
PICTURE_TITLES = {
    "charts": "accuracy, general → fitted",
    "decides": "what decides",
    "p-values": "p-values",
}
PANES = PICTURES | TABLES
"""The panes with their titles, in the order of the digits that bring them."""
WIDE, HIGH = 120, 40
"""Columns from which two pictures stand side by side, and rows from which a table stands below them."""
LOW = 24
"""Rows below which the answer has two lines; with three its first sentence is whole in 80 columns."""
PADDING = 2
"""Columns beside the answer that it cannot use."""


class LivePanes(Screen[None]):
    """A screen with two places for panes.

    That of the pictures shows one pane, in a wide terminal the chart and another one beside it; that of the tables
    shows one. A terminal that is not high shows only the place that was chosen last.

    The screen has a widget with the id "NAME-pane" for each of PANES, "pictures" and "tables" around them, "tabs"
    of all panes, "table-tabs" of the tables, "answer" and "strip". chosen: the pane that was chosen last. full:
    whether it has the whole screen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.chosen, self.full = "charts", False
        self._picture, self._table = "charts", "accuracy"
        self._beside = "decides"

    def pane_tabs(self, titles: dict[str, str], id: str) -> Tabs:
        """Tabs of panes, with the keys that show them."""
        return Tabs(
            *(Tab(f"{key_of(self, f'live.{name}')} {title}", id=name) for name, title in titles.items()),
            id=id,
        )

    def entitle(self) -> None:
        """Put title and key above each picture."""
        for name in PICTURES:
            title = f"{key_of(self, f'live.{name}')} {PICTURE_TITLES[name]}"
            self.query_one(f"#{name}-pane").border_title = title

    def shown(self) -> set[str]:
        """The names of the panes that there is room for."""
        if self.full:
            return {self.chosen}
        width, height = self.app.size
        pictures = {"charts", self._beside} if width >= WIDE else {self._picture}
        if height >= HIGH:
            return pictures | {self._table}
        return pictures if self.chosen in PICTURES else {self._table}

    def arrange_panes(self) -> None:
        """Show the panes that have room, with their tabs."""
        shown, height = self.shown(), self.app.size.height
        for name in PANES:
            self.query_one(f"#{name}-pane").display = name in shown
        self.query_one("#pictures").display = bool(shown & PICTURES.keys())
        self.query_one("#tables").display = bool(shown & TABLES.keys())
        self.frame_panes()
        self.give_room()
        for name in ("answer", "strip"):
            self.query_one(f"#{name}").display = not self.full
        self.query_one("#tabs").display = not self.full and height < HIGH
        self.query_one("#table-tabs").display = not self.full and height >= HIGH
        with self.prevent(Tabs.TabActivated):
            self.query_one("#tabs", Tabs).active = self.chosen
            self.query_one("#table-tabs", Tabs).active = self._table

    def frame_panes(self) -> None:
        """Frame the panes where several are seen."""
        self.set_class(len(self.shown()) > 1, "-framed")
        self.set_class(self.app.size.width < WIDE, "-narrow")

    def give_room(self) -> None:
        """Have the answer take no more lines than it fills."""
        width, height = self.app.size
        self.query_one(Answer).take_room(width - PADDING, 2 if height < LOW else 3)

    def _choose(self, name: str) -> None:
        """Show a pane in its place."""
        self.chosen = name
        if name in TABLES:
            self._table = name
        else:
            self._picture = name
            self._beside = name if name != "charts" else self._beside
        self.arrange_panes()

    def bring_pane(self, *names: str) -> None:
        """Show the first of these panes unless one of them is visible: a key's effect must be seen."""
        if not self.shown() & set(names):
            self.full = False
            self.action_pane(names[0])

    def on_resize(self) -> None:
        """Show the panes that have room now; where the focus was on a hidden one, the chosen pane gets it."""
        self.arrange_panes()
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        if self.focused is None or not self.focused.is_on_screen:
            self.focus_pane(self.chosen)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Choose the pane that has the focus now."""
        pane = self._pane_of(event.widget)
        # The message may be late: the pane may be hidden by now.
        if pane in self.shown() and pane != self.chosen:
            self._choose(pane)

    def _pane_of(self, widget: Widget) -> str | None:
        ids = [str(node.id) for node in widget.ancestors_with_self if node.id is not None]
        return next((name for name in PANES if f"{name}-pane" in ids), None)

    @on(Tabs.TabActivated)
    def _tab(self, event: Tabs.TabActivated) -> None:
        name = str(event.tab.id)
        if name not in (self.chosen, self._table):
            self.action_pane(name)

    def action_pane(self, name: str) -> None:
        """Show one pane, and give it the focus."""
        self._choose(name)
        # What is hidden has no size, and what does not overflow takes no focus.
        self.call_after_refresh(self.focus_pane, name)

    def focus_pane(self, name: str) -> None:
        """Focus the first widget of a pane that takes the focus; none is found where the screen was left."""
        for widget in self.query(f"#{name}-pane, #{name}-pane *"):
            if widget.focusable and widget.display:
                widget.focus()
                break

    def action_full(self) -> None:
        """Show the chosen pane on the whole screen, or all panes again."""
        self.full = not self.full
        self.set_class(self.full, "-full")
        self.arrange_panes()
        self.call_after_refresh(self.focus_pane, self.chosen)
