"""What stands below the form: what is wrong, or the experiment, what it costs, whether it exists, its command."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from core.declarations.setting import Setting
from core.report.formatting import counted
from core.spec.spec import Spec
from tui_aefit.lab.bound import key_of

LINES = ("hint", "problems", "sentence", "standing", "cost", "command", "last")
"""By id."""


class Foot(VerticalScroll, can_focus=False):
    """Lines of text; those that have nothing to say take no room."""

    def __init__(self) -> None:
        super().__init__(id="foot")
        # Kept, not looked up: who leaves at once does so before all of them are on the screen.
        self._lines = {name: Static("", id=name, markup=False) for name in LINES}

    def compose(self) -> ComposeResult:
        """The lines."""
        yield from self._lines.values()

    def hint(self, text: str) -> None:
        """What the field in focus means; its line keeps its place."""
        self._lines["hint"].update(text)

    def show_problems(self, problems: Mapping[str, str], settings: Mapping[str, Setting]) -> None:
        """What is wrong, by the settings' names, in the order of the fields."""
        order = [name for name in (*settings, *problems) if name in problems]
        reasons = [
            f"✗ {settings[name].title if name in settings else name}: {problems[name]}"
            for name in dict.fromkeys(order)
        ]
        self.show()
        self._show("problems", "\n".join(reasons))

    def show(
        self,
        *,
        sentence: str = "",
        cost: str = "",
        standing: str = "",
        can_be_opened: bool = False,
        command: str = "",
    ) -> None:
        """The experiment that would be computed. can_be_opened: a click on `standing` opens what there is."""
        link = "[@click=screen.open_standing]$text[/]" if can_be_opened else "$text"
        self._show("problems", "")
        self._show("sentence", sentence)
        self._show("standing", Content.from_markup(link, text=standing))
        self._show("cost", cost)
        self._show("command", f"$ {command}" if command else "")

    def offer(self, which: str, words: Mapping[str, str], settings: Mapping[str, Setting]) -> None:
        """Words that could stand in the fields, by the settings' names. which: what they are, "last time"."""
        named = [
            f"{settings[name].title} {word or 'default'}" for name, word in words.items() if name in settings
        ]
        key = key_of(self, "setup.last")
        self._show("last", f"{which}: {', '.join(named)} ({key})" if named else "")

    def _show(self, place: str, text: str | Content) -> None:
        static = self._lines[place]
        static.update(text)
        static.set_class(not str(text), "-empty")


def sentence_of(spec: Spec, jobs: int, attack: str, family: str) -> str:
    """An experiment in one sentence. attack, family: their titles."""
    at_once = f", {jobs} at a time" if jobs > 1 else ""
    return (
        f"{counted(spec.runs, 'run')}{at_once}: {family}, {spec.ladder.span}, on {spec.dataset_title} against "
        f"{attack}, epsilon {spec.epsilon:.4g}; seed {spec.seed}"
    )
