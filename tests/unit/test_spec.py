"""A spec refuses every wrong value by name, survives TOML and JSON, and its digest tells specs apart."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import string
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.attacks.deepfool import BOUND, NORM
from core.attacks.fgsm import FGSM
from core.attacks.pgd import PGD, STEPS
from core.attacks.registry import ATTACKS
from core.data.catalogue import CATALOGUE
from core.declarations.setting import Setting, Whole
from core.errors import PluginError, SpecError
from core.families.knn import Z
from core.families.ladder import Ladder
from core.families.registry import FAMILIES
from core.families.voting import SEARCHES, TIE_RULES
from core.records.home import experiment_id
from core.sets.registry import PAPER_SETS, SETS, own_controls
from core.spec.settings import COMMON, DEVICES, KEEPS, PARTS, SPLITS, known_options
from core.spec.spec import DEFAULTS, SCHEMA_VERSION, Spec
from core.surrogates.registry import SURROGATES
from tests.fakes.plugins import Kernel, Shift, install

CONTROLS = own_controls()
FIRST_CONTROLS = (
    "noise", "matched", "reverse-both-ends", "sources", "candidates", "fooled", "one-per-source",
)  # fmt: skip
"""Those that there were at first, by the names that they have now."""
OPTIONS = {
    "norm": ("deepfool", "deepfool-untargeted"),
    "bound": ("deepfool", "deepfool-untargeted"),
    "steps": ("pgd", "pgd-untargeted"),
}
"""Of the attacks that have them."""
WHOLE_FIELDS = {
    "z": (3, 999),
    "runs": (1, 1_000),
    "seed": (0, 2**63 - 1),
    "epochs": (1, 1_000),
    "steps": (1, 10_000),
    "test_size": (2, 10**9),
}
NAME_FIELDS: dict[str, tuple[str, ...]] = {
    "attack": ATTACKS.own,
    "family": FAMILIES.own,
    "surrogate": SURROGATES.own,
    "tie_rule": tuple(TIE_RULES),
    "norm": tuple(NORM.choices()),
    "bound": tuple(BOUND.choices()),
    "search": tuple(SEARCHES),
    "splits": tuple(SPLITS),
    "keep": tuple(KEEPS),
    "device": tuple(DEVICES),
}
OTHER_VALUES: dict[str, Any] = {
    "dataset": "digits", "attack": "noise", "epsilon": 0.2, "z": 9, "runs": 3, "seed": 1, "epochs": 4,
    "controls": ("noise",), "tie_rule": "nearest", "norm": "linf", "bound": "reject", "steps": 11,
    "test_size": 100, "splits": "folds", "search": "kd-tree", "keep": "candidates", "device": "cpu",
}  # fmt: skip
"""For every setting a value that is not its default, but for those that have one only with a plug-in."""
NOT_IN_THE_IDENTITY = {"runs", "device", "search"}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plug-ins of each kind: see `tests.fakes.plugins`."""
    install(tmp_path, monkeypatch)


def make(**values: Any) -> Spec:
    """A spec with these settings, options among them."""
    common = {name: value for name, value in values.items() if name in COMMON}
    return Spec(**common, options={name: value for name, value in values.items() if name not in COMMON})


def as_at_first(**values: Any) -> Spec:
    """The same of when defaults were the first ones."""
    first = {"controls": FIRST_CONTROLS}
    bound = {"bound": "clip"} if str(values.get("attack")).startswith("deepfool") else {}
    return make(**{**first, **bound, **values})


def taker(name: str) -> dict[str, Any]:
    """The attack that has an option, for those that only some have."""
    return {"attack": OPTIONS[name][0]} if name in OPTIONS else {}


def refusal(**values: Any) -> SpecError:
    with pytest.raises(SpecError) as caught:
        make(**values)
    return caught.value


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Any valid spec."""
    paths = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: "/" + text)
    values: dict[str, Any] = {
        "dataset": draw(st.sampled_from(list(CATALOGUE)) | paths),
        "attack": draw(st.sampled_from(ATTACKS.own)),
        "epsilon": draw(st.floats(0, 1, exclude_min=True) | st.just(1)),
        "controls": tuple(draw(st.lists(st.sampled_from(CONTROLS), unique=True))),
        "z": 2 * draw(st.integers(1, 499)) + 1,
        "test_size": draw(st.none() | st.integers(*WHOLE_FIELDS["test_size"])),
    }
    for name in ("tie_rule", "search", "splits", "keep", "device"):
        values[name] = draw(st.sampled_from(NAME_FIELDS[name]))
    for name in ("runs", "seed", "epochs"):
        values[name] = draw(st.integers(*WHOLE_FIELDS[name]))
    for name, users in OPTIONS.items():
        if values["attack"] in users:
            known = NAME_FIELDS.get(name)
            values[name] = draw(st.sampled_from(known) if known else st.integers(*WHOLE_FIELDS[name]))
    return make(**values)


# What is refused, and in which words


@pytest.mark.parametrize("name", WHOLE_FIELDS)
def test_whole_numbers_are_taken_up_to_their_limits_and_refused_beyond(name: str) -> None:
    lowest, highest = WHOLE_FIELDS[name]
    for value in (lowest, highest):
        assert make(**{name: value, **taker(name)}).values[name] == value
    for value in (lowest - 1, highest + 1):
        error = refusal(**{name: value, **taker(name)})
        assert (error.field, error.value) == (name, value)
        assert str(error) == f"{name} = {value} is not possible: {error.allowed}"
        assert error.allowed == f"expected a whole number from {lowest} to {highest}"


@pytest.mark.parametrize("value", [True, False, 7.0, "7", None, [7], math.nan])
@pytest.mark.parametrize("name", WHOLE_FIELDS)
def test_only_a_whole_number_is_one_and_bool_is_not(name: str, value: object) -> None:
    if (name, value) == ("test_size", None):
        return  # the data set's own
    error = refusal(**{name: value, **taker(name)})
    assert error.field == name
    assert error.value is value
    assert "whole number" in error.allowed


@pytest.mark.parametrize("z", [4, 8, 998])
def test_an_even_z_is_answered_with_an_odd_one(z: int) -> None:
    error = refusal(z=z)
    assert (error.field, error.value, error.hint) == ("z", z, f"try {z - 1}")
    assert "odd" in error.allowed
    assert make(z=z - 1).ladder.general == str(z - 1)


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


@pytest.mark.parametrize("name", NAME_FIELDS)
@pytest.mark.parametrize("value", ["", "nothing-like-it", 1, None, True, ["l2"], {}])
def test_an_unknown_name_is_answered_with_the_known_ones(name: str, value: object) -> None:
    error = refusal(**{name: value, **(taker(name) if name != "attack" else {})})
    assert (error.field, error.value) == (name, value)
    assert error.allowed == "expected one of " + ", ".join(NAME_FIELDS[name])


@pytest.mark.parametrize(
    ("name", "value", "nearest"),
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
        ("family", "k-nn", "knn"),
        ("surrogate", "lenet", "lenet5"),
    ],
)
def test_the_nearest_known_name_is_suggested(name: str, value: object, nearest: str) -> None:
    error = refusal(**{name: value, **taker(name)})
    assert error.field == name
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


@pytest.mark.parametrize(
    "value", [["noise", "noise"], ["noise", 1], ["noise", ["sources"]], ["none"], ["test"]]
)
def test_a_control_that_is_unknown_or_named_twice_is_refused(value: object) -> None:
    assert refusal(controls=value).field == "controls"


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("attack", ATTACKS.own)
def test_an_option_is_refused_with_an_attack_that_does_not_have_it(attack: str, option: str) -> None:
    users = OPTIONS[option]
    for value in (OTHER_VALUES[option], DEFAULTS[option]):
        if attack in users:
            assert make(**{"attack": attack, option: value}).options[option] == value
        else:
            error = refusal(**{"attack": attack, option: value})
            assert (error.field, error.value) == (option, value)
            assert (
                error.allowed == f"the attack {attack} has no such option; it belongs to {', '.join(users)}"
            )
            assert error.hint == f"leave {option} out, or choose one of these with attack"


@pytest.mark.usefixtures("installed")
def test_an_option_of_another_family_is_refused_with_the_family_that_has_it() -> None:
    error = refusal(family="kernel", z=7)
    assert error.allowed == "the family kernel has no such option; it belongs to knn"
    error = refusal(bandwidths=2)
    assert error.allowed == "the family knn has no such option; it belongs to kernel"
    assert error.hint == "leave bandwidths out, or choose one of these with family"
    assert refusal(strength=0.5).allowed == "the attack fgsm has no such option; it belongs to shift"


def test_a_setting_that_nothing_has_is_answered_with_the_nearest() -> None:
    error = refusal(tie_rul="lowest")
    assert (error.field, error.allowed) == ("tie_rul", "there is no such setting")
    assert error.hint == "did you mean tie_rule?"
    assert refusal(threads=2).hint == ""


def test_a_spec_cannot_be_changed() -> None:
    spec = Spec()
    for name, value in OTHER_VALUES.items():
        with pytest.raises(FrozenInstanceError):
            setattr(spec, name, value)
    assert spec == Spec()


# What it says of itself


def test_the_ladder_is_that_of_the_family_with_its_options() -> None:
    assert Spec().ladder == Ladder("K", ("7", "5", "3", "1"), (7, 5, 3, 1))
    assert make(z=3).ladder == Ladder("K", ("3", "1"), (3, 1))


@pytest.mark.usefixtures("installed")
def test_the_ladder_of_a_plug_in_has_its_levels() -> None:
    assert Spec(family="kernel").ladder == Kernel().ladder
    assert make(family="kernel", bandwidths=2).ladder.levels == ("wide", "narrow")


@pytest.mark.usefixtures("installed")
def test_a_plug_in_whose_ladder_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kernel, "ladder", property(lambda _: dict[str, Ladder]()["rungs"]))
    with pytest.raises(PluginError) as caught:
        _ = Spec(family="kernel").ladder
    assert str(caught.value) == (
        "the family kernel of the plug-in aefit-fakes 1.2 gives no ladder: KeyError: 'rungs'"
    )


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
    assert (spec.attack, spec.epsilon, spec.family, spec.runs) == ("fgsm", 0.1, "knn", 12)
    assert spec.options == {"z": 7, "tie_rule": "lowest", "search": "pruned"}
    assert spec.controls == CONTROLS
    assert spec.sets == (*PAPER_SETS, *CONTROLS)
    assert Spec(controls=()).sets == PAPER_SETS


def test_every_setting_has_a_value_and_every_option_its_part() -> None:
    spec = make(attack="pgd", steps=3, z=9)
    assert list(spec.values) == list(spec.settings)
    assert list(spec.settings) == [*COMMON, "steps", "z", "tie_rule", "search"]
    assert (spec.values["steps"], spec.values["epsilon"], spec.values["test_size"]) == (3, 0.1, None)
    assert spec.part_options("attack") == {"steps": 3}
    assert spec.part_options("family") == {"z": 9, "tie_rule": "lowest", "search": "pruned"}
    assert spec.part_options("surrogate") == {}


def test_the_defaults_are_those_that_the_settings_declare() -> None:
    assert {field.name for field in fields(Spec)} == {*COMMON, "options", "plugins", "schema_version"}
    assert Spec().values == {name: setting.default for name, setting in Spec().settings.items()}
    assert {**COMMON, **known_options(plugins=False)}.keys() == DEFAULTS.keys()
    assert DEFAULTS.keys() == OTHER_VALUES.keys() | {"family", "surrogate"}
    assert all(OTHER_VALUES[name] != DEFAULTS[name] for name in OTHER_VALUES)


def test_every_measured_set_has_one_name_and_the_papers_come_first() -> None:
    assert SETS.own == (*PAPER_SETS, *CONTROLS)
    assert PAPER_SETS == ("test", "misclassified", "adversarial")
    assert len({SETS[name].description for name in SETS.own}) == len(SETS.own)
    allowed = set(string.ascii_lowercase + "-")
    assert all(set(name) <= allowed for name in SETS.own), "names are typed, separated by commas"


def test_only_sets_selected_by_their_errors_are_wrong_by_construction() -> None:
    selected_at = {name: SETS[name].selected_at for name in SETS.own}
    assert {name for name, end in selected_at.items() if end is None} == {"test", "sources", "candidates"}
    at_the_fitted_end = [name for name, end in selected_at.items() if end == "fitted"]
    assert at_the_fitted_end == ["reverse", "reverse-both-ends"]
    assert {name for name in SETS.own if SETS[name].begins_at_zero()} == {
        name for name, end in selected_at.items() if end is not None
    }


def test_a_set_selected_at_the_fitted_end_is_counted_from_there() -> None:
    accuracy, ladder = {"7": 0.5, "5": 0.4, "3": 0.2, "1": 0.0}, Spec().ladder
    assert SETS["reverse"].as_counted(accuracy, ladder) == {"7": 0.0, "5": 0.2, "3": 0.4, "1": 0.5}
    assert SETS["noise"].as_counted(accuracy, ladder) == accuracy
    assert SETS["reverse"].begins_at_zero()
    assert not SETS["sources"].begins_at_zero()
    assert [SETS[name].zero_level(ladder) for name in ("reverse", "noise", "sources")] == ["1", "7", None]
    assert [SETS[name].rise_ends_at(ladder) for name in ("reverse", "noise")] == ["7", "1"]


# Writing it down and reading it again


@settings(max_examples=150)
@given(specs())
def test_every_spec_survives_toml_and_json(spec: Spec) -> None:
    for again in (
        Spec.from_toml(spec.to_toml().encode().decode()),
        Spec.from_mapping(json.loads(json.dumps(spec.to_json(), allow_nan=False))),
        Spec.from_mapping(spec.to_json()),
        spec.changed(),
    ):
        assert again == spec
        assert hash(again) == hash(spec)
        assert again.digest == spec.digest


def test_json_holds_every_setting_and_the_schema_version() -> None:
    record = Spec(dataset="digits", attack="pgd", controls=("noise",)).to_json()
    assert list(record) == ["schema_version", *COMMON, "steps", "z", "tie_rule", "search"]
    assert record["schema_version"] == SCHEMA_VERSION == 2
    assert record["controls"] == ["noise"]
    assert record["test_size"] is None


def test_settings_left_out_take_their_defaults() -> None:
    assert Spec.from_mapping({}) == Spec()
    assert Spec.from_mapping({"runs": 3, "epsilon": 1, "z": 5}) == make(runs=3, epsilon=1.0, z=5)


def test_settings_that_a_stored_file_lacks_take_their_first_defaults() -> None:
    assert Spec.from_toml("") == as_at_first()
    assert Spec.from_toml('attack = "deepfool"') == as_at_first(attack="deepfool")
    assert Spec.from_toml("runs = 3\nepsilon = 1\nz = 5") == as_at_first(runs=3, epsilon=1.0, z=5)


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 99, 0, -1, "1", True, 1.0, None])
def test_another_schema_version_is_refused_whatever_else_the_file_holds(version: object) -> None:
    with pytest.raises(SpecError) as caught:
        Spec.from_mapping({"schema_version": version, "setting-of-tomorrow": 1})
    assert (caught.value.field, caught.value.value) == ("schema_version", version)
    assert f"versions 1 to {SCHEMA_VERSION}" in caught.value.allowed
    assert "newer aefit-tui" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("epsilom", "did you mean epsilon?"),
        ("Runs", "did you mean runs?"),
        ("jobs", ""),
        ("levels", ""),
    ],
)
def test_an_unknown_setting_is_answered_with_the_nearest(name: str, hint: str) -> None:
    for again in (lambda: Spec.from_toml(f"{name} = 5"), lambda: Spec.from_mapping({name: 5})):
        with pytest.raises(SpecError, match="there is no such setting") as caught:
            again()
        assert (caught.value.field, caught.value.value, caught.value.hint) == (name, 5, hint)


def test_options_have_no_table_of_their_own_in_a_file() -> None:
    with pytest.raises(SpecError, match=r"options = \{'z': 5\} is not possible: there is no such setting"):
        Spec.from_toml("[options]\nz = 5")


@pytest.mark.parametrize(
    "text", ["runs = ", "runs 3", "= 1", "\0", f"seed = {'9' * 5000}", f"a = {'[' * 5000}"]
)
def test_what_is_not_toml_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="not valid TOML"):
        Spec.from_toml(text)


@pytest.mark.parametrize("text", ["epsilon = nan", "epsilon = inf", "epsilon = 1e999"])
def test_numbers_that_json_does_not_have_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match="epsilon"):
        Spec.from_toml(text)


# Another like it


def test_settings_and_options_are_changed_alike() -> None:
    spec = make(attack="pgd", steps=3, runs=5)
    assert spec.changed(z=9, epsilon=0.2) == make(attack="pgd", steps=3, runs=5, z=9, epsilon=0.2)
    assert spec.changed(test_size=50).changed(test_size=None) == spec
    assert spec.changed(steps=None) == make(attack="pgd", runs=5)
    assert spec.changed(attack=None) == make(runs=5)
    assert spec == make(attack="pgd", steps=3, runs=5)
    with pytest.raises(SpecError, match="runs = 0"):
        spec.changed(runs=0)
    with pytest.raises(SpecError, match="there is no such setting"):
        spec.changed(stepps=3)


def test_the_options_of_an_exchanged_part_go_with_it() -> None:
    spec = make(attack="deepfool", norm="linf", z=9)
    assert spec.changed(attack="fgsm") == make(attack="fgsm", z=9)
    assert spec.changed(attack="deepfool-untargeted") == make(attack="deepfool-untargeted", norm="linf", z=9)
    assert spec.changed(attack="pgd", steps=3) == make(attack="pgd", steps=3, z=9)
    with pytest.raises(SpecError, match="attack = 'pgg' is not possible"):
        spec.changed(attack="pgg")
    with pytest.raises(SpecError, match="the attack pgd has no such option"):
        spec.changed(attack="pgd", norm="l2")


@pytest.mark.usefixtures("installed")
def test_another_family_takes_its_own_options() -> None:
    spec = make(z=9, attack="pgd", steps=3)
    other = spec.changed(family="kernel", bandwidths=2)
    assert other == make(family="kernel", bandwidths=2, attack="pgd", steps=3)
    assert other.plugins == {"family kernel": "aefit-fakes 1.2"}
    assert other.changed(family="knn", z=9) == spec
    assert other.changed(family="knn").plugins == {}


# The digest, which names the experiment


def test_the_digest_is_the_hash_of_the_canonical_json_of_what_differs_from_the_first_defaults() -> None:
    # Written out: a change here gives every stored experiment another name.
    canonical = '{"attack":"deepfool","controls":["noise"],"dataset":"mnist","norm":"linf","z":9}'
    spec = as_at_first(
        dataset="mnist", attack="deepfool", controls=("noise",), device="cpu", z=9, norm="linf", runs=3
    )
    assert spec.digest == hashlib.sha256(canonical.encode()).hexdigest()
    assert as_at_first().digest == hashlib.sha256(b'{"dataset":"mnist-5k"}').hexdigest()
    canonical = '{"attack":"deepfool","bound":"project","controls":[],"dataset":"mnist-5k","splits":"folds"}'
    spec = make(attack="deepfool", controls=(), splits="folds")
    assert spec.digest == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize(
    ("values", "digest"),
    [
        ({"dataset": "mnist"}, "6351e66dcf1d973ed5b6f85b280bf4f0cc3403b8fbe2be81ba2d1ebe5e72ebc8"),
        ({}, "2c2b50d0ee39d1d94372a78764f544346d6cd5af4bebd775f0d03db889a67bfa"),
        (
            {"dataset": "mnist", "attack": "deepfool"},
            "7c38de8936329168f1fee83d09ef88405ec35a4de2a7be35add0baf66972852a",
        ),
        ({"z": 9}, "f607e1146344287948580f14face1861f49b78b6a3a40afbe5e11cee7a3387b9"),
        ({"controls": ()}, "0640cb4a652f4470077fadaff76f4affc96c62688104c76016894e885a97842a"),
        (
            {"controls": ("sources", "noise")},
            "5279bfaef93fdc9b30e37d1dadda258aaf1d1e57dfa2c4598803faddc160b2fa",
        ),
        (
            {"dataset": "cifar10", "attack": "deepfool", "norm": "linf", "bound": "reject"},
            "c84635f12ed53b97bff1b61ce97f9263b0d66b272f3995743119e82297b35b9b",
        ),
        (
            {"attack": "pgd-untargeted", "steps": 40, "epsilon": 0.0314, "tie_rule": "nearest"},
            "9f4c70df7e3f796a5b5c48af913edee20d1453ed825b77ef3d8d1023b87032d8",
        ),
        (
            {"dataset": "/data/moths.npz", "seed": 5, "epochs": 40, "test_size": 100, "keep": "candidates"},
            "8745a26e1e562f169be394247076d02865242d333af5eacbba1ba8ff6a0889c3",
        ),
    ],
)
def test_these_experiments_have_these_digests_for_ever(values: dict[str, Any], digest: str) -> None:
    assert as_at_first(**values).digest == digest


@pytest.mark.parametrize(
    ("values", "digest"),
    [
        ({"dataset": "mnist"}, "0884ceda1dee9f33de89d2e450368ea9113d6b04b832362954ba73a94107fa31"),
        (
            {"dataset": "mnist", "attack": "deepfool"},
            "4534c3d5b268d8eb12a431b973b101b0a120b8afcd23cdb75a16974f22f58e9a",
        ),
        (
            {"dataset": "mnist", "splits": "folds"},
            "48ab972b750c96c201e2ab418bea80746f7daf555953cfa1364ad6283b23c76c",
        ),
    ],
)
def test_these_experiments_with_the_defaults_of_now_too(values: dict[str, Any], digest: str) -> None:
    assert make(**values).digest == digest


def test_these_experiments_have_these_ids_for_ever() -> None:
    assert experiment_id(as_at_first(dataset="mnist")) == "mnist-fgsm-6351e66d"
    assert experiment_id(as_at_first(dataset="mnist", attack="deepfool")) == "mnist-deepfool-7c38de89"
    assert experiment_id(as_at_first(z=9)) == "mnist-5k-fgsm-f607e114"


@pytest.mark.parametrize("name", sorted(NOT_IN_THE_IDENTITY))
def test_how_many_runs_and_how_they_are_computed_change_no_digest(name: str) -> None:
    base = make(**taker(name))
    changed = base.changed(**{name: OTHER_VALUES[name]})
    assert changed != base
    assert changed.digest == base.digest
    assert hash(changed) == hash(base)


def test_every_other_setting_changes_the_digest() -> None:
    digests = {Spec().digest}
    others = OTHER_VALUES.keys() - NOT_IN_THE_IDENTITY
    for name in others:
        base = make(**taker(name))
        changed = base.changed(**{name: OTHER_VALUES[name]})
        assert changed != base
        assert changed.digest not in digests | {base.digest}, name
        digests |= {changed.digest, base.digest}
    assert {name for name, one in {**COMMON, **known_options(plugins=False)}.items() if one.identifies} == {
        *others, "family", "surrogate",
    }  # fmt: skip


@pytest.mark.usefixtures("installed")
def test_every_part_and_its_options_change_the_digest() -> None:
    some = [
        Spec(),
        Spec(family="kernel"),
        Spec(surrogate="linear"),
        Spec(attack="shift"),
        Spec(controls=(*CONTROLS, "half")),
        make(family="kernel", bandwidths=2),
        make(attack="shift", strength=0.5),
    ]
    assert len({spec.digest for spec in some}) == len(some)


@pytest.mark.slow
@settings(max_examples=100)
@given(specs(), specs())
def test_digests_are_equal_exactly_where_nothing_that_identifies_differs(one: Spec, other: Spec) -> None:
    def identifying(spec: Spec) -> dict[str, object]:
        return {name: value for name, value in spec.values.items() if name not in NOT_IN_THE_IDENTITY}

    assert (identifying(one) == identifying(other)) == (one.digest == other.digest)
    # Independent specs are hardly ever equal: meet in all settings but one.
    for name in one.values.keys() & other.values.keys() - {"attack"}:
        near = one.changed(**{name: other.values[name]})
        assert (identifying(near) == identifying(one)) == (near.digest == one.digest)


@settings(max_examples=50)
@given(specs(), st.randoms(use_true_random=False))
def test_the_order_in_which_controls_are_named_does_not_matter(spec: Spec, random: Any) -> None:
    shuffled = random.sample(spec.controls, len(spec.controls))
    other = spec.changed(controls=shuffled)
    assert other == spec
    assert other.digest == spec.digest
    assert other.controls == tuple(name for name in CONTROLS if name in shuffled)


def test_one_and_one_point_zero_are_one_epsilon() -> None:
    assert Spec(epsilon=1).digest == Spec(epsilon=1.0).digest


def test_an_option_given_at_its_default_is_an_option_left_out() -> None:
    assert make(attack="deepfool", norm="l2", bound="project", z=7) == make(attack="deepfool")
    assert make(attack="deepfool", norm="l2", bound="project", z=7).digest == make(attack="deepfool").digest


# A program that grows


SHINE = Setting(name="shine", title="Shine", help="how it shines", metavar="N", kind=Whole(0, 9), default=4)


@pytest.fixture
def stored() -> dict[str, str]:
    """What experiments of today are called: spec.toml -> digest."""
    some = [
        as_at_first(),
        Spec(),
        make(dataset="mnist", z=9, runs=3),
        make(attack="pgd", steps=3),
        make(attack="pgd", steps=10),
        Spec(controls=("noise",)),
    ]
    return {spec.to_toml(): spec.digest for spec in some}


def test_a_new_setting_renames_no_experiment(stored: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMON, "shine", SHINE)
    monkeypatch.setattr(Spec, "shine", 4, raising=False)
    assert {text: Spec.from_toml(text).digest for text in stored} == stored
    assert Spec.from_toml(next(iter(stored))).values["shine"] == 4
    shining = object.__new__(Spec)
    vars(shining).update(vars(as_at_first()), shine=5)
    vars(shining).pop("identity", None)
    assert shining.identity == {"dataset": "mnist-5k", "shine": 5}


def test_a_new_option_renames_no_experiment(stored: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for attack in (FGSM, PGD):
        monkeypatch.setattr(attack, "options", (*attack.options, SHINE))
    assert {text: Spec.from_toml(text).digest for text in stored} == stored
    assert make(shine=5).digest != make(shine=4).digest == Spec().digest


@pytest.mark.usefixtures("installed")
def test_a_new_option_of_a_plug_in_renames_no_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [Spec(family="kernel").to_toml(), make(family="kernel", bandwidths=2).to_toml()]
    before = [Spec.from_toml(text).digest for text in texts]
    monkeypatch.setattr(Kernel, "options", (*Kernel.options, SHINE))
    assert [Spec.from_toml(text).digest for text in texts] == before
    assert make(family="kernel", shine=5).digest not in before


def test_another_default_renames_no_experiment_that_asks_for_the_old_value(
    stored: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PGD, "options", (replace(STEPS, default=20),))
    monkeypatch.setitem(COMMON, "epochs", replace(COMMON["epochs"], default=5))
    monkeypatch.setitem(COMMON, "controls", replace(COMMON["controls"], default=("noise",)))
    assert {text: Spec.from_toml(text).digest for text in stored} == stored
    assert make(attack="pgd").options["steps"] == 20
    assert as_at_first(attack="pgd").identity == {"dataset": "mnist-5k", "attack": "pgd", "steps": 20}
    assert as_at_first(attack="pgd", steps=10).identity == {"dataset": "mnist-5k", "attack": "pgd"}


def test_the_first_defaults_are_frozen() -> None:
    # Written out: a change here gives stored experiments another name.
    declared = {**COMMON, **known_options(plugins=False)}
    assert {name: one.first_default for name, one in declared.items() if one.identifies} == {
        "dataset": "mnist-5k",
        "attack": "fgsm",
        "epsilon": 0.1,
        "family": "knn",
        "seed": 0,
        "surrogate": "lenet5",
        "epochs": 3,
        "controls": FIRST_CONTROLS,
        "test_size": None,
        "splits": "reshuffle",
        "keep": "adversarial",
        "norm": "l2",
        "bound": "clip",
        "steps": 10,
        "z": 7,
        "tie_rule": "lowest",
    }


# Plug-ins


@pytest.mark.usefixtures("installed")
def test_what_plug_ins_supply_is_part_of_the_identity() -> None:
    spec = Spec(attack="shift", family="kernel", surrogate="linear", controls=("noise", "half"))
    assert spec.plugins == {
        "attack shift": "aefit-fakes 1.2",
        "family kernel": "aefit-fakes 1.2",
        "surrogate linear": "aefit-fakes 1.2",
        "set half": "aefit-fakes 1.2",
    }
    assert spec.identity == {
        "dataset": "mnist-5k",
        "attack": "shift",
        "family": "kernel",
        "surrogate": "linear",
        "controls": ("half", "noise"),  # in an order that no menu changes
        "plugin attack shift": "aefit-fakes 1.2",
        "plugin family kernel": "aefit-fakes 1.2",
        "plugin surrogate linear": "aefit-fakes 1.2",
        "plugin set half": "aefit-fakes 1.2",
    }
    assert Spec.from_toml(spec.to_toml()) == spec
    assert spec.to_json()["plugins"] == spec.plugins
    assert "plugins" not in Spec().to_json()
    spec.check_plugins()


def test_an_installed_plug_in_that_is_not_used_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Spec()
    install(tmp_path, monkeypatch)
    assert Spec() == before
    assert Spec().digest == before.digest
    assert Spec().controls == CONTROLS


def test_another_version_of_a_plug_in_is_another_experiment_and_the_old_one_keeps_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as first:
        install(tmp_path / "1", first, version="1.2")
        old = Spec(attack="shift")
        text = old.to_toml()
    install(tmp_path / "2", monkeypatch, version="1.3")
    assert Spec(attack="shift").digest != old.digest
    again = Spec.from_toml(text)
    assert (again, again.digest) == (old, old.digest)
    with pytest.raises(
        PluginError, match=r"it was made with aefit-fakes 1\.2, and installed is aefit-fakes 1\.3"
    ) as caught:
        again.check_plugins()
    assert caught.value.hint == "install aefit-fakes 1.2 to go on with it"


def test_a_plug_in_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as here:
        install(tmp_path, here)
        texts = [Spec(attack="shift").to_toml(), Spec(controls=("half",)).to_toml()]
    for text, key in zip(texts, ("attack shift", "set half"), strict=True):
        with pytest.raises(PluginError) as caught:
            Spec.from_toml(text)
        assert (
            str(caught.value) == f"the {key} comes from the plug-in aefit-fakes 1.2, which is not installed"
        )
        assert caught.value.hint == "install aefit-fakes 1.2"


@pytest.mark.parametrize("value", ["aefit-fakes 1.2", ["attack shift"], {"attack shift": 1.2}, 3])
def test_plugins_are_a_table_of_texts(value: object) -> None:
    with pytest.raises(SpecError, match="expected a table of texts"):
        Spec.from_mapping({"plugins": value})


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["epsilon", "z"])
def test_an_option_with_the_name_of_another_setting_is_the_plug_ins_mistake(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shift, "options", (replace(Z, name=name),))
    with pytest.raises(PluginError) as caught:
        Spec(attack="shift")
    part = "attack shift" if name == "epsilon" else "family knn"
    assert str(caught.value) == f"the option {name} of the {part} has the name of another setting"


@pytest.mark.usefixtures("installed")
def test_an_option_whose_default_depends_on_other_settings_may_be_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Shift, "options", (*Shift.options, replace(SHINE, default=None, first_default=None)))
    spec = Spec(attack="shift")
    assert spec.options["shine"] is None
    assert "shine" not in spec.identity
    assert Spec.from_toml(spec.to_toml()) == Spec.from_mapping(spec.to_json()) == spec
    assert spec.changed(shine=3).changed(shine=None) == spec
    assert vars(ATTACKS["shift"](epsilon=0.1, **spec.part_options("attack")))["shine"] is None


def test_parts_are_chosen_by_settings_of_their_name() -> None:
    assert PARTS.keys() <= COMMON.keys()
    assert all(registry.what == part for part, registry in PARTS.items())


# Files of the first version, as they were written


FIRST_FGSM = """
schema_version = 1
dataset = "digits"
attack = "fgsm"
epsilon = 0.1
z = 3
runs = 3
seed = 3
epochs = 40
controls = [
    "noise",
    "matched",
    "reverse",
    "sources",
    "unfiltered",
    "fooled",
    "one-per-source",
]
tie_rule = "lowest"
norm = "l2"
bound = "clip"
steps = 10
search = "kd-tree"
keep = "adversarial"
device = "auto"
threads = 2
"""
FIRST_DEEPFOOL = FIRST_FGSM.replace('"fgsm"', '"deepfool"').replace('"clip"', '"reject"')
FIRST_PGD = FIRST_FGSM.replace('"fgsm"', '"pgd-untargeted"').replace("steps = 10", "steps = 40")


@pytest.mark.parametrize(
    ("text", "attack", "options"),
    [
        (FIRST_FGSM, "fgsm", {}),
        (FIRST_DEEPFOOL, "deepfool", {"norm": "l2", "bound": "reject"}),
        (FIRST_PGD, "pgd-untargeted", {"steps": 40}),
        (FIRST_FGSM.replace('"fgsm"', '"noise"'), "noise", {}),
    ],
)
def test_a_file_of_the_first_version_is_read_as_the_experiment_that_it_was(
    text: str, attack: str, options: dict[str, Any]
) -> None:
    spec = Spec.from_toml(text)
    assert spec == as_at_first(
        dataset="digits", attack=attack, z=3, runs=3, seed=3, epochs=40, search="kd-tree", **options
    )
    assert spec.schema_version == 1
    assert "threads" not in spec.values
    assert Spec.from_toml(spec.to_toml()).schema_version == 1


def test_a_spec_that_is_changed_is_one_of_this_version() -> None:
    first = Spec.from_toml(FIRST_PGD)
    assert first.changed(runs=5).schema_version == SCHEMA_VERSION
    assert first.changed(attack="fgsm").schema_version == SCHEMA_VERSION


def test_options_that_a_first_file_leaves_out_are_those_of_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PGD, "options", (replace(STEPS, default=20),))
    spec = Spec.from_mapping({"schema_version": 1, "attack": "pgd"})
    assert spec.options["steps"] == 10
    assert Spec.from_mapping({"schema_version": 1}) == as_at_first()
    assert Spec.from_mapping({"schema_version": 1, "attack": "deepfool"}) == as_at_first(attack="deepfool")


def test_the_sets_of_a_first_file_go_by_their_new_names() -> None:
    spec = Spec.from_mapping({"schema_version": 1, "controls": ["unfiltered", "reverse", "noise"]})
    assert spec.controls == ("noise", "reverse-both-ends", "candidates")
    assert Spec(controls=("reverse",)).controls == ("reverse",)
    with pytest.raises(SpecError, match="unfiltered"):
        Spec(controls=("unfiltered",))


def test_an_option_that_its_attack_never_had_is_refused_in_a_first_file_too() -> None:
    with pytest.raises(SpecError, match="the attack fgsm has no such option"):
        Spec.from_toml(FIRST_FGSM.replace("steps = 10", "steps = 11"))
    with pytest.raises(SpecError, match="there is no such setting"):
        Spec.from_toml(FIRST_FGSM.replace("threads", "treads"))
    second = FIRST_FGSM.replace("schema_version = 1", "schema_version = 2")
    with pytest.raises(SpecError, match="unfiltered"):
        Spec.from_toml(second)
    with pytest.raises(SpecError, match="the attack fgsm has no such option"):
        Spec.from_toml(second.replace('"unfiltered"', '"candidates"'))


def test_a_stored_spec_takes_the_first_default_of_a_setting_that_it_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when the default of a setting was changed after the experiment was made."""
    stored = make(dataset="digits", attack="deepfool", bound="clip").to_toml()
    older = "\n".join(line for line in stored.splitlines() if not line.startswith(("bound", "seed")))
    (bound,) = (one for one in ATTACKS["deepfool"].options if one.name == "bound")
    changed = dataclasses.replace(bound, default="project")
    others = tuple(one for one in ATTACKS["deepfool"].options if one.name != "bound")
    monkeypatch.setattr(ATTACKS["deepfool"], "options", (*others, changed))
    found = Spec.from_toml(older)
    assert found.options["bound"] == "clip"
    assert found.digest == Spec.from_toml(stored).digest
    assert Spec(dataset="digits", attack="deepfool").options["bound"] == "project"
    assert Spec(dataset="digits", attack="deepfool").digest != found.digest


def test_the_order_in_which_menus_show_controls_names_no_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [Spec().digest, Spec(controls=("noise", "reverse")).digest]
    own = dict(reversed(SETS._own.items()))
    monkeypatch.setattr(SETS, "_own", own)
    assert [
        Spec(controls=tuple(reversed(own_controls()))).digest,
        Spec(controls=("noise", "reverse")).digest,
    ] == before
