"""Tables and sentences of "What we find" follow from the metrics in results/, derived here anew by SciPy alone."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from benchmarks.findings import CONTROLS, SHOWN, Found
from core.spec.spec import Spec

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path for path in (ROOT / "results").iterdir() if (path / "spec.toml").is_file())
NAMES = [folder.name for folder in FOLDERS]
FINDINGS = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
LEVELS = ("7", "5", "3", "1")
GENERAL, FITTED = "7", "1"
MARGIN = 0.02
RUNS = {"mnist": 12, "cifar10": 8}
FOLDS = 7
"""MNIST has so many disjoint test parts of 10,000 images."""

Run = Mapping[str, Any]
Value = Callable[[Run], float]


@cache
def runs_of(name: str) -> list[Run]:
    """What the metrics files hold, as JSON."""
    return [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "results" / name / "runs").glob("*.json"))
    ]


def values(name: str, of: Value) -> NDArray[np.float64]:
    """One value a run."""
    return np.array([of(run) for run in runs_of(name)], dtype=np.float64)


def interval(name: str, of: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean and interval: mean -+ t(0.975; J-1) sqrt((1/J + n_test/n_train) var), Nadeau and Bengio (2003)."""
    counts, runs = runs_of(name)[0]["counts"], len(of)
    half = stats.t.ppf(0.975, runs - 1) * math.sqrt(
        (1 / runs + counts["test"] / counts["train"]) * of.var(ddof=1)
    )
    return float(of.mean()), float(of.mean() - half), float(of.mean() + half)


def decision(low: float, high: float) -> str:
    if low > -MARGIN and high < MARGIN:
        return "same"
    return "higher" if low > 0 else "lower" if high < 0 else "undecided"


# The quantities, from their definitions in docs/protocol.md


def crossfit_rise(sets: str) -> Value:
    return lambda run: run["crossfit"][sets][FITTED] - run["crossfit"][sets][GENERAL]


def selection_share(sets: str) -> Value:
    return lambda run: (
        1
        - crossfit_rise(sets)(run)
        / (run["crossfit"]["own"][sets][FITTED] - run["crossfit"]["own"][sets][GENERAL])
    )


def bias_fall(sets: str) -> Value:
    return lambda run: (
        run["bias_variance"][sets][GENERAL]["bias"] - run["bias_variance"][sets][FITTED]["bias"]
    )


def change(of: str, on: str) -> Value:
    """From the general to the fitted level, on the attack's candidates or on noise."""

    def value(run: Run) -> float:
        levels = run["robustness"] if on == "adversarial" else run["noise"]["robustness"]
        return float(levels[FITTED][of] - levels[GENERAL][of])

    return value


def flips(run: Run) -> float:
    found = run["flips"]
    return float((found["gained"] - found["lost"]) / found["n"])


def rise(sets: str) -> Value:
    """To the end of the ladder at which the set was not selected."""
    start, end = (FITTED, GENERAL) if sets.startswith("reverse") else (GENERAL, FITTED)
    return lambda run: run["accuracy"][sets][end] - run["accuracy"][sets][start]


def slope(name: str, sets: str, j: str, i: str) -> NDArray[np.float64]:
    """S_j = A_j / A_i in every run."""
    return values(name, lambda run: run["accuracy"][sets][j] / run["accuracy"][sets][i])


def less(first: Value, second: Value) -> Value:
    return lambda run: first(run) - second(run)


# The text


def table_after(heading: str) -> list[dict[str, str]]:
    """The rows of the first table after a line that begins with the heading."""
    lines = FINDINGS[FINDINGS.index(f"\n{heading}") :].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


def check_cell(cell: str, name: str, of: Value) -> None:
    """A cell such as "+0.113 [+0.079, +0.148]", with or without a decision after it."""
    estimate, low, high = (float(number) for number in re.findall(r"[+-]\d\.\d+", cell))
    found = interval(name, values(name, of))
    assert (estimate, low, high) == pytest.approx(found, abs=0.00051), (name, cell, found)
    word = cell.rpartition("]")[2].strip()
    assert word in ("", decision(*found[1:])), (name, cell, found)


def check_table(heading: str, columns: Mapping[str, Value], *, decided: Sequence[str]) -> None:
    rows = table_after(heading)
    assert [row["experiment"].partition(",")[0] for row in rows] == NAMES
    for row in rows:
        name = row["experiment"].partition(",")[0]
        for column, of in columns.items():
            check_cell(row[column], name, of)
            assert (not row[column].endswith("]")) == (column in decided)


def test_every_experiment_is_there_whole() -> None:
    assert NAMES == [
        "cifar10-jpeg-deepfool",
        "cifar10-jpeg-fgsm",
        "mnist-deepfool",
        "mnist-fgsm",
        "mnist-fgsm-folds",
        "mnist-pgd",
    ]
    for folder in FOLDERS:
        spec = Spec.from_toml((folder / "spec.toml").read_text(encoding="utf-8"))
        data, attack = folder.name.split("-")[0], folder.name.removesuffix("-folds").rpartition("-")[2]
        folds = folder.name.endswith("-folds")
        assert spec.runs == len(runs_of(folder.name)) == (FOLDS if folds else RUNS[data])
        assert (spec.ladder.levels, spec.epsilon, spec.attack) == (LEVELS, 0.1, attack)
        assert spec.splits == ("folds" if folds else "reshuffle")
        assert len({run["data_sha256"] for run in runs_of(folder.name)}) == 1


def test_where_it_was_computed_is_said() -> None:
    for name in NAMES:
        on_gpu = name == "mnist-fgsm" or name.startswith("cifar10")
        environments = [run["environment"] for run in runs_of(name)]
        assert {one["device"] for one in environments} == {"cuda" if on_gpu else "cpu"}
        versions = {one["versions"]["torch"].partition("+")[0] for one in environments}
        assert versions == {"2.11.0" if on_gpu else "2.13.0"}
    text = prose(FINDINGS)
    assert "FGSM on MNIST and both CIFAR-10 experiments were computed on a GPU (H100, PyTorch 2.11)" in text
    assert "the others on a processor (AMD EPYC, PyTorch 2.13)" in text


def test_the_cross_fitted_rises_are_those_of_the_runs() -> None:
    d, m, noise = (crossfit_rise(sets) for sets in ("adversarial", "misclassified", "noise"))
    check_table(
        "**Cross-fitted rise**",
        {
            "D": d,
            "M": m,
            "noise": noise,
            "D - M": less(d, m),
            "D - noise": less(d, noise),
            "selection's share of D's rise": selection_share("adversarial"),
        },
        decided=["D - M", "D - noise"],
    )
    for row in table_after("**Cross-fitted rise**"):
        name, _, runs = row["experiment"].partition(", ")
        assert runs == f"{len(runs_of(name))} runs"


def test_the_falls_of_bias_are_those_of_the_runs() -> None:
    d, m, noise = (bias_fall(sets) for sets in ("adversarial", "misclassified", "noise"))
    check_table(
        "**Fall of bias**",
        {"D": d, "M": m, "noise": noise, "D - M": less(d, m), "D - noise": less(d, noise)},
        decided=["D - M", "D - noise"],
    )


def test_the_changes_of_robustness_are_those_of_the_runs() -> None:
    success = change("success", "adversarial")
    columns = {
        "attack's success": success,
        "worst case": change("worst_case", "adversarial"),
        "flips": flips,
        "success, against noise": less(success, change("success", "noise")),
    }
    check_table("**Without selection**", columns, decided=list(columns))
    for row in table_after("**Without selection**"):
        for column, key in (("fooled", "surrogate_fooled"), ("target hit", "target_hit")):
            share = np.mean([run["attack"][key] for run in runs_of(row["experiment"])])
            assert float(row[column].removesuffix(" %")) == pytest.approx(100 * share, abs=0.051)


@pytest.mark.parametrize("name", NAMES)
def test_the_accuracies_of_an_experiment_are_means_of_its_runs(name: str) -> None:
    rows = table_after(f"**{name}**")
    assert [row["set"] for row in rows] == list(SHOWN)
    for row in rows:
        sizes = [run["counts"]["sets"][row["set"]] for run in runs_of(name)]
        assert float(row["images"].replace(",", "")) == pytest.approx(np.mean(sizes), abs=0.51)
        for level in LEVELS:
            found = np.array([run["accuracy"][row["set"]][level] for run in runs_of(name)])
            mean, low, _ = interval(name, found)
            said, half = (float(number) for number in row[f"K = {level}"].split(" ± "))
            assert said == pytest.approx(mean, abs=0.00051)
            assert half == pytest.approx(mean - low, abs=0.00051)


def test_the_slopes_and_their_p_values_are_those_of_the_runs() -> None:
    rows = table_after("**Slopes**")
    assert [(row["experiment"], row["slope"], row["against"]) for row in rows] == [
        (name, f"S_{j}", against) for name in NAMES for j in (1, 3) for against in ("M", "T")
    ]
    before = {"1": "3", "3": "5"}
    for row in rows:
        name, j = row["experiment"], row["slope"][2:]
        other = {"M": "misclassified", "T": "test"}[row["against"]]
        counts = runs_of(name)[0]["counts"]
        p = {}
        for level in before:
            difference = slope(name, "adversarial", level, before[level]) - slope(
                name, other, level, before[level]
            )
            error = math.sqrt(
                (1 / len(difference) + counts["test"] / counts["train"]) * difference.var(ddof=1)
            )
            p[level] = float(2 * stats.t.sf(abs(difference.mean()) / error, len(difference) - 1))
        small, large = sorted(p, key=p.__getitem__)
        holm = {small: min(1.0, 2 * p[small]), large: min(1.0, max(2 * p[small], p[large]))}
        ours, theirs = slope(name, "adversarial", j, before[j]), slope(name, other, j, before[j])
        welch = stats.ttest_ind(ours, theirs, equal_var=False).pvalue
        assert float(row["difference"]) == pytest.approx((ours - theirs).mean(), abs=0.00051)
        for column, right in (("Welch", welch), ("corrected", p[j]), ("Holm", holm[j])):
            said = float(row[column])
            tolerance = 0.00051 if "e" not in row[column] else 0.51 * 10.0 ** math.floor(math.log10(said))
            assert said == pytest.approx(right, abs=tolerance), (name, row)


def test_the_controls_are_those_of_the_runs() -> None:
    d = rise("adversarial")
    columns = {f"D - {control}": less(d, rise(control)) for control in CONTROLS}
    columns["both ends"] = less(rise("adversarial-both-ends"), rise("reverse-both-ends"))
    check_table("**Controls**", columns, decided=list(columns))


def prose(text: str) -> str:
    """The text on one line."""
    return " ".join(text.split())


def of_all(of: Value, names: Sequence[str] = NAMES) -> list[tuple[float, float, float]]:
    return [interval(name, values(name, of)) for name in names]


def between(numbers: Sequence[float], word: str) -> str:
    return f"{min(numbers):.3f} {word} {max(numbers):.3f}"


def named(data: str) -> list[str]:
    return [name for name in NAMES if name.startswith(data)]


@pytest.mark.parametrize("text", [FINDINGS, README], ids=["findings", "README"])
def test_the_sentences_follow_from_the_runs(text: str) -> None:
    text = prose(text)
    d, m = rise("adversarial"), rise("misclassified")
    ends = [found[0] for found in of_all(lambda run: run["accuracy"]["adversarial"][FITTED])]
    assert f"to between {between(ends, 'and')} at K = 1" in text
    shares = of_all(selection_share("adversarial"), named("mnist"))
    assert f"{between([found[0] for found in shares], 'to')} of the " in text
    assert all(low <= 1 <= high for _, low, high in of_all(selection_share("adversarial"), named("cifar10")))
    left = of_all(less(crossfit_rise("adversarial"), crossfit_rise("misclassified")))
    assert all(decision(*found[1:]) == "lower" for found in left)
    assert f"by {between([-found[0] for found in left], 'to')}" in text
    fall = of_all(less(bias_fall("adversarial"), bias_fall("misclassified")))
    decisions = [decision(*found[1:]) for found in fall]
    assert set(decisions) <= {"lower", "undecided"}
    numbers = ("no", "one", "two", "three", "four", "five", "six")
    assert f"in {numbers[decisions.count('lower')]} of {numbers[len(NAMES)]}" in text
    lower = [-found[0] for found, word in zip(fall, decisions, strict=True) if word == "lower"]
    assert f"of {numbers[len(NAMES)]}, by {between(lower, 'to')}. The claim" in text or (
        f"smaller on D than on M by {between(lower, 'to')};" in text
    )
    assert all(decision(*found[1:]) == "higher" for found in of_all(less(d, m)))


def test_the_sentences_of_the_findings_alone_follow_from_the_runs() -> None:
    text = prose(FINDINGS)
    d, m, noise = (rise(sets) for sets in ("adversarial", "misclassified", "noise"))
    further = [found[0] for found in of_all(less(d, m))]
    assert f"further than on M, by {between(further, 'to')};" in text
    before = {"1": "3", "3": "5"}
    p_values = []
    for name in NAMES:
        for j, i in before.items():
            ours, theirs = slope(name, "adversarial", j, i), slope(name, "misclassified", j, i)
            assert ours.mean() < theirs.mean()
            p_values.append(float(stats.ttest_ind(ours, theirs, equal_var=False).pvalue))
    assert f"with a Welch p of {max(p_values):.3f} or less" in text
    shares = [found[0] for found in of_all(selection_share("adversarial"), named("cifar10"))]
    assert f"({between(shares, 'and')}, with 1 inside the intervals)" in text
    success = change("success", "adversarial")
    for name in NAMES:
        found = interval(name, values(name, success))
        if name != "cifar10-jpeg-fgsm":
            assert decision(*found[1:]) == "same"
            continue
        assert f"it falls by {-found[0]:.3f} [{-found[2]:.3f}, {-found[1]:.3f}]" in text
        against = interval(name, values(name, less(success, change("success", "noise"))))
        assert decision(*against[1:]) == "same"
    ends = [found[0] for sets in ("noise", "noise-matched") for found in of_all(rise(sets))]
    assert f"to between {between(ends, 'and')}; in no experiment does D rise further" in text
    decisions = [decision(*found[1:]) for found in of_all(less(d, noise))]
    assert "higher" not in decisions
    numbers = ("no", "one", "two", "three", "four", "five", "six")
    assert f"in {numbers[decisions.count('lower')]} of {numbers[len(NAMES)]} it rises less" in text
    falls = dict(zip(NAMES, of_all(less(bias_fall("adversarial"), bias_fall("noise"))), strict=True))
    larger = [name for name, found in falls.items() if decision(*found[1:]) == "higher"]
    assert larger == ["mnist-deepfool"]
    assert "lower" not in {decision(*found[1:]) for found in falls.values()}
    mean, low, high = falls["mnist-deepfool"]
    said = (
        f"it is larger in {numbers[len(larger)]} of {numbers[len(NAMES)]}, DeepFool on MNIST, by {mean:.3f}"
    )
    assert f"{said} [{low:.3f}, {high:.3f}]" in text
    fooled = {name: values(name, lambda run: run["attack"]["surrogate_fooled"]).mean() for name in NAMES}
    assert f"no more than {100 * max(fooled[name] for name in named('mnist')):.1f} %" in text
    assert f"at least {100 * min(fooled[name] for name in named('cifar10')):.1f} %" in text


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_the_verdict_beside_the_runs_is_theirs(folder: Path) -> None:
    """By the code of today: a rule that changes must change it."""
    found = Found.read(folder).statistics.verdict
    assert (folder / "verdict.txt").read_text(encoding="utf-8") == "\n\n".join(found) + "\n"
