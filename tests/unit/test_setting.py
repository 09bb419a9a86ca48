"""Every type of setting reads words, checks values and lists its choices; a declaration says the rest once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.declarations.setting import (
    Choice,
    Folder,
    Kind,
    Names,
    Number,
    PathKind,
    Setting,
    Unfit,
    Value,
    Whole,
    Words,
    by_name,
    checked_values,
)
from core.errors import SpecError
from core.spec.dataset_kind import DataSet

COLOURS = {"red": "as blood", "green": "as grass", "deep-blue": "as the sea"}

WHOLE = Whole(3, 999)
NUMBER = Number(0, 1, "a share above 0, at most 1", "try 0.5")
CHOICE = Choice(COLOURS)
NAMES = Names(COLOURS, "a colour")
WORDS = Words("the path of a folder")
FOLDER = Folder()


def refusal(kind: Kind, value: object) -> Unfit:
    with pytest.raises(Unfit) as caught:
        kind.check(value)
    assert str(caught.value) == caught.value.allowed
    return caught.value


def setting(name: str = "colour", kind: Kind = CHOICE, default: Value = "red", **others: Any) -> Setting:
    return Setting(
        name=name, title="Colour", help="its colour", metavar="C", kind=kind, default=default, **others
    )


# Reading words


@pytest.mark.parametrize(
    ("kind", "word", "value"),
    [
        (WHOLE, "7", 7),
        (WHOLE, " 7 ", 7),
        (WHOLE, "-4", -4),
        (NUMBER, "0.25", 0.25),
        (NUMBER, "1", 1.0),
        (NUMBER, "1e-3", 0.001),
        (CHOICE, "violet", "violet"),
        (NAMES, "none", ()),
        (NAMES, "red", ("red",)),
        (NAMES, "green, red", ("green", "red")),
        (WORDS, "/a b", "/a b"),
        (FOLDER, "~/a b", "~/a b"),
    ],
)
def test_a_word_is_read_as_the_value_that_it_stands_for(kind: Kind, word: str, value: Value) -> None:
    assert kind.read(word) == value
    assert type(kind.read(word)) is type(value)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (WHOLE, ""), (WHOLE, "7.0"), (WHOLE, "seven"), (NUMBER, ""), (NUMBER, "8/255"), (NUMBER, "a tenth"),
        (NAMES, ""), (NAMES, "red,"), (NAMES, "red,none"), (NAMES, "none,none"), (NAMES, ",,"),
    ],
)  # fmt: skip
def test_a_word_that_stands_for_no_value_is_refused(kind: Kind, word: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        kind.read(word)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (WHOLE, "a whole number"),
        (NUMBER, "a number"),
        (CHOICE, "a name"),
        (NAMES, "names with commas between them, or none alone"),
        (WORDS, "text"),
        (FOLDER, "the path of a folder"),
    ],
)
def test_every_type_says_which_words_it_reads(kind: Kind, expected: str) -> None:
    assert kind.expected == expected


# Checking values


@pytest.mark.parametrize("value", [3, 4, 998, 999])
def test_a_whole_number_within_its_limits_passes(value: int) -> None:
    assert WHOLE.check(value) == value


@pytest.mark.parametrize("value", [2, 1000, -5, 10**400, 7.0, "7", None, True, False, [7], math.nan])
def test_another_whole_number_or_none_at_all_is_refused(value: object) -> None:
    unfit = refusal(WHOLE, value)
    assert (unfit.allowed, unfit.hint) == ("expected a whole number from 3 to 999", "")


def test_bool_is_no_whole_number_even_within_the_limits() -> None:
    assert refusal(Whole(0, 1), True).allowed == "expected a whole number from 0 to 1"
    assert Whole(0, 1).check(1) == 1


@pytest.mark.parametrize("value", [5e-324, 0.5, 1, 1.0])
def test_a_number_within_its_limits_is_kept_as_a_float(value: float) -> None:
    assert NUMBER.check(value) == value
    assert type(NUMBER.check(value)) is float


@pytest.mark.parametrize(
    "value", [0, -0.0, 1.0000001, 2, math.nan, math.inf, -math.inf, 10**400, True, "0.5", None]
)
def test_a_number_beyond_its_limits_or_none_at_all_is_refused(value: object) -> None:
    unfit = refusal(NUMBER, value)
    assert (unfit.allowed, unfit.hint) == ("expected a share above 0, at most 1", "try 0.5")


@pytest.mark.parametrize("names", [COLOURS, lambda: COLOURS])
def test_a_choice_takes_its_names_and_answers_others_with_the_nearest(names: Mapping[str, str]) -> None:
    kind = Choice(names)
    assert [kind.check(name) for name in COLOURS] == list(COLOURS)
    unfit = refusal(kind, "Deep_Blue")
    assert (unfit.allowed, unfit.hint) == ("expected one of red, green, deep-blue", "did you mean deep-blue?")
    assert refusal(kind, "zzz").hint == ""


@pytest.mark.parametrize("value", ["", 1, None, True, ["red"], {}, ("red",)])
def test_what_is_no_name_is_no_choice(value: object) -> None:
    assert refusal(CHOICE, value).allowed == "expected one of red, green, deep-blue"


def test_names_come_in_one_order_however_they_are_given() -> None:
    assert NAMES.check(["deep-blue", "red"]) == NAMES.check(("red", "deep-blue")) == ("red", "deep-blue")
    assert NAMES.check([]) == ()
    assert Names(lambda: COLOURS, "a colour").check(["green"]) == ("green",)


@pytest.mark.parametrize("value", ["red", None, 1, {"red": 1}, {"red"}])
def test_names_are_a_list(value: object) -> None:
    unfit = refusal(NAMES, value)
    assert unfit.allowed == "expected a list of names"
    assert unfit.hint.startswith("for example [")


def test_a_name_that_is_unknown_or_named_twice_is_refused() -> None:
    unfit = refusal(NAMES, ["red", "grean"])
    assert (unfit.allowed, unfit.hint) == ("expected one of red, green, deep-blue", "did you mean green?")
    for value in ([1], [["red"]], ["none"], [None]):
        assert refusal(NAMES, value).allowed == unfit.allowed
    assert refusal(NAMES, ["red", "red"]).allowed == "a colour is named twice"


@pytest.mark.parametrize("value", ["", None, 3, ["a"], b"a"])
def test_text_is_not_empty(value: object) -> None:
    assert refusal(WORDS, value).allowed == "expected the path of a folder"
    assert refusal(Words(), value).allowed == "expected text"
    assert WORDS.check(" ") == " "


def test_only_names_have_choices() -> None:
    assert CHOICE.choices() == NAMES.choices() == Choice(lambda: COLOURS).choices() == COLOURS
    assert not any(kind.choices() for kind in (WHOLE, NUMBER, WORDS, FOLDER))


# Declarations


def test_a_wrong_value_is_refused_in_the_settings_name() -> None:
    with pytest.raises(
        SpecError, match="colour = 'rad' is not possible: expected one of red, green"
    ) as caught:
        setting().check("rad")
    error = caught.value
    assert (error.field, error.value, error.hint) == ("colour", "rad", "did you mean red?")


def test_no_value_is_a_value_only_where_it_is_the_default() -> None:
    assert setting(default=None).check(None) is None
    with pytest.raises(SpecError):
        setting().check(None)
    assert checked_values([setting(default=None)], {}) == {"colour": None}


def test_the_first_default_is_the_default_until_that_changes() -> None:
    assert setting().first_default == "red"
    assert setting(default=()).first_default == ()
    assert setting(default=None).first_default is None
    assert setting(default="green", first_default="red").first_default == "red"
    assert setting(default="green", first_default=None).first_default is None


def test_a_setting_is_written_with_dashes_in_a_shell() -> None:
    assert setting(name="tie_rule").option == "--tie-rule"


def test_the_choices_of_a_setting_are_those_of_its_type() -> None:
    assert setting().choices() == COLOURS
    assert setting(kind=WHOLE, default=3).choices() == {}


def test_values_are_those_given_else_the_defaults_in_the_order_of_declaration() -> None:
    declared = [setting("first"), setting("second", WHOLE, 7)]
    assert checked_values(declared, {}) == {"first": "red", "second": 7}
    assert list(checked_values(declared, {"second": 9, "first": "green"}).items()) == [
        ("first", "green"),
        ("second", 9),
    ]
    with pytest.raises(SpecError, match="second = 1 is not possible"):
        checked_values(declared, {"second": 1})
    with pytest.raises(TypeError, match="there is no option 'third': expected first, second"):
        checked_values(declared, {"third": 1})
    with pytest.raises(TypeError, match="expected none"):
        checked_values([], {"third": 1})


def test_two_settings_of_one_name_are_a_mistake() -> None:
    assert list(by_name([setting("a"), setting("b")])) == ["a", "b"]
    with pytest.raises(ValueError, match="two settings are called 'a'"):
        by_name([setting("a"), setting("b"), setting("a")])


# Paths


@pytest.mark.parametrize("value", ["", 5, True, ["a"], None])
def test_what_is_no_path_is_no_folder(value: object) -> None:
    assert refusal(FOLDER, value).allowed == "expected the path of a folder"


def test_a_relative_path_is_meant_from_the_folder_of_the_file_that_it_stands_in(tmp_path: Path) -> None:
    (tmp_path / "moths").mkdir()
    for kind, value, path in (
        (FOLDER, "results", f"{tmp_path}/results"),
        (FOLDER, "/fixed", "/fixed"),
        (FOLDER, "~/lab", "~/lab"),
        (FOLDER, "", ""),
        (DataSet(), "moths", f"{tmp_path}/moths"),
        (DataSet(), "mnist", "mnist"),
        (DataSet(), "minst", "minst"),
        (DataSet(), "~/moths", "~/moths"),
    ):
        assert isinstance(kind, PathKind)
        assert kind.beside(value, tmp_path) == path
    assert not any(isinstance(kind, PathKind) for kind in (WHOLE, NUMBER, CHOICE, NAMES, WORDS))
