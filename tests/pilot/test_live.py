"""The live screen shows all of an experiment in any terminal, and does what a person asks and nothing else."""

from __future__ import annotations

import json
import shutil
import time
from functools import partial
from typing import Any

import pytest
from textual.command import CommandPalette
from textual.geometry import Region
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES
from textual.widgets import Static
from textual.widgets._toast import Toast

from core.records.annotations import Annotations, write_annotations
from core.records.events import SCHEMA_VERSION, Finished
from core.records.experiment import Experiment
from core.records.state import read_state
from core.report.terms import SLOPES
from core.sets.registry import SETS
from core.spec.spec import Spec
from tests.fakes.experiments import (
    append_events,
    end,
    lock_of_the_dead,
    make_experiment,
    make_experiment_from_answers,
)
from tests.fakes.lab import House, notices, opened, text_of, until
from tests.fakes.page import Page, section_text
from tests.fakes.plugins import install
from tui_aefit.lab.app import Lab
from tui_aefit.lab.live_panes import PANES, TABLES
from tui_aefit.lab.screens.choose_some import ChooseSome
from tui_aefit.lab.screens.confirm import Confirm
from tui_aefit.lab.screens.gallery import GalleryScreen
from tui_aefit.lab.screens.live import LiveScreen
from tui_aefit.lab.widgets.live.accuracy_table import AccuracyTable
from tui_aefit.lab.widgets.live.charts import AccuracyChart, PValueChart
from tui_aefit.lab.widgets.live.claims_table import ClaimsTable
from tui_aefit.lab.widgets.live.crossfit_table import CrossFitTable
from tui_aefit.lab.widgets.live.header import LiveHeader
from tui_aefit.lab.widgets.live.statistics_table import StatisticsTable
from tui_aefit.shell.publications import EXPORTS

SMALL = (80, 24)
LARGE = (140, 45)


@pytest.fixture
def running(house: House) -> Experiment:
    return make_experiment(house.home, state="running", runs=4, complete=2, now=time.time())


@pytest.fixture
def finished(house: House) -> Experiment:
    return make_experiment(house.home, runs=3, now=time.time())


def header(lab: Lab) -> str:
    """The first line, and below it what is the matter."""
    return f"{lab.screen.query_one(LiveHeader).text}\n{lab.screen.query_one('#trouble', Static).content}"


def header_styles(lab: Lab) -> set[str]:
    """The styles of the parts of the first line."""
    return {str(span.style) for span in lab.screen.query_one(LiveHeader).render().spans}


def seen_panes(lab: Lab) -> list[str]:
    """The panes that are on the screen, in the order of their digits."""
    return [name for name in PANES if lab.screen.query_one(f"#{name}-pane").is_on_screen]


def digit(name: str) -> str:
    """The key that brings a pane."""
    return str(list(PANES).index(name) + 1)


def footer(lab: Lab) -> str:
    return text_of(lab).splitlines()[-1]


def shows(lab: Lab, text: str) -> bool:
    return text in text_of(lab)


def focus_is_in(lab: Lab, name: str) -> bool:
    pane = lab.screen.query_one(f"#{name}-pane")
    return lab.focused is not None and pane in lab.focused.ancestors_with_self


def charted(
    experiment: Experiment, value: str, quantity: str, pair: tuple[str, str]
) -> list[tuple[str, str, float | None]]:
    """j, test and p-value of what the journal says of a pair."""
    last = read_state(experiment).statistics
    assert last is not None
    return [
        (test.j, test.test, getattr(test, value))
        for test in last.tests
        if test.quantity == quantity and test.sets == pair
    ]


def drawn(chart: PValueChart) -> list[tuple[str, str, float | None]]:
    """The same of what the chart draws."""
    return [(point.j, point.test, point.p) for point in chart.data.points]


async def arrived(pilot: Pilot[Any], text: str) -> None:
    await until(pilot, lambda: text in header(pilot.app))  # type: ignore[arg-type]


async def click_at_rest(pilot: Pilot[Any], selector: str) -> None:
    """Click on what is seen, once it stays where it is."""
    places: list[Region] = []

    def is_at_rest() -> bool:
        places.append(pilot.app.screen.query_one(selector).region)
        return bool(places[-1]) and places[-1:] == places[-2:-1]

    await until(pilot, is_at_rest)
    await pilot.click(selector)


class TestPanes:
    @pytest.mark.slow
    async def test_in_a_small_terminal_a_digit_brings_each_pane_to_the_front_the_chart_being_first(
        self, house: House, running: Experiment
    ) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "2/4 runs")
            assert seen_panes(lab) == ["charts"]
            signs = {
                "charts": "K=7",
                "decides": "same: within",
                "p-values": "p of S_j",
                "accuracy": "Accuracy, mean of",
                "claims": "What decides:",
                "tests": "adversarial against misclassified",
                "runs": "progress or result",
                "log": "run 2 complete",
                "verdict": "takes 3",
            }
            assert list(signs) == list(PANES)
            for name, sign in signs.items():
                await pilot.press(digit(name))
                await until(pilot, partial(shows, lab, sign))
                assert seen_panes(lab) == [name]
                # What has the focus is seen, so that keys never move something hidden.
                await until(pilot, partial(focus_is_in, lab, name))

    @pytest.mark.parametrize(
        ("size", "rows"), [((80, 24), 14), ((140, 45), 16), ((120, 30), 16), ((200, 55), 20), ((60, 20), 9)]
    )
    async def test_the_chart_has_rows_enough_at_every_size(
        self, house: House, finished: Experiment, size: tuple[int, int], rows: int
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, size) as pilot:
            await arrived(pilot, "✓ complete")
            await until(pilot, partial(shows, lab, "K=7"))
            lines = text_of(lab).splitlines()
            axis = next(line.index("┤") for line in lines if "0.0┤" in line or "0.00┤" in line)
            assert len([line for line in lines if line[axis : axis + 1] in ("┤", "│")]) >= rows
            # Nothing wraps, and nothing is cut off at the lower end.
            assert all(len(line) <= size[0] for line in lines)
            assert "q Quit" in lines[-1] or size[0] < 80

    @pytest.mark.slow
    async def test_in_a_large_terminal_two_pictures_and_a_table_are_seen_at_once(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "✓ complete")
            assert seen_panes(lab) == ["charts", "decides", "accuracy"]
            for sign in ("In short", "K=7", "same: within", "Accuracy, mean of", "runs ■■■"):
                await until(pilot, partial(shows, lab, sign))
            for name in TABLES:
                await pilot.press(digit(name))
                await until(pilot, partial(focus_is_in, lab, name))
                assert seen_panes(lab) == ["charts", "decides", name]
            # The p-values are one key away, in the place of what decides.
            await pilot.press(digit("p-values"))
            await until(pilot, partial(shows, lab, "p of S_j"))
            assert seen_panes(lab) == ["charts", "p-values", "verdict"]
            await pilot.press(digit("charts"))
            await until(pilot, partial(focus_is_in, lab, "charts"))
            assert seen_panes(lab) == ["charts", "p-values", "verdict"]
            await pilot.press(digit("decides"))
            await until(pilot, lambda: seen_panes(lab) == ["charts", "decides", "verdict"])

    @pytest.mark.slow
    async def test_a_wide_low_terminal_shows_both_pictures_or_a_table(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, (120, 30)) as pilot:
            await arrived(pilot, "✓ complete")
            assert seen_panes(lab) == ["charts", "decides"]
            await pilot.press(digit("tests"))
            await until(pilot, lambda: seen_panes(lab) == ["tests"])
            await pilot.press(digit("p-values"))
            await until(pilot, lambda: seen_panes(lab) == ["charts", "p-values"])
            await until(pilot, lambda: "K=7" in text_of(lab) and "j=5" in text_of(lab))
            assert "No room for a chart" not in text_of(lab)

    @pytest.mark.slow
    async def test_f_shows_the_pane_with_the_focus_on_the_whole_screen(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "✓ complete")
            for name in ("charts", "decides", "p-values", "tests", "log"):
                await pilot.press(digit(name))
                await until(pilot, partial(focus_is_in, lab, name))
                for back in ("f", "escape"):
                    before = seen_panes(lab)
                    await pilot.press("f")
                    await until(pilot, lambda name=name: seen_panes(lab) == [name])  # type: ignore[misc]
                    pane = lab.screen.query_one(f"#{name}-pane")
                    await until(pilot, lambda pane=pane: pane.region.height >= LARGE[1] - 2)  # type: ignore[misc]
                    assert pane.region.width == LARGE[0]
                    await pilot.press(back)
                    await until(pilot, lambda before=before: seen_panes(lab) == before)  # type: ignore[misc]
                    await until(pilot, partial(focus_is_in, lab, name))
            assert isinstance(lab.screen, LiveScreen)

    @pytest.mark.slow
    async def test_a_terminal_that_changes_its_size_shows_what_it_has_room_for(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "3/3 runs")
            await pilot.press(digit("runs"))
            await until(pilot, partial(focus_is_in, lab, "runs"))
            await pilot.resize_terminal(*LARGE)
            await until(pilot, lambda: seen_panes(lab) == ["charts", "decides", "runs"])
            await until(pilot, partial(focus_is_in, lab, "runs"))
            await pilot.press(digit("decides"))
            await until(pilot, partial(focus_is_in, lab, "decides"))
            await pilot.resize_terminal(*SMALL)
            await until(pilot, lambda: seen_panes(lab) == ["decides"])
            await until(pilot, partial(focus_is_in, lab, "decides"))

    @pytest.mark.slow
    async def test_a_pane_that_was_asked_for_as_the_screen_was_left_takes_no_focus(
        self, house: House, finished: Experiment
    ) -> None:
        async with opened(house.lab(finished), LARGE) as pilot:
            screen = pilot.app.screen
            assert isinstance(screen, LiveScreen)
            await pilot.press("escape")
            await until(pilot, lambda: not screen.is_running)
            focused = pilot.app.focused
            screen.focus_pane("tests")
            await pilot.pause()
            assert pilot.app.focused is focused

    @pytest.mark.slow
    async def test_a_click_on_a_tab_brings_its_pane(self, house: House, finished: Experiment) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "3/3 runs")
            await until(pilot, partial(shows, lab, "K=7"))  # the answer above the tabs has its lines then
            await click_at_rest(pilot, "#tabs #log")
            await until(pilot, lambda: seen_panes(lab) == ["log"])
            await pilot.resize_terminal(*LARGE)
            await until(pilot, lambda: seen_panes(lab) == ["charts", "decides", "log"])
            await click_at_rest(pilot, "#table-tabs #tests")
            await until(pilot, lambda: seen_panes(lab) == ["charts", "decides", "tests"])

    async def test_cross_fitted_curves_are_drawn_on_request(self, house: House, finished: Experiment) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "✓ complete  3/3 runs")
            await pilot.press(digit("log"))
            await pilot.press("c")  # which brings the chart: what a key does is seen
            await until(pilot, partial(shows, lab, "accuracy by the other half"))
            assert any(name.endswith(", own") for name in lab.screen.query_one(AccuracyChart).data.curves)
            await pilot.press("c")
            await until(pilot, partial(shows, lab, "accuracy against K"))

    async def test_runs_without_cross_fitted_accuracy_say_so(self, house: House) -> None:
        older = make_experiment(house.home, runs=3, now=time.time(), deciding=False)
        lab = house.lab(older)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "✓ complete  3/3 runs")
            await pilot.press("c")
            await until(pilot, partial(shows, lab, "no cross-fitted accuracy"))
            await pilot.press("c")
            await until(pilot, partial(shows, lab, "accuracy against K"))

    @pytest.mark.slow
    async def test_single_sets_are_chosen_from_a_list(self, house: House, finished: Experiment) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "✓ complete  3/3 runs")
            chart = lab.screen.query_one(AccuracyChart)
            begun = ["test", "misclassified", "adversarial", "noise", "noise-matched", "matched"]
            await until(pilot, lambda: chart.drawn == begun)
            await pilot.press("z")
            await until(pilot, lambda: isinstance(lab.screen, ChooseSome))
            await pilot.press("space", "down", "down", "space", "enter")
            await until(
                pilot,
                lambda: list(chart.data.curves) == [name for name in begun[1:] if name != "adversarial"],
            )
            await pilot.press("z")
            await until(pilot, lambda: isinstance(lab.screen, ChooseSome))
            await pilot.press("a", "escape")  # which leaves all as it was
            await until(pilot, lambda: isinstance(lab.screen, LiveScreen))
            assert len(chart.drawn) == 4
            await pilot.press("z")
            await until(pilot, lambda: isinstance(lab.screen, ChooseSome))
            await pilot.press("a", "z")
            await until(pilot, lambda: list(chart.data.curves) == list(SETS))

    async def test_the_means_have_the_values_of_a_run_when_one_is_looked_at(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "3/3 runs")
            await until(pilot, partial(shows, lab, "Accuracy, mean of 3 runs"))
            assert "run 1" not in text_of(lab)
            await pilot.press(digit("runs"), "down", digit("accuracy"))
            await until(pilot, lambda: "  run 1" in text_of(lab))
            value = finished.results()[0].accuracy["adversarial"]["1"]
            lines = text_of(lab).splitlines()
            row = next(i for i, line in enumerate(lines) if "◆ adversarial" in line and "±" in line)
            assert f"{value:.3f}"[1:] in lines[row + 1]

    async def test_enter_tells_all_of_the_run_under_the_cursor(
        self, house: House, running: Experiment
    ) -> None:
        lab = house.lab()
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "2/4 runs")
            await pilot.press(digit("runs"))
            await until(pilot, partial(focus_is_in, lab, "runs"))
            await pilot.press("down", "enter")
            await until(pilot, partial(shows, lab, "Run 1 of 4"))
            metrics = running.results()[0]
            lines = lab.screen.query_one("#run-details Static", Static)
            for told in (
                f"{metrics.seconds['surrogate']:.1f} s",
                f"{metrics.counts.adversarial:,} adversarial",
                f"{100 * (metrics.attack.surrogate_fooled or 0):.2f} % of the candidates",
                "after epoch 3 of 3",
            ):
                await until(pilot, lambda told=told: told in str(lines.content))  # type: ignore[misc]
            await pilot.press("down")
            await until(pilot, partial(shows, lab, "Run 2 of 4"))
            await pilot.press("escape")
            await until(pilot, lambda: "Run 2 of 4" not in text_of(lab))
            assert isinstance(lab.screen, LiveScreen)

    async def test_y_copies_what_is_under_the_cursor(self, house: House, finished: Experiment) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "3/3 runs")
            await pilot.press(digit("accuracy"))
            await until(pilot, partial(focus_is_in, lab, "accuracy"))
            await pilot.press("down", "y")
            await until(pilot, lambda: lab.clipboard.startswith("▲ misclassified\t.000"))
            await pilot.press(digit("verdict"))
            await until(pilot, partial(focus_is_in, lab, "verdict"))
            await pilot.press("y")
            await until(pilot, lambda: "In short" in lab.clipboard)


class TestHeader:
    @pytest.mark.slow
    async def test_what_does_not_fit_is_left_out_from_the_right_and_it_stays_one_line(
        self, house: House, running: Experiment
    ) -> None:
        lab = house.lab()
        async with opened(lab, (60, 24)) as pilot:
            await arrived(pilot, "2/4 runs")
            assert "left" not in header(lab)
            for width in (80, 140, 60):
                await pilot.resize_terminal(width, 24)
                await until(pilot, lambda width=width: ("left" in header(lab)) is (width >= 80))  # type: ignore[misc]
                assert header(lab).startswith("mnist · fgsm · eps 0.1 · Z 7 · seed 0  ▶ running  2/4 runs")
                assert ("2 at a time" in header(lab)) is (width == 140)
                assert lab.screen.query_one(LiveHeader).region.height == 1

    async def test_it_says_how_often_the_attack_fools_the_surrogate_where_that_fits(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "✓ complete")
            figures = [run.attack for run in finished.results().values()]
            fooled = sum(one.surrogate_fooled or 0.0 for one in figures) / len(figures)
            hit = sum(one.target_hit or 0.0 for one in figures) / len(figures)
            rates = f"{finished.id}  fooled {100 * fooled:.2f} %, target hit {100 * hit:.2f} %"
            assert rates in header(lab)
            await pilot.resize_terminal(*SMALL)
            await until(pilot, lambda: "fooled" not in header(lab))

    async def test_a_label_takes_the_place_of_the_name(self, house: House, finished: Experiment) -> None:
        write_annotations(finished.folder, Annotations("as in the paper"))
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "as in the paper · mnist · fgsm")


class TestAnotherLadder:
    @pytest.mark.slow
    async def test_every_pane_speaks_of_the_levels_and_sets_of_a_plug_in(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install(house.folder / "site", monkeypatch)
        spec = Spec.from_mapping(
            {"dataset": "mnist", "runs": 3, "family": "kernel", "controls": ["noise", "half"]}
        )
        experiment = make_experiment_from_answers(house.home, spec).experiment
        lab = house.lab(experiment)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "Bandwidth wide to narrow")
            await until(pilot, partial(shows, lab, "Bandwidth=wide"))
            await pilot.press(digit("claims"))
            await until(pilot, partial(focus_is_in, lab, "claims"))
            claims = lab.screen.query_one(ClaimsTable)
            first = "rise from Bandwidth = wide to Bandwidth = narrow"
            assert claims.explanation("crossfit_rise/adversarial").startswith(first)
            means_by_halves = lab.screen.query_one(CrossFitTable)
            titles = [column.label.plain.strip() for column in means_by_halves.columns.values()]
            assert titles == ["set", "wide", "medium", "narrow"]
            await pilot.press(digit("p-values"))
            await until(pilot, partial(shows, lab, "j=medium"))
            await pilot.press(digit("tests"))
            await until(pilot, partial(focus_is_in, lab, "tests"))
            table = lab.screen.query_one(StatisticsTable)
            assert [table.get_row_at(row)[0].plain.strip() for row in (0, 12, 20)] == [
                "S_narrow", "A_medium-A_wide", "log S_medium",
            ]  # fmt: skip
            await pilot.press(digit("accuracy"))
            await until(pilot, partial(focus_is_in, lab, "accuracy"))
            means = lab.screen.query_one(AccuracyTable)
            titles = [column.label.plain.strip() for column in means.columns.values()]
            levels = ["Bandwidth = wide", "Bandwidth = medium", "Bandwidth = narrow"]
            assert titles == ["set", *levels, "images"]
            assert [str(row.value) for row in means.rows] == list(experiment.spec.sets)
            assert means.explanation("half") == "every second candidate or so"
            assert "K = " not in text_of(lab)
            await pilot.press("v", "v", "v")
            await until(pilot, partial(shows, lab, "adversarial against half"))
            await pilot.press("e")
            await until(pilot, partial(shows, lab, "family=kernel"))


class TestTheme:
    async def test_the_header_follows_the_theme_where_no_event_comes_any_more(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "✓ complete")
            success = BUILTIN_THEMES["textual-light"].to_color_system().generate()["text-success"]
            for theme, styles in (("monochrome", {"bold"}), ("textual-light", {"bold", success})):
                lab.theme = theme
                await until(pilot, lambda styles=styles: header_styles(lab) == styles)  # type: ignore[misc]


class TestStopAndResume:
    @pytest.mark.slow
    async def test_stopping_asks_and_only_yes_stops(self, house: House, running: Experiment) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "▶ running  2/4 runs")
            await until(pilot, lambda: "s Stop" in footer(lab))
            assert "Resume" not in footer(lab)
            for no in ("escape", "n", "enter"):  # "no" has the focus at first
                await pilot.press("s")
                await until(pilot, lambda: isinstance(lab.screen, Confirm))
                await pilot.press(no)
                await until(pilot, lambda: isinstance(lab.screen, LiveScreen))
            await pilot.press("r")  # nothing to resume while it runs
            await pilot.pause()
            assert not running.cancel_file.exists()
            await pilot.press("s")
            await until(pilot, lambda: isinstance(lab.screen, Confirm))
            await pilot.press("y")
            await until(pilot, lambda: running.cancel_file.exists())
            await until(pilot, lambda: "was asked to stop" in notices(lab))
        assert house.coordinator.started == []

    async def test_the_news_of_an_ending_covers_neither_title_nor_tabs(
        self, house: House, running: Experiment
    ) -> None:
        lab = house.lab()
        async with opened(lab, SMALL, notifications=True) as pilot:
            await arrived(pilot, "▶ running  2/4 runs")
            await pilot.press(digit("verdict"))
            await until(pilot, partial(focus_is_in, lab, "verdict"))
            end(running, "cancelled")
            await until(pilot, partial(shows, lab, f"▌ {running.id}: cancelled"))
            (toast,) = lab.screen.query(Toast)
            assert "2 of 4 runs are complete" in text_of(lab)
            assert toast.region.height == 1
            assert toast.region.y >= lab.screen.query_one("#tabs").region.bottom

    async def test_a_stopped_experiment_says_so_and_can_be_resumed(
        self, house: House, running: Experiment
    ) -> None:
        house.coordinator.state, house.coordinator.complete = "running", 3
        lab = house.lab()
        rung = []
        lab.bell = lambda: rung.append(True)  # type: ignore[method-assign]
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "▶ running")
            end(running, "cancelled")
            await arrived(pilot, "■ ")
            await until(pilot, lambda: "2 of 4 runs are complete" in notices(lab))
            assert f"{running.id}: cancelled" in notices(lab)
            assert rung == [True]
            await until(pilot, lambda: "r Resume" in footer(lab))
            assert "Stop" not in footer(lab)
            await pilot.press("s")
            assert isinstance(lab.screen, LiveScreen)
            shutil.rmtree(running.journal)  # the stub writes it anew
            await pilot.press("r")
            await arrived(pilot, "▶ running  3/4 runs")
            assert [call["experiment"].id for call in house.coordinator.started] == [running.id]
            assert isinstance(lab.screen, LiveScreen)
            house.coordinator.processes[0].status = 0

    async def test_what_is_complete_cannot_be_resumed(self, house: House, finished: Experiment) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "✓ complete")
            await pilot.press("r", "s")
            await pilot.pause()
            assert isinstance(lab.screen, LiveScreen)
        assert house.coordinator.started == []

    async def test_a_killed_coordinator_is_seen_as_interrupted(
        self, house: House, running: Experiment
    ) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "▶ running")
            lock_of_the_dead(running)
            await arrived(pilot, "interrupted")
            await until(pilot, lambda: "r Resume" in footer(lab))


class TestActions:
    @pytest.mark.slow
    async def test_the_palette_writes_a_report_that_says_how_far_it_is(
        self, house: House, running: Experiment
    ) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "2/4 runs")
            await pilot.press("ctrl+p")
            await until(pilot, lambda: isinstance(lab.screen, CommandPalette))
            await pilot.press(*"report")
            await until(pilot, lambda: "HTML report" in text_of(lab))
            await pilot.press("enter")
            await until(pilot, lambda: f"HTML report of {running.id}: being written" in notices(lab))
            await until(pilot, lambda: "wrote" in notices(lab))
        path = running.folder / EXPORTS / f"{running.id}.html"
        text = section_text(Page(path.read_text(encoding="utf-8")), "header")
        assert f"running: 2 of 4 runs, experiment {running.id} Not complete: the numbers are over" in text

    @pytest.mark.slow
    async def test_p_writes_a_report_or_tells_why_not(self, house: House, finished: Experiment) -> None:
        (finished.folder / EXPORTS).touch()
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "✓ complete")
            await pilot.press("p")
            await until(pilot, lambda: f"cannot export {finished.id}" in notices(lab))
            (finished.folder / EXPORTS).unlink()
            await pilot.press("p")
            await until(pilot, lambda: f"{finished.id}.html" in notices(lab))
            assert footer(lab).count("Report") == 0

    async def test_the_gallery_opens_and_comes_back(self, house: House, finished: Experiment) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "✓ complete")
            live = lab.screen
            await pilot.press("g")
            await until(pilot, lambda: isinstance(lab.screen, GalleryScreen))
            await pilot.pause()
            await pilot.press("escape")
            await until(pilot, lambda: lab.screen is live)

    @pytest.mark.slow
    async def test_p_values_are_adjusted_on_demand(self, house: House, finished: Experiment) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "✓ complete")
            chart = lab.screen.query_one(PValueChart)
            plain = charted(finished, "p", "ratio", chart.pair)
            adjusted = charted(finished, "p_holm", "ratio", chart.pair)
            assert plain != adjusted
            assert drawn(chart) == plain
            await pilot.press("h")  # which brings the chart
            await until(pilot, partial(shows, lab, "Holm-adjusted p of S_j"))
            assert "unadjusted" not in text_of(lab)
            assert drawn(chart) == adjusted
            await pilot.press("h")
            await until(pilot, partial(shows, lab, "unadjusted p of S_j"))
            assert drawn(chart) == plain

    @pytest.mark.slow
    async def test_the_chart_follows_the_pair_of_the_tests_wherever_the_focus_is(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "✓ complete")
            chart, table = lab.screen.query_one(PValueChart), lab.screen.query_one(StatisticsTable)
            seen = [chart.pair]
            for pane in ("tests", "charts"):
                await pilot.press(digit(pane))
                await until(pilot, partial(focus_is_in, lab, pane))
                await pilot.press("v")
                await until(pilot, lambda: chart.pair not in seen)
                assert chart.pair == table.pair
                assert drawn(chart) == charted(finished, "p", "ratio", chart.pair) != []
                seen.append(chart.pair)

    @pytest.mark.slow
    async def test_keys_chart_other_quantities_and_change_how_curves_are_drawn(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "✓ complete")
            chart = lab.screen.query_one(PValueChart)
            for quantity in ("difference", "log_ratio", "ratio"):
                await pilot.press("t")
                await until(pilot, lambda quantity=quantity: chart.data.quantity == quantity)  # type: ignore[misc]
                assert drawn(chart) == charted(finished, "p", quantity, chart.pair) != []
                letters = SLOPES[quantity].partition(" = ")[0]
                await until(pilot, partial(shows, lab, f"unadjusted p of {letters}"))
            accuracy = lab.screen.query_one(AccuracyChart)
            for fit in (True, False):
                await pilot.press("i")
                await until(pilot, lambda fit=fit: accuracy.data.fit is fit)  # type: ignore[misc]
            for bars in (False, True):
                await pilot.press("b")
                await until(pilot, lambda bars=bars: accuracy.data.bars is bars)  # type: ignore[misc]


class TestTrouble:
    async def test_a_newer_versions_experiment_is_only_looked_at(self, house: House) -> None:
        newer = make_experiment(house.home, state="newer", runs=3, now=time.time())
        shutil.rmtree(newer.run_folder(2))  # or it would be complete, and not to be resumed for that reason
        lab = house.lab(newer)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "written by a newer version")
            await pilot.press("r")
            await pilot.pause()
            assert "Resume" not in footer(lab)
        assert house.coordinator.started == []

    async def test_what_a_newer_version_computes_is_not_stopped(
        self, house: House, running: Experiment
    ) -> None:
        line = {"seq": 1, "time": time.time(), "v": SCHEMA_VERSION + 1, "event": "reviewed"}
        (running.journal / "0002-coordinator.jsonl").write_text(json.dumps(line) + "\n")
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "written by a newer version")
            assert "▶ running" in header(lab)
            await pilot.press("s")
            await pilot.pause()
            assert isinstance(lab.screen, LiveScreen)
            assert "Stop" not in footer(lab)

    async def test_a_torn_journal_is_shown_with_what_cannot_be_read(
        self, house: House, running: Experiment
    ) -> None:
        journal = running.journal / "0001-coordinator.jsonl"
        lines = journal.read_text().splitlines()
        lines[5] = lines[5][:20]
        journal.write_text("\n".join(lines) + '\n{"seq": 99')
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "! 1 unreadable: ")
            assert "2/4 runs" in header(lab)
            assert "! 1 unreadable" in text_of(lab)

    @pytest.mark.slow
    async def test_a_deleted_folder_is_said_and_nothing_breaks(
        self, house: House, running: Experiment
    ) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "▶ running")
            shutil.rmtree(running.folder)
            await arrived(pilot, "is gone")
            for key in ("x", "1", "g", "escape"):
                await pilot.press(key)
                await pilot.pause()
            await until(pilot, lambda: "cannot export" in notices(lab))
            await until(pilot, lambda: isinstance(lab.screen, LiveScreen))
            await pilot.press(*map(str, range(2, 10)))
            await pilot.pause()
            assert "is gone" in text_of(lab)

    async def test_why_it_was_refused_is_said(self, house: House) -> None:
        experiment = make_experiment(house.home, state="interrupted", runs=3, complete=0, now=time.time())
        refusal = Finished(status="refused", error="[b]no[/b] data", hint="fetch it")
        append_events(experiment, refusal)
        lab = house.lab(experiment)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "refused")
            assert "✗ [b]no[/b] data. fetch it" in text_of(lab)
