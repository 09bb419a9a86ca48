"""The studies behind docs/studies.md: copies them from a home into results/studies/, draws them, writes the tables.

python -m benchmarks.studies HOME NAME ...     copies each study as results/studies/NAME
python -m benchmarks.studies                   writes the tables of docs/studies.md, after its heading "Tables"

A test derives every cell of the tables from the metrics again, without this program's statistics.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.findings import RESULTS, Found, decided, interval, mean, percent, table
from core.engine.statistics import experiment_statistics
from core.records.results import METRICS, parse_metrics
from core.records.study import STUDY_FILE, Study, find_study, load_study
from core.spec.command import word_of

STUDIES = RESULTS / "studies"
DOCUMENT = RESULTS.with_name("docs") / "studies.md"
HEADING = "\n## Tables\n"
FIGURES: Mapping[str, tuple[str, ...]] = {
    "rise": ("curve", "crossfit_rise", "adversarial,misclassified"),
    "share": ("curve", "selection_share", "adversarial"),
    "success": ("curve", "attack_success", "adversarial"),
}
"""File -> figure, quantity and sets."""


def main(words: Sequence[str]) -> None:
    """Copy, or write the tables."""
    if words:
        home, *names = words
        for name in names:
            copy(find_study(Path(home), name), STUDIES / name)
        return
    parts = [tables(load_study(folder)) for folder in sorted(STUDIES.iterdir()) if folder.is_dir()]
    text, heading, _ = DOCUMENT.read_text(encoding="utf-8").partition(HEADING)
    lines = "\n\n".join("\n".join(part) for part in parts)
    DOCUMENT.write_text(f"{text}{heading}\n{lines}\n", encoding="utf-8")


def copy(study: Study, folder: Path) -> None:
    """The study's file, the metrics of every run and the figures, in place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(study.folder / STUDY_FILE, folder / STUDY_FILE)
    for cell in study.cells:
        runs = folder / "runs" / cell.id
        runs.mkdir(parents=True)
        for result in sorted(study.folder_of(cell).glob(f"runs/*/result/{METRICS}")):
            shutil.copy(result, runs / f"{result.parents[1].name}.json")
    for name, (figure, quantity, sets) in FIGURES.items():
        command = [sys.executable, "-P", "-m", "core.report", str(study.folder), str(folder / f"{name}.svg")]
        chosen = ["--figure", figure, "--quantity", quantity, "--sets", sets]
        subprocess.run([*command, "--format", "svg", *chosen], check=True)


def cells_of(study: Study) -> list[Found]:
    """The experiments of a study in results/studies, in the order of its axes."""
    found = []
    for cell in study.cells:
        assert cell.spec is not None
        paths = sorted((study.folder / "runs" / cell.id).glob("*.json"))
        runs = [parse_metrics(path.read_bytes()) for path in paths]
        statistics = experiment_statistics(cell.spec, dict(enumerate(runs)))
        found.append(Found(cell.id, cell.spec, runs, statistics))
    axes = study.axes
    return sorted(
        found, key=lambda one: [values.index(one.spec.values[axis]) for axis, values in axes.items()]
    )


def tables(study: Study) -> list[str]:
    """A row an experiment."""
    columns: dict[str, Callable[[Found], str]] = {
        **{axis: lambda one, axis=axis: word_of(one.spec.values[axis]) for axis in study.axes},  # type: ignore[misc]
        "fooled": lambda one: percent([run.attack.surrogate_fooled or 0.0 for run in one.runs]),
        "images in D": lambda one: f"{mean([run.counts.sets['adversarial'] for run in one.runs]):,.0f}",
        "A of D, fitted": fitted_accuracy,
        "cross-fitted rise, D - M": lambda one: decided(
            one.claim("crossfit_rise", "adversarial", "misclassified")
        ),
        "selection's share of D's rise": lambda one: interval(one.claim("selection_share", "adversarial")),
        "fall of bias, D - M": lambda one: decided(one.claim("bias_fall", "adversarial", "misclassified")),
        "attack's success": lambda one: decided(one.claim("attack_success", "adversarial")),
    }
    return [
        f"**{study.name}**, {len(cells_of(study)[0].runs)} runs each",
        "",
        *table(columns, cells_of(study)),
    ]


def fitted_accuracy(one: Found) -> str:
    """Mean accuracy on D at the most fitted level."""
    found = one.statistics.summary.accuracy["adversarial"][one.spec.ladder.fitted].mean
    assert found is not None
    return f"{found:.3f}"


if __name__ == "__main__":
    main(sys.argv[1:])
