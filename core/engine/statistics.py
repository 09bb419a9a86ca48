"""From the metrics of an experiment's complete runs to what the JSON result says of them together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.sets.catalogue import PAPER_SETS, SETS
from core.spec.spec import Spec
from core.statistics import statistics_of
from core.verdict import verdict


def experiment_statistics(spec: Spec, results: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """`summary`, `tests` and `verdict` over the runs in `results` (run -> metrics), at least one.

    The adversarial set is compared with the misclassified test images, then with every control.
    """
    metrics = [results[run] for run in sorted(results)]
    names = [*PAPER_SETS, *spec.controls]
    counts = metrics[0]["counts"]
    accuracies = [
        {name: {int(k): a for k, a in by_k.items()} for name, by_k in run["accuracy"].items()}
        for run in metrics
    ]
    statistics = statistics_of(
        accuracies,
        counted=[
            {name: SETS[name].as_counted(by_k, spec.levels) for name, by_k in run.items()}
            for run in accuracies
        ],
        levels=spec.levels,
        zero_by_construction={name: SETS[name].begins_at_zero for name in names},
        n_test=counts["test"],
        n_train=counts["train"],
        pairs=[("adversarial", other) for other in ("misclassified", *spec.controls)],
    ).to_json()
    sentences = verdict(spec, metrics, statistics["tests"])
    return {**statistics, "verdict": list(sentences)}
