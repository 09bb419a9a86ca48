r"""The tables of a result in LaTeX, for a paper; they need \usepackage{booktabs} and nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence

from core.errors import ExperimentError
from core.families.ladder import Ladder
from core.records.statistics import Claim, Quantity, Summary, SummaryTable
from core.report.attack_figures import COLUMNS, READING, attack_with_rates, by_attack, mean_of, rates
from core.report.caveat import caveat
from core.report.deciding import FLIPS_READING, LevelTable, flips_rows, level_tables
from core.report.formats import TableName
from core.report.formatting import p_value
from core.report.result import Result
from core.report.selection import check_sets, pairs_among, some_pairs_among
from core.report.terms import DECIDING, INTERVALS, OVERLAP, TEST_NAMES, brief_reason, claim_reason, term_of

DASH = "--"
"""Stands for what is undefined; LaTeX sets it as a dash."""
ALL_TESTS = "all"
"""In the column of the tests, where one row stands for them."""
QUANTITIES: dict[Quantity, str] = {
    "ratio": "$S_j = A_j / A_i$ ($i$ the level before $j$)",
    "difference": "$A_j - A_i$ ($i$ the level before $j$)",
    "log_ratio": r"$\log S_j$",
}
"""The quantities that are tested, in the paper's letters."""

NOT_IN_LABELS = re.compile(r"[^A-Za-z0-9:._+-]")
"""What a label has not: somebody may have given an experiment's folder any name."""

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "\"": r"\char34{}", "`": r"\textasciigrave{}",
    "'": r"\textquoteright{}", "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "ł": r"\l{}", "Ł": r"\L{}", "œ": r"\oe{}", "Œ": r"\OE{}",
}  # fmt: skip
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
    "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c",
}  # fmt: skip


def latex(result: Result, table: TableName | None = None, sets: Collection[str] | None = None) -> str:
    """The tables of a result as `table` environments, all or one; a comment says what they need.

    claims: a row a quantity that decides. deciding: cross-fitted accuracy, bias and variance, robustness, each
    with a column a level, and flips. attacks: how each did on the surrogate, means over the runs.
    accuracy: a row a set, a column a level: the mean over the runs +- half the 95 % interval, and n.
    tests: one for each compared pair and quantity, a row a j and test; where there is no p-value, the reason.
    Where all tests of one j have none for the same reason, they share a row.
    What is undefined is a dash. Labels are `tab:ID-claims`, `tab:ID-crossfit` (and so on, by
    `core.report.deciding.LevelTable.name`), `tab:ID-flips`, `tab:ID-attacks`, `tab:ID-accuracy` and
    `tab:ID-FIRST-SECOND-QUANTITY`. Of results that did not measure it, what decides is left out.

    sets: the rows (of attacks always all), and the claims and pairs of which all are among them; all by default.
    Raises ExperimentError for a set that was not measured, for tests alone of which none is left, and for the
    summary, which is in `accuracy`.
    """
    if table == "summary":
        raise ExperimentError(
            "LaTeX has no table summary of its own: its table accuracy is the summary",
            "--format latex --table accuracy; csv and parquet have --table summary",
        )
    check_sets(result.spec, result.id, sets or ())
    parts = [f"% {escaped(result.id)}: in the preamble \\usepackage{{booktabs}}"]
    if result.summary is None:
        parts.append("% no run is complete: there are no numbers yet")
        return "\n\n".join(parts) + "\n"
    if table in (None, "claims"):
        parts += _claims(result, sets)
    if table in (None, "deciding"):
        parts += [part for one in level_tables(result) for part in _levels(result, one, sets)]
        parts += _flips(result, sets)
    if table in (None, "attacks"):
        parts += _attacks(result)
    if table in (None, "accuracy"):
        parts.append(_accuracy(result, result.summary, sets))
    if table in (None, "tests"):
        pairs = some_pairs_among(result, sets) if table == "tests" else pairs_among(result, sets)
        keys = dict.fromkeys((*test.sets, test.quantity) for test in result.tests)
        parts += [_tests(result, *key) for key in keys if key[:2] in pairs]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text that LaTeX sets as it is, in any encoding; letters that its plain fonts lack become question marks."""
    letters = "".join(map(_letter, unicodedata.normalize("NFC", text)))
    while "--" in letters:  # which would become one long dash
        letters = letters.replace("--", "-{}-")
    return letters


def _letter(letter: str) -> str:
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    if " " <= letter <= "~":
        return letter
    decomposed = unicodedata.normalize("NFD", letter)
    base, accent = decomposed[0], decomposed[1:]
    if accent in _ACCENTS and base.isascii() and base.isalpha():
        return f"\\{_ACCENTS[accent]}{{{base}}}"
    return "?"


def _claims(result: Result, sets: Collection[str] | None) -> Iterator[str]:
    """The table of the quantities that decide, grouped by quantity; none where there is none."""
    claims = [claim for claim in result.claims if sets is None or set(sets).issuperset(claim.sets)]
    if not claims:
        return
    header = ["quantity", "of", "estimate", "95\\,\\% interval", "margin", "decision", "$n$", "reason"]
    groups: dict[str, list[list[str]]] = {}
    for claim in claims:
        rows = groups.setdefault(claim.name, [])
        rows.append([escaped(term_of(claim).name) if not rows else "", *_claim_cells(claim)])
    reading = f"Estimate: mean over the $n$ runs. {escaped(OVERLAP)} {escaped(DECIDING)}"
    yield table_environment(
        "llrrrlrl",
        header,
        groups.values(),
        f"What decides. {reading} {_asked(result)}",
        f"{result.id}-claims",
    )


def _claim_cells(claim: Claim) -> list[str]:
    return [
        " $-$ ".join(map(escaped, claim.sets)), number_cell(claim.estimate, "+.4f"), interval_cell(claim.ci95),
        number_cell(claim.margin, "g"), claim.decision, str(claim.n),
        escaped(claim_reason(claim)),
    ]  # fmt: skip


def _levels(result: Result, table: LevelTable, sets: Collection[str] | None) -> Iterator[str]:
    """A group of rows for each set or attack; what concerns all of them stands beside its name."""
    levels = result.ladder.levels
    groups = []
    for group in table.groups:
        if sets is None or group.of in sets:
            facts = [_fact(fact, form) for fact, form in zip(group.facts, table.facts.values(), strict=True)]
            first = [escaped(group.title), *facts]
            rows = []
            for line in group.lines:
                summaries = [line.by_level[level] for level in levels]
                counts = sorted({summary.n for summary in summaries})
                rows.append([*first, line.what, *map(mean_cell, summaries), "--".join(map(str, counts))])
                first = [""] * len(first)
            groups.append(rows)
    if groups:
        yield table_environment(
            "l" + "r" * len(table.facts) + "l" + "r" * len(levels) + "r",
            ["", *table.facts, "", *(level_title(result.ladder, level) for level in levels), "$n$"],
            groups,
            f"{escaped(table.title)}; {_over(result)}. {escaped(table.reading)} {_asked(result)}",
            f"{result.id}-{table.name}",
        )


def _flips(result: Result, sets: Collection[str] | None) -> Iterator[str]:
    rows = [
        [
            escaped(row.title), _fact(row.fooled, ".4f"), _fact(row.hit, ".4f"),
            *(f"{count:,}" for count in (row.gained, row.lost, row.n)), mean_cell(row.net, "+.4f"), str(row.net.n),
        ]
        for row in flips_rows(result)
        if sets is None or row.of in sets
    ]  # fmt: skip
    if rows:
        header = ["", "fooled", "target hit", "gained", "lost", "$n$", "difference", "runs"]
        caption = f"Flips. {escaped(FLIPS_READING)} {_asked(result)}"
        yield table_environment("lrrrrrrr", header, [rows], caption, f"{result.id}-flips")


def _attacks(result: Result) -> Iterator[str]:
    """Means over the complete runs, and the largest change of a pixel in any of them."""
    rows = []
    for name, by_run in by_attack(result).items():
        figures = list(by_run.values())
        largest = max((one.linf_max for one in figures if one.linf_max is not None), default=None)
        values = {field: largest if field == "linf_max" else mean_of(figures, field) for field in COLUMNS}
        rows.append([escaped(name), *(_fact(values[field], form) for field, (_, form) in COLUMNS.items())])
    header = ["attack", *(title for title, _ in COLUMNS.values())]
    caption = f"The attacks on the surrogate; means over the runs. {escaped(READING)} {_asked(result)}"
    yield table_environment("lrrrr", header, [rows], caption, f"{result.id}-attacks")


def _over(result: Result) -> str:
    """What the cells of a table are: means, and how wide their intervals are."""
    runs = len(result.statistics_runs)
    if runs == 1:
        return "one run"
    wide = ", which allows for splits that overlap" if result.claims else ""
    return f"mean over {runs} runs $\\pm$ half the 95\\,\\% interval{wide}"


def _fact(value: float | None, form: str) -> str:
    return DASH if value is None else format(value, form)


def interval_cell(ends: Sequence[float] | None) -> str:
    """Both ends, in mathematics."""
    return f"$[{ends[0]:+.4f}, {ends[1]:+.4f}]$" if ends else DASH


def _accuracy(result: Result, summary: SummaryTable, sets: Collection[str] | None) -> str:
    levels = result.ladder.levels
    rows = []
    for name, by_level in summary.accuracy.items():
        if sets is not None and name not in sets:
            continue
        counts = sorted({by_level[level].n for level in levels})
        cells = [mean_cell(by_level[level]) for level in levels]
        shown = [_fact(rate, ".4f") for rate in rates(result, name)]
        rows.append([escaped(name), *cells, "--".join(map(str, counts)), *shown])
    return table_environment(
        "l" + "r" * len(levels) + "rrr",
        ["set", *(level_title(result.ladder, level) for level in levels), "$n$", "fooled", "target hit"],
        [rows],
        f"Accuracy against {_knob(result.ladder)}; {_over(result)}. Fooled, target hit: shares of the candidates "
        f"from which a set was selected. {_asked(result)}",
        f"{result.id}-accuracy",
    )


def _knob(ladder: Ladder) -> str:
    """What is turned; one letter is a variable, set as mathematics."""
    return f"${ladder.knob}$" if _is_variable(ladder.knob) else escaped(ladder.knob)


def level_title(ladder: Ladder, level: str) -> str:
    """A level in words; that of a variable is an equation where it is a number."""
    if _is_variable(ladder.knob) and re.fullmatch(r"\d+(\.\d+)?", level, re.ASCII):
        return f"${ladder.at(level)}$"
    return escaped(ladder.at(level))


def _is_variable(knob: str) -> bool:
    return len(knob) == 1 and knob.isascii() and knob.isalpha()


def mean_cell(summary: Summary, form: str = ".4f") -> str:
    """With half the width of its interval; in mathematics, where a minus is a minus."""
    if summary.mean is None:
        return DASH
    text = format(summary.mean, form)
    return f"${text} \\pm {(summary.ci95[1] - summary.ci95[0]) / 2:.4f}$" if summary.ci95 else text


def _tests(result: Result, first: str, second: str, quantity: Quantity) -> str:
    tests = [t for t in result.tests if (*t.sets, t.quantity) == (first, second, quantity)]
    with_p = {test.j for test in tests if test.p is not None}
    groups: dict[str, list[list[str]]] = {}
    for test in tests:
        numbers = [
            number_cell(test.statistic, ".3f"),
            number_cell(test.df, ".2f"),
            p_cell(test.p),
            p_cell(test.p_holm),
        ]
        if test.reason is not None:
            numbers = [f"\\multicolumn{{4}}{{l}}{{{escaped(brief_reason(test.reason))}}}"]
        row = [
            escaped(test.j), escaped(TEST_NAMES[test.test]), str(test.n), *numbers,
            number_cell(test.tested_difference, "+.4f"), interval_cell(test.ci95),
            number_cell(test.effect_size, "+.3f"), test.direction or DASH,
        ]  # fmt: skip
        groups.setdefault(test.j, []).append(row)
    header = [
        "$j$", "test", "$n$", "statistic", "df", "$p$", "$p$, Holm", "difference", "95\\,\\% interval", "effect",
        "direction",
    ]  # fmt: skip
    return table_environment(
        "rlrrrrrrrrl",
        header,
        [group if j in with_p else _merged(group) for j, group in groups.items()],
        f"{QUANTITIES[quantity]}: {escaped(first)} against {escaped(second)}. {escaped(INTERVALS)} "
        f"{_asked(result)}",
        f"{result.id}-{first}-{second}-{quantity}",
    )


def _merged(rows: list[list[str]]) -> list[list[str]]:
    """One row for all tests of a j, where all they say is the same."""
    (j, _, *cells), *others = rows
    alike = bool(others) and all(row[2:] == cells for row in others)
    return [[j, ALL_TESTS, *cells]] if alike else rows


def _asked(result: Result) -> str:
    """What was run, as a sentence, and the caveat of a result that is not final."""
    spec, ladder = result.spec, result.ladder
    title = f"{attack_with_rates(result)} on {spec.dataset_title}"
    span = f"{level_title(ladder, ladder.general)} to {escaped(ladder.fitted)}"
    warning = caveat(result)
    asked = f"{escaped(title)}, $\\epsilon = {spec.epsilon:g}$, {span}."
    return f"{asked} {escaped(warning)}" if warning else asked


def number_cell(value: float | None, form: str) -> str:
    """In mathematics, where a minus is a minus."""
    return DASH if value is None else f"${format(value, form)}$"


def p_cell(value: float | None) -> str:
    """A p-value, its power of ten in mathematics."""
    if value is None:
        return DASH
    digits, _, exponent = p_value(value).partition("e")
    return f"${digits} \\times 10^{{{int(exponent)}}}$" if exponent else f"${digits}$"


def table_environment(
    columns: str, header: Sequence[str], groups: Iterable[Iterable[Sequence[str]]], caption: str, label: str
) -> str:
    """A booktabs table of cells that are LaTeX already; a thin rule stands between the groups of rows.

    columns: their alignment, such as "lrr". label: what follows `tab:`.
    """
    bodies = ["\n".join(f"{' & '.join(row)} \\\\" for row in group) for group in groups]
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering",
            r"\scriptsize",
            r"\setlength{\tabcolsep}{2.5pt}",
            f"\\caption{{{caption}}}",
            f"\\label{{tab:{NOT_IN_LABELS.sub('-', label)}}}",
            # Wider than the column, it stands in the middle of it.
            f"\\makebox[\\linewidth]{{\\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            f"{' & '.join(header)} \\\\",
            r"\midrule",
            "\n\\midrule\n".join(bodies),
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
        ]
    )
