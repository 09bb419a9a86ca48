"""Finds the key that a binding has now, a person's own or ours, for the sentences of screens."""

from __future__ import annotations

from textual.binding import Binding
from textual.dom import DOMNode

WORDS = {"escape": "esc", "comma": "comma"}
"""Keys whose name in a sentence is neither what is printed on them nor what Textual calls them."""


def key_of(node: DOMNode, name: str) -> str:
    """The first key of a binding, for a sentence: "r", "=", "space", "ctrl+s".

    node: a widget that has the binding itself, or whose screen or app has. name: the binding's id. Raises KeyError
    for an id that none of them has.
    """
    for one in node.ancestors_with_self:
        for kind in type(one).__mro__:
            for binding in Binding.make_bindings(vars(kind).get("BINDINGS", ())):
                if binding.id == name:
                    return _spelt(node, binding)
    raise KeyError(name)


def _spelt(node: DOMNode, binding: Binding) -> str:
    changed: str | None = getattr(node.app, "changed_keys", {}).get(binding.id)
    key = binding.key if changed is None else changed.split(",")[0]
    # A sentence has room for a word instead of the footer's symbol.
    shown = node.app.get_key_display(binding.with_key(key, None))
    return WORDS.get(key, key if len(key) > 1 and ("+" in key or not shown.isascii()) else shown)
