"""The actions of a screen whose keys are about one experiment or several marked ones; each asks first, then acts.

What concerns other screens it asks the app for: see `lab.messages`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from core.declarations.printable import printable
from core.errors import AefitError
from core.records.overview import Overview
from core.records.status import ExperimentStatus
from core.report.formatting import counted
from tui_aefit.lab import screens
from tui_aefit.lab.action_targets import MOST_COMPARED, ActionTargets, Refusal, targets_of
from tui_aefit.lab.actions import delete, label, note, read_tags, stop, tag, with_each
from tui_aefit.lab.background import carry_out, confirm_and_carry_out, describe_error
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.messages import (
    CopyCommands,
    ExportExperiment,
    ExtendExperiment,
    ExtendSeveral,
    OpenScreen,
    ResumeExperiment,
    ResumeSeveral,
)
from tui_aefit.lab.polling import PollingScreen
from tui_aefit.lab.queueing import start_now
from tui_aefit.lab.screens.confirm import Ask, Confirm


class MarkedActions(PollingScreen):
    """What can be done with experiments, one or several at once; the keys are the screen's own."""

    # What the screen defines or overrides

    def targets(self) -> Sequence[Overview]:
        """The overviews of the experiments that a key is about."""
        raise NotImplementedError

    def listed(self) -> Collection[str]:
        """The ids that can be seen in the list."""
        raise NotImplementedError

    def look_anew(self) -> None:
        """Look now, even while a look goes on, which may have missed a change; two at a time are allowed."""
        self.look()

    def explain(self, text: str, *, failed: bool = False) -> None:
        """Notify the person of something. failed: as an error."""
        self.notify(text, severity="error" if failed else "information", markup=False)

    def _about(self, refuse: Refusal = lambda one: "", *, change: bool = True) -> ActionTargets | None:
        """The experiments that a key is about; None, with a notice, where the action is possible with none."""
        about = targets_of(self.targets(), self.listed(), refuse, change=change)
        if not about.able and about.left_out:
            self.explain(about.refusal, failed=about.failed)
        return about if about.able else None

    # For the app to do

    def action_resume(self) -> None:
        """Ask the app to compute what the experiments lack; for several, after the person's yes."""

        def refuse(one: Overview) -> str:
            match one.status:
                case ExperimentStatus.RUNNING:
                    return f"{one.id} is running already"
                case ExperimentStatus.COMPLETE:
                    return f"{one.id} is complete: no run is missing"
            return ""

        if (about := self._about(refuse)) is None:
            return
        if not about.several:
            self.post_message(ResumeExperiment(about.able[0]))
            return
        lacking = sum(one.spec.runs for one in about.able) - sum(one.done for one in about.those)
        more = f"{counted(lacking, 'run')} in all; they are computed at the same time."

        def answered(yes: bool | None) -> None:
            if yes:
                self.post_message(ResumeSeveral(about.able))

        self.app.push_screen(Confirm(about.question("Resume"), about.named(more), "Resume"), answered)

    def action_extend(self) -> None:
        """Ask the app for more runs of the experiments."""
        if (about := self._about()) is None:
            return
        if not about.several:
            self.post_message(ExtendExperiment(about.able[0]))
            return
        runs = sorted({experiment.spec.runs for experiment in about.able})
        have = f"have {runs[0]}" if len(runs) == 1 else f"have {runs[0]} to {runs[-1]}"
        ask = Ask(
            f"How many runs in all? {counted(len(about.able), 'experiment')} {have}",
            str(2 * runs[-1]),
            enter="has them computed, all at the same time",
            detail=about.named(""),
        )

        def answered(word: str | None) -> None:
            if word is not None:
                self.post_message(ExtendSeveral(about.able, word))

        self.app.push_screen(ask, answered)

    def action_export(self, choice: str = "") -> None:
        """Ask the app to write files of the experiments. choice: which; "" to ask the person."""
        if (about := self._about(change=False)) is not None:
            (first, *_), (experiment, *others) = about.those, about.able
            self.post_message(ExportExperiment(experiment, first.status, first.done, choice, others))

    def action_compare(self) -> None:
        """Ask the app to compare the marked experiments, in the order of the table."""
        marked = [one.experiment for one in self.targets() if one.experiment is not None]
        if len(marked) < 2:
            mark = key_of(self, "experiments.mark")
            self.explain(f"mark two or more experiments with {mark}, then compare them")
        elif len(marked) > MOST_COMPARED:
            self.explain(
                f"{len(marked)} are marked: no more than {MOST_COMPARED} can be told apart in one chart"
            )
        else:
            self.post_message(OpenScreen(screens.CompareScreen(marked)))

    # Done here

    def action_copy(self) -> None:
        """Copy the ids."""
        ids = " ".join(one.id for one in self.targets())
        self.app.copy_to_clipboard(ids)
        self.explain(f"copied {printable(ids)}")

    def action_copy_command(self) -> None:
        """Ask the app to copy the commands that compute the experiments."""
        if (about := self._about(change=False)) is not None:
            self.post_message(CopyCommands([experiment.spec for experiment in about.able]))

    def action_stop(self) -> None:
        """Ask whether to stop the experiments, then stop them."""
        running = ExperimentStatus.RUNNING
        about = self._about(lambda one: "" if one.status is running else f"{one.id} is not running")
        if about is None:
            return
        done, runs = sum(one.done for one in about.those), sum(one.spec.runs for one in about.able)
        kept = f"{done} of {runs} runs are complete and kept; those at work are begun anew. Resume goes on with it."
        question = Confirm(about.question("Stop"), about.named(kept), "Stop")
        act = partial(with_each, about.able, stop, "{} were asked to stop")
        confirm_and_carry_out(self.app, question, act, self.look_after)

    def action_now(self) -> None:
        """Let those of the experiments that wait for their turn be computed at once."""
        if (about := self._about(lambda one: "" if one.queued else f"{one.id} does not wait")) is not None:
            self.carry_out(
                partial(
                    with_each,
                    about.able,
                    lambda one: start_now(one.folder.parents[1], one.id),
                    "{} wait for nobody any more",
                )
            )

    def action_delete(self) -> None:
        """Ask whether to delete the experiments, then delete them."""
        running = ExperimentStatus.RUNNING
        key = key_of(self, "experiments.stop")
        about = self._about(
            lambda one: f"{one.id} is running: stop it first ({key})" if one.status is running else ""
        )
        if about is None:
            return
        whose = "Their" if len(about.able) > 1 else "Its"
        runs = counted(sum(one.done for one in about.those), "complete run")
        lost = f"{whose} results ({runs}), exports and notes are removed for good."
        question = Confirm(about.question("Delete"), about.named(lost), "Delete")
        act = partial(with_each, about.able, delete, "deleted {}")
        confirm_and_carry_out(self.app, question, act, self.look_after)

    def action_label(self) -> None:
        """Ask for the label of the experiments, then write it."""
        if (about := self._about()) is None:
            return
        (first, *others) = about.those

        def answered(text: str | None) -> None:
            if text is not None:
                done = "{} are labelled alike" if text.strip() else "{} have no label"
                self.carry_out(partial(with_each, about.able, lambda one: label(one, text), done))

        value = "" if others else first.annotations.label
        detail = about.named("All get the same.") if others or about.left_out else ""
        self.app.push_screen(Ask(f"Label of {about.whose}", value, detail=detail), answered)

    def action_tag(self) -> None:
        """Ask which tags to add or remove, then change them."""
        if (about := self._about()) is None:
            return
        there = list(dict.fromkeys(tag for one in about.those for tag in one.annotations.tags))
        has = f"Tags: {' '.join(f'#{printable(tag)}' for tag in there)}." if there else "No tags yet."

        def answered(text: str | None) -> None:
            if not (text or "").strip():
                return
            try:
                add, remove = read_tags(text or "")
            except AefitError as error:
                self.explain(describe_error(error), failed=True)
                return
            self.carry_out(partial(with_each, about.able, lambda one: tag(one, add, remove), "tagged {}"))

        detail = about.named(f"{has} NAME adds one, -NAME takes it away.")
        self.app.push_screen(Ask(f"Tags of {about.whose}", "", enter="does it", detail=detail), answered)

    def action_note(self) -> None:
        """Ask for the note on the experiments, then write it."""
        if (about := self._about()) is None:
            return
        (_, *others) = about.those
        notes = {one.annotations.notes for one in about.those}
        lost = "All get the same." if len(notes) == 1 else "All get the same, in place of what is noted now."

        def answered(text: str | None) -> None:
            if text is not None:
                done = "noted of {}" if text.strip() else "{} have no note"
                self.carry_out(partial(with_each, about.able, lambda one: note(one, text), done))

        value = notes.pop() if len(notes) == 1 else ""
        detail = about.named(lost) if others or about.left_out else ""
        self.app.push_screen(screens.Note(f"Note on {about.whose}", value, detail), answered)

    def carry_out(self, act: Callable[[], str]) -> None:
        """Run an action in a thread, notify of its outcome, and look at the home again."""
        carry_out(self.app, act, self.look_after)
