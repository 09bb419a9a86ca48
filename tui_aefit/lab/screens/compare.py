"""The comparison screen: experiments side by side, the settings in which they differ and their accuracies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static, Tab, Tabs

from core.records.annotations import read_annotations
from core.records.experiment import Experiment
from core.records.state import read_state
from core.records.status import ExperimentStatus
from core.report.formatting import counted, enumerate_words
from core.sets.registry import SETS, is_known
from tui_aefit.following.listing import STATES
from tui_aefit.following.printable import printable
from tui_aefit.lab.charts.data import MARKERS
from tui_aefit.lab.charts.drawing import accuracy_chart
from tui_aefit.lab.comparison import (
    Compared,
    curves,
    differing,
    names,
    numbers,
    sets_of,
    with_another_knob,
)
from tui_aefit.lab.widgets.cell_table import CellTable, left, right
from tui_aefit.lab.widgets.chart import Chart
from tui_aefit.lab.widgets.footer import KeysFooter

PANES = {"settings": "Settings", "curves": "Curves", "numbers": "Numbers"}
"""Pane -> its title; a narrow terminal shows one at a time."""
FIRST_SET = "adversarial"
WIDEST = {"settings": 28, "numbers": 18}
"""Table -> cells of an experiment's column at most."""
PADDING = 2
"""Cells of a column beside its text."""


class CompareScreen(Screen[None]):
    """Compares `experiments`, two or more, as they are when the screen opens or is told to read them again."""

    CSS_PATH = "compare.tcss"
    AUTO_FOCUS = None
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  # declared so by Screen
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "turn_set(1)", "Next set", id="compare.next", tooltip="Accuracy on the next set"),
        Binding("p", "turn_set(-1)", "Previous set", id="compare.previous", show=False,
                tooltip="Accuracy on the set before"),
        Binding("t", "turn_pane", "Next pane", id="compare.pane", tooltip="Settings, curves or numbers"),
        Binding("f", "fit", "Fit", id="compare.fit", show=False,
                tooltip="End the axis at the curves, or at 0 and 1"),
        Binding("r", "read", "Read again", id="compare.read", show=False,
                tooltip="Read what was computed since"),
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

    def compose(self) -> ComposeResult:
        """Settings above; the curves and the numbers of one set below."""
        yield Static(f"Comparing {len(self.experiments)} experiments", id="title", markup=False)
        yield Tabs(*(Tab(title, id=f"{pane}-tab") for pane, title in PANES.items()))
        yield CellTable(id="settings")
        yield Static(id="set", markup=False)
        with Container(id="accuracies"):
            yield Chart(accuracy_chart, empty="None of them has an accuracy on this set.", id="curves")
            yield CellTable(id="numbers")
        yield KeysFooter()

    def on_mount(self) -> None:
        """Read in the background."""
        self.query_one("#settings", CellTable).border_title = "What differs"
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

    @on(Tabs.TabActivated)
    def _pane_chosen(self, event: Tabs.TabActivated) -> None:
        chosen = str(event.tab.id).removesuffix("-tab")
        for pane in PANES:
            self.set_class(pane == chosen, f"-{pane}")
        self.refresh_bindings()

    def on_resize(self) -> None:
        """Other panes are seen now."""
        self.call_after_refresh(self.refresh_bindings)

    def action_turn_pane(self) -> None:
        """Show the next pane of a narrow terminal."""
        tabs = self.query_one(Tabs)
        panes = [f"{pane}-tab" for pane in PANES]
        tabs.active = panes[(panes.index(tabs.active) + 1) % len(panes)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A wide terminal shows all panes, a narrow one has the keys of the one that it shows."""
        narrow = self.has_class("-narrow")
        match action:
            case "turn_pane":
                return narrow
            case "turn_set":
                return not (narrow and self.has_class("-settings"))
            case "fit":
                return not narrow or self.has_class("-curves")
        return True

    def action_turn_set(self, step: int) -> None:
        """Show another set, `step` places on."""
        if sets := sets_of(self._compared):
            self._set = sets[(sets.index(self._set) + step) % len(sets)]
            self._show_set()

    def action_fit(self) -> None:
        """Change between an axis from 0 to 1 and one that ends at the curves."""
        self._fit = not self._fit
        self._show_set()

    def action_leave(self) -> None:
        """Go back to where the person came from."""
        self.dismiss()

    def _show_settings(self) -> None:
        rows = {
            "state": [f"{STATES[one.status][1]}, {counted(one.runs, 'run')}" for one in self._compared],
            **dict(differing([one.spec for one in self._compared])),
        }
        self._fill("settings", "setting", rows, left)

    def _show_set(self) -> None:
        text = f"Accuracy on {printable(self._set)}"
        if is_known(self._set):
            text += f": {SETS[self._set].description}"
        data = curves(self._compared, self._set, fit=self._fit)
        knob = "level" if data is None else data.knob
        if data is not None and (others := with_another_knob(self._compared, data)):
            text += f" (against {knob}, which {enumerate_words(others)} {'have' if len(others) > 1 else 'has'} not)"
        self.query_one("#set", Static).update(text)
        self.query_one("#curves", Chart).data = data
        half = "Mean ± half the 95 % interval"
        if data is not None and data.corrected:
            half += ", for overlapping splits"
        self.query_one("#numbers", CellTable).entitle(half)
        self._fill("numbers", knob, dict(numbers(self._compared, self._set)), right)

    def _fill(
        self, table: str, corner: str, rows: Mapping[str, Sequence[str]], cell: Callable[[str], Text]
    ) -> None:
        """Show rows with a column for each experiment, made of cells of this kind."""
        columns = {"": (corner, max(map(len, (corner, *rows))) + PADDING)}
        for place, one in enumerate(self._compared):
            values = [printable(cells[place]) for cells in rows.values()]
            width = min(WIDEST[table], max(map(cell_len, (one.name, *values))))
            columns[str(place)] = (f"{MARKERS[place % len(MARKERS)]} {one.name}", width + 2 + PADDING)
        shown = {
            name: [left(name), *(cell(printable(text)) for text in texts)] for name, texts in rows.items()
        }
        self.query_one(f"#{table}", CellTable).fill(columns, shown)


def read(experiments: Sequence[Experiment]) -> list[Compared]:
    """The experiments as they are now; what has gone or cannot be read has no summary."""
    labels = [printable(read_annotations(experiment.folder)[0].label) for experiment in experiments]
    ids = [printable(experiment.id) for experiment in experiments]
    found: list[Compared] = []
    for experiment, name in zip(experiments, names(ids, labels), strict=True):
        try:
            state = read_state(experiment)
        except OSError:
            status, spec = ExperimentStatus.UNREADABLE, experiment.spec
            found.append(Compared(name, spec, status, 0, spec.ladder, None))
            continue
        statistics = state.statistics
        found.append(
            Compared(
                name,
                experiment.spec,
                state.status,
                len(statistics.runs) if statistics is not None else 0,
                state.ladder,
                statistics.summary if statistics is not None else None,
                statistics is not None and bool(statistics.claims),
            )
        )
    return found
