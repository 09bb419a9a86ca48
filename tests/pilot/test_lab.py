"""The lab as a whole: what it opens with, the way between its screens, leaving it, and homes that give trouble."""

from __future__ import annotations

import asyncio
import pkgutil
import re
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from textual.app import ComposeResult
from textual.command import CommandPalette
from textual.screen import Screen
from textual.widgets import Button, Input, Select, Static

from core.files.exit_status import ExitStatus
from core.records.experiment import Experiment, load
from core.records.home import find
from core.records.results import parse_metrics
from core.records.starting import start_coordinator
from core.records.state import read_state
from core.spec.spec import Spec
from tests.fakes.experiments import end, make_experiment
from tests.fakes.images import write_npz
from tests.fakes.lab import House, Process, notices, opened, text_of, until
from tui_aefit.lab.app import Lab
from tui_aefit.lab.copying import COMMAND_FILE
from tui_aefit.lab.messages import (
    CanBeExtended,
    CloneExperiment,
    ExtendExperiment,
    OpenExperiment,
    ResumeExperiment,
)
from tui_aefit.lab.preferences import Preferences, load_preferences, save_preferences
from tui_aefit.lab.screens.confirm import Ask
from tui_aefit.lab.screens.experiments import ExperimentsScreen
from tui_aefit.lab.screens.help import HelpScreen
from tui_aefit.lab.screens.leave import Leave
from tui_aefit.lab.screens.live import LiveScreen
from tui_aefit.lab.screens.setup import SetupScreen
from tui_aefit.lab.widgets.experiments_table import ExperimentsTable
from tui_aefit.lab.widgets.live.statistics_table import StatisticsTable

SMALL = (80, 24)
LARGE = (140, 45)


@pytest.fixture
def running(house: House) -> Experiment:
    return make_experiment(house.home, state="running", runs=3, complete=1, now=time.time())


def watched(lab: Lab) -> str:
    """The id of the experiment in front, or ""."""
    return lab.screen.experiment.id if isinstance(lab.screen, LiveScreen) else ""


class TestOpening:
    async def test_an_empty_home_shows_the_form(self, house: House) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.pause()
            assert isinstance(lab.screen, SetupScreen)
            assert notices(lab) == ""
        assert not house.home.exists()  # who only looks leaves nothing behind

    async def test_what_is_running_is_in_front(self, house: House, running: Experiment) -> None:
        make_experiment(house.home, runs=3, seed=1, now=time.time() + 60)  # newer, and over
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            assert watched(lab) == running.id
            await until(pilot, lambda: "1/3 runs" in text_of(lab))
            assert not lab.screen_stack[0].query("#jobs"), "nobody waits for a form that is not seen"
            await pilot.press("n")
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
            await until(pilot, lambda: lab.screen.query("#jobs") and "time: " in text_of(lab))

    async def test_an_experiment_that_was_asked_for_goes_first(
        self, house: House, running: Experiment
    ) -> None:
        other = make_experiment(house.home, runs=3, seed=1, now=time.time())
        lab = house.lab(other)
        async with opened(lab, SMALL):
            assert watched(lab) == other.id

    async def test_a_wrong_setting_is_said_and_shown_where_it_can_be_put_right(self, house: House) -> None:
        (house.folder / "aefit.toml").write_text('epsilon = 3.0\nattack = "[/]"\n')
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.pause()
            assert "aefit.toml" in notices(lab)
            assert lab.screen.query_one("#epsilon", Input).value == "3.0"
            assert "above 0" in str(lab.screen.query_one("#why-epsilon", Static).content)


class TestLeaving:
    async def test_with_nothing_running_it_just_leaves(self, house: House) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("q")
            await until(pilot, lambda: not lab.is_running)

    @pytest.mark.slow
    async def test_staying_goes_on_and_leaving_stops_nothing(self, house: House, running: Experiment) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            for leave in ("q", "ctrl+q"):
                await pilot.press(leave)
                await until(pilot, lambda: isinstance(lab.screen, Leave))
                assert running.id in text_of(lab)
                await pilot.press("escape")
                await until(pilot, lambda: watched(lab) == running.id)
            await pilot.press("ctrl+q", "ctrl+q")  # asked once, not twice
            await until(pilot, lambda: isinstance(lab.screen, Leave))
            await pilot.press("right", "right")
            await until(pilot, lambda: isinstance(lab.focused, Button) and lab.focused.id == "stay")
            await pilot.press("enter")
            await until(pilot, lambda: watched(lab) == running.id)
            await pilot.press("ctrl+q")
            await until(pilot, lambda: isinstance(lab.screen, Leave))
            await pilot.press("l")
            await until(pilot, lambda: not lab.is_running)
        assert not running.cancel_file.exists()

    async def test_stopping_asks_all_that_runs_to_stop(self, house: House, running: Experiment) -> None:
        other = make_experiment(house.home, state="running", runs=3, seed=1, complete=0, now=time.time())
        over = make_experiment(house.home, runs=3, seed=2, now=time.time())
        lab = house.lab()
        async with opened(lab, LARGE) as pilot:
            await pilot.press("q")
            await until(pilot, lambda: isinstance(lab.screen, Leave))
            assert running.id in text_of(lab)
            assert other.id in text_of(lab)
            await pilot.press("s")
            await until(pilot, lambda: not lab.is_running)
        assert [e.cancel_file.exists() for e in (running, other, over)] == [True, True, False]

    async def test_work_that_ends_while_it_is_asked_about_is_asked_about_no_longer(
        self, house: House, running: Experiment
    ) -> None:
        other = make_experiment(house.home, state="running", runs=3, seed=1, complete=0, now=time.time())
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("q")
            await until(pilot, lambda: isinstance(lab.screen, Leave))
            await pilot.press("right")
            await until(pilot, lambda: isinstance(lab.focused, Button) and lab.focused.id == "stop")
            end(other, "failed")
            asked = lab.screen.query_one("#detail", Static)
            assert {running.id, other.id} == set(str(asked.content).split(", "))
            await until(pilot, lambda: str(asked.content) == running.id)
            assert "Stop it" in text_of(lab)
            end(running, "cancelled")
            await until(pilot, lambda: "The work has ended" in text_of(lab))
            await until(
                pilot, lambda: not any(words in text_of(lab) for words in ("Stop it", "Leave it running"))
            )
            await until(pilot, lambda: isinstance(lab.focused, Button) and lab.focused.id == "leave")
            await pilot.press("enter")
            await until(pilot, lambda: not lab.is_running)
        assert not running.cancel_file.exists()

    async def test_the_palettes_quit_asks_as_well(self, house: House, running: Experiment) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await lab.run_action("quit")
            await until(pilot, lambda: isinstance(lab.screen, Leave))

    async def test_who_presses_ctrl_c_is_told_how_to_leave(self, house: House, running: Experiment) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("ctrl+c")
            await until(pilot, lambda: "To leave the lab: press q, or ctrl+q while typing" in notices(lab))
            assert watched(lab) == running.id
            lab.clear_notifications()
            await pilot.press("n")
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
            lab.screen.query_one("#epsilon", Input).focus()
            await pilot.press("end", "ctrl+c")  # with nothing selected that it could copy
            await until(pilot, lambda: "To leave the lab" in notices(lab))

    async def test_leaving_while_a_screen_is_being_built_waits_for_it(self, house: House) -> None:
        class LeavingField(Select[str]):
            def compose(self) -> ComposeResult:
                lab.action_leave()
                yield from super().compose()

        class LateScreen(Screen[None]):
            def compose(self) -> ComposeResult:
                yield LeavingField([("lowest", "lowest")], value="lowest", allow_blank=False)

        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await lab.push_screen(LateScreen())
            await until(pilot, lambda: not lab.is_running)
        assert lab.return_code == 0

    async def test_what_was_started_as_it_was_left_is_not_shown(self, house: House) -> None:
        """An exiting app gives a screen no widgets."""
        made = make_experiment(house.home, state="interrupted", runs=3)
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            lab.post_message(OpenExperiment(made))
            lab.action_leave()
            await until(pilot, lambda: not lab.is_running)
        assert lab.return_code == 0


class TestFindingTheWay:
    @pytest.mark.slow
    async def test_help_opens_over_a_screen_and_goes_back_to_it(
        self, house: House, running: Experiment
    ) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "1/3 runs" in text_of(lab))
            for back in ("escape", "q", "question_mark"):
                await pilot.press("question_mark")
                await until(pilot, lambda: isinstance(lab.screen, HelpScreen))
                assert "Stop computing; complete runs are kept" in text_of(lab)
                await pilot.press(back)
                await until(pilot, lambda: watched(lab) == running.id)
            await pilot.press("question_mark")
            await until(pilot, lambda: isinstance(lab.screen, HelpScreen))
            await pilot.press("end")
            await until(pilot, lambda: "Moving about" in text_of(lab))

    @pytest.mark.slow
    async def test_help_explains_the_letters_of_the_runs_where_there_are_runs(
        self, house: House, running: Experiment
    ) -> None:
        lab = house.lab()
        async with opened(lab, LARGE) as pilot:
            await until(pilot, lambda: "1/3 runs" in text_of(lab))
            await pilot.press("question_mark")
            await until(pilot, lambda: isinstance(lab.screen, HelpScreen))
            for letters, meaning in (
                ("M", "misclassified"),
                ("D", "adversarial"),
                ("net", "accuracy of the surr"),
            ):
                assert re.search(rf"│ +{letters} +{meaning}", text_of(lab))
            await pilot.press("escape", "n", "escape", "question_mark")
            await until(pilot, lambda: isinstance(lab.screen, HelpScreen))
            assert not re.search(r"│ +net +", text_of(lab))

    @pytest.mark.slow
    async def test_the_palette_does_what_a_key_does(self, house: House, running: Experiment) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "1/3 runs" in text_of(lab))
            await pilot.press("ctrl+p")
            await until(pilot, lambda: isinstance(lab.screen, CommandPalette))
            await pilot.press(*"export")
            await until(pilot, lambda: "Write files" in text_of(lab))
            await pilot.press("enter")
            await until(pilot, lambda: "Files go into" in text_of(lab))
            await pilot.press("1")
            await until(pilot, lambda: "wrote" in notices(lab))

    @pytest.mark.slow
    async def test_the_palette_offers_nothing_twice_and_nothing_useless(
        self, house: House, running: Experiment
    ) -> None:
        def textuals_own() -> set[str]:
            return {one.title for one in lab.get_system_commands(lab.screen)} & {
                "Keys", "Maximize", "Screenshot", "Theme",
            }  # fmt: skip

        lab = house.lab()
        async with opened(lab, LARGE) as pilot:
            await until(pilot, lambda: "1/3 runs" in text_of(lab))
            await pilot.press("6")
            await until(pilot, lambda: isinstance(lab.focused, StatisticsTable))
            # A pane takes the whole screen by a key of the screen's own.
            assert textuals_own() == {"Screenshot", "Theme"}
            await pilot.press("n")
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
            assert lab.focused is not None
            assert textuals_own() == {"Screenshot", "Theme"}

    @pytest.mark.slow
    async def test_experiments_open_from_anywhere_and_lead_back(
        self, house: House, running: Experiment
    ) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            form = lab.screen_stack[0]
            await pilot.press("e")
            await until(pilot, lambda: running.id[:20] in text_of(lab))
            assert isinstance(lab.screen, ExperimentsScreen)
            lab.screen.post_message(OpenExperiment(running))
            await until(pilot, lambda: watched(lab) == running.id)
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(lab.screen, ExperimentsScreen))
            await pilot.press("escape")
            await until(pilot, lambda: lab.screen is form)

    @pytest.mark.slow
    async def test_marks_and_order_are_there_again_after_an_experiment_was_looked_at(
        self, house: House
    ) -> None:
        made = [
            make_experiment(house.home, state="created", runs=3, seed=seed, now=time.time() - seed)
            for seed in range(3)
        ]
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("escape", "e")
            await until(pilot, lambda: "Experiments: 3" in text_of(lab) and "⏎ Open" in text_of(lab))
            await pilot.press("space", "greater_than_sign", "end", "enter")
            await until(pilot, lambda: isinstance(lab.screen, LiveScreen))
            await pilot.press("e")
            await until(pilot, lambda: "Experiments: 3, 1 marked" in text_of(lab))
            screen = lab.screen
            assert isinstance(screen, ExperimentsScreen)
            table = screen.query_one(ExperimentsTable)
            await until(pilot, lambda: table.chosen is not None and table.chosen.id == made[0].id)
            assert table.listing.marked == {made[0].id}
            assert [one.id for one in table.listing.overviews] == [one.id for one in reversed(made)]

    @pytest.mark.slow
    async def test_several_are_resumed_and_given_more_runs_and_the_list_stays(self, house: House) -> None:
        house.coordinator.state = "complete"
        made = [
            make_experiment(house.home, state="created", runs=2, seed=seed, dataset="digits")
            for seed in range(2)
        ]
        complete = make_experiment(house.home, state="complete", runs=2, seed=2, dataset="digits")
        lab = house.lab()
        async with opened(lab, (100, 24)) as pilot:
            await pilot.press("escape", "e")
            await until(pilot, lambda: "Experiments: 3" in text_of(lab) and "⏎ Open" in text_of(lab))
            await pilot.press("home", "space", "space", "space", "r")
            await until(pilot, lambda: "Resume 2 of 3 experiments?" in text_of(lab))
            await pilot.press("y")
            await until(pilot, lambda: "resumed 2 experiments" in notices(lab))
            assert {call["experiment"].id for call in house.coordinator.started} == {one.id for one in made}
            assert isinstance(lab.screen, ExperimentsScreen)
            await until(pilot, lambda: text_of(lab).count("2/2") == 3)
            await pilot.press("m")
            await until(pilot, lambda: "3 experiments have 2" in text_of(lab))
            await pilot.press("enter")
            await until(pilot, lambda: "3 experiments have 4 runs now" in notices(lab))
            assert [load(one.folder).spec.runs for one in (*made, complete)] == [4, 4, 4]
            assert isinstance(lab.screen, ExperimentsScreen)

    @pytest.mark.slow
    async def test_a_clone_is_a_form_with_the_values_of_the_original(self, house: House) -> None:
        spec = Spec(
            dataset="digits",
            attack="deepfool",
            epsilon=0.05,
            runs=7,
            epochs=4,
            controls=(),
            options={"norm": "linf"},
        )
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            lab.screen.post_message(CloneExperiment(spec))
            await until(pilot, lambda: "--norm linf" in text_of(lab))
            assert isinstance(lab.screen, SetupScreen)
            assert lab.screen.query_one("#dataset", Select).value == "digits"
            await pilot.press("ctrl+s")
            await until(pilot, lambda: house.coordinator.started)
            assert house.coordinator.started[0]["experiment"].spec == spec


class TestWhatIsKept:
    @pytest.mark.slow
    async def test_theme_and_bell(self, house: House, running: Experiment) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            lab.theme = "textual-light"
            await pilot.pause()
            assert load_preferences(house.home).theme == "textual-light"
            titles = [command.title for command in lab.get_system_commands(lab.screen)]
            assert "Turn the bell off" in titles
            lab.action_bell_switch()
        assert load_preferences(house.home) == Preferences(theme="textual-light", bell=False)

        again = house.lab()
        rung: list[bool] = []
        again.bell = lambda: rung.append(True)  # type: ignore[method-assign]
        async with opened(again, SMALL) as pilot:
            assert again.theme == "textual-light"
            await until(pilot, lambda: "1/3 runs" in text_of(again))
            assert "Turn the bell on" in [
                command.title for command in again.get_system_commands(again.screen)
            ]
            end(running, "interrupted")
            await until(pilot, lambda: "1 of 3 runs are complete" in notices(again))
        assert rung == []

    async def test_a_theme_that_is_gone_is_none(self, house: House) -> None:
        save_preferences(house.home, Preferences(theme="no such theme"))
        lab = house.lab()
        async with opened(lab, SMALL):
            assert lab.theme in lab.available_themes


class TestWork:
    @pytest.mark.slow
    async def test_an_ending_is_told_whatever_is_in_front(self, house: House, running: Experiment) -> None:
        other = make_experiment(house.home, state="running", runs=3, complete=2, seed=1, now=time.time())
        lab = house.lab(running)
        rung: list[bool] = []
        lab.bell = lambda: rung.append(True)  # type: ignore[method-assign]
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: watched(lab) == running.id)
            await pilot.press("e")
            await until(pilot, lambda: isinstance(lab.screen, ExperimentsScreen))
            end(running, "cancelled")
            await until(pilot, lambda: f"{running.id}: cancelled: 1 of 3 runs are complete" in notices(lab))
            await pilot.press("n")
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
            end(other, "failed")
            await until(pilot, lambda: f"{other.id}: failed: 2 of 3 runs are complete" in notices(lab))
            assert rung == [True, True]

    @pytest.mark.slow
    async def test_what_the_lab_starts_is_watched_to_its_end(self, house: House) -> None:
        lab = house.lab(runs=2)
        async with opened(lab, SMALL) as pilot:
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "complete: 2 of 2 runs are complete" in notices(lab))

    async def test_what_is_resumed_is_computed_as_the_settings_say(self, house: House) -> None:
        house.coordinator.state, house.coordinator.complete = "running", 1
        stopped = make_experiment(house.home, state="created", runs=4)
        lab = house.lab(stopped, jobs=3, threads=2)
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "r Resume" in text_of(lab))
            await pilot.press("r")
            await until(pilot, lambda: "▶ running  1/4 runs" in text_of(lab))
            (call,) = house.coordinator.started
            assert (call["jobs"], call["threads"]) == (3, 2)
            house.coordinator.processes[0].status = 0

    @pytest.mark.slow
    async def test_many_at_work_leave_the_lab_time_to_read(self, house: House) -> None:
        house.coordinator.state, house.coordinator.complete = "running", 1
        made = [make_experiment(house.home, state="created", runs=2, seed=seed) for seed in range(5)]
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(3))
            for count, experiment in enumerate(made, start=1):
                lab.screen.post_message(ResumeExperiment(experiment))
                await until(pilot, lambda count=count: len(house.coordinator.started) == count)  # type: ignore[misc]
                await until(pilot, lambda one=experiment: watched(lab) == one.id)  # type: ignore[misc]
            await until(pilot, lambda: "1/2 runs" in text_of(lab))
            await pilot.press("e")
            await until(pilot, lambda: "Experiments: 5, 5 running" in text_of(lab))
            for process in house.coordinator.processes:
                process.status = 0

    @pytest.mark.slow
    async def test_what_is_begun_is_read_beside_the_screen(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stopped = make_experiment(house.home, state="interrupted", runs=3, now=time.time())
        readers: list[threading.Thread] = []
        for reading in (
            "core.records.experiment.Experiment.results",
            "core.records.journal.JournalReader.poll",
        ):
            monkeypatch.setattr(reading, noting_threads(reading, readers))
        lab = house.lab(stopped)
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "r Resume" in text_of(lab))
            await pilot.press("r")
            await until(pilot, lambda: house.coordinator.started and begun(lab))
            await pilot.press("n")
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
            await pilot.press("ctrl+s")
            await until(pilot, lambda: len(house.coordinator.started) == 2)
        assert len(readers) > 4
        assert threading.main_thread() not in readers

    async def test_a_newer_versions_experiment_is_not_gone_on_with_from_the_form(self, house: House) -> None:
        newer = make_experiment(house.home, state="newer", dataset="digits", runs=3, now=time.time())
        shutil.rmtree(newer.run_folder(2))
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            lab.screen.post_message(CloneExperiment(newer.spec))
            await until(pilot, lambda: "--dataset digits" in text_of(lab))
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "was written by a newer version" in notices(lab))
            assert isinstance(lab.screen, SetupScreen)
        assert house.coordinator.started == []

    @pytest.mark.slow
    async def test_what_came_of_an_action_is_told_after_its_screen_was_left(
        self, house: House, running: Experiment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        may_go_on = threading.Event()

        def label(_: Experiment, text: str) -> str:
            may_go_on.wait(20)
            return f"labelled [{text}] at last"

        monkeypatch.setattr("tui_aefit.lab.marked_actions.label", label)
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("e")
            await until(pilot, lambda: "Experiments: 1" in text_of(lab))
            await pilot.press("a")
            await until(pilot, lambda: "Label of" in text_of(lab))
            await pilot.press("i", "enter")
            await until(pilot, lambda: isinstance(lab.screen, ExperimentsScreen))
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(lab.screen, ExperimentsScreen))
            may_go_on.set()
            await until(pilot, lambda: "labelled [i] at last" in notices(lab))


class TestMoreRuns:
    async def test_they_are_asked_for_computed_and_shown(self, house: House) -> None:
        house.coordinator.state, house.coordinator.complete = "running", 3
        complete = make_experiment(house.home, runs=3, dataset="digits", now=time.time())
        lab = house.lab(complete, jobs=2, threads=3)
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "✓ complete  3/3 runs" in text_of(lab))
            await pilot.press("m")
            await until(pilot, lambda: f"{complete.id} has 3" in text_of(lab))
            assert lab.screen.query_one("#answer", Input).value == "6"
            shutil.rmtree(complete.journal)  # the stub writes it anew
            await pilot.press("backspace", "5", "enter")
            await until(pilot, lambda: "▶ running  3/5 runs" in text_of(lab))
            assert watched(lab) == complete.id
            (call,) = house.coordinator.started
            assert call["experiment"].spec == complete.spec.changed(runs=5)
            # What the shell asked for holds for every experiment that is gone on with.
            assert (call["jobs"], call["threads"]) == (2, 3)
            assert load(complete.folder).spec.runs == 5
            assert f"{complete.id}: runs 4 to 5 are added" in notices(lab)
            house.coordinator.processes[0].status = 0

    async def test_a_key_pressed_twice_asks_once_and_reads_beside_the_screen(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        complete = make_experiment(house.home, runs=3, dataset="digits", now=time.time())
        readers: list[threading.Thread] = []
        for reading in ("reloaded", "check_computable"):
            name = f"core.records.experiment.Experiment.{reading}"
            monkeypatch.setattr(name, noting_threads(name, readers))
        lab = house.lab(complete)
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "✓ complete  3/3 runs" in text_of(lab))
            for _ in range(2):
                lab.screen.post_message(ExtendExperiment(complete))
            await until(pilot, lambda: isinstance(lab.screen, Ask) and begun(lab))
            lab.post_message(CanBeExtended(complete))  # of a look that took longer
            await pilot.pause()
            assert [type(screen) for screen in lab.screen_stack[1:]] == [LiveScreen, Ask]
        assert readers
        assert threading.main_thread() not in readers

    @pytest.mark.slow
    async def test_no_number_is_offered_that_is_not_possible(self, house: House) -> None:
        many = make_experiment(house.home, state="created", runs=600, now=time.time())
        most = make_experiment(house.home, state="created", runs=1000, seed=1, now=time.time())
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            lab.screen.post_message(ExtendExperiment(many))
            await until(pilot, lambda: isinstance(lab.screen, Ask) and lab.screen.query("#answer"))
            assert lab.screen.query_one("#answer", Input).value == "1000"
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
            lab.screen.post_message(ExtendExperiment(most))
            await until(pilot, lambda: "has 1,000 runs: there can be no more" in notices(lab))
            assert isinstance(lab.screen, SetupScreen)

    @pytest.mark.slow
    async def test_what_was_asked_for_elsewhere_is_computed_and_offered(self, house: House) -> None:
        house.coordinator.state, house.coordinator.complete = "running", 1
        stale = make_experiment(house.home, state="created", runs=3, now=time.time())
        stale.extend(6)
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            lab.screen.post_message(ExtendExperiment(stale))
            await until(pilot, lambda: "has 6" in text_of(lab))
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
            lab.screen.post_message(ResumeExperiment(stale))
            await until(pilot, lambda: "▶ running  1/6 runs" in text_of(lab))
            (call,) = house.coordinator.started
            assert call["experiment"].spec.runs == 6
            house.coordinator.processes[0].status = 0

    @pytest.mark.slow
    async def test_what_is_extended_as_it_ends_is_gone_on_with_or_told(self, house: House) -> None:
        house.coordinator.state, house.coordinator.complete = "running", 4
        ours = make_experiment(
            house.home, state="running", runs=3, complete=3, dataset="digits", now=time.time()
        )
        theirs = make_experiment(
            house.home, state="running", runs=3, complete=3, seed=1, now=time.time() - 60
        )
        lab = house.lab(ours)
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "▶ running  3/3 runs" in text_of(lab))
            await pilot.press("m")
            await until(pilot, lambda: f"{ours.id} has 3" in text_of(lab))
            await pilot.press("backspace", "5", "enter")
            await until(pilot, lambda: "runs 4 to 5 are added" in notices(lab))
            assert house.coordinator.started == []  # whoever is at work goes on with them
            end(theirs, "complete")
            theirs.extend(4)
            await until(
                pilot, lambda: f"{theirs.id}: interrupted: 3 of 4 runs are complete; the" in notices(lab)
            )
            end(ours, "complete")
            await until(pilot, lambda: house.coordinator.started)
            await until(pilot, lambda: "▶ running  4/5 runs" in text_of(lab))
            (call,) = house.coordinator.started
            assert call["experiment"].spec == ours.spec.changed(runs=5)
            assert f"{ours.id}: interrupted" not in notices(lab)
            house.coordinator.processes[0].status = 0

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            ("x", "expected a whole number"),
            ("2", "has 3 runs already: expected more than that"),
            ("9999", "expected a whole number from 1 to 1000"),
        ],
    )
    async def test_a_number_that_is_not_possible_is_said(self, house: House, words: str, why: str) -> None:
        complete = make_experiment(house.home, runs=3, dataset="digits", now=time.time())
        lab = house.lab(complete)
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "✓ complete  3/3 runs" in text_of(lab))
            await pilot.press("m")
            await until(pilot, lambda: f"{complete.id} has 3" in text_of(lab))
            await pilot.press("backspace", *words, "enter")
            await until(pilot, lambda: why in notices(lab))
            await pilot.press("m")
            await until(pilot, lambda: f"{complete.id} has 3" in text_of(lab))
            await pilot.press("escape")
            await until(pilot, lambda: watched(lab) == complete.id)
        assert load(complete.folder).spec == complete.spec
        assert house.coordinator.started == []

    @pytest.mark.slow
    async def test_an_experiment_of_the_first_version_has_as_many_as_it_has(
        self, house: House, first_version_home: Path
    ) -> None:
        shutil.copytree(first_version_home, house.home)
        experiment = find(house.home, "latest")
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "✓ complete  3/3 runs" in text_of(lab))
            await pilot.press("m")
            await until(pilot, lambda: "was computed by an earlier version" in notices(lab))
            assert "compute it anew: aefit-tui --batch --dataset digits" in notices(lab)
            await pilot.press("e")
            await until(pilot, lambda: "Experiments: 1" in text_of(lab) and "⏎ Open" in text_of(lab))
            await pilot.press("m")
            await until(pilot, lambda: notices(lab).count("was computed by an earlier version") == 2)


class TestColours:
    @pytest.mark.slow
    async def test_the_theme_of_greys_is_offered_and_has_no_colour_anywhere(
        self, house: House, running: Experiment
    ) -> None:
        make_experiment(house.home, state="failed", runs=3, seed=1, now=time.time())
        lab = house.lab()
        async with opened(lab, LARGE) as pilot:
            await until(pilot, lambda: "1/3 runs" in text_of(lab))
            assert "monochrome" in lab.available_themes
            assert len(colours(lab)) > 5
            lab.theme = "monochrome"
            await until(pilot, lambda: not colours(lab))
            await pilot.press("e")
            await until(pilot, lambda: "✗ failed" in text_of(lab))
            assert colours(lab) == set()
        again = house.lab()
        async with opened(again, SMALL):
            assert again.theme == "monochrome"


class TestTrouble:
    @pytest.mark.slow
    async def test_a_home_that_cannot_be_written_is_said_and_nothing_breaks(self, house: House) -> None:
        house.home.write_text("a file where the home should be")
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "cannot write an experiment" in notices(lab))
            assert "--home DIR" in notices(lab)
            assert isinstance(lab.screen, SetupScreen)
            await pilot.press("ctrl+y")
            await until(pilot, lambda: f"{house.home / COMMAND_FILE} cannot be written" in notices(lab))
            assert lab.clipboard.startswith("aefit-tui --batch")
            lab.theme = "textual-light"
            await pilot.press("escape", "e")
            await until(pilot, lambda: isinstance(lab.screen, ExperimentsScreen))
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
        assert house.coordinator.started == []
        assert house.home.read_text() == "a file where the home should be"

    async def test_an_unreadable_experiment_does_not_hide_the_others(
        self, house: House, running: Experiment
    ) -> None:
        broken = make_experiment(house.home, state="running", runs=3, seed=1, complete=0, now=time.time())
        (broken.folder / "spec.toml").write_text("not = [toml")
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            assert watched(lab) == running.id
            await until(pilot, lambda: "1/3 runs" in text_of(lab))

    async def test_a_coordinator_that_crashes_is_told_with_its_log(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            "tui_aefit.lab.coordinators.start_coordinator", lambda *_, **__: Process(ExitStatus.CRASHED)
        )
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "coordinator.log" in notices(lab))
            assert "is not computed" in notices(lab)

    async def test_a_deleted_experiment_cannot_be_resumed_and_that_is_said(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The real start, which finds nowhere to write a log.
        monkeypatch.setattr("tui_aefit.lab.coordinators.start_coordinator", start_coordinator)
        stopped = make_experiment(house.home, state="interrupted", runs=3, now=time.time())
        lab = house.lab(stopped)
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "r Resume" in text_of(lab))
            stopped.folder.rename(house.folder / "elsewhere")
            await pilot.press("r")
            await until(pilot, lambda: f"the folder of {stopped.id} is gone" in notices(lab))
            await until(pilot, lambda: "is gone" in text_of(lab))


@pytest.mark.slow
async def test_from_the_form_to_the_verdict_with_nothing_made_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real coordinator computes two runs of a tiny set; what the table says is what metrics.json says."""
    monkeypatch.setattr("tui_aefit.lab.coordinators.start_coordinator", start_coordinator)
    own = write_npz(house.folder / "own.npz", images=210, classes=3)
    lab = house.lab(dataset=str(own), runs=2, z=3, epochs=2, epsilon=0.3, controls=(), device="cpu", jobs=1)
    async with opened(lab, LARGE) as pilot:
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(lab.screen, LiveScreen))
        await until(pilot, lambda: "✓ complete  2/2 runs" in text_of(lab), patience=120)
        experiment = find(house.home, "latest")
        assert read_state(experiment).status == "complete"
        lines = text_of(lab).splitlines()
        metrics = [
            parse_metrics((experiment.run_folder(run) / "result" / "metrics.json").read_bytes())
            for run in (0, 1)
        ]
        for name in ("test", "misclassified", "adversarial"):
            row = next(
                i for i, line in enumerate(lines) if f" {name} " in line and "±" in line and "╭" not in line
            )
            for level in ("3", "1"):
                values = [one.accuracy[name][level] or 0.0 for one in metrics]
                assert shown(sum(values) / 2) in lines[row]
        counts = metrics[0].counts
        await pilot.press("7")
        await until(pilot, lambda: f"M {counts.misclassified} D {counts.adversarial} " in text_of(lab))


def begun(lab: Lab) -> bool:
    """Whether nothing is still on its way from being asked for to being shown."""
    return all(worker.is_finished for worker in lab.workers if worker.group in ("begin", "consider"))


def noting_threads(name: str, threads: list[threading.Thread]) -> Callable[..., Any]:
    """The method of that name, which notes the thread that it is called in."""
    method = pkgutil.resolve_name(name)

    def noted(*arguments: Any, **options: Any) -> Any:
        threads.append(threading.current_thread())
        return method(*arguments, **options)

    return noted


def colours(lab: Lab) -> set[tuple[int, int, int]]:
    """The colours on the screen that are no greys."""
    found: set[tuple[int, int, int]] = set()
    for strip in lab.screen._compositor.render_strips():
        for segment in strip:
            for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                if colour is not None:
                    red, green, blue = colour.get_truecolor()
                    found.add((red, green, blue))
    return {one for one in found if len(set(one)) > 1}


def shown(accuracy: float) -> str:
    """An accuracy as the table writes it."""
    return f"{accuracy:.3f}".removeprefix("0") if accuracy < 0.9995 else "1.00"
