"""The numbers that a verdict is made of, by what is asked of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.attacks.catalogue import ATTACKS
from core.sets.catalogue import SETS
from core.spec.spec import Spec
from core.statistics.comparison import FEWEST_RUNS

LEVEL = 0.05
"""Below this a p-value is called significant; the direction is always said with it."""
ALIKE = 1e-9
"""Means of accuracies that differ by less are equal but for rounding."""

Runs = Sequence[Mapping[str, Any]]
Tests = Sequence[Mapping[str, Any]]


class Numbers:
    """The numbers of the runs and their tests, by what is asked of them."""

    def __init__(self, spec: Spec, runs: Runs, tests: Tests) -> None:
        self.spec = spec
        self._runs = runs
        self._tests = {(t["quantity"], t["j"], *t["sets"], t["test"]): t for t in tests}
        self.runs = len(runs)
        self.compared = len(self.shared("adversarial", "misclassified"))

    def shared(self, *names: str) -> Runs:
        """The runs in which all of these sets have images."""
        return [run for run in self._runs if all(run["counts"]["sets"][name] for name in names)]

    def mean(self, name: str, k: int, beside: str) -> float:
        """Mean accuracy over the runs, at least one, in which this set and the one `beside` have images."""
        runs = self.shared(name, beside)
        return math.fsum(run["accuracy"][name][str(k)] for run in runs) / len(runs)

    def counts(self, name: str) -> list[int]:
        """A count of every run: the images of a set, or "adversarial_sources"."""
        return [
            run["counts"][name] if name == "adversarial_sources" else run["counts"]["sets"][name]
            for run in self._runs
        ]

    def comparable(self, name: str) -> bool:
        """Whether a counterpart is there, is not the attack itself, and shares a run with the adversarial set."""
        other = name != "noise" or ATTACKS[self.spec.attack].uses_gradient
        return other and name in self.spec.controls and bool(self.shared(name, "adversarial"))

    def ends(self, name: str) -> tuple[float, float]:
        """Where the rises of a counterpart and of the adversarial set end: mean accuracies."""
        return self.mean(name, self.end(name), "adversarial"), self.mean("adversarial", 1, name)

    def end(self, name: str) -> int:
        """The K at which the rise of a set ends."""
        return self.spec.z if SETS[name].from_fitted else 1

    def as_far(self, name: str) -> tuple[int, int]:
        """In how many runs a counterpart rises as far as the adversarial set, and of how many."""
        runs, end = self.shared(name, "adversarial"), str(self.end(name))
        rises = [run["accuracy"][name][end] - run["accuracy"]["adversarial"]["1"] for run in runs]
        return sum(direction(rise) != "lower" for rise in rises), len(runs)

    def larger(self, other: str, quantity: str) -> list[int]:
        """The steps j at which a quantity is significantly larger on the adversarial set, by the corrected test."""
        return [j for j in self.steps if is_larger(self.test(quantity, j, "nadeau_bengio", other))]

    @property
    def testable(self) -> bool:
        """Whether there are runs enough for any test."""
        return self.runs >= FEWEST_RUNS

    def test(self, quantity: str, j: int, test: str, other: str = "misclassified") -> Mapping[str, Any]:
        """A test of the adversarial set against another."""
        return self._tests[quantity, str(j), "adversarial", other, test]

    @property
    def steps(self) -> list[int]:
        """j of the slopes, 1 first."""
        return list(reversed(self.spec.levels[1:]))


def is_larger(test: Mapping[str, Any]) -> bool:
    """Whether a test finds its quantity significantly higher on the first set."""
    return test["direction"] == "higher" and test["p_holm"] is not None and test["p_holm"] < LEVEL


def direction(difference: float) -> str:
    """Of a difference of means: "higher", "lower" or "equal"."""
    return "equal" if abs(difference) <= ALIKE else "higher" if difference > 0 else "lower"
