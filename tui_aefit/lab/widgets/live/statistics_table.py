"""The table of the tests of one pair of sets: a row for every quantity, j and test."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len
from rich.text import Text
from textual.events import Resize
from textual.message import Message
from textual.reactive import reactive

from core.families.ladder import Ladder, slope_name
from core.records.statistics import StatisticalTest
from core.report.formatting import ABSENT, number
from core.report.terms import SENTENCES, TEST_NAMES, brief_reason
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.charts.axes import SMALLEST_P
from tui_aefit.lab.charts.data import PAPER_PAIR, tests_of
from tui_aefit.lab.widgets.cell_table import CellTable, left, right

COLUMNS = {
    "test": ("test", 14),
    "p": ("p", 8),
    "holm": ("p Holm", 8),
    "direction": ("direction", 10),
    "difference": ("difference [95 %]", 18),
    "effect": ("effect", 8),
    "statistic": ("statistic", 10),
    "df": ("df", 7),
    "n": ("n", 6),
    "why": ("why there is no p-value", 40),
}
"""Column -> its title and width, but for the first column, "what", which is as wide as its cells need."""
ALWAYS = ("what", "test", "p", "difference")
"""The columns that are shown at any width."""
FURTHER = ("arrow", "holm", "direction", "effect", "n", "statistic", "df", "why")
"""The columns that are added where there is room, the most important first; "arrow" is a short direction."""
ARROW = ("", 2)
"""Title and width of the column of directions where words have no room."""
DIRECTIONS = {"higher": "▲ higher", "lower": "▼ lower", "equal": "= equal"}


class StatisticsTable(CellTable):
    """The tests of `pair`, first set against second: statistics, p-values (plain and Holm-adjusted), direction."""

    placeholder = "Tests need 3 complete runs"

    class PairChanged(Message):
        """The person chose another pair."""

        def __init__(self, pair: tuple[str, str]) -> None:
            super().__init__()
            self.pair = pair

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)
    pair: reactive[tuple[str, str]] = reactive(PAPER_PAIR, init=False, layout=False, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._tests: dict[str, StatisticalTest] = {}

    def on_resize(self, event: Resize) -> None:
        """Fit the columns to the new width."""
        self._update_cells()

    def watch_snapshot(self) -> None:
        """Show what changed."""
        self._update_cells()

    def watch_pair(self) -> None:
        """Show other tests."""
        self._update_cells()

    def next_pair(self) -> None:
        """Show the next pair of those that were tested."""
        pairs = self._pairs()
        if pairs:
            self.pair = pairs[(pairs.index(self.pair) + 1) % len(pairs)] if self.pair in pairs else pairs[0]
            self.post_message(self.PairChanged(self.pair))

    def explanation(self, row: str) -> str:
        """A test in words, or why there is none."""
        assert self.snapshot is not None
        test = self._tests[row]
        if test.p is None:
            return SENTENCES.get(test.reason or "", brief_reason(test.reason))
        first, second = test.sets
        comparison = "equally high" if test.direction == "equal" else test.direction
        than = "as" if test.direction == "equal" else "than"
        p = f"p = {test.p:.2g}" if test.p >= SMALLEST_P else f"p < {SMALLEST_P:.0e}"
        what = _quantity(test, self.snapshot.ladder)
        if test.test == "wilcoxon":  # its direction is of the ranks, which may differ from the mean's
            what = f"by rank {what}"
        return f"{what} is {comparison} on {first} {than} on {second}, {p}"

    def _pairs(self) -> list[tuple[str, str]]:
        tests = self.snapshot.tests if self.snapshot else ()
        return list(dict.fromkeys(test.sets for test in tests))

    def _update_cells(self) -> None:
        snapshot = self.snapshot
        if snapshot is None or not self.size.width:
            return
        ladder = snapshot.ladder
        self._tests = {
            f"{test.quantity}/{test.j}/{test.test}": test
            for test in tests_of(snapshot.tests, ladder, self.pair)
        }
        pairs = self._pairs()
        place = f" ({pairs.index(self.pair) + 1} of {len(pairs)})" if self.pair in pairs else ""
        self.entitle(f"{self.pair[0]} against {self.pair[1]}{place}")
        what = max(
            cell_len(text) for text in ("of", *(_quantity(test, ladder) for test in self._tests.values()))
        )
        difference = max((cell_len(_difference(test)) for test in self._tests.values()), default=0)
        available = self.size.width - self.styles.scrollbar_size_vertical
        columns = _columns(what + 1, difference + 1, available)
        rows = {key: _cells(test, ladder, columns) for key, test in self._tests.items()}
        self.fill(columns, rows)


def _columns(what: int, difference: int, available: int) -> dict[str, tuple[str, int]]:
    """The columns that have room. No column is cut: a cut number would read as another one.

    What is left out, the lower border tells for the row under the cursor, and a full screen shows.
    """
    title, least = COLUMNS["difference"]
    widths = {"what": ("of", what), "arrow": ARROW, **COLUMNS, "difference": (title, max(least, difference))}
    chosen = set(ALWAYS)
    for name in FURTHER:
        wanted = (chosen - {"arrow"} if name == "direction" else chosen) | {name}
        if sum(widths[one][1] for one in wanted) <= available:
            chosen = wanted
    if "arrow" in chosen:
        chosen, widths = chosen | {"direction"}, widths | {"direction": ARROW}
    columns = {name: widths[name] for name in ("what", *COLUMNS) if name in chosen}
    if "why" in columns:
        left_over = available - sum(width for _, width in columns.values())
        columns["why"] = columns["why"][0], columns["why"][1] + left_over
    return columns


def _cells(test: StatisticalTest, ladder: Ladder, columns: Mapping[str, tuple[str, int]]) -> list[Text]:
    direction = DIRECTIONS[test.direction] if test.direction is not None else ABSENT
    why = SENTENCES.get(test.reason, brief_reason(test.reason)) if test.reason is not None else ""
    cells = {
        "what": left(_quantity(test, ladder)),
        "test": left(TEST_NAMES[test.test]),
        "p": right((_p(test.p), _emphasis(test.p))),
        "holm": right((_p(test.p_holm), _emphasis(test.p_holm))),
        "direction": left(direction[0] if columns.get("direction") == ARROW else direction),
        "difference": left(_difference(test)),
        "effect": right(number(test.effect_size, "+.2f")),
        "statistic": right(number(test.statistic, ".4g")),
        "df": right(number(test.df, ".3g")),
        "n": right(str(test.n)),
        "why": left((why, "dim")),
    }
    return [cells[name] for name in columns]


def _quantity(test: StatisticalTest, ladder: Ladder) -> str:
    """The tested quantity, in the paper's letters."""
    match test.quantity:
        case "ratio":
            return slope_name(test.j)
        case "difference":
            return f"A_{test.j}-A_{ladder.before(test.j)}"
        case "log_ratio":
            return f"log {slope_name(test.j)}"


def _difference(test: StatisticalTest) -> str:
    """The mean difference with its interval; with the reason in two or three words where there is no test.

    For Wilcoxon's test the effect size instead: its direction is of the ranks, not of the mean.
    """
    if test.tested_difference is None and test.effect_size is not None:
        return f"{test.effect_size:+.2f} of all ranks"
    words = [] if test.mean_difference is None else [f"{test.mean_difference:+.3f}"]
    if test.ci95 is not None:
        low, high = test.ci95
        words.append(f"[{low:+.3f}, {high:+.3f}]")
    if test.p is None:
        words.append(f"({brief_reason(test.reason)})" if words else brief_reason(test.reason))
    return " ".join(words)


def _p(value: float | None) -> str:
    return f"<{SMALLEST_P:.0e}" if value is not None and value < SMALLEST_P else number(value, ".2g")


def _emphasis(p: float | None) -> str:
    return "bold" if p is not None and p < 0.05 else ""
