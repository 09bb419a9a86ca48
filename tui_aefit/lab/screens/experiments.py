"""The experiments screen: all experiments of a home with their results, and what can be done with them."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import DataTable, Input, Static

from core.declarations.printable import printable
from core.errors import ExperimentError
from core.records.experiment import Experiment
from core.records.overview import Overview
from tui_aefit.following.filtering import select
from tui_aefit.following.listing import detail, telling_settings
from tui_aefit.following.ordering import Order, ordered
from tui_aefit.lab import screens
from tui_aefit.lab.action_targets import forbidden
from tui_aefit.lab.background import describe_error
from tui_aefit.lab.browsing import Browsing
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.list_words import list_title, why_empty
from tui_aefit.lab.marked_actions import MarkedActions
from tui_aefit.lab.messages import CloneExperiment, NewExperiment, OpenExperiment
from tui_aefit.lab.queueing import KEYS, move_in_queue
from tui_aefit.lab.widgets.experiments_table import ExperimentsTable, Listing
from tui_aefit.lab.widgets.filter import Filter
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.lab.widgets.preview import PreviewPane

MANY, TYPING_SECONDS = 300, 0.15
"""With more than MANY experiments the filter waits so many seconds for the next letter: drawing takes longer."""
ABOUT_ONE = (
    "clone", "resume", "extend", "mark", "stop", "delete", "label", "tag", "note", "export", "copy",
    "copy_command",
)  # fmt: skip
"""The actions that need an experiment under the cursor."""

clock = time.time
"""The clock by which ages are told."""


class ExperimentsScreen(MarkedActions):
    """All experiments of `home`. What concerns other screens it asks the app for: see `lab.messages`.

    browsing: what earlier visits have read and set.
    """

    CSS_PATH = "experiments.tcss"
    AUTO_FOCUS = "ExperimentsTable"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012  # declared so by Screen
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New", id="experiments.new", tooltip="Set up a new experiment"),
        Binding("c", "clone", "Clone", id="experiments.clone", show=False,
                tooltip="Set up a new one that begins from this"),
        Binding("r", "resume", "Resume", id="experiments.resume", tooltip="Compute the runs that are missing"),
        Binding("m", "extend", "More runs", id="experiments.extend", show=False,
                tooltip="Have more runs computed; those that are complete stay"),
        Binding("space", "mark", "Mark", id="experiments.mark", key_display="space",
                tooltip="Mark it, or take the mark away: keys are about all that are marked"),
        Binding("u", "unmark", "Unmark all", id="experiments.unmark", show=False, tooltip="Take all marks away"),
        Binding("equals_sign,C", "compare", "Compare", id="experiments.compare",
                tooltip="The marked experiments side by side", show=False),
        Binding("s", "stop", "Stop", id="experiments.stop", show=False,
                tooltip="Stop computing; complete runs are kept and it can be resumed"),
        Binding("d", "delete", "Delete", id="experiments.delete", tooltip="Remove it with its results", show=False),
        Binding("a", "label", "Label", id="experiments.label", tooltip="Give it a name of your own", show=False),
        Binding("t", "tag", "Tag", id="experiments.tag", tooltip="Add tags, or take some away", show=False),
        Binding("o", "note", "Note", id="experiments.note", tooltip="Write down what you think of it", show=False),
        Binding("y", "copy", "Copy", id="experiments.copy", tooltip="Copy its id", show=False),
        Binding("ctrl+y", "copy_command", "Copy command", id="experiments.command", show=False,
                tooltip="Copy the shell command that computes it"),
        Binding("x", "export", "Export", id="experiments.export",
                tooltip="Write files into its folder: results, tables, figures or the report"),
        Binding("p", "export('report')", "Report", id="experiments.report", show=False,
                tooltip="Write an HTML report with figures into its folder"),
        Binding("left_square_bracket", "queue(-1)", "Earlier", id="experiments.earlier", group=KEYS,
                tooltip="Have the one under the cursor wait one place less in the queue"),
        Binding("right_square_bracket", "queue(1)", "Later", id="experiments.later", group=KEYS,
                tooltip="Have the one under the cursor wait one place more in the queue"),
        Binding("exclamation_mark", "now", "Start now", id="experiments.now", group=KEYS,
                tooltip="Compute it at once, beside all that is computed: it waits for nobody any more"),
        Binding("slash", "filter", "Filter", id="experiments.filter", show=False,
                tooltip="Show only some: words, attack:fgsm, tag:x, epsilon>0.1, a<0.5; * for anything, ! for not"),
        Binding("less_than_sign", "sort(-1)", "Sort back", id="experiments.sort-back", show=False,
                tooltip="Sort the other way, or by the column before"),
        Binding("greater_than_sign", "sort(1)", "Sort", id="experiments.sort", show=False,
                tooltip="Sort the other way, or by the next column"),
        Binding("S", "sort_by", "Sort by", id="experiments.sort-by", show=False,
                tooltip="Choose the column that sorts"),
        Binding("1", "pane('list')", "List", id="experiments.list", show=False, tooltip="The list of experiments"),
        Binding("2", "pane('preview')", "Preview", id="experiments.preview", show=False,
                tooltip="What the experiment under the cursor found"),
        Binding("f", "alone", "Full screen", id="experiments.full", show=False,
                tooltip="The list or the preview alone, or both"),
        Binding("escape", "back", "Back", id="experiments.back", show=False,
                tooltip="Show all again; without a filter, leave the experiments"),
        # The app's key for this very screen: it would open another one.
        Binding("e", "look_again", "Look again", id="experiments.look", show=False,
                tooltip="Look at the folder now, not only every other second"),
    ]  # fmt: skip

    class Looked(Message, namespace="experiments"):
        """The home was looked at. overviews: those read so far, of `many`.

        problem: why the home could not be listed, "" if it could.
        """

        def __init__(self, overviews: tuple[Overview, ...], problem: str, many: int) -> None:
            super().__init__()
            self.overviews = overviews
            self.problem = problem
            self.many = many

    def __init__(self, home: Path, browsing: Browsing | None = None) -> None:
        super().__init__()
        self._home = home
        self._browsing = browsing or Browsing.of(home)
        self._overviews = self._browsing.overviews
        self._many: int | None = None
        self._problem = ""
        self._shown: dict[str, str] = {}
        self._chosen: Overview | None = None
        self._typing: Timer | None = None
        self._telling: tuple[tuple[Overview, ...], frozenset[str]] = ((), frozenset())

    def compose(self) -> ComposeResult:
        """The filter, the table or why it is empty, the preview and details of the chosen experiment."""
        yield Static("Experiments", id="title", markup=False)
        yield Filter(
            self._browsing.words,
            placeholder="words, attack:fgsm, state:failed, tag:x, epsilon>0.1, *",
            id="filter",
            compact=True,
        )
        yield Static(id="said", markup=False)
        with Horizontal(id="body"):
            yield ExperimentsTable(id="experiments")
            yield PreviewPane(id="preview")
        yield Static(id="empty", markup=False)
        yield Static(id="detail", markup=False)
        yield KeysFooter(palette=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer keys for experiments when one is chosen, or some are marked."""
        chosen = self._chosen  # not the table's: a key may come when there is none yet, or none any more
        waits = chosen is not None and chosen.queued > 0
        if action == "queue":
            return waits
        if action == "now":
            return waits or any(one.queued for one in self._marked())
        if action == "resume" and waits and not self._browsing.marked:
            return False  # it goes on by itself when its turn comes
        if action in ABOUT_ONE:
            return chosen is not None or bool(self._browsing.marked and action not in ("mark", "clone"))
        if action == "unmark":
            return bool(self._browsing.marked)
        return not self.has_class("-narrow") if action == "alone" else True

    # Looking

    def on_mount(self) -> None:
        """Show what an earlier visit has read."""
        self.set_class(bool(self._browsing.words), "-filter")
        self._show()

    def on_screen_resume(self, _: events.ScreenResume) -> None:
        """Put the cursor on the experiment that was shown last, maybe another one than before."""
        self._table.choose(self._browsing.chosen)

    def on_resize(self) -> None:
        """Show the keys anew: there may be room for the preview now."""
        self.call_after_refresh(self.refresh_bindings)

    @work(thread=True, group="look")
    def look(self) -> None:
        """Look at the home now, beside the screen; the first time, show what is read as it comes."""

        def tell(overviews: tuple[Overview, ...], many: int) -> None:
            self.post_message(self.Looked(overviews, "", many))

        first = self._browsing.overviews is None
        try:
            # Only a filter needs the studies: without one they must not delay the first rows.
            if self._browsing.words or not first:
                self._browsing.look_at_studies()
            found = self._browsing.reader.look(tell if first else None)
            if first:
                self._browsing.look_at_studies()
            self.post_message(self.Looked(found, "", len(found)))
        except ExperimentError as error:
            self.post_message(self.Looked((), describe_error(error), 0))

    @on(Looked)
    def _looked(self, message: Looked) -> None:
        self._overviews, self._problem, self._many = message.overviews, message.problem, message.many
        if message.many == len(message.overviews) and not message.problem:
            self._browsing.overviews = message.overviews
            self._browsing.marked &= {overview.id for overview in message.overviews}
        self._show()

    @on(Input.Changed, "#filter")
    def _filter_changed(self, message: Input.Changed) -> None:
        self._browsing.words = message.value
        self._stop_waiting()
        if len(self._overviews or ()) > MANY:
            self._typing = self.set_timer(TYPING_SECONDS, self._show)
        else:
            self._show()

    def _stop_waiting(self) -> None:
        """Stop waiting for the next letter."""
        if self._typing is not None:
            self._typing.stop()
            self._typing = None

    def _show(self) -> None:
        """Show the last reading, by the filter, the order and the marks."""
        everything, browsing = self._overviews or (), self._browsing
        selection = select(everything, browsing.words, browsing.members)
        self._table.listing = Listing(
            overviews=ordered(selection.overviews, browsing.order, browsing.marked),
            marked=browsing.marked,
            order=browsing.order,
            telling=self._telling_settings(everything),
            now=_this_minute(),
            many=len(everything),
        )
        self._set_text("#title", self._title())
        self._set_text("#said", "; ".join(map(printable, selection.problems)))
        self.query_one("#said").display = bool(selection.problems)
        self._set_text("#empty", self._empty())
        self.set_class(not selection.overviews, "-empty")
        if selection.overviews and self.focused is None:
            self._table.focus()
        self._show_chosen()

    @on(ExperimentsTable.ColumnsChanged)
    def _columns_changed(self) -> None:
        self._set_text("#title", self._title())
        if self._chosen is None:
            # The first rows are there: go on where an earlier visit was left.
            self._table.choose(self._browsing.chosen)
            self._show_chosen()

    def _telling_settings(self, everything: tuple[Overview, ...]) -> frozenset[str]:
        """The settings that differ among all experiments, so that rows do not change while a filter is typed."""
        if self._telling[0] is not everything:
            self._telling = everything, telling_settings(everything)
        return self._telling[1]

    def _title(self) -> str:
        table = self._table
        return list_title(
            self._overviews or (),
            self._many,
            len(table.listing.overviews),
            self._browsing,
            table.shown_columns,
            compare=key_of(self, "experiments.compare"),
        )

    def _empty(self) -> str:
        """The text in place of an empty table."""
        new, back = key_of(self, "experiments.new"), key_of(self, "experiments.back")
        return why_empty(self._home, self._overviews, self._problem, new=new, back=back)

    @on(DataTable.RowHighlighted)
    def _show_chosen(self) -> None:
        chosen = self._table.chosen
        if chosen is not None:
            self._browsing.chosen = chosen.id
        self._set_text("#detail", detail(chosen) if chosen else "")
        self._preview.now = _this_minute()
        self._preview.overview = chosen
        before, self._chosen = self._chosen, chosen
        if _keys_for(before) != _keys_for(chosen):
            self.refresh_bindings()

    def _set_text(self, selector: str, text: str) -> None:
        """Put a text on the screen, unless it is there already: each update costs a layout."""
        if self._shown.get(selector) != text:
            self._shown[selector] = text
            self.query_one(selector, Static).update(text)

    # Moving about

    def action_filter(self) -> None:
        """Show the filter and let the person type."""
        self.add_class("-filter")
        self.query_one("#filter", Input).focus()

    def action_back(self) -> None:
        """Go one step back: to both panes, to the list, to all experiments, out of the screen."""
        if self.has_class("-alone"):
            self.remove_class("-alone")
        elif self.has_class("-narrow", "-preview"):
            self.action_pane("list")
        elif self.has_class("-filter"):
            # At once: no further letter is waited for, and all is drawn only once.
            with self.prevent(Input.Changed):
                self.query_one("#filter", Input).value = ""
            self._stop_waiting()
            self._browsing.words = ""
            self.remove_class("-filter")
            self._show()
            self._table.focus()
        else:
            self.dismiss()

    def action_to_table(self) -> None:
        """Move the focus to the table, after applying letters of the filter that still waited."""
        if self._typing is not None:
            self._stop_waiting()
            self._show()
        self._table.focus()

    def action_pane(self, name: str) -> None:
        """Bring the list or the preview to the front."""
        self.set_class(name == "preview", "-preview")
        pane = self._preview if name == "preview" else self._table
        # What is hidden takes no focus.
        self.call_after_refresh(pane.focus)

    def action_alone(self) -> None:
        """Show only the pane that has the focus, or both again."""
        self.set_class(self.focused is self._preview, "-preview")
        self.toggle_class("-alone")

    def action_sort(self, step: int) -> None:
        """Sort by the next order: see `Order.turned`."""
        self._sort(self._browsing.order.turned(step))

    def action_sort_by(self) -> None:
        """Let the person choose the column to sort by."""

        def chosen(order: Order | None) -> None:
            if order is not None:
                self._sort(order)

        self.app.push_screen(screens.ChooseOrder(self._browsing.order), chosen)

    @on(DataTable.HeaderSelected)
    def _header_selected(self, event: DataTable.HeaderSelected) -> None:
        self._sort(self._browsing.order.by(str(event.column_key.value)))

    def _sort(self, order: Order) -> None:
        self._browsing.order = order
        self._show()

    def action_mark(self) -> None:
        """Mark the chosen experiment or remove its mark, and go on to the next."""
        if (experiment := self._readable()) is not None:
            self._browsing.marked ^= {experiment.id}
            self._table.action_cursor_down()
            self._show()
            self.refresh_bindings()

    def action_unmark(self) -> None:
        """Take all marks away."""
        self._browsing.marked = frozenset()
        self._show()
        self.refresh_bindings()

    # For the app to do

    def action_new(self) -> None:
        """Ask the app for the set-up form."""
        self.post_message(NewExperiment())

    @on(DataTable.RowSelected)
    def action_open(self) -> None:
        """Ask the app to open the chosen experiment."""
        if (experiment := self._readable()) is not None:
            self.post_message(OpenExperiment(experiment))

    def action_clone(self) -> None:
        """Ask the app for the set-up form with the settings of the chosen experiment."""
        if (experiment := self._readable()) is None:
            return
        if self._browsing.marked - {experiment.id}:
            self.explain(f"a clone begins from one experiment: {experiment.id}, under the cursor")
        self.post_message(CloneExperiment(experiment.spec))

    def action_queue(self, steps: int) -> None:
        """Move the experiment under the cursor in the queue."""
        if (chosen := self._table.chosen) is not None:
            self.carry_out(partial(move_in_queue, self._home, chosen.id, steps))

    # What the keys are about

    @property
    def _table(self) -> ExperimentsTable:
        return self.query_one(ExperimentsTable)

    @property
    def _preview(self) -> PreviewPane:
        return self.query_one(PreviewPane)

    def _marked(self) -> list[Overview]:
        """The marked experiments in the order of the table, with those that the filter hides."""
        browsing = self._browsing
        marked = [one for one in self._overviews or () if one.id in browsing.marked]
        return list(ordered(marked, browsing.order, browsing.marked))

    def targets(self) -> list[Overview]:
        """What a key is about: the marked experiments, or the one under the cursor where none is marked."""
        chosen = self._table.chosen
        return self._marked() or ([chosen] if chosen is not None else [])

    def listed(self) -> set[str]:
        """The ids that the filter leaves."""
        return {one.id for one in self._table.listing.overviews}

    def _readable(self) -> Experiment | None:
        """The chosen experiment; None, with a notice, where its spec cannot be read."""
        chosen = self._table.chosen
        if chosen is not None and (why := forbidden(chosen, change=False)):
            self.explain(why, failed=True)
        return chosen.experiment if chosen is not None else None


def _keys_for(chosen: Overview | None) -> tuple[bool, bool]:
    """What the offered keys depend on: whether an experiment is chosen, and whether it waits for its turn."""
    return chosen is not None, chosen is not None and chosen.queued > 0


def _this_minute() -> float:
    """The last full minute, in seconds since 1970: within one minute rows look, and so stay, the same."""
    return clock() // 60 * 60
