"""What past experiments tell is what their results say, of the newest that are alike."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path

import pytest

from core.records.experiment import Experiment
from core.spec.spec import Spec
from tests.fakes.experiments import NOW, make_experiment
from tui_aefit.following.past_runs import PAST_EXPERIMENTS, PastRun, most_alike, read_past

MNIST = Spec(dataset="mnist")


def rewrite(experiment: Experiment, run: int, **changed: object) -> None:
    path = experiment.run_folder(run) / "result" / "metrics.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed, "checksum": "", "experiment": ""}))


def test_the_first_run_of_each_is_known_with_what_training_took(tmp_path: Path) -> None:
    made = [make_experiment(tmp_path, runs=1, seed=seed, now=NOW - 1e4 * seed) for seed in range(4)]
    make_experiment(tmp_path, state="created", runs=1, seed=9)
    # An older version attacked fewer images: its runs say too little of how long a run takes now.
    make_experiment(tmp_path, runs=1, seed=8, deciding=False)
    rewrite(made[1], 0, seconds={"split": None})
    rewrite(made[3], 0, surrogate_reused=True)
    found = read_past(tmp_path).runs
    assert [(past.spec.seed, past.trained) for past in found] == [(0, True), (2, True), (3, False)]
    for past, experiment in zip(found, (made[0], made[2], made[3]), strict=True):
        seconds = json.loads((experiment.run_folder(0) / "result" / "metrics.json").read_text())["seconds"]
        parts = math.fsum(seconds.get(part, 0.0) for part in ("attack", "filter", "subsets"))
        assert past.seconds == pytest.approx(sum(seconds.values()) - parts)
        assert past.training == seconds["surrogate"]


def test_where_the_first_run_is_missing_the_next_stands_for_it(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=2)
    rewrite(experiment, 0, seconds={"split": None})
    (past,) = read_past(tmp_path).runs
    second = experiment.result(1)
    assert second is not None
    assert past.seconds == second.run_seconds


def test_the_spread_is_that_of_the_cross_fitted_rises(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=5)
    make_experiment(tmp_path, runs=2, seed=1)  # too few
    make_experiment(tmp_path, runs=5, seed=2, deciding=False)
    (spread,) = read_past(tmp_path).spreads
    values = []
    for run in range(5):
        found = json.loads((experiment.run_folder(run) / "result" / "metrics.json").read_text())
        rise = {
            name: found["crossfit"][name]["1"] - found["crossfit"][name]["7"]
            for name in ("adversarial", "misclassified")
        }
        values.append(rise["adversarial"] - rise["misclassified"])
    assert (spread.id, spread.runs) == (experiment.id, 5)
    assert spread.sd == pytest.approx(statistics.stdev(values))
    assert spread.overlap == pytest.approx(1 / 6)  # MNIST: 10,000 and 60,000 images


def test_only_the_newest_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(PAST_EXPERIMENTS + 2):
        make_experiment(tmp_path, state="created", runs=1, seed=seed)
    asked = []
    monkeypatch.setattr(Experiment, "result", lambda one, run, verify=False: asked.append(one.id))
    assert read_past(tmp_path).runs == ()
    assert len(asked) == PAST_EXPERIMENTS


def test_an_empty_home_tells_nothing(tmp_path: Path) -> None:
    assert read_past(tmp_path / "nowhere").runs == ()


def test_the_most_alike_come_alone_and_are_named() -> None:
    same, other, elsewhere = (
        PastRun(MNIST.changed(**changed), 1.0)
        for changed in ({"epsilon": 0.3, "seed": 5}, {"z": 9}, {"dataset": "svhn"})
    )
    assert most_alike(MNIST, [elsewhere, other, same]) == ([same], "runs of the same kind")
    assert most_alike(MNIST, [elsewhere, other])[0] == [other]
    assert most_alike(MNIST, [elsewhere]) == ([], "")
