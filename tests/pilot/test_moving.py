"""Moving about by the keys of vi, lazygit and k9s; from experiment to experiment, and back to where one was."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from textual._styles_cache import StylesCache
from textual.command import CommandPalette
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, OptionList

from core.records.experiment import Experiment
from core.spec.command import batch_command
from tests.fakes.experiments import make_experiment
from tests.fakes.lab import House, notices, opened, text_of, until
from tests.fakes.studies import make_study
from tui_aefit.lab.app import Lab
from tui_aefit.lab.screens.choose_order import ChooseOrder
from tui_aefit.lab.screens.experiments import ExperimentsScreen
from tui_aefit.lab.screens.export import Export
from tui_aefit.lab.screens.help import HelpScreen
from tui_aefit.lab.screens.live import LiveScreen
from tui_aefit.lab.screens.setup import SetupScreen
from tui_aefit.lab.screens.study import StudyScreen
from tui_aefit.lab.widgets.experiments_table import ExperimentsTable

SMALL = (80, 24)
MANY = 6


@pytest.fixture
def made(house: House) -> list[Experiment]:
    """Experiments at rest, in the order of the list: the newest first."""
    now = time.time()
    return [
        make_experiment(
            house.home, state="created", runs=3, epsilon=(1 + place) / 100, now=now - 1000 * place
        )
        for place in range(MANY)
    ]


@asynccontextmanager
async def listed(house: House) -> AsyncIterator[tuple[Lab, Pilot[None]]]:
    """The list of all experiments."""
    lab = house.lab()
    async with opened(lab, SMALL) as pilot:
        await pilot.press("escape", "e")
        await until(pilot, lambda: f"Experiments: {MANY}" in text_of(lab) and "⏎ Open" in text_of(lab))
        yield lab, pilot


def chosen(lab: Lab) -> str:
    """The id under the cursor of the list."""
    found = (
        lab.screen.query_one(ExperimentsTable).chosen if isinstance(lab.screen, ExperimentsScreen) else None
    )
    return found.id if found is not None else ""


def watched(lab: Lab) -> str:
    """The id of the experiment in front."""
    return lab.screen.experiment.id if isinstance(lab.screen, LiveScreen) else ""


def is_chosen(lab: Lab, id: str) -> bool:
    return chosen(lab) == id


def is_watched(lab: Lab, id: str) -> bool:
    return watched(lab) == id


async def test_letters_move_as_the_arrows_do(house: House, made: list[Experiment]) -> None:
    ids = [experiment.id for experiment in made]
    async with listed(house) as (lab, pilot):
        for key, place in (("j", 1), ("j", 2), ("k", 1), ("G", MANY - 1), ("g", 0)):
            await pilot.press(key)
            await until(pilot, partial(is_chosen, lab, ids[place]))
        await pilot.press("ctrl+d")
        await until(pilot, lambda: chosen(lab) == ids[-1])
        await pilot.press("ctrl+u")
        await until(pilot, lambda: chosen(lab) == ids[0])


async def test_where_something_is_typed_they_are_letters(house: House, made: list[Experiment]) -> None:
    async with listed(house) as (lab, pilot):
        await pilot.press("slash", *"jkG:")
        await until(pilot, lambda: lab.screen.query_one("#filter", Input).value == "jkG:")


@pytest.mark.slow
async def test_dialogs_and_the_help_follow_them_too(house: House, made: list[Experiment]) -> None:
    async with listed(house) as (lab, pilot):
        await pilot.press("x")
        await until(pilot, lambda: isinstance(lab.screen, Export) and lab.screen.query("#choices"))
        before = lab.screen.query_one(OptionList).highlighted
        await pilot.press("j")
        await until(pilot, lambda: lab.screen.query_one(OptionList).highlighted == (before or 0) + 1)
        await pilot.press("escape", "question_mark")
        await until(pilot, lambda: isinstance(lab.screen, HelpScreen) and "Keys" in text_of(lab))
        await pilot.press("G")
        await until(pilot, lambda: lab.screen.query_one(VerticalScroll).scroll_y > 0)


async def test_a_colon_opens_the_palette_as_its_own_key_does(house: House) -> None:
    lab = house.lab()
    async with opened(lab, SMALL) as pilot:
        await pilot.press("escape")
        for key in ("colon", "ctrl+p"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(lab.screen, CommandPalette))
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))


async def test_back_leads_to_where_an_experiment_was_opened(house: House, made: list[Experiment]) -> None:
    async with listed(house) as (lab, pilot):
        await pilot.press("j", "enter")
        await until(pilot, lambda: watched(lab) == made[1].id)
        await pilot.press("escape")
        await until(pilot, lambda: chosen(lab) == made[1].id)


@pytest.mark.slow
async def test_back_from_an_experiment_of_a_study_is_the_study(house: House) -> None:
    make_study(house.home, states=["complete"])
    lab = house.lab()
    async with opened(lab, SMALL) as pilot:
        await pilot.press("escape", "E")
        await until(pilot, lambda: "Studies: 1" in text_of(lab) and "⏎ Open" in text_of(lab))
        await pilot.press("enter")
        await until(
            pilot,
            lambda: (isinstance(lab.screen, StudyScreen) and "▸" in text_of(lab)) or "[" in text_of(lab),
        )
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(lab.screen, LiveScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(lab.screen, StudyScreen))


@pytest.mark.slow
async def test_the_next_experiment_of_the_list_without_the_list(house: House, made: list[Experiment]) -> None:
    async with listed(house) as (lab, pilot):
        await pilot.press("slash", *"epsilon>0.03", "enter", "enter")
        await until(pilot, lambda: watched(lab) == made[3].id)
        for key, place in (("greater_than_sign", 4), ("greater_than_sign", 5), ("less_than_sign", 4)):
            await pilot.press(key)
            await until(pilot, partial(is_watched, lab, made[place].id))
        await pilot.press("escape")
        await until(pilot, lambda: chosen(lab) == made[4].id)


async def test_beyond_the_end_there_is_none_which_is_said(house: House, made: list[Experiment]) -> None:
    lab = house.lab(made[-1])
    async with opened(lab, SMALL) as pilot:
        await until(pilot, lambda: watched(lab) == made[-1].id)
        await pilot.press("greater_than_sign")
        await until(pilot, lambda: f"this is the last of {MANY} in the list" in notices(lab))
        await pilot.press("less_than_sign")
        await until(pilot, lambda: watched(lab) == made[-2].id)


async def test_the_column_that_sorts_is_chosen(house: House, made: list[Experiment]) -> None:
    async with listed(house) as (lab, pilot):
        for expected in (made[0], made[-1]):  # the smallest epsilon first, then the largest
            await pilot.press("S")
            await until(pilot, lambda: isinstance(lab.screen, ChooseOrder) and lab.screen.query("#keys"))
            options = lab.screen.query_one(OptionList)
            options.highlighted = options.get_option_index("epsilon")
            await pilot.press("enter", "g")
            await until(pilot, partial(is_chosen, lab, expected.id))


@pytest.mark.slow
async def test_the_commands_of_the_marked_are_copied(house: House, made: list[Experiment]) -> None:
    async with listed(house) as (lab, pilot):
        await pilot.press("ctrl+y")
        await until(pilot, lambda: lab.clipboard == batch_command(made[0].spec))
        await pilot.press("space", "space", "ctrl+y")
        both = "\n".join(batch_command(experiment.spec) for experiment in made[:2])
        await until(pilot, lambda: lab.clipboard == both)
        assert "2 commands copied" in notices(lab)
        await pilot.press("u", "g", "enter")
        await until(pilot, lambda: watched(lab) == made[0].id)
        await pilot.press("ctrl+y")
        await until(pilot, lambda: lab.clipboard == batch_command(made[0].spec))


@pytest.mark.slow
async def test_nothing_is_kept_of_screens_that_were_left(house: House, made: list[Experiment]) -> None:
    """Textual has a cache of its own for each widget: of those that are gone there is none."""
    async with listed(house) as (lab, pilot):
        before = drawings_without_a_widget()
        for experiment in made[:2]:
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(lab.screen, LiveScreen) and "9 Verdict" in text_of(lab))
            await pilot.press("escape")
            await until(pilot, partial(is_chosen, lab, experiment.id))
            await pilot.press("j")
        await until(pilot, lambda: drawings_without_a_widget() <= before)


def drawings_without_a_widget() -> int:
    """How many more drawings of widgets there are than widgets, those of earlier tests among them."""
    gc.collect()
    alive = gc.get_objects()
    drawn = sum(isinstance(one, StylesCache) for one in alive)
    return drawn - sum(isinstance(one, Widget) for one in alive)
