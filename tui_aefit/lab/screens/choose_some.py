"""The dialog for several names, each with a mark: the sets that a chart draws, several values of a setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.declarations.printable import printable
from tui_aefit.lab.arrows import arrow_bindings
from tui_aefit.lab.charts.data import set_marker
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.screens.dialog import Dialog

MARK = "✓"


class ChooseSome(Dialog[tuple[str, ...]]):
    """Asks which of `names` are wanted; its result is these, in the order of `names`.

    marked: those marked at first. question: what is asked, in a few words. labels: name -> its text in the list, by
    default sets with their markers. verb: what is done with the marked ones. The result is None where the person
    leaves it, or nothing is marked: a chart of nothing says nothing.
    """

    CSS_PATH: ClassVar = ["dialog.tcss", "choose_some.tcss"]
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space",
            "mark",
            "Mark",
            id="choose-sets.mark",
            tooltip="Mark what is under the cursor, or take its mark away",
        ),
        Binding("a", "all", "All", id="choose-sets.all", tooltip="Mark all, or the first alone"),
        Binding(
            "enter,z", "take", "Take", id="choose-sets.take", priority=True, tooltip="Take what is marked"
        ),
        Binding("escape", "leave", "Cancel", id="choose-sets.cancel", tooltip="Leave everything as it was"),
        *arrow_bindings("choose-sets"),
    ]

    def __init__(
        self,
        names: Sequence[str],
        marked: Sequence[str],
        question: str = "Sets in the chart",
        *,
        labels: Mapping[str, str] | None = None,
        verb: str = "draws",
    ) -> None:
        super().__init__(question)
        self._names, self._marked = list(names), set(marked)
        self._labels, self._verb = labels, verb

    def answers(self) -> ComposeResult:
        """The list and its keys."""
        yield OptionList(*(Option(self._line(name), name) for name in self._names))
        names = ("mark", "all", "take", "cancel")
        mark, every, take, cancel = (key_of(self, f"choose-sets.{name}") for name in names)
        words = f"{mark} marks, {every} all, {take} {self._verb}, {cancel} leaves"
        yield Static(words, id="keys", markup=False)

    def _line(self, name: str) -> Text:
        mark = MARK if name in self._marked else " "
        label = f"{set_marker(name)} {name}" if self._labels is None else self._labels[name]
        return Text(f"{mark} {printable(label)}")

    def _show(self) -> None:
        choices = self.query_one(OptionList)
        for name in self._names:
            choices.replace_option_prompt(name, self._line(name))

    def action_mark(self) -> None:
        """Mark the name under the cursor, or remove its mark."""
        place = self.query_one(OptionList).highlighted
        if place is not None:
            self._marked ^= {self._names[place]}
            self._show()

    def action_all(self) -> None:
        """Mark all; where all are marked already, only the first."""
        self._marked = set(self._names[:1] if len(self._marked) == len(self._names) else self._names)
        self._show()

    def action_take(self) -> None:
        """Close with what is marked."""
        self.dismiss(tuple(name for name in self._names if name in self._marked) or None)
