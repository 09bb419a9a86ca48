"""No line that the lab draws holds anything that a terminal would obey."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.control import Control
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tui_aefit.lab.unprintable import Unprintable

BACKGROUND = Color(0, 0, 0)
BOLD = Style(bold=True)


def applied(segments: list[Segment]) -> list[Segment]:
    return Unprintable().apply(segments, BACKGROUND)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b]0;OWNED\x07b", "a]0;OWNEDb"), ("\x9b31m", "31m"), ("a\u202eb", "ab"), ("a\rb\nc", "abc"),
        ("a\ud800b", "a\ufffdb"), ("a\ue000b", "a\ufffdb"),
    ],
)  # fmt: skip
def test_what_is_obeyed_is_gone_and_the_width_is_as_it_was(text: str, shown: str) -> None:
    (segment,) = applied([Segment(text, BOLD)])
    assert segment == Segment(shown, BOLD)
    assert segment.text.isprintable()
    assert cell_len(segment.text) == cell_len(text)


def test_all_else_stays() -> None:
    segments = [Segment("│ ⣀ K=7 é 図 ▁", BOLD), Segment(" ")]
    assert applied(segments) is segments
    moves = Control.move_to(1, 2).segment
    assert applied([moves, Segment("\x1b")]) == [moves, Segment("")]
