"""A spec refuses every wrong value by name, survives TOML and JSON, and its digest tells specs apart."""

from __future__ import annotations

import hashlib
import json
import math
import string
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.attacks.catalogue import ATTACKS, BOUNDS, NORMS, OPTIONS
from core.data.catalogue import CATALOGUE
from core.errors import SpecError
from core.neighbours.catalogue import SEARCHES, TIE_RULES
from core.sets.catalogue import CONTROLS, PAPER_SETS, SETS
from core.spec.spec import DEFAULTS, DEVICES, KEEPS, SCHEMA_VERSION, Spec

WHOLE_FIELDS = {
    "z": (3, 999),
    "runs": (1, 1_000),
    "seed": (0, 2**63 - 1),
    "epochs": (1, 1_000),
    "steps": (1, 10_000),
    "test_size": (2, 10**9),
    "threads": (1, 1_024),
}
NAME_FIELDS: dict[str, tuple[str, ...]] = {
    "attack": tuple(ATTACKS),
    "tie_rule": tuple(TIE_RULES),
    "norm": tuple(NORMS),
    "bound": tuple(BOUNDS),
    "search": tuple(SEARCHES),
    "keep": tuple(KEEPS),
    "device": DEVICES,
}
OTHER_VALUES: dict[str, Any] = {
    "dataset": "digits", "attack": "noise", "epsilon": 0.2, "z": 9, "runs": 3, "seed": 1, "epochs": 4,
    "controls": ("noise",), "tie_rule": "nearest", "norm": "linf", "bound": "reject", "steps": 11,
    "test_size": 100, "search": "kd-tree", "keep": "candidates", "device": "cpu", "threads": 2,
}  # fmt: skip
"""For every field a value that is not its default."""


def taker(field: str) -> dict[str, Any]:
    """The attack that reads an option, for fields that only some attacks read."""
    users = (name for name, attack in ATTACKS.items() if field in attack.options)
    return {"attack": next(users)} if field in OPTIONS else {}


def refusal(**values: Any) -> SpecError:
    with pytest.raises(SpecError) as caught:
        Spec(**values)
    return caught.value


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Any valid spec."""
    paths = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: "/" + text)
    values: dict[str, Any] = {
        "dataset": draw(st.sampled_from(list(CATALOGUE)) | paths),
        "attack": draw(st.sampled_from(list(ATTACKS))),
        "epsilon": draw(st.floats(0, 1, exclude_min=True) | st.just(1)),
        "controls": tuple(draw(st.lists(st.sampled_from(list(CONTROLS)), unique=True))),
    }
    for field in ("tie_rule", "search", "keep", "device"):
        values[field] = draw(st.sampled_from(NAME_FIELDS[field]))
    for field in ("runs", "seed", "epochs", "threads"):
        values[field] = draw(st.integers(*WHOLE_FIELDS[field]))
    values["z"] = 2 * draw(st.integers(1, 499)) + 1
    values["test_size"] = draw(st.none() | st.integers(*WHOLE_FIELDS["test_size"]))
    read = ATTACKS[values["attack"]].options
    if "steps" in read:
        values["steps"] = draw(st.integers(*WHOLE_FIELDS["steps"]))
    if "norm" in read:
        values |= {"norm": draw(st.sampled_from(list(NORMS))), "bound": draw(st.sampled_from(list(BOUNDS)))}
    return Spec(**values)


# What is refused, and in which words


@pytest.mark.parametrize("field", WHOLE_FIELDS)
def test_whole_numbers_are_taken_up_to_their_limits_and_refused_beyond(field: str) -> None:
    lowest, highest = WHOLE_FIELDS[field]
    for value in (lowest, highest):
        assert getattr(Spec(**{field: value, **taker(field)}), field) == value
    for value in (lowest - 1, highest + 1):
        error = refusal(**{field: value, **taker(field)})
        assert (error.field, error.value) == (field, value)
        assert str(error) == f"{field} = {value} is not possible: {error.allowed}"
        assert error.allowed == f"expected a whole number from {lowest} to {highest}"


@pytest.mark.parametrize("value", [True, False, 7.0, "7", None, [7], math.nan])
@pytest.mark.parametrize("field", WHOLE_FIELDS)
def test_only_a_whole_number_is_one_and_bool_is_not(field: str, value: object) -> None:
    if (field, value) == ("test_size", None):
        return  # the data set's own
    error = refusal(**{field: value, **taker(field)})
    assert error.field == field
    assert error.value is value
    assert "whole number" in error.allowed


@pytest.mark.parametrize("z", [4, 8, 998])
def test_an_even_z_is_answered_with_an_odd_one(z: int) -> None:
    error = refusal(z=z)
    assert (error.field, error.value, error.hint) == ("z", z, f"try {z - 1}")
    assert "odd" in error.allowed
    assert Spec(z=z - 1).levels[0] == z - 1


@pytest.mark.parametrize(
    "value", [0, -0.1, 1.0000001, 8, math.nan, math.inf, -math.inf, 10**400, True, "0.1", None, [0.1]]
)
def test_an_epsilon_that_is_no_share_of_the_pixel_range_is_refused(value: object) -> None:
    error = refusal(epsilon=value)
    assert error.field == "epsilon"
    assert error.value is value
    assert "above 0 and at most 1" in error.allowed
    assert "8/255" in error.hint


@pytest.mark.parametrize("value", [5e-324, 0.1, 1.0, 1])
def test_an_epsilon_within_the_pixel_range_is_a_float(value: float) -> None:
    assert Spec(epsilon=value).epsilon == value
    assert type(Spec(epsilon=value).epsilon) is float


@pytest.mark.parametrize("field", NAME_FIELDS)
@pytest.mark.parametrize("value", ["", "nothing-like-it", 1, None, True, ["l2"], {}])
def test_an_unknown_name_is_answered_with_the_known_ones(field: str, value: object) -> None:
    error = refusal(**{field: value})
    assert (error.field, error.value) == (field, value)
    assert error.allowed == "expected one of " + ", ".join(NAME_FIELDS[field])


@pytest.mark.parametrize(
    ("field", "value", "nearest"),
    [
        ("dataset", "Fashion_MNIST", "fashion-mnist"),
        ("attack", "FGSM", "fgsm"),
        ("attack", "deep-fool", "deepfool"),
        ("controls", ["noise", "one_per_source"], "one-per-source"),
        ("tie_rule", "lowst", "lowest"),
        ("norm", "l-inf", "linf"),
        ("bound", "projct", "project"),
        ("search", "kdtree", "kd-tree"),
        ("device", "CUDA", "cuda"),
    ],
)
def test_the_nearest_known_name_is_suggested(field: str, value: object, nearest: str) -> None:
    error = refusal(**{field: value})
    assert error.field == field
    assert error.hint == f"did you mean {nearest}?"


@pytest.mark.parametrize("value", ["mnits", "", "relative/folder", "./mnist", "~/pictures", 5, None])
def test_a_dataset_is_a_known_name_or_an_absolute_path(value: object) -> None:
    error = refusal(dataset=value)
    assert (error.field, error.value) == ("dataset", value)
    assert all(expected in error.allowed for expected in (*CATALOGUE, ".npz", ".zip", "folder"))


def test_a_path_that_spec_toml_cannot_hold_is_refused() -> None:
    error = refusal(dataset="/data/caf\udce9")
    assert error.field == "dataset"
    assert "UTF-8" in error.allowed


@pytest.mark.parametrize("value", ["noise", None, {"noise": 1}, 1, {"noise"}])
def test_controls_are_a_list(value: object) -> None:
    error = refusal(controls=value)
    assert (error.field, error.value) == ("controls", value)
    assert "list of names" in error.allowed
    named = json.loads(error.hint.removeprefix("for example "))
    assert Spec(controls=tuple(named)).controls == tuple(named), "the example must be possible"


@pytest.mark.parametrize("value", [["noise", "noise"], ["noise", 1], ["noise", ["sources"]], ["none"]])
def test_a_control_that_is_unknown_or_named_twice_is_refused(value: object) -> None:
    assert refusal(controls=value).field == "controls"


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_refused_with_an_attack_that_does_not_read_it(option: str) -> None:
    users = {name for name, attack in ATTACKS.items() if option in attack.options}
    for attack in ATTACKS:
        if attack in users:
            assert getattr(Spec(**{"attack": attack, option: OTHER_VALUES[option]}), option)
        else:
            unread: dict[str, Any] = {"attack": attack, option: DEFAULTS[option]}
            assert Spec(**unread) == Spec(attack=attack)
            error = refusal(**{"attack": attack, option: OTHER_VALUES[option]})
            assert (error.field, error.value) == (option, OTHER_VALUES[option])
            assert attack in error.allowed
            assert all(user in error.allowed for user in users)


def test_a_spec_cannot_be_changed() -> None:
    spec = Spec()
    for field, value in OTHER_VALUES.items():
        with pytest.raises(FrozenInstanceError):
            setattr(spec, field, value)
    assert spec == Spec()


# What it says of itself


def test_levels_fall_from_z_to_one_in_steps_of_two() -> None:
    assert Spec(z=7).levels == (7, 5, 3, 1)
    assert Spec(z=3).levels == (3, 1)


@pytest.mark.parametrize(
    ("dataset", "title"),
    [
        ("mnist-5k", "mnist-5k"),
        ("/data/moths.npz", "moths"),
        ("/data/my moths", "my moths"),
        ("/a/b.zip", "b"),
    ],
)
def test_the_title_of_a_dataset_is_its_name_without_folders(dataset: str, title: str) -> None:
    assert Spec(dataset=dataset).dataset_title == title


def test_a_new_spec_is_the_papers_experiment_with_every_control() -> None:
    spec = Spec()
    assert (spec.attack, spec.epsilon, spec.z, spec.runs) == ("fgsm", 0.1, 7, 12)
    assert spec.controls == tuple(CONTROLS)


def test_every_measured_set_has_one_name_and_the_papers_come_first() -> None:
    assert list(SETS) == [*PAPER_SETS, *CONTROLS]
    assert list(PAPER_SETS) == ["test", "misclassified", "adversarial"]
    assert len({entry.description for entry in SETS.values()}) == len(SETS)
    allowed = set(string.ascii_lowercase + "-")
    assert all(set(name) <= allowed for name in SETS), "names are typed, separated by commas"


def test_only_sets_selected_by_their_errors_are_wrong_by_construction() -> None:
    assert {name for name, entry in SETS.items() if not entry.wrong_by_construction} == {
        "test", "reverse", "sources", "unfiltered",
    }  # fmt: skip
    assert [name for name, entry in SETS.items() if entry.from_fitted] == ["reverse"]


def test_a_set_selected_at_k_1_is_counted_from_there() -> None:
    accuracy = {7: 0.5, 5: 0.4, 3: 0.2, 1: 0.0}
    assert SETS["reverse"].as_counted(accuracy, (7, 5, 3, 1)) == {7: 0.0, 5: 0.2, 3: 0.4, 1: 0.5}
    assert SETS["noise"].as_counted(accuracy, (7, 5, 3, 1)) == accuracy
    assert SETS["reverse"].begins_at_zero
    assert not SETS["sources"].begins_at_zero


# Writing it down and reading it again


@settings(deadline=None, max_examples=150)
@given(specs())
def test_every_spec_survives_toml_and_json(spec: Spec) -> None:
    for again in (
        Spec.from_toml(spec.to_toml().encode().decode()),
        Spec.from_json(json.dumps(spec.to_json(), allow_nan=False)),
        Spec.from_mapping(spec.to_json()),
    ):
        assert again == spec
        assert hash(again) == hash(spec)
        assert again.digest == spec.digest


def test_json_holds_every_field_and_the_schema_version() -> None:
    record = Spec(dataset="digits", controls=("noise",)).to_json()
    assert set(record) == {"schema_version", *(field.name for field in fields(Spec))}
    assert record["schema_version"] == SCHEMA_VERSION
    assert record["controls"] == ["noise"]
    assert record["test_size"] is None


def test_fields_left_out_take_their_defaults() -> None:
    assert Spec.from_toml("") == Spec.from_json("{}") == Spec()
    assert Spec.from_toml("runs = 3\nepsilon = 1") == Spec(runs=3, epsilon=1.0)
    assert {field.name for field in fields(Spec)} == set(DEFAULTS)


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 99, 0, -1, "1", True, 1.0, None])
def test_another_schema_version_is_refused_whatever_else_the_file_holds(version: object) -> None:
    with pytest.raises(SpecError) as caught:
        Spec.from_mapping({"schema_version": version, "setting-of-tomorrow": 1})
    assert (caught.value.field, caught.value.value) == ("schema_version", version)
    assert f"versions 1 to {SCHEMA_VERSION}" in caught.value.allowed
    assert "newer aefit-tui" in caught.value.hint


@pytest.mark.parametrize(
    ("field", "hint"),
    [("epsilom", "did you mean epsilon?"), ("Runs", "did you mean runs?"), ("jobs", ""), ("levels", "")],
)
def test_an_unknown_field_is_answered_with_the_nearest(field: str, hint: str) -> None:
    for read, text in ((Spec.from_toml, f"{field} = 5"), (Spec.from_json, json.dumps({field: 5}))):
        with pytest.raises(SpecError, match="there is no such setting") as caught:
            read(text)
        assert (caught.value.field, caught.value.value, caught.value.hint) == (field, 5, hint)


@pytest.mark.parametrize("text", ["runs = ", "runs 3", "= 1", "\0", f"seed = {'9' * 5000}"])
def test_what_is_not_toml_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="not valid TOML"):
        Spec.from_toml(text)


@pytest.mark.parametrize("text", ["", "{", "{'runs': 3}", f'{{"seed": {"9" * 5000}}}'])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="not valid JSON"):
        Spec.from_json(text)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"runs"'])
def test_json_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="expected a JSON object"):
        Spec.from_json(text)


@pytest.mark.parametrize("text", ['{"epsilon": NaN}', '{"epsilon": Infinity}', '{"epsilon": 1e999}'])
def test_numbers_that_json_does_not_have_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match="epsilon"):
        Spec.from_json(text)


# The digest, which names the experiment


def test_the_digest_is_the_hash_of_the_canonical_json() -> None:
    # Written out: a change here gives every stored experiment another name.
    canonical = (
        '{"attack":"deepfool","bound":"clip","controls":["noise"],"dataset":"mnist","device":"cpu","epochs":3,'
        '"epsilon":0.1,"keep":"adversarial","norm":"l2","runs":12,"schema_version":1,"search":"pruned","seed":0,"steps":10,'
        '"test_size":null,"threads":1,"tie_rule":"lowest","z":7}'
    )
    spec = Spec(dataset="mnist", attack="deepfool", controls=("noise",), device="cpu")
    assert spec.digest == hashlib.sha256(canonical.encode()).hexdigest()


def test_every_field_changes_the_digest() -> None:
    digests = {Spec().digest}
    for field in fields(Spec):
        base = Spec(**taker(field.name))
        changed = replace(base, **{field.name: OTHER_VALUES[field.name]})
        assert changed != base
        assert changed.digest not in digests | {base.digest}, field.name
        digests |= {changed.digest, base.digest}


@settings(deadline=None, max_examples=100)
@given(specs(), specs())
def test_specs_are_equal_exactly_where_their_digests_are(one: Spec, other: Spec) -> None:
    assert (one == other) == (one.digest == other.digest)
    # Independent specs are hardly ever equal: meet in all fields but one.
    for field in fields(Spec):
        if field.name not in ("attack", *OPTIONS):
            near = replace(one, **{field.name: getattr(other, field.name)})
            assert (near == one) == (near.digest == one.digest)


@settings(deadline=None, max_examples=50)
@given(specs(), st.randoms(use_true_random=False))
def test_the_order_in_which_controls_are_named_does_not_matter(spec: Spec, random: Any) -> None:
    shuffled = random.sample(spec.controls, len(spec.controls))
    other = replace(spec, controls=shuffled)
    assert other == spec
    assert other.digest == spec.digest
    assert other.controls == tuple(name for name in CONTROLS if name in shuffled)


def test_one_and_one_point_zero_are_one_epsilon() -> None:
    assert Spec(epsilon=1).digest == Spec(epsilon=1.0).digest
