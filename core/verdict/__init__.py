"""What an experiment's numbers say, in plain sentences, each made by one rule that claims no more than they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.attacks.catalogue import ATTACKS
from core.spec.spec import Spec
from core.statistics.comparison import FEWEST_RUNS
from core.statistics.slopes import REASONS
from core.verdict.controls import controls, in_short
from core.verdict.numbers import LEVEL, Numbers, Runs, Tests, direction
from core.verdict.phrases import (
    ADVERSARIAL,
    MISCLASSIFIED,
    by,
    complete_runs,
    counted_runs,
    listed,
    plural,
    ranging,
    than,
    written_p,
)

BY_CONSTRUCTION = "by_construction"
"""The reason code of a ratio whose denominator is 0 because of how the set was selected."""
SMALL_SET = 30
"""Images. In a smaller set a single one moves the accuracy by more than 1/30, and the verdict says so."""


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
    numbers = Numbers(spec, runs, tests)
    if not numbers.runs:
        return ()
    return (
        *in_short(numbers),
        _compared(numbers),
        *_sizes(numbers),
        *_rise(numbers),
        *_slopes(numbers),
        *controls(numbers),
        *_untested(numbers),
    )


def _compared(numbers: Numbers) -> str:
    """Rule 1."""
    spec, runs = numbers.spec, numbers.runs
    info = ATTACKS[spec.attack]
    over = complete_runs(runs) + (f" of {spec.runs}" if runs < spec.runs else "")
    if 0 < numbers.compared < runs:
        over = f"the {numbers.compared} of {over} in which both have images"
    text = (
        f"{info.title}, epsilon {spec.epsilon:g}, on {spec.dataset_title} with Z = {spec.z}: {ADVERSARIAL} are "
        f"compared with the misclassified test images over {over}."
    )
    if 0 < numbers.compared < runs:
        lacking = [
            f"{counted_runs(empty)} {'has' if empty == 1 else 'have'} no {name}"
            for name, empty in (
                (name, numbers.counts(name).count(0)) for name in ("adversarial", "misclassified")
            )
            if empty
        ]
        text = f"{text} Left out: {listed(lacking)} image."
    return text if info.uses_gradient else f"{text} This attack follows no gradient: it is a control itself."


def _sizes(numbers: Numbers) -> list[str]:
    """Rule 2."""
    ours, sources, theirs = (
        numbers.counts(name) for name in ("adversarial", "adversarial_sources", "misclassified")
    )
    said = [
        f"A run has {ranging(ours)} adversarial image{plural(ours)} from {ranging(sources)} "
        f"source{plural(sources)}, and {ranging(theirs)} misclassified one{plural(theirs)}."
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
            f"moves that of a run by up to {listed(steps)}."
        )
    return said


def _rise(numbers: Numbers) -> list[str]:
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
        sides.setdefault(direction(mine - other), []).append(k)
    if len(sides) == 1:
        (side,) = sides
        where = f"It is {than(side)} on {ADVERSARIAL} at every K below {z}."
    else:
        where = (
            f"On {ADVERSARIAL} it is {listed([f'{side} at K = {listed(ks)}' for side, ks in sides.items()])}."
        )
    return [
        f"From K = {z} to K = 1 {'mean ' * (numbers.compared > 1)}accuracy rises from 0 to {ours:.3f} on "
        f"{ADVERSARIAL} and from 0 to {theirs:.3f} on {MISCLASSIFIED}. {where}"
    ]


def _slopes(numbers: Numbers) -> list[str]:
    """Rule 4."""
    if not numbers.testable:
        return [f"With {complete_runs(numbers.runs)} no test is possible yet: it takes {FEWEST_RUNS}."]
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
    numbers: Numbers, subject: str, cautious: Mapping[str, Any], welch: Mapping[str, Any], reading: str = ""
) -> str:
    """On which set something is higher, by how much and how surely."""
    significantly, but = _how_surely(cautious, welch)
    over = f" in {cautious['n']} of the runs" if cautious["n"] < numbers.runs else ""
    return (
        f"{subject} is {significantly}{than(cautious['direction'])} on {ADVERSARIAL}{by(cautious)}{over}{but} "
        f"(p = {written_p(cautious['p_holm'])} by the corrected test, Holm-adjusted; "
        f"{written_p(welch['p'])} by Welch's{reading})."
    )


def _how_surely(cautious: Mapping[str, Any], welch: Mapping[str, Any]) -> tuple[str, str]:
    """What to say before and after a direction."""
    if cautious["p_holm"] < LEVEL:
        return "significantly ", ""
    if welch["p"] is not None and welch["p"] < LEVEL:
        return "", ", but significantly so only by Welch's test"
    return "", ", but not significantly"


def _disagreement(numbers: Numbers, j: int, direction: str) -> str:
    """Where the ratio and the difference point in opposite directions, with what the ratio divides by."""
    plain = numbers.test("difference", j, "nadeau_bengio")
    if {plain["direction"], direction} != {"higher", "lower"}:
        return ""
    ours = numbers.mean("adversarial", j + 2, "misclassified")
    theirs = numbers.mean("misclassified", j + 2, "adversarial")
    return (
        f" The difference A_{j} - A_{j + 2} points the other way: {plain['direction']}{by(plain)} (p = "
        f"{written_p(plain['p_holm'])} by the corrected test, Holm-adjusted). The ratio divides by {ours:.3f} on "
        f"{ADVERSARIAL}, by {theirs:.3f} on {MISCLASSIFIED}."
    )


def _untested(numbers: Numbers) -> list[str]:
    """Rule 6: the slopes without the cautious test, by the reason."""
    if not numbers.testable:
        return []
    by_reason: dict[Any, list[str]] = {}
    for j in numbers.steps:
        test = numbers.test("ratio", j, "nadeau_bengio")
        if test["p"] is None:
            by_reason.setdefault(test["reason"], []).append(f"S_{j}")
    return [f"{listed(slopes)} could not be tested. {REASONS[why]}" for why, slopes in by_reason.items()]
