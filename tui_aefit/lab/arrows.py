"""Letters that move as the arrows do, for people whose hands stay on the letters: those of vi and less."""

from __future__ import annotations

from collections.abc import Iterator

from textual.binding import Binding

LETTERS = {
    "j": ("down", "Move down"),
    "k": ("up", "Move up"),
    "G": ("end", "Move to the end"),
    "ctrl+d": ("pagedown", "Move a page down"),
    "ctrl+u": ("pageup", "Move a page up"),
}
"""Key -> the key that it stands for, and what that does."""
TOOLTIP = "What the arrows down and up, end, page down and page up do"
"""The tooltip of all these bindings together."""


def arrow_bindings(name: str) -> Iterator[Binding]:
    """The bindings of LETTERS, with ids that begin with `name`. In a line of text the letters are typed instead."""
    for key, (arrow, words) in LETTERS.items():
        yield Binding(
            key, f"app.arrow('{arrow}')", words, id=f"{name}.as-{arrow}", show=False, tooltip=TOOLTIP
        )
