"""The experiments screen: all experiments of a home with their results, and what can be done with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable, Input, Static

from core.errors import AefitError, ExperimentError
from core.records.experiment import Experiment
from core.records.overview import Overview
from core.records.status import ExperimentStatus
from core.report.formatting import counted
from tui_aefit.following.filtering import Selection, select
from tui_aefit.following.listing import COLUMNS, detail, telling_settings
from tui_aefit.following.ordering import NEWEST_FIRST, Order, ordered
from tui_aefit.following.preview import Preview, read_preview
from tui_aefit.following.printable import printable
from tui_aefit.lab import screens
from tui_aefit.lab.actions import delete, label, note, read_tags, stop, tag, with_each
from tui_aefit.lab.background import carry_out, confirm_and_carry_out, describe_error
from tui_aefit.lab.browsing import Browsing
from tui_aefit.lab.messages import (
    CloneExperiment,
    ExportExperiment,
    ExtendExperiment,
    ExtendSeveral,
    NewExperiment,
    OpenExperiment,
    OpenScreen,
    ResumeExperiment,
    ResumeSeveral,
)
from tui_aefit.lab.queueing import move_in_queue
from tui_aefit.lab.screens.confirm import Ask, Confirm
from tui_aefit.lab.widgets.experiments_table import ExperimentsTable, Listing
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.lab.widgets.preview import PreviewPane

LOOK_SECONDS = 2.0
"""How often the home is looked at."""
MOST_COMPARED = 12
"""How many experiments can be told apart in one chart."""
MOST_NAMED = 6
"""How many experiments a question names."""
ABOUT_ONE = (
    "clone", "resume", "extend", "mark", "stop", "delete", "label", "tag", "note", "export", "copy",
)  # fmt: skip
"""The actions that need an experiment under the cursor."""

QUEUE = Binding.Group("Queue", compact=True)
"""The keys that change the place in the queue, together in the footer."""

clock = time.time
"""What ages are told by."""

Refusal = Callable[[Overview], str]
"""Why something cannot be done with an experiment, "" where it can."""


class Filter(Input):
    """Where the words of the filter are typed; while it has the focus, the footer says how to leave it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "screen.to_table", "To the table", id="experiments.table",
                tooltip="Go on among those that the filter leaves"),
        Binding("escape", "screen.back", "Show all", id="experiments.unfilter", tooltip="Take the filter away"),
    ]  # fmt: skip


class ExperimentsScreen(Screen[None]):
    """All experiments of `home`. What concerns other screens it asks the app for: see `lab.messages`.

    browsing: what is known of an earlier visit.
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
        Binding("x", "export", "Export", id="experiments.export",
                tooltip="Write files into its folder: results, tables, figures or the report"),
        Binding("p", "export('report')", "Report", id="experiments.report", show=False,
                tooltip="Write an HTML report with figures into its folder"),
        Binding("left_square_bracket", "queue(-1)", "Earlier", id="experiments.earlier", group=QUEUE,
                tooltip="Have the one under the cursor wait one place less in the queue"),
        Binding("right_square_bracket", "queue(1)", "Later", id="experiments.later", group=QUEUE,
                tooltip="Have the one under the cursor wait one place more in the queue"),
        Binding("slash", "filter", "Filter", id="experiments.filter", show=False,
                tooltip="Show only some: words, attack:fgsm, state:failed, tag:x, z:9; * for anything, ! for not"),
        Binding("less_than_sign", "sort(-1)", "Sort back", id="experiments.sort-back", show=False,
                tooltip="Sort the other way, or by the column before"),
        Binding("greater_than_sign", "sort(1)", "Sort", id="experiments.sort", show=False,
                tooltip="Sort the other way, or by the next column"),
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
        """The home was looked at. problem: why it could not be listed, "" if it could. many: how many there are, of
        which these are those that were read so far.
        """

        def __init__(self, overviews: tuple[Overview, ...], problem: str, many: int) -> None:
            super().__init__()
            self.overviews = overviews
            self.problem = problem
            self.many = many

    class Previewed(Message, namespace="experiments"):
        """The experiment under the cursor was read."""

        def __init__(self, preview: Preview) -> None:
            super().__init__()
            self.preview = preview

    class Done(Message, namespace="experiments"):
        """What the person asked for was done, or could not be: the home may look another way now."""

    def __init__(self, home: Path, browsing: Browsing | None = None) -> None:
        super().__init__()
        self._home = home
        self._browsing = browsing or Browsing.of(home)
        self._overviews = self._browsing.overviews
        self._many: int | None = None
        self._problem = ""
        self._shown: dict[str, str] = {}
        self._some_chosen = False
        self._queued = 0
        self._telling: tuple[tuple[Overview, ...], frozenset[str]] = ((), frozenset())

    def compose(self) -> ComposeResult:
        """The filter, the table or why it is empty, what there is to say of the chosen experiment."""
        yield Static("Experiments", id="title", markup=False)
        yield Filter(
            self._browsing.words,
            placeholder="words, attack:fgsm, state:failed, tag:x, z:9, *",
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
        """Keys for the chosen experiment are there when one is chosen, or some are marked."""
        chosen = self._table.chosen if self._some_chosen else None
        waits = chosen is not None and chosen.queued > 0
        if action == "queue":
            return waits
        if action == "resume" and waits and not self._browsing.marked:
            return False  # it goes on by itself when its turn comes
        if action in ABOUT_ONE:
            return self._some_chosen or bool(self._browsing.marked and action not in ("mark", "clone"))
        if action == "unmark":
            return bool(self._browsing.marked)
        return not self.has_class("-narrow") if action == "alone" else True

    # Looking

    def on_mount(self) -> None:
        """Look again and again from now on."""
        self._timer = self.set_interval(LOOK_SECONDS, self._look_if_idle)
        self.set_class(bool(self._browsing.words), "-filter")
        self._show()

    def on_screen_resume(self, _: events.ScreenResume) -> None:
        """Catch up."""
        self._timer.resume()
        self.look()

    def on_screen_suspend(self, _: events.ScreenSuspend) -> None:
        """Do not look at what nobody sees."""
        self._timer.pause()

    def on_resize(self) -> None:
        """There may be room for the preview now."""
        self.call_after_refresh(self._read_preview)
        self.call_after_refresh(self.refresh_bindings)

    def _look_if_idle(self) -> None:
        # A slow file server must not make looks queue up.
        if not any(worker.group == "look" and not worker.is_finished for worker in self.workers):
            self.look()

    @work(thread=True, group="look")
    def look(self) -> None:
        """Look at the home now, beside the screen; the first time, show what is read as it comes."""

        def tell(overviews: tuple[Overview, ...], many: int) -> None:
            self.post_message(self.Looked(overviews, "", many))

        try:
            self._browsing.look_at_studies()
            found = self._browsing.reader.look(tell if self._browsing.overviews is None else None)
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
        self._show()

    def _show(self) -> None:
        """Bring the picture up to date with what was last seen, with the filter, the order and the marks."""
        everything, browsing = self._overviews or (), self._browsing
        selection = select(everything, browsing.words, browsing.members)
        self._table.listing = Listing(
            overviews=ordered(selection.overviews, browsing.order, browsing.marked),
            marked=browsing.marked,
            order=browsing.order,
            telling=self._telling_settings(everything),
            now=clock() // 60 * 60,
        )
        self._set_text("#title", self._title(everything))
        self._set_text("#said", "; ".join(map(printable, selection.problems)))
        self.query_one("#said").display = bool(selection.problems)
        self._set_text("#empty", self._empty(selection))
        self.set_class(not selection.overviews, "-empty")
        if selection.overviews and self.focused is None:
            self._table.focus()
        self._show_chosen()

    @on(ExperimentsTable.ColumnsChanged)
    def _columns_changed(self) -> None:
        self._set_text("#title", self._title(self._overviews or ()))
        if not self._some_chosen:
            # The first rows are there: go on where an earlier visit was left.
            self._table.choose(self._browsing.chosen)
            self._show_chosen()

    def _telling_settings(self, everything: tuple[Overview, ...]) -> frozenset[str]:
        """Of all experiments, not those that the filter leaves: what a row says does not change as one types."""
        if self._telling[0] is not everything:
            self._telling = everything, telling_settings(everything)
        return self._telling[1]

    def _title(self, everything: tuple[Overview, ...]) -> str:
        if not everything:
            return "Experiments"
        browsing, running = self._browsing, sum(one.status is ExperimentStatus.RUNNING for one in everything)
        counts = [f"{len(everything):,}", f"{running} running" if running else ""]
        if self._many is not None and self._many > len(everything):
            counts[0] = f"{len(everything):,} of {self._many:,} read"
        if browsing.marked:
            compares = " (= compares them)" if 1 < len(browsing.marked) <= MOST_COMPARED else ""
            counts.append(f"{len(browsing.marked)} marked{compares}")
        counts.append(f"{len(self._table.listing.overviews):,} shown" if browsing.words.strip() else "")
        if browsing.order != NEWEST_FIRST and browsing.order.column not in self._table.shown_columns:
            counts.append(f"by {COLUMNS[browsing.order.column].about}{browsing.order.arrow}")
        return f"Experiments: {', '.join(filter(None, counts))}"

    def _empty(self, selection: Selection) -> str:
        if self._overviews is None:
            return "Looking ..."
        if self._problem:
            return self._problem
        if not self._overviews:
            return f"No experiments yet under {printable(str(self._home))}\n\nn  sets up a new one"
        return "No experiment matches the filter\n\nescape  shows all again"

    @on(DataTable.RowHighlighted)
    def _show_chosen(self) -> None:
        chosen = self._table.chosen
        if chosen is not None:
            self._browsing.chosen = chosen.id
        self._set_text("#detail", detail(chosen) if chosen else "")
        self._read_preview()
        if self._some_chosen != (chosen is not None) or self._queued != (chosen.queued if chosen else 0):
            self._queued = chosen.queued if chosen else 0
            self._some_chosen = chosen is not None
            self.refresh_bindings()

    def _read_preview(self) -> None:
        """Have the experiment under the cursor read, where it is seen and has changed."""
        pane, chosen = self._preview, self._table.chosen
        pane.now = clock() // 60 * 60
        if chosen is None:
            pane.preview = None
        elif pane.display and (pane.preview is None or pane.preview.overview is not chosen):
            self._read(chosen)

    @work(thread=True, group="preview", exclusive=True)
    def _read(self, overview: Overview) -> None:
        self.post_message(self.Previewed(read_preview(overview)))

    @on(Previewed)
    def _previewed(self, message: Previewed) -> None:
        # The cursor may have gone on.
        if message.preview.overview is self._table.chosen:
            self._preview.preview = message.preview

    def _set_text(self, selector: str, text: str) -> None:
        """Put a text on the screen. The same text again would cost a layout at every look."""
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
            self.call_after_refresh(self._read_preview)
        elif self.has_class("-narrow", "-preview"):
            self.action_pane("list")
        elif self.has_class("-filter"):
            self.query_one("#filter", Input).value = ""
            self.remove_class("-filter")
            self._table.focus()
        else:
            self.dismiss()

    def action_look_again(self) -> None:
        """Look now."""
        self.look()

    def action_to_table(self) -> None:
        """Go on among what the filter left."""
        self._table.focus()

    def action_pane(self, name: str) -> None:
        """Bring the list or the preview to the front."""
        self.set_class(name == "preview", "-preview")
        pane = self._preview if name == "preview" else self._table
        # What is hidden takes no focus.
        self.call_after_refresh(pane.focus)
        self.call_after_refresh(self._read_preview)

    def action_alone(self) -> None:
        """Show one pane alone, the one that has the focus, or both."""
        self.set_class(self.focused is self._preview, "-preview")
        self.toggle_class("-alone")
        self.call_after_refresh(self._read_preview)

    def action_sort(self, step: int) -> None:
        """Sort by the next column, or the same one the other way."""
        self._sort(self._browsing.order.turned(step))

    @on(DataTable.HeaderSelected)
    def _header_selected(self, event: DataTable.HeaderSelected) -> None:
        self._sort(self._browsing.order.by(str(event.column_key.value)))

    def _sort(self, order: Order) -> None:
        self._browsing.order = order
        self._show()

    def action_mark(self) -> None:
        """Mark the chosen experiment or take its mark away, and go on to the next."""
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
            self._explain(f"a clone begins from one experiment: {experiment.id}, under the cursor")
        self.post_message(CloneExperiment(experiment.spec))

    def action_resume(self) -> None:
        """Ask the app to compute what the experiments lack; where they are several, after asking."""

        def refuse(one: Overview) -> str:
            match one.status:
                case ExperimentStatus.RUNNING:
                    return f"{one.id} is running already"
                case ExperimentStatus.COMPLETE:
                    return f"{one.id} is complete: no run is missing"
            return ""

        able, left_out = self._able(refuse)
        if len(self._concerned()) > 1 and able:
            lacking = sum(one.spec.runs for one in able) - sum(one.done for one in self._of(able))
            more = f"{counted(lacking, 'run')} in all; they are computed at the same time."
            question = Confirm(self._question("Resume", able), self._named(able, more, left_out), "Resume")
            self._ask(question, lambda: self.post_message(ResumeSeveral(able)))
        elif able:
            self.post_message(ResumeExperiment(able[0]))

    def action_extend(self) -> None:
        """Ask the app for more runs of the experiments."""
        able, left_out = self._able()
        if not able:
            return
        if len(self._concerned()) == 1:
            self.post_message(ExtendExperiment(able[0]))
            return
        runs = sorted({experiment.spec.runs for experiment in able})
        have = f"have {runs[0]}" if len(runs) == 1 else f"have {runs[0]} to {runs[-1]}"
        ask = Ask(
            f"How many runs in all? {counted(len(able), 'experiment')} {have}",
            str(2 * runs[-1]),
            enter="has them computed, all at the same time",
            detail=self._named(able, "", left_out),
        )

        def answered(word: str | None) -> None:
            if word is not None:
                self.post_message(ExtendSeveral(able, word))

        self.app.push_screen(ask, answered)

    def action_compare(self) -> None:
        """Ask the app to compare the marked experiments, in the order of the table."""
        marked = [one.experiment for one in self._marked() if one.experiment is not None]
        if len(marked) < 2:
            self._explain("mark two or more experiments with space, then compare them")
        elif len(marked) > MOST_COMPARED:
            self._explain(
                f"{len(marked)} are marked: no more than {MOST_COMPARED} can be told apart in one chart"
            )
        else:
            self.post_message(OpenScreen(screens.CompareScreen(marked)))

    def action_export(self, choice: str = "") -> None:
        """Ask the app to write files of the experiments: the choice, or what the person says."""
        able, _ = self._able(change=False)
        if able:
            (first, *_) = self._of(able)
            self.post_message(ExportExperiment(able[0], first.status, first.done, choice, able[1:]))

    # Done here

    def action_queue(self, steps: int) -> None:
        """Move the experiment under the cursor in the queue."""
        if (chosen := self._table.chosen) is not None:
            carry_out(self.app, partial(move_in_queue, self._home, chosen.id, steps), self._look_after)

    def action_copy(self) -> None:
        """Copy the ids."""
        ids = " ".join(one.id for one in self._concerned())
        self.app.copy_to_clipboard(ids)
        self._explain(f"copied {printable(ids)}")

    def action_stop(self) -> None:
        """Ask whether to stop the experiments, then do."""
        running = ExperimentStatus.RUNNING
        able, left_out = self._able(lambda one: "" if one.status is running else f"{one.id} is not running")
        if not able:
            return
        done, runs = sum(one.done for one in self._of(able)), sum(one.spec.runs for one in able)
        kept = f"{done} of {runs} runs are complete and kept; those at work are begun anew. Resume goes on with it."
        question = Confirm(self._question("Stop", able), self._named(able, kept, left_out), "Stop")
        act = partial(with_each, able, stop, "{} were asked to stop")
        confirm_and_carry_out(self.app, question, act, self._look_after)

    def action_delete(self) -> None:
        """Ask whether to delete the experiments, then do."""
        running = ExperimentStatus.RUNNING
        able, left_out = self._able(
            lambda one: f"{one.id} is running: stop it first (s)" if one.status is running else ""
        )
        if not able:
            return
        whose = "Its" if len(able) == 1 else "Their"
        runs = counted(sum(one.done for one in self._of(able)), "complete run")
        lost = f"{whose} results ({runs}), exports and notes are removed for good."
        question = Confirm(self._question("Delete", able), self._named(able, lost, left_out), "Delete")
        act = partial(with_each, able, delete, "deleted {}")
        confirm_and_carry_out(self.app, question, act, self._look_after)

    def action_label(self) -> None:
        """Ask for the label of the experiments, then write it."""
        able, left_out = self._able()
        if not able:
            return
        (first, *others) = self._of(able)

        def answered(text: str | None) -> None:
            if text is not None:
                done = "{} are labelled alike" if text.strip() else "{} have no label"
                act = partial(with_each, able, lambda one: label(one, text), done)
                carry_out(self.app, act, self._look_after)

        value = "" if others else first.annotations.label
        detail = self._named(able, "All get the same.", left_out) if others or left_out else ""
        self.app.push_screen(Ask(f"Label of {self._whose(able)}", value, detail=detail), answered)

    def action_tag(self) -> None:
        """Ask which tags to add or to take away, then do."""
        able, left_out = self._able()
        if not able:
            return
        there = list(dict.fromkeys(tag for one in self._of(able) for tag in one.annotations.tags))
        has = f"Tags: {' '.join(f'#{printable(tag)}' for tag in there)}." if there else "No tags yet."

        def answered(text: str | None) -> None:
            if not (text or "").strip():
                return
            try:
                add, remove = read_tags(text or "")
            except AefitError as error:
                self._explain(describe_error(error), failed=True)
                return
            act = partial(with_each, able, lambda one: tag(one, add, remove), "tagged {}")
            carry_out(self.app, act, self._look_after)

        more = f"{has} NAME adds one, -NAME takes it away."
        detail = self._named(able, more, left_out) if len(able) > 1 or left_out else more
        ask = Ask(f"Tags of {self._whose(able)}", "", enter="does it", detail=detail)
        self.app.push_screen(ask, answered)

    def action_note(self) -> None:
        """Ask for the note on the experiments, then write it."""
        able, left_out = self._able()
        if not able:
            return
        (first, *others) = self._of(able)
        notes = {one.annotations.notes for one in self._of(able)}
        lost = (
            "All get the same; what is noted of them now is replaced."
            if len(notes) > 1
            else "All get the same."
        )

        def answered(text: str | None) -> None:
            if text is not None:
                done = "noted of {}" if text.strip() else "{} have no note"
                act = partial(with_each, able, lambda one: note(one, text), done)
                carry_out(self.app, act, self._look_after)

        value = first.annotations.notes if len(notes) == 1 else ""
        detail = self._named(able, lost, left_out) if others or left_out else ""
        self.app.push_screen(screens.Note(f"Note on {self._whose(able)}", value, detail), answered)

    def _ask(self, question: Confirm, then: Callable[[], object]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                then()

        self.app.push_screen(question, answered)

    def _look_after(self) -> None:
        """Have the home looked at after something was done to it; called in the thread that did it."""
        self.post_message(self.Done())

    @on(Done)
    def _done(self) -> None:
        self.look()

    # What the keys are about

    @property
    def _table(self) -> ExperimentsTable:
        return self.query_one(ExperimentsTable)

    @property
    def _preview(self) -> PreviewPane:
        return self.query_one(PreviewPane)

    def _marked(self) -> list[Overview]:
        """The marked experiments in the order of the table, those among them that the filter hides too."""
        browsing = self._browsing
        marked = [one for one in self._overviews or () if one.id in browsing.marked]
        return list(ordered(marked, browsing.order, browsing.marked))

    def _concerned(self) -> list[Overview]:
        """What a key is about: the marked experiments, without any the one under the cursor."""
        chosen = self._table.chosen
        return self._marked() or ([chosen] if chosen is not None else [])

    def _able(
        self, refuse: Refusal = lambda one: "", *, change: bool = True
    ) -> tuple[list[Experiment], list[str]]:
        """The experiments with which it can be done, and why it cannot with the others.

        Where there are none, the person is told why. refuse: why not, where the folder itself allows it. change:
        whether it is changed, which this version must not do with everything that it can read.
        """
        able: list[Experiment] = []
        left_out: list[str] = []
        failed = False
        for one in self._concerned():
            why = _forbidden(one, change=change)
            failed = failed or bool(why)
            if reason := why or refuse(one):
                left_out.append(reason)
            elif one.experiment is not None:
                able.append(one.experiment)
        if not able and left_out:
            first, *others = left_out
            text = f"with none of {len(left_out)}: {first}" if others else first
            self._explain(text, failed=failed)
        return able, left_out

    def _of(self, experiments: list[Experiment]) -> list[Overview]:
        ids = {experiment.id for experiment in experiments}
        return [one for one in self._concerned() if one.id in ids]

    def _whose(self, able: list[Experiment]) -> str:
        return able[0].id if len(self._concerned()) == 1 else counted(len(able), "experiment")

    def _question(self, verb: str, able: list[Experiment]) -> str:
        many = len(self._concerned())
        of = f" of {many}" if len(able) < many else ""
        return f"{verb} {able[0].id}?" if many == 1 else f"{verb} {len(able)}{of} experiments?"

    def _named(self, able: list[Experiment], more: str, left_out: list[str]) -> str:
        """What to know before a question is answered that is about several: which they are, which are left out."""
        if len(self._concerned()) == 1:
            return more
        names = [experiment.id for experiment in able[:MOST_NAMED]]
        names += [f"and {len(able) - MOST_NAMED} more"] if len(able) > MOST_NAMED else []
        listed = {one.id for one in self._table.listing.overviews}
        hidden = sum(experiment.id not in listed for experiment in able)
        lines = [*names, f"{hidden} of them the filter hides." if hidden else "", more]
        lines += [f"Not: {reason}" for reason in left_out[:MOST_NAMED]]
        return "\n".join(filter(None, lines))

    def _readable(self) -> Experiment | None:
        """The chosen experiment; None, and the person is told why, where its spec cannot be read."""
        chosen = self._table.chosen
        if chosen is not None and (why := _forbidden(chosen, change=False)):
            self._explain(why, failed=True)
        return chosen.experiment if chosen is not None else None

    def _explain(self, text: str, *, failed: bool = False) -> None:
        self.notify(text, severity="error" if failed else "information", markup=False)


def _forbidden(overview: Overview, *, change: bool) -> str:
    """Why nothing can be done with an experiment, or it must not be changed; "" where all can."""
    if overview.experiment is None:
        return f"{printable(overview.id)}: {printable(overview.reason)}"
    if change and overview.read_only:
        return f"{printable(overview.id)} can only be read: {printable(overview.reason)}"
    return ""
