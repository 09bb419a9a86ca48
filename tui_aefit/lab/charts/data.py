"""What the charts and tables show of a snapshot's statistics, and the names and markers they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.families.ladder import Ladder
from core.records.deciding import UNSELECTED
from core.records.metrics import RunMetrics
from core.records.statistics import StatisticalTest, SummaryTable
from core.report import styles
from core.report.terms import SENTENCES, SLOPES, TEST_NAMES, brief_reason
from core.sets.registry import SETS, is_known
from tui_aefit.following.crossfit import crossfit_means

OTHER_MARKER = "•"
"""The marker of a set that has none of its own."""
MARKERS = "".join(marker.glyph for marker in styles.MARKERS)
"""The markers of curves, by their number."""
OWN_MARKERS = {"●": "○", "▲": "△", "◆": "◇", "○": "◌"}
"""Marker of a set -> marker of its curve by the classifier of the half that selected it."""
OWN = ", own"
"""What is added to the name of a set to name that curve."""
TEST_MARKERS = {test: MARKERS[number] for test, number in styles.TEST_NUMBERS.items()}
PAPER_PAIR = ("adversarial", "misclassified")
"""The comparison of the paper."""


@dataclass(frozen=True)
class AccuracyPoint:
    """Accuracy, or another quantity, at one level: the mean, and its 95 % interval or None."""

    level: str
    mean: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class AccuracyData:
    """The curves of an accuracy chart.

    knob, levels: of the horizontal axis, from general to fitted. curves: set, or other name -> its points; levels
    without a mean are left out. fit: the axis runs over what is drawn, not from 0 to 1. numbers: curve that is no
    set -> the number of its marker and colour; markers: curve -> its marker, where that is another. dashed: the
    curves that are drawn so. by: which classifier the accuracies are of, in words, "" to leave it out. corrected:
    whether intervals allow for overlapping splits. bars: whether intervals are drawn. cursor: the level whose
    values are told below the chart, None for none. below: what stands there instead of the usual words, the
    longest first. free: the values are no shares, so that the axis has no ends at 0 and 1.
    """

    knob: str
    levels: tuple[str, ...]
    curves: Mapping[str, tuple[AccuracyPoint, ...]]
    fit: bool = False
    numbers: Mapping[str, int] = field(default_factory=dict)
    markers: Mapping[str, str] = field(default_factory=dict)
    dashed: frozenset[str] = frozenset()
    by: str = ""
    corrected: bool = False
    bars: bool = True
    cursor: str | None = None
    below: tuple[str, ...] = ()
    free: bool = False


@dataclass(frozen=True)
class PValue:
    """One test of the step that ends at j: its p-value, or None and the reason code (a key of REASONS)."""

    j: str
    test: str
    p: float | None
    reason: str | None = None


@dataclass(frozen=True)
class PValueData:
    """The tests of one quantity for one pair of sets, for a p-value chart.

    levels: every j, general to fitted. holm: whether p is adjusted by Holm's method. cursor: as in AccuracyData.
    """

    levels: tuple[str, ...]
    points: tuple[PValue, ...]
    quantity: str = "ratio"
    pair: tuple[str, str] = PAPER_PAIR
    holm: bool = False
    cursor: str | None = None


def series_number(name: str) -> int:
    """The number of a set's colour in a palette."""
    return styles.set_number(name)


def set_marker(name: str) -> str:
    """The marker of a set, the same wherever it is shown."""
    number = series_number(name)
    return MARKERS[number] if is_known(name) and number < len(MARKERS) else OTHER_MARKER


def sets_in_charts(names: Iterable[str]) -> list[str]:
    """Those of `names` that charts draw by default: a terminal has too few cells for all sets."""
    return [name for name in names if is_known(name) and SETS[name].in_charts]


def accuracy_data(
    summary: SummaryTable | None,
    ladder: Ladder,
    *,
    fit: bool = False,
    corrected: bool = False,
) -> AccuracyData | None:
    """The curves of a snapshot's `summary`, None where there is nothing to draw.

    corrected: as in AccuracyData.
    """
    accuracy = summary.accuracy if summary is not None else {}
    curves = {name: points for name in accuracy if (points := curve_of(summary, name, ladder))}
    return AccuracyData(ladder.knob, ladder.levels, curves, fit, corrected=corrected) if curves else None


def crossfit_data(metrics: Iterable[RunMetrics], ladder: Ladder, *, fit: bool = False) -> AccuracyData | None:
    """The cross-fitted curves, and, dashed, those by the half that selected; None where no run has any."""
    means = crossfit_means(metrics, ladder)
    if means is None:
        return None
    curves = {name: _mean_points(by_level, ladder) for name, by_level in means.other.items()}
    own = {
        f"{name}{OWN}": (name, _mean_points(by_level, ladder))
        for name, by_level in means.own.items()
        if name != UNSELECTED
    }
    return AccuracyData(
        ladder.knob,
        ladder.levels,
        {name: points for name, points in curves.items() if points}
        | {curve: points for curve, (_, points) in own.items() if points},
        fit,
        numbers={curve: series_number(name) for curve, (name, _) in own.items()},
        markers={curve: OWN_MARKERS.get(set_marker(name), OTHER_MARKER) for curve, (name, _) in own.items()},
        dashed=frozenset(own),
        by="the other half",
    )


def _mean_points(by_level: Mapping[str, float | None], ladder: Ladder) -> tuple[AccuracyPoint, ...]:
    return tuple(
        AccuracyPoint(level, mean, None)
        for level in ladder.levels
        if (mean := by_level.get(level)) is not None
    )


def curve_of(summary: SummaryTable | None, name: str, ladder: Ladder) -> tuple[AccuracyPoint, ...]:
    """The points of one set, general to fitted; none where there are no means."""
    by_level = summary.accuracy.get(name, {}) if summary is not None else {}
    return tuple(
        AccuracyPoint(level, found.mean, found.ci95)
        for level in ladder.levels
        if (found := by_level.get(level)) is not None and found.mean is not None
    )


def tests_of(
    tests: Iterable[StatisticalTest], ladder: Ladder, pair: tuple[str, str]
) -> list[StatisticalTest]:
    """The tests of one pair of sets at the steps of a ladder."""
    steps = {step.fitted for step in ladder.steps}
    return [test for test in tests if test.sets == pair and test.j in steps]


def p_value_data(
    tests: Iterable[StatisticalTest],
    ladder: Ladder,
    *,
    pair: tuple[str, str],
    quantity: str = "ratio",
    holm: bool = False,
) -> PValueData | None:
    """The p-values of a snapshot's `tests` for one pair and quantity, None where it has none of them.

    holm: whether to take the p-values adjusted over j.
    """
    points = tuple(
        PValue(test.j, test.test, test.p_holm if holm else test.p, test.reason)
        for test in tests_of(tests, ladder, pair)
        if test.quantity == quantity
    )
    steps = {point.j for point in points}
    levels = tuple(level for level in ladder.levels if level in steps)
    return PValueData(levels, points, quantity, pair, holm) if points else None


def accuracy_captions(data: AccuracyData) -> list[str]:
    """The captions of an accuracy chart, each one line, the longest first."""
    if data.below:
        return list(data.below)
    by = f" by {data.by}" if data.by else ""
    plain = f"accuracy{by} against {data.knob}, general → fitted"
    if data.dashed:
        own = "own, dashed: by the half that selected"
        return [f"{plain}; {own}", f"accuracy{by}; {own}", f"{data.by}; own, dashed: the half that selected"]
    if not data.corrected:
        return [plain]
    return [
        f"{plain}; bars: 95 % intervals, for overlapping splits",
        f"{plain}; bars: 95 %, for overlapping splits",
        f"accuracy against {data.knob}; bars: 95 %, for overlapping splits",
        plain,
    ]


def accuracy_readings(data: AccuracyData) -> list[str]:
    """Lines with the curves' values at the cursor, the longest first: "K = 5: adversarial .330 ± .018, noise .149".

    The sets of the paper's comparison come first in each line; shorter lines leave sets out from the end.
    """
    if data.below:
        return list(data.below)
    found = {
        name: point for name, points in data.curves.items() for point in points if point.level == data.cursor
    }
    order = [name for name in PAPER_PAIR if name in found] + [
        name for name in found if name not in PAPER_PAIR
    ]
    parts = []
    for name in order:
        interval = found[name].interval
        half = f" ± {share((interval[1] - interval[0]) / 2)}" if interval is not None else ""
        parts.append(f"{name} {share(found[name].mean)}{half}")
    return _shorter(f"{data.knob} = {data.cursor}: ", parts)


def p_value_readings(data: PValueData) -> list[str]:
    """Lines with the p-values at the cursor, the longest first: "j = 5: Welch 0.013, paired t 0.002"."""
    points = [point for point in data.points if point.j == data.cursor]
    parts = [
        f"{TEST_NAMES[point.test]} {brief_reason(point.reason) if point.p is None else f'{point.p:.2g}'}"
        for point in points
    ]
    return _shorter(f"j = {data.cursor}: ", parts)


def _shorter(lead: str, parts: Sequence[str]) -> list[str]:
    """Lines of `lead` and the parts: first all parts, then always one fewer."""
    lines = [lead + ", ".join(parts[:many]) for many in range(len(parts), 0, -1)]
    return [*lines, *([] if lines else [f"{lead}nothing there"])]


def share(value: float) -> str:
    """A share with three digits and no leading zero: .573; 1.00."""
    return f"{value:.3f}"[1:] if value < 0.9995 else f"{value:.2f}"


def p_value_captions(data: PValueData) -> list[str]:
    """The captions of a p-value chart (which p-values, of what, for which sets), a line each, the longest first."""
    which = "Holm-adjusted p" if data.holm else "unadjusted p"
    of = SLOPES[data.quantity]
    sets = " against ".join(data.pair)
    return [
        f"{which} of {of}: {sets}, general → fitted",
        f"{which} of {of}: {sets}",
        f"{which} of {of.partition(' = ')[0]}: {sets}",
        f"{'Holm p' if data.holm else 'p'} of {of.partition(' = ')[0]}: {sets}",
        f"{which}: {sets}",
    ]


def p_value_notes(data: PValueData, beyond: Sequence[PValue], smallest: float) -> tuple[list[str], list[str]]:
    """The notes below a p-value chart on missing p-values and on points below its axis: in full, and in brief.

    beyond: the points below `smallest`, where the axis ends.
    """
    tests = {point.test for point in data.points}
    missing: dict[tuple[str, str | None], list[str]] = {}
    for level in data.levels:
        for point in data.points:
            if point.j == level and point.p is None:
                missing.setdefault((level, point.reason), []).append(TEST_NAMES[point.test])
    alike: dict[tuple[str | None, tuple[str, ...]], list[str]] = {}
    for (j, reason), names in missing.items():
        alike.setdefault((reason, tuple(names)), []).append(j)
    full, brief = [], []
    for (reason, which), levels in alike.items():
        where = ", ".join([f"j = {levels[0]}", *levels[1:], *(which if len(which) < len(tests) else ())])
        full.append(f"{where}: no p-value. {SENTENCES.get(reason or '', brief_reason(reason))}")
        brief.append(f"{where}: {brief_reason(reason)}")
    if beyond:
        clamped = ", ".join(f"{TEST_NAMES[point.test]} at j = {point.j}" for point in beyond)
        full.append(f"↓ below {smallest:g}: {clamped}")
        brief.append(f"↓ {clamped}")
    return full, brief
