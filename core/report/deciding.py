"""What decides the claim, level by level and over the runs: the tables that every format shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from core.records.deciding import DECIDING_SETS, UNSELECTED, CrossFit, DecidingSet, Robustness
from core.records.metrics import RunMetrics
from core.records.statistics import Summary
from core.records.types import Record
from core.report.attack_figures import attack_title, control_title, rates
from core.report.result import Result
from core.report.terms import MEASURES
from core.statistics import plain_t
from core.statistics.summary import CriticalValue, summarise

T = TypeVar("T")

OWN, OTHER, EITHER = "own half", "other half", "each half"
"""Whose classifier is measured: of the half that selected the images, of the other one, or of each: unselected."""
BIAS_MEASURES = ("bias", "variance", "error")
ROBUSTNESS_MEASURES = ("accuracy", "success", "worst_case")

ByLevel = Mapping[str, Summary]
"""Level -> its summary over the runs."""


@dataclass(frozen=True)
class Line:
    """One measure at every level. what: its name, in words."""

    what: str
    by_level: ByLevel


@dataclass(frozen=True)
class Group:
    """The lines of one set, or of one attack's candidates. title: it in words. facts: by `LevelTable.facts`."""

    of: DecidingSet
    title: str
    facts: tuple[float | None, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class LevelTable:
    """name: in ids and labels. heading: a word or two. title, reading: what it shows, and how to read it.

    facts: title -> format.
    """

    name: str
    heading: str
    title: str
    reading: str
    facts: Mapping[str, str]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class FlipsRow:
    """gained, lost, n: as `core.records.deciding.Flips`, over all runs. net: (gained - lost) / n over the runs.

    title: the candidates, in words. fooled, hit: of the attack that made them.
    """

    of: DecidingSet
    title: str
    fooled: float | None
    hit: float | None
    gained: int
    lost: int
    n: int
    net: Summary


FLIPS_READING = (
    "Candidates whose source both ends of the ladder get right, over all runs. Gained: right at the most "
    "fitted level only; lost: right at the most general one only. Difference: (gained - lost) / n, mean over "
    "the runs with its 95 % interval."
)


def level_tables(result: Result, critical_value: CriticalValue = plain_t.critical_value) -> list[LevelTable]:
    """Those that some run measured: cross-fitted accuracy, bias and variance, robustness.

    critical_value: as in `summarise`.
    """
    return [
        table
        for table in (
            crossfit_table(result, critical_value=critical_value),
            crossfit_table(result, fitted=True, critical_value=critical_value),
            _bias_variance(result, critical_value),
            _robustness(result, critical_value),
        )
        if table.groups
    ]


def has_crossfit(result: Result) -> bool:
    """Whether the numbers are over a run that measured cross-fitted accuracy."""
    return any(run.crossfit is not None for run in _runs(result))


def crossfit_table(
    result: Result, *, fitted: bool = False, critical_value: CriticalValue = plain_t.critical_value
) -> LevelTable:
    """Accuracy on what one half selects: by the other half, and by the half itself.

    fitted: selected at the most fitted level, not at the most general one. Its share of selection is no claim.
    critical_value: as in `summarise`.
    """
    ladder = result.ladder
    selected_at = ladder.at(ladder.fitted if fitted else ladder.general)
    shares = {
        claim.sets[0]: claim.estimate
        for claim in result.claims
        if claim.name == "selection_share" and not fitted
    }
    groups = []
    for name in DECIDING_SETS:
        found = [
            crossfit
            for run in _runs(result)
            if (crossfit := run.crossfit_fitted if fitted else run.crossfit) is not None
            and name in crossfit.accuracy
        ]
        if found:
            images = math.fsum(sum(one.counts[name]) / 2 for one in found) / len(found)
            other = _over_runs(result, found, _other(name), critical_value)
            lines: tuple[Line, ...] = (Line(EITHER, other),)
            if name != UNSELECTED:
                lines = (Line(OTHER, other), Line(OWN, _over_runs(result, found, _own(name), critical_value)))
            facts = (images,) if fitted else (images, shares.get(name))
            groups.append(Group(name, name, facts, lines))
    return LevelTable(
        name="crossfit-fitted" if fitted else "crossfit",
        heading="cross-fitted",
        title=f"Cross-fitted accuracy, selected at {selected_at}",
        reading=(
            f"Images that the classifier of one half of the training images selects at {selected_at}, measured by "
            "that of the other half and by its own; means of both orders. Of the test set all images, not selected."
            + (
                ""
                if fitted
                else " Selection: the share of the rise by its own half that is not there by the other."
            )
        ),
        facts={"images": ",.1f"} | ({} if fitted else {"selection": ".3f"}),
        groups=tuple(groups),
    )


def _bias_variance(result: Result, critical_value: CriticalValue) -> LevelTable:
    groups = []
    found = [run.bias_variance for run in _runs(result) if run.bias_variance is not None]
    for name in DECIDING_SETS:
        there = [one.sets[name] for one in found if name in one.sets]
        if there:
            lines = tuple(
                Line(MEASURES[field], _over_runs(result, there, _field(field), critical_value))
                for field in BIAS_MEASURES
            )
            groups.append(Group(name, name, (), lines))
    subsets = " or ".join(str(count) for count in sorted({one.subsets for one in found}))
    return LevelTable(
        name="bias-variance",
        heading="bias",
        title="Bias, variance and error",
        reading=(
            f"0-1 loss (Domingos, 2000) over {subsets} random parts of the half that does not select: whether "
            "the most frequent prediction is wrong; how often a prediction differs from it; how often a "
            "prediction is wrong."
        ),
        facts={},
        groups=tuple(groups),
    )


def _robustness(result: Result, critical_value: CriticalValue) -> LevelTable:
    groups = []
    for of, title, found in _attacked(result):
        levels = [one.robustness for one in found]
        lines = tuple(
            Line(MEASURES[field], _over_runs(result, levels, _field(field), critical_value))
            for field in ROBUSTNESS_MEASURES
        )
        groups.append(Group(of, title, rates(result, of), lines))
    return LevelTable(
        name="robustness",
        heading="robustness",
        title="Robustness without selection",
        reading=(
            "Over all candidates of all test images. Accuracy: the share that is right; success: the share "
            "that is wrong, of those whose source is right; worst case: the share of test images that are "
            "right, and all their candidates too. Fooled, target hit: by the surrogate."
        ),
        facts={"fooled": ".4f", "target hit": ".4f"},
        groups=tuple(groups),
    )


def flips_rows(result: Result, critical_value: CriticalValue = plain_t.critical_value) -> list[FlipsRow]:
    """Of the attack's candidates, of noise, and of the attack's had the family followed another rule.

    critical_value: as in `summarise`.
    """
    rows = []
    for of, title, found in _attacked(result):
        flips = [one.flips for one in found]
        fooled, hit = rates(result, of)
        rows.append(
            FlipsRow(
                of=of,
                title=title,
                fooled=fooled,
                hit=hit,
                gained=sum(one.gained for one in flips),
                lost=sum(one.lost for one in flips),
                n=sum(one.n for one in flips),
                net=summarise(
                    [one.net for one in flips], overlap=_overlap(result), critical_value=critical_value
                ),
            )
        )
    return rows


def _attacked(result: Result) -> Iterator[tuple[DecidingSet, str, list[Robustness]]]:
    """Whose candidates, in words, and what the runs found on them."""
    runs = _runs(result)
    title = attack_title(result)
    if attacked := [run.attacked for run in runs if run.attacked is not None]:
        yield "adversarial", title, attacked
    if noise := [run.noise for run in runs if run.noise is not None]:
        yield "noise", control_title("noise"), noise
    for rule in dict.fromkeys(rule for run in runs for rule in run.variants):
        yield "adversarial", f"{title}, {rule}", [run.variants[rule] for run in runs if rule in run.variants]


def _runs(result: Result) -> list[RunMetrics]:
    """Those of the statistics, as far as their results are still there."""
    return [result.metrics[run] for run in result.statistics_runs if run in result.metrics]


def _overlap(result: Result) -> float:
    counts = _runs(result)[0].counts
    return counts.test / counts.train


def _over_runs(
    result: Result,
    found: Sequence[T],
    value: Callable[[T, str], float | None],
    critical_value: CriticalValue,
) -> dict[str, Summary]:
    """Level -> the summary of a value that every run has, or has not, at that level."""
    overlap = _overlap(result)
    return {
        level: summarise([value(one, level) for one in found], overlap=overlap, critical_value=critical_value)
        for level in result.ladder.levels
    }


def _other(name: DecidingSet) -> Callable[[CrossFit, str], float | None]:
    return lambda crossfit, level: crossfit.accuracy[name][level]


def _own(name: DecidingSet) -> Callable[[CrossFit, str], float | None]:
    return lambda crossfit, level: crossfit.own[name][level]


def _field(name: str) -> Callable[[Mapping[str, Record], str], float | None]:
    """The value of a field of the record at a level."""

    def value(by_level: Mapping[str, Record], level: str) -> float | None:
        found: float | None = getattr(by_level[level], name)
        return found

    return value
