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
"""Key -> the key that it stands for, and where that goes."""
TOOLTIP = "What the arrows down and up, end, page down and page up do"
"""Of all of them, told once."""


def arrow_bindings(name: str) -> Iterator[Binding]:
    """The bindings of these letters. name: begins their ids. Where something is typed they are typed."""
    for key, (arrow, words) in LETTERS.items():
        yield Binding(
            key, f"app.arrow('{arrow}')", words, id=f"{name}.as-{arrow}", show=False, tooltip=TOOLTIP
        )
