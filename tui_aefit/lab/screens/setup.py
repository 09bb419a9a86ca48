"""The set-up screen: choose an experiment or a study, see what it means, what is wrong or what it costs, start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from core.data.catalogue import CATALOGUE
from core.declarations.setting import Setting
from core.report.formatting import counted
from core.spec.settings import COMMON
from core.spec.spec import Spec
from tui_aefit.following.cost import cost_of
from tui_aefit.lab.form import STUDY, Checked, check, command_line, most_in
from tui_aefit.lab.form_context import FormContext
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.lookups import Keys, LookedUp, Lookups
from tui_aefit.lab.messages import OpenExperiment, OpenStudy
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.lab.widgets.setup.fields import TYPE_A_PATH, Form
from tui_aefit.lab.widgets.setup.foot import Asked, Foot, asked_of_one, asked_of_study, hint_of
from tui_aefit.lab.widgets.setup.form_facts import OF_DATA, USUAL_OVERLAP, Known, Looked
from tui_aefit.lab.widgets.setup.side_pane import Beside
from tui_aefit.shell.declarations import words_of_list

if TYPE_CHECKING:
    from core.records.experiment import Experiment
    from core.records.study import Study

MANY, TYPING_SECONDS = 300, 0.3
"""With more than MANY experiments the form waits so many seconds for the next letter: making them takes longer."""


class SetupScreen(Screen[None]):
    """The form. Posts `Start` with what was checked, `CopyCommand` with a line; the app does the rest.

    words: name of a field -> its first word. offered: the words when something was last started, {} for none.
    form_context: answers the screen's questions. behind: whether another screen is in front of it from the start;
    then the form begins only once it is shown.
    """

    CSS_PATH = "setup.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012  # declared so by Screen
    AUTO_FOCUS = "#dataset"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s",
            "start",
            "Start",
            id="setup.start",
            tooltip="Compute what is set up, one experiment or a study",
            priority=True,
        ),
        # These two are named in the foot: beside what exists, and beside the words of last time.
        Binding(
            "ctrl+o",
            "open_standing",
            "Open what exists",
            id="setup.open",
            tooltip="Open the experiment, or the study, that exists already",
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
        """The person wants this computed. checked: without problems. words: of all fields."""

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
        self,
        words: Mapping[str, str],
        *,
        offered: Mapping[str, str],
        form_context: FormContext,
        behind: bool = False,
    ) -> None:
        # Assume the likelier width: if it is right, the first picture is styled only once.
        super().__init__(classes="-narrow")
        self._form_context = form_context
        self._is_behind = behind
        self._has_begun = self._was_left = False
        self._typing: Timer | None = None
        self._beside = Beside()
        self._count = Static("", id="count", markup=False)
        self._foot = Foot()
        self._set_out(words, offered)

    def _set_out(self, words: Mapping[str, str], offered: Mapping[str, str]) -> None:
        """Set the state of a new form, which has only its first words."""
        self._lookups = Lookups(self, self._form_context)
        self._offered = dict(offered)
        self._is_last = True
        self._checked = Checked()
        self._study: Study | None = None
        self._spec: Spec | None = None
        self._overlap = USUAL_OVERLAP
        self._setting: Setting = COMMON["dataset"]
        self._to_start: dict[str, str] | None = None
        self._stop_waiting()
        data_dir, missing = words.get("data_dir", ""), self._form_context.missing
        self._form = Form(words, lambda name: f"{name} (not here)" if missing(name, data_dir) else name)

    def compose(self) -> ComposeResult:
        """The form and the explanation of a field; below, what is wrong, or the cost and the command."""
        with Horizontal(id="heading"):
            yield Static("New experiment", id="title")
            yield self._count
        with Horizontal(id="middle"):
            yield self._form
            yield self._beside
        yield self._foot
        yield KeysFooter(palette=False)

    def on_mount(self) -> None:
        """Begin, unless another screen is in front from the start."""
        if not self._is_behind:
            self._begin()

    def _begin(self) -> None:
        """Check and show the first words; make the rest of the form afterwards."""
        self._has_begun = True
        self._check()
        self.watch(self, "focused", self._follow_focus)
        self._follow_up()

    def _follow_up(self) -> None:
        # The folded half of the fields, and past runs: the first picture does not wait for them.
        self.call_after_refresh(self._form.add_folded)
        self.call_after_refresh(self._lookups.load_past)

    async def begin_anew(self, words: Mapping[str, str], offered: Mapping[str, str]) -> None:
        """Begin as a new screen would, with these `words` and `offered`, see the class."""
        before = self._form
        self._set_out(words, offered)
        self.remove_class("-explaining")
        with self.app.batch_update():
            await before.remove()
            await self.query_one("#middle").mount(self._form, before=self._beside)
        self.set_focus(self.query_one(self.AUTO_FOCUS))
        if self._has_begun:
            self._check()
            self._follow_up()
        else:
            self._begin()

    def on_screen_suspend(self) -> None:
        """Note that another screen is in front."""
        self._was_left = True

    def on_screen_resume(self) -> None:
        """Begin, where that was put off; else look again: other experiments may have been computed."""
        if not self._was_left:
            return  # this is the event of being shown first
        if self._has_begun:
            self.look_again()
        else:
            self._begin()

    def on_resize(self) -> None:
        """Show anew: there may be room for the pane beside the form now."""
        self.call_after_refresh(self._refresh)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a key while it would do something."""
        if action == "leave_field":
            return self.focused is not None
        if action == "open_standing":
            return self._existing() is not None
        if action == "take_offered":
            return bool(self._differing())
        return action != "explain" or not self.has_class("-wide")

    def look_again(self) -> None:
        """Look up again what past experiments tell, and whether this one exists."""
        if self._in_use:
            self._lookups.forget()
            self._check()

    # What the keys do

    async def action_start(self) -> None:
        """Start what is set up, or go to the first field that is wrong."""
        checked = self._check()
        self._to_start = None
        if checked.specs and self._lookups.is_unread:
            # Start once the data are read, unless the words have changed by then.
            self._to_start = self._form.words()
            self.notify("it starts once they are", title="The data are being read")
        elif checked.specs:
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
        """Remove the focus from a field, so that single keys reach the app."""
        self.set_focus(None)

    def action_open_standing(self) -> None:
        """Open what exists already."""
        from core.records.study import Study  # noqa: PLC0415  # with what reads records, which what exists was read by

        match self._existing():
            case Study() as study:
                self.post_message(OpenStudy(study.folder))
            case experiment if experiment is not None:
                self.post_message(OpenExperiment(experiment))

    async def action_take_offered(self) -> None:
        """Fill in the offered words, and offer the former ones."""
        taken, self._offered = self._offered, self._form.words()
        self._is_last = not self._is_last
        await self._form.take(taken)
        self._check()

    def action_explain(self) -> None:
        """Show the explaining pane in place of what the experiment costs, or that again."""
        self.toggle_class("-explaining")
        self.call_after_refresh(self._show_note)
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible)

    # What is shown

    @on(Form.Edited)
    def _edited(self) -> None:
        self._stop_waiting()
        # Fields also report their first words.
        if not self._in_use:
            return
        if most_in(self._form.words()) > MANY:
            self._typing = self.set_timer(TYPING_SECONDS, self._check)
        else:
            self._check()

    def _stop_waiting(self) -> None:
        """Stop waiting for the next letter."""
        if self._typing is not None:
            self._typing.stop()
            self._typing = None

    @on(LookedUp)
    async def _looked_up(self, message: LookedUp) -> None:
        message.stop()
        if not self._in_use:
            return
        if message.what == "example":
            self._show_note()
        elif message.what == "data":
            self._check()
            if self._to_start is not None and self._to_start == self._form.words():
                await self.action_start()
        else:
            self._refresh()

    @property
    def _in_use(self) -> bool:
        """Whether the form is in use: it has begun, and is not being removed with the lab."""
        return self._has_begun and self._foot.is_attached

    def _check(self) -> Checked:
        """Check all fields, and show what is wrong, or the cost and the command."""
        words = self._form.words()
        datasets = words_of_list(COMMON["dataset"], words["dataset"].strip())
        # Of several data sets the first is looked at.
        dataset, data_dir = datasets[0], words["data_dir"].strip()
        looked = self._lookups.looked if self._lookups.looked.dataset == dataset else Looked()
        checked = check(words, looked.size)
        problems = dict(checked.problems)
        missing = [
            self._form_context.missing(name, data_dir) if name in CATALOGUE else "" for name in datasets
        ]
        if not dataset:
            problems["dataset"] = TYPE_A_PATH
        elif any(missing):
            problems["dataset"] = next(filter(None, missing))
        self._lookups.follow_data(dataset, data_dir, missing[0], is_there="dataset" not in problems)
        if looked.refused and dataset not in CATALOGUE:
            problems.setdefault("dataset", looked.trouble)
        self._checked = Checked(problems=problems) if problems else checked
        self._study = None
        if self._checked.specs:
            self._spec = self._checked.spec
        if self._checked.study:
            self._study = self._form_context.planned(self._checked.study, self._checked.specs)
        self._refresh()
        return self._checked

    def _refresh(self) -> None:
        """Show the checked form with what was looked up so far."""
        if not self._in_use:
            return
        checked, settings = self._checked, self._form.settings()
        differing, which = self._differing(), "last time" if self._is_last else "before"
        notes = {name: f"{which} {word or 'default'}" for name, word in differing.items()}
        self._form.say(checked.problems, notes)
        self._form.suggest("name", checked.study or str(STUDY["name"].default_text))
        if checked.problems:
            self._foot.show_problems(checked.problems, settings)
            self._count.update(f"{counted(len(checked.problems), 'field')} to mend")
        elif checked.specs:
            if self._study is not None:
                self._lookups.look_for_study(self._study)
            else:
                self._lookups.look_for(checked.specs[0], self._keys)
            self._foot.show(self._asked())
            experiments = counted(len(checked.specs), "experiment")
            self._count.update(f"{experiments} · {counted(checked.runs, 'run')}")
        self._foot.offer(which, differing, settings)
        self._show_note()
        self.refresh_bindings()

    def _asked(self) -> Asked:
        """What is asked for, in words."""
        checked, lookups = self._checked, self._lookups
        spec, command = checked.specs[0], self._command(checked) or ""
        cost = cost_of(spec, checked.jobs, lookups.past.runs, lookups.looked.size)
        self._overlap = cost.test / cost.train if cost.test and cost.train else USUAL_OVERLAP
        if self._study is None:
            return asked_of_one(spec, checked.jobs, cost, lookups.standing(spec), command)
        standing, width = lookups.standing_of_study(self._study), self.app.size.width
        return asked_of_study(self._study, standing, checked.jobs, lookups.past, self._keys, command, width)

    @property
    def _keys(self) -> Keys:
        return Keys(key_of(self, "setup.start"), key_of(self, "setup.open"))

    def _command(self, checked: Checked) -> str | None:
        """The shell command for what is in the form; None where a field is wrong."""
        if not checked.specs:
            return None
        return command_line(checked, self._form_context.folders(checked.data_dir))

    def _existing(self) -> Experiment | Study | None:
        """The experiment or study that exists already and can be opened; None for none."""
        if self._study is not None:
            found = self._lookups.standing_of_study(self._study)
            return found.there if found is not None else None
        spec = self._checked.spec
        return self._lookups.standing(spec).experiment if spec is not None else None

    def _differing(self) -> dict[str, str]:
        """Field -> offered word, where the field has another."""
        words = self._form.words()
        return {name: word for name, word in self._offered.items() if words.get(name, word) != word}

    # The pane beside the form

    def _follow_focus(self) -> None:
        """Show what the focused field means."""
        setting = self._form.setting_of(self.focused)
        if setting is not None:
            self._setting = setting
        self._foot.hint(hint_of(setting, self.focused) if setting is not None else "")
        self._show_note()

    def _is_explaining(self) -> bool:
        return self.is_attached and (self.has_class("-wide") or self.has_class("-explaining"))

    def _show_note(self) -> None:
        """Explain the field in focus, where there is room, and look up what that needs."""
        if not self._is_explaining():
            return
        # Imported here: not needed without room, nor for the first picture.
        from tui_aefit.lab.widgets.setup.explaining import is_of_attack, note_of  # noqa: PLC0415

        if self._setting.name not in self._form.settings():
            self._setting = COMMON["dataset"]  # its part was exchanged, and its field is gone
        spec, parts, lookups = self._spec, self._form.parts(), self._lookups
        named = lookups.looked.dataset in CATALOGUE
        if named and self._setting.name in OF_DATA:
            lookups.read_named_data()
        if spec is not None and is_of_attack(self._setting, parts):
            lookups.try_attack(spec)
        data = lookups.looked
        self._beside.note = note_of(
            Known(
                setting=self._setting,
                parts=parts,
                spec=spec,
                past=lookups.past,
                overlap=self._overlap,
                looked=data,
                where=self._form_context.where(data.dataset, data.data_dir) if named else "",
                tried=lookups.tried,
            )
        )
