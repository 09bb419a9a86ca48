"""A result as another classifier family would give it: the same numbers at levels of other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import replace

from core.families.ladder import Ladder
from core.report.result import Result

WORDS = Ladder("tree depth", ("shallow_5%", "middle", "deep", "bottomless"), (2, 8, 4, 16))
"""Levels that are words, whose values are in no order."""

T = TypeVar("T")


def with_ladder(result: Result, ladder: Ladder = WORDS) -> Result:
    """The result with the levels of another ladder, as many as it has, each in the place of one of its own."""
    names = dict(zip(result.ladder.levels, ladder.levels, strict=True))

    def renamed(by_level: Mapping[str, T]) -> dict[str, T]:
        return {names[level]: value for level, value in by_level.items()}

    metrics = {
        run: replace(
            one,
            ladder=ladder,
            accuracy={name: renamed(values) for name, values in one.accuracy.items()},
            slopes={name: renamed(values) for name, values in one.slopes.items()},
            slope_reasons={name: renamed(values) for name, values in one.slope_reasons.items()},
        )
        for run, one in result.metrics.items()
    }
    summary = result.summary and replace(
        result.summary, accuracy={name: renamed(values) for name, values in result.summary.accuracy.items()}
    )
    tests = tuple(replace(test, j=names[test.j]) for test in result.tests)
    return replace(result, ladder=ladder, metrics=metrics, summary=summary, tests=tests)
