"""The numbers of an experiment in a form that can be kept and compared: `tests/recorded_numbers/*.json`.

Last bits depend on the processor and the version of torch: a record says which it was computed with. Arrays are
kept by their digests.

`python -m tests.regression.recorded NAME...` computes records anew and writes them, after a change of numbers that
is meant.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from core.data.images import ImageSet
from core.data.load import load
from core.engine.statistics import experiment_statistics
from core.families.family import Resources
from core.files.cache import Cache
from core.protocol.result import RunResult
from core.protocol.run import compute_run
from core.records.deciding import BiasVariance, CrossFit, Flips, LevelRobustness, Robustness
from core.records.environment import Environment
from core.records.events import StatisticsComputed
from core.records.metrics import AttackFigures, ByLevel, Counts, RunMetrics
from core.records.statistics import Claim, Reason, StatisticalTest, SummaryTable
from core.records.types import Finite, Name, Record, Share, parse, plain, to_json
from core.sets.members import Candidates, Members
from core.spec.spec import Spec
from core.tensors.device import processor_name

FOLDER = Path(__file__).parents[1] / "recorded_numbers"
OF_A_SAMPLE: dict[str, type[np.generic]] = {
    "image": np.float32, "label": np.int16, "target": np.int16, "source": np.int32, "prediction": np.int16,
}  # fmt: skip
"""The arrays of a sample and their types in gallery.npz."""
OF_A_TEST = (
    "quantity", "j", "sets", "test", "n", "statistic", "df", "p", "p_holm", "mean_difference", "ci95",
    "effect_size", "direction", "reason",
)  # fmt: skip
"""The fields of a statistical test that its digest is made of."""
OF_DECIDING = (
    "crossfit", "crossfit_fitted", "bias_variance", "robustness", "flips", "noise", "variants",
)  # fmt: skip
"""The fields that decide the claim. Some records were made before these were measured."""
ARRAYS_OF_DECIDING = ("half", "crossfit_test_prediction", "subset")
CANDIDATES_OF_DECIDING = ("crossfit_prediction",)


class Computer(Record, frozen=True, kw_only=True):
    """What numbers were computed with, as far as last bits depend on it.

    cpu: the processor's model. instructions: the widest that torch uses on it.
    """

    cpu: Name
    instructions: Name
    torch: Name

    @classmethod
    def this(cls) -> Computer:
        """This one."""
        return cls(
            cpu=processor_name(),
            instructions=torch.backends.cpu.get_cpu_capability(),
            torch=str(torch.__version__),
        )


class RecordedRun(Record, frozen=True, kw_only=True):
    """What a run found, see `RunMetrics`.

    arrays: digests of the arrays of arrays.npz. samples: of the sample of each set. candidates: of the arrays of
    all candidates, where the specification keeps them. variants: None in a record of before the claim was decided,
    which has none of OF_DECIDING.
    """

    counts: Counts
    surrogate_accuracy: Share
    attack: AttackFigures
    sets: dict[Name, AttackFigures]
    accuracy: dict[Name, ByLevel]
    slopes: dict[Name, dict[Name, Finite | None]]
    slope_reasons: dict[Name, dict[Name, Reason]]
    crossfit: CrossFit | None = None
    crossfit_fitted: CrossFit | None = None
    bias_variance: BiasVariance | None = None
    robustness: dict[Name, LevelRobustness] | None = None
    flips: Flips | None = None
    noise: Robustness | None = None
    variants: dict[Name, Robustness] | None = None
    data_sha256: Name
    arrays: dict[Name, Name]
    samples: dict[Name, Name]
    candidates: dict[Name, Name] = msgspec.field(default_factory=dict)

    def as_far_as(self, other: RecordedRun) -> RecordedRun:
        """This one without what decides the claim, where the other is of before that was measured."""
        if other.variants is not None:
            return self
        return msgspec.structs.replace(
            self,
            arrays=_without(self.arrays, ARRAYS_OF_DECIDING),
            candidates=_without(self.candidates, CANDIDATES_OF_DECIDING),
            **dict.fromkeys(OF_DECIDING),
        )


class RecordedExperiment(Record, frozen=True, kw_only=True):
    """An experiment's runs and the statistics over all of them.

    settings: of its specification, but the number of runs. versions: of the packages. summary, tests, claims: in
    full in some records, to find a difference by.
    """

    settings: dict[str, Any]
    computer: Computer
    versions: dict[Name, Name]
    runs: tuple[RecordedRun, ...]
    summary_sha256: Name
    tests_sha256: Name
    claims_sha256: Name
    summary: SummaryTable | None = None
    tests: tuple[StatisticalTest, ...] | None = None
    claims: tuple[Claim, ...] | None = None

    @property
    def spec(self) -> Spec:
        """Its specification."""
        return Spec.from_mapping({**self.settings, "runs": len(self.runs)})


def names() -> list[str]:
    """All records there are."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(name: str) -> RecordedExperiment:
    """A record."""
    return parse((FOLDER / f"{name}.json").read_bytes(), RecordedExperiment, name)


def write(name: str, record: RecordedExperiment) -> None:
    """Keep a record."""
    (FOLDER / f"{name}.json").write_bytes(to_json(record, indent=1) + b"\n")


def compute(
    spec: Spec, run: int, threads: int = 1, cache: Cache | None = None
) -> tuple[RecordedRun, RunMetrics]:
    """A run computed now, as it is recorded and as statistics take it. cache: as `Resources` takes it."""
    pool, keeper = pool_of(spec.dataset, spec.test_size), _Keeper()
    kept = keeper if spec.keep == "candidates" else None
    found = compute_run(spec, run, pool, resources=Resources(threads=threads, cache=cache), keep=kept)
    return recorded_run(
        found.metrics, pool.sha256, found.arrays, samples_of(found), keeper.arrays()
    ), found.metrics


@lru_cache(maxsize=2)
def pool_of(dataset: str, test_size: int | None) -> ImageSet:
    """The images of a data set that comes with a package."""
    nowhere = Path("does not exist")
    return load(dataset, data_dir=nowhere, cache_dir=nowhere, test_size=test_size, note=lambda text: None)


def recorded_run(
    metrics: RunMetrics,
    data_sha256: str,
    arrays: Mapping[str, NDArray[Any]],
    samples: Mapping[str, Sequence[NDArray[Any]]],
    candidates: Mapping[str, NDArray[Any]],
) -> RecordedRun:
    """What is kept of a run."""
    return RecordedRun(
        counts=metrics.counts,
        surrogate_accuracy=metrics.surrogate_accuracy,
        attack=metrics.attack,
        sets=metrics.sets,
        accuracy=metrics.accuracy,
        slopes=metrics.slopes,
        slope_reasons=metrics.slope_reasons,
        **{name: getattr(metrics, name) for name in OF_DECIDING},
        data_sha256=data_sha256,
        arrays={name: digest([array]) for name, array in sorted(arrays.items())},
        samples={name: digest(found) for name, found in samples.items()},
        candidates={name: digest([array]) for name, array in sorted(candidates.items())},
    )


def metrics_of(spec: Spec, run: int, recorded: RecordedRun) -> RunMetrics:
    """The metrics of a recorded run, as statistics take them."""
    decided = {name: getattr(recorded, name) for name in OF_DECIDING}
    return RunMetrics(
        index=run,
        ladder=spec.ladder,
        counts=recorded.counts,
        surrogate_accuracy=recorded.surrogate_accuracy,
        attack=recorded.attack,
        sets=recorded.sets,
        accuracy=recorded.accuracy,
        slopes=recorded.slopes,
        slope_reasons=recorded.slope_reasons,
        **{name: value for name, value in decided.items() if value is not None},
        seconds={},
        data_sha256=recorded.data_sha256,
        environment=Environment(versions={}, device="cpu", cpu=""),
    )


def samples_of(found: RunResult) -> dict[str, list[NDArray[Any]]]:
    """The arrays of each set's sample as a gallery holds them."""
    return {name: _sample(members) for name, members in found.samples.items()}


def _sample(members: Members) -> list[NDArray[Any]]:
    return [getattr(members, name).astype(dtype) for name, dtype in OF_A_SAMPLE.items()]


def digest(arrays: Iterable[NDArray[Any]]) -> str:
    """SHA-256 over the types, shapes and bytes of arrays."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def digest_of_summary(statistics: StatisticsComputed) -> str:
    """SHA-256 over the summary in canonical JSON."""
    return _json_digest(_as_read(statistics.summary, SummaryTable))


def digest_of_tests(statistics: StatisticsComputed) -> str:
    """SHA-256 over the tests in canonical JSON."""
    tests = [_as_read(test, StatisticalTest) for test in statistics.tests]
    return _json_digest([{name: test[name] for name in OF_A_TEST} for test in tests])


def digest_of_claims(statistics: StatisticsComputed) -> str:
    """SHA-256 over the claims in canonical JSON."""
    return _json_digest([_as_read(claim, Claim) for claim in statistics.claims])


def _as_read(record: object, kind: type[Any]) -> Any:
    """Plain values as they are after a journal: a 4 where a float is meant is a 4.0."""
    return plain(parse(to_json(record), kind, "a statistic"))


def _without(values: Mapping[str, str], left_out: Sequence[str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in left_out}


def _json_digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def statistics_over(spec: Spec, metrics: Sequence[RunMetrics]) -> StatisticsComputed:
    """The statistics over all runs."""
    return experiment_statistics(spec, dict(enumerate(metrics)))


class _Keeper:
    """A `CandidateKeeper` in memory."""

    def __init__(self) -> None:
        self._blocks: list[dict[str, NDArray[Any]]] = []

    def add(self, block: Candidates, source_index: NDArray[np.int64]) -> None:
        self._blocks.append(
            {
                "image": block.image,
                "label": block.label.astype(np.int16),
                "source": source_index.astype(np.int32),
                "target": block.target.astype(np.int16),
                "prediction": block.prediction.astype(np.int16),
                "surrogate_prediction": block.surrogate_prediction.astype(np.int16),
            }
        )
        if block.half_prediction is not None:
            self._blocks[-1]["crossfit_prediction"] = block.half_prediction.astype(np.int16)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All candidates, as candidates.npz holds them."""
        if not self._blocks:
            return {}
        return {
            name: np.concatenate([one[name] for one in self._blocks], axis=-1 if "prediction" in name else 0)
            for name in self._blocks[0]
        }


def renew(name: str) -> None:
    """Compute a record anew on this computer."""
    old = read(name)
    found = [compute(old.spec, run) for run in range(len(old.runs))]
    statistics = statistics_over(old.spec, [metrics for _, metrics in found])
    new = msgspec.structs.replace(
        old,
        computer=Computer.this(),
        runs=tuple(run for run, _ in found),
        summary_sha256=digest_of_summary(statistics),
        tests_sha256=digest_of_tests(statistics),
        claims_sha256=digest_of_claims(statistics),
        summary=None if old.summary is None else statistics.summary,
        tests=None if old.tests is None else statistics.tests,
        claims=None if old.claims is None else statistics.claims,
    )
    write(name, new)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or names():
        renew(chosen)
        print(chosen)
