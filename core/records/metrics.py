"""The metrics of a run: metrics.json of its result, and an entry of `runs[]` of the JSON result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from core.families.ladder import Ladder
from core.records.deciding import BiasVariance, CrossFit, Flips, LevelRobustness, Robustness
from core.records.environment import Environment
from core.records.statistics import Reason
from core.records.types import Count, Finite, Name, Record, Seconds, Share

SCHEMA_VERSION = 2
"""Of metrics.json and of the JSON result."""

PARTS = ("attack", "filter", "subsets")
"""Times within stages: of making candidates, of judging them, of judging them by parts of the training images."""

ByLevel = dict[Name, Share | None]
"""Level -> accuracy; None where the set is empty."""


class Counts(Record, frozen=True, kw_only=True):
    """Numbers of images. sets: in each measured set. distinct: different ones in sets that repeat some images."""

    train: Count
    test: Count
    correct: Count
    misclassified: Count
    candidates: Count
    rejected: Count
    adversarial: Count
    adversarial_sources: Count
    sets: dict[Name, Count]
    distinct: dict[Name, Count] = msgspec.field(default_factory=dict)


class AttackFigures(Record, frozen=True, kw_only=True):
    """How an attack did on the surrogate, over all candidates; None where there are none to count.

    surrogate_fooled: the share that the surrogate does not classify as y. target_hit: the share that it
    classifies as the target, of those with a target. linf_max, l2_mean: the largest and the mean norm of the
    perturbations, in pixel units.
    """

    surrogate_fooled: Share | None
    target_hit: Share | None
    linf_max: Finite | None
    l2_mean: Finite | None


class RunMetrics(Record, frozen=True, kw_only=True):
    """What a run found.

    checksum: of the metrics.json that it was read from, see `core.records.results`. experiment: the digest of its
    specification. Both are "" in results that were written before they had them.
    index: the run, from 0. attack: of the experiment's attack; sets: the same for each set that was made by
    an attack of its own, such as noise. accuracy: set -> level -> share of right answers.
    crossfit, crossfit_fitted: selected at the most general and at the most fitted level. robustness, flips: on the
    attack's candidates of all test images; noise: both on noise; variants: rule -> both on the attack's candidates,
    had the family followed that rule. None for what was not measured, as in results of version 1.
    slopes, slope_reasons: set -> level j -> S_j, and why it is None. search: the cost of the predictions, in the
    family's terms. seconds: of each stage; those of PARTS are within stages. data_sha256: of the pooled images.
    sha256: file beside metrics.json -> digest.
    """

    schema_version: Count = SCHEMA_VERSION
    checksum: Name = ""
    experiment: Name = ""
    index: Count
    ladder: Ladder
    counts: Counts
    surrogate_accuracy: Share
    surrogate_reused: bool = False
    attack: AttackFigures
    sets: dict[Name, AttackFigures] = msgspec.field(default_factory=dict)
    accuracy: dict[Name, ByLevel]
    crossfit: CrossFit | None = None
    crossfit_fitted: CrossFit | None = None
    bias_variance: BiasVariance | None = None
    robustness: dict[Name, LevelRobustness] | None = None
    flips: Flips | None = None
    noise: Robustness | None = None
    variants: dict[Name, Robustness] = msgspec.field(default_factory=dict)
    slopes: dict[Name, dict[Name, Finite | None]]
    slope_reasons: dict[Name, dict[Name, Reason]]
    search: dict[Name, Count] = msgspec.field(default_factory=dict)
    seconds: dict[Name, Seconds]
    data_sha256: Name
    environment: Environment
    sha256: dict[Name, Name] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        levels = set(self.ladder.levels)
        for name, by_level in self.accuracy.items():
            if set(by_level) != levels:
                raise ValueError(
                    f"accuracy on {name} is of the levels {sorted(by_level)}, not of its ladder's"
                )
            if name not in self.counts.sets:
                raise ValueError(f"counts do not say how many images the set {name} has")
            empty = self.counts.sets[name] == 0
            if any((accuracy is None) != empty for accuracy in by_level.values()):
                raise ValueError(f"accuracy on {name} is undefined exactly where the set is empty")
        if not (self.counts.train and self.counts.test):
            raise ValueError("a run without training or test images has no accuracy")
        for what, found in self._of_levels():
            if set(found) != levels:
                raise ValueError(f"{what} is of the levels {sorted(found)}, not of its ladder's")

    def _of_levels(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Name and mapping of each deciding figure that has a value for every level.

        Raises ValueError where a cross-fitted set lacks its own accuracy or its counts.
        """
        for crossfit in filter(None, (self.crossfit, self.crossfit_fitted)):
            for name, by_level in crossfit.accuracy.items():
                if name not in crossfit.own or name not in crossfit.counts:
                    raise ValueError(
                        f"cross-fitted accuracy on {name} lacks the half's own, or how many images"
                    )
                yield f"cross-fitted accuracy on {name}", by_level
                yield f"the half's own accuracy on {name}", crossfit.own[name]
        if self.bias_variance is not None:
            for name, decompositions in self.bias_variance.sets.items():
                yield f"bias and variance on {name}", decompositions
        if self.robustness is not None:
            yield "robustness", self.robustness
        for found in filter(None, (self.noise, *self.variants.values())):
            yield "robustness", found.robustness

    @property
    def attacked(self) -> Robustness | None:
        """`robustness` and `flips` together, as `noise` holds them; None where they were not measured."""
        if self.robustness is None or self.flips is None:
            return None
        return Robustness(robustness=self.robustness, flips=self.flips)

    @property
    def run_seconds(self) -> float:
        """How long the run took: the sum of its stages."""
        return sum(spent for stage, spent in self.seconds.items() if stage not in PARTS)
