"""The experiments screen: every state is shown, every key does what it says or says why it does not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from textual.widgets import Footer

from core.records.annotations import Annotations, read_annotations, write_annotations
from core.records.experiment import Experiment
from core.records.home import delete_experiment
from tests.fakes.experiments import NOW, State, make_experiment
from tests.fakes.lab import text_of
from tests.fakes.screens import Desk, desk, updates_of
from tui_aefit.following.listing import COLUMNS
from tui_aefit.following.ordering import Order
from tui_aefit.lab.browsing import Browsing
from tui_aefit.lab.messages import (
    CloneExperiment,
    ExportExperiment,
    ExtendExperiment,
    ExtendSeveral,
    NewExperiment,
    OpenExperiment,
    OpenScreen,
    ResumeExperiment,
    ResumeSeveral,
)
from tui_aefit.lab.screens import experiments
from tui_aefit.lab.screens.compare import CompareScreen
from tui_aefit.lab.screens.confirm import Ask, Confirm
from tui_aefit.lab.screens.experiments import ExperimentsScreen
from tui_aefit.lab.widgets import experiments_table
from tui_aefit.lab.widgets.preview import PreviewPane

RESUMABLE: tuple[State, ...] = ("interrupted", "created", "failed")
STATES: tuple[State, ...] = ("complete", "running", "failed")


class TestWhatIsShown:
    async def test_every_state_has_its_glyph_and_word_and_the_newest_is_first(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="running", runs=6, now=NOW)
        make_experiment(tmp_path, state="complete", runs=3, seed=1, now=NOW - 1e5)
        make_experiment(tmp_path, state="failed", runs=12, seed=2, now=NOW - 2e5)
        make_experiment(tmp_path, state="interrupted", runs=6, seed=3, complete=1, now=NOW - 3e5)
        make_experiment(tmp_path, state="created", runs=3, seed=4, now=NOW - 4e5)
        async with desk(tmp_path) as here:
            assert here.columns("state", "runs") == [
                ["▶ running", "2/6"],
                ["✓ complete", "3/3"],
                ["✗ failed", "11/12"],
                ["◐ interrupted", "1/6"],
                ["· not started", "0/3"],
            ]
            assert here.text("#title") == "Experiments: 5, 1 running"

    async def test_a_row_has_the_settings_and_the_label(self, tmp_path: Path) -> None:
        experiment = make_experiment(
            tmp_path, state="created", runs=3, attack="deepfool", epsilon=8 / 255, z=9
        )
        write_annotations(experiment.folder, Annotations("[bold]mine[/] 日本", ("fig5",), "as in\nthe paper"))
        async with desk(tmp_path, (160, 30)) as here:
            await here.press("f")
            assert here.columns("name", "epsilon", "ladder", "settings") == [
                [f"{experiment.id}  [bold]mine[/] 日本", "0.0314", "K 9 to 1", "z=9"]
            ]
            await here.pilot.resize_terminal(80, 24)
            assert here.text("#detail").startswith(f"{experiment.id} · not started · created 2026-")
            assert here.text("#detail").endswith("\n#fig5 · as in the paper")

    async def test_without_colour_no_state_is_coloured(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_experiment(tmp_path, state="failed", runs=3)
        async with desk(tmp_path) as here:
            error = here.lab.theme_variables["text-error"]
            assert error in {str(span.style) for span in here.table.get_row_at(0)[1].spans}
        monkeypatch.setenv("NO_COLOR", "1")
        async with desk(tmp_path) as here:
            assert not any("#" in str(span.style) for span in here.table.get_row_at(0)[1].spans)

    async def test_the_name_is_the_id(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, state="created", runs=3)
        async with desk(tmp_path) as here:
            assert here.columns("name") == [[f"mnist-fgsm-{experiment.spec.digest[:8]}"]]

    async def test_the_results_are_those_of_the_runs(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, runs=4)
        runs = experiment.results().values()
        accuracy = np.mean([run.accuracy["adversarial"]["1"] or 0.0 for run in runs])
        rises = {
            name: [run.crossfit.accuracy[name] for run in runs if run.crossfit is not None]
            for name in ("adversarial", "misclassified")
        }
        adversarial, mistakes = (
            np.mean([(found["1"] or 0.0) - (found["7"] or 0.0) for found in rises[name]]) for name in rises
        )
        async with desk(tmp_path) as here:
            ((shown, rise, time),) = here.columns("accuracy", "rise", "time")
            assert float(shown) == pytest.approx(accuracy, abs=5e-4)
            word, estimate = rise.split()
            assert word in ("lower", "higher", "same", "undecided")
            assert float(estimate) == pytest.approx(adversarial - mistakes, abs=5e-4)
            minutes, seconds = map(int, time.rstrip("s").split("m"))
            assert 60 * minutes + seconds == pytest.approx(sum(run.run_seconds for run in runs), abs=0.5)

    async def test_the_reason_of_a_failure_is_told(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="failed", runs=12)
        async with desk(tmp_path) as here:
            assert "a run failed: the surrogate did not learn" in here.text("#detail")

    async def test_changes_appear_and_the_cursor_stays_on_its_experiment(self, tmp_path: Path) -> None:
        old = make_experiment(tmp_path, state="running", runs=3, now=NOW - 1e5)
        async with desk(tmp_path) as here:
            make_experiment(tmp_path, state="created", runs=3, seed=1, now=NOW)
            old.cancel_file.touch()
            await here.look()
            assert here.columns("state") == [["· not started"], ["◼ stopping"]]
            assert here.table.chosen is not None
            assert here.table.chosen.id == old.id
            (old.folder / "lock").unlink()
            await here.look()
            assert here.columns("state") == [["· not started"], ["◐ interrupted"]]

    @pytest.mark.parametrize("width", [60, 80, 90])
    async def test_rows_fit_the_terminal(self, tmp_path: Path, width: int) -> None:
        experiment = make_experiment(
            tmp_path,
            state="failed",
            runs=3,
            dataset="fashion-mnist",
            attack="deepfool-untargeted",
            epsilon=8 / 255,
        )
        write_annotations(experiment.folder, Annotations("a label that is much longer than most are " * 3))
        async with desk(tmp_path, (width, 24)) as here:
            assert here.table.virtual_size.width <= width
            assert here.columns("name")[0][0].startswith("a label")
            assert {"state", "name", "accuracy", "rise"} <= set(here.table.shown_columns)
            assert "time" not in here.table.shown_columns

    async def test_five_keys_are_in_the_footer_beside_the_apps_own(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="created", runs=3)
        async with desk(tmp_path) as here:
            active = here.lab.screen.active_bindings.values()
            shown = [one.binding.description for one in active if one.binding.show and not one.binding.system]
            assert here.lab.screen.query(Footer)
            assert shown == ["Open", "New", "Resume", "Mark", "Export"]


class TestWhateverLiesThere:
    async def test_an_empty_home_says_what_to_do(self, tmp_path: Path) -> None:
        async with desk(tmp_path / "nowhere") as here:
            assert (
                here.text("#empty")
                == f"No experiments yet under {tmp_path / 'nowhere'}\n\nn  sets up a new one"
            )
            assert not here.table.region.area
            await here.press("enter", "space", "c", "r", "m", "s", "d", "a", "t", "o", "y", "u", "x", "p")
            assert here.lab.requests == []
            assert here.lab.notices == []
            await here.press("n")
            assert [type(message) for message in here.lab.requests] == [NewExperiment]

    async def test_the_first_experiment_can_be_used_at_once(self, tmp_path: Path) -> None:
        async with desk(tmp_path) as here:
            experiment = make_experiment(tmp_path, state="created", runs=3)
            await here.look()
            await here.press("enter")
            (message,) = here.lab.requests
            assert isinstance(message, OpenExperiment)
            assert message.experiment == experiment

    async def test_a_home_that_cannot_be_listed_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "experiments").write_text("a file")
        async with desk(tmp_path) as here:
            assert here.text("#empty").startswith(f"cannot list {tmp_path / 'experiments'}")

    async def test_rubbish_is_shown_and_refuses_every_deed_with_the_reason(self, tmp_path: Path) -> None:
        folders = tmp_path / "experiments"
        for name, content in {"rubbish": "runs = [", "newer": "schema_version = 9"}.items():
            (folders / name).mkdir(parents=True)
            (folders / name / "spec.toml").write_text(content)
            os.utime(folders / name / "spec.toml", (NOW, NOW + len(name)))
        os.mkdir(os.fsencode(folders) + b"/\xff\x1b[31m")
        (folders / "a file").write_text("")
        async with desk(tmp_path) as here:
            assert sorted(here.columns("state", "name")) == [
                ["? unreadable", "rubbish"],
                ["? unreadable", "��[31m"],
                ["^ newer version", "newer"],
            ]
            for name, reason in {
                "rubbish": "it is not valid TOML",
                "newer": "written by a newer version",
            }.items():
                here.table.move_cursor(row=here.table.get_row_index(name))
                for key in ("enter", "space", "c", "r", "m", "s", "d", "a", "t", "o", "x", "p"):
                    here.lab.notices.clear()
                    await here.press(key)
                    assert len(here.lab.notices) == 1, key
                    assert reason in here.lab.notices[0]
            assert here.lab.requests == []
            assert here.lab.export_screenshot()
        assert {path.name for path in folders.iterdir()} >= {"rubbish", "newer", "a file"}

    async def test_an_experiment_that_a_newer_version_went_on_with_is_only_read(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, state="newer", runs=3)
        async with desk(tmp_path) as here:
            assert here.columns("state") == [["✓ complete"]]
            await here.press("r", "s", "d", "a", "t", "o", "m")
            assert (
                here.lab.notices
                == [f"{experiment.id} can only be read: its journal was written by a newer version"] * 7
            )
            await here.press("enter", "c")
            assert [type(message) for message in here.lab.requests] == [OpenExperiment, CloneExperiment]


class TestFilter:
    async def test_it_leaves_those_that_match(self, tmp_path: Path) -> None:
        first = make_experiment(tmp_path, state="created", runs=3, attack="deepfool", now=NOW - 9)
        make_experiment(tmp_path, state="created", runs=3, now=NOW)
        async with desk(tmp_path) as here:
            await here.press("slash", *"DEEP")
            assert here.listed() == [first.id]
            assert here.text("#title") == "Experiments: 2, 1 shown"
            assert here.text("#detail").startswith(first.id)
            await here.press("z")
            assert here.listed() == []
            assert here.lab.screen.query_one("#empty").display
            assert here.text("#empty") == "No experiment matches the filter\n\nesc  shows all again"
            await here.press("escape")
            assert len(here.listed()) == 2

    async def test_enter_or_down_goes_on_in_the_table_and_escape_shows_all(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="created", runs=3, seed=1)
        make_experiment(tmp_path, state="created", runs=3, seed=2, attack="deepfool")
        async with desk(tmp_path) as here:
            for leave in ("enter", "down"):
                await here.press("slash", "p")
                assert here.lab.focused is here.lab.screen.query_one("#filter")
                await here.press(leave)
                assert here.lab.focused is here.table
                assert len(here.listed()) == 1
                await here.press("escape")
                assert len(here.listed()) == 2
                assert here.lab.focused is here.table
                assert not here.lab.screen.query_one("#filter").display

    async def test_fields_and_patterns_and_what_is_not_understood(self, tmp_path: Path) -> None:
        folds = make_experiment(tmp_path, state="created", runs=3, splits="folds")
        make_experiment(tmp_path, state="created", runs=3, attack="fgsm-untargeted")
        async with desk(tmp_path) as here:
            await here.press("slash", *"attack:fgsm")
            assert here.listed() == [folds.id]
            assert not here.lab.screen.query_one("#said").display
            await here.press("asterisk")
            assert len(here.listed()) == 2
            await here.press("space", *"splits:folds")
            assert here.listed() == [folds.id]
            await here.press("space", *"colour:red")
            assert here.text("#said").startswith("there is no field colour: ")
            assert here.lab.screen.query_one("#said").display
            await here.press("escape")
            assert not here.lab.screen.query_one("#said").display

    async def test_without_a_filter_escape_leaves(self, tmp_path: Path) -> None:
        async with desk(tmp_path) as here:
            await here.press("escape")
            assert not isinstance(here.lab.screen, ExperimentsScreen)


class TestSorting:
    async def test_keys_go_by_the_columns_both_ways_and_the_heading_says_so(self, tmp_path: Path) -> None:
        made = [
            make_experiment(tmp_path, runs=runs, seed=seed, now=NOW - age, epsilon=epsilon)
            for seed, (runs, age, epsilon) in enumerate([(1, 0, 0.1), (2, 100, 0.3), (3, 200, 0.2)])
        ]
        ids = [experiment.id for experiment in made]

        def headings(here: Desk) -> str:
            return " ".join(column.label.plain for column in here.table.columns.values())

        async with desk(tmp_path, (160, 30)) as here:
            await here.press("1", "f")
            assert here.listed() == ids
            assert "▲age" in headings(here)
            here.at(made[1])
            await here.press("greater_than_sign")
            assert here.listed() == ids[::-1]
            assert "▼age" in headings(here)
            await here.press("greater_than_sign")
            assert here.listed() == ids[::-1]  # the longest first
            assert "▼time" in headings(here)
            await here.press(*["less_than_sign"] * 11)
            assert "▼ε" in headings(here)
            assert here.listed() == [ids[1], ids[2], ids[0]]
            await here.press("less_than_sign")
            assert "▲ε" in headings(here)
            assert here.listed() == [ids[0], ids[2], ids[1]]
            assert here.table.chosen is not None
            assert here.table.chosen.id == ids[1]

    async def test_sorting_moves_the_rows_that_are_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = [
            make_experiment(tmp_path, runs=1, seed=seed, now=NOW - seed, epsilon=epsilon)
            for seed, epsilon in enumerate((0.1, 0.3, 0.2))
        ]
        ids = [experiment.id for experiment in made]
        async with desk(tmp_path, (200, 30)) as here:
            await here.press("1", "f")
            here.at(made[1])
            rows = dict(zip(ids, here.rows(), strict=True))
            with updates_of(here.table, monkeypatch):
                for order, listed in (
                    (Order("age", descending=True), ids[::-1]),
                    (Order("epsilon"), [ids[0], ids[2], ids[1]]),
                    (Order("epsilon", descending=True), [ids[1], ids[2], ids[0]]),
                ):
                    place = here.table.shown_columns.index(order.column)
                    x = sum(column.width for column in here.table.ordered_columns[:place]) + 2
                    await here.pilot.click(here.table, offset=(x, 0))
                    await here.settle()
                    assert here.rows() == [rows[id] for id in listed]
                    assert here.table.ordered_columns[place].label.plain.strip().startswith(order.arrow)
                    assert here.table.row_under_cursor == made[1].id
                    shown = [line for line in text_of(here.lab).splitlines() if "mnist" in line]
                    assert [next(id for id in ids if id in line) for line in shown] == listed

    @pytest.mark.parametrize("size", [(80, 24), (140, 45)])
    async def test_no_order_moves_a_column_or_takes_a_mark_or_the_cursor_away(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
    ) -> None:
        made = [make_experiment(tmp_path, runs=1 + seed, seed=seed, now=NOW - 7 * seed) for seed in range(4)]
        async with desk(tmp_path, size) as here:
            here.at(made[2])
            await here.press("space")
            here.at(made[1])
            columns = [(key.value, column.width) for key, column in here.table.columns.items()]
            orders = set()
            with updates_of(here.table, monkeypatch):
                for _ in range(2 * len(COLUMNS)):
                    await here.press("greater_than_sign")
                    orders.add(here.table.listing.order)
                    assert [
                        (key.value, column.width) for key, column in here.table.columns.items()
                    ] == columns
                    assert here.marked() == {made[2].id}
                    assert here.table.row_under_cursor == made[1].id
            assert len(orders) == 2 * len(COLUMNS)

    async def test_what_a_filter_left_out_is_not_put_into_words_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = [make_experiment(tmp_path, runs=1, seed=seed, now=NOW - seed) for seed in range(3)]
        ids = [experiment.id for experiment in made]
        async with desk(tmp_path) as here:
            before = here.rows()
            put: list[str] = []
            with monkeypatch.context() as patch:
                patch.setattr(experiments_table, "cells_of", lambda one, **_: put.append(one.id))
                await here.press("slash", *ids[1][-8:])
                assert here.listed() == [ids[1]]
                await here.press("escape")
            assert here.listed() == ids
            assert here.rows() == before
            assert put == []

    async def test_ages_go_on_with_the_clock(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        make_experiment(tmp_path, state="created", runs=3, now=NOW)
        async with desk(tmp_path) as here:
            ((before,),) = here.columns("age")
            with monkeypatch.context() as patch:
                patch.setattr(experiments, "clock", lambda: NOW + 3 * 86400 + 60)
                await here.look()
                ((after,),) = here.columns("age")
            assert (before, after) == ("now", "3d")

    async def test_a_click_on_a_heading_sorts_and_again_the_other_way(self, tmp_path: Path) -> None:
        made = [make_experiment(tmp_path, runs=1, seed=seed, epsilon=epsilon, now=NOW - seed)
                for seed, epsilon in enumerate((0.2, 0.3, 0.1))]  # fmt: skip
        async with desk(tmp_path) as here:
            place = here.table.shown_columns.index("epsilon")
            x = sum(column.get_render_width(here.table) for column in here.table.ordered_columns[:place]) + 2
            await here.pilot.click(here.table, offset=(x, 0))
            await here.settle()
            assert here.listed() == [made[2].id, made[0].id, made[1].id]
            await here.pilot.click(here.table, offset=(x, 0))
            await here.settle()
            assert here.listed() == [made[1].id, made[0].id, made[2].id]

    async def test_what_cannot_be_seen_in_a_heading_stands_in_the_title(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="created", runs=3)
        async with desk(tmp_path, (60, 20)) as here:
            await here.press("greater_than_sign", "greater_than_sign")
            assert "time" not in here.table.shown_columns
            assert here.text("#title") == "Experiments: 1, by time that the runs took ▼"

    async def test_home_and_end_go_to_the_first_and_the_last(self, tmp_path: Path) -> None:
        made = [
            make_experiment(tmp_path, state="created", runs=3, seed=seed, now=NOW - seed) for seed in range(4)
        ]
        async with desk(tmp_path) as here:
            for key, place in (("end", -1), ("home", 0)):
                await here.press(key)
                assert here.table.chosen is not None
                assert here.table.chosen.id == made[place].id


class TestPreview:
    async def test_beside_the_list_where_there_is_room_it_follows_the_cursor(self, tmp_path: Path) -> None:
        first = make_experiment(tmp_path, runs=3, now=NOW)
        second = make_experiment(tmp_path, state="created", runs=3, seed=1, now=NOW - 1e5)
        write_annotations(second.folder, Annotations("the second", ("fig5",), "as in the paper"))
        async with desk(tmp_path, (140, 45)) as here:
            pane = here.lab.screen.query_one(PreviewPane)
            assert first.id in str(pane.border_title)
            assert "K=7" in text_of(here.lab)
            assert not here.lab.screen.query_one("#detail").region.area
            await here.press("down")
            assert "the second" in str(pane.border_title)
            assert "K=7" not in text_of(here.lab)
            for words in ("#fig5", "as in the paper", "not started", "0 of 3 runs"):
                assert words in text_of(here.lab)

    async def test_what_changes_is_shown_without_a_key(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, runs=3)
        async with desk(tmp_path, (140, 45)) as here:
            assert "#new" not in text_of(here.lab)
            write_annotations(experiment.folder, Annotations(tags=("new",)))
            await here.look()
            assert "#new" in text_of(here.lab)

    async def test_in_a_narrow_terminal_its_digit_brings_it(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, runs=3)
        async with desk(tmp_path, (80, 24)) as here:
            pane = here.lab.screen.query_one(PreviewPane)
            assert not pane.region.area
            await here.press("2")
            assert pane.region.width == 80
            assert not here.table.region.area
            assert "adversarial" in text_of(here.lab)
            await here.press("escape")
            assert here.table.region.width == 80
            await here.press("2", "1")
            assert here.table.region.width == 80
            assert here.lab.focused is here.table

    async def test_f_shows_the_pane_with_the_focus_alone_and_both_again(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, runs=3)
        async with desk(tmp_path, (140, 45)) as here:
            pane = here.lab.screen.query_one(PreviewPane)
            await here.press("f")
            assert (here.table.region.width, pane.region.area) == (140, 0)
            await here.press("escape", "2", "f")
            assert (here.table.region.area, pane.region.width) == (0, 140)
            await here.press("f")
            assert here.table.region.area
            assert pane.region.area
            assert isinstance(here.lab.screen, ExperimentsScreen)

    async def test_one_that_cannot_be_read_says_why(self, tmp_path: Path) -> None:
        (tmp_path / "experiments" / "rubbish").mkdir(parents=True)
        async with desk(tmp_path, (140, 45)) as here:
            assert "it holds no file spec.toml" in text_of(here.lab)


class TestSeveral:
    """Every key is about the marked experiments, and says how many they are."""

    @pytest.fixture
    def made(self, tmp_path: Path) -> list[Experiment]:
        states: tuple[State, ...] = ("complete", "running", "interrupted", "created")
        return [
            make_experiment(tmp_path, state=state, runs=3, seed=seed, now=NOW - 1000 * seed)
            for seed, state in enumerate(states)
        ]

    async def marking(self, here: Desk, made: list[Experiment], *places: int) -> None:
        for place in places:
            here.at(made[place])
            await here.press("space")

    @pytest.mark.slow
    async def test_marks_survive_filter_order_looking_and_leaving(
        self, tmp_path: Path, made: list[Experiment]
    ) -> None:
        browsing = Browsing.of(tmp_path)
        wanted = {made[0].id, made[2].id}
        async with desk(tmp_path, browsing=browsing) as here:
            await self.marking(here, made, 0, 2)
            assert here.marked() == wanted
            await here.press("greater_than_sign")
            assert here.marked() == wanted
            await here.press("e")
            assert here.marked() == wanted
            await here.press("slash", *"created", "escape")
            assert here.marked() == wanted
            await here.press("slash", *"state:running", "enter")
            assert here.marked() == set()
            assert here.text("#title") == "Experiments: 4, 1 running, 2 marked (= compares them), 1 shown"
            await here.press("escape", "end")
            await here.press("escape")
        async with desk(tmp_path, browsing=browsing) as here:
            assert here.marked() == wanted
            assert browsing.order == Order("age", descending=True)
            assert here.table.chosen is not None
            assert here.table.chosen.id == here.listed()[-1]
            await here.press("u")
            assert here.marked() == set()

    async def test_a_filter_survives_leaving_and_is_seen(
        self, tmp_path: Path, made: list[Experiment]
    ) -> None:
        browsing = Browsing.of(tmp_path)
        async with desk(tmp_path, browsing=browsing) as here:
            await here.press("slash", *"state:running", "enter", "n")
        async with desk(tmp_path, browsing=browsing) as here:
            assert here.listed() == [made[1].id]
            assert here.lab.screen.query_one("#filter").region.area
            await here.press("escape")
            assert len(here.listed()) == 4

    async def test_label_tags_and_note(self, tmp_path: Path, made: list[Experiment]) -> None:
        write_annotations(made[0].folder, Annotations("", ("old", "kept"), "n"))
        async with desk(tmp_path) as here:
            await self.marking(here, made, 0, 3)
            await here.press("a")
            assert here.text("#question") == "Label of 2 experiments"
            assert here.text("#detail").splitlines() == [made[0].id, made[3].id, "All get the same."]
            await here.press(*"mine", "enter", "t")
            assert here.text("#question") == "Tags of 2 experiments"
            assert "Tags: #old #kept." in here.text("#detail")
            await here.press(*'fig5 -old "two words"', "enter", "o")
            assert here.text("#question") == "Note on 2 experiments"
            assert here.lab.focused is here.lab.screen.query_one("#note")
            await here.press(*"one", "enter", *"two", "ctrl+s")
            assert read_annotations(made[0].folder)[0] == Annotations(
                "mine", ("kept", "fig5", "two words"), "one\ntwo"
            )
            assert read_annotations(made[3].folder)[0] == Annotations(
                "mine", ("fig5", "two words"), "one\ntwo"
            )
            assert read_annotations(made[1].folder)[0] == Annotations()
            assert here.lab.notices == [
                "2 experiments are labelled alike", "tagged 2 experiments", "noted of 2 experiments",
            ]  # fmt: skip

    async def test_delete_names_them_and_leaves_out_what_runs(
        self, tmp_path: Path, made: list[Experiment]
    ) -> None:
        async with desk(tmp_path) as here:
            await self.marking(here, made, 0, 1, 3)
            await here.press("slash", *"state:complete", "enter", "d")
            assert here.text("#question") == "Delete 2 of 3 experiments?"
            detail = here.text("#detail").splitlines()
            assert detail == [
                made[0].id, made[3].id, "1 of them the filter hides.",
                "Their results (3 complete runs), exports and notes are removed for good.",
                f"Not: {made[1].id} is running: stop it first (s)",
            ]  # fmt: skip
            await here.press("n")
            assert made[0].folder.exists()
            await here.press("d", "y")
            assert [one.folder.exists() for one in made] == [False, True, True, False]
            assert here.lab.notices == ["deleted 2 experiments"]

    async def test_resume_asks_and_leaves_out_what_lacks_nothing(
        self, tmp_path: Path, made: list[Experiment]
    ) -> None:
        async with desk(tmp_path) as here:
            await self.marking(here, made, 0, 1, 2, 3)
            await here.press("r")
            assert here.text("#question") == "Resume 2 of 4 experiments?"
            assert "5 runs in all; they are computed at the same time." in here.text("#detail")
            assert f"Not: {made[0].id} is complete: no run is missing" in here.text("#detail")
            await here.press("y")
            (message,) = here.lab.requests
            assert isinstance(message, ResumeSeveral)
            assert list(message.experiments) == made[2:]

    async def test_more_runs_of_several(self, tmp_path: Path, made: list[Experiment]) -> None:
        async with desk(tmp_path) as here:
            await self.marking(here, made, 0, 2)
            await here.press("m")
            assert here.text("#question") == "How many runs in all? 2 experiments have 3"
            await here.press("enter")
            (message,) = here.lab.requests
            assert isinstance(message, ExtendSeveral)
            assert (list(message.experiments), message.word) == ([made[0], made[2]], "6")

    async def test_stop_export_and_copy(self, tmp_path: Path, made: list[Experiment]) -> None:
        async with desk(tmp_path) as here:
            await self.marking(here, made, 0, 1)
            await here.press("y")
            assert here.lab.clipboard == f"{made[0].id} {made[1].id}"
            await here.press("p")
            (message,) = here.lab.requests
            assert isinstance(message, ExportExperiment)
            assert (message.experiments, message.choice) == (tuple(made[:2]), "report")
            await here.press("s")
            assert here.text("#question") == "Stop 1 of 2 experiments?"
            await here.press("y")
            assert made[1].cancel_file.exists()

    async def test_where_none_can_be_the_person_is_told(self, tmp_path: Path, made: list[Experiment]) -> None:
        async with desk(tmp_path) as here:
            await self.marking(here, made, 0, 1)
            await here.press("r")
            assert here.lab.notices == [f"with none of 2: {made[0].id} is complete: no run is missing"]
            assert here.lab.requests == []

    async def test_what_fails_with_one_is_done_with_the_others(
        self, tmp_path: Path, made: list[Experiment]
    ) -> None:
        (made[0].folder / "annotations.toml").write_text("label =")
        async with desk(tmp_path) as here:
            await self.marking(here, made, 0, 2)
            await here.press("a", *"x", "enter")
            (notice,) = here.lab.notices
            assert notice.startswith(
                f"1 of 2 experiments are labelled alike, but not {made[0].id}: annotations.toml"
            )
            assert read_annotations(made[2].folder)[0].label == "x"

    async def test_a_clone_begins_from_the_one_under_the_cursor(
        self, tmp_path: Path, made: list[Experiment]
    ) -> None:
        async with desk(tmp_path) as here:
            await self.marking(here, made, 0, 2)
            here.at(made[3])
            await here.press("c")
            (message,) = here.lab.requests
            assert isinstance(message, CloneExperiment)
            assert message.spec == made[3].spec
            assert here.lab.notices == [f"a clone begins from one experiment: {made[3].id}, under the cursor"]

    async def test_no_more_are_compared_than_can_be_told_apart(self, tmp_path: Path) -> None:
        for seed in range(13):
            make_experiment(tmp_path, state="created", runs=1, seed=seed, now=NOW - seed)
        async with desk(tmp_path) as here:
            await here.press("home", *["space"] * 13, "equals_sign")
            assert here.lab.requests == []
            assert here.lab.notices == ["13 are marked: no more than 12 can be told apart in one chart"]
            await here.press("space", "equals_sign")
            assert len(here.lab.requests) == 1


class TestForTheApp:
    async def test_enter_opens_and_c_clones_the_chosen_one(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="created", runs=3, now=NOW)
        second = make_experiment(tmp_path, state="created", runs=3, seed=1, now=NOW - 9)
        async with desk(tmp_path) as here:
            await here.press("down", "enter", "c")
            opened, cloned = here.lab.requests
            assert isinstance(opened, OpenExperiment)
            assert isinstance(cloned, CloneExperiment)
            assert (opened.experiment, cloned.spec) == (second, second.spec)

    async def test_r_resumes_what_can_be(self, tmp_path: Path) -> None:
        can = [
            make_experiment(tmp_path, state=state, runs=3, seed=seed) for seed, state in enumerate(RESUMABLE)
        ]
        complete, running = (
            make_experiment(tmp_path, state="complete", runs=3, seed=3),
            make_experiment(tmp_path, state="running", runs=3, seed=4),
        )
        async with desk(tmp_path) as here:
            for experiment in (*can, complete, running):
                here.at(experiment)
                await here.press("r")
            asked = [
                message.experiment for message in here.lab.requests if isinstance(message, ResumeExperiment)
            ]
            assert asked == can
            assert here.lab.notices == [
                f"{complete.id} is complete: no run is missing", f"{running.id} is running already",
            ]  # fmt: skip

    async def test_m_asks_for_more_runs_of_whatever_is_no_newer_versions(self, tmp_path: Path) -> None:
        made = [
            make_experiment(tmp_path, state=state, runs=3, seed=seed) for seed, state in enumerate(STATES)
        ]
        newer = make_experiment(tmp_path, state="newer", runs=3, seed=3)
        async with desk(tmp_path) as here:
            for experiment in (*made, newer):
                here.at(experiment)
                await here.press("m")
            asked = [
                message.experiment for message in here.lab.requests if isinstance(message, ExtendExperiment)
            ]
            assert asked == made
            assert [notice.partition(":")[0] for notice in here.lab.notices] == [
                f"{newer.id} can only be read"
            ]

    async def test_x_and_p_export_the_chosen_one(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, state="created", runs=3, now=NOW)
        failed = make_experiment(tmp_path, state="failed", runs=6, seed=1, now=NOW - 9)
        async with desk(tmp_path) as here:
            await here.press("down", "x", "p")
            for message, choice in zip(here.lab.requests, ("", "report"), strict=True):
                assert isinstance(message, ExportExperiment)
                assert (message.experiment, message.choice) == (failed, choice)
                assert (message.status, message.done) == ("failed", 5)

    async def test_the_marked_are_compared(self, tmp_path: Path) -> None:
        made = [
            make_experiment(tmp_path, state="created", runs=3, seed=seed, now=NOW - seed) for seed in range(4)
        ]
        async with desk(tmp_path) as here:
            await here.press("space", "equals_sign")
            assert here.lab.requests == []
            assert here.lab.notices == ["mark two or more experiments with space, then compare them"]
            await here.press("space", "space", "equals_sign", "C")
            for message in here.lab.requests:
                assert isinstance(message, OpenScreen)
                assert isinstance(message.screen, CompareScreen)
                assert message.screen.experiments == made[:3]
            assert len(here.lab.requests) == 2
            assert here.columns("mark") == [["●"], ["●"], ["●"], [""]]
            assert here.text("#title") == "Experiments: 4, 3 marked (= compares them)"

    async def test_space_again_takes_the_mark_away_and_so_does_deletion(self, tmp_path: Path) -> None:
        made = [
            make_experiment(tmp_path, state="created", runs=3, seed=seed, now=NOW - seed) for seed in range(2)
        ]
        async with desk(tmp_path) as here:
            await here.press("space", "up", "space")
            assert here.columns("mark") == [[""], [""]]
            here.at(made[1])
            await here.press("space")
            delete_experiment(made[1].folder)
            await here.look()
            assert here.marked() == set()
            assert here.text("#title") == "Experiments: 1"


class TestDoneHere:
    async def test_s_asks_and_then_asks_the_coordinator_to_stop(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, state="running", runs=6)
        async with desk(tmp_path) as here:
            await here.press("s")
            assert isinstance(here.lab.screen, Confirm)
            assert here.text("#question") == f"Stop {experiment.id}?"
            assert here.text("#detail").startswith("2 of 6 runs are complete and kept")
            await here.press("n")
            assert not experiment.cancel_file.exists()
            await here.press("s", "y")
            assert experiment.cancel_file.exists()
            assert here.lab.notices == [f"{experiment.id} was asked to stop"]
            assert here.columns("state") == [["◼ stopping"]]

    async def test_what_ended_meanwhile_is_not_asked_to_stop(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, state="running", runs=3)
        async with desk(tmp_path) as here:
            await here.press("s")
            (experiment.folder / "lock").unlink()
            await here.press("y")
            assert here.lab.notices == [
                f"{experiment.id} is not being computed; aefit-tui show {experiment.id} tells its state"
            ]
            assert not experiment.cancel_file.exists()
            await here.press("s")
            assert here.lab.notices[1:] == [f"{experiment.id} is not running"]

    async def test_d_asks_and_then_deletes_and_the_cursor_stays_near(self, tmp_path: Path) -> None:
        made = [
            make_experiment(tmp_path, state="complete", runs=1, seed=seed, now=NOW - 1000 * seed)
            for seed in range(3)
        ]
        async with desk(tmp_path) as here:
            await here.press("down", "d")
            assert here.text("#question") == f"Delete {made[1].id}?"
            assert "(1 complete run)" in here.text("#detail")
            await here.press("escape")
            assert made[1].folder.exists()
            await here.press("d", "y")
            assert not made[1].folder.exists()
            assert here.lab.notices == [f"deleted {made[1].id}"]
            assert here.table.chosen is not None
            assert here.table.chosen.id == made[2].id

    async def test_a_running_experiment_is_not_deleted(self, tmp_path: Path) -> None:
        running = make_experiment(tmp_path, state="running", runs=3, now=NOW)
        started_meanwhile = make_experiment(tmp_path, state="created", runs=3, seed=1, now=NOW - 1e5)
        async with desk(tmp_path) as here:
            await here.press("d")
            assert here.lab.notices == [f"{running.id} is running: stop it first (s)"]
            here.at(started_meanwhile)
            await here.press("d")
            with started_meanwhile.lock:
                await here.press("y")
            assert "is being computed by process" in here.lab.notices[1]
        assert running.folder.exists()
        assert started_meanwhile.folder.exists()

    async def test_a_labels_and_keeps_tags_and_notes(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, state="created", runs=3)
        write_annotations(experiment.folder, Annotations("old", ("tag",), "notes"))
        async with desk(tmp_path) as here:
            await here.press("a")
            assert isinstance(here.lab.screen, Ask)
            await here.press("end", *"er", "escape")
            assert read_annotations(experiment.folder)[0].label == "old"
            await here.press("a", "end", *"er", "enter")
            assert read_annotations(experiment.folder)[0] == Annotations("older", ("tag",), "notes")
            assert here.columns("name") == [[f"{experiment.id}  older"]]
            assert here.lab.notices == [f"{experiment.id} is labelled older"]

    async def test_broken_annotations_are_not_lost_to_a_label(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, state="created", runs=3)
        (experiment.folder / "annotations.toml").write_text("label =")
        async with desk(tmp_path) as here:
            await here.press("a", *"new", "enter")
            assert "annotations.toml cannot be read" in here.lab.notices[0]
            assert (experiment.folder / "annotations.toml").read_text() == "label ="
