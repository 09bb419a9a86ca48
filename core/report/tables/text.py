"""Tables for a terminal or a plain file."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Sequence

from core.declarations.printable import shell_word
from core.records.metrics import AttackFigures
from core.records.statistics import StatisticalTest, Summary, SummaryTable
from core.report.attack_figures import COLUMNS, READING, by_attack, mean_of
from core.report.deciding import FLIPS_READING, LevelTable, flips_rows, level_tables
from core.report.estimates import estimate_words
from core.report.formats import WIDTH
from core.report.formatting import ABSENT, counted, enumerate_words, mean_count, number, p_value
from core.report.result import Result
from core.report.terms import DECIDING, OVERLAP, term_of
from core.spec.spec import SCHEMA_VERSION as SPEC_VERSION
from core.statistics.slopes import REASONS

NO_BREAK = "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"
"""An equals sign that stays in one line with both its sides."""
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
    asked = (
        f"{spec.dataset}, {spec.attack}, epsilon {spec.epsilon:g}, {result.ladder.span}, seed {spec.seed}, "
        f"{spec.epochs} epochs"
    )
    parts = [f"{result.id}  {result.status}  {result.complete} of {spec.runs} runs", wrapped(asked, width)]
    parts += [
        wrapped(f"run {run.index + 1} failed: {run.failure.error}", width)
        for run in result.runs
        if run.failure is not None
    ]
    parts += _lost(result, width)
    if result.summary is not None:
        if result.verdict:
            parts += ["", *(wrapped(sentence, width) for sentence in result.verdict)]
        if result.claims:
            parts += ["", _claims(result, width)]
        for table in level_tables(result):
            parts += ["", _levels(result, table, width)]
        if any(table.name == "robustness" for table in level_tables(result)):
            parts += ["", _flips(result, width)]
        if result.metrics:
            parts += ["", _counts(result, width), "", _attacks(result, width)]
        parts += ["", _accuracy(result, result.summary, width)]
        if result.tests:
            parts += ["", _tests(result, width)]
    return "\n".join(parts)


def _lost(result: Result, width: int) -> list[str]:
    """Which runs were complete and can no longer be read, why, what to do, and what the statistics are over."""
    reasons: dict[str, list[int]] = {}
    for run in result.runs:
        if run.problem:
            reasons.setdefault(run.problem, []).append(run.index)
    if not reasons:
        return []
    lost = [run for runs in reasons.values() for run in runs]
    one = len(lost) == 1
    lines = [
        wrapped(
            f"{counted(len(lost), 'run')} {'was' if one else 'were'} complete, and "
            f"{'its files are' if one else 'their files are'} missing or damaged:",
            width,
        )
    ]
    lines += [wrapped(f"  {_named(runs)}: {reason}", width) for reason, runs in reasons.items()]
    if result.spec.schema_version == SPEC_VERSION:
        lines.append(
            wrapped(
                f"To compute {'it' if one else 'them'} again: aefit-tui resume {shell_word(result.id)}", width
            )
        )
    over = set(result.statistics_runs).intersection(lost)
    if over and result.summary is not None:
        stated = f"as last computed, with {_named(sorted(over))}"
        lines.append(
            wrapped(
                f"The verdict, what decides, accuracy and tests are {stated}; the other tables "
                f"{'are of the runs that can be read' if result.metrics else 'need the files'}.",
                width,
            )
        )
    return ["", *lines]


def _named(runs: Sequence[int]) -> str:
    """Runs in ascending order by their numbers, counted from 1: run 2, runs 1 to 12, runs 1, 3 to 5 and 9."""
    stretches: list[list[int]] = []
    for run in runs:
        if stretches and run == stretches[-1][-1] + 1:
            stretches[-1].append(run)
        else:
            stretches.append([run])
    words: list[str] = []
    for first, *others in stretches:
        if len(others) > 1:
            words.append(f"{first + 1} to {others[-1] + 1}")
        else:
            words += [str(run + 1) for run in (first, *others)]
    return f"{'run' if len(runs) == 1 else 'runs'} {enumerate_words(words)}"


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
            rows.append([f"  {' - '.join(claim.sets)}", estimate_words(claim), claim.decision, *shown])
    notes = ["Estimate: mean over the runs, with its 95 % interval.", OVERLAP, DECIDING]
    if any(claim.constant for claim in claims):
        notes.append("What is exactly the same in every run has no interval that could decide.")
    notes += [f"n = {claims[0].n} runs."] if alike["n"] else ["n: runs."]
    notes += [f"Margin: {claims[0].margin:g}."] if alike["margin"] else []
    return f"{align(rows, width)}\n{wrapped(' '.join(notes), width)}"


def _levels(result: Result, table: LevelTable, width: int) -> str:
    """Rows for each group, below its name and what concerns all of them; how many runs, where not all have it."""
    levels, runs = result.ladder.levels, len(_readable(result))
    rows = [[table.heading, *map(result.ladder.at, levels)]]
    for group in table.groups:
        facts = [
            f"{title} {number(fact, form)}"
            for fact, (title, form) in zip(group.facts, table.facts.items(), strict=True)
            if fact is not None
        ]
        counts = {summary.n for line in group.lines for summary in line.by_level.values()}
        if counts != {runs}:
            facts.append(
                f"in {' to '.join(map(str, sorted({min(counts), max(counts)})))} of {counted(runs, 'run')}"
            )
        rows.append([f"{group.title}: {', '.join(facts)}" if facts else group.title])
        for line in group.lines:
            rows.append([f"  {line.what}", *(_mean(line.by_level[level]) for level in levels)])
    return f"{align(rows, width)}\n{wrapped(f'{table.title}: {_over(result, runs)}. {table.reading}', width)}"


def _flips(result: Result, width: int) -> str:
    """Where there is no room for it, without what the table of robustness says of the attacks as well."""
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
    if width_of(rows) > width:
        rows = [row[:5] for row in rows]
    return f"{align(rows, width)}\n{wrapped(FLIPS_READING, width)}"


def _readable(result: Result) -> list[int]:
    """The runs of the statistics whose results are still there."""
    return [run for run in result.statistics_runs if run in result.metrics]


def _over(result: Result, runs: int) -> str:
    """What the cells of a table over so many runs are: means, and how wide their intervals are."""
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
            f"{metrics.run_seconds:.0f} s",
        ]
        for run, metrics in result.metrics.items()
    ]
    return align([["run", "surrogate", *titles, "time"], *rows], width)


def _attacks(result: Result, width: int) -> str:
    """How every attack did: means over the complete runs, and the largest change of a pixel in any of them."""
    rows = [["attack", *(title for title, _ in COLUMNS.values())]]
    for name, by_run in by_attack(result).items():
        rows.append([name, *(_over_runs(list(by_run.values()), field, form)
                             for field, (_, form) in COLUMNS.items())])  # fmt: skip
    return f"{align(rows, width)}\n{wrapped(READING, width)}"


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
    over = _over(result, runs)
    note = f"{over}; images a run" if runs > 1 else over
    return f"{align(rows, width)}\n{wrapped(note, width)}"


def _images(result: Result, name: str) -> str:
    """The mean over the runs of the statistics, as far as their results are still there."""
    sizes = (result.metrics[run].counts.sets for run in _readable(result))
    return mean_count([size[name] for size in sizes if name in size])


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
        # Any of the four may be lacking in a journal that somebody changed.
        paired, ranked = tests.get("paired"), tests.get("wilcoxon")
        difference = (
            f"{number(paired.mean_difference, '+.4f')} {paired.direction or ''}".rstrip()
            if paired
            else ABSENT
        )
        name = f"{QUANTITIES[quantity]} at {result.ladder.at(j)}"
        why = ", ".join(dict.fromkeys(test.reason for test in tests.values() if test.reason is not None))
        p_values = [_p_value(tests[kind]) if kind in tests else ABSENT for kind in kinds]
        count, ranks = str(paired.n) if paired else ABSENT, _ranks(ranked) if ranked else ABSENT
        rows.append([name, count, difference, *p_values, ranks, why])
    reasons = sorted({test.reason for test in compared if test.reason is not None})
    notes = [
        "D adversarial, M misclassified; S is A there divided by A at the level before; difference is the mean of "
        "D - M over the runs; p-values of each test as they are / Holm-adjusted over the levels; ranks: "
        "Wilcoxon's own effect, the rank-biserial correlation, and its direction",
        *(f"{reason}: {REASONS[reason]}" for reason in reasons),
    ]
    return "\n".join([align(rows, width), *(wrapped(note, width) for note in notes)])


def _ranks(test: StatisticalTest) -> str:
    """Of Wilcoxon's test: the effect of its ranks and their direction, which may differ from the mean's."""
    return ABSENT if test.effect_size is None else f"{test.effect_size:+.3f} {test.direction}"


def _p_value(test: StatisticalTest) -> str:
    if test.p is None:
        return ABSENT
    return " / ".join(ABSENT if p is None else p_value(p) for p in (test.p, test.p_holm))


def wrapped(text: str, width: int) -> str:
    """`text` in lines, those after the first as far in as it is and two more; "K = 7" stays in one of them."""
    indent = " " * (2 + len(text) - len(text.lstrip()))
    kept = text.replace(" = ", NO_BREAK)
    lines = textwrap.fill(kept, min(width, WIDTH), subsequent_indent=indent, break_on_hyphens=False)
    return lines.replace(NO_BREAK, " = ")


def width_of(rows: Sequence[Sequence[str]]) -> int:
    """Characters of a line of these rows in one block; a row of one cell among longer ones is a heading."""
    widths = _widths([row for row in rows if len(row) == len(rows[0])])
    return sum(widths) + 2 * (len(widths) - 1)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def align(rows: Iterable[Sequence[str]], width: int | None = None, *, left: Collection[int] = (0,)) -> str:
    """Rows of equal length as columns two spaces apart: those in `left` to the left, the others to the right.

    A row of one cell among longer ones is a heading, which no column is as wide as: it takes lines of its own.
    width: characters of a line, None for any number. Columns that find no room stand in further blocks below,
    an empty line between them, each block with the first column; where beside that there is no room for some
    other one, it stands above the rest of its row. A column that is too wide alone is not cut.
    """
    table = [list(row) for row in rows]
    widths = _widths([row for row in table if len(row) == len(table[0])])
    widest = 2 + max(widths[1:], default=0)
    if width is not None and widths[0] and widest <= width < widths[0] + widest:
        title, *others = table[0]
        lines = [["", *others]]
        for row in table[1:]:
            lines += [row[:1], ["", *row[1:]]] if len(row) > 1 else [row]
        return f"{title}\n{align(lines, width, left=left)}"
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
