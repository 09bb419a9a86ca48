"""What the study screen shows: where experiments stand, which numbers they have, how long it takes yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from core.records.study import Study, save_study
from core.records.study_state import CellStatus, StudyState, read_study_state
from core.report.formatting import ABSENT
from core.spec.grid import specs_of
from tests.fakes.studies import make_study, queue_up
from tui_aefit.following.quantities import (
    FITTED,
    FITTED_ACCURACY,
    GENERAL,
    RISE_OF_CLAIM,
    Quantity,
    alike,
    first_quantity,
    quantities_of,
    value_of,
    words_of,
)
from tui_aefit.following.study import (
    Progress,
    StudyView,
    axes_words,
    first_across,
    grid_of,
    seconds_left,
    select_cells,
    setting_word,
    settings_of,
    shared_settings,
    state_words_of,
)


def state_of(study: Study) -> StudyState:
    return read_study_state(study)


def journaled(study: Study, place: int) -> Mapping[str, Any]:
    """The last statistics of an experiment as they stand in its journal."""
    folder = study.folder_of(study.cells[place]) / "journal"
    lines = [
        line for path in sorted(folder.glob("*-coordinator.jsonl")) for line in path.read_text().splitlines()
    ]
    found: Mapping[str, Any] = [one for one in map(json.loads, lines) if one["event"] == "statistics"][-1]
    return found


def metrics_of(study: Study, place: int) -> list[Mapping[str, Any]]:
    folder = study.folder_of(study.cells[place]) / "runs"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*/result/metrics.json"))]


class TestTheGrid:
    def test_one_setting_runs_across_and_the_others_tell_rows_apart(self, tmp_path: Path) -> None:
        study = make_study(tmp_path, {"attack": ["fgsm", "pgd"], "epsilon": [0.2, 0.05], "z": [3, 7]}, [None])
        grid = grid_of(state_of(study).cells, study.axes, "epsilon")
        assert (grid.across, grid.columns) == ("epsilon", ("0.05", "0.2"))
        assert grid.down == ("attack", "z")
        assert grid.rows == (("fgsm", "3"), ("fgsm", "7"), ("pgd", "3"), ("pgd", "7"))
        assert len(grid.cells) == 8
        for (row, column), cell in grid.cells.items():
            spec = cell.cell.spec
            assert spec is not None
            assert (spec.attack, str(spec.options["z"])) == grid.rows[row]
            assert str(spec.epsilon) == grid.columns[column]
            assert grid.place_of(cell.cell.id) == (row, column)
        assert grid.row_name(1) == "fgsm · 7"
        assert grid.place_of("another") is None

    def test_a_combination_that_is_not_in_the_study_has_no_cell(self, tmp_path: Path) -> None:
        cases = [{"attack": "fgsm", "epsilon": 0.1}, {"attack": "pgd", "epsilon": 0.2}]
        study = save_study(tmp_path, "two", specs_of({"dataset": "mnist"}, {}, cases))
        grid = grid_of(state_of(study).cells, study.axes, "epsilon")
        assert set(grid.cells) == {(0, 0), (1, 1)}

    def test_an_option_that_an_attack_has_not_stands_last(self, tmp_path: Path) -> None:
        study = make_study(tmp_path, {"attack": ["fgsm", "pgd"], "steps": [5, 10]}, [None])
        grid = grid_of(state_of(study).cells, study.axes, "steps")
        assert grid.columns == ("5", "10", "-")
        assert [place for place in grid.cells if grid.rows[place[0]] == ("fgsm",)] == [(0, 2)]

    def test_a_study_of_one_experiment_has_one_cell(self, tmp_path: Path) -> None:
        study = make_study(tmp_path, {}, [None])
        assert first_across(study.axes) == ""
        grid = grid_of(state_of(study).cells, study.axes, "")
        assert (grid.columns, grid.rows, list(grid.cells)) == (("",), ((),), [(0, 0)])
        assert settings_of(grid.cells[0, 0], study.axes) == study.cells[0].id

    def test_numbers_run_across_at_first(self) -> None:
        assert first_across({"attack": ("a", "b", "c"), "z": (3, 7), "epsilon": (0.1, 0.2, 0.3)}) == "epsilon"
        assert first_across({"attack": ("a", "b", "c"), "family": ("knn", "tree")}) == "attack"

    def test_an_axis_is_said_with_its_values_and_what_has_none(self) -> None:
        axes = {"steps": (None, 5), "z": (3, 7)}
        assert axes_words(axes) == [f"steps {ABSENT} 5", "z 3 7"]

    def test_what_all_have_in_common_is_said_once(self, tmp_path: Path) -> None:
        study = make_study(tmp_path, {"epsilon": [0.1, 0.2]}, [None], attack="pgd", z=9, runs=5)
        assert shared_settings(study, study.axes) == "mnist, pgd, z=9, 5 runs each"
        of_sets = make_study(tmp_path, {"dataset": ["mnist", "digits"]}, [None], name="sets", attack="fgsm")
        assert shared_settings(of_sets, of_sets.axes) == "fgsm, epsilon=0.1, 3 runs each"
        (first, _) = state_of(of_sets).cells
        assert setting_word(first, "dataset") == "mnist"


class TestNumbers:
    def test_they_are_those_of_the_journal_and_of_the_runs(self, tmp_path: Path) -> None:
        study = make_study(tmp_path)
        state = state_of(study)
        for place, cell in enumerate(state.cells):
            told, runs = journaled(study, place), metrics_of(study, place)
            assert cell.overview is not None
            assert len(runs) == 3
            for quantity in quantities_of([cell.overview]):
                value = value_of(cell.overview, quantity)
                match quantity.kind:
                    case "claim":
                        (claim,) = [
                            one
                            for one in told["claims"]
                            if (one["name"], tuple(one["sets"])) == (quantity.name, quantity.sets)
                        ]
                        assert value is not None
                        assert (value.number, value.decision) == (claim["estimate"], claim["decision"])
                        assert value.interval == (tuple(claim["ci95"]) if claim["ci95"] else None)
                    case "accuracy":
                        level = ENDS.get(quantity.level, quantity.level)
                        summary = told["summary"]["accuracy"][quantity.sets[0]][level]
                        assert (value.number if value else None) == summary["mean"]
                    case "images":
                        images = [run["counts"]["sets"]["adversarial"] for run in runs]
                        assert value is not None
                        assert value.number == pytest.approx(mean(images))
                    case "fooled":
                        shares = [run["attack"]["surrogate_fooled"] for run in runs]
                        assert value is not None
                        assert value.number == pytest.approx(mean(shares))
                    case "p":
                        (test,) = [
                            one
                            for one in told["tests"]
                            if (one["quantity"], one["sets"], one["j"], one["test"])
                            == ("ratio", ["adversarial", "misclassified"], "1", quantity.name)
                        ]
                        assert (value.number if value else None) == test["p"]

    def test_all_kinds_are_offered_those_that_decide_first(self, tmp_path: Path) -> None:
        study = make_study(tmp_path)
        overviews = [cell.overview for cell in state_of(study).cells if cell.overview is not None]
        found = quantities_of(overviews)
        assert found[0] == RISE_OF_CLAIM == first_quantity(overviews)
        assert len(found) == len(set(found))
        assert list(dict.fromkeys(one.kind for one in found)) == [
            "claim",
            "accuracy",
            "images",
            "fooled",
            "p",
        ]
        assert [one.level for one in found if one.sets == ("test",) and one.kind == "accuracy"] == [
            -1,
            0,
            "5",
            "3",
        ]
        assert {one.name for one in found if one.kind == "p"} == {
            "welch",
            "paired",
            "nadeau_bengio",
            "wilcoxon",
        }
        at_the_end = alike(FITTED_ACCURACY, found)
        assert {one.kind for one in at_the_end} == {"accuracy"}
        assert {one.level for one in at_the_end} == {FITTED}
        assert len({one.series for one in at_the_end}) == len(at_the_end) > 2

    def test_ladders_that_differ_share_their_ends_alone(self, tmp_path: Path) -> None:
        study = make_study(tmp_path, {"z": [3, 7]}, attack="fgsm")
        overviews = [cell.overview for cell in state_of(study).cells if cell.overview is not None]
        levels = {one.level for one in quantities_of(overviews) if one.kind == "accuracy"}
        assert levels == {GENERAL, FITTED}

    def test_before_the_first_there_is_none_to_choose(self, tmp_path: Path) -> None:
        study = make_study(tmp_path, states=["created"])
        overviews = [cell.overview for cell in state_of(study).cells if cell.overview is not None]
        assert quantities_of(overviews) == []
        assert first_quantity(overviews) == RISE_OF_CLAIM
        for quantity in (RISE_OF_CLAIM, Quantity("images")):
            assert {value_of(one, quantity) for one in overviews} == {None}
        assert words_of(None, RISE_OF_CLAIM) == ""


class TestHowItStands:
    @pytest.mark.parametrize(
        ("words", "many"),
        [("", 6), ("attack:pgd", 3), ("epsilon:0.1", 2), ("attack:pgd epsilon:0.1", 1), ("!attack:pgd", 3),
         ("state:complete", 2), ("state:waiting", 0), ('state:"not started"', 2), ("zzz", 0)],
    )  # fmt: skip
    def test_a_filter_finds_those_too_of_which_nothing_is_there(
        self, tmp_path: Path, words: str, many: int
    ) -> None:
        study = make_study(tmp_path, states=["complete", None, "interrupted"])
        cells, _ = select_cells(state_of(study), words)
        assert len(cells) == many

    def test_what_a_filter_does_not_know_is_said(self, tmp_path: Path) -> None:
        study = make_study(tmp_path, states=[None])
        cells, problems = select_cells(state_of(study), "attacc:fgsm")
        assert "did you mean attack?" in problems[0]
        assert cells == ()

    def test_one_that_waits_for_its_turn_has_its_place(self, tmp_path: Path) -> None:
        study = make_study(tmp_path, {"epsilon": [0.1, 0.2, 0.3]}, ["running"], attack="fgsm")
        queue_up(tmp_path, study.cells[0].id, 1.0, using=2)
        queue_up(tmp_path, study.cells[1].id, 2.0)
        queue_up(tmp_path, study.cells[2].id, 3.0)
        cells = state_of(study).cells
        assert [cell.status for cell in cells] == [CellStatus.RUNNING, CellStatus.QUEUED, CellStatus.QUEUED]
        assert [state_words_of(cell)[1] for cell in cells] == ["running", "queued 1", "queued 2"]

    def test_time_left_is_what_those_at_work_say_and_the_mean_run_of_the_rest(self, tmp_path: Path) -> None:
        study = make_study(
            tmp_path, {"epsilon": [0.1, 0.2, 0.3]}, ["complete", "running", None], attack="fgsm", runs=4
        )
        state = state_of(study)
        running = state.cells[1]
        seconds = [
            sum(v for k, v in run["seconds"].items() if k not in PARTS) for run in metrics_of(study, 0)
        ]
        done = metrics_of(study, 1)
        own = [sum(v for k, v in run["seconds"].items() if k not in PARTS) for run in done]
        assert seconds_left(StudyView(state)) is None, "nobody says how many runs are computed at a time"
        view = StudyView(state, {running.cell.id: Progress(0.5, 100.0, 2)})
        typical = mean([mean(seconds), mean(own)])
        assert seconds_left(view) == pytest.approx(100 + 4 * typical / 2)

    def test_before_the_first_run_nobody_knows(self, tmp_path: Path) -> None:
        study = make_study(tmp_path, {"epsilon": [0.1, 0.2]}, [None], attack="fgsm")
        assert seconds_left(StudyView(state_of(study), {study.cells[0].id: Progress(0.1, None, 1)})) is None


ENDS: Mapping[int | str, int | str] = {GENERAL: "7", FITTED: "1"}
PARTS = ("attack", "filter", "subsets")
"""Of the stages' seconds those that are part of another's."""
