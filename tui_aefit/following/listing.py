"""What the list of experiments says of each: state, cells, details, and whether it matches a filter. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from core.families.ladder import Ladder
from core.records.overview import Overview
from core.records.status import ExperimentStatus
from core.report.formatting import moment
from tui_aefit.following.printable import printable

STATES: Mapping[ExperimentStatus, tuple[str, str, str]] = {
    ExperimentStatus.CREATED: ("·", "not started", ""),
    ExperimentStatus.RUNNING: ("▶", "running", "bold"),
    ExperimentStatus.COMPLETE: ("✓", "complete", "green"),
    ExperimentStatus.FAILED: ("✗", "failed", "red"),
    ExperimentStatus.REFUSED: ("!", "refused", "red"),
    ExperimentStatus.CANCELLED: ("■", "cancelled", "yellow"),
    ExperimentStatus.INTERRUPTED: ("◐", "interrupted", "yellow"),
    ExperimentStatus.NEWER: ("^", "newer version", "dim"),
    ExperimentStatus.UNREADABLE: ("?", "unreadable", "red"),
}
"""Status -> its glyph, its word and its Rich style; the style alone never tells anything."""
STOPPING = ("◼", "stopping", "bold")
"""The same for one that runs and was asked to stop."""
MARK = "●"
PADDING = 2
"""Cells of a column beside its text."""
SMALLEST_NAME = 8
"""Cells that names have at least where any needs as many: a digest's. The date, which the details tell as well,
makes room for them.
"""
COLUMNS = {
    "mark": " ",
    "state": "state",
    "runs": "runs",
    "name": "name",
    "dataset": "data set",
    "attack": "attack",
    "epsilon": "ε",
    "ladder": "ladder",
    "created": "created",
}
"""Column key -> its title."""
WIDEST = {"dataset": (10, 24), "attack": (10, 20), "ladder": (10, 30)}
"""Column key -> the most cells that it takes in a narrow terminal, while others need the room, and at all."""


def titles(*, narrow: bool) -> dict[str, str]:
    """Column key -> its title; a narrow terminal has no room for the ladder's knob and the year."""
    return COLUMNS | ({"ladder": "levels", "created": "date"} if narrow else {})


def state_words(overview: Overview) -> tuple[str, str, str]:
    """Glyph, word and Rich style of an experiment's state."""
    return STOPPING if overview.stopping else STATES[overview.status]


def name_of(overview: Overview) -> str:
    """Its label or, without one, what `aefit-tui show` takes for its name: the digits that end its id."""
    digest = overview.id.rpartition("-")[2] if overview.experiment else overview.id
    return printable(overview.annotations.label or digest)


def date_of(overview: Overview, form: str = "%Y-%m-%d %H:%M") -> str:
    """When it was created, as the file system says."""
    return moment(overview.created, form)


def cells_of(overview: Overview, *, marked: bool, narrow: bool) -> dict[str, str]:
    """What the columns say of one experiment, by column; "" where its spec cannot be read."""
    glyph, word, _ = state_words(overview)
    cells = dict.fromkeys(COLUMNS, "") | {
        "mark": MARK if marked else "",
        "state": f"{glyph} {word}",
        "name": name_of(overview),
        "created": date_of(overview, "%d %b" if narrow else "%Y-%m-%d %H:%M"),
    }
    if overview.experiment is not None:
        spec = overview.experiment.spec
        cells |= {
            "runs": f"{overview.done}/{spec.runs}",
            "dataset": printable(spec.dataset_title),
            "attack": printable(spec.attack),
            "epsilon": f"{spec.epsilon:.3g}",
            "ladder": printable(_span(spec.ladder, narrow=narrow)),
        }
    return cells


def _span(ladder: Ladder, *, narrow: bool) -> str:
    return f"{ladder.general}…{ladder.fitted}" if narrow else ladder.span


def widths_of(rows: Sequence[Mapping[str, str]], *, available: int, narrow: bool) -> dict[str, int]:
    """The cells that each column takes, without padding: as many as it needs; the name takes what is left.

    available: cells for all columns with their padding, PADDING for each. Columns without room are left out.
    """
    widths = {
        key: max(cell_len(text) for text in [title, *(row[key] for row in rows)])
        for key, title in titles(narrow=narrow).items()
    }
    wanted = {key: min(widths[key], many) for key, (_, many) in WIDEST.items()}
    for key, (few, _) in WIDEST.items():
        widths[key] = min(wanted[key], few) if narrow else wanted[key]

    def left() -> int:
        return available - sum(width + PADDING for key, width in widths.items() if key != "name") - PADDING

    longest = widths["name"]
    smallest = min(SMALLEST_NAME, longest)
    if left() < smallest:
        del widths["created"]
    for key, width in wanted.items():
        widths[key] += max(0, min(width - widths[key], left() - longest))
    widths["name"] = max(smallest, left())
    return widths


def matches(overview: Overview, words: str) -> bool:
    """Whether every one of the words is in its id, label, tags, data set, attack or state, in any case."""
    spec = overview.experiment.spec if overview.experiment else None
    described = [
        overview.id,
        overview.annotations.label,
        *overview.annotations.tags,
        state_words(overview)[1],
    ]
    text = "\n".join([*described, *((spec.dataset, spec.attack) if spec else ())]).casefold()
    return all(word in text for word in words.casefold().split())


def detail(overview: Overview) -> str:
    """Two lines about one experiment: which it is, and what is the matter with it or was noted of it."""
    parts = [overview.id, f"created {date_of(overview)}"]
    if overview.experiment is not None:
        spec = overview.experiment.spec
        parts += [f"seed {spec.seed}", f"{spec.epochs} epochs"]
    noted = [overview.reason, " ".join(f"#{tag}" for tag in overview.annotations.tags)]
    noted.append(" ".join(overview.annotations.notes.split()))
    return "\n".join(printable(line) for line in (" · ".join(parts), " · ".join(filter(None, noted))))
