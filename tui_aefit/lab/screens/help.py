"""Help: the keys of the screen below, and a few words on the experiment and its sets."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from core.sets.registry import SETS, is_known
from tui_aefit.lab.arrows import TOOLTIP, arrow_bindings
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.widgets.live.runs_table import WORDS, RunsTable

PALETTE = "Every command by its name, and the themes"
ABOUT = """\
The experiment turns the knob of a classifier from general to fitted and measures its accuracy A at every level: \
on adversarial images made on a surrogate network, on its own mistakes, on the whole test set and on controls. \
S at level j is A_j / A_i, i being the level before j. If adversarial images come from too little fitting, A \
should climb faster on them than on ordinary mistakes - and faster than on the controls, images that were not made \
by an adversary or not selected.

Work is done by processes of their own: closing this terminal stops nothing. Open the lab again to see it.

Every key can be another: `aefit-tui config keys` names them, and [keys] in the settings file changes them."""


class HelpScreen(ModalScreen[None]):
    """The keys that work on `below`, with what each does."""

    CSS_PATH = "help.tcss"
    BINDINGS = [  # noqa: RUF012  # declared so by Screen
        Binding("escape,q,question_mark", "dismiss", "Close", id="help.close", tooltip="Back to the screen"),
        *arrow_bindings("help"),
    ]

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        bindings = _bindings(below)
        # The lab's own keys have an id; the others move about, as they do in every Textual program.
        self._keys = [(keys, text) for keys, text, own in bindings if own and text != PALETTE]
        self._keys.append((f"ctrl+p {key_of(self.app, 'app.palette')}", PALETTE))
        self._moving = [(keys, text) for keys, text, own in bindings if not own]
        self._words = WORDS if below.query(RunsTable) else {}

    def compose(self) -> ComposeResult:
        """Keys, then words."""
        with VerticalScroll(classes="dialog"):
            yield Static("Keys", classes="heading")
            yield Static(_listed(self._keys))
            if self._words:
                yield Static("In the table of runs", classes="heading")
                yield Static(_listed(self._words.items()))
            yield Static("The experiment", classes="heading")
            yield Static(ABOUT, markup=False)
            yield Static("The sets", classes="heading")
            yield Static(_listed((name, SETS[name].description) for name in SETS if is_known(name)))
            yield Static("Moving about", classes="heading")
            yield Static(_listed(self._moving))

    def on_mount(self) -> None:
        """Remove all notices, which would cover the keys."""
        self.app.clear_notifications()


def _bindings(below: Screen[object]) -> list[tuple[str, str, bool]]:
    """An entry for each action that keys do on a screen: the keys, what they do, whether the lab defines it."""
    found: dict[str, tuple[list[str], Binding]] = {}
    for active in below.active_bindings.values():
        binding = active.binding
        if binding.description and not binding.system:
            what = TOOLTIP if binding.tooltip == TOOLTIP else binding.action.removeprefix("app.")
            keys, _ = found.setdefault(what, ([], binding))
            keys.append(below.app.get_key_display(binding))
    return [
        (" ".join(dict.fromkeys(keys)), binding.tooltip or binding.description, binding.id is not None)
        for keys, binding in found.values()
    ]


def _listed(entries: Iterable[tuple[str, str]]) -> Table:
    """Words and what they mean in two columns."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for word, meaning in entries:
        table.add_row(Text(word, "bold"), Text(meaning))
    return table
