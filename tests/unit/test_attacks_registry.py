"""The names of the attacks, what they declare, what they cost to import, and the candidates they make."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import core.attacks
from core.attacks.attack import Attack
from core.attacks.fgsm import FGSM
from core.attacks.registry import ATTACKS
from core.attacks.targets import NO_TARGET, expand, targets_of
from core.declarations.setting import Setting, Value, Whole
from core.errors import SpecError

OPTIONS = {
    "fgsm": (),
    "fgsm-untargeted": (),
    "deepfool": ("norm", "bound"),
    "deepfool-untargeted": ("norm", "bound"),
    "pgd": ("steps",),
    "pgd-untargeted": ("steps",),
    "noise": (),
}
DEFAULTS = {"norm": "l2", "bound": "project", "steps": 10}
FIRST_DEFAULTS = {**DEFAULTS, "bound": "clip"}
"""They name experiments, for ever."""


def option_of(attack: str, name: str) -> Setting:
    return next(option for option in ATTACKS[attack].options if option.name == name)


def test_the_registry_and_every_module_of_an_attack_are_read_without_any_heavy_library() -> None:
    folder = Path(core.attacks.__path__[0])
    modules = sorted(f"core.attacks.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__")
    assert len(modules) > 7
    code = (
        f"import sys, {', '.join(modules)}\n"
        "from core.attacks.registry import ATTACKS\n"
        "shown = [(kind.title, kind.summary, kind.options) for kind in map(ATTACKS.get, ATTACKS.own)]\n"
        "print(*sorted({m.partition('.')[0] for m in sys.modules} & {'torch', 'numpy', 'scipy', 'sklearn'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_names_are_in_the_order_of_menus() -> None:
    assert ATTACKS.own == tuple(OPTIONS)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_attack_declares_its_words_and_can_be_built_with_its_options(name: str) -> None:
    kind = ATTACKS[name]
    assert issubclass(kind, Attack)
    assert not inspect.isabstract(kind)
    assert kind.title
    assert kind.summary
    assert kind.__doc__
    assert tuple(option.name for option in kind.options) == OPTIONS[name]
    chosen: dict[str, Value] = {"norm": "linf", "bound": "reject", "steps": 3}
    values = {option.name: chosen[option.name] for option in kind.options}
    built = vars(kind(epsilon=0.25, **values))
    assert built["epsilon"] == 0.25
    assert {option: built[option] for option in values} == values


def test_titles_and_summaries_are_all_different() -> None:
    for words in ("title", "summary"):
        assert len({getattr(ATTACKS[name], words) for name in OPTIONS}) == len(OPTIONS)


@pytest.mark.parametrize("name", OPTIONS)
def test_what_an_attack_says_of_itself_goes_with_its_name(name: str) -> None:
    kind = ATTACKS[name]
    assert kind.targeted == (not name.endswith("untargeted") and name != "noise")
    assert kind.per_target == (kind.targeted or name == "noise")
    assert kind.uses_gradient == (name != "noise")
    assert kind.random == (name in {"pgd", "pgd-untargeted", "noise"})


@pytest.mark.parametrize("name", OPTIONS)
def test_the_defaults_of_the_options_are_what_an_attack_built_without_them_has(name: str) -> None:
    built = vars(ATTACKS[name](epsilon=0.1))
    for option in ATTACKS[name].options:
        assert option.default == built[option.name] == DEFAULTS[option.name]
        assert option.first_default == FIRST_DEFAULTS[option.name]
        assert option.identifies
        assert not option.choices() or option.default == next(iter(option.choices()))


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_is_a_field_of_its_attack(name: str) -> None:
    kind = ATTACKS[name]
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    assert {option.name for option in kind.options} <= known
    assert "targeted" not in known


def test_an_unknown_name_is_answered_with_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(SpecError, match="deepfool-untargeted") as raised:
        ATTACKS["deepfol"]
    assert raised.value.field == "attack"
    assert "deepfool" in raised.value.hint


@pytest.mark.parametrize(
    ("attack", "option", "wrong", "allowed"),
    [
        ("deepfool", "norm", "l1", "l2, linf"),
        ("deepfool-untargeted", "norm", 2, "l2, linf"),
        ("deepfool", "bound", "none", "project, clip, reject"),
        ("deepfool-untargeted", "bound", None, "project, clip, reject"),
        ("pgd", "steps", 0, "1 to 10000"),
        ("pgd", "steps", 10_001, "1 to 10000"),
        ("pgd-untargeted", "steps", 3.0, "1 to 10000"),
        ("pgd-untargeted", "steps", True, "1 to 10000"),
        ("pgd-untargeted", "steps", "10", "1 to 10000"),
    ],
)
def test_an_options_wrong_value_is_refused_with_what_is_possible(
    attack: str, option: str, wrong: object, allowed: str
) -> None:
    with pytest.raises(SpecError, match=allowed) as raised:
        option_of(attack, option).check(wrong)
    assert (raised.value.field, raised.value.value) == (option, wrong)


@pytest.mark.parametrize(
    ("attack", "option", "near", "meant"),
    [("deepfool", "norm", "linff", "linf"), ("deepfool", "bound", "projekt", "project")],
)
def test_a_mistyped_word_is_answered_with_the_nearest(
    attack: str, option: str, near: str, meant: str
) -> None:
    with pytest.raises(SpecError) as raised:
        option_of(attack, option).check(near)
    assert meant in raised.value.hint


def test_the_options_possible_values_pass_unchanged() -> None:
    for name in OPTIONS:
        for option in ATTACKS[name].options:
            values: list[Value] = list(option.choices())
            if isinstance(option.kind, Whole):
                values = [option.kind.lowest, option.kind.highest]
            for value in values:
                assert option.check(value) == value
                assert vars(ATTACKS[name](epsilon=0.1, **{option.name: value}))[option.name] == value


@settings(max_examples=50)
@given(
    st.integers(2, 6).flatmap(lambda m: st.tuples(st.just(m), st.lists(st.integers(0, m - 1), max_size=8)))
)
def test_targets_are_every_other_class_of_every_source_in_order(drawn: tuple[int, list[int]]) -> None:
    classes, labels = drawn
    rows, targets = targets_of(np.array(labels, dtype=np.int64), classes)
    expected = [(row, t) for row, label in enumerate(labels) for t in range(classes) if t != label]
    assert list(zip(rows.tolist(), targets.tolist(), strict=True)) == expected
    assert rows.dtype == targets.dtype == np.int64


def test_noise_draws_as_often_as_a_targeted_attack_has_targets() -> None:
    labels = np.array([2, 0], dtype=np.int64)
    targeted_rows, targets = expand(ATTACKS["fgsm"], labels, 3)
    noise_rows, no_targets = expand(ATTACKS["noise"], labels, 3)
    assert targeted_rows.tolist() == noise_rows.tolist() == [0, 0, 1, 1]
    assert targets.tolist() == [0, 1, 1, 2]
    assert no_targets.tolist() == [NO_TARGET] * 4


def test_an_untargeted_attack_makes_one_candidate_a_source() -> None:
    rows, targets = expand(ATTACKS["pgd-untargeted"], np.array([2, 0, 1], dtype=np.int64), 3)
    assert rows.tolist() == [0, 1, 2]
    assert targets.tolist() == [NO_TARGET] * 3
    assert rows.dtype == targets.dtype == np.int64


def test_an_attack_without_targets_can_be_asked_for_as_many_candidates_as_another_makes() -> None:
    labels = np.array([2, 0], dtype=np.int64)
    rows, targets = expand(ATTACKS["noise"], labels, 3, per_target=False)
    assert (rows.tolist(), targets.tolist()) == ([0, 1], [NO_TARGET] * 2)
    rows, targets = expand(ATTACKS["pgd-untargeted"], labels, 3, per_target=True)
    assert (rows.tolist(), targets.tolist()) == ([0, 0, 1, 1], [NO_TARGET] * 4)
    with pytest.raises(ValueError, match="each target"):
        expand(ATTACKS["fgsm"], labels, 3, per_target=False)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_attack_and_its_class_make_the_same_candidates(name: str) -> None:
    labels = np.array([2, 0, 1], dtype=np.int64)
    of_class, of_attack = (expand(one, labels, 3) for one in (ATTACKS[name], ATTACKS[name](epsilon=0.1)))
    for expected, found in zip(of_class, of_attack, strict=True):
        np.testing.assert_array_equal(expected, found)


def test_a_targeted_attack_with_one_candidate_a_source_has_no_meaning() -> None:
    class Wrong(FGSM):
        per_target = False

    with pytest.raises(ValueError, match="each target"):
        expand(Wrong, np.array([0], dtype=np.int64), 3)


@pytest.mark.parametrize("name", ["fgsm", "fgsm-untargeted", "noise"])
def test_a_label_that_is_no_class_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="0 to 2"):
        expand(ATTACKS[name], np.array([0, 3], dtype=np.int64), 3)
