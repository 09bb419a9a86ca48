"""A ladder orders levels from general to fitted and alone knows which comes before which, in words or numbers."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.families.ladder import Ladder, Step, rise_name, slope_name

K = Ladder("K", ("7", "5", "3", "1"), (7, 5, 3, 1))
WORDS = Ladder("Bandwidth", ("wide", "medium", "narrow"))

labels = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)
ladders = st.builds(Ladder, labels, st.lists(labels, min_size=2, max_size=7, unique=True).map(tuple))


def test_the_ends_and_the_steps_of_a_ladder() -> None:
    assert (K.general, K.fitted) == ("7", "1")
    assert K.steps == (Step("7", "5"), Step("5", "3"), Step("3", "1"))
    assert (WORDS.general, WORDS.fitted) == ("wide", "narrow")
    assert WORDS.steps == (Step("wide", "medium"), Step("medium", "narrow"))


def test_what_a_ladder_says_in_words() -> None:
    assert (K.span, WORDS.span) == ("K 7 to 1", "Bandwidth wide to narrow")
    assert (K.at("7"), WORDS.at("medium")) == ("K = 7", "Bandwidth = medium")
    assert (K.move("1"), WORDS.move("medium")) == ("K = 3 to 1", "Bandwidth = wide to medium")
    assert (slope_name("3"), rise_name(K, "3")) == ("S_3", "A_3 - A_5")
    assert (slope_name("narrow"), rise_name(WORDS, "narrow")) == ("S_narrow", "A_narrow - A_medium")


def test_values_are_the_labels_unless_they_are_given() -> None:
    assert K.values == (7, 5, 3, 1)
    assert WORDS.values == ("wide", "medium", "narrow")
    assert Ladder("C", ("weak", "strong"), (0.25, 4)).values == (0.25, 4)


@pytest.mark.parametrize(
    ("knob", "name"),
    [("K", "k"), ("Bandwidth", "bandwidth"), ("Tree depth", "tree_depth"), ("λ", "_"), ("", "level")],
)
def test_the_array_of_the_values_is_called_after_the_knob(knob: str, name: str) -> None:
    assert Ladder(knob, ("a", "b")).array_name == name


@given(ladders)
def test_the_level_before_is_the_general_end_of_the_step(ladder: Ladder) -> None:
    assert [(ladder.before(step.fitted), step.fitted) for step in ladder.steps] == [
        (ladder.levels[place], ladder.levels[place + 1]) for place in range(len(ladder.levels) - 1)
    ]
    with pytest.raises(ValueError, match="is the most general level"):
        ladder.before(ladder.general)


def test_there_is_nothing_before_a_level_that_is_not_there() -> None:
    for ladder, level in ((K, "9"), (K, "07"), (WORDS, "Wide"), (WORDS, "")):
        with pytest.raises(ValueError, match="not in"):
            ladder.before(level)


@given(ladders)
def test_mirrored_values_stand_as_far_from_the_other_end_and_come_back(ladder: Ladder) -> None:
    values = {level: place for place, level in enumerate(ladder.levels)}
    mirrored = ladder.mirrored(values)
    assert list(mirrored) == list(ladder.levels)
    assert list(mirrored.values()) == list(range(len(values)))[::-1]
    assert ladder.mirrored(mirrored) == values


def test_mirrored_values_of_the_levels_of_a_result() -> None:
    assert K.mirrored({"7": 0.5, "5": 0.4, "3": 0.2, "1": 0.0}) == {"7": 0.0, "5": 0.2, "3": 0.4, "1": 0.5}
    assert WORDS.mirrored({"narrow": "c", "wide": "a", "medium": "b"}) == {
        "wide": "c",
        "medium": "b",
        "narrow": "a",
    }
    with pytest.raises(KeyError):
        K.mirrored({"7": 0.5})


@pytest.mark.parametrize("levels", [(), ("7",), ("7", "7"), ("a", "b", "a")])
def test_a_ladder_needs_two_different_levels(levels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="two levels or more, all different"):
        Ladder("K", levels)


@pytest.mark.parametrize(
    ("knob", "levels"), [("K\n", ("a", "b")), ("K", ("a", "\x1b[2J")), ("K", ("a\t", "b"))]
)
def test_what_a_terminal_would_obey_is_no_label(knob: str, levels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="cannot be shown"):
        Ladder(knob, levels)


@pytest.mark.parametrize("values", [(7, 5, 3), (7, 5, 3, 1, 0)])
def test_there_is_a_value_for_each_level(values: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=f"{len(values)} values for 4 levels"):
        Ladder("K", ("7", "5", "3", "1"), values)


@given(ladders)
def test_a_ladder_comes_back_from_json(ladder: Ladder) -> None:
    assert msgspec.json.decode(msgspec.json.encode(ladder), type=Ladder) == ladder


@pytest.mark.parametrize(
    "content",
    [
        b'{"knob":"K","levels":["1"]}',
        b'{"knob":"K","levels":["1","1"]}',
        b'{"knob":"K","levels":[7,5]}',
        b'{"knob":"K","levels":["7","5"],"values":[7]}',
        b'{"knob":"K\\u0007","levels":["7","5"]}',
        b'{"levels":["7","5"]}',
    ],
)
def test_a_file_that_holds_no_ladder_is_refused(content: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(content, type=Ladder)


def test_a_ladder_cannot_be_changed_and_can_be_a_key() -> None:
    with pytest.raises(AttributeError):
        K.knob = "Z"  # type: ignore[misc]
    assert {K: 1, WORDS: 2}[Ladder("K", ("7", "5", "3", "1"), (7, 5, 3, 1))] == 1


@pytest.mark.parametrize(
    ("knob", "name"),
    [
        ("K", "k"),
        ("Leaf size", "leaf_size"),
        ("Test label", "test_label_levels"),
        ("Source", "source_levels"),
    ],
)
def test_the_array_of_its_values_has_the_name_of_no_other_array(knob: str, name: str) -> None:
    assert Ladder(knob, ("a", "b")).array_name == name
