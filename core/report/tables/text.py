"""Tables for a terminal or a plain file, from the JSON result."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from core.statistics.slopes import REASONS

ABSENT = "-"
WIDTH = 100
"""Characters of a line of running text, at most; and of a table's, where nobody says how much room there is."""


def tables(result: dict[str, Any], width: int = WIDTH) -> str:
    """The result in words and columns: runs, accuracy against K, tests, verdict. Ends without newline.

    width: characters of a line. A table that is wider is laid out in blocks of its columns, one below the other.
    """
    spec = result["spec"]
    done = sum(run["status"] == "complete" for run in result["runs"])
    parts = [
        f"{result['id']}  {result['status']}  {done} of {spec['runs']} runs",
        f"{spec['dataset']}, {spec['attack']}, epsilon {spec['epsilon']:g}, Z {spec['z']}, seed {spec['seed']}, "
        f"{spec['epochs']} epochs",
    ]
    for run in result["runs"]:
        if run["status"] == "failed":
            parts.append(f"run {run['index'] + 1} failed: {run['error']}")
    if result["summary"] is not None:
        parts += ["", _counts(result, width), "", _accuracy(result, width)]
        if result["tests"]:
            parts += ["", _tests(result, width)]
        if result["verdict"]:
            parts += ["", *(_wrapped(sentence, width) for sentence in result["verdict"])]
    return "\n".join(parts)


def _counts(result: dict[str, Any], width: int) -> str:
    header = [
        "run",
        "surrogate",
        "correct",
        "misclassified",
        "candidates",
        "adversarial",
        "sources",
        "seconds",
    ]
    rows = []
    for run in result["runs"]:
        if run["status"] == "complete":
            counts = run["counts"]
            names = ("correct", "misclassified", "candidates", "adversarial", "adversarial_sources")
            seconds = sum(
                run["seconds"][stage] for stage in run["seconds"] if stage not in ("attack", "filter")
            )
            rows.append(
                [str(run["index"] + 1), f"{run['surrogate_accuracy']:.4f}", *(f"{counts[n]:,}" for n in names),
                 f"{seconds:.0f}"]
            )  # fmt: skip
    return align([header, *rows], width)


def _accuracy(result: dict[str, Any], width: int) -> str:
    """Mean accuracy with half the width of its 95 % interval; the mean alone where there is no interval.

    The images of a set are the mean over the runs.
    """
    accuracy = result["summary"]["accuracy"]
    levels = sorted({int(k) for by_k in accuracy.values() for k in by_k}, reverse=True)
    rows = [["accuracy", "images", *(f"K = {k}" for k in levels)]]
    rows += [
        [name, _images(result, name), *(_mean(by_k[str(k)]) for k in levels)]
        for name, by_k in accuracy.items()
    ]
    runs = len(result["statistics_runs"])
    counts = [min(by_k[str(k)]["n"] for k in levels) for by_k in accuracy.values()]
    if any(count != runs for count in counts):
        # A set may have been empty in some runs.
        rows = [[*row, count] for row, count in zip(rows, ["runs", *map(str, counts)], strict=True)]
    note = f"mean of {runs} runs ± half the 95 % interval; images a run" if runs > 1 else "one run"
    return f"{align(rows, width)}\n{_wrapped(note, width)}"


def _images(result: dict[str, Any], name: str) -> str:
    sizes = [result["runs"][run]["counts"]["sets"][name] for run in result["statistics_runs"]]
    return f"{sum(sizes) / len(sizes):,.1f}".removesuffix(".0")


def _mean(summary: dict[str, Any]) -> str:
    if summary["mean"] is None:
        return ABSENT
    text = f"{summary['mean']:.4f}"
    return f"{text} ± {(summary['ci95'][1] - summary['ci95'][0]) / 2:.4f}" if summary["ci95"] else text


def _tests(result: dict[str, Any], width: int) -> str:
    """The tests of the paper's comparison, a row for each quantity and K; all others are in the JSON result."""
    quantities = {"ratio": "S", "difference": "rise of A", "log_ratio": "log S"}
    compared = [test for test in result["tests"] if test["sets"] == ["adversarial", "misclassified"]]
    kinds = list(dict.fromkeys(test["test"] for test in compared))
    rows = [["D against M", "n", "difference", *(kind.replace("_", "-") for kind in kinds), "undefined"]]
    keys = dict.fromkeys((test["quantity"], test["j"]) for test in compared)
    for quantity, j in keys:
        tests = {test["test"]: test for test in compared if (test["quantity"], test["j"]) == (quantity, j)}
        paired = tests["paired"]
        difference = f"{_number(paired['mean_difference'], '+.4f')} {paired['direction'] or ''}".rstrip()
        name = f"{quantities[quantity]} at K = {j}"
        why = ", ".join(dict.fromkeys(t["reason"] for t in tests.values() if t["reason"] is not None))
        rows.append([name, str(paired["n"]), difference, *(_p_value(tests[kind]) for kind in kinds), why])
    reasons = sorted({test["reason"] for test in compared if test["reason"] is not None})
    notes = [
        "D adversarial, M misclassified; S at K is A_K / A_K+2; difference is the mean of D - M over the runs; "
        "p-values of each test as they are / Holm-adjusted over K",
        *(f"{reason}: {REASONS[reason]}" for reason in reasons),
    ]
    return "\n".join([align(rows, width), *(_wrapped(note, width) for note in notes)])


def _p_value(test: dict[str, Any]) -> str:
    return ABSENT if test["p"] is None else f"{test['p']:.2g} / {test['p_holm']:.2g}"


def _number(value: float | None, form: str) -> str:
    return ABSENT if value is None else format(value, form)


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
    taken = widths[0]
    for column, needed in enumerate((2 + other for other in widths[1:]), 1):
        if width is not None and blocks[-1] and taken + needed > width:
            blocks.append([])
            taken = widths[0]
        blocks[-1].append(column)
        taken += needed
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
