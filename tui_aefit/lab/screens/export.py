"""The dialog that asks which files of an experiment, or of several, to write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.declarations.printable import printable
from core.records.experiment import Experiment
from core.records.overview import Overview, OverviewReader
from core.records.status import ExperimentStatus
from core.report.formatting import counted
from tui_aefit.following.listing import STATES, state_words
from tui_aefit.lab.arrows import arrow_bindings
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.screens.dialog import Dialog
from tui_aefit.shell.publications import CHOICES, EXPORTS

LOOK_SECONDS = 1.0
"""Seconds between two looks at the experiments while the dialog is open."""


class Export(Dialog[str]):
    """Asks what to write of experiments, one at least: a name among CHOICES, None where the person leaves it.

    Its note on incomplete experiments is kept up to date. status, done: of the first experiment, None and 0 where
    that is not known yet.
    """

    CSS_PATH: ClassVar = ["dialog.tcss", "export.tcss"]
    AUTO_FOCUS = "#choices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", id="export.cancel", tooltip="Write nothing"),
        *(
            Binding(str(place % 10), f"choose('{name}')", choice.name, id=f"export.{name}", show=False,
                    tooltip=f"Write: {choice.name}")
            for place, (name, choice) in enumerate(CHOICES.items(), start=1)
        ),
        *arrow_bindings("export"),
    ]  # fmt: skip

    class Looked(Message, namespace="export"):
        """The experiments were looked at."""

        def __init__(self, overviews: Sequence[Overview]) -> None:
            super().__init__()
            self.overviews = overviews

    def __init__(
        self, experiments: Sequence[Experiment], status: ExperimentStatus | None = None, done: int = 0
    ) -> None:
        first, *others = experiments
        super().__init__(f"Export {counted(len(experiments), 'experiment') if others else first.id}")
        self._experiments = experiments
        self._reader = OverviewReader(first.folder.parents[1])
        self._note = "" if others else note(status, done, first.spec.runs)

    def answers(self) -> ComposeResult:
        """The choices, where the files go, what to know of an experiment that is not complete, the keys."""
        first, *others = self._experiments
        where = f"Files go into\n{first.folder / EXPORTS}"
        if others:
            where = f"Files go into the folder {EXPORTS} of each, beside its results"
        yield OptionList(
            *(
                Option(
                    Text.assemble(
                        (f"{key_of(self, f'export.{name}')}  ", "bold"),
                        f"{choice.name:17}{choice.about}",
                    ),
                    name,
                )
                for name, choice in CHOICES.items()
            ),
            id="choices",
        )
        yield Static(where, id="where", markup=False)
        yield Static(self._note, id="detail", markup=False)
        leave = key_of(self, "export.cancel")
        yield Static(f"enter or a key writes, {leave} leaves", id="keys", markup=False)

    def on_mount(self) -> None:
        """Look now, and again and again."""
        self._show_note()
        self._look()
        self.set_interval(LOOK_SECONDS, self._look_if_idle)

    def _look_if_idle(self) -> None:
        # A slow file server must not make looks queue up.
        if all(worker.is_finished for worker in self.workers if worker.node is self):
            self._look()

    @work(thread=True)
    def _look(self) -> None:
        self.post_message(self.Looked([self._reader.look_at(one.folder) for one in self._experiments]))

    @on(Looked)
    def _looked(self, message: Looked) -> None:
        self._note = note_on(message.overviews)
        self._show_note()

    def _show_note(self) -> None:
        detail = self.query_one("#detail", Static)
        detail.display = bool(self._note)
        if str(detail.content) != self._note:
            detail.update(self._note)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_choose(self, name: str) -> None:
        """Close with this choice."""
        self.dismiss(name)


def note(status: ExperimentStatus | None, done: int, runs: int) -> str:
    """The note on writing files of an experiment that is not complete; "" for a complete or unknown one."""
    if status is None or status is ExperimentStatus.COMPLETE:
        return ""
    glyph, word, _ = STATES[status]
    if not done:
        return f"{glyph} {word}: no run is complete yet, so tables are empty and nothing can be drawn"
    return f"{glyph} {word}: the numbers are over {done} of {runs} runs; files with numbers say so"


def note_on(overviews: Sequence[Overview]) -> str:
    """The note on writing files of these experiments, one at least; "" where all are complete."""
    first, *others = overviews
    if not others:
        if first.experiment is None:
            return f"{' '.join(state_words(first)[:2])}: {printable(first.reason)}"
        return note(first.status, first.done, first.experiment.spec.runs)
    lacking = sum(one.status is not ExperimentStatus.COMPLETE for one in overviews)
    if not lacking:
        return ""
    are = "is" if lacking == 1 else "are"
    return f"{lacking} of {len(overviews)} {are} not complete: numbers are over the runs that are, and files say so"
