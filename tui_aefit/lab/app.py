"""The application: theme, bindings, the way from screen to screen, and all that concerns more than one screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.filter import LineFilter, Monochrome
from textual.markup import escape
from textual.notifications import SeverityLevel
from textual.reactive import Reactive
from textual.screen import Screen

from core.declarations.printable import printable_lines
from core.errors import ExperimentError
from core.records.folders import locked_folders
from core.spec.command import batch_command
from tui_aefit.lab import publishing, screens
from tui_aefit.lab.arrows import arrow_bindings
from tui_aefit.lab.background import Complaints, carry_out
from tui_aefit.lab.form import words_of
from tui_aefit.lab.form_context import FormContext
from tui_aefit.lab.initial_values import initial_values
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.leaving import Leaving
from tui_aefit.lab.messages import (
    CanBeExtended,
    CloneExperiment,
    CopyCommands,
    ExperimentEnded,
    ExportExperiment,
    ExportStudy,
    ExtendExperiment,
    ExtendSeveral,
    ListExperiments,
    OpenBeside,
    OpenExperiment,
    OpenScreen,
    OpenStudy,
    ResumeExperiment,
    ResumeSeveral,
    ResumeStudy,
)
from tui_aefit.lab.polling import PollingScreen
from tui_aefit.lab.preferences import Preferences, load_preferences, save_preferences
from tui_aefit.lab.screens.setup import SetupScreen
from tui_aefit.lab.theme import MONOCHROME, THEMES
from tui_aefit.lab.unprintable import Unprintable
from tui_aefit.lab.widget_garbage import WidgetGarbage
from tui_aefit.shell.settings import Settings

if TYPE_CHECKING:
    from core.records.experiment import Experiment
    from tui_aefit.lab.browsing import Browsing
    from tui_aefit.lab.running import RunningExperiments
    from tui_aefit.lab.screens.leave import Answer

TOAST_SECONDS: Mapping[SeverityLevel, float] = {"information": 4, "warning": 8, "error": 15}
"""How many seconds a notice stays by default: an error takes longer to read, and says what to do."""
WATCH_SECONDS = 1.0
"""How often the lab looks which experiments have ended."""


class Lab(App[None]):
    """The interactive program over one home. Experiments are computed by coordinators that outlive it.

    settings: of the shell, the environment and files; the form begins with them.
    first: the experiment to open with; by default the newest that is being computed, else the form.
    keymap: binding id -> the keys that it has instead of its own, as `tui_aefit.lab.keys.keymap` gives them.
    study, paired: the typed name of a study ("" for none), and whether its lists are to be paired.
    """

    TITLE = "aefit-tui"
    # The form's sheet is read with the app's: read with the form, all sheets would be parsed once more.
    CSS_PATH = ["app.tcss", "screens/setup.tcss"]  # noqa: RUF012  # declared so by App
    BINDINGS = [  # noqa: RUF012  # declared so by App
        Binding("e", "experiments", "Experiments", id="app.experiments", tooltip="All experiments"),
        Binding(
            "E",
            "studies",
            "Studies",
            id="app.studies",
            show=False,
            tooltip="All studies: many experiments as one",
        ),
        Binding(
            "question_mark",
            "help",
            "Help",
            id="app.help",
            tooltip="Keys, and what the sets are",
            key_display="?",
        ),
        Binding(
            "q", "leave", "Quit", id="app.quit", tooltip="Leave the lab; asks what becomes of running work"
        ),
        Binding(
            "ctrl+q",
            "leave",
            "Quit",
            id="app.quit-anywhere",
            tooltip="Leave the lab; asks what becomes of running work",
            show=False,
            priority=True,
        ),
        Binding(
            "colon",
            "palette",
            "Palette",
            id="app.palette",
            tooltip="Every command by its name, and the themes",
            show=False,
        ),
        *arrow_bindings("app"),
    ]

    # Not set when the lab is made: all style sheets would be read once more before the first picture.
    theme: Reactive[str] = Reactive(THEMES[0].name)

    def __init__(
        self,
        settings: Settings,
        first: Experiment | None = None,
        *,
        keymap: Mapping[str, str] | None = None,
        study: str = "",
        paired: bool = False,
    ) -> None:
        super().__init__()
        self._study, self._paired = study or settings.study_name, paired or settings.paired
        self._changed_keys = dict(keymap or {})
        self._settings = settings
        self._first = first
        self._home = settings.home
        for theme in THEMES:
            self.register_theme(theme)
        self._preferences = load_preferences(settings.home)
        self._complain_once = Complaints(self)
        self._form_context = FormContext(settings, self._complain_once)
        self._publishing = publishing.Publishing(self)
        self._unprintable = Unprintable()
        self._widget_garbage = WidgetGarbage(self)
        self._leaving = Leaving(self)
        # Textual has made them before our themes were known to it.
        self.stylesheet.set_variables(self.get_css_variables())
        if self._preferences.theme in self.available_themes:
            self.theme = self._preferences.theme

    @cached_property
    def _browsing(self) -> Browsing:
        """What the lists of experiments and studies have read. Imported on demand: the form does not need it."""
        from tui_aefit.lab.browsing import Browsing  # noqa: PLC0415  # a seventh of the time to the first picture

        return Browsing.of(self._home)

    @cached_property
    def _running_experiments(self) -> RunningExperiments:
        """Has experiments computed. Imported on demand, since it imports all that reads records."""
        from tui_aefit.lab.running import RunningExperiments  # noqa: PLC0415  # as above

        return RunningExperiments(self, self._settings, self._complain_once)

    async def on_event(self, event: events.Event) -> None:
        """Put garbage collection off while somebody types."""
        if isinstance(event, events.InputEvent):
            self._widget_garbage.put_off()
        await super().on_event(event)

    # Opening

    def on_load(self) -> None:
        """Replace our keys by the person's own, before any is shown."""
        self.set_keymap(self._changed_keys)

    @property
    def changed_keys(self) -> Mapping[str, str]:
        """Binding id -> the keys that a person gave it."""
        return self._changed_keys

    def get_default_screen(self) -> SetupScreen:
        """The form; also finds the experiment to open in front of it: that asked for, else the newest at work."""
        running = self._at_work()
        for experiment in running:
            self._running_experiments.watch(experiment)
        self._first = self._first or next(iter(running), None)
        words, warnings = initial_values(self._settings, self._study, paired=self._paired)
        for warning in warnings:
            self.notify(warning, severity="warning", markup=False)
        return SetupScreen(
            words,
            offered=self._preferences.words,
            form_context=self._form_context,
            behind=self._first is not None,
        )

    def on_mount(self) -> None:
        """Open the first experiment in front of the form, before anything is painted."""
        if self._first is not None:
            self._open(self._first)

    def on_ready(self) -> None:
        """From now on watch for experiments that end, and collect garbage after changes of the screen."""
        self.screen_change_signal.subscribe(self, self._widget_garbage.changed)
        self.set_interval(WATCH_SECONDS, lambda: self._running_experiments.look_around())

    def _at_work(self) -> list[Experiment]:
        """The experiments that are being computed, the newest first; none where they cannot be listed."""
        try:
            if not locked_folders(self._home):
                return []  # in most homes nothing runs, which this tells without importing what reads records
        except ExperimentError as error:
            self._complain_once(error)
            return []
        return self._running_experiments.at_work()

    def watch_theme(self, theme: str) -> None:
        """Keep a chosen theme for the next visit."""
        if self.is_running and theme != self._preferences.theme:
            self._save(replace(self._preferences, theme=theme))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The filters of every line that is drawn; without colour, a last one makes all colours grey."""
        filters = [self._unprintable, *super().get_line_filters()]
        return [*filters, Monochrome()] if self.theme == MONOCHROME.name else filters

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette's commands: everything that a key does on this screen, and the lab's own commands."""
        actions = {
            active.binding.action.removeprefix("app."): active for active in screen.active_bindings.values()
        }
        for active in actions.values():
            if active.binding.id is not None and active.binding.description:
                run = partial(self.run_action, active.binding.action, active.node)
                yield SystemCommand(active.binding.description, active.binding.tooltip, run)
        bell = "off" if self._preferences.bell else "on"
        yield SystemCommand(
            f"Turn the bell {bell}", "Ring the terminal when an experiment ends", self.action_bell_switch
        )
        # Ours are "Quit" and, for the keys, "Help"; a screen with panes has a full screen of its own.
        left_out = {"Quit", "Keys", "Maximize"}
        yield from (found for found in super().get_system_commands(screen) if found.title not in left_out)

    # Keys that work on every screen

    def action_experiments(self) -> None:
        """Show all experiments."""
        self._back_to_form()
        self.push_screen(screens.ExperimentsScreen(self._home, self._browsing))

    def action_studies(self) -> None:
        """Show all studies."""
        self._back_to_form()
        self.push_screen(screens.StudiesScreen(self._home, self._browsing))

    def action_set_up(self) -> None:
        """Show the form, as it was left."""
        self._back_to_form()

    def action_help(self) -> None:
        """Show the help for the screen that is in front."""
        if not isinstance(self.screen, screens.HelpScreen):
            self.push_screen(screens.HelpScreen(self.screen))

    def action_palette(self) -> None:
        """Open Textual's palette, by an action of our own: a second key for Textual's would replace its first."""
        self.action_command_palette()

    def action_arrow(self, key: str) -> None:
        """Do what `key` does."""
        self.simulate_key(key)

    def action_bell_switch(self) -> None:
        """Turn the bell on or off, also for later visits."""
        self._save(replace(self._preferences, bell=not self._preferences.bell))
        self.notify(f"the bell is {'on' if self._preferences.bell else 'off'}")

    def deliver_screenshot(
        self, filename: str | None = None, path: str | None = None, time_format: str | None = None
    ) -> str | None:
        """Write a picture of the screen into the exports of the experiment that is shown, else of the home.

        Replaces Textual's own way, which needs a folder for downloads and a browser. filename: by default one with
        the time. path: another folder. A notice names the file; returns None.
        """
        looked_at = (
            screen.experiment for screen in self.screen_stack if isinstance(screen, screens.LiveScreen)
        )
        experiment = next(looked_at, None)
        folder = Path(path) if path else (experiment.folder if experiment else self._home) / "exports"
        name = filename or f"lab-{datetime.now():{time_format or '%Y%m%d-%H%M%S'}}.svg"
        from tui_aefit.lab.copying import write_picture  # noqa: PLC0415  # with what writes files

        carry_out(self, partial(write_picture, self.export_screenshot(), folder, name))
        return None

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a notice, its title before the message: on a line of its own it would cover twice as much."""
        if title:
            message = f"{escape(title) if markup else title}: {message}"
        super().notify(
            printable_lines(message),
            severity=severity,
            timeout=timeout or TOAST_SECONDS[severity],
            markup=markup,
        )

    def action_help_quit(self) -> None:
        """Tell which keys leave the lab: Textual calls this where ctrl+c has nothing to copy."""
        quit_key, anywhere = key_of(self, "app.quit"), key_of(self, "app.quit-anywhere")
        self.notify(f"press {quit_key}, or {anywhere} while typing", title="To leave the lab")

    async def action_quit(self) -> None:
        """Leave as `action_leave` does: Textual's own way out leads here."""
        self.action_leave()

    def action_leave(self) -> None:
        """Quit, after asking about work that is going on."""
        if isinstance(self.screen, screens.Leave):
            return
        running = [experiment.id for experiment in self._at_work()]
        if running:
            self.push_screen(screens.Leave(running), self._answered)
        else:
            self._leaving.begin()

    def _answered(self, answer: Answer | None) -> None:
        if answer == "stop":
            from tui_aefit.lab.actions import stop  # noqa: PLC0415  # with what changes records

            for experiment in self._at_work():
                carry_out(self, partial(stop, experiment))
        if answer in ("leave", "stop"):
            self._leaving.begin()
        else:
            self._leaving.take_back()

    # What screens ask for

    @on(SetupScreen.Start)
    def _start(self, message: SetupScreen.Start) -> None:
        checked = message.checked
        # A relative path would mean something else in another folder.
        dataset = ",".join(dict.fromkeys(spec.dataset for spec in checked.specs))
        self._save(replace(self._preferences, words={**message.words, "dataset": dataset}))
        self._running_experiments.begin(checked)

    @on(SetupScreen.CopyCommand)
    def _copy(self, message: SetupScreen.CopyCommand) -> None:
        self._copy_commands([message.line])

    def on_copy_commands(self, message: CopyCommands) -> None:
        """Copy the commands that compute experiments."""
        self._copy_commands([batch_command(spec) for spec in message.specs])

    def _copy_commands(self, lines: Sequence[str]) -> None:
        from tui_aefit.lab.copying import copy_commands  # noqa: PLC0415  # with what writes files

        copy_commands(self, self._home, lines)

    def on_open_screen(self, message: OpenScreen) -> None:
        """Show a screen."""
        self.push_screen(message.screen)

    def on_new_experiment(self) -> None:
        """Show the form."""
        self.action_set_up()

    def on_open_experiment(self, message: OpenExperiment) -> None:
        """Show an experiment live."""
        self._open(message.experiment)

    def on_open_beside(self, message: OpenBeside) -> None:
        """Show the experiment that is so many places after another one in the list."""
        from tui_aefit.lab.adjacent import open_beside  # noqa: PLC0415  # with what reads records

        open_beside(self, self._browsing, message.experiment.id, message.steps)

    def on_open_study(self, message: OpenStudy) -> None:
        """Show a study, on top of the list of studies if it is asked for there."""
        if not self._leaving.has_left:  # see `_open`
            self.push_screen(screens.StudyScreen(message.folder, self._browsing))

    def on_resume_study(self, message: ResumeStudy) -> None:
        """Have what a study lacks computed."""
        self._running_experiments.resume_study(message.state)

    def on_export_study(self, message: ExportStudy) -> None:
        """Have the tables of a study written."""
        self._publishing.publish_study(message.study)

    def on_list_experiments(self, message: ListExperiments) -> None:
        """Show the list of experiments, with a filter."""
        self._browsing.words = message.words
        self.action_experiments()

    def on_clone_experiment(self, message: CloneExperiment) -> None:
        """Have the form begin anew, from a spec."""
        self._back_to_form()
        form = self.screen
        assert isinstance(form, SetupScreen)
        form.call_next(form.begin_anew, words_of(message.spec), self._preferences.words)

    def on_resume_experiment(self, message: ResumeExperiment) -> None:
        """Have the missing runs of an experiment computed, and show it."""
        self._running_experiments.resume(message.experiment)

    def on_resume_several(self, message: ResumeSeveral) -> None:
        """Have the missing runs of several experiments computed."""
        self._running_experiments.resume_several(message.experiments)

    def on_extend_several(self, message: ExtendSeveral) -> None:
        """Have several experiments computed with more runs."""
        self._running_experiments.extend_several(message.experiments, message.word)

    def on_extend_experiment(self, message: ExtendExperiment) -> None:
        """Look whether an experiment can have more runs; `CanBeExtended` follows where it can."""
        self._running_experiments.consider_extending(message.experiment)

    def on_can_be_extended(self, message: CanBeExtended) -> None:
        """Ask how many runs an experiment is to have, then have them computed, and show it."""
        experiment = message.experiment
        if isinstance(self.screen, screens.Ask):
            return  # the key was pressed twice
        from tui_aefit.lab.running import most_runs  # noqa: PLC0415  # with what reads records

        def answered(word: str | None) -> None:
            if word is not None:
                self._running_experiments.extend(experiment, word)

        runs = experiment.spec.runs
        question = f"How many runs in all? {experiment.id} has {runs}"
        self.push_screen(
            screens.Ask(question, str(min(2 * runs, most_runs())), enter="has them computed"), answered
        )

    def on_export_experiment(self, message: ExportExperiment) -> None:
        """Have files of experiments written, after asking which unless that is said."""

        def answered(choice: str | None) -> None:
            if choice is not None:
                self._publishing.publish(message.experiments, choice)

        if message.choice:
            answered(message.choice)
        elif not isinstance(self.screen, screens.Export):
            self.push_screen(screens.Export(message.experiments, message.status, message.done), answered)

    def on_experiment_ended(self, message: ExperimentEnded) -> None:
        """Say that an experiment has ended."""
        from core.records.status import ExperimentStatus  # noqa: PLC0415  # with what reads records
        from tui_aefit.following.home import lacks_further_runs  # noqa: PLC0415

        state = message.state
        if self._preferences.bell:
            self.bell()
        for screen in self.screen_stack:
            if isinstance(screen, screens.Leave):
                screen.at_work = tuple(one for one in screen.at_work if one != state.experiment.id)
            if isinstance(screen, SetupScreen):
                screen.look_again()
        failed = state.status in (ExperimentStatus.FAILED, ExperimentStatus.REFUSED)
        text = f"{len(state.results)} of {state.experiment.spec.runs} runs are complete"
        if lacks_further_runs(state):
            text += "; the others were asked for as it ended: resume it to have them computed"
        self.notify(
            text,
            title=f"{state.experiment.id}: {state.status}",
            severity="error" if failed else "information",
            timeout=10,
            markup=False,
        )

    # Helpers

    def _open(self, experiment: Experiment) -> None:
        if self._leaving.has_left:
            return  # it was begun as the lab was left: an exiting app gives a screen no parts
        if isinstance(self.screen, screens.LiveScreen) and self.screen.experiment.id == experiment.id:
            return
        # On top of the list or the study that it was chosen in, so that the way back leads there.
        while len(self.screen_stack) > 1 and not isinstance(self.screen, PollingScreen):
            self.pop_screen()
        self.push_screen(screens.LiveScreen(experiment))

    def _back_to_form(self) -> None:
        """Leave every screen in front of the form."""
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def _save(self, preferences: Preferences) -> None:
        self._preferences = preferences
        save_preferences(self._home, preferences)
