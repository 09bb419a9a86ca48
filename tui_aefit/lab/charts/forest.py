"""Estimates with their intervals on a common axis around zero, as text: one line for a table, or a whole plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from core.records.statistics import Claim
from tui_aefit.lab.charts.palette import Palette

BAND, LINE, ZERO, MARKER, BEYOND = "░", "─", "┊", "●", ("◂", "▸")
CLOSED = ("├", "┤")
MARGINS = 10
"""Half the length of a plot's axis, in margins: the estimates that decide lie near 0."""
LEAST_PICTURE = 21
"""Cells of the axis, at least, for there to be a plot."""
GAP = 2


@dataclass(frozen=True)
class ForestRow:
    """One estimate of a forest plot.

    title, of: its name, and its sets. number: the estimate with its interval in words. decision: in a word, with
    its glyph. decided: whether that is not "undecided".
    """

    title: str
    of: str
    number: str
    decision: str
    decided: bool
    claim: Claim


@dataclass(frozen=True)
class ForestData:
    """The estimates from top to bottom. corrected: the intervals allow for overlapping splits."""

    rows: tuple[ForestRow, ...]
    corrected: bool = True


def forest_chart(data: ForestData, width: int, height: int, palette: Palette | None = None) -> Text:
    """A forest plot: each row has its interval around zero, the margin as a band, and the decision as a word.

    width, height: in cells, which the text does not exceed. A row has two lines where there is room: the second has
    the sets and the numbers. Rows that have no room are left out from the end, and their number is told.
    """
    margin = max(row.claim.margin for row in data.rows)
    limit = MARGINS * margin
    roomy = height - 2 >= 2 * len(data.rows)
    per_row = 2 if roomy else 1
    fitting = max(0, (height - 2) // per_row)
    rows, left_out = data.rows[:fitting], len(data.rows) - fitting
    titles = max(cell_len(row.title) for row in data.rows)
    words = max(cell_len(row.decision) for row in data.rows)
    picture = width - titles - words - 2 * GAP
    if picture < LEAST_PICTURE:
        words, picture = 1, width - titles - 1 - 2 * GAP
    picture -= 1 - picture % 2  # zero stands in a cell of its own
    if picture < LEAST_PICTURE or not rows:
        return Text(f"No room: {titles + 1 + 2 * GAP + LEAST_PICTURE} x 3 cells are needed."[: max(width, 0)])
    axes, said = (palette.axes, palette.words) if palette else ("", "")
    before = titles + words + 2 * GAP
    lines = [Text(" " * before + axis(limit, picture), axes)]
    for row in rows:
        line = Text(f"{row.title:<{titles}}{' ' * GAP}")
        style = "bold" if row.decided else "dim"
        word = row.decision if words > 1 else row.decision[0]
        line.append(word + " " * (words - cell_len(word) + GAP), style)
        line.append_text(_picture(row, limit, picture, palette))
        lines.append(line)
        if roomy:
            lines.append(_second_line(row, before, picture, said))
    lines.append(Text(_legend(margin, data, left_out, width), said))
    return Text("\n", no_wrap=True, end="").join(lines)


def _second_line(row: ForestRow, before: int, picture: int, style: str) -> Text:
    """The sets below the title, the number below the interval; the band and zero go on through both lines."""
    of, number = f" {row.of}", row.number
    room = before + picture
    gap = max(before, cell_len(of) + GAP)
    if gap + cell_len(number) > room:
        gap = max(cell_len(of) + 1, room - cell_len(number))
    text = Text(of + " " * (gap - cell_len(of)) + number, style or "dim", no_wrap=True)
    text.truncate(room, overflow="ellipsis")
    return text


def _picture(row: ForestRow, limit: float, width: int, palette: Palette | None) -> Text:
    text = Text(interval_line(row.claim, limit, width))
    if palette:
        for at, glyph in enumerate(text.plain):
            text.stylize(palette.axes if glyph in (BAND, ZERO) else palette.of(2), at, at + 1)
    return text


def _legend(margin: float, data: ForestData, left_out: int, width: int) -> str:
    splits = ", for overlapping splits" if data.corrected else ""
    more = f"; {left_out} more below" if left_out > 0 else ""
    for text in (
        f"{BAND} same: within ±{margin:g} of 0; {LINE} 95 % interval{splits}{more}",
        f"{BAND} ±{margin:g}; {LINE} 95 %{splits}{more}",
        f"{BAND} ±{margin:g}; {LINE} 95 %{more}",
    ):
        if cell_len(text) <= width:
            return text
    return ""


def axis(limit: float, width: int) -> str:
    """The labels of an axis in `width` cells: its ends and zero, and halfway where there is room for it."""
    cells = [" "] * width
    middle = width // 2
    for share, text in zip((-1.0, 0.0, 1.0), _labels((-limit, 0.0, limit)), strict=True):
        start = {-1.0: 0, 0.0: middle, 1.0: width - len(text)}[share]
        cells[start : start + len(text)] = text
    for share in (-0.5, 0.5):
        (text,) = _labels((share * limit,))
        start = middle + round(share * middle) - len(text) // 2
        around = cells[max(0, start - 1) : start + len(text) + 1]
        if width >= 6 * len(text) and not "".join(around).strip():
            cells[start : start + len(text)] = text
    return "".join(cells)


def _labels(values: Sequence[float]) -> list[str]:
    return [f"{value:g}" for value in values]


def interval_line(claim: Claim, limit: float, width: int) -> str:
    """A claim's estimate and interval on an axis from -limit to limit, an odd number of cells wide.

    ░ is the margin, ┊ zero; an arrow at an end means that the interval, or the estimate, lies beyond it.
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
