"""Numbers, durations and moments are written as a person writes them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.report.formatting import (
    counted,
    duration,
    enumerate_words,
    mean_count,
    moment,
    number,
    p_value,
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.6, "1 h 00 min"),
        (7530, "2 h 05 min"),
        (360_000, "100 h 00 min"),
    ],
)
def test_a_duration_is_said_as_a_person_says_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@given(st.floats(0, 1e6))
def test_a_duration_means_its_seconds(seconds: float) -> None:
    unit = {"h": 3600, "min": 60, "s": 1}
    parts = re.findall(r"(\d+) (h|min|s)", duration(seconds))
    meant = sum(int(amount) * unit[name] for amount, name in parts)
    assert abs(meant - seconds) <= (60 if seconds >= 3599.5 else 0.5)


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ([], "-"),
        ([920], "920"),
        ([9_999, 10_001], "10,000"),
        ([1_005, 1_006, 1_006], "1,005.7"),
        ([0, 0], "0"),
    ],
)
def test_a_mean_of_counts_has_a_tenth_unless_it_is_whole(counts: list[int], text: str) -> None:
    assert mean_count(counts) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0497, "0.0497"),
        (0.0502, "0.0502"),
        (0.05, "0.05"),
        (0.062, "0.062"),
        (0.00996, "0.00996"),
        (1.6e-7, "1.6e-07"),
    ],
)
def test_a_p_value_has_two_digits_and_more_where_two_would_meet_a_level_that_it_does_not(
    p: float, text: str
) -> None:
    assert p_value(p) == text


@given(st.floats(0, 1))
def test_a_p_value_is_said_on_its_own_side_of_every_level(p: float) -> None:
    said = float(p_value(p))
    assert said == pytest.approx(p, rel=0.051)
    assert all((said < level) == (p < level) for level in (0.05, 0.01, 0.001))


@pytest.mark.parametrize("seconds", [1e300, -1e300, 1e15])
def test_a_moment_beyond_all_calendars_is_a_question_mark(seconds: float) -> None:
    assert moment(seconds, "%Y-%m-%d %H:%M") == "?"


def test_what_is_absent_is_a_dash() -> None:
    assert (number(None, ".3f"), number(0.12345, ".3f")) == ("-", "0.123")


def test_one_of_a_thing_has_no_s() -> None:
    assert [counted(n, "run") for n in (0, 1, 2, 1200)] == ["0 runs", "1 run", "2 runs", "1,200 runs"]


def test_words_in_a_row_end_with_and() -> None:
    assert [enumerate_words(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]
