"""The runs behind docs/findings.md: copies them from a home into results/, draws their figures, prints the tables.

python -m benchmarks.findings HOME ID=NAME ...     copies each experiment as results/NAME
python -m benchmarks.findings                      writes the tables of docs/findings.md, after its heading "Tables"

A test derives every cell of the tables from the metrics again, without this program's statistics.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from core.engine.statistics import experiment_statistics
from core.records.events import StatisticsComputed
from core.records.home import find
from core.records.metrics import RunMetrics
from core.records.results import METRICS, parse_metrics
from core.records.statistics import Claim
from core.spec.spec import Spec

RESULTS = Path(__file__).parents[1] / "results"
DOCUMENT = RESULTS.with_name("docs") / "findings.md"
HEADING = "\n## Tables\n"
FIGURES = {
    "crossfit": ("svg", ""),
    "accuracy": ("svg", "test,misclassified,adversarial,noise,matched,shuffled"),
    "p-values": ("svg", "adversarial,misclassified,test"),
    "gallery": ("png", "adversarial,misclassified,noise,matched,reverse"),
}
"""Figure -> its format and the sets in it, "" for its own."""
SHOWN = ("test", "misclassified", "adversarial", "noise", "noise-matched", "matched", "shuffled", "reverse")
"""The sets whose accuracy is in the table of an experiment."""
Row = TypeVar("Row")
CONTROLS = ("noise", "noise-matched", "matched", "shuffled")


@dataclass(frozen=True)
class Found:
    """An experiment in results/. name: its folder's."""

    name: str
    spec: Spec
    runs: Sequence[RunMetrics]
    statistics: StatisticsComputed

    @classmethod
    def read(cls, folder: Path) -> Found:
        """What the folder holds."""
        spec = Spec.from_toml((folder / "spec.toml").read_text(encoding="utf-8"))
        runs = [parse_metrics(path.read_bytes()) for path in sorted((folder / "runs").glob("*.json"))]
        return cls(folder.name, spec, runs, experiment_statistics(spec, dict(enumerate(runs))))

    def claim(self, name: str, *sets: str) -> Claim:
        """What was decided of a quantity."""
        return next(one for one in self.statistics.claims if (one.name, one.sets) == (name, sets))


def main(words: Sequence[str]) -> None:
    """Copy, or write the tables."""
    if words:
        home, *pairs = words
        for pair in pairs:
            experiment, _, name = pair.partition("=")
            copy(Path(home), experiment, RESULTS / name)
        return
    found = [Found.read(folder) for folder in sorted(RESULTS.iterdir()) if (folder / "spec.toml").is_file()]
    parts = (deciding, bias, without_selection, slopes, controls, accuracies)
    tables = "\n\n".join("\n".join(part(found)) for part in parts)
    text, heading, _ = DOCUMENT.read_text(encoding="utf-8").partition(HEADING)
    DOCUMENT.write_text(f"{text}{heading}\n{tables}\n", encoding="utf-8")


def copy(home: Path, experiment_id: str, folder: Path) -> None:
    """The specification, the metrics of every run, the figures and the verdict, in place of what was there."""
    experiment = find(home, experiment_id)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "runs").mkdir(parents=True)
    # Where the images lay on the machine that computed says nothing here.
    text = re.sub(r'^dataset = "/.*/', 'dataset = "/data/', experiment.spec.to_toml(), flags=re.MULTILINE)
    (folder / "spec.toml").write_text(text, encoding="utf-8")
    for result in sorted(experiment.folder.glob(f"runs/*/result/{METRICS}")):
        shutil.copy(result, folder / "runs" / f"{result.parents[1].name}.json")
    for figure, (kind, sets) in FIGURES.items():
        command = [sys.executable, "-P", "-m", "core.report", str(experiment.folder)]
        chosen = ["--sets", sets] if sets else []
        output = str(folder / f"{figure}.{kind}")
        subprocess.run([*command, output, "--format", kind, "--figure", figure, *chosen], check=True)
    verdict = Found.read(folder).statistics.verdict
    (folder / "verdict.txt").write_text("\n\n".join(verdict) + "\n", encoding="utf-8")


def deciding(found: Iterable[Found]) -> list[str]:
    """The rise by the classifier that did not select."""
    columns: dict[str, Callable[[Found], str]] = {
        "experiment": lambda one: f"{one.name}, {len(one.runs)} runs",
        "D": lambda one: interval(one.claim("crossfit_rise", "adversarial")),
        "M": lambda one: interval(one.claim("crossfit_rise", "misclassified")),
        "noise": lambda one: interval(one.claim("crossfit_rise", "noise")),
        "D - M": lambda one: decided(one.claim("crossfit_rise", "adversarial", "misclassified")),
        "D - noise": lambda one: decided(one.claim("crossfit_rise", "adversarial", "noise")),
        "selection's share of D's rise": lambda one: interval(one.claim("selection_share", "adversarial")),
    }
    return ["**Cross-fitted rise**", "", *table(columns, found)]


def bias(found: Iterable[Found]) -> list[str]:
    """How far bias falls."""
    columns: dict[str, Callable[[Found], str]] = {
        "experiment": lambda one: one.name,
        "D": lambda one: interval(one.claim("bias_fall", "adversarial")),
        "M": lambda one: interval(one.claim("bias_fall", "misclassified")),
        "noise": lambda one: interval(one.claim("bias_fall", "noise")),
        "D - M": lambda one: decided(one.claim("bias_fall", "adversarial", "misclassified")),
        "D - noise": lambda one: decided(one.claim("bias_fall", "adversarial", "noise")),
    }
    return ["**Fall of bias**", "", *table(columns, found)]


def without_selection(found: Iterable[Found]) -> list[str]:
    """What the attack does to all test images."""
    columns: dict[str, Callable[[Found], str]] = {
        "experiment": lambda one: one.name,
        "fooled": lambda one: percent(
            [run.attack.surrogate_fooled for run in one.runs if run.attack.surrogate_fooled is not None]
        ),
        "target hit": lambda one: percent(
            [run.attack.target_hit for run in one.runs if run.attack.target_hit is not None]
        ),
        "attack's success": lambda one: decided(one.claim("attack_success", "adversarial")),
        "worst case": lambda one: decided(one.claim("worst_case", "adversarial")),
        "flips": lambda one: decided(one.claim("flips", "adversarial")),
        "success, against noise": lambda one: decided(one.claim("attack_success", "adversarial", "noise")),
    }
    return ["**Without selection**", "", *table(columns, found)]


def accuracies(found: Iterable[Found]) -> list[str]:
    """Accuracy at every level, a table an experiment."""
    lines: list[str] = []
    for one in found:
        levels = one.spec.ladder.levels
        lines += [f"**{one.name}**", ""]
        columns: dict[str, Callable[[str], str]] = {
            "set": lambda name: name,
            "images": partial(images_of, one),
            **{f"K = {level}": partial(spread, one, level) for level in levels},
        }
        lines += [*table(columns, SHOWN), ""]
    return lines[:-1]


def slopes(found: Iterable[Found]) -> list[str]:
    """The paper's tests: the slopes of D against those of M and of T."""
    rows = [
        (one, j, other)
        for one in found
        for j in one.spec.ladder.levels[::-1]
        for other in ("misclassified", "test")
        if tests_of(one, j, other)
    ]
    columns: dict[str, Callable[[tuple[Found, str, str]], str]] = {
        "experiment": lambda row: row[0].name,
        "slope": lambda row: f"S_{row[1]}",
        "against": lambda row: "M" if row[2] == "misclassified" else "T",
        "difference": lambda row: f"{effect(row):+.3f}",
        "Welch": lambda row: p_value(tests_of(*row)["welch"][0]),
        "corrected": lambda row: p_value(tests_of(*row)["nadeau_bengio"][0]),
        "Holm": lambda row: p_value(tests_of(*row)["nadeau_bengio"][1]),
    }
    return ["**Slopes**", "", *table(columns, rows)]


def controls(found: Iterable[Found]) -> list[str]:
    """The rise by the classifier that selected, on D less on a control."""
    columns: dict[str, Callable[[Found], str]] = {
        "experiment": lambda one: one.name,
        **{f"D - {control}": partial(against, control) for control in CONTROLS},
        "both ends": lambda one: decided(one.claim("rise", "adversarial-both-ends", "reverse-both-ends")),
    }
    return ["**Controls**", "", *table(columns, found)]


def table(columns: Mapping[str, Callable[[Row], str]], rows: Iterable[Row]) -> list[str]:
    """A Markdown table."""
    lines = [
        list(columns),
        ["---"] * len(columns),
        *([cell(row) for cell in columns.values()] for row in rows),
    ]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def interval(claim: Claim) -> str:
    """Estimate and interval."""
    low, high = claim.ci95 or (float("nan"), float("nan"))
    return f"{claim.estimate:+.3f} [{low:+.3f}, {high:+.3f}]"


def decided(claim: Claim) -> str:
    """The same with the decision."""
    return f"{interval(claim)} {claim.decision}"


def percent(values: Sequence[float]) -> str:
    """The mean of shares."""
    return f"{100 * mean(values):.1f} %"


def mean(values: Sequence[float]) -> float:
    """The mean."""
    return sum(values) / len(values)


def against(control: str, one: Found) -> str:
    """The rise on D less that on a control."""
    return decided(one.claim("rise", "adversarial", control))


def images_of(one: Found, name: str) -> str:
    """How many images a run has in a set, on average."""
    return f"{mean([run.counts.sets[name] for run in one.runs]):,.0f}"


def spread(one: Found, level: str, name: str) -> str:
    """Mean accuracy and half its interval."""
    found = one.statistics.summary.accuracy[name][level]
    low, high = found.ci95 or (found.mean, found.mean)
    assert found.mean is not None
    assert low is not None
    assert high is not None
    return f"{found.mean:.3f} ± {(high - low) / 2:.3f}"


def tests_of(one: Found, j: str, other: str) -> dict[str, tuple[float, float]]:
    """Test -> p and Holm-adjusted p of S_j, where there are such."""
    return {
        test.test: (test.p, test.p_holm)
        for test in one.statistics.tests
        if (test.quantity, test.j, test.sets[1]) == ("ratio", j, other)
        and test.p is not None
        and test.p_holm is not None
    }


def effect(row: tuple[Found, str, str]) -> float:
    """Mean S_j(D) less the other set's."""
    one, j, other = row
    return next(
        test.mean_difference
        for test in one.statistics.tests
        if (test.quantity, test.j, test.sets[1], test.test) == ("ratio", j, other, "welch")
        and test.mean_difference is not None
    )


def p_value(p: float) -> str:
    """One significant digit below 0.01."""
    return f"{p:.0e}".replace("e-0", "e-") if p < 0.001 else f"{p:.3f}"


if __name__ == "__main__":
    main(sys.argv[1:])
