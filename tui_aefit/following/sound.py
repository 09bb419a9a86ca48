"""Whether what journals and results hold has the shape that screens draw: they may hold any JSON. Pure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

WIDEST_INTERVAL = 1e3
"""How far from 0 an end of an interval of an accuracy may be; two runs, as far apart as can be, make it 7."""
COUNTED = ("test", "misclassified", "candidates", "adversarial", "adversarial_sources")


def sound_summary(summary: object) -> Mapping[str, Any] | None:
    """`summary` if it has the shape of the JSON result's, else None."""
    match summary:
        case {"accuracy": dict(accuracy)} if _is_table(accuracy, _is_mean):
            return {"accuracy": accuracy}
    return None


def sound_tests(tests: object) -> tuple[Mapping[str, Any], ...]:
    """Those of `tests` that have the shape of the JSON result's, in their order."""
    return tuple(filter(_is_test, tests)) if isinstance(tests, list) else ()


def is_sound_result(metrics: Mapping[str, object]) -> bool:
    """Whether the counts and accuracies of a metrics.json are such."""
    match metrics:
        case {"counts": dict(counts), "surrogate_accuracy": surrogate, "accuracy": dict(accuracy)}:
            sizes = counts.get("sets", {})
            return (
                all(_is_count(counts.get(name)) for name in COUNTED)
                and isinstance(sizes, dict)
                and all(map(_is_count, sizes.values()))
                and _is_share(surrogate)
                and _is_table(accuracy, lambda value: value is None or _is_share(value))
            )
    return False


def sound_seconds(metrics: Mapping[str, object]) -> Mapping[str, float] | None:
    """The durations in a metrics.json, by stage; None where one of them is none."""
    seconds = metrics.get("seconds")
    if not isinstance(seconds, dict):
        return None
    return seconds if all(_is_number(s) and 0 <= s < 1e12 for s in seconds.values()) else None


def _is_table(accuracy: Mapping[object, object], is_cell: Callable[[object], bool]) -> bool:
    """Set -> level -> cell."""
    return all(
        _is_name(name)
        and isinstance(by_level, dict)
        and all(_is_level(level) and is_cell(cell) for level, cell in by_level.items())
        for name, by_level in accuracy.items()
    )


def _is_mean(cell: object) -> bool:
    match cell:
        case {"mean": None, "ci95": None, "n": n}:
            return _is_count(n)
        case {"mean": mean, "ci95": None, "n": n}:
            return _is_share(mean) and _is_count(n)
        case {"mean": mean, "ci95": [low, high], "n": n}:
            return (
                _is_share(mean)
                and all(_is_number(end) and abs(end) <= WIDEST_INTERVAL for end in (low, high))
                and _is_count(n)
            )
    return False


def _is_test(test: object) -> bool:
    match test:
        case {
            "quantity": quantity, "j": j, "sets": [first, second], "test": name, "n": n, "p": p, "p_holm": p_holm,
            "statistic": statistic, "df": df, "effect_size": effect, "mean_difference": difference,
            "ci95": interval, "direction": direction, "reason": reason,
        }:  # fmt: skip
            return (
                all(map(_is_name, (quantity, first, second, name)))
                and all(word is None or _is_name(word) for word in (direction, reason))
                and all(p is None or _is_share(p) for p in (p, p_holm))
                and all(value is None or _is_number(value) for value in (statistic, df, effect, difference))
                and (interval is None or _is_interval(interval))
                and _is_level(j)
                and _is_count(n)
            )
    return False


def _is_interval(value: object) -> bool:
    match value:
        case [low, high]:
            return _is_number(low) and _is_number(high)
    return False


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_level(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10


def _is_count(value: object) -> bool:
    return isinstance(value, int) and type(value) is not bool and 0 <= value < 2**53


def _is_share(value: object) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_number(value: object) -> TypeGuard[float]:
    # Compared so that neither infinities, NaN nor endless integers pass; True and False are no numbers here.
    return isinstance(value, int | float) and type(value) is not bool and abs(value) <= sys.float_info.max
