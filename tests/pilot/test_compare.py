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
            assert self.cells(lab, "settings") == [
                ["setting", "● paper", "▲ deepfool"],
                ["state", "complete, 3 runs", "running, 2 runs"],
                ["attack", "fgsm", "deepfool"],
                ["runs", "3", "6"],
                ["z", "7", "9"],
            ]
            header, *rows = self.cells(lab, "numbers")
            assert header == ["K", "● paper", "▲ deepfool"]
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
            for key in ["z"] * 4 + ["Z"] * 2:
                seen.append(str(lab.screen.query_one("#set", Static).content).split(":")[0])
                await press(key)
            assert [words.removeprefix("Accuracy on ") for words in seen] == [
                "adversarial", "noise", "test", "misclassified", "adversarial", "misclassified",
            ]  # fmt: skip
            data = lab.screen.query_one("#curves", Chart).data
            assert list(data.curves) == ["paper", "deepfool"]
            assert data.levels == ("9", "7", "5", "3", "1")
            assert not data.fit
            await press("i")
            assert lab.screen.query_one("#curves", Chart).data.fit

    async def test_the_curves_are_read_off_and_copied(self, pair: list[Experiment]) -> None:
        lab = ScreenApp()
        async with lab.run_test(size=(140, 45)) as pilot:
            press = await self.opened(lab, pilot, pair)
            await press("2")
            await press("y")
            assert lab.notices[-1].startswith("go to a table, or read the curves off")
            await press("left")
            levels = [run.accuracy["adversarial"]["1"] or 0.0 for run in pair[0].results().values()]
            read = f"paper {sum(levels) / len(levels):.3f}".replace(" 0.", " .")
            assert f"K = 1: {read} ±" in str(lab.screen.query_one("#curves", Chart).content)
            await press("y")
            assert read in lab.clipboard
            await press("right")
            assert lab.screen.query_one("#curves", Chart).data.cursor is None

    async def test_intervals_are_said_to_allow_for_overlapping_splits_where_all_of_them_do(
        self, tmp_path: Path, pair: list[Experiment]
    ) -> None:
        journal = pair[1].journal / "0001-coordinator.jsonl"
        for older in (False, True):
            lab = ScreenApp()
            async with lab.run_test(size=(140, 45)) as pilot:
                await self.opened(lab, pilot, pair)
                title = str(lab.screen.query_one("#numbers").border_title)
                assert ("for overlapping splits" in title) is not older
                assert "± half the 95 % interval" in title
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
                await press("z")
            assert {words.removeprefix("Accuracy on ") for words in seen} == set(SETS)

    @pytest.mark.slow
    async def test_narrow_shows_one_pane_by_its_digit_wide_shows_all(self, pair: list[Experiment]) -> None:
        panes = ("#settings", "#curves", "#numbers", "#claims")
        lab = ScreenApp()
        async with lab.run_test(size=(80, 24)) as pilot:
            press = await self.opened(lab, pilot, pair)

            def shown() -> list[str]:
                return [name for name in panes if lab.screen.query_one(name).region.area]

            assert shown() == ["#settings"]
            for place, pane in (*enumerate(panes, start=1), (1, "#settings")):
                await press(str(place))
                assert shown() == [pane]
                assert lab.focused is lab.screen.query_one(pane)
            await pilot.resize_terminal(140, 45)
            await press("2")
            assert shown() == list(panes)
            for leave in ("f", "escape"):
                await press("f")
                assert shown() == ["#curves"]
                await press(leave)
                assert shown() == list(panes)
            assert isinstance(lab.screen, CompareScreen)

    @pytest.mark.slow
    async def test_only_keys_that_change_what_is_seen_are_offered(self, pair: list[Experiment]) -> None:
        keys = {"z", "Z", "i", "f"}
        of_a_set = {"z", "Z"}
        lab = ScreenApp()
        async with lab.run_test(size=(80, 24)) as pilot:
            press = await self.opened(lab, pilot, pair)
            for digit, works in (("1", set()), ("2", of_a_set | {"i"}), ("3", of_a_set), ("4", set())):
                await press(digit)
                first = "z Next set  x Export" if works else "x Export"
                assert text_of(lab).splitlines()[-1].strip().startswith(f"{first}  esc Back")
                assert keys & lab.screen.active_bindings.keys() == works
                before = text_of(lab)
                await press("z", "Z", "z")
                assert (text_of(lab) == before) is ("z" not in works)
            await pilot.resize_terminal(140, 45)
            await Desk(pilot, lab).settle()
            assert keys & lab.screen.active_bindings.keys() == keys

    async def test_claims_stand_side_by_side(self, pair: list[Experiment]) -> None:
        lab = ScreenApp()
        async with lab.run_test(size=(140, 45)) as pilot:
            await self.opened(lab, pilot, pair)
            header, *rows = self.cells(lab, "claims")
            assert header == ["quantity", "● paper", "▲ deepfool"]
            assert rows[0][0] == "cross-fit rise, D − M"
            for place, experiment in enumerate(pair, start=1):
                runs = [run.crossfit.accuracy for run in experiment.results().values() if run.crossfit]
                ladder = experiment.spec.ladder
                rises = [
                    [
                        (found[name][ladder.fitted] or 0.0) - (found[name][ladder.general] or 0.0)
                        for found in runs
                    ]
                    for name in ("adversarial", "misclassified")
                ]
                estimate = sum(rises[0]) / len(runs) - sum(rises[1]) / len(runs)
                assert float(rows[0][place].split()[1]) == pytest.approx(estimate, abs=5e-4)

    async def test_of_many_each_has_a_row_and_a_marker_of_its_own(self, tmp_path: Path) -> None:
        made = [
            make_experiment(tmp_path, runs=3, seed=seed, controls=[], deciding=False) for seed in range(12)
        ]
        lab = ScreenApp()
        async with lab.run_test(size=(140, 45)) as pilot:
            await self.opened(lab, pilot, made)
            header, *rows = self.cells(lab, "numbers")
            assert header == ["experiment", "7", "5", "3", "1"]
            assert [row[0].split(maxsplit=1)[1] for row in rows] == [f"seed={seed}" for seed in range(12)]
            markers = {row[0][0] for row in rows}
            assert len(markers) == 12
            assert markers <= set(str(lab.screen.query_one("#curves", Chart).content))

    async def test_x_writes_it_as_csv_and_latex_and_y_copies_a_row(self, pair: list[Experiment]) -> None:
        lab = ScreenApp()
        async with lab.run_test(size=(140, 45)) as pilot:
            press = await self.opened(lab, pilot, pair)
            await press("x")
            folder = pair[0].folder.parents[1] / "comparisons"
            ends = {path.name.rpartition("-")[2] for path in folder.iterdir() if path.suffix == ".csv"}
            assert ends == {"claims.csv", "settings.csv", "summary.csv"}
            assert len(list(folder.glob("*.tex"))) == 1
            assert lab.notices[0].startswith("wrote compare-")
            await press("1", "home", "down", "y")
            assert lab.clipboard == "attack\tfgsm\tdeepfool"

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
            await press("z", "Z", "i")

    async def test_escape_goes_back(self, pair: list[Experiment]) -> None:
        lab = ScreenApp()
        async with lab.run_test() as pilot:
            press = await self.opened(lab, pilot, pair)
            await press("escape")
            assert not isinstance(lab.screen, CompareScreen)
