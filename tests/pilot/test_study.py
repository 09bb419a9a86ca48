"""Studies by keys: the list of them, one of them as heat map, curves and table, and who waits for its turn."""

from __future__ import annotations

import shutil
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from core.records.experiment import Experiment
from core.records.queue import read_queue, waiting_in
from core.records.study import Study, load_study
from core.records.study_state import CellStatus, read_study_state
from tests.fakes.experiments import make_experiment_of
from tests.fakes.lab import PATIENCE, House, notices, opened, text_of, until
from tests.fakes.studies import make_study, queue_up
from tui_aefit.following.quantities import FITTED_ACCURACY, RISE_OF_CLAIM, Quantity, value_of, words_of
from tui_aefit.lab.app import Lab
from tui_aefit.lab.screens.choose_quantity import READING, ChooseQuantity
from tui_aefit.lab.screens.choose_some import ChooseSome
from tui_aefit.lab.screens.confirm import Confirm
from tui_aefit.lab.screens.experiments import ExperimentsScreen
from tui_aefit.lab.screens.live import LiveScreen
from tui_aefit.lab.screens.setup import SetupScreen
from tui_aefit.lab.screens.studies import StudiesScreen
from tui_aefit.lab.screens.study import PANES, StudyScreen
from tui_aefit.lab.widgets.study.cells_table import CellsTable
from tui_aefit.lab.widgets.study.curves import StudyCurves
from tui_aefit.lab.widgets.study.heat_map import HeatMap

SMALL, WIDE = (80, 24), (140, 45)


class Desk:
    """The lab in front of a person who looks at a study."""

    def __init__(self, lab: Lab, pilot: Pilot[None]) -> None:
        self.lab, self.pilot = lab, pilot

    @property
    def screen(self) -> StudyScreen:
        screen = self.lab.screen
        assert isinstance(screen, StudyScreen), screen
        return screen

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, words: str) -> None:
        names = {":": "colon", ".": "full_stop", " ": "space", "!": "exclamation_mark"}
        await self.press(*(names.get(letter, letter) for letter in words))

    async def until(self, condition: Callable[[], object]) -> None:
        await until(self.pilot, condition)

    async def sees(self, words: str) -> None:
        await self.until(lambda: words in text_of(self.lab))

    def shown(self) -> list[str]:
        """The panes that are seen."""
        return [pane for pane in PANES if self.screen.query_one(f"#{pane}").region.area]

    def shows_alone(self, pane: str) -> bool:
        """Whether a pane alone is seen, and has the focus."""
        return self.shown() == [pane] and self.lab.focused is self.screen.query_one(f"#{pane}")

    def cursor(self) -> tuple[int, int]:
        place: tuple[int, int] = self.screen.query_one(HeatMap).data.cursor
        return place

    def rows(self) -> list[list[str]]:
        table = self.screen.query_one(CellsTable)
        return [[cell.plain.strip() for cell in table.get_row_at(row)] for row in range(table.row_count)]


@asynccontextmanager
async def looking_at(house: House, study: Study, size: tuple[int, int] = WIDE) -> AsyncIterator[Desk]:
    """A study opened by keys from the list of studies."""
    lab = house.lab()
    async with opened(lab, size, notifications=True) as pilot:
        here = Desk(lab, pilot)
        # In the form, letters are typed until the field is left.
        await here.press("escape", "E")
        await here.until(lambda: isinstance(lab.screen, StudiesScreen) and study.name in text_of(lab))
        await here.press("enter")
        await here.until(lambda: isinstance(lab.screen, StudyScreen) and here.screen.query_one(HeatMap).data)
        await pilot.pause()
        yield here


class TestTheListOfStudies:
    @pytest.mark.slow
    async def test_each_has_its_state_and_its_progress(self, house: House) -> None:
        make_study(house.home, states=["complete"], name="done")
        make_study(house.home, states=["failed", None], name="half", seed=1)
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("escape", "E")
            await until(pilot, lambda: "Studies: 2" in text_of(lab) and "failed" in text_of(lab))
            lines = text_of(lab).splitlines()
            (done,) = [line for line in lines if "complete" in line]
            (half,) = [line for line in lines if "failed" in line]
            assert done.replace("│", "").split()[2:5] == ["6/6", "18/18", "done"]
            assert half.replace("│", "").split()[2:5] == ["0/6", "6/18", "half"]
            assert "attack fgsm pgd; epsilon 0.05 0.1 0.2" in text_of(lab)
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(lab.screen, SetupScreen))

    async def test_a_home_without_any_says_what_makes_one(self, house: House) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("escape", "E")
            await until(pilot, lambda: "No studies yet" in text_of(lab))
            assert "aefit-tui --batch --attack fgsm,pgd --epsilon 0.05,0.1,0.2" in text_of(lab)

    async def test_one_that_cannot_be_read_says_why_and_can_be_deleted(self, house: House) -> None:
        study = make_study(house.home, states=[None])
        (study.folder / "study.toml").write_text("no = [toml")
        lab = house.lab()
        async with opened(lab, SMALL, notifications=True) as pilot:
            await pilot.press("escape", "E")
            await until(pilot, lambda: "? unreadable" in text_of(lab))
            await pilot.press("enter")
            await until(pilot, lambda: "is damaged" in notices(lab))
            assert isinstance(lab.screen, StudiesScreen)
            await pilot.press("d")
            await until(pilot, lambda: isinstance(lab.screen, Confirm))
            await pilot.press("y")
            await until(pilot, lambda: "No studies yet" in text_of(lab))
            assert not study.folder.exists()

    @pytest.mark.slow
    async def test_delete_leaves_the_experiments(self, house: House) -> None:
        study = make_study(house.home)
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await pilot.press("escape", "E")
            await until(pilot, lambda: "paper" in text_of(lab))
            await pilot.press("d")
            await until(pilot, lambda: isinstance(lab.screen, Confirm))
            await pilot.press("y")
            await until(pilot, lambda: "No studies yet" in text_of(lab))
            assert not study.folder.exists()
            assert all(study.folder_of(cell).is_dir() for cell in study.cells)

    @pytest.mark.slow
    async def test_its_experiments_are_found_in_the_list_of_all(self, house: House) -> None:
        study = make_study(house.home)
        make_study(house.home, states=["complete"], name="another", seed=1)
        async with looking_at(house, load_study(study.folder)) as here:
            name = here.screen.folder.name
            await here.press("l")
            await here.until(lambda: isinstance(here.lab.screen, ExperimentsScreen))
            await here.sees("Experiments: 12, 6 shown")
            assert here.lab.screen.query_one("#filter", Input).value == f"study:{name}"


class TestTheStudyScreen:
    @pytest.mark.slow
    async def test_the_heat_map_has_every_number_and_the_cursor_reads_it(self, house: House) -> None:
        study = make_study(house.home)
        cells = read_study_state(study).cells
        async with looking_at(house, study) as here:
            drawn = str(here.screen.query_one(HeatMap).content)
            for cell in cells:
                assert cell.overview is not None
                value = value_of(cell.overview, here.screen.shown.quantity)
                assert words_of(value, here.screen.shown.quantity) in drawn
            await here.press("down", "right")
            assert here.cursor() == (1, 1)
            assert "attack=pgd epsilon=0.1: " in str(here.screen.query_one(HeatMap).content)
            table = here.screen.query_one(CellsTable)
            assert table.row_under_cursor == here.screen.shown.grid.cells[1, 1].cell.id
            await here.press("right", "right", "down")
            assert here.cursor() == (1, 2)

    @pytest.mark.slow
    async def test_enter_opens_the_experiment_under_the_cursor(self, house: House) -> None:
        study = make_study(house.home)
        for pane in ("1", "3"):
            async with looking_at(house, study) as here:
                await here.press(pane)
                await here.press("down")
                cell = here.screen._concerned
                assert cell is not None
                await here.press("enter")
                await here.until(lambda: isinstance(here.lab.screen, LiveScreen))
                assert isinstance(here.lab.screen, LiveScreen)
                assert here.lab.screen.experiment.id == cell.cell.id

    @pytest.mark.slow
    async def test_of_what_is_not_there_yet_the_state_is_told(self, house: House) -> None:
        study = make_study(house.home, states=["complete", None, "interrupted"])
        async with looking_at(house, study) as here:
            drawn = str(here.screen.query_one(HeatMap).content)
            assert "· waiting" in drawn
            assert "◐" in drawn
            waiting = next(cell for cell in here.screen.shown.cells if cell.status is CellStatus.WAITING)
            place = here.screen.shown.grid.place_of(waiting.cell.id)
            assert place is not None
            await here.press(*["down"] * place[0], *["right"] * place[1], "enter")
            await here.until(lambda: "nothing of it is there yet" in notices(here.lab))
            assert isinstance(here.lab.screen, StudyScreen)

    @pytest.mark.slow
    async def test_another_quantity_is_found_by_letters(self, house: House) -> None:
        study = make_study(house.home)
        async with looking_at(house, study) as here:
            await here.press("t")
            assert isinstance(here.lab.screen, ChooseQuantity)
            await here.type("A on adv fitted")
            await here.press("enter")
            await here.until(lambda: isinstance(here.lab.screen, StudyScreen))
            assert here.screen.shown.quantity == FITTED_ACCURACY
            for cell in here.screen.shown.cells:
                assert cell.overview is not None
                number = words_of(value_of(cell.overview, FITTED_ACCURACY), FITTED_ACCURACY)
                assert number in str(here.screen.query_one(HeatMap).content)
                assert any(number in row for row in here.rows())
            await here.press("t")
            await here.type("|D|")
            await here.press("enter")
            await here.until(lambda: isinstance(here.lab.screen, StudyScreen))
            assert here.screen.shown.quantity == Quantity("images")
            await here.press("t", "escape")
            await here.until(lambda: isinstance(here.lab.screen, StudyScreen))
            assert here.screen.shown.quantity == Quantity("images")

    async def test_what_is_typed_while_the_quantities_are_read_counts(self) -> None:
        has_read = threading.Event()

        def find() -> list[Quantity]:
            assert has_read.wait(PATIENCE)
            return [RISE_OF_CLAIM, FITTED_ACCURACY, Quantity("images")]

        answers: list[Quantity | None] = []
        async with App[None]().run_test() as pilot:
            await pilot.app.push_screen(ChooseQuantity(find, RISE_OF_CLAIM), answers.append)
            await pilot.press(*"fitted", "enter")
            assert READING in text_of(pilot.app)
            has_read.set()
            await until(pilot, lambda: answers == [FITTED_ACCURACY])

    async def test_a_study_without_numbers_has_no_quantities_to_choose_from(self) -> None:
        answers: list[Quantity | None] = []
        async with App[None]().run_test() as pilot:
            await pilot.app.push_screen(ChooseQuantity(list, RISE_OF_CLAIM), answers.append)
            await until(pilot, lambda: "there are no numbers yet" in text_of(pilot.app))
            await pilot.press("enter")
            assert answers == []
            await pilot.press("escape")
            await until(pilot, lambda: answers == [None])

    @pytest.mark.slow
    async def test_the_curves_are_the_rows_or_the_chosen_sets_of_one_row(self, house: House) -> None:
        study = make_study(house.home)
        async with looking_at(house, study) as here:
            await here.press("t")
            await here.type("A on adv fitted")
            await here.press("enter")
            await here.until(lambda: isinstance(here.lab.screen, StudyScreen))
            curves = here.screen.query_one(StudyCurves)
            assert list(curves.data.curves) == ["fgsm", "pgd"]
            assert curves.data.levels == ("0.05", "0.1", "0.2")
            for row, name in enumerate(("fgsm", "pgd")):
                for column, point in enumerate(curves.data.curves[name]):
                    overview = here.screen.shown.grid.cells[row, column].overview
                    assert overview is not None
                    value = value_of(overview, FITTED_ACCURACY)
                    assert value is not None
                    assert (point.mean, point.interval) == (value.number, value.interval)
            await here.press("2", "right")
            assert "epsilon = 0.05: fgsm ." in str(curves.content)
            await here.press("b")
            assert not curves.data.bars
            await here.press("i")
            assert curves.data.fit
            await here.press("z")
            await here.until(
                lambda: isinstance(here.lab.screen, ChooseSome) and here.lab.screen.query(OptionList)
            )
            await here.press("a", "enter")
            await here.until(lambda: {"adversarial", "test", "misclassified"} <= set(curves.data.curves))

    @pytest.mark.slow
    async def test_another_axis_runs_across(self, house: House) -> None:
        study = make_study(house.home)
        async with looking_at(house, study) as here:
            assert here.screen.shown.grid.across == "epsilon"
            chosen = here.screen.shown.chosen
            await here.press("right", "v")
            assert here.screen.shown.grid.across == "attack"
            assert here.screen.shown.grid.columns == ("fgsm", "pgd")
            assert here.cursor() == (1, 0), "the cursor stays on its experiment"
            assert here.screen.shown.chosen != chosen
            assert "2 against attack" in text_of(here.lab)
            await here.press("v")
            assert here.cursor() == (0, 1)

    @pytest.mark.slow
    async def test_a_filter_leaves_some_and_escape_brings_all_back(self, house: House) -> None:
        study = make_study(house.home, states=["complete", "interrupted"])
        async with looking_at(house, study) as here:
            await here.press("slash")
            await here.type("attack:pgd")
            await here.sees("3 shown")
            assert len(here.rows()) == 3
            assert here.screen.shown.grid.rows == (("pgd",),)
            await here.press("enter")
            assert here.lab.focused is here.screen.query_one(HeatMap)
            await here.press("escape")
            await here.until(lambda: len(here.rows()) == 6)
            await here.press("escape")
            await here.until(lambda: isinstance(here.lab.screen, StudiesScreen))

    @pytest.mark.slow
    @pytest.mark.parametrize("size", [(80, 24), (60, 20)])
    async def test_a_narrow_terminal_shows_one_pane_by_its_digit(
        self, house: House, size: tuple[int, int]
    ) -> None:
        study = make_study(house.home)
        async with looking_at(house, study, size) as here:
            for digit, pane in enumerate(PANES, start=1):
                await here.press(str(digit))
                await here.until(partial(here.shows_alone, pane))
            await here.press("i")
            await here.until(lambda: here.shown() == ["curves"])

    @pytest.mark.slow
    async def test_a_wide_one_shows_all_or_one_alone(self, house: House) -> None:
        study = make_study(house.home)
        async with looking_at(house, study) as here:
            assert here.shown() == list(PANES)
            for leave in ("f", "escape"):
                await here.press("3")
                await here.press("f")
                await here.until(lambda: here.shown() == ["cells"])
                await here.press(leave)
                await here.until(lambda: here.shown() == list(PANES))

    @pytest.mark.slow
    async def test_what_changes_is_shown_cell_by_cell(self, house: House) -> None:
        study = make_study(house.home, states=["complete", None])
        async with looking_at(house, study) as here:
            assert sum("waiting" in row[0] for row in here.rows()) == 3
            place = next(
                n for n, cell in enumerate(here.screen.shown.cells) if cell.status is CellStatus.WAITING
            )
            spec = study.cells[place].spec
            assert spec is not None
            make_experiment_of(house.home, spec)
            await here.until(lambda: sum("waiting" in row[0] for row in here.rows()) == 2)
            assert "4/6 experiments" in text_of(here.lab)

    @pytest.mark.slow
    async def test_without_colour_bars_say_how_large_numbers_are(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        study = make_study(house.home)
        async with looking_at(house, study) as here:
            assert "▁▁" not in str(here.screen.query_one(HeatMap).content)
        monkeypatch.setenv("NO_COLOR", "1")
        async with looking_at(house, study) as here:
            assert "▁▁" in str(here.screen.query_one(HeatMap).content)

    @pytest.mark.slow
    async def test_a_study_that_goes_meanwhile_is_told(self, house: House) -> None:
        study = make_study(house.home, states=[None])
        async with looking_at(house, study) as here:
            shutil.rmtree(study.folder)
            await here.sees("it holds no file study.toml")

    @pytest.mark.slow
    async def test_its_files_are_written_beside_the_study(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn: list[tuple[str, str, dict[str, str]]] = []
        monkeypatch.setattr(
            "tui_aefit.lab.exporting.publish_folder",
            lambda folder, form, path, **options: drawn.append((form, path.name, options)),
        )
        study = make_study(house.home, states=["complete", None])
        async with looking_at(house, study) as here:
            await here.press("x")
            await here.until(lambda: "wrote paper.html" in notices(here.lab))
            written = {path.name for path in (study.folder / "exports").iterdir()}
            tables = ("accuracy", "cells", "changes", "claims", "summary", "tests")
            assert written == {*(f"paper-{table}.csv" for table in tables), "paper-tables.tex"}
            assert drawn == [
                ("svg", "paper-crossfit_rise.svg", {"figure": "curve"}), ("html", "paper.html", {}),
            ]  # fmt: skip
            ids = (study.folder / "exports" / "paper-claims.csv").read_text()
            complete = [cell.cell.id for cell in read_study_state(study).cells if cell.overview is not None]
            assert len(complete) == 3
            assert all(id in ids for id in complete)


class TestComputing:
    @pytest.mark.slow
    async def test_what_is_missing_is_computed_by_a_supervisor(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        started: list[tuple[Study, int]] = []

        class Supervisor:
            def poll(self) -> int | None:
                return 0

        def start(study: Study, how: object, *, tied: bool) -> Supervisor:
            assert not tied, "it goes on when the lab is left"
            started.append((study, len(study.cells)))
            return Supervisor()

        monkeypatch.setattr("tui_aefit.lab.coordinators.start_supervisor", start)
        monkeypatch.setattr("tui_aefit.lab.coordinators.check_available", lambda *_: None)
        study = make_study(house.home, states=["complete", None])
        async with looking_at(house, study) as here:
            await here.press("r")
            await here.until(lambda: started)
            assert started[0][0].folder == study.folder
            await here.until(lambda: "paper is being computed" in notices(here.lab))
            await here.until(lambda: "paper: complete" in notices(here.lab))

    @pytest.mark.slow
    async def test_a_complete_study_is_neither_stopped_nor_resumed(self, house: House) -> None:
        study = make_study(house.home)
        async with looking_at(house, study) as here:
            keys = {active.binding.id for active in here.screen.active_bindings.values()}
            assert {"study.stop", "study.resume", "study.earlier"}.isdisjoint(keys)

    @pytest.mark.slow
    async def test_stop_asks_and_then_tells_whoever_computes(self, house: House) -> None:
        study = make_study(house.home, {"epsilon": [0.1, 0.2]}, ["running", None], attack="fgsm")
        experiment = study.folder_of(study.cells[0])
        async with looking_at(house, study) as here:
            await here.press("s")
            await here.until(lambda: isinstance(here.lab.screen, Confirm))
            await here.press("n")
            assert not (experiment / "cancel").exists()
            await here.press("s")
            await here.until(lambda: isinstance(here.lab.screen, Confirm))
            await here.press("y")
            await here.until(lambda: (experiment / "cancel").exists())
            assert not study.cancel_file.exists(), "it has no supervisor"

    @pytest.mark.slow
    async def test_where_there_is_a_supervisor_it_is_that_which_is_told(self, house: House) -> None:
        study = make_study(house.home, {"epsilon": [0.1, 0.2]}, ["running", None], attack="fgsm")
        with study.lock:
            async with looking_at(house, study) as here:
                await here.press("s")
                await here.until(lambda: isinstance(here.lab.screen, Confirm))
                await here.press("y")
                await here.until(lambda: study.cancel_file.exists())
                assert not (study.folder_of(study.cells[0]) / "cancel").exists()

    @pytest.mark.slow
    async def test_progress_and_time_left_of_those_at_work_are_shown(self, house: House) -> None:
        study = make_study(
            house.home, {"epsilon": [0.1, 0.2]}, ["running", "complete"], attack="fgsm", runs=6
        )
        async with looking_at(house, study) as here:
            await here.until(lambda: any("%" in cell for row in here.rows() for cell in row))
            assert "left" in str(here.screen.query_one("#title", Static).content)


def at_once(house: House) -> list[str]:
    """The experiments that wait for nobody."""
    return [one.ticket.experiment for one in read_queue(house.home) if one.ticket.at_once]


class TestTheQueue:
    def waiting(self, house: House, states: Sequence[int] = (2, 0, 0)) -> list[Experiment]:
        """One that is computed and two that wait, in the order of the study."""
        study = make_study(house.home, {"epsilon": [0.1, 0.2, 0.3]}, ["running"], attack="fgsm")
        for place, (cell, using) in enumerate(zip(study.cells, states, strict=True)):
            queue_up(house.home, cell.id, float(place), using=using)
        return [Experiment(study.folder_of(cell), cell.spec) for cell in study.cells if cell.spec is not None]

    @pytest.mark.slow
    async def test_the_list_shows_places_and_keys_change_them(self, house: House) -> None:
        _, second, third = self.waiting(house)
        lab = house.lab(third)
        async with opened(lab, SMALL, notifications=True) as pilot:
            await pilot.press("e")
            await until(pilot, lambda: "◔ queued 2" in text_of(lab) or "◔" in text_of(lab))
            await pilot.press("slash", *"id", "colon", *third.id, "enter")
            await until(pilot, lambda: "1 shown" in text_of(lab) and "Queue" in text_of(lab).splitlines()[-1])
            await pilot.press("left_square_bracket")
            await until(pilot, lambda: list(waiting_in(house.home)) == [third.id, second.id])
            await until(pilot, lambda: "1 of 2 that wait" in notices(lab))
            await pilot.press("right_square_bracket")
            await until(pilot, lambda: list(waiting_in(house.home)) == [second.id, third.id])

    async def test_the_live_screen_says_what_it_waits_for(self, house: House) -> None:
        first, second, third = self.waiting(house)
        lab = house.lab(third)
        async with opened(lab, WIDE, notifications=True) as pilot:
            await until(
                pilot,
                lambda: (
                    "queued: 2 of 2 that wait (! start now, [ earlier, ] later), "
                    f"after {first.id}, {second.id}" in text_of(lab)
                ),
            )
            assert "◔ queued" in text_of(lab).splitlines()[0]
            assert "s! Stop/now" in text_of(lab).splitlines()[-1]
            await pilot.press("left_square_bracket")
            await until(pilot, lambda: "queued: 1 of 2 that wait" in text_of(lab))
            assert f"after {first.id}" in text_of(lab)

    @pytest.mark.slow
    async def test_one_that_waits_is_started_at_once_by_a_key(self, house: House) -> None:
        _, second, third = self.waiting(house)
        lab = house.lab(third)
        async with opened(lab, SMALL, notifications=True) as pilot:
            # Also in a small terminal, which cuts off whom it waits for.
            await until(pilot, lambda: "that wait (! start now" in text_of(lab))
            await pilot.press("exclamation_mark")
            await until(pilot, lambda: f"{third.id} waits for nobody any more" in notices(lab))
            assert at_once(house) == [third.id]
            await pilot.press("e")
            await until(pilot, lambda: isinstance(lab.screen, ExperimentsScreen) and "◔" in text_of(lab))
            await pilot.press("slash", *"id", "colon", *second.id, "enter")
            await until(
                pilot, lambda: "1 shown" in text_of(lab) and "Queue/now" in text_of(lab).splitlines()[-1]
            )
            await pilot.press("exclamation_mark")
            await until(pilot, lambda: sorted(at_once(house)) == sorted([second.id, third.id]))

    @pytest.mark.slow
    async def test_those_of_the_marked_that_wait_are_started_at_once(self, house: House) -> None:
        first, second, third = self.waiting(house)
        lab = house.lab(third)
        async with opened(lab, SMALL, notifications=True) as pilot:
            await pilot.press("e")
            await until(pilot, lambda: isinstance(lab.screen, ExperimentsScreen) and "◔" in text_of(lab))
            await pilot.press("home", "space", "space", "space", "exclamation_mark")
            await until(pilot, lambda: "2 experiments wait for nobody any more" in notices(lab))
            assert sorted(at_once(house)) == sorted([second.id, third.id])
            assert first.id not in at_once(house)

    @pytest.mark.slow
    async def test_the_study_starts_the_one_under_its_cursor(self, house: House) -> None:
        *_, third = self.waiting(house)
        study = load_study(house.home / "studies" / "paper")
        async with looking_at(house, study) as here:
            await here.until(lambda: "queued 2" in text_of(here.lab))
            await here.press("right", "right", "exclamation_mark")
            await here.until(lambda: at_once(house) == [third.id])

    @pytest.mark.slow
    async def test_the_study_moves_the_one_under_its_cursor(self, house: House) -> None:
        _, second, third = self.waiting(house)
        study = load_study(house.home / "studies" / "paper")
        async with looking_at(house, study) as here:
            await here.until(lambda: "queued 2" in text_of(here.lab))
            await here.press("right", "right", "left_square_bracket")
            await here.until(lambda: list(waiting_in(house.home)) == [third.id, second.id])
            await here.until(lambda: [here.rows()[2][0], here.rows()[2][2]] == ["◔ queued 1", "0.3"])
