"""What the runs of an experiment measured, each quantity once a run, so that experiments can be compared by run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from core.families.ladder import Ladder
from core.records.metrics import RunMetrics
from core.statistics.quantities import Quantity, quantities

ACCURACY = "accuracy"
"""On a set at a level."""
IMAGES = "images"
"""How many a set has."""
FOOLED, HIT = "fooled", "target_hit"
"""Shares of the candidates that the surrogate misclassifies, and takes for the target."""


class Key(NamedTuple):
    """What is measured. name: a claim's, or one of the above. sets: of a claim, as in `Claim`.

    level: of accuracy; "" for the most fitted one of the ladder, and for what is not of a level.
    """

    name: str
    sets: tuple[str, ...] = ()
    level: str = ""


@dataclass(frozen=True)
class Measured:
    """runs: the complete ones, from 0, ascending. values: key -> a value for each of them, None where it has none.

    fitted: the most fitted level. n_test, n_train: images in a run's two parts. data: the SHA-256 of the pooled
    images of each run.
    """

    runs: tuple[int, ...]
    values: Mapping[Key, tuple[float | None, ...]] = field(repr=False)
    fitted: str
    n_test: int
    n_train: int
    data: tuple[str, ...]

    def by_run(self, key: Key) -> dict[int, float | None]:
        """Run -> its value; None where it has none, empty where no run has measured it."""
        if key.name == ACCURACY and not key.level:
            key = key._replace(level=self.fitted)
        return dict(zip(self.runs, self.values[key], strict=True)) if key in self.values else {}

    def has(self, key: Key) -> bool:
        """Whether some run has a value."""
        return any(value is not None for value in self.by_run(key).values())

    @property
    def overlap(self) -> float:
        """n_test / n_train."""
        return self.n_test / self.n_train


@lru_cache(maxsize=100)
def _quantities(ladder: Ladder, controls: tuple[str, ...]) -> tuple[Quantity, ...]:
    """`quantities`, cached: most experiments of a study have one ladder and the same controls."""
    return quantities(ladder, controls)


def quantities_by_run(results: Mapping[int, RunMetrics], ladder: Ladder, controls: Sequence[str]) -> Measured:
    """The values of the complete runs, one at least. results: run -> its metrics."""
    order = sorted(results)
    runs = [results[run] for run in order]
    values: dict[Key, tuple[float | None, ...]] = {}
    for quantity in _quantities(ladder, tuple(controls)):
        found = tuple(quantity.of(run) for run in runs)
        if any(value is not None for value in found):
            values[Key(quantity.name, quantity.sets)] = found
    for name in dict.fromkeys(name for run in runs for name in run.accuracy):
        values[Key(IMAGES, (name,))] = tuple(
            float(run.counts.sets[name]) if name in run.counts.sets else None for run in runs
        )
        for level in ladder.levels:
            values[Key(ACCURACY, (name,), level)] = tuple(
                run.accuracy.get(name, {}).get(level) for run in runs
            )
    values[Key(FOOLED)] = tuple(run.attack.surrogate_fooled for run in runs)
    values[Key(HIT)] = tuple(run.attack.target_hit for run in runs)
    counts = runs[0].counts
    return Measured(
        tuple(order), values, ladder.fitted, counts.test, counts.train, tuple(run.data_sha256 for run in runs)
    )
