"""The comparison screen: what differs and how accurate each was, side by side, whatever became of them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from core.records.annotations import Annotations, write_annotations
from core.records.experiment import Experiment
from core.records.home import delete_experiment
from core.sets.registry import SETS
from tests.fakes.experiments import make_experiment
from tests.fakes.lab import text_of
from tests.fakes.screens import Desk, ScreenApp
from tui_aefit.lab.screens.compare import CompareScreen
from tui_aefit.lab.widgets.cell_table import CellTable
from tui_aefit.lab.widgets.chart import Chart


class TestComparing:
    @pytest.fixture
    def pair(self, tmp_path: Path) -> list[Experiment]:
        made = [
            make_experiment(tmp_path, state="complete", runs=3, controls=["noise"]),
            make_experiment(tmp_path, state="running", runs=6, z=9, attack="deepfool", controls=["noise"]),
        ]
        write_annotations(made[0].folder, Annotations("paper"))
        return made

    @staticmethod
    def cells(lab: ScreenApp, table: str) -> list[list[str]]:
        found = lab.screen.query_one(f"#{table}", CellTable)
        titles = [column.label.plain.strip() for column in found.columns.values()]
        return [titles] + [[c.plain.strip() for c in found.get_row_at(row)] for row in range(found.row_count)]

    @staticmethod
    async def opened(
        lab: ScreenApp, pilot: Pilot[None], experiments: list[Experiment]
    ) -> Callable[..., Awaitable[None]]:
        await lab.push_screen(CompareScreen(experiments))
        here = Desk(pilot, lab)
        await here.settle()
        return here.press

    async def test_only_differing_settings_and_all_means_are_shown(self, pair: list[Experiment]) -> None:
        lab = ScreenApp()
        async with lab.run_test(size=(140, 45)) as pilot:
            await self.opened(lab, pilot, pair)
            digest = pair[1].spec.digest[:8]
            assert self.cells(lab, "settings") == [
                ["setting", "● paper", f"▲ {digest}"],
                ["state", "complete, 3 runs", "running, 2 runs"],
                ["attack", "fgsm", "deepfool"],
                ["runs", "3", "6"],
                ["z", "7", "9"],
            ]
            header, *rows = self.cells(lab, "numbers")
            assert header == ["K", "● paper", f"▲ {digest}"]
            assert {"●", "▲"} <= set(str(lab.screen.query_one("#curves", Chart).content))
            assert [row[0] for row in rows] == ["9", "7", "5", "3", "1"]
            assert rows[0][1] == "-"
            mean = sum(run.accuracy["adversarial"]["1"] or 0 for run in pair[0].results().values()) / 3
            assert rows[-1][1].startswith(f"{mean:.4f} ± ")

    async def test_the_set_is_turned_in_both_directions(self, pair: list[Experiment]) -> None:
        lab = ScreenApp()
        async with lab.run_test(size=(140, 45)) as pilot:
            press = await self.opened(lab, pilot, pair)
            seen = []
            for key in ["n"] * 4 + ["p"] * 2:
                seen.append(str(lab.screen.query_one("#set", Static).content).split(":")[0])
                await press(key)
            assert [words.removeprefix("Accuracy on ") for words in seen] == [
                "adversarial", "noise", "test", "misclassified", "adversarial", "misclassified",
            ]  # fmt: skip
            data = lab.screen.query_one("#curves", Chart).data
            assert list(data.curves) == ["paper", pair[1].spec.digest[:8]]
            assert data.levels == ("9", "7", "5", "3", "1")
            assert not data.fit
            await press("f")
            assert lab.screen.query_one("#curves", Chart).data.fit

    async def test_intervals_are_said_to_allow_for_overlapping_splits_where_all_of_them_do(
        self, tmp_path: Path, pair: list[Experiment]
    ) -> None:
        journal = pair[1].journal / "0001-coordinator.jsonl"
        for older in (False, True):
            lab = ScreenApp()
            async with lab.run_test(size=(140, 45)) as pilot:
                await self.opened(lab, pilot, pair)
                assert ("for overlapping splits" in text_of(lab)) is not older
                assert "± half the 95 % interval" in text_of(lab)
            # An older version's statistics have no claims.
            journal.write_text(re.sub(r'"claims":\[.*?\],"verdict"', '"verdict"', journal.read_text()))

    @pytest.mark.slow
    async def test_sets_that_have_no_images_of_their_own_are_compared_too(self, tmp_path: Path) -> None:
        made = [make_experiment(tmp_path, runs=3, seed=seed) for seed in range(2)]
        lab = ScreenApp()
        async with lab.run_test(size=(140, 45)) as pilot:
            press = await self.opened(lab, pilot, made)
            seen = []
            for _ in SETS:
                seen.append(str(lab.screen.query_one("#set", Static).content).split(":")[0])
                assert len(self.cells(lab, "numbers")) == 5
                await press("n")
            assert {words.removeprefix("Accuracy on ") for words in seen} == set(SETS)

    async def test_narrow_shows_one_pane_wide_shows_all(self, pair: list[Experiment]) -> None:
        panes = ("#settings", "#curves", "#numbers")
        lab = ScreenApp()
        async with lab.run_test(size=(80, 24)) as pilot:
            press = await self.opened(lab, pilot, pair)
            for pane in (*panes, *panes):
                shown = [name for name in panes if lab.screen.query_one(name).region.area]
                assert shown == [pane]
                await press("t")
            await pilot.resize_terminal(140, 45)
            await press("t")
            assert all(lab.screen.query_one(name).region.area for name in panes)

    async def test_only_keys_that_change_what_is_seen_are_offered(self, pair: list[Experiment]) -> None:
        keys = {"n", "p", "f", "t"}
        lab = ScreenApp()
        async with lab.run_test(size=(80, 24)) as pilot:
            press = await self.opened(lab, pilot, pair)
            for footer, works in (("t Next pane", {"t"}), ("n Next set  t Next pane", keys),
                                  ("n Next set  t Next pane", keys - {"f"})):  # fmt: skip
                assert text_of(lab).splitlines()[-1].strip().startswith(f"{footer}  esc Back")
                assert keys & lab.screen.active_bindings.keys() == works
                before = text_of(lab)
                await press("n", "p", "n")
                assert (text_of(lab) == before) is ("n" not in works)
                await press("t")
            await pilot.resize_terminal(140, 45)
            await Desk(pilot, lab).settle()
            assert text_of(lab).splitlines()[-1].strip().startswith("n Next set  esc Back")
            assert keys & lab.screen.active_bindings.keys() == keys - {"t"}

    async def test_reading_again_shows_what_came_since(self, pair: list[Experiment]) -> None:
        lab = ScreenApp()
        async with lab.run_test(size=(140, 45)) as pilot:
            press = await self.opened(lab, pilot, pair)
            (pair[1].folder / "lock").unlink()
            write_annotations(pair[1].folder, Annotations("[red]other"))
            await press("r")
            assert self.cells(lab, "settings")[0][2] == "▲ [red]other"
            assert self.cells(lab, "settings")[1][2] == "interrupted, 2 runs"

    async def test_experiments_without_numbers_and_those_gone_are_no_problem(self, tmp_path: Path) -> None:
        made = [
            make_experiment(tmp_path, state="created", runs=3),
            make_experiment(tmp_path, state="complete", runs=3, seed=1),
        ]
        delete_experiment(made[1].folder)
        lab = ScreenApp()
        async with lab.run_test(size=(140, 45)) as pilot:
            press = await self.opened(lab, pilot, made)
            assert [row[1:] for row in self.cells(lab, "settings")[1:]] == [
                ["not started, 0 runs"] * 2, ["0", "1"],
            ]  # fmt: skip
            assert lab.screen.query_one("#numbers", CellTable).row_count == 0
            await press("n", "p", "f")

    async def test_escape_goes_back(self, pair: list[Experiment]) -> None:
        lab = ScreenApp()
        async with lab.run_test() as pilot:
            press = await self.opened(lab, pilot, pair)
            await press("escape")
            assert not isinstance(lab.screen, CompareScreen)
