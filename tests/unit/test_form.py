"""The form names every wrong field at once, and its words and its command line mean exactly the spec they show."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.attacks.registry import ATTACKS
from core.data.catalogue import CATALOGUE
from core.declarations.setting import Choice, Setting, Value, Whole
from core.errors import SpecError
from core.families.knn import OddNumber
from core.records.study import save_study
from core.sets.registry import own_controls
from core.spec.settings import COMMON, options_of
from core.spec.spec import Spec
from tests.fakes import plugins
from tui_aefit.following.size import Size
from tui_aefit.lab.form import (
    OF_CALL,
    PAIRED,
    STUDY,
    Checked,
    check,
    command_line,
    fields_of,
    most_in,
    words_of,
)
from tui_aefit.shell.options import given_settings, parse
from tui_aefit.shell.parallelism import processors, threads_of
from tui_aefit.shell.settings import Settings

PARTS = {"family": "knn", "surrogate": "lenet5"}


def values_of(setting: Setting) -> st.SearchStrategy[Value]:
    """The values that a setting of ours can take."""
    kind = setting.kind
    if isinstance(kind, Whole):
        whole = st.integers(kind.lowest, kind.highest)
        return whole.filter(lambda value: value % 2 == 1) if isinstance(kind, OddNumber) else whole
    assert isinstance(kind, Choice)
    return st.sampled_from(sorted(kind.choices()))


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    entry = CATALOGUE[draw(st.sampled_from(sorted(CATALOGUE)))]
    attack = draw(st.sampled_from(ATTACKS.own))
    options = options_of({"attack": attack, **PARTS})
    largest = entry.train_size + entry.test_size - entry.classes
    common = {name: draw(values_of(COMMON[name])) for name in ("runs", "seed", "epochs", "keep", "device")}
    return Spec(
        dataset=entry.name,
        attack=attack,
        epsilon=draw(st.floats(0, 1, exclude_min=True)),
        controls=tuple(draw(st.lists(st.sampled_from(own_controls()), unique=True))),
        test_size=draw(st.none() | st.integers(entry.classes, largest)),
        options={name: draw(values_of(setting)) for name, setting in options.items()},
        **common,  # type: ignore[arg-type]
    )


def asked_for(line: str, folder: Path) -> Settings:
    """The settings that a shell command asks for, where no file and no variable adds to them."""
    command, batch, *words = shlex.split(line)
    assert (command, batch) == ("aefit-tui", "--batch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tui_aefit.shell.settings.user_config", lambda: folder / "none.toml")
        return Settings(given_settings(parse(words)), environment={}, folder=folder)


def asked_in_batch(line: str, folder: Path) -> tuple[list[Spec], str]:
    """The experiments of the study that a shell command asks for, and what it is to be called."""
    options = vars(parse(shlex.split(line)[1:]))
    specs = asked_for(line, folder).specs(paired=options.get("pair", False))
    return specs, options.get("name", "")


WRONG: dict[str, tuple[str, object, str]] = {
    "epsilon": ("1.5", 1.5, ""),
    "z": ("8", 8, ""),
    "runs": ("0", 0, ""),
    "seed": ("-1", -1, ""),
    "epochs": ("1001", 1001, ""),
    "controls": ("noise,nosie", ("noise", "nosie"), ""),
    "tie_rule": ("highest", "highest", ""),
    "norm": ("l3", "l3", "deepfool"),
    "bound": ("squash", "squash", "deepfool"),
    "steps": ("0", 0, "pgd"),
    "search": ("kdtee", "kdtee", ""),
    "keep": ("everything", "everything", ""),
    "device": ("gpu", "gpu", ""),
}
"""Field -> a word that is wrong, the value it stands for, and the attack that has it as an option."""


class TestFields:
    def test_they_are_those_of_every_experiment_of_its_parts_and_of_the_call(self) -> None:
        knn = ["z", "tie_rule", "search"]
        assert list(fields_of({})) == [*COMMON, *knn, *OF_CALL]
        assert list(fields_of({"attack": "deepfool"})) == [*COMMON, "norm", "bound", *knn, *OF_CALL]
        assert list(fields_of({"attack": "no such attack"})) == [*COMMON, *knn, *OF_CALL]

    def test_those_of_a_plug_in_are_among_them(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        plugins.install(tmp_path / "site", monkeypatch)
        fields = fields_of({"attack": "shift", "family": "kernel"})
        assert list(fields) == [*COMMON, "strength", "bandwidths", *OF_CALL]
        words = {
            "attack": "shift",
            "family": "kernel",
            "strength": "0.5",
            "bandwidths": "2",
            "controls": "half",
        }
        spec = check(words).spec
        assert spec is not None
        assert spec.options == {"strength": 0.5, "bandwidths": 2}
        assert spec.ladder.levels == ("wide", "narrow")
        assert check({**words, "strength": "2"}).problems == {
            "strength": "expected a part above 0, at most 1"
        }
        line = command_line(Checked((spec,)), {})
        assert "--attack shift" in line
        assert "--strength 0.5" in line
        assert asked_for(line, tmp_path).spec() == spec


class TestProblems:
    @pytest.mark.parametrize("name", WRONG)
    def test_a_wrong_field_has_the_reason_and_the_hint_that_the_spec_gives(self, name: str) -> None:
        word, value, attack = WRONG[name]
        chosen = {"attack": attack} if attack else {}
        with pytest.raises(SpecError) as error:
            Spec.from_mapping({**chosen, name: value})
        assert error.value.field == name
        (found,) = check({**chosen, name: word}).problems.items()
        assert found[0] == name
        assert found[1].startswith(error.value.allowed)
        assert error.value.hint in found[1]

    @pytest.mark.parametrize("attack", ["deepfool", "pgd"])
    def test_every_wrong_field_is_named_at_once(self, attack: str) -> None:
        words = {name: word for name, (word, _, owner) in WRONG.items() if owner in ("", attack)}
        checked = check({**words, "attack": attack, "jobs": "0", "threads": "9999", "dataset": "minst"})
        assert checked.problems.keys() == {*words, "jobs", "threads", "dataset"}
        assert checked.specs == ()

    def test_a_plug_in_that_cannot_be_loaded_is_named_beside_what_chooses_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nowhere = {
            group: {"broken": "tests.fakes.nowhere:Broken"} for group in ("aefit.attacks", "aefit.sets")
        }
        plugins.install(tmp_path / "site", monkeypatch, nowhere)
        for words in ({"attack": "broken"}, {"controls": "broken"}):
            ((name, reason),) = check(words).problems.items()
            assert name in words
            assert "cannot be loaded" in reason

    def test_a_plug_in_that_can_be_loaded_bears_no_blame_for_another(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nowhere = "tests.fakes.nowhere:Broken"
        plugins.install(
            tmp_path / "site",
            monkeypatch,
            {**plugins.ENTRY_POINTS, "aefit.sets": {"gone": nowhere}, "aefit.surrogates": {"lost": nowhere}},
        )
        words = {"attack": "shift", "family": "kernel", "surrogate": "lost", "controls": "gone"}
        problems = check(words).problems
        assert list(problems) == ["surrogate", "controls"]
        assert problems["surrogate"].startswith(
            "the surrogate lost of the plug-in aefit-fakes 1.2 cannot be loaded"
        )
        assert problems["controls"].startswith(
            "the control gone of the plug-in aefit-fakes 1.2 cannot be loaded"
        )

    @pytest.mark.parametrize("taken", ["quiet", "no_cache", "jobs", "epsilon", "schema_version", "plugins"])
    def test_a_plug_in_whose_option_has_a_name_that_is_taken_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str
    ) -> None:
        plugins.install(tmp_path / "site", monkeypatch)
        monkeypatch.setattr(plugins.Shift, "options", (replace(plugins.STRENGTH, name=taken),))
        ((name, reason),) = check({"attack": "shift"}).problems.items()
        assert name == "attack"
        assert f"the option {taken} of the attack shift has the name of" in reason

    def test_a_wrong_field_is_named_beside_one_that_is_no_number(self) -> None:
        problems = check({"epsilon": "a tenth", "z": "4", "runs": "1e3"}).problems
        assert problems == {
            "epsilon": "expected a number",
            "z": "Z must be odd, so that K falls in steps of 2 to 1; try 3",
            "runs": "expected a whole number",
        }

    def test_a_word_with_a_colon_does_not_hide_the_reason(self) -> None:
        assert check({"epsilon": "0.1: or so"}).problems == {"epsilon": "expected a number"}

    def test_a_mistyped_name_is_answered_with_the_nearest(self) -> None:
        assert "did you mean mnist?" in check({"dataset": "minst"}).problems["dataset"]

    def test_a_path_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        assert check({"dataset": str(tmp_path / "none.npz")}).problems.keys() == {"dataset"}

    def test_an_option_of_another_attack_is_wrong(self) -> None:
        assert check({"attack": "fgsm", "norm": "linf"}).problems.keys() == {"norm"}
        assert check({"attack": "deepfool", "norm": "linf"}).problems == {}
        assert check({"attack": "fgsm", "norm": ""}).problems == {}

    @pytest.mark.parametrize(("size", "possible"), [(9, False), (10, True), (4990, True), (4991, False)])
    def test_a_named_set_must_have_room_for_the_test_images(self, size: int, possible: bool) -> None:
        # mnist-5k has 5,000 images of 10 classes: each class needs one on either side.
        problems = check({"dataset": "mnist-5k", "test_size": str(size)}).problems
        assert problems == (
            {} if possible else {"test_size": "expected 10 (one a class) to 4990 of the 5000 images"}
        )

    def test_the_test_images_of_a_persons_own_set_are_judged_once_its_size_is_known(
        self, tmp_path: Path
    ) -> None:
        words = {"dataset": str(tmp_path), "test_size": "38"}
        assert check(words).problems == {}
        assert check(words, Size(images=40, classes=2, test=5, shape=(8, 8, 1))).problems == {}
        assert check(words, Size(images=39, classes=2, test=5, shape=(8, 8, 1))).problems == {
            "test_size": "expected 2 (one a class) to 37 of the 39 images"
        }

    def test_the_data_folder_is_what_was_typed(self) -> None:
        assert check({"data_dir": " ~/images "}).data_dir == "~/images"
        assert check({}).data_dir == ""


class TestWords:
    def test_no_words_ask_for_the_defaults_of_the_data_set(self) -> None:
        for name, entry in CATALOGUE.items():
            checked = check({"dataset": name, "epochs": "", "runs": "  "})
            assert checked.spec is not None
            assert (checked.spec.epochs, checked.spec.runs) == (entry.default_epochs, 12)
            assert checked.threads == threads_of(None, 12)
            assert checked.jobs == min(12, max(1, processors() // checked.threads))

    def test_more_runs_at_a_time_than_there_are_mean_all_of_them(self) -> None:
        assert check({"runs": "3", "jobs": "50"}).jobs == 3

    @given(specs(), st.data())
    @settings(max_examples=60)
    def test_the_words_of_a_spec_ask_for_that_spec(self, spec: Spec, data: st.DataObject) -> None:
        jobs, threads = data.draw(st.integers(1, spec.runs)), data.draw(st.integers(1, 1_024))
        words = words_of(spec, jobs, threads)
        assert words.keys() == set(fields_of(words))
        checked = check(words)
        assert (checked.spec, checked.jobs, checked.threads) == (spec, jobs, threads)
        assert checked.problems == {}


LISTS: dict[str, st.SearchStrategy[list[str]]] = {
    "dataset": st.lists(st.sampled_from(sorted(CATALOGUE)), min_size=1, max_size=3, unique=True),
    "attack": st.lists(st.sampled_from(ATTACKS.own), min_size=1, max_size=3, unique=True),
    "epsilon": st.lists(st.sampled_from(["0.05", "0.1", "0.25", "1"]), min_size=1, max_size=3, unique=True),
    "z": st.lists(st.sampled_from(["3", "7", "15"]), min_size=1, max_size=2, unique=True),
    "seed": st.lists(st.sampled_from(["0", "1", "5"]), min_size=1, max_size=2, unique=True),
    "surrogate": st.just(["lenet5"]),
    "epochs": st.lists(st.sampled_from(["1", "3", "40"]), min_size=0, max_size=2, unique=True),
    "steps": st.lists(st.sampled_from(["4", "40"]), min_size=0, max_size=2, unique=True),
    "keep": st.lists(st.sampled_from(["adversarial", "candidates"]), min_size=0, max_size=2, unique=True),
}
"""Field -> the words of its values, of which none stands for an empty field."""


@st.composite
def studies(draw: st.DrawFn) -> dict[str, str]:
    """Words of a form in which some field has several values."""
    lists = {name: draw(some) for name, some in LISTS.items()}
    if not any(attack.startswith("pgd") for attack in lists["attack"]):
        lists["steps"] = []  # an option that none of its attacks has
    if all(len(some) < 2 for some in lists.values()):
        lists["epsilon"] = ["0.05", "0.5"]
    separator = draw(st.sampled_from([",", ", ", " ,"]))
    words = {name: separator.join(some) for name, some in lists.items()}
    return {**words, "runs": draw(st.sampled_from(["", "3"])), "name": draw(st.sampled_from(["", "mine"]))}


class TestStudies:
    """Several values make the study that --batch makes of them."""

    def test_every_combination_is_an_experiment_named_as_batch_names_it(self, tmp_path: Path) -> None:
        checked = check({"dataset": "digits", "attack": "fgsm, pgd", "epsilon": "0.1,0.2", "runs": "3"})
        assert {(spec.attack, spec.epsilon) for spec in checked.specs} == {
            (attack, epsilon) for attack in ("fgsm", "pgd") for epsilon in (0.1, 0.2)
        }
        assert checked.runs == 12
        asked = asked_for("aefit-tui --batch --dataset digits --attack fgsm,pgd --epsilon 0.1,0.2", tmp_path)
        assert checked.study == save_study(tmp_path, "", asked.specs()).name
        assert check({"epsilon": "0.1,0.2", "name": "mine"}).study == "mine"

    def test_one_value_typed_twice_is_one_experiment(self) -> None:
        checked = check({"epsilon": "0.1, 0.10"})
        assert (len(checked.specs), checked.study) == (1, "")

    def test_what_is_asked_of_a_study_is_asked_where_there_is_one(self) -> None:
        assert not fields_of({"epsilon": "0.1"}).keys() & STUDY.keys()
        assert list(fields_of({"epsilon": "0.1,0.2"}))[-1:] == ["name"]
        assert list(fields_of({"epsilon": "0.1,0.2", "z": "3,5"}))[-2:] == ["pair", "name"]
        # A list of controls is one value.
        assert not fields_of({"controls": "noise,matched"}).keys() & STUDY.keys()

    def test_lists_are_paired_where_that_is_asked_for(self) -> None:
        words = {"attack": "fgsm,pgd", "epsilon": "0.1,0.2", "pair": PAIRED}
        assert [(spec.attack, spec.epsilon) for spec in check(words).specs] == [("fgsm", 0.1), ("pgd", 0.2)]
        problems = check({**words, "epsilon": "0.1,0.2,0.3"}).problems
        assert problems == {
            "attack": "there are 2 values, and 3 of epsilon, to be paired; give as many of each, or take every "
            "combination of them"
        }
        # One list has nothing to be paired with.
        assert len(check({"epsilon": "0.1,0.2", "pair": PAIRED}).specs) == 2

    def test_the_options_of_every_attack_are_fields_and_of_none_are_refused(self) -> None:
        words = {"attack": "fgsm,pgd,deepfool", "steps": "4,8"}
        assert {"steps", "norm", "bound"} <= fields_of(words).keys()
        found = check(words).specs
        assert sorted((spec.attack, spec.options.get("steps")) for spec in found if spec.attack == "pgd") == [
            ("pgd", 4), ("pgd", 8),
        ]  # fmt: skip
        assert len(found) == 4, "one of each attack without steps"
        assert check({"attack": "fgsm,noise", "steps": "4"}).problems.keys() == {"steps"}
        assert check({"attack": "fgsm,noise", "steps": "4,8"}).problems.keys() == {"steps"}

    @pytest.mark.parametrize(
        ("words", "problems"),
        [
            ({"epsilon": "0.1,2"}, {"epsilon": "2.0: expected a number above 0"}),
            ({"epsilon": "0.1,x"}, {"epsilon": "x: expected a number"}),
            ({"epsilon": "0.1,"}, {"epsilon": "expected a value before and after each comma"}),
            ({"z": "3,8", "epsilon": "0.1,9"}, {"z": "8: Z must be odd", "epsilon": "9.0: expected"}),
            ({"attack": "fgsm,fgms"}, {"attack": "fgms: "}),
            ({"dataset": "digits,minst"}, {"dataset": ""}),
            ({"runs": "3,4"}, {"runs": "expected a whole number"}),
            ({"epsilon": "0.1,0.2", "name": "Ä"}, {"name": "expected at most 80 lower-case letters"}),
            ({"epsilon": "0.1,0.2", "jobs": "0", "seed": "-1"}, {"jobs": "expected", "seed": "expected"}),
            (
                {name: ",".join(map(str, range(1, 203, 2))) for name in ("z", "seed", "epochs")},
                {"name": "1,030,301 experiments: expected at most 10,000"},
            ),
        ],
    )
    def test_what_is_wrong_is_said_by_the_field(
        self, words: dict[str, str], problems: dict[str, str]
    ) -> None:
        found = check(words)
        assert found.specs == ()
        assert found.problems.keys() == problems.keys()
        for name, begin in problems.items():
            assert found.problems[name].startswith(begin)

    def test_how_many_there_may_be_is_told_without_making_them(self) -> None:
        assert most_in({"epsilon": "0.1,0.2", "z": "3,5,7", "seed": "1"}) == 6
        assert most_in({}) == 1

    @given(studies(), st.booleans())
    @settings(max_examples=60)
    def test_the_command_line_asks_for_the_same_experiments(self, words: dict[str, str], pair: bool) -> None:
        lists = {name: word.count(",") for name, word in words.items() if "," in word}
        paired = pair and len(set(lists.values())) == 1 and len(lists) > 1
        checked = check({**words, "pair": PAIRED if paired else "", "jobs": "2", "threads": "1"})
        assert checked.problems == {}
        line = command_line(checked, {})
        specs, name = asked_in_batch(line, Path("/none"))
        assert specs == list(checked.specs)
        assert name == words["name"]
        asked = asked_for(line, Path("/none"))
        assert (asked.jobs(checked.runs), asked.threads(checked.runs)) == (checked.jobs, checked.threads)


class TestCommandLine:
    def test_what_is_a_default_is_left_out(self, tmp_path: Path) -> None:
        usual = asked_for("aefit-tui --batch", tmp_path)
        spec = usual.spec()
        jobs, threads = usual.jobs(spec.runs), usual.threads(spec.runs)
        assert command_line(Checked((spec,), jobs, threads), {}) == "aefit-tui --batch --dataset mnist-5k"
        changed = spec.changed(epsilon=0.25, controls=())
        words = command_line(Checked((changed,), jobs, threads), {}).split()
        assert words[4:] == ["--epsilon", "0.25", "--controls", "none"]

    @given(specs(), st.data())
    @settings(max_examples=60)
    def test_it_asks_for_the_same_spec_jobs_and_threads(self, spec: Spec, data: st.DataObject) -> None:
        jobs, threads = data.draw(st.integers(1, spec.runs)), data.draw(st.integers(1, 1_024))
        asked = asked_for(command_line(Checked((spec,), jobs, threads), {}), Path("/none"))
        assert (asked.spec(), asked.jobs(spec.runs), asked.threads(spec.runs)) == (spec, jobs, threads)

    def test_awkward_paths_survive_the_shell(self, tmp_path: Path) -> None:
        own, home, data_dir = (tmp_path / name for name in ("my 'own' $set", "a;home", "--data dir"))
        own.mkdir()
        spec = check({"dataset": str(own)}).spec
        assert spec is not None
        line = command_line(Checked((spec,)), {"home": str(home), "data_dir": str(data_dir)})
        settings = asked_for(line, tmp_path)
        assert settings.spec() == spec
        assert (settings.home, settings.data_dir) == (home, data_dir)
