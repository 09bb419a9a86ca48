"""The last look at every line that is drawn: nothing in it is obeyed by the terminal.

Whoever shows a text from a file makes it printable (`core.declarations.printable`), so that it is seen where
something was. This is for the text of which somebody forgets it.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


class Unprintable(LineFilter):
    """Puts U+FFFD in the place of what is not printable, as often as its width says; most of it has none."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See `LineFilter.apply`."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [
            segment if segment.control else Segment(_shown(segment.text), segment.style)
            for segment in segments
        ]


def _shown(text: str) -> str:
    return "".join(one if one.isprintable() else "\ufffd" * cell_len(one) for one in text)
