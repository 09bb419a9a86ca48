"""The numbers that a verdict is made of, by what is asked of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.attacks.registry import ATTACKS
from core.records.metrics import RunMetrics
from core.records.statistics import Direction, Quantity, StatisticalTest, TestName
from core.sets.measured_set import Counterpart
from core.sets.registry import SETS
from core.spec.spec import Spec
from core.statistics import FEWEST_RUNS

SIGNIFICANCE = 0.05
"""Below this a p-value is called significant; the direction is always said with it."""
ALIKE = 1e-9
"""Means of accuracies that differ by less are equal but for rounding."""


class Numbers:
    """The numbers of the runs, at least one, and their tests, by what is asked of them.

    runs: how many there are. compared: in how many both the adversarial and the misclassified set have images.
    """

    def __init__(self, spec: Spec, runs: Sequence[RunMetrics], tests: Sequence[StatisticalTest]) -> None:
        self.spec = spec
        self.ladder = runs[0].ladder
        self.runs = len(runs)
        self._metrics = runs
        self._tests = {(test.quantity, test.j, test.sets, test.test): test for test in tests}
        self.compared = len(self.shared("adversarial", "misclassified"))

    def shared(self, *names: str) -> list[RunMetrics]:
        """The runs in which all of these sets have images."""
        return [run for run in self._metrics if all(run.counts.sets[name] for name in names)]

    def mean(self, name: str, level: str, beside: str) -> float:
        """Mean accuracy over the runs, at least one, in which this set and the one `beside` have images."""
        runs = self.shared(name, beside)
        return math.fsum(_accuracy(run, name, level) for run in runs) / len(runs)

    def sizes(self, name: str) -> list[int]:
        """How many images a set has in every run."""
        return [run.counts.sets[name] for run in self._metrics]

    @property
    def sources(self) -> list[int]:
        """How many sources the adversarial images of every run have."""
        return [run.counts.adversarial_sources for run in self._metrics]

    @property
    def counterparts(self) -> dict[str, Counterpart]:
        """Name -> what to say of a control that would have to rise less, were adversarial examples what rises.

        Of those that begin at 0 as the adversarial set does, share a run with it, and are not the attack itself.
        """
        found: dict[str, Counterpart] = {}
        for name in self.spec.controls:
            counterpart = SETS[name].counterpart
            # What follows no gradient is a control itself: another draw of the same tells nothing.
            attack_itself = SETS[name].draws and not ATTACKS[self.spec.attack].uses_gradient
            alike = SETS[name].begins_at_zero() and not attack_itself
            if counterpart is not None and alike and self.shared(name, "adversarial"):
                found[name] = counterpart
        return found

    def ends(self, name: str) -> tuple[float, float]:
        """Where the rises of a counterpart and of the adversarial set end: mean accuracies."""
        return (
            self.mean(name, self.end(name), "adversarial"),
            self.mean("adversarial", self.end("adversarial"), name),
        )

    def end(self, name: str) -> str:
        """The level at which the rise of a set ends."""
        return SETS[name].rise_ends_at(self.ladder)

    def as_far(self, name: str) -> tuple[int, int]:
        """In how many runs a counterpart rises as far as the adversarial set, and of how many."""
        runs = self.shared(name, "adversarial")
        rises = [
            _accuracy(run, name, self.end(name)) - _accuracy(run, "adversarial", self.end("adversarial"))
            for run in runs
        ]
        return sum(direction(rise) != "lower" for rise in rises), len(runs)

    def larger(self, other: str, quantity: Quantity) -> list[str]:
        """The steps at which a quantity is significantly larger on the adversarial set, by the corrected test."""
        return [j for j in self.steps if is_larger(self.test(quantity, j, "nadeau_bengio", other))]

    @property
    def testable(self) -> bool:
        """Whether there are runs enough for any test."""
        return self.runs >= FEWEST_RUNS

    def test(
        self, quantity: Quantity, j: str, test: TestName, other: str = "misclassified"
    ) -> StatisticalTest:
        """A test of the adversarial set against another at the step that ends at level j."""
        return self._tests[quantity, j, ("adversarial", other), test]

    @property
    def steps(self) -> list[str]:
        """j of the slopes, the most fitted first."""
        return [step.fitted for step in reversed(self.ladder.steps)]


def is_larger(test: StatisticalTest) -> bool:
    """Whether a test finds its quantity significantly higher on the first set."""
    return test.direction == "higher" and test.p_holm is not None and test.p_holm < SIGNIFICANCE


def direction(difference: float) -> Direction:
    """Of a difference of means."""
    if abs(difference) <= ALIKE:
        return "equal"
    return "higher" if difference > 0 else "lower"


def _accuracy(run: RunMetrics, name: str, level: str) -> float:
    """The accuracy on a set that has images in that run."""
    accuracy = run.accuracy[name][level]
    if accuracy is None:
        raise ValueError(f"run {run.index} has images in the set {name}, but no accuracy on them")
    return accuracy
