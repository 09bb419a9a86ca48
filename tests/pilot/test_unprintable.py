"""Whatever an experiment is called, no screen and no dialog of the lab gives it to the terminal as it is."""

from __future__ import annotations

import time

import pytest

from core.records.annotations import Annotations, write_annotations
from core.records.experiment import load
from tests.fakes.experiments import make_experiment
from tests.fakes.lab import House, notices, opened, text_of, until
from tui_aefit.lab.screens.dialog import Dialog

WIDE = (120, 30)
NAME = "evil\x1b]0;OWNED\x07\u202e"


@pytest.mark.slow
async def test_a_name_that_a_terminal_would_obey(house: House) -> None:
    made = make_experiment(house.home, state="interrupted", runs=3, now=time.time())
    folder = made.folder.rename(made.folder.with_name(NAME))
    write_annotations(folder, Annotations(label=NAME, tags=(NAME,), notes=NAME))
    lab = house.lab()
    seen = []

    def look(text: str) -> bool:
        screen = text_of(lab)
        assert screen.replace("\n", "").isprintable()
        seen.append(screen)
        return text in screen

    async with opened(lab, WIDE, notifications=True) as pilot:
        await pilot.press("escape", "e")
        await until(pilot, lambda: look("OWNED") and look("Open"))
        for key in ("d", "a", "t", "o", "x"):
            await pilot.press(key)
            await until(pilot, lambda: look("OWNED") and isinstance(lab.screen, Dialog))
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(lab.screen, Dialog))
        await pilot.press("ctrl+y")
        await until(pilot, lambda: "copied" in notices(lab))
        look("")
        await pilot.press("enter")
        await until(pilot, lambda: look("accuracy against K"))
    assert "Delete evil" in "".join(seen)
    assert load(folder).id == NAME
