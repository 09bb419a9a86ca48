"""The question which files of an experiment are to be written."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.records.experiment import Experiment
from core.records.status import ExperimentStatus
from tui_aefit.following.listing import STATES
from tui_aefit.shell.publications import CHOICES, EXPORTS


class Export(ModalScreen[str | None]):
    """Asks what to write of an experiment: a name among CHOICES, None where the person would rather not.

    status: None where it is not known yet. done: its complete runs.
    """

    CSS_PATH: ClassVar = ["confirm.tcss", "export.tcss"]
    AUTO_FOCUS = "#choices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", id="export.cancel", tooltip="Write nothing"),
        *(
            Binding(str(place % 10), f"choose('{name}')", choice.name, id=f"export.{name}", show=False,
                    tooltip=f"Write: {choice.name}")
            for place, (name, choice) in enumerate(CHOICES.items(), start=1)
        ),
    ]  # fmt: skip

    def __init__(self, experiment: Experiment, status: ExperimentStatus | None, done: int) -> None:
        super().__init__()
        self._experiment = experiment
        self._note = note(status, done, experiment.spec.runs)

    def compose(self) -> ComposeResult:
        """The choices, where the files go, what to know of an experiment that is not complete, the keys."""
        with Vertical(classes="dialog"):
            yield Static(f"Export {self._experiment.id}", id="question", markup=False)
            yield OptionList(
                *(
                    Option(
                        Text.assemble((f"{place % 10}  ", "bold"), f"{choice.name:17}{choice.about}"), name
                    )
                    for place, (name, choice) in enumerate(CHOICES.items(), start=1)
                ),
                id="choices",
            )
            yield Static(f"Files go into\n{self._experiment.folder / EXPORTS}", id="where", markup=False)
            if self._note:
                yield Static(self._note, id="detail", markup=False)
            yield Static("enter or a digit writes, escape leaves", id="keys")

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_choose(self, name: str) -> None:
        """Close with this choice."""
        self.dismiss(name)

    def action_leave(self) -> None:
        """Close without a choice."""
        self.dismiss(None)


def note(status: ExperimentStatus | None, done: int, runs: int) -> str:
    """What to know before files of an experiment are written that is not complete; "" where there is nothing."""
    if status is None or status is ExperimentStatus.COMPLETE:
        return ""
    glyph, word, _ = STATES[status]
    if not done:
        return f"{glyph} {word}: no run is complete yet, so tables are empty and nothing can be drawn"
    return f"{glyph} {word}: the numbers are over {done} of {runs} runs; files with numbers say so"
