"""The footer shows the keys of the moment; neither its old keys nor a screen that was left stay in memory."""

from __future__ import annotations

import gc
import time
from weakref import ref

import pytest
from textual.widgets._footer import FooterKey

from core.records.experiment import Experiment
from tests.fakes.experiments import end, make_experiment
from tests.fakes.lab import House, opened, text_of, until
from tui_aefit.lab.app import Lab
from tui_aefit.lab.screens.experiments import ExperimentsScreen
from tui_aefit.lab.screens.live import LiveScreen
from tui_aefit.lab.widgets.live.accuracy_table import AccuracyTable
from tui_aefit.lab.widgets.live.statistics_table import StatisticsTable

SMALL = (80, 24)


@pytest.fixture
def running(house: House) -> Experiment:
    return make_experiment(house.home, state="running", runs=3, complete=1, now=time.time())


def keys(lab: Lab) -> list[FooterKey]:
    return list(lab.screen.query(FooterKey))


def gone(*kept: ref[FooterKey] | ref[LiveScreen]) -> bool:
    gc.collect()
    return not any(one() for one in kept)


async def test_the_footer_is_made_anew_for_other_keys_only(house: House, running: Experiment) -> None:
    lab = house.lab()
    async with opened(lab, SMALL) as pilot:
        await until(pilot, lambda: "s Stop" in text_of(lab).splitlines()[-1])
        before = keys(lab)
        for key, widget in (("4", AccuracyTable), ("6", StatisticsTable)):
            await pilot.press(key)
            await until(pilot, lambda widget=widget: isinstance(lab.focused, widget))  # type: ignore[misc]
            await pilot.pause(0.1)
            assert keys(lab) == before
        end(running, "cancelled")
        await until(pilot, lambda: "r Resume" in text_of(lab).splitlines()[-1])
        assert "s Stop" not in text_of(lab).splitlines()[-1]
        assert keys(lab) != before


@pytest.mark.slow
async def test_keys_that_are_shown_no_longer_are_let_go_of(house: House, running: Experiment) -> None:
    lab = house.lab()
    async with opened(lab, SMALL) as pilot:
        await until(pilot, lambda: "s Stop" in text_of(lab).splitlines()[-1])
        shown = [ref(key) for key in keys(lab)]
        assert len(shown) > 4
        end(running, "cancelled")
        await until(pilot, lambda: "r Resume" in text_of(lab).splitlines()[-1])
        await until(pilot, lambda: gone(*shown))


@pytest.mark.slow
async def test_a_live_screen_that_was_left_is_let_go_of(house: House, running: Experiment) -> None:
    lab = house.lab()
    async with opened(lab, SMALL) as pilot:
        await until(pilot, lambda: "1/3 runs" in text_of(lab))
        assert isinstance(lab.screen, LiveScreen)
        left = ref(lab.screen)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(lab.screen, ExperimentsScreen))
        await until(pilot, lambda: gone(left))
