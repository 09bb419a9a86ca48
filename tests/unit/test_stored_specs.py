"""Specifications that are made from what others were checked for: never another than by themselves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import AefitError
from core.spec.spec import Spec
from core.spec.stored import StoredSpecs

MADE = [
    Spec(dataset="mnist"),
    Spec(dataset="digits", epsilon=0.2),
    Spec(dataset="digits", epsilon=0.2, options={"z": 9}),
    Spec(dataset="digits", options={"z": 9, "tie_rule": "nearest"}),
    Spec(attack="pgd", epsilon=0.05),
    Spec(attack="pgd", options={"steps": 3}),
    Spec(controls=()),
    Spec(controls=("noise",), splits="folds", test_size=100),
    Spec(runs=3, seed=5, epochs=2, keep="candidates", device="cpu"),
]
WRONG = [-1, 0, 0.0, -0.0, 1, 1.0, True, 8, 9.0, "", "fgsm", "9", None, [], ["noise"], [1], {}, {"z": 9}]


def outcome(make: Any, stored: dict[str, Any]) -> object:
    """What came of it, to the last type."""
    try:
        spec = make(stored)
    except AefitError as error:
        return type(error), str(error), error.hint
    return repr(spec), spec.digest, spec.identity, spec.ladder, repr(spec.options), spec.to_toml()


@pytest.mark.parametrize("spec", MADE, ids=str)
def test_what_is_stored_is_the_same_afterwards(spec: Spec) -> None:
    assert outcome(StoredSpecs().make, spec.to_store()) == outcome(lambda _: spec, {})
    assert spec.to_store().items() <= spec.to_json().items()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(MADE),
            st.booleans(),
            st.dictionaries(
                st.sampled_from([*MADE[0].to_json(), "steps", "plugins", "no such setting"]),
                st.sampled_from([*WRONG, *(value for spec in MADE for value in spec.to_json().values())]),
                max_size=2,
            ),
            st.sets(st.sampled_from([*MADE[0].to_json()]), max_size=2),
        ),
        max_size=8,
    )
)
@settings(max_examples=300)
@pytest.mark.slow
def test_each_is_what_it_would_be_alone(
    drawn: list[tuple[Spec, bool, dict[str, Any], set[str]]],
) -> None:
    many = StoredSpecs()
    for spec, short, changes, left_out in drawn:
        stored = (spec.to_store() if short else spec.to_json()) | changes
        stored = {name: value for name, value in stored.items() if name not in left_out}
        alone = outcome(lambda one: Spec.from_mapping(one, stored=True), stored)
        assert outcome(many.make, stored) == alone
