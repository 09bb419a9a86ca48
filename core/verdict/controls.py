"""What the controls say of the rise: rules 0 and 5 of the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.sets.catalogue import SETS
from core.verdict.numbers import Numbers, direction
from core.verdict.phrases import ADVERSARIAL, MISCLASSIFIED, counted_runs, listed, plural, ranging, than

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


def in_short(numbers: Numbers) -> list[str]:
    """Rule 0."""
    if not numbers.compared:
        return []
    ours = numbers.mean("adversarial", 1, "misclassified")
    side = direction(ours - numbers.mean("misclassified", 1, "adversarial"))
    far = {"higher": "further", "lower": "less far", "equal": "no further"}[side]
    start = "In short" if numbers.testable else f"In short, as far as {counted_runs(numbers.runs)} can tell"
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


def controls(numbers: Numbers) -> list[str]:
    """Rule 5."""
    if not numbers.shared("adversarial"):
        return []
    said = []
    for name in numbers.spec.controls:
        subject = f"The control {name} ({SETS[name].description})"
        both = len(numbers.shared(name, "adversarial"))
        over = f", over the {counted_runs(both)} in which both have images" if both < numbers.runs else ""
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
            side = than(direction(fitted - ours))
            said.append(f"{subject} comes to {fitted:.3f} at K = 1, {side} than {ADVERSARIAL}{over}.")
    return said


def _controls_named(names: Sequence[str]) -> str:
    return f"the control{'s' * (len(names) > 1)} {listed(names)}"


def _account(numbers: Numbers, name: str) -> str:
    """How much of the rise a counterpart accounts for: "all", "part", or "open" where no test tells."""
    other, ours = numbers.ends(name)
    if direction(other - ours) != "lower":
        return "all"
    steps = not SETS[name].from_fitted and numbers.testable and numbers.larger(name, "difference")
    return "part" if steps else "open"


def _counterpart(numbers: Numbers, name: str, over: str) -> str:
    """Whether a control does the same: by the means, then by the corrected test of each step and slope."""
    subject, conclusion = COUNTERPARTS[name]
    end, account = numbers.end(name), _account(numbers, name)
    other, ours = numbers.ends(name)
    as_far, runs = numbers.as_far(name)
    text = (
        f"{subject} {'as far or further' if account == 'all' else 'less far'}: to {other:.3f} at K = {end}, "
        f"against {ours:.3f} on {ADVERSARIAL}{' at K = 1' if end != 1 else ''}{over}"
        f"{f'; as far or further in {as_far} of {counted_runs(runs)}' if runs > 1 else ''}."
        f"{_likeness(numbers, name)}"
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


def _steeper(numbers: Numbers, name: str) -> str:
    """The slopes that are significantly higher on the adversarial set than on a control that rises as far."""
    if not (slopes := [f"S_{j}" for j in numbers.larger(name, "ratio")]):
        return ""
    verb = "are" if len(slopes) > 1 else "is"
    return f" By the corrected test {listed(slopes)} {verb} significantly higher on the adversarial images."


def _likeness(numbers: Numbers, name: str) -> str:
    """In what a control is less like the adversarial set than its name says, where the runs tell."""
    if name == "matched":
        distinct = [run["counts"]["matched"]["distinct"] for run in numbers.shared(name, "adversarial")]
        return f" It has {ranging(distinct)} distinct image{plural(distinct)} a run, used in turn."
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
    spans = listed([f"K = {j + 2} to {j}" for j in steps])
    several = len(steps) > 1
    return f"the step{'s' * several} from {spans} {'are' if several else 'is'} significantly larger on"
