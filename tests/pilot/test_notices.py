"""What the lab says beside its screens: where notices stand, and the picture of a screen that is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Tabs
from textual.widgets._toast import Toast

from tests.fakes.experiments import make_experiment
from tests.fakes.lab import House, notices, opened, text_of, until
from tui_aefit.lab.app import TOAST_SECONDS, Lab
from tui_aefit.lab.messages import OpenExperiment

LONG = "it did not work for a reason that takes more than one line; do something about it and try again " * 2


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 45)])
async def test_notices_stand_at_the_right_below_title_and_tabs(house: House, size: tuple[int, int]) -> None:
    experiment = make_experiment(house.home, state="complete", runs=3)
    lab = house.lab(experiment)
    async with opened(lab, size, notifications=True) as pilot:
        await until(pilot, lambda: "✓ complete" in text_of(lab))
        title = text_of(lab).splitlines()[0]
        lab.notify("done", title="A thing")
        lab.notify(LONG, severity="error")
        await until(pilot, lambda: len(lab.screen.query(Toast)) == 2)
        await pilot.pause()
        regions = [toast.region for toast in lab.screen.query(Toast)]
        for region in regions:
            assert not any(tabs.region.overlaps(region) for tabs in lab.screen.query(Tabs))
            assert region.right >= size[0] - 3
            assert region.x >= 0
        assert regions[0].height == 1
        assert text_of(lab).splitlines()[0] == title
        assert "A thing: done" in text_of(lab)


async def test_an_error_stays_longer_than_what_went_well(house: House) -> None:
    assert TOAST_SECONDS["information"] < TOAST_SECONDS["warning"] < TOAST_SECONDS["error"]
    lab = house.lab()
    async with opened(lab, (80, 24)) as pilot:
        lab.notify("done", title="[b]")
        lab.notify("broken", severity="error")
        lab.notify("slowly", timeout=60)
        await until(pilot, lambda: len(lab._notifications) == 3)
        told = [(one.message, one.timeout) for one in lab._notifications]
        assert told == [("\\[b]: done", 4), ("broken", 15), ("slowly", 60)]


async def written(lab: Lab, house: House) -> Path:
    """The picture that the palette's command writes, which a notice names."""
    async with opened(lab, (80, 24)) as pilot:
        if lab._first is not None:
            lab.post_message(OpenExperiment(lab._first))
            await until(pilot, lambda: "3/3 runs" in text_of(lab))
        (command,) = (one for one in lab.get_system_commands(lab.screen) if one.title == "Screenshot")
        command.callback()
        await until(pilot, lambda: "picture of the screen: " in notices(lab))
        return Path(notices(lab).partition("picture of the screen: ")[2].splitlines()[0])


async def test_a_picture_of_the_screen_lies_among_the_exports_of_what_is_looked_at(house: House) -> None:
    experiment = make_experiment(house.home, state="complete", runs=3)
    path = await written(house.lab(experiment), house)
    assert path.parent == experiment.folder / "exports"
    text = path.read_text(encoding="utf-8")
    assert text.lstrip().startswith("<svg")
    assert "complete" in text


async def test_without_an_experiment_a_picture_lies_in_the_home(house: House) -> None:
    path = await written(house.lab(), house)
    assert path.parent == house.home / "exports"


async def test_a_picture_that_cannot_be_written_is_said_not_to_be(house: House) -> None:
    house.home.mkdir(exist_ok=True)
    (house.home / "exports").write_text("in the way")
    lab = house.lab()
    async with opened(lab, (80, 24)) as pilot:
        lab.deliver_screenshot()
        await until(pilot, lambda: f"cannot write {house.home / 'exports'}" in notices(lab))
