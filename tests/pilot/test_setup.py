"""The set-up screen: what is wrong is said as one types, what it costs before one starts, keys reach all of it."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Collapsible, Input, Label, Select, Static

from core.attacks.fgsm import FGSM
from core.declarations.setting import Choice, Setting
from core.records.experiment import load
from core.records.metrics import PARTS
from core.spec.spec import Spec
from tests.fakes.experiments import make_experiment
from tests.fakes.images import write_npz
from tests.fakes.lab import PATIENCE, House, notices, opened, text_of, until
from tests.fakes.plugins import install
from tui_aefit.lab.app import Lab
from tui_aefit.lab.copying import COMMAND_FILE
from tui_aefit.lab.preferences import load_preferences
from tui_aefit.lab.screens.live import LiveScreen
from tui_aefit.lab.screens.setup import SetupScreen
from tui_aefit.lab.widgets.setup.fields import OWN, Form
from tui_aefit.shell.options import given_settings, parse
from tui_aefit.shell.settings import Settings

SMALL = (80, 24)
LARGE = (140, 45)


class Strides(FGSM):
    """An attack of a plug-in whose steps are no number."""

    options = (
        Setting(
            name="steps", title="Steps", help="how many", metavar="N", default="few",
            kind=Choice({"few": "a few", "many": "many"}),
        ),
    )  # fmt: skip


@pytest.fixture
def fold_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """No set-up screen makes the fields of its fold unless it is asked to."""
    call = SetupScreen.call_after_refresh

    def call_unless_fold(self: SetupScreen, callback: Callable[..., Any], *args: Any, **options: Any) -> bool:
        held = callback == self.query_one(Form).add_folded
        return held or call(self, callback, *args, **options)

    monkeypatch.setattr(SetupScreen, "call_after_refresh", call_unless_fold)


def shown(lab: Lab, name: str) -> str:
    """What a line of the screen says."""
    return str(lab.screen.query_one(f"#{name}", Static).content)


def says(lab: Lab, name: str, words: str) -> bool:
    """Whether a line of the screen says so: it is brought up to date a moment after what it depends on."""
    return words in shown(lab, name)


def titles_of(lab: Lab) -> list[str]:
    """The titles of the rows that are shown, from top to bottom."""
    rows = [row for row in lab.screen.query("#form .row") if row.display and row.query(".why")]
    titles = {row.region.y: str(row.query_one(".name", Label).content) for row in rows if row.region.height}
    return [titles[y] for y in sorted(titles)]


def choose(lab: Lab, name: str, value: str) -> None:
    lab.screen.query_one(f"#{name}", Select).value = value


def has_field(lab: Lab, name: str, kind: type[Widget]) -> bool:
    """Whether a setting has a field of a kind, and that can be used already."""
    fields = lab.screen.query(f"#{name}")  # for a moment there is none
    return any(isinstance(field, kind) and field.is_mounted for field in fields)


async def write(pilot: Pilot[None], name: str, word: str) -> None:
    """Write a word into a field, in place of what it holds; the last letter is typed."""
    field = pilot.app.screen.query_one(f"#{name}", Input)
    field.focus()
    await pilot.pause()  # it selects what it holds when it gets the focus
    field.value = word[:-1]
    field.cursor_position = len(field.value)
    await pilot.press(word[-1])
    await pilot.pause()


class TestWhatIsWrong:
    async def test_start_waits_for_the_fields_of_the_fold_and_goes_to_the_wrong_one(
        self, house: House, fold_held: None
    ) -> None:
        (house.folder / "aefit.toml").write_text("epochs = 0\n")
        lab = house.lab()
        async with lab.run_test(size=SMALL) as pilot:
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
            screen = lab.screen
            assert isinstance(screen, SetupScreen)
            assert not screen.query("#epochs")
            # As the keys do, from the app's own task, while the screen's makes the rows.
            deadline = time.monotonic() + PATIENCE
            while not (screen.focused is not None and screen.focused.id == "epochs"):
                assert time.monotonic() < deadline
                await asyncio.gather(*(screen.action_start() for _ in range(3)))
                await pilot.pause()
            assert [row.id for row in screen.query("#folded .row Input")].count("jobs") == 1

    async def test_leaving_before_the_fold_is_made_is_no_error(self, house: House, fold_held: None) -> None:
        lab = house.lab()
        async with lab.run_test(size=SMALL) as pilot:
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen) and lab.screen.query("#folded"))
            screen = lab.screen
            assert isinstance(screen, SetupScreen)
            lab.exit()
            form = screen.query_one(Form)
            await form.add_folded()
            assert not screen.query("#epochs")
            # Where the fold is being made already.
            form._has_folded = True
            await form._place_rows()
            assert not screen.query("#epochs")
        assert lab.return_code == 0

    @pytest.mark.slow
    async def test_the_reason_is_beside_the_field_as_one_types_and_start_goes_there(
        self, house: House
    ) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await write(pilot, "epsilon", "0.")
            beside = "✗ expected a number above 0"
            await until(pilot, lambda: shown(lab, "why-epsilon").startswith(beside))
            await pilot.press("2")
            await until(pilot, lambda: shown(lab, "why-epsilon") == "")
            await pilot.press("x")
            await until(pilot, lambda: shown(lab, "why-epsilon") == "✗ expected a number")
            await write(pilot, "epsilon", "2")
            await write(pilot, "z", "8")
            lines = text_of(lab).splitlines()
            (row,) = (line for line in lines if "Epsilon" in line and "✗" in line and ":" not in line)
            assert "✗ expected a number above" in row
            # What is cut beside the field is there in full below.
            assert "for a change of 8 grey levels" in text_of(lab).replace("\n", " ")
            assert "try 7" in text_of(lab)

            lab.screen.query_one("#runs").focus()
            await pilot.press("ctrl+s")
            await pilot.pause()
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#epsilon"))
            assert "Epsilon is not possible" in notices(lab)
            assert isinstance(lab.screen, SetupScreen)
        assert house.coordinator.started == []

    async def test_start_opens_the_fold_for_a_wrong_field_in_it(self, house: House) -> None:
        lab = house.lab(steps=5)  # no option of fgsm: it is not shown, and not asked for
        async with opened(lab, SMALL) as pilot:
            lab.screen.query_one("#seed", Input).value = "-1"
            await pilot.press("ctrl+s")
            await pilot.pause()
            assert not lab.screen.query_one("#advanced", Collapsible).collapsed
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#seed"))
            assert lab.focused is not None
            assert lab.screen.query_one("#form").region.contains_region(lab.focused.region)

    async def test_in_a_wide_terminal_the_whole_reason_is_beside_the_field(self, house: House) -> None:
        lab = house.lab(epsilon=2.0)
        async with opened(lab, LARGE) as pilot:
            await pilot.pause()
            assert lab.screen.query_one("#epsilon", Input).value == "2.0"
            lines = text_of(lab).splitlines()
            (row,) = (at for at, line in enumerate(lines) if line.split()[:2] == ["Epsilon", "2.0"])
            form = lab.screen.query_one("#form").region
            beside = " ".join(line[: form.right].strip() for line in lines[row + 1 : row + 6])
            assert beside.startswith("✗ expected a number above 0 and at most 1")
            assert "write 0.0314 (8/255)" in beside
            assert not lab.screen.query_one("#problems").display

    async def test_an_absent_data_set_says_what_fetches_it(self, house: House) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            choose(lab, "dataset", "mnist")
            await pilot.pause()
            await until(
                pilot, lambda: shown(lab, "why-dataset").startswith("✗ type: aefit-tui data fetch mnist")
            )
            command = shown(lab, "why-dataset").partition("type: ")[2].partition(";")[0]
            assert shlex.split(command)[-1] == str(house.home / "data")
            assert "(not here)" in text_of(lab)
            await pilot.press("ctrl+s")
            await pilot.pause()
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#dataset"))
        assert house.coordinator.started == []

    async def test_words_that_look_like_markup_are_shown_as_they_are(self, house: House) -> None:
        lab = house.lab()
        async with opened(lab, LARGE, notifications=True) as pilot:
            choose(lab, "dataset", OWN)
            await pilot.pause()
            await write(pilot, "dataset-path", "[/b].npz")
            await until(pilot, lambda: "[/b].npz" in shown(lab, "why-dataset"))
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "Data set is not possible" in text_of(lab))
            assert text_of(lab).count("[/b].npz") >= 2


class TestFields:
    async def test_an_attack_shows_its_own_options_and_asks_for_no_others(self, house: House) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            assert "norm" not in text_of(lab)
            choose(lab, "attack", "deepfool")
            await until(pilot, lambda: "DeepFool norm" in text_of(lab) and "DeepFool bound" in text_of(lab))
            assert "PGD" not in text_of(lab)
            choose(lab, "norm", "linf")
            await until(pilot, lambda: "--norm linf" in shown(lab, "command"))
            choose(lab, "attack", "pgd")
            await until(pilot, lambda: "PGD steps" in text_of(lab) and "DeepFool" not in text_of(lab))
            await until(pilot, lambda: "norm" not in shown(lab, "command"))

    async def test_what_was_written_into_an_option_is_there_when_its_attack_is_chosen_again(
        self, house: House
    ) -> None:
        lab = house.lab(attack="pgd", steps=4)
        async with opened(lab, SMALL) as pilot:
            await write(pilot, "steps", "25")
            choose(lab, "attack", "fgsm")
            await until(pilot, lambda: "PGD steps" not in text_of(lab))
            await until(pilot, lambda: "--steps" not in shown(lab, "command"))
            choose(lab, "attack", "pgd-untargeted")
            await until(pilot, lambda: "--steps 25" in shown(lab, "command"))
            assert "PGD steps" in text_of(lab)

    @pytest.mark.slow
    async def test_the_options_of_a_plug_in_are_rows_below_what_chooses_it(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install(house.folder / "site", monkeypatch)
        lab = house.lab()
        async with opened(lab, LARGE) as pilot:
            choose(lab, "attack", "shift")
            await until(pilot, lambda: "Strength" in text_of(lab))
            titles = titles_of(lab)
            assert titles[titles.index("Attack") :][:3] == ["Attack", "Strength", "Epsilon"]
            await write(pilot, "strength", "2")
            await until(pilot, lambda: shown(lab, "why-strength") == "✗ expected a part above 0, at most 1")
            await write(pilot, "strength", "0.5")
            lab.screen.query_one("#advanced", Collapsible).collapsed = False
            choose(lab, "family", "kernel")
            await until(pilot, lambda: "Bandwidths" in text_of(lab))
            titles = titles_of(lab)
            assert titles[titles.index("Classifier") :][:3] == ["Classifier", "Bandwidths", "Seed"]
            assert not {"Z, largest K", "Tied votes", "Search"} & set(titles)
            await write(pilot, "bandwidths", "2")
            for words in ("--attack shift", "--strength 0.5", "--family kernel", "--bandwidths 2"):
                await until(pilot, partial(says, lab, "command", words))
            choose(lab, "family", "knn")
            await until(pilot, lambda: "Z, largest K" in text_of(lab))
            assert "Bandwidths" not in text_of(lab)

    async def test_an_option_of_the_same_name_that_can_be_something_else_has_another_field(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install(house.folder / "site", monkeypatch, {"aefit.attacks": {"strides": f"{__name__}:Strides"}})
        lab = house.lab(attack="pgd", steps=4)
        async with opened(lab, SMALL) as pilot:
            for attack, field in (("strides", Select), ("pgd", Input), ("strides", Select)):
                choose(lab, "attack", attack)
                await until(pilot, partial(has_field, lab, "steps", field))
                assert len(lab.screen.query("#steps")) == 1
            choose(lab, "steps", "many")
            await until(pilot, lambda: "--attack strides --steps many" in shown(lab, "command"))

    async def test_a_plug_in_that_cannot_be_loaded_says_so_beside_its_name(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install(house.folder / "site", monkeypatch, {"aefit.attacks": {"broken": "no.such.module:Attack"}})
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            choose(lab, "attack", "broken")
            await until(pilot, lambda: "cannot be loaded" in shown(lab, "why-attack"))
            await pilot.press("ctrl+s")
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#attack"))
            choose(lab, "attack", "fgsm")
            await until(pilot, lambda: "$ aefit-tui" in shown(lab, "command"))

    async def test_a_data_set_of_ones_own_is_asked_for_by_its_path(self, house: House) -> None:
        own = write_npz(house.folder / "own.npz", images=40)
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            choose(lab, "dataset", OWN)
            await pilot.pause()
            await until(pilot, lambda: "type the path" in shown(lab, "problems"))
            await pilot.press("ctrl+s")
            await pilot.pause()
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#dataset-path"))
            await write(pilot, "dataset-path", str(own))
            await until(pilot, lambda: shown(lab, "problems") == "")
            await until(pilot, lambda: f"--dataset {own}" in shown(lab, "command"))

    @pytest.mark.slow
    async def test_who_chooses_a_path_of_ones_own_can_type_it_at_once(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own = write_npz(house.folder / "own.npz", images=40)
        monkeypatch.chdir(house.folder)
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("enter", "end", "enter")
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#dataset-path"))
            await pilot.press(*own.name)
            await until(pilot, lambda: f"--dataset {own}" in shown(lab, "command"))
            lab.screen.query_one("#dataset").focus()
            await pilot.press("enter", "home", "enter")
            await pilot.pause()
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#dataset"))

    async def test_a_form_that_begins_with_a_path_begins_at_its_first_field(self, house: House) -> None:
        own = write_npz(house.folder / "own.npz", images=40)
        lab = house.lab(dataset=str(own))
        async with opened(lab, SMALL) as pilot:
            await pilot.pause()
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#dataset"))

    async def test_what_the_shell_asked_for_is_what_the_form_begins_with(self, house: House) -> None:
        lab = house.lab(dataset="digits", runs=3, jobs=1, controls=("noise", "fooled"), attack="pgd", steps=4)
        async with opened(lab, SMALL) as pilot:
            await pilot.pause()
            line = shown(lab, "command").removeprefix("$ ")
            asked = Settings(
                given_settings(parse(shlex.split(line)[2:])), environment={}, folder=house.folder
            )
            spec = asked.spec()
            assert (spec.dataset, spec.runs, spec.attack, spec.options["steps"]) == ("digits", 3, "pgd", 4)
            assert (spec.controls, asked.jobs(spec.runs)) == (("noise", "fooled"), 1)

    async def test_the_cost_is_said_before_the_start(self, house: House) -> None:
        done = make_experiment(house.home, dataset="mnist-5k", runs=1, epochs=15, now=time.time())
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "runs of the same kind" in shown(lab, "cost"))
            metrics = done.result(0)
            assert metrics is not None
            one = sum(took for stage, took in metrics.seconds.items() if stage not in PARTS)
            await write(pilot, "runs", "1")
            await until(pilot, lambda: f"about {round(one)} s" in shown(lab, "cost"))
            assert "4,286 for training and 714 for testing" in text_of(lab)
            assert "6,426 candidates and 19,992 neighbour" in text_of(lab)

    @pytest.mark.slow
    async def test_all_fields_can_be_reached_and_left_without_a_mouse_at_80_by_24(self, house: House) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            visited = []
            for _ in range(5):
                visited.append(lab.focused.id if lab.focused else None)
                await pilot.press("tab" if isinstance(lab.focused, Select) else "enter")
            assert visited == ["dataset", "attack", "epsilon", "z", "runs"]
            await pilot.press("enter")  # on the fold's title
            await pilot.pause()
            form = lab.screen.query_one("#form")
            for name in (
                "family",
                "tie_rule",
                "search",
                "seed",
                "surrogate",
                "epochs",
                "controls",
                "test_size",
                "splits",
                "keep",
                "device",
                "jobs",
                "threads",
                "data_dir",
            ):
                await pilot.press("tab")
                await pilot.pause()
                await until(pilot, lambda: lab.focused is not None)
                assert lab.focused is not None
                assert lab.focused.id == name
                assert form.region.contains_region(lab.focused.region)
            await pilot.press("tab")
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#dataset"))
            await pilot.press("shift+tab", "q", "?", "e")
            assert lab.screen.query_one("#data_dir", Input).value == "q?e"
            await pilot.press("escape")
            await until(pilot, lambda: lab.focused is None)
            await pilot.press("question_mark")
            await pilot.pause()
            assert "Leave the lab" in text_of(lab)


class TestStart:
    @pytest.mark.slow
    async def test_it_is_computed_shown_and_remembered(self, house: House) -> None:
        house.coordinator.state, house.coordinator.complete = "running", 1
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await write(pilot, "epsilon", "0.25")
            await write(pilot, "runs", "3")
            lab.screen.query_one("#jobs", Input).value = "2"
            lab.screen.query_one("#threads", Input).value = "3"
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "1/3 runs" in text_of(lab))
            assert isinstance(lab.screen, LiveScreen)
            (call,) = house.coordinator.started
            assert (call["jobs"], call["threads"]) == (2, 3)
            assert call["data_dir"] == house.home / "data"
            assert not call["tied"]
            spec = load(call["experiment"].folder).spec
            assert spec == Spec(epsilon=0.25, runs=3, epochs=15)
            for process in house.coordinator.processes:
                process.status = 0
        (call["experiment"].folder / "lock").unlink()

        again = house.lab(z=5)
        async with opened(again, SMALL) as pilot:
            assert isinstance(again.screen, SetupScreen)
            values = {
                name: again.screen.query_one(f"#{name}", Input).value
                for name in ("epsilon", "runs", "jobs", "threads", "z")
            }
            # What the shell asks for, and nothing that is remembered,
            assert values == {"epsilon": "0.1", "runs": "12", "jobs": "", "threads": "", "z": "5"}
            # which is offered.
            assert shown(again, "last") == (
                "last time: Epsilon 0.25, Z, largest K 7, Runs 3, Runs at a time 2, Threads a run 3 (ctrl+l)"
            )
            await until(pilot, lambda: shown(again, "why-z") == "last time 7")
            await pilot.press("ctrl+l")
            taken = {name: again.screen.query_one(f"#{name}", Input).value for name in values}
            assert taken == {"epsilon": "0.25", "runs": "3", "jobs": "2", "threads": "3", "z": "7"}
            assert again.screen.query_one("#epochs", Input).value == ""
            await until(pilot, lambda: shown(again, "last").startswith("before: Epsilon 0.1, Z, largest K 5"))
            await pilot.press("ctrl+l")
            assert {name: again.screen.query_one(f"#{name}", Input).value for name in values} == values

    @pytest.mark.slow
    async def test_a_stored_result_of_the_same_spec_is_shown_and_nothing_computed(self, house: House) -> None:
        lab = house.lab(runs=2)
        async with opened(lab, SMALL) as pilot:
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "✓ complete  2/2 runs" in text_of(lab))
            await pilot.press("escape")
            await pilot.pause()
            assert isinstance(lab.screen, SetupScreen)
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "✓ complete  2/2 runs" in text_of(lab))
            assert "Already complete" in notices(lab)
        assert len(house.coordinator.started) == 1

    async def test_a_relative_path_is_remembered_in_full(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own = write_npz(house.folder / "own.npz", images=40)
        monkeypatch.chdir(house.folder)
        monkeypatch.setattr("tui_aefit.lab.coordinators.start_coordinator", _refuse)
        lab = house.lab(dataset="own.npz")
        async with opened(lab, SMALL) as pilot:
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "no processes today" in notices(lab))
            assert isinstance(lab.screen, SetupScreen)
        assert load_preferences(house.home).words["dataset"] == str(own)


class TestCopy:
    async def test_the_command_is_copied_and_written_to_a_file(self, house: House) -> None:
        lab = house.lab(runs=4)
        async with opened(lab, SMALL) as pilot:
            await write(pilot, "epsilon", "0.125")
            await pilot.press("ctrl+y")
            await pilot.pause()
            line = (house.home / COMMAND_FILE).read_text()
            assert lab.clipboard == line.rstrip("\n")
            assert str(house.home / COMMAND_FILE) in notices(lab)
            command, batch, *words = shlex.split(line)
            assert (command, batch) == ("aefit-tui", "--batch")
            settings = Settings(given_settings(parse(words)), environment={}, folder=house.folder)
            assert (settings.spec().epsilon, settings.spec().runs, settings.home) == (0.125, 4, house.home)
            (house.home / COMMAND_FILE).unlink()

            await write(pilot, "epsilon", "9")
            await pilot.press("ctrl+y")
            await pilot.pause()
            assert "There is no such command" in notices(lab)
        assert not (house.home / COMMAND_FILE).exists()


def _refuse(*_: Any, **__: Any) -> None:
    from core.errors import ExperimentError

    raise ExperimentError("no processes today", "try tomorrow")
