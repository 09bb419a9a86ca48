"""A field to choose one of some names, or several of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Select
from textual.widgets.select import NoSelection

SEVERAL = ","
"""The choice that asks which several; no name is that."""


class FormSelect(Select[str], inherit_bindings=False):
    """A list to choose from that leaves up and down to the form.

    labels: every choice with the words that stand for it. word: its value at first; where that is no choice,
    `otherwise`, or else the first one. several: those of which more than one can be chosen, none where only one
    can; their names with commas between them are its value then. Posts `SeveralAsked` where the person wants to say
    which.
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
        """The person wants several of the choices."""

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
        """Whether a word can be its value."""
        return word in self.labels or self._is_list(word)

    def take(self, word: str) -> None:
        """Show a word that it takes; whoever looks is told of it as of a choice."""
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
        """What stands in the list: those that can be several, then several of them, then whatever else there is."""
        if not self.several:
            return [(label, name) for name, label in self.labels.items()]
        found = [(self.labels[name], name) for name in self.several]
        found += [(word.replace(",", ", "), word)] if self._is_list(word) else []
        others = [(label, name) for name, label in self.labels.items() if name not in self.several]
        return [*found, ("several ...", SEVERAL), *others]

    def validate_value(self, value: str | NoSelection) -> str | NoSelection:
        """The value as it is kept: what asks for several is none."""
        if value == SEVERAL:
            self.action_ask_several()
            return self.value
        return value

    def action_ask_several(self) -> None:
        """Ask which several."""
        self.post_message(self.SeveralAsked(self))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Several can be chosen where that is possible."""
        return bool(self.several) if action == "ask_several" else True
