"""The tables of "What we find" follow from the metrics of the runs in results/, derived here anew."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.engine.statistics import experiment_statistics
from core.records.metrics import RunMetrics
from core.records.results import parse_metrics
from core.spec.spec import Spec

ROOT = Path(__file__).parents[2]
RESULTS = sorted(path for path in (ROOT / "results").iterdir() if path.is_dir())
LEVELS = ("7", "5", "3", "1")


def findings() -> str:
    """The text that holds the tables."""
    for path in (ROOT / "docs" / "findings.md", ROOT / "README.md"):
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if "\n**Slopes**" in text:
            return text
    raise AssertionError("neither docs/findings.md nor README.md holds the tables")


FINDINGS = findings()


@cache
def runs_of(name: str) -> list[RunMetrics]:
    paths = sorted((ROOT / "results" / name / "runs").glob("*.json"))
    return [parse_metrics(path.read_bytes()) for path in paths]


def spec_of(folder: Path) -> Spec:
    return Spec.from_toml((folder / "spec.toml").read_text(encoding="utf-8"))


def accuracy(name: str, images: str, level: str) -> NDArray[np.float64]:
    """One accuracy a run."""
    return np.array([run.accuracy[images][level] for run in runs_of(name)])


def rows_after(heading: str) -> list[list[str]]:
    """The cells of the first table after a line that begins with the heading, without its first two lines."""
    lines = FINDINGS[FINDINGS.index(f"\n{heading}") :].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def holm(p: dict[str, float]) -> dict[str, float]:
    adjusted, largest = {}, 0.0
    for place, j in enumerate(sorted(p, key=p.__getitem__)):
        largest = max(largest, (len(p) - place) * p[j])
        adjusted[j] = min(1.0, largest)
    return adjusted


def corrected_p(name: str, difference: NDArray[np.float64]) -> float:
    """Nadeau and Bengio (2003): t = mean / sqrt((1/J + n_test/n_train) var), J - 1 degrees of freedom."""
    counts, runs = runs_of(name)[0].counts, len(difference)
    variance = (1 / runs + counts.test / counts.train) * difference.var(ddof=1)
    return float(2 * stats.t.sf(abs(difference.mean()) / math.sqrt(variance), runs - 1))


def test_all_four_experiments_are_there_whole() -> None:
    assert [path.name for path in RESULTS] == [
        "cifar10-jpeg-deepfool", "cifar10-jpeg-fgsm", "mnist-deepfool", "mnist-fgsm",
    ]  # fmt: skip
    for folder in RESULTS:
        spec = spec_of(folder)
        assert spec.runs == len(runs_of(folder.name)) == (12 if "mnist" in folder.name else 8)
        assert (spec.ladder.levels, spec.epsilon, spec.attack) == (
            LEVELS,
            0.1,
            folder.name.rpartition("-")[2],
        )
        assert {run.ladder for run in runs_of(folder.name)} == {spec.ladder}
        digests = {run.data_sha256 for run in runs_of(folder.name)}
        assert len(digests) == 1


@pytest.mark.parametrize("folder", RESULTS, ids=lambda folder: folder.name)
def test_the_accuracies_of_an_experiment_are_means_of_its_runs_with_students_interval(folder: Path) -> None:
    rows = rows_after(f"**{folder.name}**")
    assert [row[0] for row in rows] == [
        "test", "misclassified", "adversarial", "noise", "matched", "reverse-both-ends",
    ]  # fmt: skip
    for images, size, *cells in rows:
        sizes = [run.counts.sets[images] for run in runs_of(folder.name)]
        assert float(size.replace(",", "")) == pytest.approx(np.mean(sizes), abs=0.51)
        for level, cell in zip(LEVELS, cells, strict=True):
            values = accuracy(folder.name, images, level)
            half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values) if values.std() else 0.0
            mean, told = (float(number) for number in cell.split(" ± "))
            assert mean == pytest.approx(values.mean(), abs=0.00051)
            assert told == pytest.approx(half, abs=0.00051)


def test_the_slopes_and_their_p_values_are_those_of_the_runs() -> None:
    rows = rows_after("**Slopes**")
    assert [(row[0], row[1]) for row in rows] == [
        (name, f"S_{j}")
        for name in ("mnist-fgsm", "mnist-deepfool", "cifar10-jpeg-fgsm", "cifar10-jpeg-deepfool")
        for j in (1, 3, 5)
    ]
    for name, slope, *cells in rows:
        j = slope[2:]
        ours, theirs = (
            {level: accuracy(name, images, level) for level in LEVELS}
            for images in ("adversarial", "misclassified")
        )
        before = {"1": "3", "3": "5", "5": "7"}
        rise = {i: (ours[i] - ours[before[i]]) - (theirs[i] - theirs[before[i]]) for i in before}
        adjusted = holm({i: corrected_p(name, difference) for i, difference in rise.items()})
        expected = [rise[j].mean(), adjusted[j]]
        if j == "5":
            assert cells[:5] == ["-"] * 5, "it divides by an accuracy that is 0 by construction"
        else:
            ratio = {i: (ours[i] / ours[before[i]], theirs[i] / theirs[before[i]]) for i in ("1", "3")}
            first, second = ratio[j]
            p = holm({i: corrected_p(name, one - other) for i, (one, other) in ratio.items()})
            welch = stats.ttest_ind(first, second, equal_var=False).pvalue
            expected = [first.mean(), second.mean(), first.mean() - second.mean(), welch, p[j], *expected]
        told = [float(cell) for cell in cells if cell != "-"]
        assert len(told) == len(expected)
        for number, right, cell in zip(told, expected, [c for c in cells if c != "-"], strict=True):
            # As many digits as are told.
            digits = 10.0 ** (math.floor(math.log10(abs(right))) if "e" in cell or right < 0.001 else -3)
            tolerance = 0.51 * (digits if "e" in cell else 10.0 ** -len(cell.partition(".")[2]))
            assert number == pytest.approx(right, abs=tolerance), (name, slope, cell)


def test_the_hours_of_compute_are_those_of_the_runs() -> None:
    stages = ("split", "neighbours", "surrogate", "candidates", "noise")
    seconds = sum(
        run.seconds.get(s, 0.0) for folder in RESULTS for run in runs_of(folder.name) for s in stages
    )
    (told,) = re.findall(r"([\d.]+) hours of one processor", FINDINGS)
    assert float(told) == pytest.approx(seconds / 3600, abs=0.051)


@pytest.mark.parametrize("folder", RESULTS, ids=lambda folder: folder.name)
def test_the_verdict_beside_the_runs_is_theirs(folder: Path) -> None:
    """By the code of today: a rule that changes must change it."""
    found = experiment_statistics(spec_of(folder), dict(enumerate(runs_of(folder.name))))
    assert (folder / "verdict.txt").read_text(encoding="utf-8") == "\n\n".join(found.verdict) + "\n"
