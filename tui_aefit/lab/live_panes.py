"""The panes of the live screen: which of them there is room for, which of them is chosen."""

from __future__ import annotations

from textual import on
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Tab, Tabs

from tui_aefit.lab.bound import key_of
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
"""Columns beside the answer."""


class LivePanes(Screen[None]):
    """Two places are filled with panes: that of the pictures holds the chart, and where it is wide one of the other
    two beside it; that of the tables holds one. A terminal that is not high shows the place that was chosen last.

    The screen has a widget with the id "NAME-pane" for each of PANES, "pictures" and "tables" around them, the tabs
    of all and of the tables, "answer" and "strip". chosen: the pane that was chosen last. full: whether it has the
    whole screen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.chosen, self.full = "charts", False
        self._picture, self._table = "charts", "accuracy"
        self._beside = "decides"

    def pane_tabs(self, titles: dict[str, str], id: str) -> Tabs:
        """Panes by the keys that bring them."""
        return Tabs(
            *(Tab(f"{key_of(self, f'live.{name}')} {title}", id=name) for name, title in titles.items()),
            id=id,
        )

    def entitle(self) -> None:
        """Say above each picture what it is, and by which key it comes."""
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
        """Show those that there is room for, with their tabs."""
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
        """Bring a pane to the front of its place."""
        self.chosen = name
        if name in TABLES:
            self._table = name
        else:
            self._picture = name
            self._beside = name if name != "charts" else self._beside
        self.arrange_panes()

    def bring_pane(self, *names: str) -> None:
        """Have one of these panes be seen, the first unless another is: a key's effect must be."""
        if not self.shown() & set(names):
            self.full = False
            self.action_pane(names[0])

    def on_resize(self) -> None:
        """Show as many panes as there is room for now; of what is hidden, the chosen pane takes over the focus."""
        self.arrange_panes()
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        if self.focused is None or not self.focused.is_on_screen:
            self.focus_pane(self.chosen)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """The pane with the focus is the one that is chosen."""
        pane = self._pane_of(event.widget)
        # Of a pane that has gone meanwhile, the news of its focus comes too late.
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
        """Give the focus to what of a pane takes it, unless the screen was left meanwhile."""
        for widget in self.query(f"#{name}-pane, #{name}-pane *"):
            if widget.focusable and widget.display:
                widget.focus()
                break

    def action_full(self) -> None:
        """The pane with the focus on the whole screen, or all panes again."""
        self.full = not self.full
        self.set_class(self.full, "-full")
        self.arrange_panes()
        self.call_after_refresh(self.focus_pane, self.chosen)
