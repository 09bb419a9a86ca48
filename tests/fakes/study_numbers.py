"""Studies on disk whose experiments have numbers of their own each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from core.engine.statistics import experiment_statistics
from core.records.events import CoordinatorStarted, Finished, RunCompleted
from core.records.experiment import Experiment
from core.records.home import create
from core.records.journal import JournalWriter
from core.records.results import publish
from core.records.study import Study, save_study
from core.spec.grid import specs_of
from core.spec.spec import Spec
from tests.fakes.experiments import State, make_experiment_of, write_no_arrays
from tests.fakes.numbers import draw_metrics

RUNS = 4


def make_varied_study(
    home: Path,
    grid: Mapping[str, Sequence[object]],
    *,
    name: str = "ours",
    states: Mapping[int, State | None] | None = None,
    **base: object,
) -> Study:
    """A study of a data set of the catalogue under `home`, MNIST by default; its experiments are complete.

    Every experiment has numbers of its own. states: how the one at that place among the cells stands instead; None
    for one whose folder is missing.
    """
    specs = specs_of({"dataset": "mnist", "runs": RUNS, **base}, grid)
    study = save_study(home, name, specs)
    for place, cell in enumerate(study.cells):
        assert cell.spec is not None
        state = (states or {}).get(place, "complete")
        if state == "complete":
            make_unlike_others(home, cell.spec, place)
        elif state is not None:
            make_experiment_of(home, cell.spec, state=state)
    return study


def make_unlike_others(home: Path, spec: Spec, place: int) -> Experiment:
    """A complete experiment whose numbers are drawn by its place: those of one seed are alike otherwise."""
    experiment, _ = create(home, spec)
    journal = JournalWriter(experiment.journal / "0001-coordinator.jsonl")
    journal.write(CoordinatorStarted(host="h", pid=1, jobs=1, pending=tuple(range(spec.runs))))
    for run in range(spec.runs):
        drawn = draw_metrics(spec.changed(seed=1000 + place), run)
        attack = msgspec.structs.replace(
            drawn.attack, surrogate_fooled=round(0.01 + spec.epsilon + (1 + run) * (1 + place) / 1000, 4)
        )
        metrics = msgspec.structs.replace(drawn, experiment=spec.digest, attack=attack)
        publish(experiment.run_folder(run), metrics, write_no_arrays)
        journal.write(RunCompleted(run=run))
    journal.write(experiment_statistics(spec, experiment.results()))
    journal.write(Finished(status="complete"))
    journal.close()
    return experiment
