"""A field to choose one of some names, or several of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Select
from textual.widgets.select import NoSelection

SEVERAL = ","
"""The value of the choice that asks which several are wanted; no name equals it."""


class FormSelect(Select[str], inherit_bindings=False):
    """A list to choose from that leaves the keys up and down to the form.

    labels: choice -> its text. word: the value at first; where that is no choice, `otherwise`, or else the first
    choice. several: the choices of which more than one may be chosen, empty where only one may; the value is then
    their names with commas. Posts `SeveralAsked` where the person wants to choose several.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter,space,left,right",
            "show_overlay",
            "Choose",
            id="setup.choose",
            tooltip="Open the list of a field",
            show=False,
        ),
        Binding(
            "comma",
            "ask_several",
            "Several",
            id="setup.several",
            tooltip="Choose several of a list: every one makes an experiment of its own",
            show=False,
        ),
    ]

    class SeveralAsked(Message):
        """The person wants to choose several."""

        def __init__(self, field: FormSelect) -> None:
            super().__init__()
            self.field = field

    def __init__(
        self,
        labels: Mapping[str, str],
        word: str,
        *,
        otherwise: str = "",
        several: tuple[str, ...] = (),
        id: str,
    ) -> None:
        self.labels, self.several = dict(labels), several
        value = next(one for one in (word, otherwise, *labels) if self.takes(one))
        super().__init__(self._choices(value), value=value, allow_blank=False, compact=True, id=id)

    def takes(self, word: str) -> bool:
        """Whether a word can be the field's value."""
        return word in self.labels or self._is_list(word)

    def take(self, word: str) -> None:
        """Set a word that `takes` accepts as the value, and post `Changed` as for a choice."""
        if word == self.value:
            return
        with self.prevent(Select.Changed):
            self.set_options(self._choices(word))
            self.value = word
        self.post_message(self.Changed(self, word))

    def _is_list(self, word: str) -> bool:
        names = word.split(",")
        return len(names) > 1 and all(name in self.several for name in names)

    def _choices(self, word: str) -> list[tuple[str, str]]:
        """The list's entries: choices of `several`, the present several of them, "several ...", all others."""
        if not self.several:
            return [(label, name) for name, label in self.labels.items()]
        found = [(self.labels[name], name) for name in self.several]
        found += [(word.replace(",", ", "), word)] if self._is_list(word) else []
        others = [(label, name) for name, label in self.labels.items() if name not in self.several]
        return [*found, ("several ...", SEVERAL), *others]

    def validate_value(self, value: str | NoSelection) -> str | NoSelection:
        """The value to keep; SEVERAL asks which several and keeps the former value."""
        if value == SEVERAL:
            self.action_ask_several()
            return self.value
        return value

    def action_ask_several(self) -> None:
        """Ask which several are wanted."""
        self.post_message(self.SeveralAsked(self))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the key to choose several where that is possible."""
        return bool(self.several) if action == "ask_several" else True
