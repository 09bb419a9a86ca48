"""Classes are found by name, ours and those of plug-ins; names are listed without importing anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.attacks.attack import Attack
from core.attacks.fgsm import FGSM
from core.attacks.registry import ATTACKS
from core.deciding.decider import deciding_name
from core.declarations.registry import Origin, Registry
from core.errors import PluginError, SpecError
from core.families.registry import FAMILIES
from core.records.deciding import DECIDING_SETS
from core.sets.registry import PAPER_SETS, SETS, is_known, own_controls
from core.spec.settings import COMMON
from core.surrogates.registry import SURROGATES
from tests.fakes import plugins
from tests.fakes.plugins import Shift, install

OWN = {"fgsm": "core.attacks.fgsm:FGSM", "pgd": "core.attacks.pgd:PGD"}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", monkeypatch)


def registry() -> Registry[Attack]:
    """One of its own, which nothing else has looked into."""
    return Registry("attack", "aefit.attacks", Attack, OWN)  # type: ignore[type-abstract]


def refusal(name: str) -> PluginError:
    with pytest.raises(PluginError) as caught:
        registry()[name]
    assert caught.value.hint == "mend or uninstall that package"
    return caught.value


# Ours


def test_ours_are_loaded_by_name_in_the_order_of_menus() -> None:
    found = registry()
    assert found.own == tuple(found) == tuple(OWN)
    assert found["fgsm"] is FGSM
    assert (len(found), "fgsm" in found, "swirl" in found) == (2, True, False)
    assert found.origin("fgsm") is found.origin("swirl") is None


def test_listing_names_loads_neither_torch_nor_numpy_nor_any_class() -> None:
    program = """
import sys
from core.attacks.registry import ATTACKS
from core.families.registry import FAMILIES
from core.sets.registry import SETS
from core.surrogates.registry import SURROGATES
for registry in (ATTACKS, FAMILIES, SETS, SURROGATES):
    names = list(registry)
    assert len(names) == len(registry) > 0 and names[0] in registry and "luck" not in registry
    assert all(registry.origin(name) is None for name in registry.own)
ours = ("core.attacks.fgsm", "core.families.knn", "core.sets.noise", "core.surrogates.lenet5")
print(*sorted({"torch", "numpy", "scipy", "sklearn", *ours} & set(sys.modules)))
for registry in (ATTACKS, FAMILIES, SETS, SURROGATES):
    assert all(registry[name].__doc__ for name in registry.own)
print(*sorted({"torch", "numpy", "scipy", "sklearn"} & set(sys.modules)))
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "\n\n", "neither the names nor the classes load them"


def test_an_unknown_name_is_answered_with_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(
        SpecError, match="attack = 'pdg' is not possible: expected one of fgsm, pgd"
    ) as caught:
        registry()["pdg"]
    assert (caught.value.field, caught.value.value, caught.value.hint) == (
        "attack",
        "pdg",
        "did you mean pgd?",
    )


@pytest.mark.parametrize("one", [ATTACKS, FAMILIES, SETS, SURROGATES], ids=lambda one: one.what)
def test_every_class_of_ours_is_what_its_registry_asks_for(one: Registry[object]) -> None:
    for name in one.own:
        assert isinstance(one[name], type)
    with pytest.raises(SpecError) as caught:
        one["luck"]
    assert caught.value.field == one.what


# Plug-ins


@pytest.mark.usefixtures("installed")
def test_a_plug_in_is_listed_after_ours_and_loaded_by_name() -> None:
    found = registry()
    assert list(found) == [*OWN, "shift"]
    assert found.own == tuple(OWN)
    assert (len(found), "shift" in found) == (3, True)
    assert found["shift"] is Shift
    assert found.origin("shift") == Origin("aefit-fakes", "1.2")
    assert str(found.origin("shift")) == "aefit-fakes 1.2"
    with pytest.raises(SpecError, match="expected one of fgsm, pgd, shift"):
        found["luck"]


def test_plug_ins_come_in_alphabetical_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shift = f"{plugins.HERE}:Shift"
    install(tmp_path / "b", monkeypatch, {"aefit.attacks": {"zebra": shift, "ant": shift}}, name="one")
    install(tmp_path / "a", monkeypatch, {"aefit.attacks": {"bee": shift}}, name="two", version="3")
    found = registry()
    assert list(found) == [*OWN, "ant", "bee", "zebra"]
    assert [str(found.origin(name)) for name in found] == ["None", "None", "one 1.2", "two 3", "one 1.2"]


@pytest.mark.usefixtures("installed")
def test_a_group_holds_its_own_plug_ins_only() -> None:
    assert [name for name in ATTACKS if name not in ATTACKS.own] == ["shift"]
    assert [name for name in FAMILIES if name not in FAMILIES.own] == ["kernel"]
    assert [name for name in SURROGATES if name not in SURROGATES.own] == ["linear"]
    assert [name for name in SETS if name not in SETS.own] == ["half", "shifted"]


@pytest.mark.usefixtures("installed")
def test_the_set_of_a_plug_in_is_a_control_that_is_measured_only_where_it_is_asked_for() -> None:
    assert PAPER_SETS == ("test", "misclassified", "adversarial")
    assert tuple(COMMON["controls"].choices()) == (*own_controls(), "half", "shifted")
    assert is_known("half")
    assert not is_known("quarter")


@pytest.mark.usefixtures("installed")
def test_the_sets_that_decide_are_those_that_results_have_a_place_for() -> None:
    found = {name: deciding_name(name) for name in SETS}
    assert [name for name, deciding in found.items() if deciding is not None] == list(DECIDING_SETS)
    assert all(deciding in (name, None) for name, deciding in found.items())


def test_the_set_of_a_plug_in_cannot_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sets = {"shifted": f"{plugins.HERE}:Shifted", "judge": f"{plugins.HERE}:Deciding"}
    install(tmp_path / "site", monkeypatch, {"aefit.sets": sets})
    assert deciding_name("shifted") is None
    with pytest.raises(PluginError) as caught:
        deciding_name("judge")
    assert str(caught.value) == (
        "the control judge of the plug-in aefit-fakes 1.2 says that it decides the claim: results have a place for "
        "test, misclassified, adversarial and noise only"
    )
    assert caught.value.hint == "declare `decides = False` in it, or uninstall that package"


@pytest.mark.usefixtures("installed")
def test_the_fakes_leave_no_trace_after_a_test_first_half() -> None:
    assert ATTACKS["shift"] is Shift


def test_the_fakes_leave_no_trace_after_a_test_second_half() -> None:
    assert "shift" not in ATTACKS
    assert "half" not in SETS
    with pytest.raises(SpecError):
        ATTACKS["shift"]


def test_a_plug_in_with_the_name_of_one_of_ours_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, {"aefit.attacks": {"fgsm": f"{plugins.HERE}:Shift"}})
    found = registry()
    assert list(found) == list(OWN)
    assert found["fgsm"] is FGSM
    assert found.origin("fgsm") is None


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (
            "import a_library_that_nobody_has",
            "ModuleNotFoundError: No module named 'a_library_that_nobody_has'",
        ),
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("1 +", "SyntaxError: invalid syntax"),
        ("", "AttributeError: module 'aefit_broken' has no attribute 'Swirl'"),
    ],
)
def test_a_plug_in_that_cannot_be_imported_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, complaint: str
) -> None:
    (tmp_path / "aefit_broken.py").write_text(source)
    install(tmp_path, monkeypatch, {"aefit.attacks": {"swirl": "aefit_broken:Swirl"}}, name="aefit-broken")
    monkeypatch.delitem(sys.modules, "aefit_broken", raising=False)
    assert list(registry()) == [*OWN, "swirl"], "it is listed without being imported"
    error = refusal("swirl")
    assert str(error).startswith("the attack swirl of the plug-in aefit-broken 1.2 cannot be loaded: ")
    assert complaint in str(error)
    monkeypatch.delitem(sys.modules, "aefit_broken", raising=False)


@pytest.mark.parametrize("attribute", ["Kernel", "install", "STRENGTH", "HERE"])
def test_a_plug_in_of_another_class_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attribute: str
) -> None:
    install(tmp_path, monkeypatch, {"aefit.attacks": {"swirl": f"{plugins.HERE}:{attribute}"}})
    error = refusal("swirl")
    assert str(error) == (
        f"the attack swirl of the plug-in aefit-fakes 1.2 is no Attack: {plugins.HERE}:{attribute}"
    )


def test_a_plug_in_that_does_not_do_all_that_it_must_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, {"aefit.attacks": {"swirl": f"{plugins.HERE}:Unfinished"}})
    assert str(refusal("swirl")) == "the attack swirl of the plug-in aefit-fakes 1.2 lacks __call__"


def test_a_plug_in_that_cannot_be_loaded_hinders_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry_points = {"broken": "a_module_that_nobody_has:Swirl", "shift": f"{plugins.HERE}:Shift"}
    install(tmp_path, monkeypatch, {"aefit.attacks": entry_points})
    found = registry()
    with pytest.raises(PluginError):
        found["broken"]
    assert found["shift"] is Shift
    assert found["fgsm"] is FGSM


def test_a_name_that_two_packages_claim_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("alpha", "zeta"):
        one = {"aefit.attacks": {"same": "tests.fakes.plugins:Shift"}}
        install(tmp_path / package, monkeypatch, one, name=package)
    with pytest.raises(PluginError, match="the attack same is claimed by the packages alpha and zeta"):
        registry()["same"]


@pytest.mark.parametrize("name", ["a/b", "Shift", "two words", "-x", "é"])
def test_a_name_that_could_not_name_a_folder_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "site", monkeypatch, {"aefit.attacks": {name: "tests.fakes.plugins:Shift"}})
    with pytest.raises(PluginError, match="expected lower-case letters, digits and hyphens"):
        registry()[name]


def test_a_class_without_its_words_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", monkeypatch, {"aefit.attacks": {"silent": "silent_attack:Silent"}})
    (tmp_path / "site" / "silent_attack.py").write_text(
        "from core.attacks.attack import Attack\n"
        "class Silent(Attack):\n"
        "    title = 'Silent'\n"
        "    def __call__(self, model, images, labels, targets, generator):\n"
        "        raise NotImplementedError\n"
    )
    with pytest.raises(PluginError, match="does not declare summary"):
        registry()["silent"]
