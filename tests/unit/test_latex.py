"""The LaTeX tables say what the JSON result says, cell by cell, and compile whatever things are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from core.attacks.registry import ATTACKS
from core.errors import ExperimentError
from core.records.state import read_state
from core.report.formats import TableName
from core.report.result import Result, result_of
from core.report.tables.latex import escaped, latex
from core.report.terms import TEST_NAMES
from core.spec.spec import Spec
from tests.fakes.corrected import (
    bias_cells,
    crossfit_cells,
    mean_and_half,
    net_flips,
    robustness_cells,
)
from tests.fakes.experiments import make_experiment_from_answers
from tests.fakes.ladders import WORDS, with_ladder
from tests.fakes.published import MADE, published

PAPER_PAIR = ("adversarial", "misclassified")
WHY = {
    None: "",
    "too_few_runs": "too few runs",
    "empty_set": "empty set",
    "zero_variance": "exactly the same in every run",
}
"""Why a claim has no interval, in words."""
LEVELS_OF = {4: ("7", "5", "3", "1"), 3: ("5", "3", "1")}


@dataclass
class Table:
    caption: str
    label: str
    columns: str
    header: list[str]
    rows: list[list[str]]


def tables(text: str) -> list[Table]:
    """The `table` environments, by their cells."""
    found = []
    for body in re.findall(r"\\begin\{table\}(.*?)\\end\{table\}", text, re.DOTALL):
        columns, grid = re.search(
            r"\\begin\{tabular\}\{(\w+)\}\n(.*?)\\end\{tabular\}", body, re.DOTALL
        ).groups()  # type: ignore[union-attr]
        lines = [line for line in grid.splitlines() if not re.fullmatch(r"\\(top|mid|bottom)rule", line)]
        assert all(line.endswith(r" \\") for line in lines)
        header, *rows = [line.removesuffix(r" \\").split(" & ") for line in lines]
        caption = re.search(r"\\caption\{(.*)\}\n", body)
        label = re.search(r"\\label\{tab:(.*)\}\n", body)
        assert caption
        assert label
        found.append(Table(caption[1], label[1], columns, header, rows))
    return found


def number(cell: str) -> float | None:
    """The number that a cell shows."""
    if cell == "--":
        return None
    digits = re.fullmatch(r"\$(.*)\$", cell)
    assert digits, cell
    return float(re.sub(r" \\times 10\^\{(-?\d+)\}", r"e\1", digits[1]))


def shown(value: float | None, form: str) -> float | None:
    return None if value is None else float(format(value, form))


@pytest.fixture(scope="module", params=list(MADE))
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return published(tmp_path_factory.mktemp("home"), request.param)[1]


def test_the_accuracy_table_has_a_row_a_set_and_a_column_a_level(result: Result) -> None:
    found = tables(latex(result, "accuracy"))
    if result.summary is None:
        assert found == []
        return
    (table,) = found
    accuracy = result.summary.accuracy
    levels = LEVELS_OF[len(result.ladder.levels)]
    assert table.header == [
        "set", *(f"$K = {level}$" for level in levels), "$n$", "fooled", "target hit",
    ]  # fmt: skip
    assert [row[0] for row in table.rows] == list(accuracy)
    for name, *cells, runs, fooled, hit in table.rows:
        assert int(runs) == accuracy[name]["1"].n
        assert [fooled, hit] == rates_of(result, name)
        for level, cell in zip(levels, cells, strict=True):
            summary = accuracy[name][level]
            if summary.mean is None:
                assert cell == "--"
                continue
            numbers = [float(digits) for digits in re.findall(r"\d+\.\d+", cell)]
            assert numbers[0] == shown(summary.mean, ".4f")
            if summary.ci95 is None:
                assert len(numbers) == 1
            else:
                half = (summary.ci95[1] - summary.ci95[0]) / 2
                assert cell == f"${summary.mean:.4f} \\pm {half:.4f}$"


def rates_of(result: Result, name: str) -> list[str]:
    """Of what made a set's images, means over the runs: of the attack, or of an attack of the set's own."""
    runs = result.metrics.values()
    figures = [run.attack if name == "adversarial" else run.sets.get(name) for run in runs]
    columns = [[one.surrogate_fooled, one.target_hit] for one in figures if one is not None]
    return [
        f"{np.mean(there):.4f}" if (there := [value for value in column if value is not None]) else "--"
        for column in (zip(*columns, strict=True) if columns else ((), ()))
    ]


def by_label(result: Result, **options: Any) -> dict[str, Table]:
    return {table.label.removeprefix(f"{result.id}-"): table for table in tables(latex(result, **options))}


def test_what_decides_is_the_first_table_with_a_row_a_claim(result: Result) -> None:
    found = tables(latex(result, "claims"))
    if not result.claims:
        assert found == []
        return
    (table,) = found
    assert tables(latex(result))[0] == table
    assert table.label == f"{result.id}-claims"
    assert table.header == [
        "quantity", "of", "estimate", "95\\,\\% interval", "margin", "decision", "$n$", "reason",
    ]  # fmt: skip
    assert len(table.rows) == len(result.claims)
    named = ""
    for row, claim in zip(table.rows, result.claims, strict=True):
        # A quantity is named where it begins.
        assert bool(row[0]) == (claim.name != named)
        named = claim.name
        assert row[1:] == [
            " $-$ ".join(claim.sets),
            f"${claim.estimate:+.4f}$",
            f"$[{claim.ci95[0]:+.4f}, {claim.ci95[1]:+.4f}]$" if claim.ci95 else "--",
            "$0.02$",
            claim.decision,
            str(claim.n),
            WHY[claim.reason],
        ]
    assert "The intervals allow for splits that overlap (Nadeau and Bengio, 2003)." in table.caption
    quantities = [row[0] for row in table.rows if row[0]]
    assert quantities[0] == "rise, cross-fitted"
    assert len(set(quantities)) == len(quantities)


@pytest.mark.parametrize("name", ["complete", "running"])
def test_what_was_measured_at_every_level_is_a_mean_over_the_runs(tmp_path: Path, name: str) -> None:
    result = published(tmp_path, name)[1]
    found = by_label(result, table="deciding")
    assert list(found) == ["crossfit", "crossfit-fitted", "bias-variance", "robustness", "flips"]
    run, levels = result.metrics[0], [f"$K = {level}$" for level in result.ladder.levels]

    def shown(cells: list[list[float | None]]) -> list[str]:
        return [
            f"${mean:.4f} \\pm {half:.4f}$" for mean, half in (mean_and_half(values, run) for values in cells)
        ]

    runs = str(len(result.metrics))
    for label, fitted in (("crossfit", False), ("crossfit-fitted", True)):
        table = found[label]
        facts = 1 if fitted else 2
        assert table.header == ["", *["images", "selection"][:facts], "", *levels, "$n$"]
        expected = []
        for one in ("test", "misclassified", "adversarial", "noise"):
            other, own = (
                shown(crossfit_cells(result, one, own=which, fitted=fitted)) for which in (False, True)
            )
            half = "each half" if one == "test" else "other half"
            expected += [[one, half, *other, runs]]
            expected += [] if one == "test" else [["", "own half", *own, runs]]
        assert [[row[0], *row[1 + facts :]] for row in table.rows] == expected
        assert "which allows for splits that overlap" in table.caption
    shares = {claim.sets[0]: claim.estimate for claim in result.claims if claim.name == "selection_share"}
    selection = {row[0]: row[2] for row in found["crossfit"].rows if row[0] not in ("", "test")}
    assert selection == {one: f"{share:.3f}" for one, share in shares.items()}
    assert found["bias-variance"].rows == [
        [one if field == "bias" else "", field, *shown(bias_cells(result, one, field)), runs]
        for one in ("test", "misclassified", "adversarial", "noise")
        for field in ("bias", "variance", "error")
    ]
    attack = ATTACKS[result.spec.attack].title
    kinds = {attack: "attack", "the control noise": "noise", f"{attack}, ties: nearest": "ties: nearest"}
    expected = []
    for title, kind in kinds.items():
        first = [title, *rates_of(result, "noise" if kind == "noise" else "adversarial")]
        for field in ("accuracy", "success", "worst_case"):
            cells = shown(robustness_cells(result, kind, field))
            expected.append([*first, field.replace("_", " "), *cells, runs])
            first = ["", "", ""]
    assert found["robustness"].rows == expected
    for row, (title, kind) in zip(found["flips"].rows, kinds.items(), strict=True):
        counts, net = net_flips(result, kind)
        mean, width = mean_and_half(list(net), run)
        totals = [f"{sum(column):,}" for column in zip(*counts, strict=True)]
        assert row == [
            title,
            *rates_of(result, "noise" if kind == "noise" else "adversarial"),
            *totals,
            f"${mean:+.4f} \\pm {width:.4f}$",
            runs,
        ]


def test_every_attack_has_a_row_with_its_figures(result: Result) -> None:
    found = by_label(result, table="attacks")
    if result.summary is None:
        assert found == {}
        return
    rows = {row[0]: row[1:] for row in found["attacks"].rows}
    made = {ATTACKS[result.spec.attack].title: "adversarial"}
    made |= {f"the control {name}": name for run in result.metrics.values() for name in run.sets}
    assert list(rows) == list(made)
    for title, name in made.items():
        figures = [run.attack if name == "adversarial" else run.sets[name] for run in result.metrics.values()]
        assert rows[title] == [
            *rates_of(result, name),
            f"{max(one.linf_max or 0 for one in figures):.4g}",
            f"{np.mean([one.l2_mean for one in figures if one.l2_mean is not None]):.4g}",
        ]


def test_a_result_of_an_older_version_has_nothing_of_what_decides(tmp_path: Path) -> None:
    result = published(tmp_path, "older")[1]
    assert list(by_label(result))[:2] == ["attacks", "accuracy"]
    assert "overlap" not in by_label(result)["accuracy"].caption
    for table in ("claims", "deciding"):
        assert tables(latex(result, table)) == []


def test_wilcoxons_row_has_its_own_effect_and_no_mean_difference(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    tests = tuple(
        replace(test, mean_difference=-0.059, effect_size=1 / 3, direction="higher", p=1.0)
        if test.test == "wilcoxon" and test.p is not None
        else test
        for test in result.tests
    )
    rows = [row for table in tables(latex(replace(result, tests=tests), "tests")) for row in table.rows]
    wilcoxon = [row for row in rows if row[1] == "Wilcoxon" and len(row) == 11]
    assert wilcoxon
    assert all(row[-4:] == ["--", "--", "$+0.333$", "higher"] for row in wilcoxon)


def test_every_test_is_a_row_with_its_numbers_or_the_reason(result: Result) -> None:
    found = tables(latex(result, "tests"))
    # Where there is one row for all tests of a j, it stands for each of them.
    rows = [
        (table.label, [row[0], name, *row[2:]])
        for table in found
        for row in table.rows
        for name in (TEST_NAMES.values() if row[1] == "all" else [row[1]])
    ]
    expected = [(f"{result.id}-{'-'.join(test.sets)}-{test.quantity}", test) for test in result.tests]
    expected.sort(key=lambda one: [table.label for table in found].index(one[0]))
    assert len(rows) == len(expected)
    for (label, row), (wanted, test) in zip(rows, expected, strict=True):
        assert label == wanted
        assert row[:3] == [test.j, TEST_NAMES[test.test], str(test.n)]
        if test.reason is None:
            assert len(row) == 11
            assert number(row[3]) == shown(test.statistic, ".3f")
            assert number(row[4]) == shown(test.df, ".2f")
            assert number(row[5]) == pytest.approx(test.p, rel=0.051)
            assert number(row[6]) == pytest.approx(test.p_holm, rel=0.051)
        else:
            assert row[3] == f"\\multicolumn{{4}}{{l}}{{{test.reason.replace('_', ' ')}}}"
        difference, interval, effect, direction = row[-4:]
        ranks = test.test == "wilcoxon" and test.p is not None
        assert number(difference) == (None if ranks else shown(test.mean_difference, ".4f"))
        assert number(effect) == shown(test.effect_size, ".3f")
        assert direction == (test.direction or "--")
        ends = [float(end) for end in re.findall(r"[+-]\d+\.\d+", interval)]
        assert ends == [shown(end, ".4f") for end in test.ci95 or ()]


def test_a_j_without_any_p_value_has_one_row_where_the_reason_is_one(tmp_path: Path) -> None:
    table = tables(latex(published(tmp_path / "complete", "complete")[1], "tests", PAPER_PAIR))[0]
    none = "\\multicolumn{4}{l}{by construction}"
    assert [row for row in table.rows if row[0] == "5"] == [["5", "all", "0", none, "--", "--", "--", "--"]]
    assert [row[1] for row in table.rows if row[0] != "5"] == list(TEST_NAMES.values()) * 2
    # Without variance t tests lack a p-value for another reason than Wilcoxon's.
    result = published(tmp_path / "no_spread", "no_spread")[1]
    table = tables(latex(result, "tests", ["adversarial", "fooled"]))[0]
    reasons = ["zero variance"] * 3 + ["all differences zero"]
    assert [row[1:4:2] for row in table.rows if row[0] == "1"] == [
        [name, f"\\multicolumn{{4}}{{l}}{{{reason}}}"]
        for name, reason in zip(TEST_NAMES.values(), reasons, strict=True)
    ]


def test_what_differs_between_tests_keeps_their_rows(tmp_path: Path) -> None:
    result = published(tmp_path, "one_run")[1]
    assert [row[1] for row in tables(latex(result, "tests"))[0].rows] == ["all"] * 3
    tests = tuple(
        replace(test, mean_difference=0.5) if test.test == "wilcoxon" else test for test in result.tests
    )
    changed = tables(latex(replace(result, tests=tests), "tests"))[0]
    assert [row[1] for row in changed.rows] == list(TEST_NAMES.values()) * 3


def test_sets_choose_the_rows_and_the_pairs(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    everything = {table.label: table for table in tables(latex(result))}
    chosen = by_label(result, sets=["noise", "misclassified", "adversarial"])
    assert [row[1] for row in chosen["claims"].rows] == [
        " $-$ ".join(claim.sets)
        for claim in result.claims
        if {"noise", "misclassified", "adversarial"}.issuperset(claim.sets)
    ]
    for name, (first, *_) in (
        ("crossfit", chosen["crossfit"].rows),
        ("bias-variance", chosen["bias-variance"].rows),
    ):
        assert first[0] == "misclassified", name
    assert by_label(result, sets=["noise"])["robustness"].rows[0][0] == "the control noise"
    assert list(by_label(result, sets=["reverse"])) == ["attacks", "accuracy"]
    accuracy = chosen["accuracy"]
    tests = [
        table for name, table in chosen.items() if name.endswith(("-ratio", "-difference", "-log_ratio"))
    ]
    assert [row[0] for row in accuracy.rows] == ["misclassified", "adversarial", "noise"]
    assert all(row in everything[accuracy.label].rows for row in accuracy.rows)
    assert [table.label.removeprefix(f"{result.id}-") for table in tests] == [
        f"adversarial-{other}-{quantity}"
        for quantity in ("ratio", "difference", "log_ratio")
        for other in ("misclassified", "noise")
    ]
    assert all(table == everything[table.label] for table in tests)
    alone = by_label(result, sets=["test"])["accuracy"]
    assert [row[0] for row in alone.rows] == ["test"]


def test_what_cannot_be_chosen_is_told_as_figures_tell_it(tmp_path: Path) -> None:
    result = published(tmp_path / "complete", "complete")[1]
    with pytest.raises(ExperimentError, match="no set 'nois': expected one of test, misclassified"):
        latex(result, sets=["nois"])
    with pytest.raises(ExperimentError, match="compares no pair"):
        latex(result, "tests", ["test", "noise"])
    with pytest.raises(ExperimentError, match="its table accuracy is the summary") as refused:
        latex(result, "summary")
    assert "--table accuracy" in refused.value.hint
    with pytest.raises(ExperimentError, match="no set 'nois'"):
        latex(published(tmp_path / "nothing", "nothing_yet")[1], sets=["nois"])


def test_no_row_has_more_cells_than_the_table_has_columns(result: Result) -> None:
    for table in tables(latex(result)):
        for row in (table.header, *table.rows):
            spanned = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", " & ".join(row)))
            assert len(row) + spanned == len(table.columns)


def test_all_tables_stand_in_the_file_unless_one_is_asked_for(result: Result) -> None:
    whole = latex(result)
    parts: tuple[TableName, ...] = ("claims", "deciding", "attacks", "accuracy", "tests")
    assert [t.label for t in tables(whole)] == [t.label for one in parts for t in tables(latex(result, one))]
    assert whole.startswith("%")
    assert r"\usepackage{booktabs}" in whole.splitlines()[0]
    if result.summary is None:
        assert all(line.startswith("%") for line in whole.splitlines() if line)


def test_braces_and_environments_are_balanced(result: Result) -> None:
    text = re.sub(r"\\[{}\\]", "", latex(result))
    depth = 0
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        assert depth >= 0
    assert depth == 0
    opened = re.findall(r"\\(begin|end)\{(\w+)\}", text)
    stack: list[str] = []
    for kind, name in opened:
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert stack == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one-per-source", "one-per-source"),
        ("50%_of $5 & #1", r"50\%\_of \$5 \& \#1"),
        (r"a\b{c}~^", r"a\textbackslash{}b\{c\}\textasciitilde{}\textasciicircum{}"),
        ("a--b---c", "a-{}-b-{}-{}-c"),
        ("<x|y>", r"\textless{}x\textbar{}y\textgreater{}"),
        ("Größe, Œuvre, háček, ẞ", r"Gr\"{o}\ss{}e, \OE{}uvre, h\'{a}\v{c}ek, ?"),
        ("e\u0301", r"\'{e}"),
        ("漢字\x07\n", "????"),
        ('"x" \'y\' `z`', r"\char34{}x\char34{} \textquoteright{}y\textquoteright{} "
                          r"\textasciigrave{}z\textasciigrave{}"),
    ],
)  # fmt: skip
def test_names_are_set_as_they_are(text: str, expected: str) -> None:
    assert escaped(text) == expected


def test_tables_of_numbers_that_may_change_say_so(tmp_path: Path) -> None:
    unfinished = tables(latex(published(tmp_path / "running", "running")[1]))
    warning = "Not complete: the numbers are over runs 1-3 of 9 and may change."
    assert all(table.caption.endswith(f" {warning}") for table in unfinished)
    final = tables(latex(published(tmp_path / "complete", "complete")[1]))
    assert len(unfinished) > 1
    assert len(final) > 1
    assert not any("may change" in table.caption for table in final)


def test_a_data_set_of_ones_own_is_named_in_the_captions(tmp_path: Path) -> None:
    spec = Spec(dataset="/data/50%_moths & {night}.npz", runs=3, controls=(), options={"z": 3})
    found = tables(latex(result_of(read_state(make_experiment_from_answers(tmp_path, spec).experiment))))
    assert len(found) == 14
    for table in found:
        assert r"50\%\_moths \& \{night\}" in table.caption


def test_captions_say_what_was_run_and_what_the_letters_mean(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    accuracy = by_label(result, table="accuracy")["accuracy"]
    tests = tables(latex(result, "tests", PAPER_PAIR))
    fooled, hit = (f"{100 * float(rate):.2f}" for rate in exact_rates(result))
    asked = (
        rf"FGSM, targeted (fooled {fooled} \%, target hit {hit} \%) on mnist, $\epsilon = 0.1$, $K = 7$ to 1."
    )
    assert accuracy.caption == (
        "Accuracy against $K$; mean over 5 runs $\\pm$ half the 95\\,\\% interval, which allows for splits that "
        "overlap. Fooled, target hit: shares of the candidates from which a set was selected. " + asked
    )
    before = "($i$ the level before $j$)"
    overlap = (
        r"Of the tests\textquoteright{} intervals only Nadeau-Bengio\textquoteright{}s allows for splits that "
        "overlap."
    )
    assert [table.caption for table in tests] == [
        f"{quantity}: adversarial against misclassified. {overlap} {asked}"
        for quantity in (f"$S_j = A_j / A_i$ {before}", f"$A_j - A_i$ {before}", r"$\log S_j$")
    ]
    assert all(asked in table.caption for table in tables(latex(result)))


def exact_rates(result: Result) -> list[float]:
    figures = [run.attack for run in result.metrics.values()]
    hits = [one.target_hit for one in figures if one.target_hit is not None]
    return [float(np.mean([one.surrogate_fooled for one in figures])), float(np.mean(hits))]


def test_levels_of_another_family_have_its_words_in_its_order(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    (accuracy,) = tables(latex(with_ladder(result), "accuracy", PAPER_PAIR))
    tests = tables(latex(with_ladder(result), "tests", PAPER_PAIR))
    assert accuracy.header[1:-3] == [escaped(f"tree depth = {level}") for level in WORDS.levels]
    assert accuracy.header[1] == r"tree depth = shallow\_5\%"
    assert "Accuracy against tree depth;" in accuracy.caption
    assert r"tree depth = shallow\_5\% to bottomless." in accuracy.caption
    own = tables(latex(result, "tests", PAPER_PAIR))
    assert accuracy.rows == tables(latex(result, "accuracy", PAPER_PAIR))[0].rows
    crossfit = by_label(with_ladder(result))["crossfit"]
    assert crossfit.header[4:-1] == [escaped(f"tree depth = {level}") for level in WORDS.levels]
    assert crossfit.rows == by_label(result)["crossfit"].rows
    assert r"selected at tree depth = shallow\_5\%;" in crossfit.caption
    names = dict(zip(("5", "3", "1"), map(escaped, WORDS.levels[1:]), strict=True))
    for table, same in zip(tests, own, strict=True):
        assert table.rows == [[names[row[0]], *row[1:]] for row in same.rows]
