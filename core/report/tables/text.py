"""Tables for a terminal or a plain file."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Sequence

from core.records.metrics import AttackFigures
from core.records.statistics import Claim, StatisticalTest, Summary, SummaryTable
from core.report.attack_figures import COLUMNS, READING, by_attack, mean_of
from core.report.deciding import FLIPS_READING, LevelTable, flips_rows, level_tables
from core.report.formatting import ABSENT, number
from core.report.result import Result
from core.report.terms import DECIDING, OVERLAP, claim_reason, term_of
from core.statistics.slopes import REASONS

WIDTH = 100
"""Characters of a line of running text, at most; and of a table's, where nobody says how much room there is."""
COUNTED = ("correct", "misclassified", "candidates", "adversarial", "adversarial_sources")
"""The counts of a run that have a column."""
QUANTITIES = {"ratio": "S", "difference": "rise of A", "log_ratio": "log S"}
PAPER_PAIR = ("adversarial", "misclassified")
"""The sets that the paper compares."""


def tables(result: Result, width: int = WIDTH) -> str:
    """The result in words and columns: the verdict, what decides, runs, the attack, accuracy, tests.

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
        if result.verdict:
            parts += ["", *(_wrapped(sentence, width) for sentence in result.verdict)]
        if result.claims:
            parts += ["", _claims(result, width)]
        for table in level_tables(result):
            parts += ["", _levels(result, table, width)]
        if any(table.name == "robustness" for table in level_tables(result)):
            parts += ["", _flips(result, width)]
        parts += ["", _counts(result, width), "", _attacks(result, width)]
        parts += ["", _accuracy(result, result.summary, width)]
        if result.tests:
            parts += ["", _tests(result, width)]
    return "\n".join(parts)


def _claims(result: Result, width: int) -> str:
    """What decides: a row a claim, below the name of its quantity.

    Where all have one margin or one number of runs, it stands below the table instead of in each row.
    """
    claims = result.claims
    alike = {
        "margin": len({claim.margin for claim in claims}) == 1,
        "n": len({claim.n for claim in claims}) == 1,
    }
    header = ["what decides", "estimate", "decision", *(title for title, same in alike.items() if not same)]
    rows = [header]
    for name in dict.fromkeys(claim.name for claim in claims):
        of_name = [claim for claim in claims if claim.name == name]
        rows.append([term_of(of_name[0]).name])
        for claim in of_name:
            values = {"margin": f"{claim.margin:g}", "n": str(claim.n)}
            shown = [values[title] for title, same in alike.items() if not same]
            rows.append([f"  {' - '.join(claim.sets)}", _estimate(claim), claim.decision, *shown])
    notes = ["Estimate: mean over the runs, with its 95 % interval.", OVERLAP, DECIDING]
    if any(claim.constant for claim in claims):
        notes.append("What is exactly the same in every run has no interval that could decide.")
    notes += [f"n = {claims[0].n} runs."] if alike["n"] else ["n: runs."]
    notes += [f"Margin: {claims[0].margin:g}."] if alike["margin"] else []
    return f"{align(rows, width)}\n{_wrapped(' '.join(notes), width)}"


def _estimate(claim: Claim) -> str:
    """With its interval, or why there is none."""
    if claim.constant:
        return f"exactly {claim.estimate:+.3f} in every run"
    if claim.ci95 is None:
        return f"{claim.estimate:+.3f} ({claim_reason(claim)})"
    low, high = claim.ci95
    return f"{claim.estimate:+.3f} [{low:+.3f}, {high:+.3f}]"


def _levels(result: Result, table: LevelTable, width: int) -> str:
    """Rows for each group, below its name and what concerns all of them."""
    levels = result.ladder.levels
    rows = [[table.heading, *map(result.ladder.at, levels), "runs"]]
    for group in table.groups:
        facts = [
            f"{title} {number(fact, form)}"
            for fact, (title, form) in zip(group.facts, table.facts.items(), strict=True)
            if fact is not None
        ]
        rows.append([f"{group.title}: {', '.join(facts)}" if facts else group.title])
        for line in group.lines:
            summaries = [line.by_level[level] for level in levels]
            rows.append([f"  {line.what}", *map(_mean, summaries), str(min(one.n for one in summaries))])
    runs = len(result.statistics_runs)
    if all(len(row) == 1 or row[-1] in ("runs", str(runs)) for row in rows):
        rows = [row if len(row) == 1 else row[:-1] for row in rows]
    return f"{align(rows, width)}\n{_wrapped(f'{table.title}: {_over(result)}. {table.reading}', width)}"


def _flips(result: Result, width: int) -> str:
    rows = [["flips", "gained", "lost", "n", "difference", "fooled", "target hit"]]
    rows += [
        [
            row.title,
            *(f"{count:,}" for count in (row.gained, row.lost, row.n)),
            _mean(row.net, "+.4f"),
            number(row.fooled, ".4f"),
            number(row.hit, ".4f"),
        ]
        for row in flips_rows(result)
    ]
    return f"{align(rows, width)}\n{_wrapped(FLIPS_READING, width)}"


def _over(result: Result) -> str:
    """What the cells of a table are: means, and how wide their intervals are."""
    runs = len(result.statistics_runs)
    if runs == 1:
        return "one run"
    wide = ", which allows for splits that overlap" if result.claims else ""
    return f"mean of {runs} runs ± half the 95 % interval{wide}"


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
    if field == "linf_max":
        return number(max((one.linf_max for one in figures if one.linf_max is not None), default=None), form)
    return number(mean_of(figures, field), form)


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
    note = f"{_over(result)}; images a run" if runs > 1 else _over(result)
    return f"{align(rows, width)}\n{_wrapped(note, width)}"


def _images(result: Result, name: str) -> str:
    """The mean over the runs of the statistics, as far as their results are still there."""
    runs = [result.metrics[run].counts.sets for run in result.statistics_runs if run in result.metrics]
    sizes = [sizes[name] for sizes in runs if name in sizes]
    return f"{sum(sizes) / len(sizes):,.1f}".removesuffix(".0") if sizes else ABSENT


def _mean(summary: Summary, form: str = ".4f") -> str:
    if summary.mean is None:
        return ABSENT
    text = format(summary.mean, form)
    return f"{text} ± {(summary.ci95[1] - summary.ci95[0]) / 2:.4f}" if summary.ci95 else text


def _tests(result: Result, width: int) -> str:
    """The tests of the paper's comparison, a row for each quantity and step; all others are in the JSON result."""
    compared = [test for test in result.tests if test.sets == PAPER_PAIR]
    kinds = list(dict.fromkeys(test.test for test in compared))
    titles = [kind.replace("_", "-") for kind in kinds]
    rows = [["D against M", "n", "difference", *titles, "ranks", "undefined"]]
    for quantity, j in dict.fromkeys((test.quantity, test.j) for test in compared):
        tests = {test.test: test for test in compared if (test.quantity, test.j) == (quantity, j)}
        paired = tests["paired"]
        difference = f"{number(paired.mean_difference, '+.4f')} {paired.direction or ''}".rstrip()
        name = f"{QUANTITIES[quantity]} at {result.ladder.at(j)}"
        why = ", ".join(dict.fromkeys(test.reason for test in tests.values() if test.reason is not None))
        p_values = [_p_value(tests[kind]) for kind in kinds]
        rows.append([name, str(paired.n), difference, *p_values, _ranks(tests["wilcoxon"]), why])
    reasons = sorted({test.reason for test in compared if test.reason is not None})
    notes = [
        "D adversarial, M misclassified; S is A there divided by A at the level before; difference is the mean of "
        "D - M over the runs; p-values of each test as they are / Holm-adjusted over the levels; ranks: "
        "Wilcoxon's own effect, the rank-biserial correlation, and its direction",
        *(f"{reason}: {REASONS[reason]}" for reason in reasons),
    ]
    return "\n".join([align(rows, width), *(_wrapped(note, width) for note in notes)])


def _ranks(test: StatisticalTest) -> str:
    """Of Wilcoxon's test: the effect of its ranks and their direction, which may differ from the mean's."""
    return ABSENT if test.effect_size is None else f"{test.effect_size:+.3f} {test.direction}"


def _p_value(test: StatisticalTest) -> str:
    return ABSENT if test.p is None else f"{test.p:.2g} / {number(test.p_holm, '.2g')}"


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, min(width, WIDTH))


def align(rows: Iterable[Sequence[str]], width: int | None = None, *, left: Collection[int] = (0,)) -> str:
    """Rows of equal length as columns two spaces apart: those in `left` to the left, the others to the right.

    A row of one cell among longer ones is a heading, which no column is as wide as: it takes lines of its own.
    width: characters of a line, None for any number. Columns that find no room stand in further blocks below,
    an empty line between them, each block with the first column; one that is too wide alone is not cut.
    """
    table = [list(row) for row in rows]
    whole = [row for row in table if len(row) == len(table[0])]
    widths = [max(len(row[column]) for row in whole) for column in range(len(table[0]))]
    blocks: list[list[int]] = [[]]
    used = widths[0]
    for column, needed in enumerate((2 + other for other in widths[1:]), 1):
        if width is not None and blocks[-1] and used + needed > width:
            blocks.append([])
            used = widths[0]
        blocks[-1].append(column)
        used += needed
    return "\n\n".join(_block(table, [0, *columns], widths, width, left) for columns in blocks)


def _block(
    table: Sequence[Sequence[str]],
    columns: Sequence[int],
    widths: Sequence[int],
    width: int | None,
    left: Collection[int],
) -> str:
    lines = []
    for row in table:
        if len(row) == 1 < len(widths):
            lines.append(row[0] if width is None else textwrap.fill(row[0], width, subsequent_indent="  "))
            continue
        cells = (
            row[column].ljust(widths[column]) if column in left else row[column].rjust(widths[column])
            for column in columns
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
