"""Makes every line that is drawn printable, so that the terminal obeys nothing in it.

Code that shows a text from a file makes it printable itself (`core.declarations.printable`), with marks where
something was. This filter is for places where that was forgotten.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


class Unprintable(LineFilter):
    """Replaces each unprintable character by as many U+FFFD as it has cells; most have none."""

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
