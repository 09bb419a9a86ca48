"""What an experiment's numbers say, in plain sentences, each made by one rule that claims no more than they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.attacks.catalogue import ATTACKS
from core.sets import SETS
from core.spec import Spec
from core.statistics.comparison import FEWEST_RUNS
from core.statistics.slopes import REASONS

LEVEL = 0.05
"""Below this a p-value is called significant; the direction is always said with it."""
ADVERSARIAL, MISCLASSIFIED = "the adversarial images", "the misclassified ones"
ALIKE = 1e-9
"""Means of accuracies that differ by less are equal but for rounding."""

Summary = Mapping[str, Any]
Tests = Sequence[Mapping[str, Any]]


def verdict(spec: Spec, summary: Summary, tests: Tests) -> tuple[str, ...]:
    """A few sentences on `summary` and `tests`, the members of the JSON result (see `Statistics.to_json`).

    In this order, each where there is something to say:
    1. what was compared, over how many runs;
    2. how far mean accuracy rises from K = Z to K = 1 on the adversarial and on the misclassified images, and
       on which of them it is higher at which K;
    3. for each slope S_j that can be tested, on which set it is higher, by how much, and how surely: by the
       Nadeau-Bengio corrected test, Holm-adjusted (the cautious reading), and by Welch's unadjusted one (the
       paper's). "Significantly" is the cautious one's word, below 0.05. Where A_j - A_j+2 points the other
       way than S_j, that is said;
    4. for each control, whether it rises as well: where noise rises as far as the adversarial set does, or
       no step of the rise is significantly larger on the latter, the effect is not particular to it;
    5. what could not be tested, and why.
    """
    numbers = _Numbers(spec, summary, tests)
    if not numbers.runs:
        return ()
    return (
        _compared(numbers),
        *_rise(numbers),
        *_slopes(numbers),
        *_controls(numbers),
        *_untested(numbers),
    )


class _Numbers:
    """The members of the JSON result, by what is asked of them."""

    def __init__(self, spec: Spec, summary: Summary, tests: Tests) -> None:
        self.spec = spec
        self._accuracy: Mapping[str, Any] = summary["accuracy"]
        self._tests = {(t["quantity"], t["j"], *t["sets"], t["test"]): t for t in tests}
        self.runs = int(self._accuracy["test"][str(spec.z)]["n"])

    @property
    def testable(self) -> bool:
        return self.runs >= FEWEST_RUNS

    def mean(self, name: str, k: int) -> float | None:
        """Mean accuracy; None where the set was empty in every run."""
        value: float | None = self._accuracy[name][str(k)]["mean"]
        return value

    def test(self, quantity: str, j: int, test: str, other: str = "misclassified") -> Mapping[str, Any]:
        """A test of the adversarial set against another."""
        return self._tests[quantity, str(j), "adversarial", other, test]

    @property
    def steps(self) -> list[int]:
        """j of the slopes, 1 first."""
        return list(reversed(self.spec.levels[1:]))


def _compared(numbers: _Numbers) -> str:
    """Rule 1."""
    spec, runs = numbers.spec, numbers.runs
    info = ATTACKS[spec.attack]
    over = f"{runs} complete run{'s' * (runs > 1)}" + (f" of {spec.runs}" if runs < spec.runs else "")
    text = (
        f"{info.title}, epsilon {spec.epsilon:g}, on {spec.dataset_title} with Z = {spec.z}: {ADVERSARIAL} are "
        f"compared with the misclassified test images over {over}."
    )
    return text if info.uses_gradient else f"{text} This attack follows no gradient: it is a control itself."


def _rise(numbers: _Numbers) -> list[str]:
    """Rule 2."""
    z = numbers.spec.z
    ours, theirs = numbers.mean("adversarial", 1), numbers.mean("misclassified", 1)
    if ours is None:
        return ["No candidate became adversarial, so there is nothing to compare."]
    if theirs is None:
        return [f"No test image is misclassified, so there is nothing to compare {ADVERSARIAL} with."]
    sides: dict[str, list[int]] = {}
    for k in numbers.spec.levels[1:]:
        difference = _value(numbers.mean("adversarial", k)) - _value(numbers.mean("misclassified", k))
        sides.setdefault(_direction(difference), []).append(k)
    if len(sides) == 1:
        (side,) = sides
        where = f"It is {_than(side)} on {ADVERSARIAL} at every K below {z}."
    else:
        where = f"On {ADVERSARIAL} it is {_listed([f'{side} at K = {_listed(ks)}' for side, ks in sides.items()])}."
    return [
        f"From K = {z} to K = 1 {'mean ' * (numbers.runs > 1)}accuracy rises from 0 to {ours:.3f} on {ADVERSARIAL} "
        f"and from 0 to {theirs:.3f} on {MISCLASSIFIED}. {where}"
    ]


def _slopes(numbers: _Numbers) -> list[str]:
    """Rule 3."""
    if not numbers.testable:
        runs = f"{numbers.runs} complete run{'s' * (numbers.runs > 1)}"
        return [f"With {runs} no test is possible yet: it takes {FEWEST_RUNS}."]
    said = []
    for j in numbers.steps:
        cautious = numbers.test("ratio", j, "nadeau_bengio")
        welch = numbers.test("ratio", j, "welch")
        if cautious["p"] is None:
            continue
        significantly, but = _how_surely(cautious, welch)
        over = f" in {cautious['n']} of the runs" if cautious["n"] < numbers.runs else ""
        said.append(
            f"The slope S_{j} = A_{j} / A_{j + 2} is {significantly}{_than(cautious['direction'])} on {ADVERSARIAL}"
            f"{_by(cautious)}{over}{but} (p = {_p(cautious['p_holm'])} by the corrected test, Holm-adjusted; "
            f"{_p(welch['p'])} by Welch's, the paper's reading).{_disagreement(numbers, j, cautious['direction'])}"
        )
    return said


def _how_surely(cautious: Mapping[str, Any], welch: Mapping[str, Any]) -> tuple[str, str]:
    """What to say before and after a direction."""
    if cautious["p_holm"] < LEVEL:
        return "significantly ", ""
    if welch["p"] is not None and welch["p"] < LEVEL:
        return "", ", but significantly so only by Welch's test"
    return "", ", but not significantly"


def _disagreement(numbers: _Numbers, j: int, direction: str) -> str:
    """Where the ratio and the difference point in opposite directions, with what the ratio divides by."""
    plain = numbers.test("difference", j, "nadeau_bengio")
    if {plain["direction"], direction} != {"higher", "lower"}:
        return ""
    ours, theirs = (_value(numbers.mean(name, j + 2)) for name in ("adversarial", "misclassified"))
    return (
        f" The difference A_{j} - A_{j + 2} points the other way: {plain['direction']}{_by(plain)} (p = "
        f"{_p(plain['p_holm'])} by the corrected test, Holm-adjusted). The ratio divides by {ours:.3f} on "
        f"{ADVERSARIAL}, by {theirs:.3f} on {MISCLASSIFIED}."
    )


def _controls(numbers: _Numbers) -> list[str]:
    """Rule 4."""
    ours = numbers.mean("adversarial", 1)
    if ours is None:
        return []
    said = []
    for name in numbers.spec.controls:
        fitted = numbers.mean(name, 1)
        subject = f"The control {name} ({SETS[name].description})"
        if fitted is None:
            said.append(f"{subject} has no images.")
        elif name == "noise" and ATTACKS[numbers.spec.attack].uses_gradient:
            said.append(_noise(numbers, ours, fitted))
        elif SETS[name].wrong_by_construction:
            side = _direction(fitted - ours)
            said.append(f"{subject} comes to {fitted:.3f} at K = 1, {_than(side)} than {ADVERSARIAL}.")
        else:
            general = _value(numbers.mean(name, numbers.spec.z))
            said.append(
                f"{subject} goes from {general:.3f} at K = {numbers.spec.z} to {fitted:.3f} at K = 1."
            )
    return said


def _noise(numbers: _Numbers, ours: float, noise: float) -> str:
    """Whether random noise would have done the same: by the means, then by the corrected test of each step."""
    as_far = _direction(noise - ours) != "lower"
    text = (
        "Random noise of epsilon in every pixel, selected alike, rises "
        f"{'as far or further' if as_far else 'less far'}: to {noise:.3f} at K = 1, "
        f"against {ours:.3f} on {ADVERSARIAL}."
    )
    if not numbers.testable:
        return text
    larger = [j for j in numbers.steps if _is_larger(numbers.test("difference", j, "nadeau_bengio", "noise"))]
    if as_far:
        but = f", although by the corrected test {_larger_on(larger)} them" if larger else ""
        return f"{text} So the effect is not particular to adversarial examples{but}."
    if larger:
        return (
            f"{text} By the corrected test {_larger_on(larger)} {ADVERSARIAL}: this control does not account for "
            "all of the effect."
        )
    return (
        f"{text} But by the corrected test no step is significantly larger on {ADVERSARIAL}: nothing shows that "
        "the effect is particular to them."
    )


def _larger_on(steps: Sequence[int]) -> str:
    """That the steps from K = j + 2 to j, at least one, are significantly larger on a set still to be named."""
    listed = _listed([f"K = {j + 2} to {j}" for j in steps])
    several = len(steps) > 1
    return f"the step{'s' * several} from {listed} {'are' if several else 'is'} significantly larger on"


def _is_larger(test: Mapping[str, Any]) -> bool:
    return test["direction"] == "higher" and test["p_holm"] is not None and test["p_holm"] < LEVEL


def _untested(numbers: _Numbers) -> list[str]:
    """Rule 5: the slopes without the cautious test, by the reason."""
    if not numbers.testable:
        return []
    by_reason: dict[Any, list[str]] = {}
    for j in numbers.steps:
        test = numbers.test("ratio", j, "nadeau_bengio")
        if test["p"] is None:
            by_reason.setdefault(test["reason"], []).append(f"S_{j}")
    return [f"{_listed(slopes)} could not be tested. {REASONS[why]}" for why, slopes in by_reason.items()]


def _direction(difference: float) -> str:
    return "equal" if abs(difference) <= ALIKE else "higher" if difference > 0 else "lower"


def _than(direction: str) -> str:
    return "no different" if direction == "equal" else direction


def _by(test: Mapping[str, Any]) -> str:
    return "" if test["direction"] == "equal" else f" by {abs(test['mean_difference']):.3f}"


def _p(p: float | None) -> str:
    return "none" if p is None else f"{p:.2g}"


def _value(accuracy: float | None) -> float:
    """A mean that is there whenever the same set has one at another K."""
    if accuracy is None:
        raise ValueError("a set has an accuracy at one K and none at another")
    return accuracy


def _listed(items: Sequence[object]) -> str:
    *others, last = map(str, items)
    return f"{', '.join(others)} and {last}" if others else last
