"""The numbers that a verdict is made of, by what is asked of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from core.attacks.registry import ATTACKS
from core.records.metrics import RunMetrics
from core.records.statistics import Claim, Quantity, StatisticalTest, TestName
from core.sets.registry import is_known
from core.spec.spec import Spec
from core.statistics.summary import FEWEST_RUNS

AGAINST = ("adversarial", "misclassified")
"""The comparison that the claim is about."""
SMALL_SET = 30
"""Images. In a smaller set a single one moves the accuracy by more than 1/30, and the verdict says so."""


class Numbers:
    """The numbers of the runs, at least one, their tests and claims, by what is asked of them.

    runs: how many there are. compared: in how many both the adversarial and the misclassified set have images.
    has_adversary: whether the attack follows a gradient; what it makes without one is a control itself.
    controls: those of the experiment whose class is there; strangers: those of plug-ins that are not installed.
    """

    def __init__(
        self,
        spec: Spec,
        runs: Sequence[RunMetrics],
        tests: Sequence[StatisticalTest],
        claims: Sequence[Claim],
    ) -> None:
        self.spec = spec
        self.ladder = runs[0].ladder
        self.runs = len(runs)
        self.metrics = list(runs)
        self._claims = {(claim.name, claim.sets): claim for claim in claims}
        self._tests = {(test.quantity, test.j, test.sets, test.test): test for test in tests}
        self.compared = len(self.shared(*AGAINST))
        self.has_adversary = ATTACKS[spec.attack].uses_gradient
        self.controls = [name for name in spec.controls if is_known(name)]
        self.strangers = [name for name in spec.controls if not is_known(name)]

    def shared(self, *names: str) -> list[RunMetrics]:
        """The runs in which all of these sets have images."""
        return [run for run in self.metrics if all(run.counts.sets.get(name) for name in names)]

    def mean(self, name: str, level: str, beside: str) -> float:
        """Mean accuracy over the runs, at least one, in which this set and the one `beside` have images."""
        return mean(_accuracy(run, name, level) for run in self.shared(name, beside))

    def claim(self, name: str, *sets: str) -> Claim | None:
        """What is decided of a quantity of these sets; None where no run has measured it."""
        return self._claims.get((name, sets))

    @property
    def overlap(self) -> float:
        """The share n_test / n_train of a run's images that its interval allows for."""
        counts = self.metrics[0].counts
        return counts.test / counts.train

    @property
    def flips(self) -> tuple[int, int]:
        """How many candidates only the fitted, and how many only the general end gets right, over all runs."""
        found = [run.flips for run in self.metrics if run.flips is not None]
        return sum(flips.gained for flips in found), sum(flips.lost for flips in found)

    def sizes(self, name: str) -> list[int]:
        """How many images a set has in every run."""
        return [run.counts.sets.get(name, 0) for run in self.metrics]

    def is_small(self, name: str) -> bool:
        """Whether a set has images, but fewer than 30 different ones in some run."""
        found = [run.counts.distinct.get(name, run.counts.sets[name]) for run in self.shared(name)]
        return bool(found) and min(found) < SMALL_SET

    @property
    def sources(self) -> list[int]:
        """How many sources the adversarial images of every run have."""
        return [run.counts.adversarial_sources for run in self.metrics]

    @property
    def testable(self) -> bool:
        """Whether there are runs enough for any test."""
        return self.runs >= FEWEST_RUNS

    def test(
        self, quantity: Quantity, j: str, test: TestName, other: str = "misclassified"
    ) -> StatisticalTest | None:
        """A test of the adversarial set against another at the step that ends at level j."""
        return self._tests.get((quantity, j, ("adversarial", other), test))

    @property
    def steps(self) -> list[str]:
        """j of the slopes, the most fitted first."""
        return [step.fitted for step in reversed(self.ladder.steps)]


def mean(values: Iterable[float]) -> float:
    """Of some values, at least one."""
    found = list(values)
    return math.fsum(found) / len(found)


def _accuracy(run: RunMetrics, name: str, level: str) -> float:
    """The accuracy on a set that has images in that run."""
    accuracy = run.accuracy[name][level]
    if accuracy is None:
        raise ValueError(f"run {run.index} has images in the set {name}, but no accuracy on them")
    return accuracy
