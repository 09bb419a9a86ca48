"""The set-up screen: choose an experiment, see what is wrong or what it costs, start it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Collapsible, Input, Label, Select, Static

from core.attacks.catalogue import ATTACKS, BOUNDS, NORMS, OPTIONS
from core.data.catalogue import CATALOGUE
from core.neighbours.catalogue import SEARCHES, TIE_RULES
from core.spec.spec import DEVICES, KEEPS, Spec
from tui_aefit.following.cost import PastRun, cost_of, said
from tui_aefit.lab.form import FIELDS, Checked, check, command_line
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.shell.settings import SETTINGS

OWN = "own"
"""The choice of data set that opens the field for a path."""

LINES = ("hint", "problems", "cost", "command")
"""What stands below the form, by id."""
BASIC = ("attack", *OPTIONS, "epsilon", "z", "runs")
TITLES = {
    "dataset": "Data set",
    "attack": "Attack",
    "epsilon": "Epsilon",
    "z": "Z, largest K",
    "runs": "Runs",
    "seed": "Seed",
    "epochs": "Epochs",
    "controls": "Controls",
    "tie_rule": "Tied votes",
    "norm": "DeepFool norm",
    "bound": "DeepFool bound",
    "steps": "PGD steps",
    "test_size": "Test images",
    "search": "Search",
    "keep": "Keep",
    "device": "Device",
    "threads": "Threads a run",
    "jobs": "Runs at a time",
}
CHOICES: dict[str, Iterable[str]] = {
    "attack": ATTACKS,
    "tie_rule": TIE_RULES,
    "norm": NORMS,
    "bound": BOUNDS,
    "search": SEARCHES,
    "keep": KEEPS,
    "device": DEVICES,
}


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

        def __init__(self, spec: Spec, jobs: int, words: dict[str, str]) -> None:
            super().__init__()
            self.spec = spec
            self.jobs = jobs
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
        self._fields: dict[str, Select[str] | Input] = {}
        self._whys: dict[str, Label] = {}
        # Kept, not looked up: who leaves at once does so before all of them are on the screen.
        self._own_row = Horizontal(id="own-row", classes="row")
        self._lines = {name: Static("", id=name, markup=False) for name in LINES}

    def compose(self) -> ComposeResult:
        """The basic fields and the advanced fold; below them help, what is wrong or what it costs, the command."""
        yield Static("New experiment", id="title")
        with VerticalScroll(id="form", can_focus=False):
            yield from self._dataset_rows()
            for name in BASIC:
                yield self._row(name)
            with Collapsible(title="Advanced", id="advanced"):
                yield Vertical(id="advanced-rows")
        with VerticalScroll(id="foot", can_focus=False):
            yield from self._lines.values()
        yield KeysFooter()

    def on_mount(self) -> None:
        """Show the state of the first values, then read past runs while the person looks."""
        self._check()
        self.watch(self, "focused", self._show_hint)
        self._load_past()
        # Half the fields, folded away at first: nobody need wait for them.
        self.call_after_refresh(self._add_advanced)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A field can be left while there is one."""
        return action != "leave_field" or self.focused is not None

    @on(Input.Changed)
    @on(Select.Changed)
    def _changed(self) -> None:
        had_path = self._own_row.display
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
        if checked.spec is not None and checked.jobs is not None:
            self.post_message(self.Start(checked.spec, checked.jobs, self._current_words()))
            return
        name = next(name for name in ("dataset", *BASIC, *FIELDS) if name in checked.problems)
        if name not in self._fields:
            await self._add_advanced()
        title = f"{TITLES[name]} is not possible"
        self.notify(checked.problems[name], title=title, severity="warning", markup=False)
        if name not in (*BASIC, "dataset"):
            self.query_one("#advanced", Collapsible).collapsed = False
        own_path = name == "dataset" and self.query_one("#dataset", Select).value == OWN
        self.query_one("#dataset-path" if own_path else f"#{name}").focus()

    def action_copy_command(self) -> None:
        """Ask for the command line to be copied."""
        checked = self._check()
        if checked.spec is not None and checked.jobs is not None:
            self.post_message(self.CopyCommand(command_line(checked.spec, checked.jobs, self._folders)))
        else:
            self.notify("a field is wrong", title="There is no such command", severity="warning")

    def action_leave_field(self) -> None:
        """Take the focus from a field, so that single keys reach the app."""
        self.set_focus(None)

    async def _add_advanced(self) -> None:
        """Make the fields of the fold, once."""
        if self._fields.keys() == set(FIELDS):
            return
        rows = [self._row(name) for name in FIELDS if name not in (*BASIC, "dataset")]
        await self.query_one("#advanced-rows").mount_all(rows)
        self._check()

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
        yield self._labelled("dataset", select)
        path = Input(word if own else "", placeholder=".npz, .zip or folder", compact=True, id="dataset-path")
        with self._own_row:
            yield Label("", classes="name")
            yield path

    def _dataset_choice(self, name: str) -> str:
        return f"{name} (not here)" if self._missing(name) else name

    def _row(self, name: str) -> Horizontal:
        word = self._words.get(name, "")
        field: Select[str] | Input
        if name in CHOICES:
            known = list(CHOICES[name])
            field = Select(
                [(choice, choice) for choice in known],
                value=word if word in known else known[0],
                allow_blank=False,
                compact=True,
                id=name,
            )
        else:
            placeholder = SETTINGS[name].default_text or "default"
            field = Input(word, placeholder=placeholder, compact=True, id=name)
        field.tooltip = SETTINGS[name].summary
        return self._labelled(name, field)

    def _labelled(self, name: str, field: Select[str] | Input) -> Horizontal:
        why = Label("", id=f"why-{name}", classes="why", markup=False)
        self._fields[name], self._whys[name] = field, why
        return Horizontal(Label(TITLES[name], classes="name"), field, why, classes="row")

    def _current_words(self) -> dict[str, str]:
        # A field that is still to be made says what it will show first.
        words = {name: self._words.get(name, "") for name in FIELDS}
        words |= {name: str(field.value) for name, field in self._fields.items() if field.is_mounted}
        if words["dataset"] == OWN:
            words["dataset"] = self.query_one("#dataset-path", Input).value
        # An option of another attack than the chosen one is not shown, and has its default.
        for option in OPTIONS:
            if option not in ATTACKS[words["attack"]].options:
                words[option] = ""
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
            checked = Checked(None, None, problems)
        for name, field in self._fields.items():
            self._whys[name].update(f"✗ {problems[name]}" if name in problems else "")
            field.set_class(name in problems, "-wrong")
        self._own_row.display = self._fields["dataset"].value == OWN
        for option in OPTIONS & self._fields.keys():
            row = self._fields[option].parent
            if row is not None:
                row.display = option in ATTACKS[words["attack"]].options
        cost, command = "", ""
        if checked.spec is not None and checked.jobs is not None:
            cost = said(cost_of(checked.spec, checked.jobs, self._past))
            command = "$ " + command_line(checked.spec, checked.jobs, self._folders)
        reasons = [f"✗ {TITLES[name]}: {problems[name]}" for name in TITLES if name in problems]
        self._show("problems", "\n".join(reasons))
        self._show("cost", cost)
        self._show("command", command)
        return checked

    def _show(self, place: str, text: str) -> None:
        static = self._lines[place]
        static.update(text)
        static.set_class(not text, "-empty")

    def _show_hint(self) -> None:
        """Say what the focused field means."""
        name = "" if self.focused is None else (self.focused.id or "").removesuffix("-path")
        hint = ""
        if name in TITLES:
            setting = SETTINGS[name]
            default = f" (default: {setting.default_text})" if setting.default_text else ""
            hint = f"{TITLES[name]}: {setting.summary}{default}"
        self._lines["hint"].update(hint)
