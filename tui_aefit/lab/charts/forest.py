"""Intervals as text, one a line, around zero and the margin within which a difference counts as none."""

from __future__ import annotations

import math

from core.records.statistics import Claim

BAND, LINE, ZERO, MARKER, BEYOND = "░", "─", "┊", "●", ("◂", "▸")
CLOSED = ("├", "┤")


def axis(limit: float, width: int) -> str:
    """The ends of the axis and its zero in `width` cells."""
    end = f"{limit:g}"
    middle = width // 2
    left = f"-{end}"
    return f"{left}{'0':>{middle - len(left) + 1}}{end:>{width - middle - 1}}"


def interval_line(claim: Claim, limit: float, width: int) -> str:
    """A claim's estimate and interval on an axis from -limit to limit, an odd number of cells wide.

    ░ is the margin, ┊ zero; an arrow at an end says that the line, or the estimate, goes on beyond it.
    """

    def place(value: float) -> int:
        return math.floor((value + limit) / (2 * limit) * (width - 1) + 0.5)

    cells = [" "] * width
    for at in range(max(0, place(-claim.margin)), min(width - 1, place(claim.margin)) + 1):
        cells[at] = BAND
    cells[width // 2] = ZERO
    if claim.ci95 is not None:
        ends = [place(end) for end in claim.ci95]
        for at in range(max(0, ends[0]), min(width - 1, ends[1]) + 1):
            cells[at] = LINE
        for at, glyph in zip(ends, CLOSED, strict=True):
            if 0 <= at < width:
                cells[at] = glyph
        if ends[0] < 0:
            cells[0] = BEYOND[0]
        if ends[1] > width - 1:
            cells[-1] = BEYOND[1]
    at = place(claim.estimate)
    if 0 <= at < width:
        cells[at] = MARKER
    else:
        cells[0 if at < 0 else -1] = BEYOND[at > 0]
    return "".join(cells)
