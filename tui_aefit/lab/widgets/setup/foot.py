"""The lines below the form: what is wrong, or the experiment, its cost, whether it exists, its command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from core.attacks.registry import ATTACKS
from core.declarations.setting import Setting
from core.families.registry import FAMILIES
from core.report.formatting import counted
from core.spec.spec import Spec
from tui_aefit.following.cost import Cost, describe_cost
from tui_aefit.following.past_runs import Past
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.widgets.setup.select import FormSelect
from tui_aefit.shell.declarations import explain, may_have_several

if TYPE_CHECKING:
    from core.records.study import Study
    from tui_aefit.lab.form_context import Standing, StudyStanding
    from tui_aefit.lab.lookups import Keys

LINES = ("hint", "problems", "sentence", "standing", "cost", "grid", "command", "last")
"""The ids of the lines."""
PADDING = 4
"""Columns that the lines cannot use."""


@dataclass(frozen=True)
class Asked:
    """What would be computed, in words. can_be_opened: whether something of it exists. grid: of a study."""

    sentence: str
    standing: str
    cost: str
    command: str
    can_be_opened: bool = False
    grid: str = ""


def asked_of_one(spec: Spec, jobs: int, cost: Cost, standing: Standing, command: str) -> Asked:
    """The words for one experiment."""
    return Asked(
        sentence_of(spec, jobs, ATTACKS[spec.attack].title, FAMILIES[spec.family].title),
        standing.text,
        describe_cost(cost),
        command,
        standing.experiment is not None,
    )


def asked_of_study(
    study: Study,
    standing: StudyStanding | None,
    jobs: int,
    past: Past,
    keys: Keys,
    command: str,
    width: int,
) -> Asked:
    """The words for a study. standing: None while it is looked up. width: of the screen, in characters."""
    # Imported here: a single experiment, as most are at first, needs none of it.
    from tui_aefit.following import planned_study  # noqa: PLC0415

    known = standing.cells if standing is not None else None
    there = standing.there if standing is not None else None
    return Asked(
        planned_study.sentence_of_study(study),
        planned_study.describe_cells(study, known, there, start=keys.start, show=keys.show),
        planned_study.describe_work(study, known, jobs, past.runs),
        command,
        there is not None,
        "\n".join(planned_study.grid_lines(study, known, width - PADDING)),
    )


def hint_of(setting: Setting, field: Widget | None) -> str:
    """What a field means, and how it takes several values, where they make a study."""
    default = f" (default: {setting.default_text})" if setting.default_text else ""
    several = ""
    if isinstance(field, FormSelect):
        several = f"; {key_of(field, 'setup.several')}: several" if field.several else ""
    elif may_have_several(setting):
        several = "; several with commas between them make a study"
    return f"{setting.title}: {explain(setting)}{default}{several}"


class Foot(VerticalScroll, can_focus=False):
    """Lines of text; those that have nothing to say take no room."""

    def __init__(self) -> None:
        super().__init__(id="foot")
        # Kept, not looked up: a person may leave before all of them are on the screen.
        self._lines = {name: Static("", id=name, markup=False) for name in LINES}

    def compose(self) -> ComposeResult:
        """The lines."""
        yield from self._lines.values()

    def hint(self, text: str) -> None:
        """Show what the field in focus means; an empty text keeps its line."""
        self._lines["hint"].update(text)

    def show_problems(self, problems: Mapping[str, str], settings: Mapping[str, Setting]) -> None:
        """Show the problems, name of a setting -> what is wrong, in the order of the fields."""
        order = [name for name in (*settings, *problems) if name in problems]
        reasons = [
            f"✗ {settings[name].title if name in settings else name}: {problems[name]}"
            for name in dict.fromkeys(order)
        ]
        self.show(Asked("", "", "", ""))
        self._show("problems", "\n".join(reasons))

    def show(self, asked: Asked) -> None:
        """Show what would be computed; a click on the line about what exists opens that."""
        link = "[@click=screen.open_standing]$text[/]" if asked.can_be_opened else "$text"
        self._show("problems", "")
        self._show("sentence", asked.sentence)
        self._show("standing", Content.from_markup(link, text=asked.standing))
        self._show("cost", asked.cost)
        self._show("grid", asked.grid)
        self._show("command", f"$ {asked.command}" if asked.command else "")

    def offer(self, which: str, words: Mapping[str, str], settings: Mapping[str, Setting]) -> None:
        """Show words that could be filled in, by the settings' names. which: what they are, "last time"."""
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
