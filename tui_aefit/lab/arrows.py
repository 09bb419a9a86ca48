"""Letters that move as the arrows do, for people whose hands stay on the letters: those of vi and less."""

from __future__ import annotations

from collections.abc import Iterator

from textual.binding import Binding

LETTERS = {
    "j": ("down", "As the arrow down"),
    "k": ("up", "As the arrow up"),
    "G": ("end", "As the key end"),
    "ctrl+d": ("pagedown", "As the key page down"),
    "ctrl+u": ("pageup", "As the key page up"),
}
"""Key -> the key that it stands for, and that in words."""
TOOLTIP = "As the arrows down and up, end, page down and page up"
"""Of all of them, told once."""


def arrow_bindings(name: str) -> Iterator[Binding]:
    """The bindings of these letters. name: begins their ids. Where something is typed they are typed."""
    for key, (arrow, words) in LETTERS.items():
        yield Binding(
            key, f"app.arrow('{arrow}')", words, id=f"{name}.as-{arrow}", show=False, tooltip=TOOLTIP
        )
