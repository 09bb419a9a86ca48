"""The texts of the list of experiments: states, cells, how columns share the width, details. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from core.declarations.printable import printable
from core.declarations.setting import Value
from core.records.overview import Overview
from core.records.status import ExperimentStatus
from core.report.formatting import ABSENT, moment
from core.spec.command import word_of
from core.spec.resolved import following_defaults
from core.spec.settings import NOT_IDENTIFYING
from core.spec.spec import Spec

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
"""Status -> its glyph, its word and its Rich style; nothing is told by the style alone."""
STOPPING = ("◼", "stopping", "bold")
"""Glyph, word and Rich style of an experiment that runs and was asked to stop."""
QUEUED = ("◔", "queued", "")
"""Glyph, word and Rich style of one whose process waits for its turn; its place in the queue follows the word."""
MARK = "●"
DECISIONS = {"higher": "▲", "lower": "▼", "same": "=", "undecided": "?"}
"""Decision of a claim -> its glyph, for where the word has no room."""


@dataclass(frozen=True)
class Column:
    """A column of the list.

    title, brief: its heading, and the heading over short cells. right: cells are aligned to the right. descending:
    at first sorted from the largest down. about: what it shows, in a few words.
    """

    title: str
    brief: str = ""
    right: bool = False
    descending: bool = False
    about: str = ""


COLUMNS: Mapping[str, Column] = {
    "mark": Column(" ", about="marks"),
    "state": Column("state", " ", about="state"),
    "runs": Column("runs", right=True, about="complete runs"),
    "name": Column("name", about="name"),
    "epsilon": Column("ε", right=True, about="epsilon"),
    "ladder": Column("ladder", "levels", about="ladder"),
    "settings": Column("settings", about="settings that differ"),
    "accuracy": Column(
        "A on D", right=True, descending=True, about="accuracy on the adversarial set, fitted level"
    ),
    "rise": Column(
        "rise D − M", "D − M", descending=True, about="cross-fitted rise, adversarial less misclassified"
    ),
    "age": Column("age", right=True, about="age"),
    "time": Column("time", right=True, descending=True, about="time that the runs took"),
}
"""Column key -> the column, in the order from left to right."""
WIDEST_NAME, CUT_NAME, SMALLEST_NAME = 48, 24, 8
"""Width of the names in character cells: at most; at most once NAME_CUT is given up; at least, for a digest."""
WIDEST_SETTINGS, SMALLEST_SETTINGS = 40, 10

Cells = Mapping[str, tuple[str, str]]
"""Column key -> its text for one experiment, in full and in short."""


def state_words(overview: Overview) -> tuple[str, str, str]:
    """Glyph, word and Rich style of an experiment's state."""
    if overview.stopping:
        return STOPPING
    glyph, word, style = QUEUED
    return (glyph, f"{word} {overview.queued}", style) if overview.queued else STATES[overview.status]


def date_of(overview: Overview, form: str = "%Y-%m-%d %H:%M") -> str:
    """When an experiment was created, in local time."""
    return moment(overview.created, form)


def age_of(overview: Overview, now: float) -> str:
    """How long ago an experiment was created, in the largest unit: "3h"; ABSENT if unknown or in the future.

    now: seconds since 1970, to the minute: what was created up to a minute after it is of now.
    """
    seconds = now - overview.created
    if overview.created <= 0 or seconds <= -60:
        return ABSENT
    for unit, length in (("y", 365 * 86400), ("w", 7 * 86400), ("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length * (2 if unit == "w" else 1):
            return f"{int(seconds // length):,}{unit}"
    return "now"


def brief_duration(seconds: float) -> str:
    """Seconds in their two largest units: "42s", "8m20s", "2h05m", "3d04h"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    minutes = whole // 60
    if minutes < 24 * 60:
        return f"{minutes // 60}h{minutes % 60:02d}m"
    return f"{minutes // 1440}d{minutes % 1440 // 60:02d}h"


def share(value: float, *, signed: bool = False) -> str:
    """A number between -1 and 1 with three digits: .114, -.029; signed: +.114 too."""
    text = format(value, f"{'+' if signed else ''}z.3f")
    return text.replace("0.", ".", 1) if abs(value) < 0.9995 else text


def unusual(spec: Spec, shown: Collection[str]) -> dict[str, Value]:
    """The settings that are not at their default, by name, but those that are `shown` anyway."""
    usual = {name: setting.default for name, setting in spec.settings.items()}
    usual |= following_defaults(spec.dataset, spec.family)
    return {name: value for name, value in spec.values.items() if name not in shown and value != usual[name]}


SHOWN = ("dataset", "attack", "epsilon", "runs")
"""The settings that have a place of their own in the list."""


def telling_settings(overviews: Iterable[Overview]) -> frozenset[str]:
    """The names of the settings that differ between experiments, of those that change numbers.

    For a single experiment, all that change numbers. Settings of SHOWN are left out.
    """
    values = [one.experiment.spec.values for one in overviews if one.experiment is not None]
    found: dict[str, set[Value]] = {}
    having: Counter[str] = Counter()
    for of_one in values:
        for name, value in of_one.items():
            found.setdefault(name, set()).add(value)
        having.update(of_one.keys())
    return frozenset(
        name
        for name, different in found.items()
        if name not in SHOWN
        and name not in NOT_IDENTIFYING
        and (len(values) == 1 or len(different) > 1 or having[name] < len(values))
    )


def settings_words(spec: Spec, telling: Collection[str]) -> list[str]:
    """The settings in `telling` that are not at their default, as words: "z=9", "splits=folds"."""
    return [f"{name}={_brief(value)}" for name, value in unusual(spec, SHOWN).items() if name in telling]


def _brief(value: Value) -> str:
    """A value in a word; of more than two names only their number."""
    if isinstance(value, tuple) and len(value) > 2:
        return f"{len(value)} sets"
    return printable(word_of(value))


def cells_of(overview: Overview, *, marked: bool, now: float, telling: Collection[str]) -> Cells:
    """The cells of one experiment; "" where its spec cannot be read, or nothing is known yet.

    now: seconds since 1970. telling: as `telling_settings` gives them.
    """
    glyph, word, _ = state_words(overview)
    label = printable(overview.annotations.label)
    name = printable(overview.id)
    cells = dict.fromkeys(COLUMNS, ("", "")) | {
        "mark": (MARK if marked else "",) * 2,
        "state": (f"{glyph} {word}", glyph),
        "name": (f"{name}  {label}".strip(), label or name),
        "age": (age_of(overview, now),) * 2,
    }
    if overview.experiment is not None:
        spec = overview.experiment.spec
        words = " ".join(settings_words(spec, telling))
        cells |= {
            "runs": (f"{overview.done}/{spec.runs}",) * 2,
            "epsilon": (f"{spec.epsilon:.3g}",) * 2,
            "ladder": (printable(spec.ladder.span), printable(f"{spec.ladder.general}…{spec.ladder.fitted}")),
            "settings": (words, words),
            "accuracy": (_accuracy(overview),) * 2,
            "rise": _rise(overview),
            "time": (brief_duration(overview.seconds) if overview.done else "",) * 2,
        }
    return cells


def _accuracy(overview: Overview) -> str:
    found = overview.findings
    if found is None:
        return ""
    mean = found.accuracy.mean if found.accuracy is not None else None
    return ABSENT if mean is None else share(mean)


def _rise(overview: Overview) -> tuple[str, str]:
    found = overview.findings
    if found is None:
        return "", ""
    if found.rise is None:
        return ABSENT, ABSENT
    estimate = share(found.rise.estimate, signed=True)
    return f"{found.rise.decision} {estimate}", f"{DECISIONS[found.rise.decision]} {estimate}"


@dataclass(frozen=True)
class Fitted:
    """How a column is shown. width: in character cells, without padding. brief: with short cells and title."""

    width: int
    brief: bool = False


NAME_IN_SHORT = "name in short"
NAME_CUT = "name cut"
SETTINGS_CUT = "settings cut"
SACRIFICES = (
    "ladder brief", "time", "ladder", NAME_IN_SHORT, "age", "rise brief", SETTINGS_CUT, "state brief", "settings",
    "epsilon", NAME_CUT, "runs", "rise", "accuracy",
)  # fmt: skip
"""What is given up where there is no room, in this order: "COLUMN brief" shortens a column, "COLUMN" drops it."""


Widths = Mapping[str, tuple[int, int]]
"""Column key -> the width that its title and cells need, in full and in short."""


def widths_of(rows: Sequence[Cells]) -> Widths:
    """The widths that the columns need for these rows."""
    widths = {}
    for key in COLUMNS:
        # Of a column's thousand cells few differ: each text is measured once.
        words = {row[key] for row in rows}
        full, brief = (
            max(map(cell_len, {title_of(key, brief=short), *(word[short] for word in words)}))
            for short in (False, True)
        )
        widths[key] = full, brief
    return widths


def fit(widths: Widths, *, available: int, padding: int) -> dict[str, Fitted]:
    """The columns that fit, from left to right; the name takes the rest of the width.

    available: character cells for all columns with their padding, which takes `padding` for each.
    """

    def shown(given_up: Collection[str]) -> dict[str, Fitted]:
        found = {
            key: Fitted(widths[key][f"{key} brief" in given_up], brief=f"{key} brief" in given_up)
            for key in COLUMNS
            if key not in given_up
        }
        longest = CUT_NAME if NAME_CUT in given_up else WIDEST_NAME
        found["name"] = Fitted(min(longest, widths["name"][NAME_IN_SHORT in given_up]))
        if "settings" in found:
            most = SMALLEST_SETTINGS if SETTINGS_CUT in given_up else WIDEST_SETTINGS
            found["settings"] = Fitted(min(most, found["settings"].width))
        return found

    def left(given_up: Collection[str]) -> int:
        return available - sum(one.width + padding for one in shown(given_up).values())

    given_up: list[str] = []
    for sacrifice in SACRIFICES:
        if left(given_up) >= 0:
            break
        given_up.append(sacrifice)
    # A sacrifice made early may be taken back where a later one freed more than was needed.
    for sacrifice in reversed(given_up):
        if left(without := [other for other in given_up if other != sacrifice]) >= 0:
            given_up = without
    fitted, rest = shown(given_up), left(given_up)
    if rest > 0 and SETTINGS_CUT in given_up and "settings" in fitted:
        more = min(rest, min(WIDEST_SETTINGS, widths["settings"][0]) - fitted["settings"].width)
        fitted["settings"] = Fitted(fitted["settings"].width + more)
        rest -= more
    smallest = min(SMALLEST_NAME, widths["name"][1])
    fitted["name"] = Fitted(max(smallest, fitted["name"].width + rest))
    return fitted


def title_of(key: str, *, brief: bool) -> str:
    """The heading of a column."""
    column = COLUMNS[key]
    return column.brief or column.title if brief else column.title


def name_in(cells: Cells, width: int) -> str:
    """The longest form of the name that fits: id and label, digest and label, or the label alone.

    An id without a label that is too long is cut in its middle, and keeps its digest.
    """
    full, brief = cells["name"]
    id, gap, label = full.partition("  ")
    tail = id.rpartition("-")[2]
    for name in (full, f"{tail}{gap}{label}" if gap else brief):
        if cell_len(name) <= width:
            return name
    if gap:
        return label
    room = width - 1 - cell_len(tail)
    return f"{brief[:room]}…{tail}" if room > 0 and cell_len(brief) == len(brief) else brief


def detail(overview: Overview) -> str:
    """Two lines about one experiment: which it is; what is wrong with it and what was noted of it."""
    parts = [overview.id, state_words(overview)[1], f"created {date_of(overview)}"]
    if overview.experiment is not None:
        spec = overview.experiment.spec
        parts += [f"seed {spec.seed}", f"{spec.epochs} epochs"]
    noted = [overview.reason, " ".join(f"#{tag}" for tag in overview.annotations.tags)]
    noted.append(" ".join(overview.annotations.notes.split()))
    return "\n".join(printable(line) for line in (" · ".join(parts), " · ".join(filter(None, noted))))
