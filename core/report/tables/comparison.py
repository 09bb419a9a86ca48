"""A comparison of experiments as CSV, in the long tables of each, and as LaTeX, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.report.caveat import caveat
from core.report.comparison import Compared, accuracies, claims_of, differing, sets_of
from core.report.differences import differences, how_compared, key_title
from core.report.formats import TableName
from core.report.headline import LEADING
from core.report.quantities_by_run import Key
from core.report.tables.csv_text import csv_text
from core.report.tables.latex import (
    DASH,
    escaped,
    interval_cell,
    level_title,
    mean_cell,
    number_cell,
    p_cell,
    table_environment,
)
from core.report.tables.long import COLUMNS_OF, long_rows
from core.report.terms import DECIDING, OVERLAP, brief_reason, term_of

DIFFERENCE_COLUMNS = (
    "first_id", "second_id", "first_name", "second_name", "quantity", "first_set", "second_set", "test", "n",
    "difference", "ci95_low", "ci95_high", "df", "p", "margin", "decision", "reason",
)  # fmt: skip


def settings_csv(compared: Sequence[Compared]) -> str:
    """A row an experiment: its id, name and status, how many runs its numbers are over, the settings that differ.

    A setting that an experiment does not have is an empty field.
    """
    specs = [one.spec for one in compared]
    settings = [name for name, _ in differing(specs)]
    rows = [
        [one.result.id, one.name, one.status.value, one.runs, *(_plain(one, name) for name in settings)]
        for one in compared
    ]
    return csv_text(["id", "name", "status", "statistics_runs", *settings], rows)


def long_csv_of(compared: Sequence[Compared], table: TableName) -> str:
    """The rows of a long table of every experiment, which tell by their first column whose they are."""
    rows = (row for one in compared for row in long_rows(one.result, table))
    return csv_text(COLUMNS_OF[table], rows)


def comparison_latex(compared: Sequence[Compared], label: str) -> str:
    r"""Tables for a paper; they need \usepackage{booktabs}.

    settings: a row a setting that differs, a column an experiment. accuracy: a row an experiment within each set, a
    column a level. claims: a row an experiment within each quantity, of which there is the first that a verdict
    speaks of. differences: the same of every two experiments. Labels are `tab:LABEL-settings` and so on.
    """
    parts = ["% in the preamble \\usepackage{booktabs}"]
    warnings = [(one.name, caveat(one.result)) for one in compared]
    note = "".join(f" {escaped(name)}: {escaped(warning)}" for name, warning in warnings if warning)
    parts += [
        *_settings(compared, label, note),
        *accuracy_latex(compared, label, note),
        *claims_latex(compared, label, note),
        *differences_latex(compared, label, note),
    ]
    return "\n\n".join(parts) + "\n"


def _settings(compared: Sequence[Compared], label: str, note: str) -> Iterator[str]:
    rows = [
        [escaped(name), *map(escaped, values)] for name, values in differing([one.spec for one in compared])
    ]
    if rows:
        yield table_environment(
            "l" * (1 + len(compared)),
            ["setting", *(escaped(one.name) for one in compared)],
            [rows],
            f"The settings in which the experiments differ.{note}",
            f"{label}-settings",
        )


def accuracy_latex(compared: Sequence[Compared], label: str, note: str = "") -> Iterator[str]:
    """A table `tab:LABEL-accuracy` a knob: of another one, levels cannot stand in the same columns.

    note: LaTeX that ends the captions.
    """
    names = sets_of(compared)
    knobs = dict.fromkeys(one.ladder.knob for one in compared if one.summary is not None)
    for number, knob in enumerate(knobs):
        of_knob = [one for one in compared if one.ladder.knob == knob]
        by_set = {name: accuracies(of_knob, name) for name in names}
        levels = list(dict.fromkeys(level for found in by_set.values() for level, _ in found))
        groups = []
        for name, found in by_set.items():
            cells = dict(found)
            rows = [
                [
                    escaped(name) if place == 0 else "", escaped(one.name),
                    *(mean_cell(at) if (at := cells.get(level, [None] * len(of_knob))[place]) else DASH
                      for level in levels),
                ]
                for place, one in enumerate(of_knob)
            ]  # fmt: skip
            groups.append(rows)
        ladder = of_knob[0].ladder
        over = f" {escaped(OVERLAP)}" if all(one.corrected for one in of_knob) else ""
        yield table_environment(
            "ll" + "r" * len(levels),
            ["set", "experiment", *(level_title(ladder, level) for level in levels)],
            groups,
            f"Accuracy: means over the runs $\\pm$ half the 95\\,\\% interval.{over}{note}",
            f"{label}-accuracy" if number == 0 else f"{label}-accuracy-{number + 1}",
        )


def claims_latex(compared: Sequence[Compared], label: str, note: str = "") -> Iterator[str]:
    """The table `tab:LABEL-claims` of the first claims of each name; none where there is none. note: as above."""
    firsts: dict[str, list[list[str]]] = {}
    for (name, sets), claims in claims_of(compared):
        if name in firsts:
            continue
        rows = firsts[name] = []
        for one, claim in zip(compared, claims, strict=True):
            if claim is not None:
                rows.append([
                    "" if rows else escaped(term_of(claim).name), "" if rows else " $-$ ".join(map(escaped, sets)),
                    escaped(one.name), number_cell(claim.estimate, "+.4f"), interval_cell(claim.ci95),
                    claim.decision, str(claim.n),
                ])  # fmt: skip
    if firsts:
        yield table_environment(
            "lllrrlr",
            ["quantity", "of", "experiment", "estimate", "95\\,\\% interval", "decision", "$n$"],
            firsts.values(),
            f"What decides. {escaped(OVERLAP)} {escaped(DECIDING)}{note}",
            f"{label}-claims",
        )


def differences_latex(compared: Sequence[Compared], label: str, note: str = "") -> Iterator[str]:
    """The table `tab:LABEL-differences` of leading quantities, a row two experiments; none where there is none."""
    found = differences([one.result for one in compared], LEADING)
    groups: dict[Key, list[list[str]]] = {}
    for one in found:
        rows = groups.setdefault(one.key, [])
        what = one.difference
        rows.append(
            [
                "" if rows else escaped(key_title(one.key)),
                f"{escaped(compared[one.second].name)} less {escaped(compared[one.first].name)}",
                number_cell(what.estimate, "+.4f"),
                interval_cell(what.ci95),
                p_cell(what.p),
                escaped(brief_reason(what.reason)) if what.reason else what.decision,
                str(what.n),
            ]
        )
    if groups:
        how = how_compared(one.difference for one in found)
        yield table_environment(
            "llrrrlr",
            ["quantity", "of", "difference", "95\\,\\% interval", "$p$", "decision", "$n$"],
            groups.values(),
            f"Differences between the experiments. {escaped(how)}{note}",
            f"{label}-differences",
        )


def differences_csv(compared: Sequence[Compared]) -> str:
    """A row a quantity of every two experiments: the later's less the earlier's.

    Columns as in `core.statistics.between.Difference`; second_set is empty where there is one set.
    """
    rows = []
    for one in differences([each.result for each in compared]):
        what = one.difference
        low, high = what.ci95 or (None, None)
        first, second = (*one.key.sets, None, None)[:2]
        rows.append([
            *(compared[place].result.id for place in (one.first, one.second)),
            *(compared[place].name for place in (one.first, one.second)),
            one.key.name, first, second, what.test, what.n, what.estimate, low, high, what.df, what.p, what.margin,
            what.decision, what.reason,
        ])  # fmt: skip
    return csv_text(DIFFERENCE_COLUMNS, rows)


def _plain(one: Compared, name: str) -> object:
    value = one.spec.values.get(name)
    return (",".join(value) or "none") if isinstance(value, tuple) else value
