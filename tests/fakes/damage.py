"""Journal lines and metrics of a shape that nobody expects."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.records.events import SCHEMA_VERSION
from core.records.experiment import Experiment

TEST = {"quantity": "ratio", "j": "3", "sets": ["adversarial", "misclassified"], "n": 3, "p": None}
STATISTICS: Mapping[str, object] = {
    "event": "statistics", "time": 1.8e9, "runs": [0], "summary": {"accuracy": {}}, "tests": [],
}  # fmt: skip
NOTICE: Mapping[str, object] = {"event": "notice", "text": "the clock was set"}


def _mean(cell: object) -> Mapping[str, object]:
    return {**STATISTICS, "summary": {"accuracy": {"test": {"7": cell}}}}


LINES: Mapping[str, Mapping[str, object]] = {
    "a summary without accuracies": {**STATISTICS, "summary": {"other": 1}},
    "a mean that is a word": _mean({"mean": "x", "sd": None, "ci95": None, "n": 1}),
    "a mean that is no share": _mean({"mean": 1.5, "sd": None, "ci95": None, "n": 1}),
    "a mean beyond all numbers": _mean({"mean": 10**400, "sd": None, "ci95": None, "n": 1}),
    "a mean alone": _mean({"mean": 0.5}),
    "an interval with one end": _mean({"mean": 0.5, "sd": 0.1, "ci95": [0.4], "n": 2}),
    "an interval beyond all numbers": _mean({"mean": 0.5, "sd": 0.1, "ci95": [0.4, 1e301], "n": 2}),
    "a test that is a word": {**STATISTICS, "tests": ["x"]},
    "a test without a name": {**STATISTICS, "tests": [TEST]},
    "no list of tests": {**STATISTICS, "tests": {"test": "welch"}},
    "runs that are no list": {**STATISTICS, "runs": 7},
    "a verdict that is no list": {**STATISTICS, "verdict": "x"},
    "a set with a name that a terminal would obey": {
        **STATISTICS, "summary": {"accuracy": {"\x1b[2J": {"7": {"mean": None, "sd": None, "ci95": None, "n": 0}}}},
    },
    "a time beyond all clocks": {**NOTICE, "time": 1e300},
    "a time before all clocks": {**NOTICE, "time": -1e300},
}  # fmt: skip
"""What is wrong -> the fields of an event."""

METRICS: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "no surrogate accuracy": lambda record: record.update(surrogate_accuracy=None),
    "counts of one set": lambda record: record.update(counts={"test": 1}),
    "a count that is no number": lambda record: record["counts"]["sets"].update(test="x"),
    "a set that is not counted": lambda record: record["counts"]["sets"].pop("test"),
    "an accuracy that is a word": lambda record: record["accuracy"]["test"].update({"1": "x"}),
    "an accuracy above 1": lambda record: record["accuracy"]["test"].update({"1": 1.5}),
    "accuracies that are a word": lambda record: record.update(accuracy="x"),
    "a level that is missing": lambda record: record["accuracy"]["test"].pop("1"),
    "a stage without a duration": lambda record: record.update(seconds={"split": None}),
    "a duration below 0": lambda record: record.update(seconds={"split": -1}),
    "no durations": lambda record: record.update(seconds=[1]),
    "no environment": lambda record: record.pop("environment"),
}
"""What is wrong -> what brings it about in a metrics.json of any version."""

DECIDING: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "a level that crossfit lacks": lambda record: record["crossfit"]["adversarial"].pop("1"),
    "an own half without a set": lambda record: record["crossfit"]["own"].pop("adversarial"),
    "a level that robustness lacks": lambda record: record["robustness"].pop("1"),
    "a level without bias": lambda record: record["bias_variance"]["test"].pop("1"),
}  # fmt: skip
"""The same in one that holds what decides."""


def line_of(fields: Mapping[str, object], version: int = SCHEMA_VERSION) -> bytes:
    """A journal line without its end."""
    return json.dumps({"seq": 1, "time": 1.8e9, "v": version, **fields}).encode()


def append_line(
    experiment: Experiment, fields: Mapping[str, object], writer: str = "0009-coordinator"
) -> None:
    """Have another process journal something, whatever it is."""
    with (experiment.journal / f"{writer}.jsonl").open("ab") as file:
        file.write(line_of(fields) + b"\n")


def change_metrics(result: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the metrics.json of a result, whatever becomes of it, into one of before there were checksums."""
    path = result / "metrics.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    for later in ("checksum", "experiment"):
        record.pop(later, None)
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")
