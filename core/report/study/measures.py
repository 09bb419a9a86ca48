"""What can be looked at in every experiment of a study: one number each, with its interval and decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.declarations.setting import Value
from core.errors import StudyError, closest
from core.records.findings import RISE
from core.records.statistics import Claim, Decision, Interval
from core.report.differences import key_title
from core.report.quantities_by_run import ACCURACY, FOOLED, HIT, IMAGES, Key
from core.report.study.result import CellResult, StudyResult
from core.report.terms import CLAIMS
from core.statistics.summary import summarise

P_VALUE = "p"
"""Of the corrected test of S_j, D against M; its level is j."""
LEVELLED = (ACCURACY, P_VALUE)
PLAIN_MEASURES = (ACCURACY, P_VALUE, IMAGES, FOOLED, HIT)
"""The names of what is no claim."""
WITH_SETS = (ACCURACY, IMAGES)
ADVERSARIAL = RISE[1][0]


@dataclass(frozen=True)
class Reading:
    """One number of an experiment. n: runs. decision: of a claim, None for what is none. ci95: None without one."""

    value: float
    ci95: Interval | None
    n: int
    decision: Decision | None = None


def reading(cell: CellResult, key: Key) -> Reading | None:
    """What an experiment says of a quantity; None where it has not measured it."""
    if key.name == P_VALUE:
        return _p_value(cell, key.level)
    if key.name == ACCURACY:
        return _accuracy(cell, key)
    if key.name in PLAIN_MEASURES:
        return _mean(cell, key)
    claim = cell.by_quantity.get((key.name, key.sets))
    return None if claim is None else Reading(claim.estimate, claim.ci95, claim.n, claim.decision)


def measure_title(key: Key) -> str:
    """What is looked at, in few words."""
    if key.name == P_VALUE:
        return f"p of S_{key.level}, D - M" if key.level else "p of S at the fitted end, D - M"
    return key_title(key)


def keys_of(result: StudyResult) -> list[Key]:
    """Everything that some experiment has measured: what a verdict answers with first, then what is no claim."""
    claims: dict[Key, Claim] = {}
    for cell in result.cells:
        for claim in cell.claims:
            claims.setdefault(Key(claim.name, claim.sets), claim)
    first: dict[str, Key] = {}
    later = [key for key in claims if first.setdefault(key.name, key) is not key]
    levels = list(
        dict.fromkeys(level for cell in result.cells if cell.ladder for level in cell.ladder.levels)
    )
    sets = list(
        dict.fromkeys(name for cell in result.cells if cell.summary for name in cell.summary.accuracy)
    )
    measured = any(cell.measured is not None for cell in result.cells)
    return [
        *first.values(),
        *(Key(ACCURACY, (name,)) for name in sets),
        *(Key(IMAGES, (name,)) for name in sets),
        *([Key(FOOLED), Key(HIT)] if measured else []),
        *([Key(P_VALUE)] if any(cell.tests for cell in result.cells) else []),
        *later,
        *(Key(ACCURACY, (name,), level) for name in sets for level in levels),
    ]


def chosen_keys(text: str, sets: Sequence[str] | None, result: StudyResult) -> list[Key]:
    """What a person means by a quantity and some sets, one key or, of accuracy and images, one for each set.

    text: a claim's name, "accuracy", "accuracy@LEVEL", "images", "fooled", "target_hit", "p", "p@LEVEL". sets: of a
    claim its one or two sets; by default those that a verdict speaks of first, of all else the adversarial set.
    Raises StudyError for what no experiment of the study has measured.
    """
    name, _, level = text.partition("@")
    known = keys_of(result)
    names = list(dict.fromkeys(key.name for key in known))
    if name not in names:
        if name in (*CLAIMS, *PLAIN_MEASURES):
            raise StudyError(
                f"no experiment of {result.name} has measured {name} yet", "let one complete a run"
            )
        near = closest(name, names)
        raise StudyError(
            f"{name!r} is no quantity: expected one of {', '.join(names)}",
            f"did you mean {near}?" if near else "for example --quantity crossfit_rise",
        )
    if level and name not in LEVELLED:
        raise StudyError(f"{name} is not of a level", f"--quantity {name}")
    if level and level not in (levels := _levels(result)):
        raise StudyError(
            f"no experiment of {result.name} has a level {level!r}: expected one of {', '.join(levels)}"
        )
    if name not in (*WITH_SETS, *CLAIMS) or (name in CLAIMS and sets is None):
        if sets is not None:
            raise StudyError(f"{name} is of no set", "leave --sets out")
        return [next(key for key in known if key.name == name)._replace(level=level)]
    wanted = (
        [Key(name, tuple(sets or ()))]
        if name in CLAIMS
        else [Key(name, (one,)) for one in sets or [ADVERSARIAL]]
    )
    for key in wanted:
        if key not in known:
            there = dict.fromkeys(",".join(other.sets) for other in known if other.name == name)
            raise StudyError(
                f"no experiment of {result.name} has measured {name} of {','.join(key.sets)!r}: expected one of "
                f"{'; '.join(there)}",
                f"for example --sets {next(iter(there))}",
            )
    return [key._replace(level=level) for key in wanted]


def _levels(result: StudyResult) -> list[str]:
    return list(dict.fromkeys(level for cell in result.cells if cell.ladder for level in cell.ladder.levels))


def _accuracy(cell: CellResult, key: Key) -> Reading | None:
    if cell.summary is None or cell.ladder is None:
        return None
    found = cell.summary.accuracy.get(key.sets[0], {}).get(key.level or cell.ladder.fitted)
    return None if found is None or found.mean is None else Reading(found.mean, found.ci95, found.n)


def _mean(cell: CellResult, key: Key) -> Reading | None:
    """The mean over the complete runs, with the corrected interval; one run, or runs all alike, have none."""
    if cell.measured is None:
        return None
    found = summarise(list(cell.measured.by_run(key).values()), overlap=cell.measured.overlap)
    return None if found.mean is None else Reading(found.mean, found.ci95 if found.sd else None, found.n)


def _p_value(cell: CellResult, level: str) -> Reading | None:
    if cell.ladder is None:
        return None
    j = level or cell.ladder.fitted
    for test in cell.tests:
        if (test.quantity, test.test, test.j) == ("ratio", "nadeau_bengio", j) and test.p is not None:
            return Reading(test.p, None, test.n)
    return None


def numeric(values: Sequence[Value]) -> bool:
    """Whether all values of an axis are numbers."""
    return all(isinstance(value, int | float) for value in values)


def chosen_axis(axis: str | None, result: StudyResult) -> str:
    """The axis that a person names; by default that of numbers with the most values, else the first one.

    Raises StudyError for one that the study has not, or where it has none.
    """
    if not result.axes:
        raise StudyError(
            f"{result.name} has no axis: its experiments differ in nothing",
            "add experiments to it, for example --epsilon 0.1,0.2",
        )
    if axis is None:
        by_length = sorted(result.axes, key=lambda name: -len(result.axes[name]))
        return next((name for name in by_length if numeric(result.axes[name])), next(iter(result.axes)))
    name = axis.removeprefix("--").replace("-", "_")
    if name not in result.axes:
        raise StudyError(
            f"{axis} is no axis of {result.name}: expected one of {', '.join(result.axes)}",
            f"for example --axis {next(iter(result.axes))}",
        )
    return name
