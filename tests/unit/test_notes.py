"""What stands beside the form says what the parts say of themselves, and figures that can be checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import pytest

from core.attacks.registry import ATTACKS
from core.data.catalogue import CATALOGUE
from core.declarations.setting import Setting
from core.families.ladder import Ladder
from core.previews.records import AttackRequest
from core.spec.settings import COMMON
from core.spec.spec import Spec
from tests.fakes import previews
from tests.fakes.plugins import Kernel
from tui_aefit.following.past_runs import Past, PastSpread
from tui_aefit.following.precision import precision_of
from tui_aefit.lab.widgets.setup import notes
from tui_aefit.lab.widgets.setup.explaining import is_of, note_of
from tui_aefit.lab.widgets.setup.fields import TYPE_A_PATH
from tui_aefit.lab.widgets.setup.foot import sentence_of
from tui_aefit.lab.widgets.setup.form_facts import Known, Looked, Tried

MNIST = Spec(dataset="mnist")
PARTS = {"attack": "fgsm", "family": "knn", "surrogate": "lenet5"}


def known(name: str, spec: Spec | None = MNIST, **changed: object) -> Known:
    whole: dict[str, object] = {
        "setting": MNIST.settings[name], "parts": PARTS, "spec": spec, "past": Past(), "overlap": 1 / 6,
        "looked": Looked("mnist"), "where": "in DIR", "tried": Tried(), **changed,
    }  # fmt: skip
    return Known(**whole)  # type: ignore[arg-type]


def example(attack: str = "fgsm", epsilon: float = 0.1) -> Tried:
    request = AttackRequest(attack=attack, epsilon=epsilon, options={}, cache_dir="")
    return Tried(MNIST.changed(attack=attack, epsilon=epsilon), previews.made_up_attack(request))


class TestSettings:
    @pytest.mark.parametrize("setting", COMMON.values(), ids=lambda setting: setting.name)
    def test_all_that_one_can_be_is_listed_with_its_meaning(self, setting: Setting) -> None:
        text = notes.of_setting(setting).text.plain
        assert setting.help in text
        for name, meaning in setting.choices().items():
            assert f"\n{name} " in text
            assert meaning in text

    def test_those_that_belong_together_are_explained_together(self) -> None:
        titles = {name: note_of(known(name)).title for name in MNIST.settings}
        assert titles["attack"] == titles["epsilon"] == "FGSM, targeted"
        assert titles["family"] == titles["z"] == titles["search"] == "K nearest neighbours: K 7 to 1"
        assert titles["dataset"] == titles["test_size"] == "MNIST"
        assert titles["runs"] == titles["splits"]
        assert titles["seed"] == "Seed"

    def test_without_a_right_field_there_is_still_something_to_read(self) -> None:
        for name in MNIST.settings:
            assert note_of(known(name, spec=None)).text.plain

    def test_a_part_that_is_not_there_has_no_settings(self) -> None:
        assert not is_of(COMMON["seed"], "attack", {**PARTS, "attack": "no such attack"})


class TestAttacks:
    @pytest.mark.parametrize("name", ATTACKS.own)
    def test_ours_say_in_two_sentences_and_a_formula_what_they_do(self, name: str) -> None:
        attack = ATTACKS[name]
        assert attack.about.count(". ") == 1
        assert attack.about.endswith(".")
        assert "∇" in attack.formula or not attack.uses_gradient
        text = notes.of_attack(attack, 0.1, None, "").text.plain
        assert attack.about in text
        assert attack.formula in text

    def test_the_example_is_told_with_what_the_network_says(self) -> None:
        note = note_of(known("epsilon", tried=example()))
        assert "a 3 of MNIST, moved toward 8 with epsilon 0.1" in note.text.plain
        assert "said 3, and now says 8 (75 % sure)" in note.text.plain
        assert [image.caption for image in note.images] == ["says 3", "change ×5", "says 8"]
        tried = example()
        assert tried.preview is not None
        for changed, words in (
            ({"says": "3"}, "still says 3"),
            ({"kept": False}, "is discarded"),
            ({"target": ""}, "a 3 of MNIST, moved with epsilon"),
        ):
            other = Tried(tried.spec, msgspec.structs.replace(tried.preview, **changed))
            assert words in note_of(known("attack", tried=other)).text.plain

    def test_an_example_of_other_settings_is_not_shown(self) -> None:
        for changed in ({"epsilon": 0.2}, {"attack": "pgd"}, {"attack": "pgd", "steps": 3}):
            spec = MNIST.changed(**changed)
            parts = {**PARTS, "attack": spec.attack}
            note = note_of(known("attack", spec=spec, parts=parts, tried=example()))
            assert (note.images, notes.MAKING in note.text.plain) == ((), True)
        # Another data set, seed or classifier changes nothing about it.
        assert note_of(known("attack", spec=Spec(dataset="svhn", seed=4), tried=example())).images

    def test_while_its_options_are_of_another_attack_none_is_promised(self) -> None:
        note = note_of(known("attack", parts={**PARTS, "attack": "pgd"}, tried=example()))
        assert "once every field is right" in note.text.plain


class TestData:
    def test_a_named_set_is_told_before_its_images_are_there(self) -> None:
        text = note_of(known("dataset")).text.plain
        assert "70,000 images of 28 × 28 grey pixels, 10 classes" in text
        assert "a run trains on 60,000 and tests on 10,000" in text
        assert "in DIR" in text
        assert notes.READING in text
        fewer = note_of(known("dataset", spec=MNIST.changed(test_size=700))).text.plain
        assert "a run trains on 69,300 and tests on 700" in fewer

    def test_its_images_have_the_names_of_their_classes(self) -> None:
        preview = previews.made_up_data("svhn")
        note = note_of(known("dataset", looked=Looked("svhn", preview=preview)))
        assert [image.caption for image in note.images] == [*CATALOGUE["svhn"].class_names] * 2
        assert [image.pixels for image in note.images] == [preview.image(place) for place in range(20)]
        assert "32 × 32 colour pixels" in note.text.plain
        assert "of each class" in note.text.plain

    def test_classes_of_unequal_size_are_counted(self) -> None:
        preview = msgspec.structs.replace(previews.made_up_data("digits"), counts=(178, 182, *[180] * 8))
        text = note_of(known("dataset", looked=Looked("digits", preview=preview))).text.plain
        assert "0 178 · 1 182 · 2 180" in text

    def test_an_own_set_is_told_by_what_was_read_or_why_it_is_none(self) -> None:
        preview = msgspec.structs.replace(previews.made_up_data("digits"), notices=("3 files skipped",))
        note = note_of(known("dataset", looked=Looked("/data/moths/", preview=preview)))
        assert note.title == "moths"
        assert "3 files skipped" in note.text.plain
        for looked, words in (
            (Looked(""), TYPE_A_PATH),
            (Looked("/data/moths", pending=True), notes.READING),
            (Looked("/data/moths", trouble="it has no class"), "it has no class"),
            (Looked("/data/m", near=("/data/moths/", "/data/m.npz")), "/data/moths/\n/data/m.npz"),
        ):
            assert words in note_of(known("dataset", looked=looked)).text.plain


class TestLadder:
    def test_every_level_is_a_rung_with_its_slope(self) -> None:
        lines = note_of(known("z")).text.plain.splitlines()
        rungs = [" ".join(line.split()) for line in lines if "K = " in line and "rises" not in line][:4]
        assert rungs == [
            "general K = 7 ●●●●●●● selects: A = 0",
            "│ K = 5 ●●●●● A_5; no S_5, since A_7 = 0",
            "│ K = 3 ●●● S_3 = A_3 / A_5",
            "fitted K = 1 ● S_1 = A_1 / A_3",
        ]

    def test_of_a_long_one_the_middle_is_left_out(self) -> None:
        text = note_of(known("z", spec=MNIST.changed(z=99))).text.plain
        assert text.count("K = ") <= notes.MOST_LEVELS + 1  # and where it is selected
        assert "⋮     38 levels more" in text  # 99, 97, ..., 1 are 50
        assert "●" not in text

    @pytest.mark.parametrize(
        ("knob", "beside", "rungs"),
        [
            (
                "K",
                {},
                ["K = 2  selects: A = 0", "K = 4  A_4; no S_4, since A_2 = 0", "K = 8  S_8 = A_8 / A_4"],
            ),
            (
                "depth",
                {"2": "two", "8": "\x1bmany"},
                [
                    "depth = 2  two    selects: A = 0",
                    "depth = 4         A_4; no S_4, since A_2 = 0",
                    "depth = 8  \ufffdmany  S_8 = A_8 / A_4",
                ],
            ),
        ],
    )
    def test_beside_its_levels_stands_what_a_family_says(
        self, knob: str, beside: Mapping[str, str], rungs: Sequence[str]
    ) -> None:
        class Tree(Kernel):
            title = "Tree"
            summary = "a decision tree"
            ladder = Ladder(knob, ("2", "4", "8"), (2, 4, 8))
            beside_levels = beside

        note = notes.of_ladder(Tree(), COMMON["family"])
        assert note.title == f"Tree: {knob} 2 to 8"
        lines = note.text.plain.splitlines()
        assert lines[0] == "a decision tree"
        assert [line[11:].rstrip() for line in lines[2:5]] == rungs


class TestRuns:
    def test_the_half_widths_are_those_of_past_runs(self) -> None:
        spread = PastSpread(MNIST, "mnist-fgsm-example1", 12, 0.04, 1 / 6)
        found = precision_of(MNIST, [spread], 1 / 6)
        text = note_of(known("runs", past=Past(spreads=[spread]))).text.plain
        assert "from 12 runs of mnist-fgsm-example1 (runs of the same kind)" in text
        for runs, half in found.half_widths.items():
            (line,) = (one for one in text.splitlines() if one[2:].split()[:1] == [str(runs)])
            assert f"± {half:.3f}" in line
            assert line.startswith("▸") == (runs == 12)
        (endless,) = (line for line in text.splitlines() if "endless" in line)
        assert f"± {found.endless:.3f}" in endless

    def test_without_any_they_are_relative_and_too_few_runs_have_none(self) -> None:
        text = note_of(known("runs", spec=MNIST.changed(runs=2))).text.plain
        assert "relative to 12 runs" in text
        assert "1.00 ×" in text
        assert "2 runs have no interval: 3 do" in text


def test_an_experiment_is_one_sentence() -> None:
    assert sentence_of(MNIST, 3, "FGSM, targeted", "K nearest neighbours") == (
        "12 runs, 3 at a time: K nearest neighbours, K 7 to 1, on mnist against FGSM, targeted, epsilon 0.1; seed 0"
    )
    assert sentence_of(MNIST.changed(runs=1), 1, "A", "F").startswith("1 run: F, ")
