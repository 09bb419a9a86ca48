"""The comparison screen: experiments side by side, the settings in which they differ, and what each found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.widgets import Static

from core.declarations.printable import printable
from core.records.annotations import read_annotations
from core.records.experiment import Experiment
from core.records.state import read_state
from core.records.status import ExperimentStatus
from core.report.comparison import Compared, claims_of, differing, names, sets_of
from core.report.formatting import counted, enumerate_words
from core.report.result import Result, result_of
from core.sets.registry import SETS, is_known
from tui_aefit.following.listing import STATES
from tui_aefit.lab.background import carry_out
from tui_aefit.lab.charts.data import MARKERS, accuracy_readings
from tui_aefit.lab.comparison import claim_title, claim_words, curves, numbers, with_another_knob
from tui_aefit.lab.exporting import export_comparison
from tui_aefit.lab.messages import NewExperiment
from tui_aefit.lab.panes import PanesScreen, pane_bindings
from tui_aefit.lab.widgets.cell_table import CellTable, left, right
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.lab.widgets.read_off import ReadOff, reading_bindings

PANES = {"settings": "Settings", "curves": "Curves", "numbers": "Numbers", "claims": "What decides"}
"""Pane -> its title; a narrow terminal shows one at a time."""
OF_A_SET = ("curves", "numbers")
"""The panes of one set."""
FIRST_SET = "adversarial"
WIDEST, WIDEST_HEAD = {"settings": 28, "numbers": 24, "claims": 28}, 30
"""Table -> the width of a column, at most; the width of a first column, at most."""
PADDING = 2
"""Cells of a column beside its text."""
FEW = 4
"""How many experiments have columns, at most; where they are more, each has a row."""


class ComparedCurves(ReadOff):
    """Curves, one for each experiment."""

    BINDINGS: ClassVar[list[BindingType]] = reading_bindings("compare.", "Read the curves off at", "level")


class CompareScreen(PanesScreen):
    """Compares two or more `experiments`, read when the screen opens and when the person asks for it."""

    CSS_PATH = "compare.tcss"
    AUTO_FOCUS = None
    NAME = "compare"
    PANES = PANES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "turn_set(1)", "Next set", id="compare.next", tooltip="Accuracy on the next set"),
        Binding("Z", "turn_set(-1)", "Previous set", id="compare.previous", show=False,
                tooltip="Accuracy on the set before"),
        Binding("i", "fit", "Fit", id="compare.fit", show=False,
                tooltip="End the axis at the curves, or at 0 and 1"),
        *pane_bindings("compare", PANES),
        Binding("f", "alone", "Full screen", id="compare.full", show=False,
                tooltip="The pane with the focus alone, or all of them"),
        Binding("y", "copy", "Copy", id="compare.copy", show=False,
                tooltip="Copy the row under the cursor, or what is read off the curves"),
        Binding("x", "export", "Export", id="compare.export",
                tooltip="Write the comparison as CSV and LaTeX into the home"),
        Binding("r", "read", "Read again", id="compare.read", show=False,
                tooltip="Read what was computed since"),
        Binding("n", "new", "New", id="compare.new", show=False, tooltip="Set up a new experiment"),
        Binding("escape", "leave", "Back", id="compare.leave", tooltip="Back to the experiments"),
    ]  # fmt: skip

    class Read(Message, namespace="compare"):
        """The experiments were read."""

        def __init__(self, compared: list[Compared]) -> None:
            super().__init__()
            self.compared = compared

    def __init__(self, experiments: Sequence[Experiment]) -> None:
        super().__init__()
        self.experiments = list(experiments)
        self._compared: list[Compared] = []
        self._set = FIRST_SET
        self._fit = False
        self._reading: str | None = None

    def compose(self) -> ComposeResult:
        """Settings above; below, the curves of one set beside its numbers and the claims."""
        yield Static(f"Comparing {len(self.experiments)} experiments", id="title", markup=False)
        yield self.pane_tabs()
        yield CellTable(id="settings")
        yield Static(id="set", markup=False)
        with Container(id="results"):
            yield ComparedCurves(empty="None of them has an accuracy on this set.", id="curves")
            with Vertical(id="tables"):
                yield CellTable(id="numbers")
                yield CellTable(id="claims")
        yield KeysFooter()

    def on_mount(self) -> None:
        """Read in the background."""
        self.query_one("#settings", CellTable).entitle(f"{self.pane_key('settings')} What differs")
        self.query_one("#settings", CellTable).focus()
        self.action_read()

    @work(thread=True, exclusive=True)
    def action_read(self) -> None:
        """Read all experiments, beside the screen."""
        self.post_message(self.Read(read(self.experiments)))

    @on(Read)
    def _read(self, message: Read) -> None:
        self._compared = message.compared
        sets = sets_of(self._compared)
        if sets and self._set not in sets:
            self._set = sets[0]
        self._show_settings()
        self._show_set()
        self._show_claims()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer keys that change a pane where that is visible."""
        match action:
            case "turn_set":
                return not self.shows_one or self.pane in OF_A_SET
            case "fit":
                return not self.shows_one or self.pane == "curves"
            case "export":
                return bool(self._compared)
        return super().check_action(action, parameters)

    def action_turn_set(self, step: int) -> None:
        """Show another set, `step` places on."""
        if sets := sets_of(self._compared):
            self._set = sets[(sets.index(self._set) + step) % len(sets)]
            self._show_set()

    def action_fit(self) -> None:
        """Change between an axis from 0 to 1 and one that ends at the curves."""
        self._fit = not self._fit
        self._show_set()

    @on(ReadOff.Moved)
    def _read_off(self, message: ReadOff.Moved) -> None:
        self._reading = message.cursor
        self._show_set()

    def action_new(self) -> None:
        """Ask the app for the set-up form."""
        self.post_message(NewExperiment())

    def action_copy(self) -> None:
        """Copy the row under the cursor, its cells with tabs between them."""
        if isinstance(self.focused, ComparedCurves) and self._reading is not None:
            text = accuracy_readings(self.focused.data)[0]
        elif isinstance(self.focused, CellTable):
            text = self.focused.copied()
        else:
            text = ""
        if text:
            self.app.copy_to_clipboard(text)
            self.notify(f"copied {text.expandtabs(1)}", markup=False)
        else:
            self.notify(
                "go to a table, or read the curves off with left and right, then copy that", markup=False
            )

    def action_export(self) -> None:
        """Write the comparison as it is shown."""
        home = self.experiments[0].folder.parents[1]
        carry_out(self.app, partial(export_comparison, home, self._compared))

    def action_leave(self) -> None:
        """Show all panes again; where they are shown, leave the screen."""
        if self.has_class("-alone"):
            self.action_alone()
        else:
            self.dismiss()

    def _show_settings(self) -> None:
        rows = {
            "state": [f"{STATES[one.status][1]}, {counted(one.runs, 'run')}" for one in self._compared],
            **dict(differing([one.spec for one in self._compared])),
        }
        titles = {one.spec.dataset: one.spec.dataset_title for one in self._compared}
        if "dataset" in rows and len(set(titles.values())) == len(titles):
            rows["dataset"] = [titles[one.spec.dataset] for one in self._compared]
        self._fill("settings", "setting", rows, left)

    def _show_set(self) -> None:
        text = f"Accuracy on {printable(self._set)}"
        if is_known(self._set):
            text += f": {SETS[self._set].description}"
        data = curves(self._compared, self._set, fit=self._fit, cursor=self._reading)
        knob = "level" if data is None else data.knob
        if data is not None and (others := with_another_knob(self._compared, data)):
            text += f" (against {knob}, which {enumerate_words(others)} {'have' if len(others) > 1 else 'has'} not)"
        self.query_one("#set", Static).update(text)
        self.query_one(ComparedCurves).data = data
        half = f"{self.pane_key('numbers')} Mean ± half the 95 % interval"
        if data is not None and data.corrected:
            half += ", for overlapping splits"
        self.query_one("#numbers", CellTable).entitle(half)
        self._fill("numbers", knob, dict(numbers(self._compared, self._set)), right)

    def _show_claims(self) -> None:
        found = claims_of(self._compared)
        margin = max(
            (claim.margin for _, claims in found for claim in claims if claim is not None), default=0.0
        )
        title = f"{self.pane_key('claims')} What decides"
        if found:
            title += f": 95 % for overlapping splits, same within ±{margin:g}"
        table = self.query_one("#claims", CellTable)
        table.placeholder = "none of them has measured it"
        table.entitle(title)
        rows = {
            claim_title(next(filter(None, claims))): list(map(claim_words, claims)) for _, claims in found
        }
        self._fill("claims", "quantity", rows, left)

    def _fill(
        self, table: str, corner: str, rows: Mapping[str, Sequence[str]], cell: Callable[[str], Text]
    ) -> None:
        """Fill a table. rows: name -> a value for each experiment. cell: makes the cell of a value.

        Up to FEW experiments have a column each; where they are more, each has a row. corner: the first title.
        """
        heads = [f"{MARKERS[place % len(MARKERS)]} {one.name}" for place, one in enumerate(self._compared)]
        texts = {printable(name): [printable(value) for value in values] for name, values in rows.items()}
        if len(heads) > FEW and table != "claims":
            corner = "experiment"
            by_column = texts
            by_row = {head: [values[place] for values in texts.values()] for place, head in enumerate(heads)}
        else:
            by_column = {
                head: [values[place] for values in texts.values()] for place, head in enumerate(heads)
            }
            by_row = texts
        columns = {"": (corner, min(WIDEST_HEAD, max(map(cell_len, (corner, *by_row)))) + PADDING)}
        for place, (head, values) in enumerate(by_column.items()):
            width = max(cell_len(head), min(WIDEST[table], max(map(cell_len, values), default=0)))
            columns[str(place)] = head, min(width, WIDEST[table] + 2) + PADDING
        shown = {name: [left(name), *map(cell, values)] for name, values in by_row.items() if by_column}
        self.query_one(f"#{table}", CellTable).fill(columns, shown)


def read(experiments: Sequence[Experiment]) -> list[Compared]:
    """Read the experiments; one that is gone or cannot be read has no numbers."""
    labels = [printable(read_annotations(experiment.folder)[0].label) for experiment in experiments]
    ids = [printable(experiment.id) for experiment in experiments]
    chosen = names(ids, labels, [experiment.spec for experiment in experiments])
    return [Compared(name, _result(experiment)) for experiment, name in zip(experiments, chosen, strict=True)]


def _result(experiment: Experiment) -> Result:
    try:
        return result_of(read_state(experiment))
    except OSError:
        spec, status = experiment.spec, ExperimentStatus.UNREADABLE
        return Result(
            id=experiment.id,
            status=status,
            ladder=spec.ladder,
            spec=spec,
            environment=None,
            runs=(),
            metrics={},
        )
