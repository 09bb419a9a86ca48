"""The answer of an experiment in a few lines at the top; while there is none, when it will come."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from core.declarations.words import counted
from core.records.status import ExperimentStatus, RunStatus
from core.report.formatting import duration
from core.statistics.summary import FEWEST_RUNS
from tui_aefit.following.snapshot import RunView, Snapshot

IN_SHORT = "In short: "
"""How the sentence of the verdict that is the answer begins."""
WILL_APPEAR = (
    "Here will stand whether accuracy rises further on adversarial images than on ordinary mistakes, and how sure "
    "that is."
)


class Answer(Widget):
    """As much of the answer of a `snapshot` as its lines hold; the verdict in full is a pane."""

    DEFAULT_CSS = """
    Answer { height: 2; padding: 0 1; }
    """

    snapshot: reactive[Snapshot | None] = reactive(None)

    def __init__(self, resume: str, more: str, *, id: str | None = None) -> None:
        """resume, more: the keys that have missing runs computed, and further ones."""
        super().__init__(id=id)
        self._resume, self._more = resume, more

    def render(self) -> Text:
        """As much of the answer as fits."""
        width, height = self.size
        if self.snapshot is None or not width:
            return Text()
        clauses = [*answer(self.snapshot, self._resume), *advice(self.snapshot, self._more)]
        return Text("\n".join(fitting(clauses, width, height)), "bold" if self.snapshot.verdict else "")

    def take_room(self, width: int, most: int) -> None:
        """Take the height that the answer needs in `width` columns, up to `most` lines."""
        lines = []
        if self.snapshot is not None:
            clauses = [*answer(self.snapshot, self._resume), *advice(self.snapshot, self._more)]
            lines = fitting(clauses, width, most)
        self.styles.height = max(1, len(lines))

    @property
    def text(self) -> str:
        """All of the answer."""
        return " ".join(answer(self.snapshot, self._resume)) if self.snapshot is not None else ""


def answer(snapshot: Snapshot, resume: str) -> list[str]:
    """The answer in clauses: the verdict's, or what is being done, how long that takes, what will come.

    resume: the key that has missing runs computed.
    """
    if snapshot.verdict:
        found = next((text for text in snapshot.verdict if text.startswith(IN_SHORT)), snapshot.verdict[0])
        return _clauses(found)
    runs = snapshot.spec.runs
    match snapshot.status:
        case ExperimentStatus.RUNNING:
            return [_at_work(snapshot), WILL_APPEAR]
        case ExperimentStatus.COMPLETE:
            return [
                f"All runs are complete; what they say together is not computed yet. {resume} has it computed."
            ]
        case ExperimentStatus.CREATED:
            return [f"Nothing is computed yet: {resume} begins its {counted(runs, 'run')}.", WILL_APPEAR]
        case ExperimentStatus.FAILED | ExperimentStatus.REFUSED:
            return [f"There is no answer: no run is complete. The log says why; {resume} tries again."]
    return [f"No run is complete yet; {resume} goes on with its {counted(runs, 'run')}.", WILL_APPEAR]


def advice(snapshot: Snapshot, more: str) -> list[str]:
    """What to do where all runs are complete and too few for an answer. more: the key that has more computed."""
    few = snapshot.status is ExperimentStatus.COMPLETE and snapshot.complete < FEWEST_RUNS
    return [f"{more} has more runs computed."] if snapshot.verdict and few else []


def _clauses(sentence: str) -> list[str]:
    """The parts of a sentence between semicolons, each with its semicolon."""
    parts = sentence.split("; ")
    return [f"{part};" for part in parts[:-1]] + [parts[-1]]


def _at_work(snapshot: Snapshot) -> str:
    """A sentence on what the runs at work do, and when the first will be complete."""
    working = [view for view in snapshot.runs if view.status is RunStatus.RUNNING]
    if not working:
        return f"{counted(snapshot.spec.runs, 'run')} to compute; the first is about to begin."
    first, *others = working
    doing = f"Run {first.index + 1} of {snapshot.spec.runs}: {_stage(first)}"
    if others:
        doing += f", and {counted(len(others), 'run')} beside it"
    left = snapshot.first_result
    return f"{doing}." if left is None else f"{doing}. The first result comes in about {duration(left)}."


def _stage(view: RunView) -> str:
    if not view.stage:
        return "reading the data"
    share = f" {100 * min(1.0, view.done / view.total):.0f} %" if view.total > 1 else ""
    return f"{view.stage}{share}"


def fitting(clauses: Sequence[str], width: int, height: int) -> list[str]:
    """As many whole clauses as fit, in lines; if not even the first does, what fits of it without its lead."""
    if height < 1 or width < 3:
        return []
    for many in range(len(clauses), 0, -1):
        more = " …" if many < len(clauses) else ""
        lines = textwrap.wrap(" ".join(clauses[:many]) + more, width)
        if len(lines) <= height:
            return lines
    text = clauses[0].removeprefix(IN_SHORT)
    return textwrap.wrap(text[:1].upper() + text[1:], width, max_lines=height, placeholder=" …")
