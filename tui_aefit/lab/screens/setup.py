"""The set-up screen: choose an experiment, see what is wrong or what it costs, start it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Collapsible, Input, Label, Select, Static

from core.data.catalogue import CATALOGUE
from core.declarations.setting import Names, Setting
from core.errors import AefitError
from core.spec.settings import COMMON, PARTS, part_options
from core.spec.spec import Spec
from tui_aefit.following.cost import PastRun, cost_of, describe_cost
from tui_aefit.lab.form import OF_CALL, Checked, check, command_line
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.shell.declarations import CALL, explain

OWN = "own"
"""The choice of data set that opens the field for a path."""
LINES = ("hint", "problems", "cost", "command")
"""What stands below the form, by id."""

Field = Select[str] | Input


@dataclass(frozen=True)
class Row:
    """A line of the form: a setting's title, its field, and why the field is wrong."""

    setting: Setting
    field: Field
    why: Label
    line: Horizontal


def rows_of(parts: Mapping[str, str]) -> tuple[dict[str, Setting], dict[str, Setting]]:
    """The settings of the first rows and those of the fold, by name; an option follows the part that it is of.

    parts: "attack", "family", "surrogate" -> the chosen one. A plug-in that cannot be loaded has no options:
    what is wrong with it is said beside its name.
    """
    first: dict[str, Setting] = {}
    folded: dict[str, Setting] = {}
    for name, setting in COMMON.items():
        (first if setting.main else folded)[name] = setting
        if name in PARTS:
            for option in _options_of(name, parts[name]):
                (first if setting.main or option.main else folded)[option.name] = option
    return first, {**folded, **{name: CALL[name] for name in OF_CALL}}


def _options_of(part: str, name: str) -> list[Setting]:
    try:
        return list(part_options(part, name).values())
    except AefitError:
        return []


class SetupScreen(Screen[None]):
    """The form. Posts `Start` with a checked experiment, `CopyCommand` with a line; the app does the rest.

    words: what the fields show first, by name. missing: what to do where a named data set is not there, else
    "". past: complete runs to estimate the time from, read in a thread. folders: `home` and `data_dir` where
    not the defaults.
    """

    CSS_PATH = "setup.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  # declared so by Screen
    AUTO_FOCUS = "#dataset"
    BINDINGS = [  # noqa: RUF012
        Binding(
            "ctrl+s", "start", "Start", id="setup.start", tooltip="Compute this experiment", priority=True
        ),
        Binding(
            "ctrl+y", "copy_command", "Copy", id="setup.copy", tooltip="Copy the same as a shell command"
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
        """The person wants this experiment computed."""

        def __init__(self, spec: Spec, jobs: int, threads: int, words: dict[str, str]) -> None:
            super().__init__()
            self.spec = spec
            self.jobs = jobs
            self.threads = threads
            self.words = words

    class CopyCommand(Message):
        """The person wants this line in the clipboard and in a file."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    class PastRead(Message):
        """Past runs have been read."""

        def __init__(self, past: list[PastRun]) -> None:
            super().__init__()
            self.past = past

    def __init__(
        self,
        words: Mapping[str, str],
        *,
        missing: Callable[[str], str],
        past: Callable[[], list[PastRun]],
        folders: Mapping[str, str],
    ) -> None:
        # The likelier width at once, for the first picture need not be styled twice then.
        super().__init__(classes="-narrow")
        self._words = dict(words)
        self._missing = missing
        self._read_past = past
        self._folders = folders
        self._past: list[PastRun] = []
        self._rows: dict[str, Row] = {}
        self._has_folded = False
        # Keys may ask for rows while others are being made; until those are there, none can be found.
        self._placing = asyncio.Lock()
        # Kept, not looked up: who leaves at once does so before all of them are on the screen.
        self._own_row = Horizontal(id="own-row", classes="row")
        self._fold = Vertical(id="folded")
        self._lines = {name: Static("", id=name, markup=False) for name in LINES}

    def compose(self) -> ComposeResult:
        """The basic fields and the advanced fold; below them help, what is wrong or what it costs, the command."""
        yield Static("New experiment", id="title")
        first, _ = rows_of(self._parts())
        with VerticalScroll(id="form", can_focus=False):
            yield from self._dataset_rows()
            for name, setting in first.items():
                if name != "dataset":
                    yield self._make_row(setting).line
            with Collapsible(title="Advanced", id="advanced"):
                yield self._fold
        with VerticalScroll(id="foot", can_focus=False):
            yield from self._lines.values()
        yield KeysFooter()

    def on_mount(self) -> None:
        """Show the state of the first values; the rest follows while the person looks."""
        self._check()
        self.watch(self, "focused", self._show_hint)
        # Past runs, and half the fields, folded away at first: nobody need wait for them.
        self.call_after_refresh(self._load_past)
        self.call_after_refresh(self._add_folded)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A field can be left while there is one."""
        return action != "leave_field" or self.focused is not None

    @on(Input.Changed)
    @on(Select.Changed)
    async def _changed(self, event: Input.Changed | Select.Changed) -> None:
        had_path = self._own_row.display
        if event.control.id in PARTS:
            async with self._placing:
                await self._place_rows()
        self._check()
        # Not where the form began with a path: its row has been there from the start.
        if self._own_row.display and not had_path:
            self.query_one("#dataset-path").focus()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.focus_next()

    async def action_start(self) -> None:
        """Start the experiment, or go to the first field that is wrong."""
        checked = self._check()
        if checked.spec is not None and checked.jobs is not None and checked.threads is not None:
            self.post_message(self.Start(checked.spec, checked.jobs, checked.threads, self._current_words()))
            return
        await self._add_folded()
        first, folded = rows_of(self._parts())
        settings = {**first, **folded}
        name = next((name for name in settings if name in checked.problems), next(iter(checked.problems)))
        title = f"{settings[name].title if name in settings else name} is not possible"
        self.notify(checked.problems[name], title=title, severity="warning", markup=False)
        if name not in self._rows or not self._rows[name].field.is_mounted:
            return
        if name in folded:
            self.query_one("#advanced", Collapsible).collapsed = False
        own_path = name == "dataset" and self.query_one("#dataset", Select).value == OWN
        self.query_one("#dataset-path" if own_path else f"#{name}").focus()

    def action_copy_command(self) -> None:
        """Ask for the command line to be copied."""
        checked = self._check()
        if (line := self._command(checked)) is not None:
            self.post_message(self.CopyCommand(line))
        else:
            self.notify("a field is wrong", title="There is no such command", severity="warning")

    def action_leave_field(self) -> None:
        """Take the focus from a field, so that single keys reach the app."""
        self.set_focus(None)

    async def _add_folded(self) -> None:
        """Make the fields of the fold, once: afterwards they are there, unless the fold itself is not yet."""
        async with self._placing:
            if self._has_folded or not (self._fold.is_mounted and self.is_attached):
                return
            self._has_folded = True
            await self._place_rows()
        self._check()

    async def _place_rows(self) -> None:
        """Show the rows that the chosen parts have, in their order, and no others; make those that are new.

        A row that is not shown keeps what was written into it.
        """
        first, folded = rows_of(self._parts())
        settings = {**first, **(folded if self._has_folded else {})}
        for name, row in list(self._rows.items()):
            if name in settings and row.setting != settings[name]:
                # Another part's option of the same name, which can be something else.
                await self._rows.pop(name).line.remove()
        # New lines in a row, by the line that they follow; None: at the top of the fold. Mounted together, for
        # each time the screen is laid out anew.
        new: dict[Horizontal | None, list[Horizontal]] = {}
        after: Horizontal | None = None
        follows: list[Horizontal] | None = None
        for name, setting in settings.items():
            if name == next(iter(folded)):
                after = follows = None
            if name in self._rows:
                after, follows = self._own_row if name == "dataset" else self._rows[name].line, None
                continue
            if follows is None:
                follows = new.setdefault(after, [])
            follows.append(self._make_row(setting).line)
        for after, lines in new.items():
            if not self.is_attached:
                return  # the person has left meanwhile
            if after is None:
                await self._fold.mount(*lines, before=0)
            else:
                await self.mount(*lines, after=after)
        for name, row in self._rows.items():
            row.line.display = name in settings

    @work(thread=True)
    def _load_past(self) -> None:
        self.post_message(self.PastRead(self._read_past()))

    @on(PastRead)
    def _take_past(self, message: PastRead) -> None:
        self._past = message.past
        self._check()

    def _dataset_rows(self) -> ComposeResult:
        word = self._words.get("dataset", "")
        options = [(self._dataset_choice(name), name) for name in CATALOGUE]
        own = word not in CATALOGUE and word != ""
        select: Select[str] = Select(
            [*options, ("a path of your own", OWN)],
            value=OWN if own else (word or "mnist-5k"),
            allow_blank=False,
            compact=True,
            id="dataset",
        )
        yield self._add_row(COMMON["dataset"], select).line
        path = Input(word if own else "", placeholder=".npz, .zip or folder", compact=True, id="dataset-path")
        with self._own_row:
            yield Label("", classes="name")
            yield path

    def _dataset_choice(self, name: str) -> str:
        return f"{name} (not here)" if self._missing(name) else name

    def _make_row(self, setting: Setting) -> Row:
        word = self._words.get(setting.name, "")
        # Of several names at once a person types the list.
        names = [] if isinstance(setting.kind, Names) else list(setting.choices())
        field: Field
        if names:
            chosen = next(one for one in (word, setting.default, names[0]) if one in names)
            field = Select(
                [(name, name) for name in names],
                value=str(chosen),
                allow_blank=False,
                compact=True,
                id=setting.name,
            )
        else:
            placeholder = setting.default_text or "default"
            field = Input(word, placeholder=placeholder, compact=True, id=setting.name)
        field.tooltip = explain(setting)
        return self._add_row(setting, field)

    def _add_row(self, setting: Setting, field: Field) -> Row:
        why = Label("", id=f"why-{setting.name}", classes="why", markup=False)
        line = Horizontal(Label(setting.title, classes="name"), field, why, classes="row")
        self._rows[setting.name] = Row(setting, field, why, line)
        return self._rows[setting.name]

    def _word(self, name: str) -> str:
        """What stands in a field; where it is still to be made, what it will show first."""
        row = self._rows.get(name)
        return str(row.field.value) if row and row.field.is_mounted else self._words.get(name, "")

    def _parts(self) -> dict[str, str]:
        """The chosen attack, family and surrogate."""
        words = {part: self._word(part) for part in PARTS}
        return {
            part: word if word in PARTS[part] else str(COMMON[part].default) for part, word in words.items()
        }

    def _current_words(self) -> dict[str, str]:
        parts = self._parts()
        first, folded = rows_of(parts)
        words = {**{name: self._word(name) for name in (*first, *folded)}, **parts}
        if words["dataset"] == OWN:
            words["dataset"] = self.query_one("#dataset-path", Input).value
        return words

    def _check(self) -> Checked:
        """Check all fields and show what is wrong, what it costs and the command."""
        words = self._current_words()
        checked = check(words)
        problems = dict(checked.problems)
        dataset = words["dataset"].strip()
        if not dataset:
            problems["dataset"] = "type the path of a .npz, a .zip or a folder with one sub-folder a class"
        elif dataset in CATALOGUE and (missing := self._missing(dataset)):
            problems["dataset"] = missing
        if problems:
            checked = Checked(None, None, None, problems)
        for name, row in self._rows.items():
            row.why.update(f"✗ {problems[name]}" if name in problems else "")
            row.field.set_class(name in problems, "-wrong")
        self._own_row.display = self._rows["dataset"].field.value == OWN
        cost = ""
        if checked.spec is not None and checked.jobs is not None:
            cost = describe_cost(cost_of(checked.spec, checked.jobs, self._past))
        command = self._command(checked)
        first, folded = rows_of(self._parts())
        titles = {name: setting.title for name, setting in (first | folded).items()}
        order = [name for name in (*titles, *problems) if name in problems]
        reasons = [f"✗ {titles.get(name, name)}: {problems[name]}" for name in dict.fromkeys(order)]
        self._show("problems", "\n".join(reasons))
        self._show("cost", cost)
        self._show("command", f"$ {command}" if command is not None else "")
        return checked

    def _command(self, checked: Checked) -> str | None:
        """The shell command for what is in the form; None where a field is wrong."""
        if checked.spec is None or checked.jobs is None or checked.threads is None:
            return None
        return command_line(checked.spec, checked.jobs, checked.threads, self._folders)

    def _show(self, place: str, text: str) -> None:
        static = self._lines[place]
        static.update(text)
        static.set_class(not text, "-empty")

    def _show_hint(self) -> None:
        """Say what the focused field means."""
        row = self._rows.get((self.focused.id or "").removesuffix("-path")) if self.focused else None
        hint = ""
        if row is not None:
            default = f" (default: {row.setting.default_text})" if row.setting.default_text else ""
            hint = f"{row.setting.title}: {explain(row.setting)}{default}"
        self._lines["hint"].update(hint)
