"""Settings with several values make the experiments that a person means by them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SpecError
from core.sets.registry import own_controls
from core.spec.grid import (
    MOST,
    axes_of,
    in_order_of_sharing,
    pairs_of,
    shared_splits,
    shared_surrogate,
    specs_of,
)
from core.spec.resolved import spec_of
from tests.fakes import plugins

BASE = {"dataset": "digits", "runs": 3}


def test_every_combination_is_an_experiment_as_if_it_were_asked_for_alone() -> None:
    found = specs_of(BASE, {"attack": ["fgsm", "pgd"], "epsilon": [0.1, 0.05], "seed": [0, 1]})
    alone = [
        spec_of({**BASE, "attack": attack, "epsilon": epsilon, "seed": seed})
        for attack, epsilon, seed in itertools.product(["fgsm", "pgd"], [0.1, 0.05], [0, 1])
    ]
    assert sorted(spec.digest for spec in found) == sorted(spec.digest for spec in alone)


def test_each_case_is_combined_with_each_value() -> None:
    cases = [{"attack": "fgsm", "epsilon": 0.1}, {"attack": "deepfool", "epsilon": 0.05}]
    found = specs_of(BASE, {"seed": [0, 1]}, cases)
    assert {(spec.attack, spec.epsilon, spec.seed) for spec in found} == {
        ("fgsm", 0.1, 0), ("fgsm", 0.1, 1), ("deepfool", 0.05, 0), ("deepfool", 0.05, 1),
    }  # fmt: skip


def test_an_option_is_left_out_where_there_is_none_and_what_is_alike_is_there_once() -> None:
    found = specs_of(BASE, {"attack": ["fgsm", "pgd"], "steps": [5, 10]})
    assert [(spec.attack, spec.options.get("steps")) for spec in found] == [
        ("fgsm", None), ("pgd", 5), ("pgd", 10),
    ]  # fmt: skip


def test_pairs_are_the_first_values_the_second_values_and_so_on() -> None:
    assert pairs_of({"attack": ["fgsm", "pgd"], "epsilon": [0.1, 0.2]}) == [
        {"attack": "fgsm", "epsilon": 0.1},
        {"attack": "pgd", "epsilon": 0.2},
    ]
    with pytest.raises(SpecError, match="there are 2 values, and 3 of epsilon, to be paired"):
        pairs_of({"attack": ["fgsm", "pgd"], "epsilon": [0.1, 0.2, 0.3]})


@pytest.mark.parametrize(
    ("grid", "cases", "words"),
    [
        ({"runs": [1, 2]}, [], "runs = '1,2' is not possible: the experiments of a study have one value"),
        ({"device": ["cpu", "cuda"]}, [], "the experiments of a study have one value"),
        ({}, [{"runs": 2}], "the experiments of a study have one value"),
        ({"steps": [5, 10]}, [], "no attack, classifier or surrogate of this study has that option"),
        ({"epsilon": []}, [], "expected at least one value"),
        ({"epsilon": [0.1, 0.2]}, [{"epsilon": 0.3}], "it stands in the grid and in a case"),
        ({"epsilon": [0.1, 3]}, [], "epsilon = 3 is not possible"),
        ({"nothing": [1, 2]}, [], "there is no such setting"),
        ({"seed": list(range(101)), "epsilon": [n / 200 for n in range(1, 101)]}, [], f"at most {MOST:,}"),
    ],
)
def test_what_is_no_study_is_refused(grid: Any, cases: Any, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        specs_of(BASE, grid, cases)


def test_axes_are_the_settings_that_differ() -> None:
    found = specs_of(BASE, {"attack": ["pgd", "fgsm"], "epsilon": [0.3, 0.05, 0.1]})
    assert axes_of(found) == {"attack": ("pgd", "fgsm"), "epsilon": (0.05, 0.1, 0.3)}
    assert axes_of(specs_of({"runs": 2}, {"dataset": ["digits", "mnist-5k"]})) == {
        "dataset": ("digits", "mnist-5k")
    }, "the epochs are each data set's own"
    assert axes_of(specs_of(BASE, {"attack": ["fgsm", "pgd"], "steps": [5, 10]})) == {
        "attack": ("fgsm", "pgd"), "steps": (5, 10),
    }  # fmt: skip
    assert axes_of(found[:1]) == {}


def test_controls_that_each_family_can_fill_are_no_axis_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins.install(tmp_path / "plugins", monkeypatch)
    found = specs_of(BASE, {"family": ["knn", "kernel"]})
    knn, kernel = (spec.controls for spec in found)
    assert knn == own_controls()
    assert set(knn) - set(kernel) == {"shuffled", "misclassified-shuffled"}
    assert axes_of(found) == {"family": ("knn", "kernel")}
    asked = [found[0], found[1].changed(controls=("noise",))]
    assert axes_of(asked) == {"family": ("knn", "kernel"), "controls": (knn, ("noise",))}


@given(st.permutations(range(12)))
def test_those_that_share_work_stand_together_in_any_order(order: list[int]) -> None:
    grid: dict[str, list[object]] = {"seed": [0, 1], "epochs": [2, 3], "epsilon": [0.1, 0.2, 0.3]}
    specs = specs_of(BASE, grid)
    sorted_specs = in_order_of_sharing([specs[n] for n in order])
    assert sorted(spec.digest for spec in sorted_specs) == sorted(spec.digest for spec in specs)
    for key in (shared_splits, shared_surrogate):
        groups = [found for found, _ in itertools.groupby(map(key, sorted_specs))]
        assert len(groups) == len(set(groups)), "no group is torn apart"


def test_what_decides_whether_a_surrogate_is_shared() -> None:
    spec = spec_of({**BASE, "attack": "fgsm"})
    for change in ({"attack": "pgd"}, {"epsilon": 0.3}, {"z": 3}, {"runs": 5}):
        assert shared_surrogate(spec_of({**BASE, **change})) == shared_surrogate(spec), change
    for change in ({"seed": 1}, {"splits": "folds"}, {"test_size": 100}, {"epochs": 1}):
        assert shared_surrogate(spec_of({**BASE, **change})) != shared_surrogate(spec), change
