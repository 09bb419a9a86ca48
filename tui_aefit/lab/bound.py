"""The key that a binding has now, a person's own or ours, for what a screen says in words."""

from __future__ import annotations

from textual.binding import Binding
from textual.dom import DOMNode


def key_of(node: DOMNode, name: str) -> str:
    """The first key of a binding, as the footer shows it.

    node: it, its screen or the app has the binding. name: the binding's id. Raises KeyError for one that none has.
    """
    app = node.app
    for one in node.ancestors_with_self:
        for kind in type(one).__mro__:
            for binding in Binding.make_bindings(vars(kind).get("BINDINGS", ())):
                if binding.id == name:
                    changed: str | None = getattr(app, "changed_keys", {}).get(name)
                    if changed is not None:
                        binding = binding.with_key(changed.split(",")[0], None)
                    return app.get_key_display(binding)
    raise KeyError(name)
