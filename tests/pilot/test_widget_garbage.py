"""What is left of a screen that was left: nothing."""

from __future__ import annotations

import gc
import sys
from weakref import ref

import pytest
from rich.color import Color
from textual._styles_cache import StylesCache
from textual.app import App
from textual.filter import ANSIToTruecolor
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tests.fakes.arrays import add_gallery
from tests.fakes.experiments import make_experiment
from tests.fakes.lab import House, opened, text_of, until
from tui_aefit.lab import widget_garbage
from tui_aefit.lab.app import Lab
from tui_aefit.lab.screens import GalleryScreen, LiveScreen
from tui_aefit.lab.widgets.picture import Pictures

SIZE = (120, 40)


@pytest.fixture
def any_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else this process holds does not matter."""
    for name in ("GROWN", "GROWN_OF_MANY"):
        monkeypatch.setattr(widget_garbage, name, -1.0)


async def _see_gallery(pilot: Pilot[None]) -> tuple[ref[Screen[object]], ref[Widget]]:
    """Open an experiment's gallery; the screen and its pictures, not held."""
    await pilot.press("g")
    await until(
        pilot, lambda: isinstance(pilot.app.screen, GalleryScreen) and "true label" in text_of(pilot.app)
    )
    return ref(pilot.app.screen), ref(pilot.app.screen.query_one(Pictures))


async def _leave(pilot: Pilot[None]) -> None:
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(pilot.app.screen, LiveScreen))


def _lab(house: House) -> Lab:
    experiment = make_experiment(house.home, runs=2)
    add_gallery(experiment, 0)
    return house.lab(experiment)


@pytest.mark.usefixtures("any_growth")
@pytest.mark.slow
async def test_a_screen_that_was_left_is_gone_with_its_widgets(house: House) -> None:
    async with opened(_lab(house), SIZE) as pilot:
        screen, pictures = await _see_gallery(pilot)
        gc.disable()  # so that nobody else lets go of them
        try:
            await _leave(pilot)
            await until(pilot, lambda: screen() is None and pictures() is None)
        finally:
            gc.enable()


@pytest.mark.usefixtures("any_growth")
async def test_typing_puts_the_look_for_garbage_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widget_garbage, "QUIET_SECONDS", 3600)
    lab = _lab(house)
    async with opened(lab, SIZE) as pilot:
        await _see_gallery(pilot)
        await _leave(pilot)
        timer = lab._widget_garbage._waiting
        assert timer is not None
        timer._reset = False
        await pilot.press("4")
        assert lab._widget_garbage._waiting is timer
        assert timer._reset


@pytest.mark.parametrize(
    ("kept", "grown", "looks"),
    [(1_000_000, 1.01, 1), (1_000_000, 1.03, 2), (2_000_000, 1.2, 1), (2_000_000, 1.3, 2)],
)
def test_only_what_has_grown_is_looked_through(
    monkeypatch: pytest.MonkeyPatch, kept: int, grown: float, looks: int
) -> None:
    """kept: objects that the first look leaves. grown: how many there are before the second, as a share of them."""
    blocks, looked = [1000], []
    monkeypatch.setattr(gc, "collect", lambda: looked.append(1))
    monkeypatch.setattr(sys, "getallocatedblocks", lambda: blocks[0])
    one = widget_garbage.WidgetGarbage(App())
    blocks[0] = kept
    one._look()
    blocks[0] = round(kept * grown)
    one._look()
    assert len(looked) == looks


async def test_no_cache_of_what_was_drawn_is_left_full(house: House) -> None:
    caches = (
        StylesCache.get_inner_outer,
        Strip.render_ansi,
        ANSIToTruecolor.truecolor_style,
        Color.get_ansi_codes,
        Color.downgrade,
    )
    async with opened(_lab(house), SIZE) as pilot:
        await _see_gallery(pilot)
        assert StylesCache.get_inner_outer.cache_info().currsize
    widget_garbage.forget_what_was_drawn()
    assert [cache.cache_info().currsize for cache in caches] == [0] * len(caches)
