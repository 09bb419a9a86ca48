"""Computes summary, tests, claims and verdict of an experiment from the metrics of its complete runs."""

from __future__ import annotations

from collections.abc import Mapping

from core.records.events import StatisticsComputed
from core.records.metrics import RunMetrics
from core.sets.registry import SETS
from core.spec.spec import Spec
from core.statistics.claims import claims
from core.statistics.over_runs import statistics_of
from core.verdict import verdict


def experiment_statistics(spec: Spec, results: Mapping[int, RunMetrics]) -> StatisticsComputed:
    """Summary, tests, claims and verdict over the runs in `results` (run -> metrics, at least one), as an event.

    The adversarial set is compared with the misclassified test images, then with every control.
    """
    runs = tuple(sorted(results))
    metrics = [results[run] for run in runs]
    ladder, counts = metrics[0].ladder, metrics[0].counts
    summary, tests = statistics_of(
        [run.accuracy for run in metrics],
        ladder,
        counted=[
            {name: SETS[name].as_counted(by_level, ladder) for name, by_level in run.accuracy.items()}
            for run in metrics
        ],
        zero_by_construction={name: SETS[name].begins_at_zero() for name in spec.sets},
        n_test=counts.test,
        n_train=counts.train,
        pairs=[("adversarial", other) for other in ("misclassified", "test", *spec.controls)],
    )
    decided = claims(metrics, ladder, spec.controls, n_test=counts.test, n_train=counts.train)
    return StatisticsComputed(
        runs=runs,
        summary=summary,
        tests=tests,
        claims=decided,
        verdict=verdict(spec, metrics, tests, decided),
    )
