"""The fields of the set-up screen: a row for each setting and each option of the chosen parts, most in a fold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Collapsible, Input, Label, Select

from core.data.catalogue import CATALOGUE, OWN_SUFFIXES
from core.declarations.setting import Folder, Names, Setting
from core.errors import AefitError
from core.spec.call import CALL
from core.spec.settings import COMMON, PARTS, part_options
from tui_aefit.lab import screens
from tui_aefit.lab.form import OF_CALL, STUDY, chosen, lists_in, of_study
from tui_aefit.lab.widgets.setup.paths import PathInput
from tui_aefit.lab.widgets.setup.select import FormSelect
from tui_aefit.shell.declarations import explain, may_have_several

OWN = "own"
"""The choice of data set that opens the field for a path."""

TYPE_A_PATH = "type the path of a .npz, a .zip or a folder with one sub-folder a class"

Field = FormSelect | Input


@dataclass(frozen=True)
class Row:
    """A line of the form: a setting's title, its field, and the text beside it."""

    setting: Setting
    field: Field
    beside: Label
    line: Horizontal

    def take(self, word: str) -> None:
        """Show a word in the field, if it can take it."""
        if isinstance(self.field, Input):
            self.field.value = word
        elif self.field.takes(word):
            self.field.take(word)


def rows_of(parts: Mapping[str, Sequence[str]]) -> tuple[dict[str, Setting], dict[str, Setting]]:
    """The settings of the first rows and those of the fold, by name; an option follows its part.

    parts: "attack", "family", "surrogate" -> the chosen names. A plug-in that cannot be loaded has no options; its
    field says what is wrong.
    """
    first: dict[str, Setting] = {}
    folded: dict[str, Setting] = {}
    for name, setting in COMMON.items():
        (first if setting.main else folded)[name] = setting
        for chosen_name in parts.get(name, ()):
            for option in _options_of(name, chosen_name):
                (first if setting.main or option.main else folded).setdefault(option.name, option)
    return first, {**folded, **{name: CALL[name] for name in OF_CALL}}


def _options_of(part: str, name: str) -> list[Setting]:
    try:
        return list(part_options(part, name).values())
    except AefitError:
        return []


class Form(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The fields. Posts `Edited` for every word that changes; up and down go from field to field.

    words: name of a field -> its first word. choice_of: name of a data set -> its text in the list.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "go_up", "Field above", id="setup.up", tooltip="Field above", show=False),
        Binding("down", "go_down", "Field below", id="setup.down", tooltip="Field below", show=False),
    ]

    class Edited(Message):
        """A word has changed."""

    def __init__(self, words: Mapping[str, str], choice_of: Callable[[str], str]) -> None:
        super().__init__(id="form")
        self._words = dict(words)
        self._choice_of = choice_of
        self._rows: dict[str, Row] = {}
        self._has_folded = False
        # Keys may ask for rows while others are being made; until those are there, none can be found.
        self._placing = asyncio.Lock()
        # Kept, not looked up: a person may leave before all of them are on the screen.
        self._own_row = Horizontal(id="own-row", classes="row")
        self._own_path = self._path_input("dataset-path", "", ".npz, .zip or folder", OWN_SUFFIXES)
        self._fold = Vertical(id="folded")
        self._advanced = Collapsible(self._fold, title="Advanced", id="advanced")

    def compose(self) -> ComposeResult:
        """The first rows and the fold, which is filled later: half the fields, folded away at first."""
        first, _ = self._rows_now()
        # Not earlier: setting a field's word needs a screen in front, and the form is made before there is one.
        self._own_path.value = self._own_word()
        yield self._add_row(COMMON["dataset"], self._dataset_select()).line
        with self._own_row:
            yield Label("", classes="name")
            yield self._own_path
        for name, setting in first.items():
            if name != "dataset":
                yield self._make_row(setting).line
        yield self._advanced

    def on_mount(self) -> None:
        """Hide the field for a path, unless it is in use."""
        self._own_row.display = self._is_own()

    def action_go_up(self) -> None:
        """Go to the field above."""
        self.screen.focus_previous()

    def action_go_down(self) -> None:
        """Go to the field below."""
        self.screen.focus_next()

    # What stands in the fields

    def words(self) -> dict[str, str]:
        """The word of every field that there is now, by the setting's name."""
        first, folded = self._rows_now()
        words = {name: self._word(name) for name in (*first, *folded)}
        words |= {part: ",".join(names) for part, names in self._chosen().items()}
        if words["dataset"] == OWN:
            words["dataset"] = self._own_path.value
        return words

    def parts(self) -> dict[str, str]:
        """Part -> the chosen attack, family and surrogate, the first where several are chosen."""
        return {part: names[0] for part, names in self._chosen().items()}

    def _chosen(self) -> dict[str, list[str]]:
        """Part -> the chosen attacks, families and surrogates, one at least."""
        found = {part: chosen({part: self._word(part)}, part) for part in PARTS}
        # The word of a field that is still to be made may be any.
        return {
            part: [name for name in names if name in PARTS[part]] or [str(COMMON[part].default)]
            for part, names in found.items()
        }

    def _rows_now(self) -> tuple[dict[str, Setting], dict[str, Setting]]:
        """The settings of the first rows, at their end those of a study, and the settings of the fold."""
        first, folded = rows_of(self._chosen())
        fields = {**first, **folded}
        words = {name: self._word(name) for name in fields}
        if words["dataset"] == OWN:
            words["dataset"] = self._own_path.value
        return {**first, **of_study(lists_in(words, fields))}, folded

    def settings(self) -> dict[str, Setting]:
        """The settings that have a field now, in their order; also those whose field is still to be made."""
        first, folded = self._rows_now()
        return {**first, **folded}

    def setting_of(self, widget: Widget | None) -> Setting | None:
        """The setting whose field a widget is, or lies in; None for another widget."""
        while widget is not None and widget is not self:
            row = self._rows.get((widget.id or "").removesuffix("-path"))
            if row is not None:
                return row.setting
            widget = widget.parent if isinstance(widget.parent, Widget) else None
        return None

    async def take(self, words: Mapping[str, str]) -> None:
        """Show other words; a field that they do not name keeps its own."""
        self._words |= words
        dataset = self._rows["dataset"].field
        own = "dataset" in words and isinstance(dataset, FormSelect) and not dataset.takes(words["dataset"])
        if own:
            self._own_path.value = words["dataset"]
        # The parts first: they bring the fields of their options.
        for name in (*PARTS, *(name for name in words if name not in PARTS)):
            row = self._rows.get(name)
            if row is not None and row.field.is_mounted and name in words:
                row.take(OWN if own and name == "dataset" else words[name])
        async with self._placing:
            await self._place_rows()

    @on(FormSelect.SeveralAsked)
    def _ask_several(self, event: FormSelect.SeveralAsked) -> None:
        """Ask the person which choices of a list they want."""
        event.stop()
        field = event.field
        setting = self.setting_of(field)
        assert setting is not None

        def answered(names: tuple[str, ...] | None) -> None:
            if names is not None:
                field.take(",".join(names))

        now = [name for name in str(field.value).split(",") if name in field.several]
        labels = {name: field.labels[name] for name in field.several}
        question = f"{setting.title}: each makes an experiment of its own"
        ask = screens.ChooseSome(list(labels), now, question, labels=labels, verb="takes")
        self.app.push_screen(ask, answered)

    def suggest(self, name: str, word: str) -> None:
        """Show in an empty field, as its placeholder, the word that it stands for."""
        row = self._rows.get(name)
        if row is not None and isinstance(row.field, Input):
            row.field.placeholder = word

    # Texts beside the fields

    def say(self, problems: Mapping[str, str], notes: Mapping[str, str]) -> None:
        """Show beside the fields what is wrong, else what is noted, by the setting's name."""
        for name, row in self._rows.items():
            wrong = name in problems
            row.beside.update(f"✗ {problems[name]}" if wrong else notes.get(name, ""))
            row.beside.set_class(wrong, "-problem")
            row.field.set_class(wrong, "-wrong")

    async def go_to(self, name: str) -> None:
        """Put the focus on the field of a setting, opening the fold where it is in there."""
        await self.add_folded()
        if name not in self._rows or not self._rows[name].field.is_mounted:
            return
        if name in self._rows_now()[1]:
            self._advanced.collapsed = False
        (self._own_path if name == "dataset" and self._is_own() else self._rows[name].field).focus()

    async def add_folded(self) -> None:
        """Make the fields of the fold, once; does nothing while the fold itself is not mounted."""
        async with self._placing:
            if self._has_folded or not (self._fold.is_mounted and self.is_attached):
                return
            self._has_folded = True
            await self._place_rows()
        self.post_message(self.Edited())

    # Helpers

    @on(Input.Changed)
    @on(Select.Changed)
    async def _changed(self, event: Input.Changed | Select.Changed) -> None:
        event.stop()
        had_path = self._own_row.display
        self._own_row.display = self._is_own()
        if event.control.id in PARTS or self._lacks_rows():
            async with self._placing:
                await self._place_rows()
        self.post_message(self.Edited())
        # Not where the form began with a path: its row has been there from the start.
        by_hand = self.setting_of(self.screen.focused) is COMMON["dataset"]
        if self._own_row.display and not had_path and by_hand:
            self._own_path.focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    def _lacks_rows(self) -> bool:
        """Whether the fields of a study that are shown are not the ones that should be."""
        now = self._rows_now()[0].keys() & STUDY.keys()
        return now != {name for name in STUDY if name in self._rows and self._rows[name].line.display}

    async def _place_rows(self) -> None:
        """Show the rows that the chosen parts have, in their order, and no others; make those that are new.

        A row that is not shown keeps what was written into it.
        """
        first, folded = self._rows_now()
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
                await self._mount_after(after, lines)
        for name, row in self._rows.items():
            row.line.display = name in settings

    async def _mount_after(self, after: Horizontal, lines: list[Horizontal]) -> None:
        parent = after.parent
        assert isinstance(parent, Widget)
        await parent.mount(*lines, after=after)

    def _dataset_select(self) -> FormSelect:
        word = self._words.get("dataset", "") or str(COMMON["dataset"].default)
        labels = {**{name: self._choice_of(name) for name in CATALOGUE}, OWN: "a path of your own"}
        several = tuple(CATALOGUE)
        return FormSelect(
            labels, OWN if self._own_word() else word, otherwise=OWN, several=several, id="dataset"
        )

    def _own_word(self) -> str:
        """The first word of the data set's field if it has a path, alone or in a list; "" for names only."""
        word = self._words.get("dataset", "")
        return "" if all(name in CATALOGUE for name in word.split(",")) else word

    def _is_own(self) -> bool:
        return "dataset" in self._rows and self._rows["dataset"].field.value == OWN

    def _make_row(self, setting: Setting) -> Row:
        word = self._words.get(setting.name, "")
        # Of several names at once a person types the list.
        names = [] if isinstance(setting.kind, Names) else list(setting.choices())
        placeholder = setting.default_text or "default"
        field: Field
        if names:
            field = FormSelect(
                {name: name for name in names},
                word,
                otherwise=str(setting.default),
                several=tuple(names) if may_have_several(setting) else (),
                id=setting.name,
            )

        elif isinstance(setting.kind, Folder):
            field = self._path_input(setting.name, word, placeholder, ())
        else:
            field = Input(word, placeholder=placeholder, compact=True, id=setting.name)
        field.tooltip = explain(setting)
        return self._add_row(setting, field)

    def _path_input(self, name: str, word: str, placeholder: str, suffixes: tuple[str, ...]) -> PathInput:
        return PathInput(word, suffixes=suffixes, placeholder=placeholder, id=name)

    def _add_row(self, setting: Setting, field: Field) -> Row:
        beside = Label("", id=f"why-{setting.name}", classes="why", markup=False)
        line = Horizontal(Label(setting.title, classes="name"), field, beside, classes="row")
        self._rows[setting.name] = Row(setting, field, beside, line)
        return self._rows[setting.name]

    def _word(self, name: str) -> str:
        """The word of a field; of one that is still to be made, its first word."""
        row = self._rows.get(name)
        return str(row.field.value) if row and row.field.is_mounted else self._words.get(name, "")
