"""The form names every wrong field at once, and its words and its command line mean exactly the spec they show."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.attacks.catalogue import ATTACKS, BOUNDS, NORMS
from core.data.catalogue import CATALOGUE
from core.errors import SpecError
from core.neighbours.catalogue import SEARCHES, TIE_RULES
from core.sets.catalogue import CONTROLS
from core.spec.spec import DEVICES, KEEPS, LARGEST_RUNS, Spec
from tui_aefit.lab.form import FIELDS, check, command_line, word_of, words_of
from tui_aefit.shell.options import given_settings, parse
from tui_aefit.shell.settings import Settings, processors


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    entry = CATALOGUE[draw(st.sampled_from(sorted(CATALOGUE)))]
    attack = ATTACKS[draw(st.sampled_from(sorted(ATTACKS)))]
    options: dict[str, st.SearchStrategy[Any]] = {
        "norm": st.sampled_from(sorted(NORMS)),
        "bound": st.sampled_from(sorted(BOUNDS)),
        "steps": st.integers(1, 10_000),
    }
    largest = entry.train_size + entry.test_size - entry.classes
    return Spec(
        dataset=entry.name,
        attack=attack.name,
        epsilon=draw(st.floats(0, 1, exclude_min=True)),
        z=2 * draw(st.integers(1, 499)) + 1,
        runs=draw(st.integers(1, LARGEST_RUNS)),
        seed=draw(st.integers(0, 2**63 - 1)),
        epochs=draw(st.integers(1, 1_000)),
        controls=tuple(draw(st.lists(st.sampled_from(sorted(CONTROLS)), unique=True))),
        tie_rule=draw(st.sampled_from(sorted(TIE_RULES))),
        test_size=draw(st.none() | st.integers(entry.classes, largest)),
        search=draw(st.sampled_from(sorted(SEARCHES))),
        keep=draw(st.sampled_from(sorted(KEEPS))),
        device=draw(st.sampled_from(DEVICES)),
        threads=draw(st.integers(1, 1_024)),
        **{name: draw(options[name]) for name in attack.options},
    )


def asked_for(line: str, folder: Path) -> Settings:
    """The settings that a shell command asks for, where no file and no variable adds to them."""
    command, batch, *words = shlex.split(line)
    assert (command, batch) == ("aefit-tui", "--batch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tui_aefit.shell.settings.user_config", lambda: folder / "none.toml")
        return Settings(given_settings(parse(words)), environment={}, folder=folder)


WRONG = {
    "epsilon": ("1.5", 1.5),
    "z": ("8", 8),
    "runs": ("0", 0),
    "seed": ("-1", -1),
    "epochs": ("1001", 1001),
    "controls": ("noise,nosie", ("noise", "nosie")),
    "tie_rule": ("highest", "highest"),
    "norm": ("l3", "l3"),
    "bound": ("squash", "squash"),
    "steps": ("0", 0),
    "search": ("kdtee", "kdtee"),
    "keep": ("everything", "everything"),
    "device": ("gpu", "gpu"),
    "threads": ("9999", 9999),
}
"""Field -> a word that is wrong, and the value it stands for."""


class TestProblems:
    @pytest.mark.parametrize("name", WRONG)
    def test_a_wrong_field_has_the_reason_and_the_hint_that_the_spec_gives(self, name: str) -> None:
        word, value = WRONG[name]
        with pytest.raises(SpecError) as error:
            Spec(**{name: value})  # type: ignore[arg-type]
        assert error.value.field == name
        (found,) = check({name: word}).problems.items()
        assert found[0] == name
        assert found[1].startswith(error.value.allowed)
        assert error.value.hint in found[1]

    def test_every_wrong_field_is_named_at_once(self) -> None:
        checked = check({name: word for name, (word, _) in WRONG.items()} | {"jobs": "0", "dataset": "minst"})
        assert checked.problems.keys() == {*WRONG, "jobs", "dataset"}
        assert (checked.spec, checked.jobs) == (None, None)

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

    @pytest.mark.parametrize(("size", "possible"), [(9, False), (10, True), (4990, True), (4991, False)])
    def test_a_named_set_must_have_room_for_the_test_images(self, size: int, possible: bool) -> None:
        # mnist-5k has 5,000 images of 10 classes: each class needs one on either side.
        problems = check({"dataset": "mnist-5k", "test_size": str(size)}).problems
        assert problems == (
            {} if possible else {"test_size": "expected 10 (one a class) to 4990 of the 5000 images"}
        )

    def test_the_test_images_of_a_persons_own_set_are_not_judged_unread(self, tmp_path: Path) -> None:
        assert check({"dataset": str(tmp_path), "test_size": "4991"}).problems == {}


class TestWords:
    def test_no_words_ask_for_the_defaults_of_the_data_set(self) -> None:
        for name, entry in CATALOGUE.items():
            checked = check({"dataset": name, "epochs": "", "runs": "  "})
            assert checked.spec is not None
            assert (checked.spec.epochs, checked.spec.runs) == (entry.default_epochs, 12)
            assert checked.jobs == min(12, max(1, processors() // checked.spec.threads))

    def test_more_runs_at_a_time_than_there_are_mean_all_of_them(self) -> None:
        assert check({"runs": "3", "jobs": "50"}).jobs == 3

    @given(specs(), st.data())
    @settings(deadline=None, max_examples=60)
    def test_the_words_of_a_spec_ask_for_that_spec(self, spec: Spec, data: st.DataObject) -> None:
        jobs = data.draw(st.integers(1, spec.runs))
        words = words_of(spec, jobs)
        assert words.keys() == set(FIELDS)
        checked = check(words)
        assert (checked.spec, checked.jobs, checked.problems) == (spec, jobs, {})

    def test_a_settings_value_and_its_word_mean_the_same(self) -> None:
        values: list[object] = [None, 0.1, 7, "l2", [], ("noise", "fooled")]
        assert [word_of(value) for value in values] == [
            "", "0.1", "7", "l2", "none", "noise,fooled",
        ]  # fmt: skip


class TestCommandLine:
    def test_what_is_a_default_is_left_out(self, tmp_path: Path) -> None:
        spec = asked_for("aefit-tui --batch", tmp_path).spec()
        jobs = asked_for("aefit-tui --batch", tmp_path).jobs(spec)
        assert command_line(spec, jobs, {}) == "aefit-tui --batch --dataset mnist-5k"
        changed = replace(spec, epsilon=0.25, controls=())
        assert command_line(changed, jobs, {}).split()[4:] == ["--epsilon", "0.25", "--controls", "none"]

    @given(specs(), st.data())
    @settings(deadline=None, max_examples=60)
    def test_it_asks_for_the_same_spec_and_jobs(self, spec: Spec, data: st.DataObject) -> None:
        jobs = data.draw(st.integers(1, spec.runs))
        settings = asked_for(command_line(spec, jobs, {}), Path("/none"))
        assert (settings.spec(), settings.jobs(spec)) == (spec, jobs)

    def test_awkward_paths_survive_the_shell(self, tmp_path: Path) -> None:
        own, home, data_dir = (tmp_path / name for name in ("my 'own' $set", "a;home", "--data dir"))
        own.mkdir()
        spec = check({"dataset": str(own)}).spec
        assert spec is not None
        line = command_line(spec, 1, {"home": str(home), "data_dir": str(data_dir)})
        settings = asked_for(line, tmp_path)
        assert settings.spec() == spec
        assert (settings.home, settings.data_dir) == (home, data_dir)
