"""The small dialogs: nothing but a plain yes is a yes, and escape always leaves things as they were."""

from __future__ import annotations

import pytest

from tests.fakes.screens import ScreenApp
from tui_aefit.lab.screens.confirm import Ask, Confirm


class TestDialogs:
    @pytest.mark.parametrize(
        ("keys", "answer"),
        [(["y"], True), (["n"], False), (["escape"], False), (["enter"], False), (["left", "enter"], True),
         (["left", "right", "enter"], False)],
    )  # fmt: skip
    async def test_only_a_plain_yes_is_a_yes(self, keys: list[str], answer: bool) -> None:
        answers: list[bool | None] = []
        lab = ScreenApp()
        async with lab.run_test(size=(40, 12)) as pilot:
            await lab.push_screen(Confirm("Delete [bold]this[/]?", "for good", "Delete"), answers.append)
            await pilot.press(*keys)
            await pilot.pause()
        assert answers == [answer]

    @pytest.mark.parametrize(
        ("keys", "answer"), [(["enter"], "old"), (["end", "x", "enter"], "oldx"), (["x", "escape"], None)]
    )
    async def test_a_line_or_nothing(self, keys: list[str], answer: str | None) -> None:
        answers: list[str | None] = []
        lab = ScreenApp()
        async with lab.run_test(size=(40, 12)) as pilot:
            await lab.push_screen(Ask("Label?", "old"), answers.append)
            await pilot.press(*keys)
            await pilot.pause()
        assert answers == [answer]
