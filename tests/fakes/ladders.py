"""A result as another classifier family would give it: the same numbers at levels of other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec.structs import replace

from core.families.ladder import Ladder
from core.records.deciding import BiasVariance, CrossFit, Robustness
from core.report.result import Result

WORDS = Ladder("tree depth", ("shallow_5%", "middle", "deep", "bottomless"), (2, 8, 4, 16))
"""Levels that are words, whose values are in no order."""

T = TypeVar("T")


def with_ladder(result: Result, ladder: Ladder = WORDS) -> Result:
    """The result with the levels of another ladder, as many as it has, each in the place of one of its own."""
    names = dict(zip(result.ladder.levels, ladder.levels, strict=True))

    def renamed(by_level: Mapping[str, T]) -> dict[str, T]:
        return {names[level]: value for level, value in by_level.items()}

    def of_sets(found: BiasVariance | CrossFit | None) -> Mapping[str, Any]:
        if found is None:
            return {}
        measured = found.accuracy if isinstance(found, CrossFit) else found.sets
        return {name: renamed(values) for name, values in measured.items()}

    def crossfit(found: CrossFit | None) -> CrossFit | None:
        own = {name: renamed(values) for name, values in found.own.items()} if found else {}
        return found and replace(found, **of_sets(found), own=own)

    def robustness(found: Robustness) -> Robustness:
        return replace(found, robustness=renamed(found.robustness))

    metrics = {
        run: replace(
            one,
            ladder=ladder,
            accuracy={name: renamed(values) for name, values in one.accuracy.items()},
            crossfit=crossfit(one.crossfit),
            crossfit_fitted=crossfit(one.crossfit_fitted),
            bias_variance=one.bias_variance and replace(one.bias_variance, **of_sets(one.bias_variance)),
            robustness=one.robustness and renamed(one.robustness),
            noise=one.noise and robustness(one.noise),
            variants={rule: robustness(found) for rule, found in one.variants.items()},
            slopes={name: renamed(values) for name, values in one.slopes.items()},
            slope_reasons={name: renamed(values) for name, values in one.slope_reasons.items()},
        )
        for run, one in result.metrics.items()
    }
    summary = result.summary and replace(
        result.summary, accuracy={name: renamed(values) for name, values in result.summary.accuracy.items()}
    )
    tests = tuple(replace(test, j=names[test.j]) for test in result.tests)
    runs = tuple(replace(run, metrics=metrics.get(run.index)) for run in result.runs)
    return replace(result, ladder=ladder, runs=runs, metrics=metrics, summary=summary, tests=tests)
