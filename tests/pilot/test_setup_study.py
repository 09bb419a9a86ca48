"""A study set up in the form by keys: lists, several of a choice, what is said of it, what start makes of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static

from core.records.starting import How
from core.records.study import Study, load_study, study_folders
from core.spec.spec import Spec
from tests.fakes.experiments import make_experiment_of
from tests.fakes.lab import House, Process, notices, opened, text_of, until
from tests.fakes.studies import make_study
from tui_aefit.lab.app import Lab
from tui_aefit.lab.preferences import load_preferences
from tui_aefit.lab.screens.choose_some import ChooseSome
from tui_aefit.lab.screens.setup import SetupScreen
from tui_aefit.lab.screens.study import StudyScreen
from tui_aefit.shell.options import given_settings, parse
from tui_aefit.shell.settings import Settings

SMALL, LARGE = (80, 24), (140, 45)


@dataclass
class Supervisors:
    """In the place of `start_supervisor`: notes what it was asked for, and computes nothing."""

    started: list[tuple[str, How]] = field(default_factory=list)

    def __call__(self, study: Study, how: How, *, tied: bool) -> Process:
        assert not tied
        self.started.append((study.name, how))
        return Process()


@pytest.fixture
def supervisors(monkeypatch: pytest.MonkeyPatch) -> Supervisors:
    found = Supervisors()
    monkeypatch.setattr("tui_aefit.lab.coordinators.start_supervisor", found)
    return found


def shown(lab: Lab, name: str) -> str:
    """What a line of the form says."""
    return str(lab.screen.query_one(f"#{name}", Static).content)


def value(lab: Lab, name: str) -> str:
    found = lab.screen.query_one(f"#{name}")
    assert isinstance(found, Input | Select)
    return str(found.value)


async def type_into(pilot: Pilot[None], name: str, word: str) -> None:
    """Type a word into a field, in place of what it holds."""
    field = pilot.app.screen.query_one(f"#{name}", Input)
    field.focus()
    field.value = ""
    await pilot.pause()
    names = {",": "comma", ".": "full_stop", " ": "space", "-": "minus"}
    await pilot.press(*(names.get(letter, letter) for letter in word))
    await pilot.pause()


async def choose_several(pilot: Pilot[None], name: str, *places: int) -> None:
    """Mark these places of a field's list, and no others, in the list that a comma opens."""
    pilot.app.screen.query_one(f"#{name}", Select).focus()
    await pilot.press("comma")
    await until(pilot, lambda: isinstance(pilot.app.screen, ChooseSome))
    await pilot.press("a", "a", "home", "space")  # the first alone, then nothing
    for place in places:
        await pilot.press("home", *["down"] * place, "space")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, SetupScreen))


def combinations(study: Study) -> set[tuple[str, float]]:
    return {(cell.spec.attack, cell.spec.epsilon) for cell in study.cells if cell.spec is not None}


class TestTyping:
    async def test_a_comma_makes_a_study_and_its_fields(self, house: House) -> None:
        lab = house.lab(dataset="digits", runs=2)
        async with opened(lab, SMALL) as pilot:
            assert "Study" not in text_of(lab)
            await type_into(pilot, "epsilon", "0.05, 0.1")
            await until(pilot, lambda: shown(lab, "count") == "2 experiments · 4 runs")
            await until(pilot, lambda: "+ 2 new" in text_of(lab))
            await until(
                pilot, lambda: shown(lab, "hint").endswith("several with commas between them make a study")
            )
            lines = text_of(lab).splitlines()
            (study,) = (line for line in lines if line.strip().startswith("Study"))
            assert "digits-epsilon-" in study
            assert "Lists" not in text_of(lab)
            assert "4 runs share 2 splits and 2 surrogates, each made once" in text_of(lab)
            grid = [line.split() for line in lines if line.strip().startswith(("epsilon", "+", "…"))]
            assert ["epsilon", "0.05", "0.1"] in grid
            await type_into(pilot, "z", "3,5")
            await until(pilot, lambda: shown(lab, "count") == "4 experiments · 8 runs")
            assert "Lists" in text_of(lab)
            # What is one experiment again has none of these.
            await type_into(pilot, "z", "3")
            await type_into(pilot, "epsilon", "0.1")
            await until(pilot, lambda: "Study" not in text_of(lab) and "Lists" not in text_of(lab))
            await until(pilot, lambda: shown(lab, "count") == "1 experiment · 2 runs")

    @pytest.mark.slow
    async def test_what_is_wrong_in_a_list_is_said_beside_it(self, house: House) -> None:
        lab = house.lab(dataset="digits")
        async with opened(lab, SMALL) as pilot:
            await type_into(pilot, "epsilon", "0.05,")
            await until(
                pilot, lambda: shown(lab, "why-epsilon") == "✗ expected a value before and after each comma"
            )
            await pilot.press("2")
            await until(
                pilot,
                lambda: shown(lab, "why-epsilon").startswith(
                    "✗ 2.0: expected a number above 0 and at most 1"
                ),
            )
            await type_into(pilot, "epsilon", "0.05,0.1")
            await until(pilot, lambda: shown(lab, "why-epsilon") == "")
            await type_into(pilot, "name", "No Name")
            await until(
                pilot, lambda: shown(lab, "why-name").startswith("✗ expected at most 80 lower-case letters")
            )
            lab.screen.query_one("#runs").focus()
            await pilot.press("ctrl+s")
            await pilot.pause()
            await until(pilot, lambda: lab.focused is lab.screen.query_one("#name"))
            assert "Study is not possible" in notices(lab)
        assert study_folders(house.home) == []

    @pytest.mark.slow
    async def test_lists_can_be_paired(self, house: House) -> None:
        lab = house.lab(dataset="digits", runs=1)
        async with opened(lab, SMALL) as pilot:
            await type_into(pilot, "epsilon", "0.05,0.1,0.2")
            await type_into(pilot, "z", "3,5")
            await until(pilot, lambda: bool(lab.screen.query("#pair")))
            lab.screen.query_one("#pair").focus()
            await pilot.press("enter", "down", "enter")
            await until(pilot, lambda: "to be paired" in shown(lab, "problems"))
            await type_into(pilot, "z", "3,5,7")
            await until(pilot, lambda: shown(lab, "count") == "3 experiments · 3 runs")
            await until(pilot, lambda: "--pair" in shown(lab, "command"))

    @pytest.mark.slow
    async def test_of_very_many_the_form_waits_for_the_next_letter(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tui_aefit.lab.screens.setup.MANY", 3)
        lab = house.lab(dataset="digits", runs=1)
        async with opened(lab, SMALL) as pilot:
            await type_into(pilot, "epsilon", "0.1,0.2,0.3,0.4")
            await until(pilot, lambda: shown(lab, "count") == "4 experiments · 4 runs")
            await type_into(pilot, "epsilon", "0.1,0.2")
            await until(pilot, lambda: shown(lab, "count") == "2 experiments · 2 runs")


class TestChoosing:
    async def test_several_of_a_list_are_marked_and_their_options_are_fields(self, house: House) -> None:
        lab = house.lab(dataset="digits", runs=1)
        async with opened(lab, SMALL) as pilot:
            await choose_several(pilot, "attack", 0, 4)
            await until(pilot, lambda: "fgsm, pgd" in text_of(lab))
            assert value(lab, "attack") == "fgsm,pgd"
            await until(pilot, lambda: "PGD steps" in text_of(lab))
            await until(pilot, lambda: shown(lab, "count") == "2 experiments · 2 runs")
            # Marked again, it begins with what is chosen; one alone is a choice as any.
            await pilot.press("comma")
            await until(pilot, lambda: isinstance(lab.screen, ChooseSome) and "✓ pgd" in text_of(lab))
            await pilot.press("home", "space", "enter")
            await until(pilot, lambda: value(lab, "attack") == "pgd")
            await until(pilot, lambda: shown(lab, "count") == "1 experiment · 1 run")

    async def test_the_list_itself_offers_several(self, house: House) -> None:
        lab = house.lab(dataset="digits", runs=1)
        async with opened(lab, SMALL) as pilot:
            lab.screen.query_one("#dataset").focus()
            await pilot.press("enter", "end", "up", "enter")  # before a path of one's own
            await until(pilot, lambda: isinstance(lab.screen, ChooseSome))
            assert "Data set: each makes an experiment of its own" in text_of(lab)
            await pilot.press("home", "space", "enter")
            await until(pilot, lambda: value(lab, "dataset") == "mnist-5k,digits")
            await until(pilot, lambda: shown(lab, "count") == "2 experiments · 2 runs")

    async def test_whoever_leaves_the_marks_has_what_was_there(self, house: House) -> None:
        lab = house.lab(dataset="digits")
        async with opened(lab, SMALL) as pilot:
            lab.screen.query_one("#attack").focus()
            await pilot.press("enter", "end", "enter")
            await until(pilot, lambda: isinstance(lab.screen, ChooseSome))
            await pilot.press("down", "space", "escape")
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))
            assert value(lab, "attack") == "fgsm"

    async def test_what_can_be_only_one_offers_no_several(self, house: House) -> None:
        lab = house.lab(dataset="digits")
        async with opened(lab, SMALL) as pilot:
            lab.screen.query_one("#device").focus()
            await pilot.press("comma")
            await pilot.pause()
            assert isinstance(lab.screen, SetupScreen)

    async def test_a_data_set_that_is_not_here_is_named(self, house: House) -> None:
        lab = house.lab(dataset="digits,mnist")
        async with opened(lab, SMALL):
            assert "aefit-tui data fetch mnist" in shown(lab, "why-dataset")


class TestWhatThereIs:
    @pytest.mark.slow
    async def test_the_grid_shows_what_exists_and_the_study_of_that_name_can_be_opened(
        self, house: House
    ) -> None:
        make_study(
            house.home, {"epsilon": [0.05, 0.1]}, dataset="digits", attack="fgsm", name="paper", epochs=60
        )
        spec = Spec(dataset="digits", epsilon=0.2, runs=3, epochs=60)
        make_experiment_of(house.home, spec, state="interrupted")
        lab = Lab(
            house.lab(dataset="digits", runs=3, epochs=60, epsilon="0.05,0.1,0.2,0.3")._settings,
            study="paper",
        )
        async with opened(lab, SMALL) as pilot:
            await until(pilot, lambda: "✓ 2 complete · ◐ 1 interrupted · + 1 new" in text_of(lab))
            await until(
                pilot,
                lambda: "paper has 2 experiments, ctrl+s adds 2, ctrl+o opens it" in shown(lab, "standing"),
            )
            (glyphs,) = (line.split() for line in shown(lab, "grid").splitlines()[1:])
            assert glyphs == ["✓", "✓", "◐", "+"]
            await pilot.press("ctrl+o")
            await until(pilot, lambda: isinstance(lab.screen, StudyScreen))


class TestStart:
    async def test_it_makes_the_study_that_batch_makes_and_opens_it(
        self, house: House, supervisors: Supervisors
    ) -> None:
        lab = house.lab(dataset="digits")
        async with opened(lab, SMALL) as pilot:
            await type_into(pilot, "epsilon", "0.05,0.1")
            await choose_several(pilot, "attack", 0, 4)
            await type_into(pilot, "runs", "2")
            await type_into(pilot, "name", "mine")
            lab.screen.query_one("#jobs", Input).value = "3"
            await until(pilot, lambda: shown(lab, "count") == "4 experiments · 8 runs")
            line = shown(lab, "command").removeprefix("$ ")
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(lab.screen, StudyScreen))
        ((name, how),) = supervisors.started
        assert (name, how.jobs, how.threads * how.jobs) == ("mine", 3, how.limit)
        study = load_study(house.home / "studies" / "mine")
        assert combinations(study) == {(attack, eps) for attack in ("fgsm", "pgd") for eps in (0.05, 0.1)}
        options = vars(parse(shlex.split(line)[2:]))
        asked = Settings(given_settings(parse(shlex.split(line)[2:])), environment={}, folder=house.folder)
        assert options["name"] == "mine"
        assert {spec.digest for spec in asked.specs()} == {
            cell.spec.digest for cell in study.cells if cell.spec is not None
        }
        words = load_preferences(house.home).words
        assert (words["epsilon"], words["attack"], words["name"]) == ("0.05,0.1", "fgsm,pgd", "mine")

    @pytest.mark.slow
    async def test_what_was_started_last_is_offered(self, house: House, supervisors: Supervisors) -> None:
        lab = house.lab(dataset="digits", epsilon="0.05,0.1", attack="fgsm,pgd", runs=1)
        async with opened(lab, SMALL) as pilot:
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(lab.screen, StudyScreen))
        again = house.lab(dataset="digits", runs=1)
        async with opened(again, SMALL) as pilot:
            await until(pilot, lambda: "last time: Attack fgsm,pgd, Epsilon 0.05,0.1" in shown(again, "last"))
            await pilot.press("ctrl+l")
            await until(pilot, lambda: shown(again, "count") == "4 experiments · 4 runs")
            assert value(again, "attack") == "fgsm,pgd"
            await pilot.press("ctrl+l")
            await until(pilot, lambda: shown(again, "count") == "1 experiment · 1 run")

    @pytest.mark.slow
    async def test_one_that_is_complete_is_opened_and_nothing_computed(
        self, house: House, supervisors: Supervisors
    ) -> None:
        make_study(
            house.home, {"epsilon": [0.05, 0.1]}, dataset="digits", attack="fgsm", name="paper", epochs=60
        )
        lab = Lab(house.lab(dataset="digits", runs=3, epochs=60, epsilon="0.05,0.1")._settings, study="paper")
        async with opened(lab, SMALL, notifications=True) as pilot:
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(lab.screen, StudyScreen))
            assert "Already complete" in notices(lab)
        assert supervisors.started == []

    async def test_a_study_that_cannot_be_started_is_told_of_and_none_is_made(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            from core.errors import StudyError

            raise StudyError("no room for it", "make some")

        monkeypatch.setattr("tui_aefit.lab.running.save_study", refuse)
        lab = house.lab(dataset="digits", epsilon="0.05,0.1")
        async with opened(lab, SMALL, notifications=True) as pilot:
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "no room for it" in notices(lab))
            assert isinstance(lab.screen, SetupScreen)


class TestWhatTheShellAskedFor:
    async def test_lists_names_and_pairs_fill_the_form(self, house: House) -> None:
        settings = house.lab(dataset="digits", attack="fgsm,pgd", epsilon="0.05,0.1", runs=2)._settings
        lab = Lab(settings, study="mine", paired=True)
        async with opened(lab, SMALL, notifications=True):
            found = {name: value(lab, name) for name in ("dataset", "attack", "epsilon", "pair", "name")}
            assert found == {
                "dataset": "digits", "attack": "fgsm,pgd", "epsilon": "0.05,0.1", "pair": "paired", "name": "mine",
            }  # fmt: skip
            assert shown(lab, "count") == "2 experiments · 4 runs"
            assert notices(lab) == ""

    async def test_a_list_in_the_fold_and_one_with_a_path_are_there_too(self, house: House) -> None:
        own = house.folder / "images"
        own.mkdir()
        lab = house.lab(dataset=f"digits,{own}", seed="1,2", runs=1)
        async with opened(lab, SMALL) as pilot:
            assert lab.screen.query_one("#dataset-path", Input).value == f"digits,{own}"
            assert lab.screen.query_one("#seed", Input).value == "1,2"
            await until(pilot, lambda: shown(lab, "count") == "4 experiments · 4 runs")

    async def test_cases_of_a_studys_file_are_said_to_be_for_batch(self, house: House) -> None:
        path = house.folder / "study.toml"
        path.write_text('[base]\ndataset = "digits"\n[[case]]\nepsilon = 0.1\n[[case]]\nepsilon = 0.2\n')
        settings = Settings({"home": str(house.home)}, environment={}, folder=house.folder, study=path)
        lab = Lab(settings)
        async with opened(lab, SMALL, notifications=True) as pilot:
            await until(pilot, lambda: "the form takes no cases" in notices(lab))
            assert value(lab, "dataset") == "digits"
