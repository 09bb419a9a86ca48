"""The table of claims: a row for each, with its interval and the decision that follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.cells import cell_len
from rich.text import Text
from textual.events import Resize
from textual.reactive import reactive

from core.declarations.printable import printable
from core.records.statistics import Claim, Decision
from core.report.terms import brief_reason, term_of
from tui_aefit.following.listing import share
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.charts.forest import MARGINS, axis, interval_line
from tui_aefit.lab.widgets.cell_table import CellTable, left, right

DECISIONS: Mapping[Decision, str] = {
    "higher": "▲ higher",
    "lower": "▼ lower",
    "same": "= same",
    "undecided": "? undecided",
}
STYLES: Mapping[Decision, str] = {"higher": "bold", "lower": "bold", "same": "bold", "undecided": "dim"}
D, M = "adversarial", "misclassified"
"""The sets that the letters D and M stand for where there is no room; a first set that is left out is D."""
WHAT, OF, ESTIMATE, DECISION, ARROW, RUNS = 15, 16, 21, 12, 2, 3
"""Widths of the columns; those of the sets and the estimates are the least."""
WIDEST_OF, WIDEST_ESTIMATE = {True: 25, False: 39}, 34
PICTURE, WIDEST_PICTURE = 20, 62
"""The least and the largest width, with the gap, of the column in which intervals are drawn if it has room."""


class ClaimsTable(CellTable):
    """The claims of a `snapshot`: first one of every quantity, those that a verdict begins with, then the others.

    Intervals are drawn too where there is room.
    """

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._claims: dict[str, Claim] = {}

    def on_resize(self, event: Resize) -> None:
        """Fit the columns to the new width."""
        self._update_cells()

    def watch_snapshot(self) -> None:
        """Show what changed."""
        self._update_cells()

    def explanation(self, row: str) -> str:
        """The definition of the claim's number, and its sets."""
        assert self.snapshot is not None
        claim, ladder = self._claims[row], self.snapshot.ladder
        ends = {"general": ladder.at(ladder.general), "fitted": ladder.at(ladder.fitted)}
        sentence = term_of(claim).line.format(**ends)
        constant = "exactly the same in every run, so that no interval decides: " * claim.constant
        return printable(f"{constant}{sentence}; {' less '.join(claim.sets)}")

    def _update_cells(self) -> None:
        snapshot = self.snapshot
        if snapshot is None or not self.size.width:
            return
        ordered = in_reading_order(snapshot.claims)
        self._claims = {"/".join((claim.name, *claim.sets)): claim for claim in ordered}
        margin = max((claim.margin for claim in ordered), default=0.0)
        measured = any(claim.name != "rise" for claim in ordered)
        self.entitle(
            f"What decides: 95 % for overlapping splits, same within ±{margin:g}"
            if measured
            else "The paper's rises, not what decides: 95 % for overlapping splits"
        )
        available = self.size.width - self.styles.scrollbar_size_vertical
        columns = _columns(ordered, available)
        limit = MARGINS * margin
        if "picture" in columns:
            width = columns["picture"][1]
            columns["picture"] = axis(limit, width - 1), width
        rows = {key: _cells(claim, columns, limit) for key, claim in self._claims.items()}
        self.fill(columns, rows)


def in_reading_order(claims: Iterable[Claim]) -> list[Claim]:
    """The first claim of every quantity, then the others, both in their order."""
    first: dict[str, Claim] = {}
    others = [claim for claim in claims if first.setdefault(claim.name, claim) is not claim]
    return [*first.values(), *others]


def sets_of(claim: Claim, *, brief: bool) -> str:
    """The set of a claim, or the two as a difference.

    brief: a first D is left out; after a first M the other set loses its prefix "misclassified-".
    """
    first, *others = claim.sets
    if brief and others and first == D:
        first = ""
    elif brief and others and first == M:
        first, others = "M", [other.removeprefix(f"{M}-") for other in others]
    return printable(" − ".join([first, *others]).strip())


def estimate_of(claim: Claim) -> str:
    """The estimate with its interval, or with the reason why it has none."""
    if claim.constant:
        return f"{share(claim.estimate, signed=True)} in every run"
    if claim.ci95 is None:
        return f"{share(claim.estimate, signed=True)} ({brief_reason(claim.reason)})"
    low, high = claim.ci95
    return f"{share(claim.estimate, signed=True)} [{share(low)}, {share(high)}]"


def _columns(claims: Sequence[Claim], available: int) -> dict[str, tuple[str, int]]:
    """The columns with titles and widths; where there is no room some become narrower, then are left out."""
    estimate = max([ESTIMATE, *(min(WIDEST_ESTIMATE, cell_len(estimate_of(claim)) + 1) for claim in claims)])
    decision = DECISION if available >= WHAT + OF + estimate + DECISION else ARROW
    left_over = available - WHAT - estimate - decision
    runs = RUNS if left_over - RUNS >= OF else 0
    left_over -= runs
    full, brief = (_widest(claims, brief=brief) for brief in (False, True))
    picture = left_over - brief >= PICTURE
    of = full if full <= left_over - PICTURE * picture else max(OF, min(brief, left_over))
    columns = {
        "what": ("what", WHAT),
        "of": ("of" if of == full else "of, or D −", of),
        "estimate": ("estimate [95 %]", estimate),
        "decision": ("decision" if decision == DECISION else "", decision),
    }
    if picture:
        width = min(WIDEST_PICTURE, left_over - of)
        # Zero stands in a cell of its own: the picture is an odd number of cells wide, beside the gap.
        columns["picture"] = "", width - width % 2
    if runs:
        columns["n"] = "n", runs
    return columns


def _widest(claims: Iterable[Claim], *, brief: bool) -> int:
    widths = [cell_len(sets_of(claim, brief=brief)) + 1 for claim in claims]
    return max([OF, *(width for width in widths if width <= WIDEST_OF[brief])])


def _cells(claim: Claim, columns: Mapping[str, tuple[str, int]], limit: float) -> list[Text]:
    style, word = STYLES[claim.decision], DECISIONS[claim.decision]
    cells = {
        "what": left(printable(term_of(claim).short)),
        "of": left(sets_of(claim, brief=columns["of"][0] != "of")),
        "estimate": left(estimate_of(claim)),
        "decision": left((word if columns["decision"][1] > ARROW else word[0], style)),
        "n": right(str(claim.n)),
    }
    if "picture" in columns:
        cells["picture"] = left(interval_line(claim, limit, columns["picture"][1] - 1))
    return [cells[name] for name in columns]
