"""The cross-fitted accuracies of an experiment are the plain means of its runs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.families.ladder import Ladder
from core.records.deciding import ByLevel, CrossFit
from core.records.metrics import RunMetrics
from core.spec.spec import Spec
from tests.fakes.numbers import draw_metrics
from tui_aefit.following.crossfit import crossfit_means

SPEC = Spec(dataset="mnist", runs=2)
LADDER = Ladder("K", ("3", "1"), (3, 1))


@dataclass(frozen=True)
class Run:
    """As much of a run's metrics as is read."""

    crossfit: CrossFit | None


def run(general: float | None, fitted: float | None, own: float) -> RunMetrics:
    other: ByLevel = {"3": general, "1": fitted}
    found = CrossFit(
        adversarial=other, own={"adversarial": {"3": 0.0, "1": own}}, counts={"adversarial": (4, 6)}
    )
    return Run(found)  # type: ignore[return-value]


def test_they_are_means_over_the_runs_that_have_images() -> None:
    means = crossfit_means([run(0.5, 0.7, 0.6), run(0.7, None, 0.8), Run(None)], LADDER)  # type: ignore[list-item]
    assert means is not None
    assert means.runs == 2
    assert means.other == {"adversarial": {"3": pytest.approx(0.6), "1": pytest.approx(0.7)}}
    assert means.own == {"adversarial": {"3": 0.0, "1": pytest.approx(0.7)}}


def test_a_set_that_is_empty_in_every_run_has_no_mean() -> None:
    means = crossfit_means([run(None, None, 0.5)], LADDER)
    assert means is not None
    assert means.other["adversarial"] == {"3": None, "1": None}


def test_runs_of_an_older_version_have_none() -> None:
    older = [draw_metrics(SPEC, number, deciding=False) for number in range(2)]
    assert crossfit_means(older, SPEC.ladder) is None
    assert crossfit_means([], SPEC.ladder) is None


def test_every_measured_set_is_there_by_both_halves() -> None:
    found = [draw_metrics(SPEC, number) for number in range(2)]
    means = crossfit_means(found, SPEC.ladder)
    assert means is not None
    assert list(means.other) == list(means.own) == ["test", "misclassified", "adversarial", "noise"]
    assert all(means.own[name]["7"] == 0 for name in ("misclassified", "adversarial", "noise"))
