"""Tables for a terminal or a plain file."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Sequence

from core.records.metrics import AttackFigures
from core.records.statistics import StatisticalTest, Summary, SummaryTable
from core.report.attack_figures import COLUMNS, READING, by_attack
from core.report.formatting import ABSENT, number
from core.report.result import Result
from core.statistics.slopes import REASONS

WIDTH = 100
"""Characters of a line of running text, at most; and of a table's, where nobody says how much room there is."""
COUNTED = ("correct", "misclassified", "candidates", "adversarial", "adversarial_sources")
"""The counts of a run that have a column."""
QUANTITIES = {"ratio": "S", "difference": "rise of A", "log_ratio": "log S"}
PAPER_PAIR = ("adversarial", "misclassified")
"""The sets that the paper compares."""


def tables(result: Result, width: int = WIDTH) -> str:
    """The result in words and columns: runs, the attack, accuracy at every level, tests, verdict.

    width: characters of a line. A table that is wider is laid out in blocks of its columns, one below the other.
    Ends without newline.
    """
    spec = result.spec
    parts = [
        f"{result.id}  {result.status}  {result.complete} of {spec.runs} runs",
        f"{spec.dataset}, {spec.attack}, epsilon {spec.epsilon:g}, {result.ladder.span}, seed {spec.seed}, "
        f"{spec.epochs} epochs",
    ]
    parts += [
        f"run {run.index + 1} failed: {run.failure.error}" for run in result.runs if run.failure is not None
    ]
    if result.summary is not None:
        parts += ["", _counts(result, width), "", _attacks(result, width)]
        parts += ["", _accuracy(result, result.summary, width)]
        if result.tests:
            parts += ["", _tests(result, width)]
        if result.verdict:
            parts += ["", *(_wrapped(sentence, width) for sentence in result.verdict)]
    return "\n".join(parts)


def _counts(result: Result, width: int) -> str:
    titles = [name.removeprefix("adversarial_") for name in COUNTED]
    rows = [
        [
            str(run + 1),
            f"{metrics.surrogate_accuracy:.4f}",
            *(f"{getattr(metrics.counts, name):,}" for name in COUNTED),
            f"{metrics.run_seconds:.0f}",
        ]
        for run, metrics in result.metrics.items()
    ]
    return align([["run", "surrogate", *titles, "seconds"], *rows], width)


def _attacks(result: Result, width: int) -> str:
    """How every attack did: means over the complete runs, and the largest change of a pixel in any of them."""
    rows = [["attack", *(title for title, _ in COLUMNS.values())]]
    for name, by_run in by_attack(result).items():
        rows.append([name, *(_over_runs(list(by_run.values()), field, form)
                             for field, (_, form) in COLUMNS.items())])  # fmt: skip
    return f"{align(rows, width)}\n{_wrapped(READING, width)}"


def _over_runs(figures: Sequence[AttackFigures], field: str, form: str) -> str:
    values = [value for one in figures if (value := getattr(one, field)) is not None]
    if not values:
        return ABSENT
    return format(max(values) if field == "linf_max" else sum(values) / len(values), form)


def _accuracy(result: Result, summary: SummaryTable, width: int) -> str:
    """Mean accuracy with half the width of its 95 % interval; the mean alone where there is no interval.

    The images of a set are the mean over the runs.
    """
    levels = result.ladder.levels
    rows = [["accuracy", "images", *map(result.ladder.at, levels)]]
    rows += [
        [name, _images(result, name), *(_mean(by_level[level]) for level in levels)]
        for name, by_level in summary.accuracy.items()
    ]
    runs = len(result.statistics_runs)
    counts = [min(by_level[level].n for level in levels) for by_level in summary.accuracy.values()]
    if any(count != runs for count in counts):
        # A set may have been empty in some runs.
        rows = [[*row, count] for row, count in zip(rows, ["runs", *map(str, counts)], strict=True)]
    note = f"mean of {runs} runs ± half the 95 % interval; images a run" if runs > 1 else "one run"
    return f"{align(rows, width)}\n{_wrapped(note, width)}"


def _images(result: Result, name: str) -> str:
    """The mean over the runs of the statistics, as far as their results are still there."""
    runs = [result.metrics[run].counts.sets for run in result.statistics_runs if run in result.metrics]
    sizes = [sizes[name] for sizes in runs if name in sizes]
    return f"{sum(sizes) / len(sizes):,.1f}".removesuffix(".0") if sizes else ABSENT


def _mean(summary: Summary) -> str:
    if summary.mean is None:
        return ABSENT
    text = f"{summary.mean:.4f}"
    return f"{text} ± {(summary.ci95[1] - summary.ci95[0]) / 2:.4f}" if summary.ci95 else text


def _tests(result: Result, width: int) -> str:
    """The tests of the paper's comparison, a row for each quantity and step; all others are in the JSON result."""
    compared = [test for test in result.tests if test.sets == PAPER_PAIR]
    kinds = list(dict.fromkeys(test.test for test in compared))
    rows = [["D against M", "n", "difference", *(kind.replace("_", "-") for kind in kinds), "undefined"]]
    for quantity, j in dict.fromkeys((test.quantity, test.j) for test in compared):
        tests = {test.test: test for test in compared if (test.quantity, test.j) == (quantity, j)}
        paired = tests["paired"]
        difference = f"{number(paired.mean_difference, '+.4f')} {paired.direction or ''}".rstrip()
        name = f"{QUANTITIES[quantity]} at {result.ladder.at(j)}"
        why = ", ".join(dict.fromkeys(test.reason for test in tests.values() if test.reason is not None))
        rows.append([name, str(paired.n), difference, *(_p_value(tests[kind]) for kind in kinds), why])
    reasons = sorted({test.reason for test in compared if test.reason is not None})
    notes = [
        "D adversarial, M misclassified; S is A there divided by A at the level before; difference is the mean of "
        "D - M over the runs; p-values of each test as they are / Holm-adjusted over the levels",
        *(f"{reason}: {REASONS[reason]}" for reason in reasons),
    ]
    return "\n".join([align(rows, width), *(_wrapped(note, width) for note in notes)])


def _p_value(test: StatisticalTest) -> str:
    return ABSENT if test.p is None else f"{test.p:.2g} / {number(test.p_holm, '.2g')}"


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, min(width, WIDTH))


def align(rows: Iterable[Sequence[str]], width: int | None = None, *, left: Collection[int] = (0,)) -> str:
    """Rows of equal length as columns two spaces apart: those in `left` to the left, the others to the right.

    width: characters of a line, None for any number. Columns that find no room stand in further blocks below,
    an empty line between them, each block with the first column; one that is too wide alone is not cut.
    """
    table = [list(row) for row in rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    blocks: list[list[int]] = [[]]
    used = widths[0]
    for column, needed in enumerate((2 + other for other in widths[1:]), 1):
        if width is not None and blocks[-1] and used + needed > width:
            blocks.append([])
            used = widths[0]
        blocks[-1].append(column)
        used += needed
    return "\n\n".join(_block(table, [0, *columns], widths, left) for columns in blocks)


def _block(
    table: Sequence[Sequence[str]], columns: Sequence[int], widths: Sequence[int], left: Collection[int]
) -> str:
    lines = (
        "  ".join(
            row[column].ljust(widths[column]) if column in left else row[column].rjust(widths[column])
            for column in columns
        ).rstrip()
        for row in table
    )
    return "\n".join(lines)
