"""What journals and results hold is drawn where it has the shape of the JSON result, and passed over elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.drawn_results import metrics_of
from tests.recorded import make_experiment
from tui_aefit.following.sound import is_sound_result, sound_seconds, sound_summary, sound_tests


def at(value: object, interval: object = None, n: object = 3) -> dict[str, object]:
    return {"mean": value, "sd": None, "ci95": interval, "n": n}


def of_test(cell: object, level: str = "1") -> dict[str, object]:
    return {"accuracy": {"test": {level: cell}}}


WITHOUT_VALUE = {
    "statistic": None,
    "df": None,
    "p": None,
    "p_holm": None,
    "mean_difference": None,
    "ci95": None,
}
TEST = {
    "quantity": "ratio", "j": "3", "sets": ["adversarial", "noise"], "test": "welch", "n": 3, "statistic": 1.5,
    "df": 2, "p": 0.5, "p_holm": 1, "mean_difference": -0.1, "ci95": [-1, 0.5], "effect_size": 3.0,
    "direction": "lower", "reason": None,
}  # fmt: skip


@pytest.mark.parametrize(
    "rubbish",
    [
        None, [], "x", {}, {"other": 1}, {"means": {}}, {"accuracy": []}, {"accuracy": {"test": 1}},
        {"accuracy": {"test\x1b[2J": {"1": at(0.5)}}},
        of_test(at(0.5), "one"), of_test(at(0.5), "²"), of_test(at(0.5), "9" * 5000),
        of_test({"mean": 0.5}), of_test({"mean": 0.5, "ci95": None}), of_test(at("0.5")), of_test(at(True)),
        of_test(at(0.5, [0.5])), of_test(at(0.5, ["0", "1"])), of_test(at(None, [0, 1])),
        of_test(at(0.5, [0, 1e300])),
        of_test(at(float("inf"))), of_test(at(float("nan"))), of_test(at(10**400)), of_test(at(1.5)),
        of_test(at(0.5, n="3")), of_test(at(0.5, n=-1)),
    ],
)  # fmt: skip
def test_a_summary_of_another_shape_is_no_summary(rubbish: object) -> None:
    assert sound_summary(rubbish) is None


def test_a_summary_of_the_right_shape_is_kept() -> None:
    by_level = {"1": at(0.5), "3": at(None), "5": at(0, [-0.1, 1])}
    assert sound_summary({"accuracy": {"test": by_level}, "more": 1}) == {"accuracy": {"test": by_level}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"j": 3}, {"j": "x"}, {"sets": ["adversarial"]}, {"sets": "ab"}, {"sets": [1, 2]}, {"test": None},
        {"test": "\x1b[0m"}, {"quantity": ["ratio"]}, {"n": "3"}, {"p": 2}, {"p": "0.5"}, {"p_holm": -1},
        {"df": [1]}, {"statistic": 10**400}, {"ci95": [1]}, {"ci95": [None, None]}, {"direction": 1},
        {"reason": {"code": 1}}, {"reason": "\n"},
    ],
)  # fmt: skip
def test_a_test_of_another_shape_is_left_out(wrong: dict[str, object]) -> None:
    assert sound_tests([TEST, {**TEST, **wrong}, {**TEST, **WITHOUT_VALUE, "reason": "no_variance"}]) == (
        TEST,
        {**TEST, **WITHOUT_VALUE, "reason": "no_variance"},
    )


@pytest.mark.parametrize("name", sorted(TEST))
def test_a_test_that_lacks_something_is_left_out(name: str) -> None:
    assert sound_tests(["x", None, {key: value for key, value in TEST.items() if key != name}]) == ()


@pytest.mark.parametrize("rubbish", [None, "tests", {"0": TEST}, 3])
def test_what_is_no_list_has_no_tests(rubbish: object) -> None:
    assert sound_tests(rubbish) == ()


def test_what_is_computed_is_sound(tmp_path: Path) -> None:
    state = make_experiment(tmp_path, runs=4).state()
    told = state.last("statistics")
    assert told is not None
    assert sound_summary(told["summary"]) == told["summary"]
    assert list(sound_tests(told["tests"])) == told["tests"] != []
    assert all(map(is_sound_result, state.results.values()))
    assert [sound_seconds(metrics) for metrics in state.results.values()] == [
        metrics["seconds"] for metrics in state.results.values()
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"counts": {"test": 1}}, {"counts": None}, {"surrogate_accuracy": "x"}, {"surrogate_accuracy": None},
        {"accuracy": "x"}, {"accuracy": {"test": "x"}}, {"accuracy": {"test": {"7": "x"}}},
        {"accuracy": {"test": {"7": [0.5]}}},
    ],
)  # fmt: skip
def test_metrics_of_another_shape_are_not_drawn(tmp_path: Path, wrong: dict[str, object]) -> None:
    spec = make_experiment(tmp_path, state="created").spec
    metrics: dict[str, Any] = metrics_of(spec, 0, {"candidates": 1.0})
    assert is_sound_result(metrics)
    assert not is_sound_result({**metrics, **wrong})
    assert not is_sound_result({name: value for name, value in metrics.items() if name not in wrong})
    sets = {**metrics["counts"], "sets": {"test": "many"}}
    assert not is_sound_result({**metrics, "counts": sets})


@pytest.mark.parametrize(
    "seconds", [None, [], {"split": None}, {"split": "1"}, {"split": -1}, {"split": 1e300}, {"split": True}]
)
def test_durations_that_are_none_are_not_counted(seconds: object) -> None:
    assert sound_seconds({"seconds": seconds}) is None
    assert sound_seconds({}) is None
