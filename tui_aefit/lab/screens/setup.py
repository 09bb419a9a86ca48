"""The set-up screen: choose an experiment, see what it means, what is wrong or what it costs, start it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from core.attacks.registry import ATTACKS
from core.data.catalogue import CATALOGUE, OWN_SUFFIXES
from core.declarations.setting import Setting
from core.errors import AefitError, DataError
from core.families.registry import FAMILIES
from core.records.experiment import Experiment
from core.report.formatting import counted
from core.spec.settings import COMMON
from core.spec.spec import Spec
from tui_aefit.following.cost import cost_of, describe_cost
from tui_aefit.following.past import Past
from tui_aefit.lab.background import describe_error
from tui_aefit.lab.bound import key_of
from tui_aefit.lab.form import Checked, check, command_line
from tui_aefit.lab.messages import OpenExperiment
from tui_aefit.lab.surroundings import Standing, Surroundings
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.lab.widgets.setup.beside import Beside
from tui_aefit.lab.widgets.setup.fields import TYPE_A_PATH, Form
from tui_aefit.lab.widgets.setup.foot import Foot, sentence_of
from tui_aefit.lab.widgets.setup.known import OF_DATA, USUAL_OVERLAP, Known, Looked, Tried
from tui_aefit.lab.widgets.setup.paths import completions
from tui_aefit.shell.declarations import explain

UNKNOWN = Standing(None, "…")
PAUSE_SECONDS = 0.3
"""How long a word must stand before anything is looked up for it."""


class SetupScreen(Screen[None]):
    """The form. Posts `Start` with a checked experiment, `CopyCommand` with a line; the app does the rest.

    words: what the fields show first, by name. offered: what they held when an experiment was last started, {} for
    nothing. surroundings: where the screen learns what it shows.
    """

    CSS_PATH = "setup.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012  # declared so by Screen
    AUTO_FOCUS = "#dataset"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s", "start", "Start", id="setup.start", tooltip="Compute this experiment", priority=True
        ),
        # These two are named where they are of use: beside what exists, and beside what was last.
        Binding(
            "ctrl+o",
            "open_standing",
            "Open what exists",
            id="setup.open",
            tooltip="Open the result of this experiment that exists already",
            show=False,
        ),
        Binding(
            "ctrl+l",
            "take_offered",
            "As last time",
            id="setup.last",
            tooltip="Fill in what was started last; once more brings back what was there",
            show=False,
        ),
        Binding(
            "ctrl+g,f",
            "explain",
            "Explain",
            id="setup.explain",
            tooltip="Explain the field in focus with pictures, in place of what it costs",
            key_display="^g",
        ),
        Binding(
            "ctrl+y,y",
            "copy_command",
            "Copy",
            id="setup.copy",
            tooltip="Copy the same as a shell command",
            key_display="^y",
        ),
        Binding(
            "escape",
            "leave_field",
            "Leave field",
            id="setup.leave",
            tooltip="Leave the field, so that single keys work",
        ),
    ]

    class Start(Message):
        """The person wants this experiment computed. checked: without problems. words: of all fields."""

        def __init__(self, checked: Checked, words: dict[str, str]) -> None:
            super().__init__()
            self.checked = checked
            self.words = words

    class CopyCommand(Message):
        """The person wants this line in the clipboard and in a file."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    def __init__(
        self, words: Mapping[str, str], *, offered: Mapping[str, str], surroundings: Surroundings
    ) -> None:
        # The likelier width at once, for the first picture need not be styled twice then.
        super().__init__(classes="-narrow")
        self._surroundings = surroundings
        self._offered = dict(offered)
        self._is_last = True
        self._past = Past()
        self._looked = Looked()
        self._tried = Tried()
        self._stood: tuple[Spec | None, Standing] = (None, UNKNOWN)
        self._spec: Spec | None = None
        self._overlap = USUAL_OVERLAP
        self._setting: Setting = COMMON["dataset"]
        self._to_start: dict[str, str] | None = None
        self._has_begun = self._was_left = False
        data_dir = words.get("data_dir", "")
        self._form = Form(
            words, lambda name: f"{name} (not here)" if surroundings.missing(name, data_dir) else name
        )
        self._beside = Beside()
        self._count = Static("", id="count", markup=False)
        self._foot = Foot()

    def compose(self) -> ComposeResult:
        """The form and what its field means; below them what is wrong or what it costs, the command."""
        with Horizontal(id="heading"):
            yield Static("New experiment", id="title")
            yield self._count
        with Horizontal(id="middle"):
            yield self._form
            yield self._beside
        yield self._foot
        yield KeysFooter(palette=False)

    def on_mount(self) -> None:
        """Begin, unless something is in front from the start: who looks at that waits for no form."""
        if self.app.screen is self:
            self._begin()

    def _begin(self) -> None:
        """Show the state of the first values; the rest follows while the person looks."""
        self._has_begun = True
        self._check()
        self.watch(self, "focused", self._follow_focus)
        # Half the fields, folded away at first, and past runs: nobody need wait for them.
        self.call_after_refresh(self._form.add_folded)
        self.call_after_refresh(self._load_past)

    def on_screen_suspend(self) -> None:
        """Another screen is in front."""
        self._was_left = True

    def on_screen_resume(self) -> None:
        """Begin where it could not yet; other experiments may have been computed meanwhile."""
        if not self._has_begun and self.app.screen is self:
            self._begin()
        elif self._was_left:
            self.look_again()

    def on_resize(self) -> None:
        """There may be room for the pane beside the form now."""
        self.call_after_refresh(self._show_note)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is there while it would do something."""
        if action == "leave_field":
            return self.focused is not None
        if action == "open_standing":
            return self._standing() is not None
        if action == "take_offered":
            return bool(self._differing())
        return action != "explain" or not self.has_class("-wide")

    def look_again(self) -> None:
        """See anew what past experiments tell, and whether this one exists."""
        if not self._in_use:
            return
        self._load_past()
        self._stood = (None, UNKNOWN)
        if self._looked.dataset not in CATALOGUE:
            self._looked = Looked()
        self._check()

    # What the keys do

    async def action_start(self) -> None:
        """Start the experiment, or go to the first field that is wrong."""
        checked = self._check()
        self._to_start = None
        if checked.spec is not None and self._is_unread():
            # Once they are read, unless the person has thought better of it.
            self._to_start = self._form.words()
            self.notify("it starts once they are", title="The data are being read")
        elif checked.spec is not None:
            self.post_message(self.Start(checked, self._form.words()))
        else:
            settings = self._form.settings()
            name = next((name for name in settings if name in checked.problems), next(iter(checked.problems)))
            title = f"{settings[name].title if name in settings else name} is not possible"
            self.notify(checked.problems[name], title=title, severity="warning", markup=False)
            await self._form.go_to(name)

    def action_copy_command(self) -> None:
        """Ask for the command line to be copied."""
        if (line := self._command(self._check())) is not None:
            self.post_message(self.CopyCommand(line))
        else:
            self.notify("a field is wrong", title="There is no such command", severity="warning")

    def action_leave_field(self) -> None:
        """Take the focus from a field, so that single keys reach the app."""
        self.set_focus(None)

    def action_open_standing(self) -> None:
        """Open the experiment that exists already."""
        if (experiment := self._standing()) is not None:
            self.post_message(OpenExperiment(experiment))

    async def action_take_offered(self) -> None:
        """Fill in what is offered, and offer what was there."""
        taken, self._offered = self._offered, self._form.words()
        self._is_last = not self._is_last
        await self._form.take(taken)
        self._check()

    def action_explain(self) -> None:
        """Show the pane in place of what the experiment costs, or no longer."""
        self.toggle_class("-explaining")
        self.call_after_refresh(self._show_note)
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible)

    # What is looked up beside the screen

    @work(thread=True, exclusive=True, group="past")
    def _load_past(self) -> None:
        past = self._surroundings.past()
        self.app.call_from_thread(self._take_past, past)

    def _take_past(self, past: Past) -> None:
        self._past = past
        if self._in_use:
            self._check()

    @work(exclusive=True, group="standing")
    async def _look_up(self, spec: Spec) -> None:
        start, show = key_of(self, "setup.start"), key_of(self, "setup.open")
        await asyncio.sleep(PAUSE_SECONDS)
        look = partial(self._surroundings.standing, spec, start=start, show=show)
        self._stood = spec, await asyncio.to_thread(look)
        if self._in_use:
            self._check()

    @work(exclusive=True, group="data")
    async def _look_at_data(self, asked: Looked) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        if asked.dataset in CATALOGUE or asked.pending:
            found = await self._read_data(asked)
        else:
            near = await asyncio.to_thread(completions, asked.dataset, OWN_SUFFIXES)
            found = replace(asked, near=tuple(near))
        if (self._looked.dataset, self._looked.data_dir) != (asked.dataset, asked.data_dir):
            return
        if not self._in_use:
            return
        self._looked = found
        self._check()
        if self._to_start is not None and self._to_start == self._form.words():
            await self.action_start()

    async def _read_data(self, asked: Looked) -> Looked:
        try:
            preview = await self._surroundings.look_at_data(asked.dataset, asked.data_dir)
        except AefitError as error:
            refused = isinstance(error, DataError)
            return replace(asked, trouble=describe_error(error), refused=refused, pending=False)
        return replace(asked, preview=preview, pending=False)

    @work(exclusive=True, group="attack")
    async def _try_attack(self, spec: Spec) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        try:
            self._tried = Tried(spec, await self._surroundings.try_attack(spec))
        except AefitError as error:
            self._tried = Tried(spec, None, f"there is no example: {describe_error(error)}")
        self._show_note()

    def _is_unread(self) -> bool:
        """Whether the data are a person's own, of which it is not known yet whether they are any."""
        return self._looked.pending and self._looked.dataset not in CATALOGUE

    # What is shown

    @on(Form.Edited)
    def _edited(self) -> None:
        # Fields tell also of what they begin with.
        if self._in_use:
            self._check()

    @property
    def _in_use(self) -> bool:
        """Whether it shows its fields: it has begun, and is not being taken away with the lab."""
        return self._has_begun and self._foot.is_attached

    def _check(self) -> Checked:
        """Check all fields and show what is wrong, what it costs and the command."""
        words = self._form.words()
        dataset, data_dir = words["dataset"].strip(), words["data_dir"].strip()
        looked = self._looked if self._looked.dataset == dataset else Looked()
        checked = check(words, looked.size)
        problems = dict(checked.problems)
        missing = self._surroundings.missing(dataset, data_dir) if dataset in CATALOGUE else ""
        if not dataset:
            problems["dataset"] = TYPE_A_PATH
        elif missing:
            problems["dataset"] = missing
        self._follow_data(dataset, data_dir, missing, is_there="dataset" not in problems)
        if looked.refused and dataset not in CATALOGUE:
            problems.setdefault("dataset", looked.trouble)
        if problems:
            checked = Checked(None, None, None, problems)
        else:
            self._spec = checked.spec
        if checked.spec is not None and self._stood[0] != checked.spec:
            self._look_up(checked.spec)
        differing, which = self._differing(), "last time" if self._is_last else "before"
        self._form.say(problems, {name: f"{which} {word or 'default'}" for name, word in differing.items()})
        self._show(checked, self._form.settings())
        self._foot.offer(which, differing, self._form.settings())
        self._show_note()
        self.refresh_bindings()
        return checked

    def _show(self, checked: Checked, settings: Mapping[str, Setting]) -> None:
        """What the form asks for, or what is wrong with it, below it and in the heading."""
        spec, jobs = checked.spec, checked.jobs
        if spec is None or jobs is None:
            self._foot.show_problems(checked.problems, settings)
            self._count.update(f"{counted(len(checked.problems), 'field')} to mend")
            return
        cost = cost_of(spec, jobs, self._past.runs, self._looked.size)
        self._overlap = cost.test / cost.train if cost.test and cost.train else USUAL_OVERLAP
        standing = self._stood[1] if self._stood[0] == spec else UNKNOWN
        self._foot.show(
            sentence=sentence_of(spec, jobs, ATTACKS[spec.attack].title, FAMILIES[spec.family].title),
            cost=describe_cost(cost),
            standing=standing.text,
            can_be_opened=self._standing() is not None,
            command=self._command(checked) or "",
        )
        self._count.update(f"1 experiment · {counted(spec.runs, 'run')}")

    def _command(self, checked: Checked) -> str | None:
        """The shell command for what is in the form; None where a field is wrong."""
        if checked.spec is None or checked.jobs is None or checked.threads is None:
            return None
        folders = self._surroundings.folders(checked.data_dir)
        return command_line(checked.spec, checked.jobs, checked.threads, folders)

    def _standing(self) -> Experiment | None:
        """The experiment that exists already and can be opened."""
        spec, standing = self._stood
        return standing.experiment if spec is not None and spec == self._spec else None

    def _differing(self) -> dict[str, str]:
        """The words that are offered and not there."""
        words = self._form.words()
        return {name: word for name, word in self._offered.items() if words.get(name, word) != word}

    # The pane beside the form

    def _follow_focus(self) -> None:
        """Say what the focused field means."""
        setting = self._form.setting_of(self.focused)
        hint = ""
        if setting is not None:
            self._setting = setting
            default = f" (default: {setting.default_text})" if setting.default_text else ""
            hint = f"{setting.title}: {explain(setting)}{default}"
        self._foot.hint(hint)
        self._show_note()

    def _is_explaining(self) -> bool:
        return self.is_attached and (self.has_class("-wide") or self.has_class("-explaining"))

    def _show_note(self) -> None:
        """Explain the field in focus, where there is room; have looked up what that takes."""
        if not self._is_explaining():
            return
        # Where there is no room it is never needed, else not for the first picture.
        from tui_aefit.lab.widgets.setup.explaining import is_of_attack, note_of  # noqa: PLC0415

        if self._setting.name not in self._form.settings():
            self._setting = COMMON["dataset"]  # its part was exchanged, and its field is gone
        spec, parts, data = self._spec, self._form.parts(), self._looked
        wanted = data.dataset in CATALOGUE and self._setting.name in OF_DATA
        if wanted and not (data.preview or data.trouble or data.pending):
            self._looked = data = replace(data, pending=True)
            self._look_at_data(data)
        if spec is not None and is_of_attack(self._setting, parts) and not self._tried.fits(spec):
            self._tried = Tried(spec)
            self._try_attack(spec)
        self._beside.note = note_of(
            Known(
                setting=self._setting,
                parts=parts,
                spec=spec,
                past=self._past,
                overlap=self._overlap,
                looked=data,
                where=self._surroundings.where(data.dataset, data.data_dir)
                if data.dataset in CATALOGUE
                else "",
                tried=self._tried,
            )
        )

    def _follow_data(self, dataset: str, data_dir: str, missing: str, *, is_there: bool) -> None:
        """Note which data the form names now; have a person's own looked at, to see whether they are any."""
        if (self._looked.dataset, self._looked.data_dir) == (dataset, data_dir):
            return
        own = bool(dataset) and dataset not in CATALOGUE
        self._looked = Looked(dataset, data_dir, trouble=missing, pending=own and is_there)
        if own:
            self._look_at_data(self._looked)
