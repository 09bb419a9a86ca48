"""What an experiment's numbers say, in plain sentences, each made by one rule that claims no more than they do."""

from __future__ import annotations

import math
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
BY_CONSTRUCTION = "by_construction"
"""The reason code of a ratio whose denominator is 0 because of how the set was selected."""
ALIKE = 1e-9
"""Means of accuracies that differ by less are equal but for rounding."""
SMALL_SET = 30
"""Images. In a smaller set a single one moves the accuracy by more than 1/30, and the verdict says so."""

COUNTERPARTS = {
    "noise": (
        "Random noise of epsilon in every pixel, selected alike, rises",
        "So the effect is not particular to adversarial examples",
    ),
    "matched": (
        "Misclassified test images that are wrong by as many votes (the control matched) rise",
        "So the effect is not particular to adversarial examples",
    ),
    "reverse": (
        "Candidates selected by their errors at K = 1 instead (the control reverse) rise, as K grows,",
        "So being selected at one end of K is enough to rise towards the other",
    ),
}
"""Controls that would have to rise less if adversarial examples were what rises: the subject of the sentence, and
what follows where they rise as far."""

Runs = Sequence[Mapping[str, Any]]
Tests = Sequence[Mapping[str, Any]]


def verdict(spec: Spec, runs: Runs, tests: Tests) -> tuple[str, ...]:
    """A few sentences on the metrics of the complete runs and on `tests`, as in the JSON result.

    Two sets are always compared over the same runs: those in which both have images. In this order, each where
    there is something to say:
    0. in short: whether mean accuracy at K = 1 is higher on the adversarial than on the misclassified images; if
       so, which of noise, matched and reverse rise as far (by rule 5), else which of them do not account for all
       of it, or were not measured;
    1. what was compared, over how many runs, and why the others are left out;
    2. how many images the adversarial and the misclassified set have in a run, from how many sources; a caution
       where one of them, in a run that is compared, has fewer than 30;
    3. how far mean accuracy rises from K = Z to K = 1 on the adversarial and on the misclassified images, and
       on which of them it is higher at which K;
    4. for each slope S_j that can be tested, on which set it is higher, by how much, and how surely: by the
       Nadeau-Bengio corrected test, Holm-adjusted (the cautious reading), and by Welch's unadjusted one (the
       paper's). "Significantly" is the cautious one's word, below 0.05. Where A_j - A_j+2 points the other
       way than S_j, that is said. Where S_j divides by 0, the same of A_j - A_j+2;
    5. for each control, whether it rises as well, and in how many runs it rises as far: where the mean of noise or
       matched rises as far as the adversarial set does, or no step of the rise is significantly larger on the
       latter, the effect is not particular to it; steps and slopes that are significantly larger on it are named;
       where reverse rises as far, being selected at one end of K is enough to rise towards the other;
    6. what could not be tested, and why.
    """
    numbers = _Numbers(spec, runs, tests)
    if not numbers.runs:
        return ()
    return (
        *_in_short(numbers),
        _compared(numbers),
        *_sizes(numbers),
        *_rise(numbers),
        *_slopes(numbers),
        *_controls(numbers),
        *_untested(numbers),
    )


class _Numbers:
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
        return sum(_direction(rise) != "lower" for rise in rises), len(runs)

    def larger(self, other: str, quantity: str) -> list[int]:
        """The steps j at which a quantity is significantly larger on the adversarial set, by the corrected test."""
        return [j for j in self.steps if _is_larger(self.test(quantity, j, "nadeau_bengio", other))]

    @property
    def testable(self) -> bool:
        return self.runs >= FEWEST_RUNS

    def test(self, quantity: str, j: int, test: str, other: str = "misclassified") -> Mapping[str, Any]:
        """A test of the adversarial set against another."""
        return self._tests[quantity, str(j), "adversarial", other, test]

    @property
    def steps(self) -> list[int]:
        """j of the slopes, 1 first."""
        return list(reversed(self.spec.levels[1:]))


def _in_short(numbers: _Numbers) -> list[str]:
    """Rule 0."""
    if not numbers.compared:
        return []
    ours = numbers.mean("adversarial", 1, "misclassified")
    side = _direction(ours - numbers.mean("misclassified", 1, "adversarial"))
    far = {"higher": "further", "lower": "less far", "equal": "no further"}[side]
    start = "In short" if numbers.testable else f"In short, as far as {_runs(numbers.runs)} can tell"
    text = f"{start}: accuracy rises {far} on {ADVERSARIAL} than on {MISCLASSIFIED}"
    found = {name: _account(numbers, name) for name in COUNTERPARTS if numbers.comparable(name)}
    same, part, less = (
        [name for name, account in found.items() if account == one] for one in ("all", "part", "open")
    )
    conclusion = ""
    if side != "higher":
        conclusion = ", which does not support the paper's claim"
    elif same:
        text += f", but as far or further still on {_controls_named(same)}"
        conclusion = ": such a rise is not particular to adversarial examples"
    elif part:
        conclusion = f", and {_controls_named(part)} cannot account for all of it"
    elif less:
        text += f"; less far on {_controls_named(less)}"
        conclusion = ", but no test tells them apart"
    else:
        text += "; no control that could account for it has been measured"
    return [f"{text}{conclusion if numbers.testable else ''}."]


def _controls_named(names: Sequence[str]) -> str:
    return f"the control{'s' * (len(names) > 1)} {_listed(names)}"


def _account(numbers: _Numbers, name: str) -> str:
    """How much of the rise a counterpart accounts for: "all", "part", or "open" where no test tells."""
    other, ours = numbers.ends(name)
    if _direction(other - ours) != "lower":
        return "all"
    steps = not SETS[name].from_fitted and numbers.testable and numbers.larger(name, "difference")
    return "part" if steps else "open"


def _compared(numbers: _Numbers) -> str:
    """Rule 1."""
    spec, runs = numbers.spec, numbers.runs
    info = ATTACKS[spec.attack]
    over = _complete(runs) + (f" of {spec.runs}" if runs < spec.runs else "")
    if 0 < numbers.compared < runs:
        over = f"the {numbers.compared} of {over} in which both have images"
    text = (
        f"{info.title}, epsilon {spec.epsilon:g}, on {spec.dataset_title} with Z = {spec.z}: {ADVERSARIAL} are "
        f"compared with the misclassified test images over {over}."
    )
    if 0 < numbers.compared < runs:
        lacking = [
            f"{_runs(empty)} {'has' if empty == 1 else 'have'} no {name}"
            for name, empty in (
                (name, numbers.counts(name).count(0)) for name in ("adversarial", "misclassified")
            )
            if empty
        ]
        text = f"{text} Left out: {_listed(lacking)} image."
    return text if info.uses_gradient else f"{text} This attack follows no gradient: it is a control itself."


def _sizes(numbers: _Numbers) -> list[str]:
    """Rule 2."""
    ours, sources, theirs = (
        numbers.counts(name) for name in ("adversarial", "adversarial_sources", "misclassified")
    )
    said = [
        f"A run has {_range(ours)} adversarial image{_s(ours)} from {_range(sources)} "
        f"source{_s(sources)}, and {_range(theirs)} misclassified one{_s(theirs)}."
    ]
    compared = numbers.shared("adversarial", "misclassified")
    smallest = {
        name: min((run["counts"]["sets"][name] for run in compared), default=SMALL_SET)
        for name in ("adversarial", "misclassified")
    }
    steps = [f"{1 / size:.3f} on the {name} ones" for name, size in smallest.items() if size < SMALL_SET]
    if steps:
        said.append(
            f"Caution: sets of fewer than {SMALL_SET} images have coarse accuracies; here one image more or less "
            f"moves that of a run by up to {_listed(steps)}."
        )
    return said


def _rise(numbers: _Numbers) -> list[str]:
    """Rule 3."""
    z = numbers.spec.z
    if not numbers.shared("adversarial"):
        return ["No candidate became adversarial, so there is nothing to compare."]
    if not numbers.shared("misclassified"):
        return [f"No test image is misclassified, so there is nothing to compare {ADVERSARIAL} with."]
    if not numbers.compared:
        return ["No run has both adversarial and misclassified images, so there is nothing to compare."]

    def means(k: int) -> tuple[float, float]:
        return numbers.mean("adversarial", k, "misclassified"), numbers.mean(
            "misclassified", k, "adversarial"
        )

    ours, theirs = means(1)
    sides: dict[str, list[int]] = {}
    for k in numbers.spec.levels[1:]:
        mine, other = means(k)
        sides.setdefault(_direction(mine - other), []).append(k)
    if len(sides) == 1:
        (side,) = sides
        where = f"It is {_than(side)} on {ADVERSARIAL} at every K below {z}."
    else:
        where = f"On {ADVERSARIAL} it is {_listed([f'{side} at K = {_listed(ks)}' for side, ks in sides.items()])}."
    return [
        f"From K = {z} to K = 1 {'mean ' * (numbers.compared > 1)}accuracy rises from 0 to {ours:.3f} on "
        f"{ADVERSARIAL} and from 0 to {theirs:.3f} on {MISCLASSIFIED}. {where}"
    ]


def _slopes(numbers: _Numbers) -> list[str]:
    """Rule 4."""
    if not numbers.testable:
        return [f"With {_complete(numbers.runs)} no test is possible yet: it takes {FEWEST_RUNS}."]
    said = []
    for j in numbers.steps:
        cautious = numbers.test("ratio", j, "nadeau_bengio")
        welch = numbers.test("ratio", j, "welch")
        if cautious["p"] is not None:
            subject = f"The slope S_{j} = A_{j} / A_{j + 2}"
            more = _disagreement(numbers, j, cautious["direction"])
            said.append(_tested(numbers, subject, cautious, welch, ", the paper's reading") + more)
            continue
        plain = numbers.test("difference", j, "nadeau_bengio")
        if cautious["reason"] == BY_CONSTRUCTION and plain["p"] is not None:
            subject = f"The first step, A_{j} - A_{j + 2}, which no ratio can express,"
            said.append(_tested(numbers, subject, plain, numbers.test("difference", j, "welch")))
    return said


def _tested(
    numbers: _Numbers, subject: str, cautious: Mapping[str, Any], welch: Mapping[str, Any], reading: str = ""
) -> str:
    """On which set something is higher, by how much and how surely."""
    significantly, but = _how_surely(cautious, welch)
    over = f" in {cautious['n']} of the runs" if cautious["n"] < numbers.runs else ""
    return (
        f"{subject} is {significantly}{_than(cautious['direction'])} on {ADVERSARIAL}{_by(cautious)}{over}{but} "
        f"(p = {_p(cautious['p_holm'])} by the corrected test, Holm-adjusted; {_p(welch['p'])} by Welch's"
        f"{reading})."
    )


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
    ours = numbers.mean("adversarial", j + 2, "misclassified")
    theirs = numbers.mean("misclassified", j + 2, "adversarial")
    return (
        f" The difference A_{j} - A_{j + 2} points the other way: {plain['direction']}{_by(plain)} (p = "
        f"{_p(plain['p_holm'])} by the corrected test, Holm-adjusted). The ratio divides by {ours:.3f} on "
        f"{ADVERSARIAL}, by {theirs:.3f} on {MISCLASSIFIED}."
    )


def _controls(numbers: _Numbers) -> list[str]:
    """Rule 5."""
    if not numbers.shared("adversarial"):
        return []
    said = []
    for name in numbers.spec.controls:
        subject = f"The control {name} ({SETS[name].description})"
        both = len(numbers.shared(name, "adversarial"))
        over = f", over the {_runs(both)} in which both have images" if both < numbers.runs else ""
        if not numbers.shared(name):
            said.append(f"{subject} has no images.")
        elif not SETS[name].begins_at_zero:
            general, fitted = (numbers.mean(name, k, name) for k in (numbers.spec.z, 1))
            said.append(
                f"{subject} goes from {general:.3f} at K = {numbers.spec.z} to {fitted:.3f} at K = 1."
            )
        elif not both:
            said.append(f"{subject} has images in no run in which the adversarial set has any.")
        elif name in COUNTERPARTS and numbers.comparable(name):
            said.append(_counterpart(numbers, name, over))
        else:
            fitted, ours = numbers.mean(name, 1, "adversarial"), numbers.mean("adversarial", 1, name)
            side = _than(_direction(fitted - ours))
            said.append(f"{subject} comes to {fitted:.3f} at K = 1, {side} than {ADVERSARIAL}{over}.")
    return said


def _counterpart(numbers: _Numbers, name: str, over: str) -> str:
    """Whether a control does the same: by the means, then by the corrected test of each step and slope."""
    subject, conclusion = COUNTERPARTS[name]
    end, account = numbers.end(name), _account(numbers, name)
    other, ours = numbers.ends(name)
    as_far, runs = numbers.as_far(name)
    text = (
        f"{subject} {'as far or further' if account == 'all' else 'less far'}: to {other:.3f} at K = {end}, "
        f"against {ours:.3f} on {ADVERSARIAL}{' at K = 1' if end != 1 else ''}{over}"
        f"{f'; as far or further in {as_far} of {_runs(runs)}' if runs > 1 else ''}.{_likeness(numbers, name)}"
    )
    if not numbers.testable:
        return text
    if SETS[name].from_fitted:
        # Its steps lie elsewhere: which of them is larger says nothing that a person could follow.
        return f"{text} {conclusion}." if account == "all" else text
    larger = numbers.larger(name, "difference")
    if account == "all":
        but = f", although by the corrected test {_larger_on(larger)} them" if larger else ""
        return f"{text} {conclusion}{but}.{_steeper(numbers, name)}"
    if larger:
        return (
            f"{text} By the corrected test {_larger_on(larger)} {ADVERSARIAL}: this control does not account for "
            "all of the effect."
        )
    return (
        f"{text} But by the corrected test no step is significantly larger on {ADVERSARIAL}: nothing shows that "
        "the effect is particular to them."
    )


def _steeper(numbers: _Numbers, name: str) -> str:
    """The slopes that are significantly higher on the adversarial set than on a control that rises as far."""
    if not (slopes := [f"S_{j}" for j in numbers.larger(name, "ratio")]):
        return ""
    verb = "are" if len(slopes) > 1 else "is"
    return f" By the corrected test {_listed(slopes)} {verb} significantly higher on the adversarial images."


def _likeness(numbers: _Numbers, name: str) -> str:
    """In what a control is less like the adversarial set than its name says, where the runs tell."""
    if name == "matched":
        distinct = [run["counts"]["matched"]["distinct"] for run in numbers.shared(name, "adversarial")]
        return f" It has {_range(distinct)} distinct image{_s(distinct)} a run, used in turn."
    if name == "noise":
        norms = [
            ((run.get("noise") or {}).get("l2_mean"), run["attack"]["l2_mean"])
            for run in numbers.shared(name)
        ]
        if all(noise is not None and own is not None for noise, own in norms):
            noise, own = (math.fsum(column) / len(norms) for column in zip(*norms, strict=True))
            return f" Its mean change of an image is {noise:.2f} in L2, that of the attack's candidates {own:.2f}."
    return ""


def _larger_on(steps: Sequence[int]) -> str:
    """That the steps from K = j + 2 to j, at least one, are significantly larger on a set still to be named."""
    listed = _listed([f"K = {j + 2} to {j}" for j in steps])
    several = len(steps) > 1
    return f"the step{'s' * several} from {listed} {'are' if several else 'is'} significantly larger on"


def _is_larger(test: Mapping[str, Any]) -> bool:
    return test["direction"] == "higher" and test["p_holm"] is not None and test["p_holm"] < LEVEL


def _untested(numbers: _Numbers) -> list[str]:
    """Rule 6: the slopes without the cautious test, by the reason."""
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


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"


def _complete(count: int) -> str:
    return f"{count} complete run{'s' * (count != 1)}"


def _range(counts: Sequence[int]) -> str:
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _s(counts: Sequence[int]) -> str:
    return "" if max(counts) == min(counts) == 1 else "s"


def _listed(items: Sequence[object]) -> str:
    *others, last = map(str, items)
    return f"{', '.join(others)} and {last}" if others else last
