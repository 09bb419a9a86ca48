"""Reads from past experiments of a home what a new one can expect: time of a run, spread between runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from core.declarations.lazy import statistics
from core.errors import ExperimentError
from core.spec.spec import Spec

if TYPE_CHECKING:
    from core.records.experiment import Experiment
    from core.records.metrics import RunMetrics

# The modules that read records are imported where they are used: the lab's first picture must not wait for them.

NO_DIFFERENCE = ("runs", "seed", "epsilon", "keep", "device")
"""Settings in which runs of the same kind may differ."""
PAST_EXPERIMENTS = 30
"""How many of the newest experiments are read."""
FEWEST_RUNS = 3
"""How many runs an experiment needs for its spread to be used: fewer say nothing of how far runs lie apart."""


@dataclass(frozen=True)
class PastRun:
    """A complete run of some experiment: its spec and how long it took.

    training: seconds of its surrogate stage. trained: whether the surrogate was trained in it, rather than taken
    from the cache. stages: stage -> seconds, where known.
    """

    spec: Spec
    seconds: float
    training: float = 0.0
    trained: bool = True
    stages: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PastSpread:
    """The spread of the runs of an experiment in `core.records.findings.RISE`.

    runs: those it is known from, FEWEST_RUNS at least. sd: their standard deviation (ddof 1) in RISE, which a
    verdict speaks of first: its interval is foretold. overlap: n_test / n_train.
    """

    spec: Spec
    id: str
    runs: int
    sd: float
    overlap: float


@dataclass(frozen=True)
class Past:
    """What was read of past experiments, the newest first."""

    runs: Sequence[PastRun] = field(default_factory=tuple)
    spreads: Sequence[PastSpread] = field(default_factory=tuple)


class _OfSpec(Protocol):
    @property
    def spec(self) -> Spec: ...


T = TypeVar("T", bound=_OfSpec)


def read_past(home: Path) -> Past:
    """The first complete run and the spread of each of the newest PAST_EXPERIMENTS, where they have one.

    Runs of older versions are left out: they attacked fewer images, and measured less. Raises ExperimentError where
    the home cannot be listed.
    """
    from core.records.experiment import created, load  # noqa: PLC0415  # see above
    from core.records.folders import experiment_folders  # noqa: PLC0415

    runs, spreads = [], []
    for folder in sorted(experiment_folders(home), key=created, reverse=True)[:PAST_EXPERIMENTS]:
        try:
            experiment = load(folder)
        except ExperimentError:
            continue  # the list of experiments says what is the matter with it
        found = [metrics for metrics in experiment.results().values() if metrics.robustness is not None]
        if found:
            runs.append(_run(experiment, found[0]))
        spread = _spread(experiment, found)
        if spread is not None:
            spreads.append(spread)
    return Past(tuple(runs), tuple(spreads))


def most_alike(spec: Spec, past: Sequence[T]) -> tuple[list[T], str]:
    """The members of `past` that are most like a new experiment, and what these are, in words; [], "" for none."""
    for names, what in (
        (_that_differ(spec), "runs of the same kind"),
        (("dataset", "attack"), "runs of this data set and attack with other settings"),
        (("dataset",), "runs of this data set with another attack"),
    ):
        alike = [one for one in past if _agree(one.spec, spec, names)]
        if alike:
            return alike, what
    return [], ""


def is_same_kind(other: Spec, spec: Spec) -> bool:
    """Whether runs of the two take the same work: they agree in all settings but NO_DIFFERENCE."""
    return _agree(other, spec, _that_differ(spec))


def _that_differ(spec: Spec) -> list[str]:
    """The names of the settings in which runs of the same kind agree."""
    return [name for name in spec.values if name not in NO_DIFFERENCE]


def _agree(other: Spec, spec: Spec, names: Sequence[str]) -> bool:
    return all(other.values.get(name) == spec.values[name] for name in names)


def _run(experiment: Experiment, metrics: RunMetrics) -> PastRun:
    from core.records.stages import SURROGATE, stages_of  # noqa: PLC0415  # as above

    trained = not metrics.surrogate_reused
    training = metrics.seconds.get(SURROGATE, 0.0)
    stages = {
        stage: metrics.seconds[stage] for stage in stages_of(experiment.spec) if stage in metrics.seconds
    }
    return PastRun(experiment.spec, metrics.run_seconds, training, trained, stages)


def _spread(experiment: Experiment, runs: Sequence[RunMetrics]) -> PastSpread | None:
    if len(runs) < FEWEST_RUNS:
        return None
    from core.records.findings import RISE  # noqa: PLC0415
    from core.statistics.quantities import quantities  # noqa: PLC0415  # as above

    ladder, counts = runs[0].ladder, runs[0].counts
    decided = quantities(ladder, experiment.spec.controls)
    of = next(quantity.of for quantity in decided if (quantity.name, quantity.sets) == RISE)
    values = [value for value in map(of, runs) if value is not None]
    if len(values) < FEWEST_RUNS or not (sd := statistics.stdev(values)):
        return None
    return PastSpread(experiment.spec, experiment.id, len(values), sd, counts.test / counts.train)
