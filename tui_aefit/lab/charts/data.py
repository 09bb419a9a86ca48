"""What the charts and tables show of a snapshot's statistics, and the names and markers they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.report.terms import SENTENCES, SLOPES, TEST_NAMES, brief_reason
from core.sets.catalogue import SETS

OTHER_MARKER = "•"
"""The marker of what has none of its own."""
MARKERS = "●▲◆○△◇■□▼▽★☆"
"""The markers of curves, by their number."""
SET_MARKERS: dict[str, str] = dict(zip(SETS, MARKERS, strict=False))
"""The marker of every set, the same wherever it is shown."""
TEST_MARKERS = {"welch": "●", "paired": "▲", "nadeau_bengio": "◆", "wilcoxon": "■"}
PAPER_PAIR = ("adversarial", "misclassified")
"""The comparison of the paper."""


@dataclass(frozen=True)
class AccuracyPoint:
    """Accuracy at one level: the mean, 0 to 1, and its 95 % interval, None where there is none."""

    level: int
    mean: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class AccuracyData:
    """levels: general to fitted. curves: set -> its points, levels without a mean left out.

    fit: the axis runs over what is drawn, not from 0 to 1. numbers: of the curves that are no sets, which
    marker and colour each has.
    """

    levels: tuple[int, ...]
    curves: Mapping[str, tuple[AccuracyPoint, ...]]
    fit: bool = False
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PValue:
    """One test of the slope at j: its p-value, or None and the reason code (a key of REASONS)."""

    j: int
    test: str
    p: float | None
    reason: str | None = None


@dataclass(frozen=True)
class PValueData:
    """The tests of one quantity for one pair of sets. levels: every j, general to fitted. holm: p is adjusted."""

    levels: tuple[int, ...]
    points: tuple[PValue, ...]
    quantity: str = "ratio"
    pair: tuple[str, str] = PAPER_PAIR
    holm: bool = False


def series_number(name: str) -> int:
    """The number of a set's colour in a palette."""
    return list(SETS).index(name) if name in SETS else len(SETS)


def accuracy_data(
    summary: Mapping[str, Any] | None, *, sets: Iterable[str] | None = None, fit: bool = False
) -> AccuracyData | None:
    """The curves of a snapshot's `summary`, None where there is nothing to draw.

    sets: the sets to draw, all by default; those that the summary lacks are passed over.
    """
    accuracy: Mapping[str, Any] = summary["accuracy"] if summary else {}
    chosen = accuracy if sets is None else [name for name in sets if name in accuracy]
    levels = sorted({int(k) for name in chosen for k in accuracy[name]}, reverse=True)
    curves = {
        name: tuple(
            AccuracyPoint(k, at["mean"], tuple(at["ci95"]) if at["ci95"] else None)
            for k in levels
            if (at := accuracy[name].get(str(k))) and at["mean"] is not None
        )
        for name in chosen
    }
    curves = {name: points for name, points in curves.items() if points}
    return AccuracyData(tuple(levels), curves, fit) if curves else None


def p_value_data(
    tests: Iterable[Mapping[str, Any]], *, pair: tuple[str, str], quantity: str = "ratio", holm: bool = False
) -> PValueData | None:
    """The p-values of a snapshot's `tests` for one pair and quantity, None where it has none of them.

    holm: as adjusted over j, instead of as they are.
    """
    points = tuple(
        PValue(int(test["j"]), test["test"], test["p_holm" if holm else "p"], test["reason"])
        for test in tests
        if tuple(test["sets"]) == pair and test["quantity"] == quantity
    )
    levels = tuple(sorted({point.j for point in points}, reverse=True))
    return PValueData(levels, points, quantity, pair, holm) if points else None


def p_value_captions(data: PValueData) -> list[str]:
    """What a p-value chart shows, in one line: which p-values, of what, for which sets; the longest first."""
    which = "Holm-adjusted p" if data.holm else "unadjusted p"
    of = SLOPES.get(data.quantity, data.quantity)
    sets = " against ".join(data.pair)
    return [
        f"{which} of {of}: {sets}, general → fitted",
        f"{which} of {of}: {sets}",
        f"{which} of {of.partition(' = ')[0]}: {sets}",
        f"{which}: {sets}",
    ]


def p_value_notes(data: PValueData, beyond: Sequence[PValue], smallest: float) -> tuple[list[str], list[str]]:
    """What the points of a p-value chart do not say, a sentence each at length, and the same in brief.

    beyond: the points below `smallest`, where the axis ends.
    """
    tests = {point.test for point in data.points}
    missing: dict[tuple[int, str | None], list[str]] = {}
    for point in data.points:
        if point.p is None:
            missing.setdefault((point.j, point.reason), []).append(TEST_NAMES.get(point.test, point.test))
    alike: dict[tuple[str | None, tuple[str, ...]], list[str]] = {}
    for (j, reason), names in sorted(missing.items(), key=lambda item: -item[0][0]):
        alike.setdefault((reason, tuple(names)), []).append(str(j))
    full, brief = [], []
    for (reason, which), levels in alike.items():
        where = ", ".join([f"j = {levels[0]}", *levels[1:], *(which if len(which) < len(tests) else ())])
        full.append(f"{where}: no p-value. {SENTENCES.get(reason or '', brief_reason(reason))}")
        brief.append(f"{where}: {brief_reason(reason)}")
    if beyond:
        clamped = ", ".join(f"{TEST_NAMES.get(point.test, point.test)} at j = {point.j}" for point in beyond)
        full.append(f"↓ below {smallest:g}: {clamped}")
        brief.append(f"↓ {clamped}")
    return full, brief
