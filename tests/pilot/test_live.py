"""The live screen shows all of an experiment in any terminal, and does what a person asks and nothing else."""

from __future__ import annotations

import json
import shutil
import time
from functools import partial
from typing import Any

import pytest
from rich.text import Text
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES
from textual.widget import Widget
from textual.widgets import Static, Tabs
from textual.widgets._toast import Toast

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
from tui_aefit.lab.screens.confirm import Confirm
from tui_aefit.lab.screens.gallery import GalleryScreen
from tui_aefit.lab.screens.live import KEY_SECONDS, PANES, LiveScreen
from tui_aefit.lab.widgets.live.accuracy_table import AccuracyTable
from tui_aefit.lab.widgets.live.charts import AccuracyChart, PValueChart
from tui_aefit.lab.widgets.live.claims_table import ClaimsTable
from tui_aefit.lab.widgets.live.crossfit_table import CrossFitTable
from tui_aefit.lab.widgets.live.runs_table import RunsTable
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


def headline(lab: Lab) -> str:
    return str(lab.screen.query_one("#headline", Static).content)


def has_styles(line: Static, styles: set[str]) -> bool:
    """Whether the spans of a text have these styles and no others."""
    assert isinstance(line.content, Text)
    return {str(span.style) for span in line.content.spans} == styles


def footer(lab: Lab) -> str:
    return text_of(lab).splitlines()[-1]


def shows(lab: Lab, text: str) -> bool:
    return text in text_of(lab)


def focus_is_in(lab: Lab, pane: Widget | None) -> bool:
    return (
        lab.focused is None
        if pane is None
        else lab.focused is not None and pane in lab.focused.ancestors_with_self
    )


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
    await until(pilot, lambda: text in headline(pilot.app))  # type: ignore[arg-type]


class TestPanes:
    async def test_in_a_narrow_terminal_a_key_brings_each_pane_to_the_front(
        self, house: House, running: Experiment
    ) -> None:
        lab = house.lab()
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "2/4 runs")
            signs = {
                "runs": "progress or result",
                "accuracy": "misclassified",
                "charts": "K=7",
                "decides": "cross-fit rise",
                "tests": "Nadeau-Bengio",
                "verdict": "takes 3",
                "log": "run 2 complete",
            }
            for key, name in enumerate(signs, start=1):
                await pilot.press(str(key))
                await until(pilot, partial(shows, lab, signs[name]))
                panes = {pane: lab.screen.query_one(f"#{pane}-pane") for pane in PANES}
                assert [pane for pane, widget in panes.items() if widget.display] == [name]
                # What has the focus is seen, so that keys never move something hidden; a chart takes none.
                await until(pilot, partial(focus_is_in, lab, None if name == "charts" else panes[name]))

    async def test_in_a_narrow_terminal_the_key_of_the_charts_brings_one_after_the_other(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "✓ complete  3/3 runs")
            for sign, other, subtitle in (
                ("accuracy against K", "p of S_j", "3: p-values"),
                ("p of S_j", "accuracy against K", "3: accuracy"),
                ("accuracy against K", "p of S_j", "3: p-values"),
            ):
                await pilot.press("3")
                await until(pilot, partial(shows, lab, sign))
                assert other not in text_of(lab)
                assert subtitle in text_of(lab)
            await pilot.press("1", "3")  # back from another pane it is as it was left
            await until(pilot, partial(shows, lab, "accuracy against K"))

    async def test_in_a_wide_terminal_it_does_so_too_beside_all_other_panes(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "✓ complete  3/3 runs")
            for sign, other, subtitle in (
                ("accuracy against K", "p of S_j", "3: p-values"),
                ("p of S_j", "accuracy against K", "3: accuracy"),
                ("accuracy against K", "p of S_j", "3: p-values"),
            ):
                await until(pilot, partial(shows, lab, sign))
                assert other not in text_of(lab)
                assert subtitle in text_of(lab)
                assert "cross-fit rise" in text_of(lab)
                await pilot.press("3")

    async def test_cross_fitted_curves_are_drawn_on_request(self, house: House, finished: Experiment) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "✓ complete  3/3 runs")
            await pilot.press("3", "c")
            await until(pilot, partial(shows, lab, "adversarial, own"))
            assert "accuracy by the other half" in text_of(lab)
            assert "noise-matched" not in text_of(lab)
            await pilot.press("c")
            await until(pilot, partial(shows, lab, "noise-matched"))
            assert ", own" not in text_of(lab)
            await pilot.press("c", "a")  # all sets, by the votes that selected
            await until(pilot, partial(shows, lab, "one-per-source"))
            assert ", own" not in text_of(lab)

    async def test_runs_without_cross_fitted_accuracy_say_so(self, house: House) -> None:
        older = make_experiment(house.home, runs=3, now=time.time(), deciding=False)
        lab = house.lab(older)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "✓ complete  3/3 runs")
            await pilot.press("3", "c")
            await until(pilot, partial(shows, lab, "no cross-fitted accuracy"))
            await pilot.press("c")
            await until(pilot, partial(shows, lab, "accuracy against K"))

    async def test_the_curves_of_further_sets_are_drawn_on_request(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "✓ complete  3/3 runs")
            await pilot.press("3")
            await until(pilot, partial(shows, lab, "matched"))
            assert "one-per-source" not in text_of(lab)
            await pilot.press("a")
            await until(pilot, partial(shows, lab, "one-per-source"))
            assert set(lab.screen.query_one(AccuracyChart).data.curves) == set(SETS)
            await pilot.press("a")
            await until(pilot, lambda: "one-per-source" not in text_of(lab))

    async def test_in_a_wide_terminal_all_panes_are_seen_and_a_key_goes_to_each(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "✓ complete  3/3 runs")
            signs = (
                "progress or result",
                "matched",
                "against K",
                "cross-fit",
                "Welch",
                "In short",
                "complete:",
            )
            for sign in signs:
                await until(pilot, partial(shows, lab, sign))
            for key, name in enumerate(PANES, start=1):
                pane = lab.screen.query_one(f"#{name}-pane")
                assert pane.region.width > 40
                assert pane.region.height > 5
                await pilot.press(str(key))
                if name != "charts":
                    await until(pilot, partial(focus_is_in, lab, pane))
            # All sets are seen at once where there are lines for it, two for each of them.
            table = lab.screen.query_one("#accuracy-table")
            await pilot.resize_terminal(LARGE[0], 100)
            await until(pilot, lambda: table.max_scroll_y == 0)
            assert "one-per-source" in text_of(lab)

    async def test_a_terminal_that_is_made_wider_shows_more(self, house: House, finished: Experiment) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "3/3 runs")
            await pilot.press("1")
            await pilot.resize_terminal(*LARGE)
            await pilot.press("5")
            await until(
                pilot, lambda: "progress or result" in text_of(lab) and "Nadeau-Bengio" in text_of(lab)
            )
            await pilot.resize_terminal(*SMALL)
            await until(pilot, lambda: "progress or result" not in text_of(lab) and "Welch" in text_of(lab))
            await pilot.press("1")
            await pilot.resize_terminal(*LARGE)
            lab.screen.query_one("#log-lines").focus()
            await pilot.resize_terminal(*SMALL)
            # What had the focus is out of sight: keys must not be lost.
            await until(pilot, partial(focus_is_in, lab, lab.screen.query_one("#runs-pane")))
            await pilot.press("down")
            await until(pilot, lambda: lab.screen.query_one(RunsTable).row_under_cursor == "0")

    @pytest.mark.parametrize("size", [(120, 24), (120, 30), (160, 30), (160, 39), (119, 50)])
    async def test_a_terminal_without_room_for_all_panes_shows_charts_on_their_own(
        self, house: House, finished: Experiment, size: tuple[int, int]
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, size) as pilot:
            await arrived(pilot, "✓ complete  3/3 runs")
            await until(pilot, lambda: "2 Accuracy" in text_of(lab))
            await pilot.press("3")
            await until(pilot, lambda: "K=7" in text_of(lab) and "j=5" in text_of(lab))
            assert "No room for a chart" not in text_of(lab)
            assert [name for name in PANES if lab.screen.query_one(f"#{name}-pane").display] == ["charts"]

    @pytest.mark.parametrize("width", [120, 121, 140])
    async def test_the_times_of_twelve_runs_are_whole_beside_a_scrollbar(
        self, house: House, width: int
    ) -> None:
        experiment = make_experiment(house.home, runs=12, now=time.time())
        lab = house.lab(experiment)
        async with opened(lab, (width, 45)) as pilot:
            await arrived(pilot, "12/12 runs")
            table = lab.screen.query_one(RunsTable)
            await until(pilot, lambda: table.row_count == 13)
            assert table.max_scroll_y > 0
            assert table.max_scroll_x == 0

    async def test_the_table_shows_the_run_that_is_chosen(self, house: House, finished: Experiment) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "3/3 runs")
            await pilot.press("down")
            await until(pilot, lambda: "run 1" in text_of(lab))
            value = finished.results()[0].accuracy["adversarial"]["1"]
            lines = text_of(lab).splitlines()
            row = next(i for i, line in enumerate(lines) if "◆ adversarial" in line and ".000±" in line)
            assert f"{value:.3f}"[1:] in lines[row + 1]


class TestHeadline:
    async def test_settings_that_do_not_fit_are_left_out_and_it_stays_one_line(
        self, house: House, running: Experiment
    ) -> None:
        lab = house.lab(running)
        async with opened(lab, (60, 24)) as pilot:
            await arrived(pilot, "2/4 runs")
            assert "epsilon" not in headline(lab)
            for width in (80, 100, 60):
                await pilot.resize_terminal(width, 24)
                await until(pilot, lambda width=width: ("K 7 to 1" in headline(lab)) is (width == 100))  # type: ignore[misc]
                await pilot.pause()
                assert ("epsilon 0.1" in headline(lab)) is (width >= 80)
                assert lab.screen.query_one("#headline").region.height == 1

    async def test_it_says_how_often_the_attack_fools_the_surrogate_where_that_fits(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "✓ complete")
            figures = [run.attack for run in finished.results().values()]
            fooled = sum(one.surrogate_fooled or 0.0 for one in figures) / len(figures)
            hit = sum(one.target_hit or 0.0 for one in figures) / len(figures)
            rates = f"  fooled {100 * fooled:.2f} %, target hit {100 * hit:.2f} %"
            assert headline(lab).endswith(rates)
            await pilot.resize_terminal(*SMALL)
            await until(pilot, lambda: "fooled" not in headline(lab))


class TestAnotherLadder:
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
            await until(pilot, partial(shows, lab, "accuracy against Bandwidth"))
            assert "Bandwidth=wide" in text_of(lab)
            claims = lab.screen.query_one(ClaimsTable)
            first = "rise from Bandwidth = wide to Bandwidth = narrow"
            assert claims.explanation("crossfit_rise/adversarial").startswith(first)
            means_by_halves = lab.screen.query_one(CrossFitTable)
            titles = [column.label.plain.strip() for column in means_by_halves.columns.values()]
            assert titles == ["set", "wide", "medium", "narrow"]
            await pilot.press("3")
            await until(pilot, partial(shows, lab, "j=medium"))
            table = lab.screen.query_one(StatisticsTable)
            assert [table.get_row_at(row)[0].plain.strip() for row in (0, 12, 20)] == [
                "S_narrow", "A_medium-A_wide", "log S_medium",
            ]  # fmt: skip
            means = lab.screen.query_one(AccuracyTable)
            titles = [column.label.plain.strip() for column in means.columns.values()]
            assert titles == ["set", "wide", "medium", "narrow", "n"]
            assert [str(row.value) for row in means.rows] == list(experiment.spec.sets)
            assert means.explanation("half") == "every second candidate or so"
            assert "K = " not in text_of(lab)
            await pilot.press("v", "v", "v")
            await until(pilot, partial(shows, lab, "adversarial against half"))
            await pilot.press("e")
            await until(pilot, partial(shows, lab, "0.1 Bandwidth wide to narrow"))


class TestTheme:
    async def test_the_headline_follows_the_theme_where_no_event_comes_any_more(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, SMALL) as pilot:
            await arrived(pilot, "✓ complete")
            line = lab.screen.query_one("#headline", Static)
            success = BUILTIN_THEMES["textual-light"].to_color_system().generate()["text-success"]
            for theme, styles in (("monochrome", {"bold"}), ("textual-light", {"bold", success})):
                lab.theme = theme
                await until(pilot, partial(has_styles, line, styles))


class TestStopAndResume:
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
            await pilot.press("6")
            await until(pilot, partial(shows, lab, "takes 3"))
            end(running, "cancelled")
            await until(pilot, partial(shows, lab, f"▌ {running.id}: cancelled"))
            (toast,) = lab.screen.query(Toast)
            assert "2 of 4 runs are complete" in text_of(lab)
            assert toast.region.height == 1
            assert toast.region.y >= lab.screen.query_one(Tabs).region.bottom

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

    async def test_p_values_are_adjusted_on_demand(self, house: House, finished: Experiment) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "✓ complete")
            chart = lab.screen.query_one(PValueChart)
            plain = charted(finished, "p", "ratio", chart.pair)
            adjusted = charted(finished, "p_holm", "ratio", chart.pair)
            assert plain != adjusted
            assert drawn(chart) == plain
            await pilot.press("3")
            await until(pilot, partial(shows, lab, "unadjusted p of S_j"))
            await pilot.press("h")
            await until(pilot, partial(shows, lab, "Holm-adjusted p of S_j"))
            assert "unadjusted" not in text_of(lab)
            await pilot.press("t")
            await until(pilot, lambda: "those of A_j - A_i" in notices(lab))
            assert {one.timeout for one in lab._notifications} == {KEY_SECONDS}
            assert KEY_SECONDS < lab.NOTIFICATION_TIMEOUT
            await pilot.press("t", "t")
            await until(pilot, partial(shows, lab, "Holm-adjusted p of S_j"))
            assert drawn(chart) == adjusted
            await pilot.press("h")
            await until(pilot, lambda: "as they are" in notices(lab))
            assert drawn(chart) == plain

    async def test_the_chart_follows_the_pair_of_the_tests_wherever_the_focus_is(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "✓ complete")
            chart, table = lab.screen.query_one(PValueChart), lab.screen.query_one(StatisticsTable)
            seen = [chart.pair]
            for pane in ("5", "1"):
                await pilot.press(pane)
                await until(
                    pilot,
                    partial(focus_is_in, lab, lab.screen.query_one(f"#{list(PANES)[int(pane) - 1]}-pane")),
                )
                await pilot.press("v")
                await until(pilot, lambda: chart.pair not in seen)
                assert chart.pair == table.pair
                assert drawn(chart) == charted(finished, "p", "ratio", chart.pair) != []
                seen.append(chart.pair)

    async def test_keys_chart_other_quantities_and_end_the_axis_at_the_curves(
        self, house: House, finished: Experiment
    ) -> None:
        lab = house.lab(finished)
        async with opened(lab, LARGE) as pilot:
            await arrived(pilot, "✓ complete")
            chart = lab.screen.query_one(PValueChart)
            await pilot.press("3")
            for quantity in ("difference", "log_ratio", "ratio"):
                await pilot.press("t")
                await until(pilot, lambda quantity=quantity: chart.data.quantity == quantity)  # type: ignore[misc]
                assert drawn(chart) == charted(finished, "p", quantity, chart.pair) != []
                letters = SLOPES[quantity].partition(" = ")[0]
                await until(pilot, partial(shows, lab, f"unadjusted p of {letters}"))
            accuracy = lab.screen.query_one(AccuracyChart)
            for fit in (True, False):
                await pilot.press("f")
                await until(pilot, lambda fit=fit: accuracy.data.fit is fit)  # type: ignore[misc]


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
            assert "▶ running" in headline(lab)
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
            assert "2/4 runs" in headline(lab)
            assert "! 1 unreadable" in text_of(lab)

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
            await pilot.press("2", "3", "4", "5", "6", "7")
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
