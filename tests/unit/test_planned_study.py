"""What is said of a study before it is started: its grid, what there is of it, what is shared, how long it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.records.study import Study, default_name, load_study, save_study
from core.records.study_state import CellState, read_study_state
from core.spec.grid import pairs_of, specs_of
from core.spec.spec import Spec
from tests.fakes.experiments import make_experiment_of
from tests.fakes.studies import make_study
from tui_aefit.following.past_runs import PastRun
from tui_aefit.following.planned_study import (
    describe_cells,
    describe_work,
    grid_lines,
    planned_study,
    sentence_of_study,
)

BASE = {"dataset": "mnist", "runs": 3}
GRID: dict[str, list[object]] = {"attack": ["fgsm", "pgd"], "epsilon": [0.05, 0.1, 0.2]}


def plan(home: Path, grid: dict[str, list[object]] = GRID, name: str = "paper") -> Study:
    return planned_study(home, name, specs_of(BASE, grid))


def looked_at(study: Study) -> dict[str, CellState]:
    return {cell.cell.id: cell for cell in read_study_state(study).cells}


def test_it_is_the_study_that_is_made_when_it_is_started(tmp_path: Path) -> None:
    specs = specs_of(BASE, GRID)
    planned = planned_study(tmp_path, default_name(specs), specs)
    made = save_study(tmp_path, planned.name, specs)
    assert (planned.folder, planned.cells) == (made.folder, made.cells)
    assert load_study(planned.folder).cells == planned.cells


def test_the_grid_has_a_glyph_for_each_experiment(tmp_path: Path) -> None:
    study = plan(tmp_path)
    for cell in study.cells[:2]:
        assert cell.spec is not None
        make_experiment_of(tmp_path, cell.spec, state="complete")
    first = study.cells[2].spec
    assert first is not None
    make_experiment_of(tmp_path, first, state="interrupted")
    assert [(cell.spec.attack, cell.spec.epsilon) for cell in study.cells[:3] if cell.spec] == [
        ("fgsm", 0.05), ("fgsm", 0.1), ("fgsm", 0.2),
    ]  # fmt: skip
    known = looked_at(study)
    assert grid_lines(study, known, 76) == [
        "attack  0.05  0.1  0.2  epsilon",
        "fgsm       ✓    ✓    ◐",
        "pgd        +    +    +",
    ]
    said = describe_cells(study, known, None, start="S", show="O")
    assert said == "✓ 2 complete · ◐ 1 interrupted · + 3 new"


def test_while_it_is_looked_up_nothing_is_said_of_what_there_is(tmp_path: Path) -> None:
    study = plan(tmp_path, {"epsilon": [0.05, 0.1]})
    assert grid_lines(study, None, 76) == ["epsilon  0.05  0.1", "            …    …"]
    assert describe_cells(study, None, None, start="S", show="O") == "…"


def test_combinations_that_are_not_asked_for_stay_empty(tmp_path: Path) -> None:
    pairs = pairs_of({"attack": ["fgsm", "pgd"], "epsilon": [0.05, 0.1]})
    study = planned_study(tmp_path, "paper", specs_of(BASE, {}, pairs))
    assert grid_lines(study, {}, 76) == ["attack  0.05  0.1  epsilon", "fgsm       +", "pgd             +"]


def test_what_there_is_no_room_for_is_said_to_be_left_out(tmp_path: Path) -> None:
    study = plan(tmp_path, {"seed": list(range(9)), "epsilon": [n / 100 for n in range(1, 31)]})
    for width in (30, 50, 76):
        heading, *rows, last = grid_lines(study, {}, width)
        assert all(len(line) <= width for line in (heading, *rows))
        assert heading.endswith("…  epsilon")
        assert [row.split()[0] for row in rows] == list("012345")
        assert {row.count("+") for row in rows} == {len(heading.split()) - 3}
        assert last == "⋮ 3 rows more"


def test_a_study_of_that_name_is_told_of_with_what_becomes_of_it(tmp_path: Path) -> None:
    there = make_study(tmp_path, {"attack": ["fgsm"], "epsilon": [0.05, 0.1]}, ["complete"])
    study = plan(tmp_path)
    said = describe_cells(study, looked_at(study), there, start="S", show="O")
    assert said == "✓ 2 complete · + 4 new; paper has 2 experiments, S adds 4, O opens it"
    same = plan(tmp_path, {"epsilon": [0.05, 0.1]})
    said = describe_cells(same, looked_at(same), there, start="S", show="O")
    assert said == "✓ 2 complete; paper has 2 experiments, O opens it"


def test_what_it_varies_and_has_in_common_is_a_sentence(tmp_path: Path) -> None:
    assert sentence_of_study(plan(tmp_path)) == (
        "attack fgsm, pgd × epsilon 0.05, 0.1, 0.2; mnist, 3 runs each"
    )


@pytest.mark.parametrize(
    ("jobs", "trained", "said"),
    [
        # FGSM and PGD at three epsilons share three surrogates of 40 s; every one of 18 runs takes 20 s besides.
        (1, True, "about 8 min 00 s, 10 min 00 s less than with surrogates of their own"),
        (2, True, "about 4 min 00 s, 10 min 00 s less than with surrogates of their own"),
        (1, False, "about 6 min 00 s"),
    ],
)
def test_the_time_counts_what_is_shared_once(tmp_path: Path, jobs: int, trained: bool, said: str) -> None:
    training = 40.0 if trained else 0.0
    past = [
        PastRun(Spec(attack=attack, **BASE), 20.0 + training, training, trained)  # type: ignore[arg-type]
        for attack in ("fgsm", "pgd")
    ]
    work, time = describe_work(plan(tmp_path), {}, jobs, past).splitlines()
    assert work == "work: 18 runs share 3 splits and 3 surrogates, each made once"
    assert time == f"time: {said}"


def test_what_is_complete_takes_no_time_and_what_was_never_computed_is_not_known(tmp_path: Path) -> None:
    study = make_study(tmp_path, GRID, ["complete"])
    known = looked_at(study)
    assert describe_work(study, known, 1, []).splitlines() == [
        "work: 18 runs share 3 splits and 3 surrogates, each made once"
    ]
    more = plan(tmp_path, {**GRID, "epsilon": [0.05, 0.1, 0.2, 0.4]})
    _, time = describe_work(more, looked_at(more), 1, [PastRun(Spec(**BASE), 20.0)]).splitlines()  # type: ignore[arg-type]
    assert time == "time for the rest: about 2 min 00 s", "six runs of twenty seconds"
    new = plan(tmp_path, {"seed": [1, 2]})
    assert describe_work(new, looked_at(new), 1, []).endswith("time: no past run of its data to go by")
