"""Experiments in the states that can be published."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from core.records.experiment import Experiment
from core.records.state import read_state
from core.report.result import Result, result_of
from core.spec.spec import Spec
from tests.fakes.arrays import add_gallery
from tests.fakes.experiments import make_experiment, make_experiment_from_answers
from tests.fakes.numbers import draw_answers

MADE: dict[str, Callable[[Path], Experiment]] = {}
"""How experiments are made under a home, by what is special about them."""


def _made(make: Callable[[Path], Experiment]) -> Callable[[Path], Experiment]:
    MADE[make.__name__] = make
    return make


@_made
def complete(home: Path) -> Experiment:
    experiment = make_experiment(home, runs=5)
    add_gallery(experiment, 0)
    return experiment


@_made
def partly_failed(home: Path) -> Experiment:
    return make_experiment(home, state="failed", runs=5, z=5, controls=("noise",))


@_made
def running(home: Path) -> Experiment:
    return make_experiment(home, state="running", runs=9, complete=3, attack="deepfool")


@_made
def one_run(home: Path) -> Experiment:
    return make_experiment(home, runs=1, controls=())


@_made
def nothing_yet(home: Path) -> Experiment:
    return make_experiment(home, state="created", runs=4)


@_made
def empty_sets(home: Path) -> Experiment:
    """No attack ever succeeded."""
    spec = Spec(dataset="digits", runs=4, controls=("noise", "sources"), options={"z": 7})
    sizes = {"adversarial": 0, "sources": 0}
    answers = [draw_answers(spec, run, sizes) for run in range(spec.runs)]
    return make_experiment_from_answers(home, spec, answers=answers).experiment


@_made
def no_spread(home: Path) -> Experiment:
    """Every run gave the same answers: there is no variance, and two sets are equal."""
    spec = Spec(dataset="digits", runs=4, controls=("noise", "fooled"), options={"z": 5})
    answers = dict(draw_answers(spec, 0))
    answers["fooled"] = answers["adversarial"]
    return make_experiment_from_answers(home, spec, answers=[answers] * spec.runs).experiment


@_made
def older(home: Path) -> Experiment:
    """Of an older version, which measured nothing that decides and made no claims."""
    experiment = make_experiment(home, runs=4, controls=("noise", "fooled"), deciding=False)
    for path in experiment.journal.glob("*-coordinator.jsonl"):
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for record in records:
            record.pop("claims", None)
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return experiment


def published(home: Path, name: str) -> tuple[Experiment, Result]:
    """An experiment of MADE and its result."""
    experiment = MADE[name](home)
    return experiment, result_of(read_state(experiment))
