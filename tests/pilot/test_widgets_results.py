"""The charts and tables of an experiment's results: what they show, and how little they draw anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import mean

import msgspec
import pytest
from rich.text import Text

from core.families.ladder import Ladder
from core.records.state import read_state
from core.records.statistics import SummaryTable
from core.report.result import result_of
from core.report.tables.text import tables
from core.statistics.slopes import REASONS
from tests.fakes.experiments import make_experiment, snapshot_of
from tests.fakes.lab import text_of
from tests.fakes.screens import NARROW, WIDE, Bench, settled, updates_of
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.charts.data import set_marker
from tui_aefit.lab.charts.palette import Palette
from tui_aefit.lab.widgets.chart import Chart, palette_of
from tui_aefit.lab.widgets.live.accuracy_table import AccuracyTable
from tui_aefit.lab.widgets.live.charts import AccuracyChart, PValueChart
from tui_aefit.lab.widgets.live.statistics_table import StatisticsTable


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return snapshot_of(make_experiment(tmp_path_factory.mktemp("running"), state="running"))


@pytest.fixture
def created(tmp_path: Path) -> Snapshot:
    return snapshot_of(make_experiment(tmp_path, state="created"))


# Charts


class Drawings:
    """A chart that only notes how it was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, int, int, Palette | None]] = []

    def __call__(self, data: object, width: int, height: int, palette: Palette | None) -> Text:
        self.calls.append((data, width, height, palette))
        return Text(f"drawing {len(self.calls)}")


async def test_a_chart_is_drawn_for_new_data_a_new_size_and_a_new_theme_and_never_else() -> None:
    drawings = Drawings()
    chart = Chart(drawings, empty="nothing yet")
    app = Bench(chart)
    async with app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        assert "nothing yet" in text_of(app)
        assert drawings.calls == []
        chart.data = (1, 2)
        await settled(pilot)
        assert [call[:3] for call in drawings.calls] == [((1, 2), *WIDE)]
        chart.data = tuple([1, 2])
        chart.refresh()
        app.refresh(layout=True)
        await settled(pilot)
        assert len(drawings.calls) == 1
        await pilot.resize_terminal(*NARROW)
        await settled(pilot)
        assert [call[1:3] for call in drawings.calls[1:]] == [NARROW]
        app.theme = "textual-light"
        await settled(pilot)
        assert len(drawings.calls) == 3
        assert drawings.calls[1][3] != drawings.calls[2][3]
        assert "drawing 3" in text_of(app)


async def test_a_hidden_chart_is_drawn_when_it_is_shown() -> None:
    drawings = Drawings()
    chart = Chart(drawings, empty="")
    app = Bench(chart)
    chart.display = False
    async with app.run_test(size=WIDE) as pilot:
        chart.data = 1
        await settled(pilot)
        assert drawings.calls == []
        chart.display = True
        await settled(pilot)
        assert [call[:3] for call in drawings.calls] == [(1, *WIDE)]


@pytest.mark.parametrize("size", [WIDE, NARROW, (200, 60), (38, 10)])
async def test_the_charts_of_a_snapshot_fill_their_place(running: Snapshot, size: tuple[int, int]) -> None:
    for chart, caption in ((AccuracyChart("c"), "K=7"), (PValueChart(), "j=5")):
        app = Bench(chart)
        async with app.run_test(size=size) as pilot:
            chart.snapshot = running
            await settled(pilot)
            assert caption in text_of(app)
            assert chart.size == size


async def test_an_equal_snapshot_leaves_a_chart_alone(
    running: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart = AccuracyChart("c")
    async with Bench(chart).run_test(size=WIDE) as pilot:
        chart.snapshot = running
        await settled(pilot)
        drawings = Drawings()
        monkeypatch.setattr(chart, "_draw", drawings)
        chart.snapshot = replace(running, now=running.now + 1)
        await settled(pilot)
        assert drawings.calls == []
        chart.fit = True
        assert len(drawings.calls) == 1


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "nord", "solarized-light", "ansi-dark"])
async def test_a_theme_gives_the_paper_s_sets_different_colours(theme: str) -> None:
    app = Bench(Chart(Drawings(), empty=""))
    async with app.run_test() as pilot:
        app.theme = theme
        await settled(pilot)
        palette = palette_of(app)
        assert palette is not None
        assert len(set(palette.series)) == len(palette.series) >= 5


async def test_without_colour_there_is_no_palette(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Bench(Chart(Drawings(), empty=""))
    async with app.run_test():
        assert palette_of(app) is None


# The accuracy table


async def test_the_accuracy_table_has_means_intervals_and_images(running: Snapshot) -> None:
    table = AccuracyTable()
    app = Bench(table)
    async with app.run_test(size=(100, 20)) as pilot:
        table.snapshot = running
        await settled(pilot)
        assert running.summary is not None
        assert list(running.summary.accuracy) == [str(row.value) for row in table.rows]
        for name, by_level in running.summary.accuracy.items():
            for level, at in by_level.items():
                assert at.ci95 is not None
                half = (at.ci95[1] - at.ci95[0]) / 2
                shown = table.get_cell(name, level).plain
                assert [float(word) for word in shown.split("±")] == pytest.approx(
                    [at.mean, half], abs=0.0051
                )
            images = [running.metrics[run].counts.sets[name] for run in running.statistics_runs]
            assert float(table.get_cell(name, "n").plain.replace(",", "")) == pytest.approx(
                mean(images), abs=0.0501
            )
        assert set_marker("adversarial") in table.get_cell("adversarial", "set").plain
        assert table.rows["adversarial"].height == 1  # type: ignore[index]
        await pilot.resize_terminal(*WIDE)
        await settled(pilot)
        assert table.max_scroll_x == 0


async def test_the_images_of_the_accuracy_table_are_those_of_the_printed_one(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path)
    printed = tables(result_of(read_state(experiment))).partition("\naccuracy  ")[2].splitlines()[1:]
    table = AccuracyTable()
    async with Bench(table).run_test(size=(100, 20)) as pilot:
        table.snapshot = snapshot = snapshot_of(experiment)
        await settled(pilot)
        shown = {str(row.value): table.get_cell(row, "n").plain for row in table.rows}
    assert [line.split()[:2] for line in printed[: len(shown)]] == [list(row) for row in shown.items()]
    # They are told apart from those of any one run.
    assert all(
        shown["adversarial"] != f"{run.counts.sets['adversarial']:,}" for run in snapshot.metrics.values()
    )


async def test_a_run_that_is_not_in_the_means_yet_is_not_in_their_images(running: Snapshot) -> None:
    table = AccuracyTable()
    async with Bench(table).run_test(size=(100, 20)) as pilot:
        first = running.statistics_runs[0]
        table.snapshot = replace(running, statistics_runs=(first,))
        await settled(pilot)
        for name, images in running.metrics[first].counts.sets.items():
            assert table.get_cell(name, "n").plain == f"{images:,}"
        table.snapshot = replace(running, statistics_runs=())
        assert table.get_cell("adversarial", "n").plain == "-"


async def test_the_intervals_of_results_with_claims_are_said_to_allow_for_overlapping_splits(
    running: Snapshot,
) -> None:
    table = AccuracyTable()
    app = Bench(table)
    async with app.run_test(size=(70, 20)) as pilot:
        table.snapshot = running
        await settled(pilot)
        assert "± half of 95 %, for overlapping splits" in text_of(app)
        table.snapshot = replace(running, claims=())
        await settled(pilot)
        assert "± half the 95 % interval" in text_of(app)
        assert "splits" not in text_of(app)


async def test_the_accuracy_table_shows_a_chosen_run(
    running: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = AccuracyTable()
    async with Bench(table).run_test(size=(100, 20)) as pilot:
        table.snapshot = running
        await settled(pilot)
        table.run = 1
        await settled(pilot)
        value = running.metrics[1].accuracy["adversarial"]["3"]
        assert table.get_cell("adversarial", "3").plain.endswith(f"{value:.3f}"[1:])
        assert table.get_cell("adversarial", "set").plain.endswith("run 2")
        over, of_run = table.get_cell("adversarial", "n").plain.splitlines()
        assert of_run == f"{running.metrics[1].counts.sets['adversarial']:,}"
        with updates_of(table, monkeypatch):
            table.run = 7
        assert table.get_cell("adversarial", "3").plain.endswith("-")
        assert table.get_cell("adversarial", "n").plain.splitlines() == [over, "-"]
        table.run = 1
        await pilot.resize_terminal(*WIDE)  # too narrow for a column of images
        await settled(pilot)
        images = running.metrics[1].counts.sets["test"]
        assert table.get_cell("test", "set").plain.endswith(f"run 2: {images:,} images")
        table.run = None
        await settled(pilot)
        assert "\n" not in table.get_cell("adversarial", "3").plain


async def test_only_cells_that_changed_are_drawn_anew(
    running: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = AccuracyTable()
    async with Bench(table).run_test(size=WIDE) as pilot:
        table.snapshot = running
        await settled(pilot)
        assert running.summary is not None
        changed = {name: dict(by_level) for name, by_level in running.summary.accuracy.items()}
        changed["noise"]["1"] = msgspec.structs.replace(changed["noise"]["1"], mean=0.123)
        with updates_of(table, monkeypatch) as drawn:
            table.snapshot = replace(running, now=running.now + 1)
            assert drawn == []
            table.snapshot = replace(running, summary=SummaryTable(accuracy=changed))
        assert drawn == [("noise", "1")]
        assert ".123" in table.get_cell("noise", "1").plain


async def test_before_the_first_result_the_table_says_which_sets_there_will_be(created: Snapshot) -> None:
    table = AccuracyTable()
    app = Bench(table)
    async with app.run_test(size=(WIDE[0], 40)) as pilot:
        table.snapshot = created
        await settled(pilot)
        text = text_of(app)
        assert all(name in text for name in created.spec.sets)
        assert "mean of 0 runs" in text


async def test_a_narrow_accuracy_table_keeps_every_level_in_sight(running: Snapshot) -> None:
    table = AccuracyTable()
    app = Bench(table)
    async with app.run_test(size=NARROW) as pilot:
        table.snapshot = running
        await settled(pilot)
        assert all(running.ladder.at(level) in text_of(app) for level in ("7", "5", "3", "1"))
        assert table.max_scroll_x == 0


async def test_levels_with_long_names_have_whole_titles_where_they_fit(created: Snapshot) -> None:
    ladder = Ladder("Bandwidth", ("wide", "medium", "narrow"))
    table = AccuracyTable()
    app = Bench(table)
    async with app.run_test(size=(110, 24)) as pilot:
        table.snapshot = replace(created, ladder=ladder)
        await settled(pilot)
        assert all(ladder.at(level) in text_of(app) for level in ladder.levels)
        await pilot.resize_terminal(60, 24)
        await settled(pilot)
        assert all(f" {level} " in text_of(app) for level in ladder.levels)
        assert "Bandwidth" not in text_of(app)
        assert table.max_scroll_x == 0


async def test_the_set_under_the_cursor_is_described(running: Snapshot) -> None:
    table = AccuracyTable()
    app = Bench(table)
    async with app.run_test(size=WIDE) as pilot:
        table.snapshot = running
        table.focus()
        await settled(pilot)
        assert "the whole test set" in text_of(app)
        await pilot.press("down")
        await settled(pilot)
        assert "test images that the most general level gets wrong" in text_of(app)
        assert "accuracy 0 at K = 7 by construction" in table.explanation("misclassified")
        await pilot.hover(table, offset=(10, 4))
        await settled(pilot)
        assert "gets right, which it then gets wrong" in str(table.tooltip)


async def test_markers_change_their_colour_with_the_theme(running: Snapshot) -> None:
    table = AccuracyTable()
    app = Bench(table)
    async with app.run_test(size=WIDE) as pilot:
        table.snapshot = running
        await settled(pilot)
        before = table.get_cell("adversarial", "set").spans
        app.theme = "nord"
        await settled(pilot)
        assert table.get_cell("adversarial", "set").spans != before


# The tests table


async def test_the_tests_table_has_a_row_for_every_test_of_the_pair(running: Snapshot) -> None:
    table = StatisticsTable()
    async with Bench(table).run_test(size=(180, 20)) as pilot:
        table.snapshot = running
        await settled(pilot)
        expected = [test for test in running.tests if test.sets == table.pair]
        assert table.row_count == len(expected) == 3 * 3 * 4
        for test in expected:
            key = f"{test.quantity}/{test.j}/{test.test}"
            for column, value in (
                ("p", test.p),
                ("holm", test.p_holm),
                ("effect", test.effect_size),
                ("statistic", test.statistic),
            ):
                shown = table.get_cell(key, column).plain
                if value is None:
                    assert shown == "-"
                else:
                    assert float(shown) == pytest.approx(value, rel=0.06, abs=0.006)
            if test.reason is not None:
                assert REASONS[test.reason] in table.get_cell(key, "why").plain
            else:
                assert test.direction is not None
                assert test.direction in table.get_cell(key, "direction").plain


async def test_a_test_is_told_in_words_with_its_p(running: Snapshot) -> None:
    table = StatisticsTable()
    async with Bench(table).run_test(size=WIDE) as pilot:
        table.snapshot = running
        await settled(pilot)
        own = {f"{t.quantity}/{t.j}/{t.test}": t for t in running.tests if t.sets == table.pair}
        test = own["difference/1/welch"]
        start = f"A_1-A_3 is {test.direction} on adversarial than on misclassified, p"
        assert table.explanation("difference/1/welch") == f"{start} = {test.p:.2g}"
        tiny = msgspec.structs.replace(test, p=1e-40)
        table.snapshot = replace(running, tests=(tiny,))
        await settled(pilot)
        assert table.explanation("difference/1/welch") == f"{start} < 1e-16"


async def test_wilcoxon_has_the_direction_of_its_ranks_beside_their_effect(running: Snapshot) -> None:
    table = StatisticsTable()
    async with Bench(table).run_test(size=WIDE) as pilot:
        (test,) = (
            test
            for test in running.tests
            if (test.quantity, test.j, test.test) == ("ratio", "1", "wilcoxon") and test.sets == table.pair
        )
        # One large difference upwards, more and smaller ones downwards: the mean is up, the ranks are down.
        ranks = msgspec.structs.replace(test, mean_difference=0.3, effect_size=-0.4, direction="lower")
        table.snapshot = replace(running, tests=(ranks,))
        await settled(pilot)
        assert "lower" in table.get_cell("ratio/1/wilcoxon", "direction").plain
        assert table.get_cell("ratio/1/wilcoxon", "difference").plain.strip() == "-0.40 of all ranks"
        assert table.explanation("ratio/1/wilcoxon").startswith("by rank S_1 is lower on adversarial")
        # Without a test there is no direction of ranks either: the mean is told, and why.
        few = msgspec.structs.replace(ranks, p=None, effect_size=None, direction=None, reason="too_few_runs")
        table.snapshot = replace(running, tests=(few,))
        await settled(pilot)
        assert table.get_cell("ratio/1/wilcoxon", "difference").plain.strip() == "+0.300 (too few runs)"


@pytest.mark.parametrize("width", [60, 70, 78, 80, 86, 95, 105, 138, 200])
async def test_every_interval_is_whole_and_nothing_is_out_of_sight_at_any_width(
    running: Snapshot, width: int
) -> None:
    table = StatisticsTable()
    app = Bench(table)
    async with app.run_test(size=(width, 20)) as pilot:
        table.snapshot = running
        await settled(pilot)
        assert table.show_vertical_scrollbar
        assert table.max_scroll_x == 0
        names = [str(key.value) for key in table.columns]
        assert {"what", "test", "p", "direction", "difference"} <= set(names)
        for test in running.tests:
            key = f"{test.quantity}/{test.j}/{test.test}"
            if test.sets != table.pair or (place := table.get_row_index(key)) > 14:
                continue
            line = text_of(app).splitlines()[2 + place]
            whole = [table.get_cell(key, name).plain.strip() for name in names if name != "why"]
            assert " ".join(line.split()).startswith(" ".join(" ".join(["│", *whole]).split()))
            if test.ci95 is not None:
                low, high = test.ci95
                assert f"{test.mean_difference:+.3f} [{low:+.3f}, {high:+.3f}]" in line
            # An arrow stands for the word where there is no room for it.
            if test.direction in ("higher", "lower"):
                assert {"higher": "▲", "lower": "▼"}[test.direction] in line
                assert (f" {test.direction} " in line) is (width >= 78)
        assert ("why" in names) is (width == 200)
        assert ("df" in names) is (width >= 138)


async def test_what_the_border_would_cut_stands_below_the_rows_where_there_is_room(
    running: Snapshot,
) -> None:
    table = StatisticsTable()
    app = Bench(table)
    async with app.run_test(size=(60, 20)) as pilot:
        first = next(test for test in running.tests if test.reason == "by_construction")
        table.snapshot = replace(running, tests=(first,))
        await settled(pilot)
        words = " ".join(text_of(app).replace("│", " ").split())
        assert REASONS["by_construction"] in words
        assert not table.border_subtitle
        await pilot.resize_terminal(60, 5)  # no empty rows: the border has as much of it as it can
        await settled(pilot)
        assert REASONS["by_construction"][:30] in str(table.border_subtitle)


async def test_a_test_that_cannot_be_made_says_why_in_sight(running: Snapshot) -> None:
    table = StatisticsTable()
    app = Bench(table)
    async with app.run_test(size=WIDE) as pilot:
        table.snapshot = running
        table.focus()
        await settled(pilot)
        assert "by construction" in text_of(app)
        table.move_cursor(row=table.get_row_index("ratio/5/welch"))
        await settled(pilot)
        assert REASONS["by_construction"][:40] in text_of(app)


async def test_the_adversarial_set_is_compared_with_one_after_another(running: Snapshot) -> None:
    table = StatisticsTable()
    app = Bench(table)
    async with app.run_test(size=WIDE) as pilot:
        table.snapshot = running
        table.focus()
        await settled(pilot)
        seen = []
        for _ in ("test", *running.spec.controls, "misclassified"):
            table.next_pair()
            await settled(pilot)
            seen.append(table.pair)
            assert f"adversarial against {table.pair[1]}" in text_of(app)
        assert [
            message.pair for message in app.messages if isinstance(message, StatisticsTable.PairChanged)
        ] == seen
        assert set(seen) == {test.sets for test in running.tests}
        assert seen[-1] == ("adversarial", "misclassified")


async def test_without_tests_the_table_says_when_there_will_be_some(created: Snapshot) -> None:
    table = StatisticsTable()
    app = Bench(table)
    async with app.run_test(size=WIDE) as pilot:
        table.snapshot = created
        await settled(pilot)
        assert "Tests need 3 complete runs" in text_of(app)
