"""Figures for a paper, by matplotlib: accuracy by level (its Figures 5, 6), cross-fitted too, and p-values (7, 8).

Everything is drawn on a `Figure` of its own, without pyplot. Series differ by marker, by dashes and by colour, so
that they can be told apart in grey. Equal results give equal bytes.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from core.declarations.printable import shell_word
from core.errors import ExperimentError
from core.families.ladder import Ladder
from core.records.deciding import UNSELECTED
from core.records.statistics import StatisticalTest, Summary, SummaryTable
from core.report.caveat import caveat
from core.report.deciding import OTHER, OWN, crossfit_table
from core.report.formats import FigureFormat
from core.report.result import Result
from core.report.selection import check_sets, some_pairs_among
from core.report.styles import COLOURS, MARKERS, TEST_NUMBERS, set_number
from core.report.terms import TEST_NAMES, brief_reason

INK, PAPER = "#1b1b1b", "#fefefe"
"""Nothing else is drawn in these two: who embeds an SVG can exchange them."""
DASHES: tuple[tuple[float, ...], ...] = (
    (), (5, 2), (1, 1.2), (6, 1.5, 1, 1.5), (2.5, 1), (8, 2.5), (4, 1, 1, 1, 1, 1), (1, 2.5),
    (9, 1.5, 2.5, 1.5), (3, 3), (6, 1, 1, 1, 1, 1, 1, 1), (1.5, 1.5, 4, 1.5), (10, 2, 1, 1), (4, 3), (7, 1, 3, 1),
)  # fmt: skip
"""On and off in line widths; () is a solid line."""
THRESHOLDS = (0.05, 0.01)
"""The significance levels that are drawn as dashed lines."""
SMALLEST_P = 1e-16
"""Where the log axis ends: t distributions in double precision say little below it."""
SPREAD = 0.26
"""Of the distance between two levels, the width over which the series stand beside each other."""
DPI = 200
LETTER = 0.062
"""Inches: as wide as a letter of the caveat is at most, on average."""
_CROSSFIT_LOOKS: dict[str, dict[str, Any]] = {
    OTHER: {"linestyle": "-"},
    OWN: {"linestyle": (0, (5, 2)), "markerfacecolor": PAPER},
}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_STYLE: dict[str, Any] = {
    "font.size": 9, "font.family": "DejaVu Sans", "text.color": INK, "axes.edgecolor": INK,
    "axes.labelcolor": INK, "axes.titlesize": 9, "xtick.color": INK, "ytick.color": INK,
    "axes.facecolor": "none", "figure.facecolor": PAPER, "savefig.facecolor": PAPER, "axes.linewidth": 0.8,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "legend.handlelength": 3.6,
    "text.parse_math": False,  # a class or a data set may be called "$5$"
    "pdf.fonttype": 42, "svg.hashsalt": "aefit-tui",
}  # fmt: skip


def accuracy_figure(result: Result, sets: Collection[str] | None = None) -> Figure:
    """Mean accuracy at every level, general to fitted, with 95 % intervals: a line a set.

    Over it stands the caveat of a result that is not final. sets: those to draw, all that were measured by
    default. Raises ExperimentError where no run is complete, or a set was not measured.
    """
    accuracy, ladder = _summary_of(result, sets).accuracy, result.ladder
    names = list(accuracy)
    drawn = [name for name in names if sets is None or name in sets]
    with style():
        figure = Figure(figsize=(6.6, 4.0), layout="constrained")
        axes = figure.add_subplot()
        for place, name in enumerate(drawn):
            look = look_of(set_number(name, names))
            summaries = [accuracy[name][level] for level in ladder.levels]
            _draw_curve(axes, name, summaries, look, _offset(place, len(drawn)))
        _label_levels(axes, ladder.levels, f"{ladder.knob} (general → fitted)")
        axes.set_ylim(-0.03, 1.03)
        axes.set_ylabel("accuracy")
        figure.legend(loc="outside right center")
        _warn(figure, result)
    return figure


def crossfit_figure(result: Result, sets: Collection[str] | None = None) -> Figure:
    """Accuracy on what one half of the training images selects at the most general level, with 95 % intervals.

    Two lines a set: dashed by the classifier of that half, solid by that of the other; their distance at the ends
    of the ladder is what selection does. Over it stands the caveat of a result that is not final. sets: those to
    draw of the misclassified, adversarial and noise set, all that were measured by default. Raises ExperimentError
    where no run is complete, or where there is none of these to draw.
    """
    _summary_of(result, sets)
    ladder = result.ladder
    groups = [
        group
        for group in crossfit_table(result).groups
        if group.of != UNSELECTED and (sets is None or group.of in sets)
    ]
    if not groups:
        raise ExperimentError(
            f"{result.id} has no cross-fitted accuracy{' of these sets' if sets else ''} to draw",
            "results of older versions have none; of the sets, misclassified, adversarial and noise have it",
        )
    with style():
        figure = Figure(figsize=(6.6, 4.0), layout="constrained")
        axes = figure.add_subplot()
        curves = [(group.of, line) for group in groups for line in group.lines]
        for place, (name, line) in enumerate(curves):
            look = look_of(set_number(name, [name])) | _CROSSFIT_LOOKS[line.what]
            summaries = [line.by_level[level] for level in ladder.levels]
            _draw_curve(axes, f"{name}, {line.what}", summaries, look, _offset(place, len(curves)))
        _label_levels(axes, ladder.levels, f"{ladder.knob} (general → fitted)")
        axes.set_ylim(-0.03, 1.03)
        axes.set_ylabel(f"accuracy, selected at {ladder.at(ladder.general)}\nby the own half")
        figure.legend(loc="outside right center")
        _warn(figure, result)
    return figure


def p_value_figure(result: Result, sets: Collection[str] | None = None) -> Figure:
    """p-values of the slopes S_j on a log axis with dashed lines at 0.05 and 0.01: a panel a compared pair.

    Below SMALLEST_P a point stands at the end of the axis, and the panel says so. Where there is no p-value, the
    panel says why. Over all stands the caveat of a result that is not final. sets: draw only the pairs of which
    both are among them. Raises ExperimentError where no run is complete, a set was not measured, or no such pair
    was compared.
    """
    _summary_of(result, sets)
    tests = [test for test in result.tests if test.quantity == "ratio"]
    kinds = list(dict.fromkeys(test.test for test in tests))
    pairs = some_pairs_among(result, sets)
    columns = min(len(pairs), 3)
    rows = -(-len(pairs) // columns)
    with style():
        size = (max(4.4, 3.1 * columns), 2.8 * rows + 0.4)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        panels: list[Axes] = list(grid.flat)
        for axes in panels[len(pairs) :]:
            axes.remove()
        for axes, pair in zip(panels, pairs, strict=False):
            _panel(axes, result.ladder, [test for test in tests if test.sets == pair], kinds)
            axes.set_title(f"{pair[0]} against\n{pair[1]}" if columns > 1 else f"{pair[0]} against {pair[1]}")
        drawn = [max(test.p, SMALLEST_P) for test in tests if test.p is not None and test.sets in pairs]
        decades = max(3.0, -math.log10(min(drawn, default=1.0)))
        panels[0].set_ylim(10 ** (-1.07 * decades), 10 ** (0.07 * decades))
        step = math.ceil(decades / 6)
        for axes in panels[: len(pairs)]:
            axes.yaxis.set_major_locator(
                FixedLocator([10.0**-exponent for exponent in range(0, math.ceil(decades) + 1, step)])
            )
        for axes in panels[::columns][:rows]:
            axes.set_ylabel("p of Sⱼ = Aⱼ / Aᵢ,\ni before j, not adjusted")
        handles = [Line2D([], [], label=TEST_NAMES[kind], **look_of(TEST_NUMBERS[kind])) for kind in kinds]
        figure.legend(handles=handles, loc="outside lower center", ncols=4 if columns > 1 else 2)
        _warn(figure, result)
    return figure


def render(figure: Figure, form: FigureFormat, *, text: bool = False) -> bytes:
    """A figure as a file: equal figures give equal bytes, with no date in them.

    text: letters of an SVG stay letters, in the fonts that the reader has; else they are drawn, and look the same
    everywhere.
    """
    metadata: dict[FigureFormat, dict[str, Any]] = {
        "pdf": {"CreationDate": None, "ModDate": None},
        "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
        "png": {"Software": None},
    }
    file = io.BytesIO()
    with style():
        mpl.rcParams["svg.fonttype"] = "none" if text else "path"
        FigureCanvasAgg(figure)
        figure.savefig(file, format=form, dpi=DPI, metadata=metadata[form])
    return file.getvalue()


@contextmanager
def style() -> Iterator[None]:
    """Our look, whatever a matplotlibrc says, while the block lasts."""
    with mpl.rc_context():
        mpl.rcdefaults()
        for name, value in _STYLE.items():
            mpl.rcParams[name] = value  # type: ignore[index]
        yield


def look_of(number: int) -> dict[str, Any]:
    """Marker, dashes and colour of a series, by its number from 0; no two below 105 share all three."""
    dashes = DASHES[number % len(DASHES)]
    marker = MARKERS[number % len(MARKERS)]
    return {
        "color": COLOURS[number % len(COLOURS)],
        "marker": marker.shape,
        "linestyle": (0, dashes) if dashes else "-",
        "linewidth": 1.3,
        "markersize": 5.5,
        "markerfacecolor": COLOURS[number % len(COLOURS)] if marker.filled else PAPER,
    }


def _draw_curve(
    axes: Axes, name: str, summaries: Sequence[Summary], look: Mapping[str, Any], offset: float
) -> None:
    """The means at every level that has one, and their intervals, so far beside the middle of the level."""
    points = [
        (position + offset, summary) for position, summary in enumerate(summaries) if summary.mean is not None
    ]
    for x, summary in points:
        if summary.ci95 is not None:
            bar = Line2D([x, x], summary.ci95, color=look["color"], linewidth=0.9, marker="_",
                         markersize=4, label=f"_interval {name}")  # fmt: skip
            axes.add_line(bar)
    means = [summary.mean for _, summary in points if summary.mean is not None]
    axes.plot([x for x, _ in points], means, label=name if points else f"{name} (empty)", **look)


def _summary_of(result: Result, sets: Collection[str] | None) -> SummaryTable:
    """What there is to draw, of all sets; raises ExperimentError where that is nothing, or lacks one of these."""
    if result.summary is None:
        raise ExperimentError(
            f"{result.id} has no complete run: there is nothing to draw yet",
            f"aefit-tui resume {shell_word(result.id)} computes what is missing",
        )
    check_sets(result.spec, result.id, sets or ())
    return result.summary


def _warn(figure: Figure, result: Result) -> None:
    if warning := caveat(result):
        # In letters of this size; matplotlib's own wrapping does not reckon with the layout.
        lines = textwrap.fill(warning, int(figure.get_figwidth() / LETTER))
        figure.suptitle(lines, fontsize=7.5, fontstyle="italic")


def _panel(axes: Axes, ladder: Ladder, tests: Sequence[StatisticalTest], kinds: Sequence[str]) -> None:
    """The p-values of one pair of sets."""
    tested = {test.j for test in tests}
    levels = [level for level in ladder.levels if level in tested]
    axes.set_yscale("log")
    for threshold in THRESHOLDS:
        axes.axhline(threshold, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), label=f"_{threshold:g}")
        # Beside the axes, where no point can be; above and below, where the two lines are close.
        axes.annotate(f"{threshold:g}", (1.01, threshold), xycoords=("axes fraction", "data"), fontsize=7,
                      va="bottom" if threshold == max(THRESHOLDS) else "top")  # fmt: skip
    for place, kind in enumerate(kinds):
        p_at = {test.j: test.p for test in tests if test.test == kind}
        points = [
            (position + _offset(place, len(kinds)), max(p, SMALLEST_P))
            for position, level in enumerate(levels)
            if (p := p_at.get(level)) is not None
        ]
        axes.plot([x for x, _ in points], [y for _, y in points], label=kind, **look_of(TEST_NUMBERS[kind]))
    _label_levels(axes, levels, "\n".join(["j (general → fitted)", *_notes(tests)]))
    axes.yaxis.set_major_formatter(FuncFormatter(_decade))
    axes.yaxis.set_minor_locator(NullLocator())


def _notes(tests: Sequence[StatisticalTest]) -> list[str]:
    """What the points of a panel do not say."""
    missing: dict[tuple[str, str | None], list[str]] = {}
    for test in tests:
        if test.p is None:
            missing.setdefault((test.j, test.reason), []).append(TEST_NAMES[test.test])
    kinds = len({test.test for test in tests})
    notes = [
        f"j = {j}{'' if len(names) == kinds else ', ' + ', '.join(names)}: {brief_reason(reason)}"
        for (j, reason), names in missing.items()
    ]
    if any(test.p is not None and test.p < SMALLEST_P for test in tests):
        notes.append(f"at the lower end: p below {SMALLEST_P:g}")
    return notes


def _label_levels(axes: Axes, levels: Sequence[str], label: str) -> None:
    """An axis with a place for each level, the most general one to the left."""
    axes.set_xlim(-0.4, len(levels) - 0.6)
    axes.xaxis.set_major_locator(FixedLocator(list(range(len(levels)))))
    axes.set_xticklabels(levels)
    axes.set_xlabel(label)


def _decade(p: float, _: int) -> str:
    """The label of a tick of the log axis; its power is written with raised digits."""
    exponent = round(math.log10(p))
    return f"{p:g}" if exponent > -4 else "10" + str(exponent).translate(_RAISED)


def _offset(place: int, series: int) -> float:
    """Where a series stands beside the middle of a level, so that no interval hides another."""
    return SPREAD * (place / (series - 1) - 0.5) if series > 1 else 0.0
