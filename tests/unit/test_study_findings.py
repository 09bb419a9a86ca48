"""Tables and sentences of docs/studies.md follow from the metrics in results/studies, by SciPy alone."""

from __future__ import annotations

import json
import math
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "results" / "studies"
TEXT = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
PROSE = " ".join(TEXT.split())
MARGIN = 0.02
Cells = dict[tuple[Any, ...], list[dict[str, Any]]]


@cache
def cells(study: str, *axes: str) -> Cells:
    """What the metrics of an experiment hold, run by run, by its values on the axes."""
    content = tomllib.loads((STUDIES / study / "study.toml").read_text(encoding="utf-8"))
    found: Cells = {}
    for cell in content["cell"]:
        paths = sorted((STUDIES / study / "runs" / cell["id"]).glob("*.json"))
        assert len(paths) == {**content["base"], **cell}["runs"] == 3
        runs = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        assert all(run["environment"]["device"].startswith("cuda") for run in runs)
        found[tuple({**content["base"], **cell}[axis] for axis in axes)] = runs
    return found


EPSILON = cells("epsilon", "attack", "epsilon")
LADDER = cells("ladder", "z")
ALL = [*EPSILON.values(), *(runs for key, runs in LADDER.items() if key != (7,))]


def ends(run: dict[str, Any]) -> tuple[str, str]:
    """The most general level and the most fitted one."""
    return run["ladder"]["levels"][0], run["ladder"]["levels"][-1]


def rise(run: dict[str, Any], sets: str, *, own: bool = False) -> float:
    general, fitted = ends(run)
    found = run["crossfit"]["own"] if own else run["crossfit"]
    return float(found[sets][fitted] - found[sets][general])


def left(run: dict[str, Any]) -> float:
    return rise(run, "adversarial") - rise(run, "misclassified")


def share(run: dict[str, Any]) -> float:
    return 1 - rise(run, "adversarial") / rise(run, "adversarial", own=True)


def bias(run: dict[str, Any]) -> float:
    general, fitted = ends(run)
    fall = {s: found[general]["bias"] - found[fitted]["bias"] for s, found in run["bias_variance"].items() if s in (
        "adversarial", "misclassified")}  # fmt: skip
    return float(fall["adversarial"] - fall["misclassified"])


def success(run: dict[str, Any]) -> float:
    general, fitted = ends(run)
    return float(run["robustness"][fitted]["success"] - run["robustness"][general]["success"])


def values(runs: list[dict[str, Any]], of: Any) -> NDArray[np.float64]:
    return np.array([of(run) for run in runs], dtype=np.float64)


def interval(runs: list[dict[str, Any]], found: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean and interval: mean -+ t(0.975; J-1) sqrt((1/J + n_test/n_train) var), Nadeau and Bengio (2003)."""
    counts, number = runs[0]["counts"], len(found)
    spread = math.sqrt((1 / number + counts["test"] / counts["train"]) * found.var(ddof=1))
    half = stats.t.ppf(0.975, number - 1) * spread
    return float(found.mean()), float(found.mean() - half), float(found.mean() + half)


def decision(low: float, high: float) -> str:
    if low > -MARGIN and high < MARGIN:
        return "same"
    return "higher" if low > 0 else "lower" if high < 0 else "undecided"


def difference(
    first: list[dict[str, Any]], second: list[dict[str, Any]], of: Any
) -> tuple[float, float, float]:
    """Paired by run, for they share splits."""
    assert [run["data_sha256"] for run in first] == [run["data_sha256"] for run in second]
    return interval(first, values(first, of) - values(second, of))


def rows(heading: str) -> list[dict[str, str]]:
    lines = TEXT[TEXT.index(f"\n{heading}") :].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    found = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return [dict(zip(found[0], row, strict=True)) for row in found[2:]]


def check(cell: str, runs: list[dict[str, Any]], of: Any, *, decided: bool) -> None:
    estimate, low, high = (float(number) for number in re.findall(r"[+-]\d\.\d+", cell))
    found = interval(runs, values(runs, of))
    assert (estimate, low, high) == pytest.approx(found, abs=0.00051)
    assert cell.rpartition("]")[2].strip() == (decision(*found[1:]) if decided else "")


@pytest.mark.parametrize(
    ("heading", "found", "axes"),
    [("**epsilon**", EPSILON, ("attack", "epsilon")), ("**ladder**", LADDER, ("z",))],
    ids=["epsilon", "ladder"],
)
def test_the_tables_are_those_of_the_runs(heading: str, found: Cells, axes: tuple[str, ...]) -> None:
    table = rows(heading)
    assert len(table) == len(found)
    for row in table:
        (runs,) = [
            one for key, one in found.items() if [str(value) for value in key] == [row[axis] for axis in axes]
        ]
        fooled = 100 * values(runs, lambda run: run["attack"]["surrogate_fooled"]).mean()
        assert float(row["fooled"].rstrip(" %")) == pytest.approx(fooled, abs=0.051)
        images = values(runs, lambda run: run["counts"]["sets"]["adversarial"]).mean()
        assert float(row["images in D"].replace(",", "")) == pytest.approx(images, abs=0.51)
        fitted = values(runs, lambda run: run["accuracy"]["adversarial"][ends(run)[1]]).mean()
        assert float(row["A of D, fitted"]) == pytest.approx(fitted, abs=0.00051)
        check(row["cross-fitted rise, D - M"], runs, left, decided=True)
        check(row["selection's share of D's rise"], runs, share, decided=False)
        check(row["fall of bias, D - M"], runs, bias, decided=True)
        check(row["attack's success"], runs, success, decided=True)


def test_the_attacks_success_is_the_same_everywhere() -> None:
    assert len(ALL) == 14
    for runs in ALL:
        assert decision(*interval(runs, values(runs, success))[1:]) == "same"
    fooled = [100 * values(runs, lambda run: run["attack"]["surrogate_fooled"]).mean() for runs in ALL]
    assert f"in {min(fooled):.1f} % or in {max(fooled):.1f} % of the candidates" in PROSE


def worst_case(run: dict[str, Any]) -> float:
    general, fitted = ends(run)
    return float(run["robustness"][fitted]["worst_case"] - run["robustness"][general]["worst_case"])


def accuracy_on_t(run: dict[str, Any]) -> float:
    general, fitted = ends(run)
    return float(run["accuracy"]["test"][fitted] - run["accuracy"]["test"][general])


def test_the_worst_case_moves_as_it_is_said_to() -> None:
    found = [interval(runs, values(runs, worst_case)) for runs in ALL]
    decisions = [decision(*one[1:]) for one in found]
    assert [decisions.count(word) for word in ("higher", "lower", "undecided", "same")] == [2, 1, 1, 10]
    at = {z: interval(LADDER[z,], values(LADDER[z,], worst_case)) for z in (31, 51)}
    more = {z: f"{mean:.3f} [{low:.3f}, {high:.3f}]" for z, (mean, low, high) in at.items()}
    assert f"for Z = 31, by {more[31]}, and for Z = 51, by {more[51]}" in PROSE
    on_t = {z: interval(LADDER[z,], values(LADDER[z,], accuracy_on_t)) for z in (31, 51)}
    assert all(low > 0 for _, low, _ in on_t.values())
    assert f"accuracy on T, by {on_t[31][0]:.3f} and {on_t[51][0]:.3f}" in PROSE
    pgd = interval(EPSILON["pgd", 0.3], values(EPSILON["pgd", 0.3], worst_case))
    assert f"lower for PGD at epsilon 0.3, by {less(pgd)}, undecided for FGSM there" in PROSE
    fgsm = interval(EPSILON["fgsm", 0.3], values(EPSILON["fgsm", 0.3], worst_case))
    assert decision(*fgsm[1:]) == "undecided"


def less(found: tuple[float, float, float]) -> str:
    return f"{-found[0]:.3f} [{-found[2]:.3f}, {-found[1]:.3f}]"


def test_the_share_of_selection_falls_as_it_is_said_to() -> None:
    shares = {z: values(LADDER[z,], share).mean() for z in (3, 51)}
    ladder = difference(LADDER[51,], LADDER[3,], share)
    assert decision(*ladder[1:]) == "lower"
    assert f"it is {shares[3]:.3f} at Z = 3 and {shares[51]:.3f} at Z = 51, less by {less(ladder)}" in PROSE
    fgsm = difference(EPSILON["fgsm", 0.3], EPSILON["fgsm", 0.02], share)
    assert decision(*fgsm[1:]) == "lower"
    at = {epsilon: values(EPSILON["fgsm", epsilon], share).mean() for epsilon in (0.02, 0.3)}
    assert (
        f"under FGSM {at[0.02]:.3f} at epsilon 0.02 and {at[0.3]:.3f} at 0.3, less by {less(fgsm)}" in PROSE
    )
    pgd = difference(EPSILON["pgd", 0.3], EPSILON["pgd", 0.02], share)
    assert decision(*pgd[1:]) == "undecided"
    assert f"Under PGD it is less too, by {less(pgd)}" in PROSE


def test_what_is_left_is_nowhere_larger_on_the_adversarial_images() -> None:
    found = [interval(runs, values(runs, left)) for runs in ALL]
    means = [mean for mean, _, _ in found]
    assert f"is between {min(means):.3f} and {max(means):.3f} in all fourteen" in PROSE
    decisions = [decision(low, high) for _, low, high in found]
    assert (decisions.count("lower"), decisions.count("undecided")) == (1, 13)
    assert decision(*interval(LADDER[31,], values(LADDER[31,], left))[1:]) == "lower"
