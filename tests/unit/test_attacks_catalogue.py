"""The names of the attacks, what they cost to import, and the candidates they make."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.attacks.candidates import NO_TARGET, expand, targets_of
from core.attacks.catalogue import ATTACKS, OPTIONS, attack_info
from core.attacks.registry import build_attack
from core.errors import SpecError


def test_the_catalogue_is_read_without_any_heavy_library() -> None:
    code = (
        "import sys, core.attacks.catalogue\n"
        "print(*sorted({m.partition('.')[0] for m in sys.modules} & {'torch', 'numpy', 'scipy', 'sklearn'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_of_the_catalogue_can_be_built_as_described(name: str) -> None:
    attack = build_attack(name, epsilon=0.25, norm="linf", bound="reject", steps=3)
    info = ATTACKS[name]
    assert info.name == name
    built = vars(attack)
    assert built["epsilon"] == 0.25
    assert built.get("targeted", False) == info.targeted
    given_options = {"norm": "linf", "bound": "reject", "steps": 3}
    assert {option: built[option] for option in given_options if option in built} == {
        option: given_options[option] for option in info.options
    }


def test_the_defaults_of_the_options_are_what_an_attack_built_without_them_has() -> None:
    assert OPTIONS["norm"].default == vars(build_attack("deepfool", epsilon=0.1))["norm"]
    assert OPTIONS["bound"].default == vars(build_attack("deepfool", epsilon=0.1))["bound"]
    assert OPTIONS["steps"].default == vars(build_attack("pgd", epsilon=0.1))["steps"]
    for option in OPTIONS.values():
        assert not option.choices or option.default == next(iter(option.choices))


def test_an_unknown_name_is_answered_with_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(SpecError, match="deepfool-untargeted") as raised:
        attack_info("deepfol")
    assert "deepfool" in raised.value.hint


@pytest.mark.parametrize("setting", [{"norm": "l1"}, {"bound": "none"}])
def test_an_unknown_option_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match="expected one of"):
        build_attack("deepfool", epsilon=0.1, **setting)


@settings(deadline=None, max_examples=50)
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
    targeted_rows, targets = expand(attack_info("fgsm"), labels, 3)
    noise_rows, no_targets = expand(attack_info("noise"), labels, 3)
    assert targeted_rows.tolist() == noise_rows.tolist() == [0, 0, 1, 1]
    assert targets.tolist() == [0, 1, 1, 2]
    assert no_targets.tolist() == [NO_TARGET] * 4


def test_an_untargeted_attack_makes_one_candidate_a_source() -> None:
    rows, targets = expand(attack_info("pgd-untargeted"), np.array([2, 0, 1], dtype=np.int64), 3)
    assert rows.tolist() == [0, 1, 2]
    assert targets.tolist() == [NO_TARGET] * 3


@pytest.mark.parametrize("name", ["fgsm", "fgsm-untargeted", "noise"])
def test_a_label_that_is_no_class_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="0 to 2"):
        expand(attack_info(name), np.array([0, 3], dtype=np.int64), 3)
