"""What the controls say of the rise: rules 0 and 5 of the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core.declarations.words import enumerate_words
from core.families.ladder import slope_name
from core.records.statistics import Direction
from core.sets.measured_set import Counterpart
from core.sets.registry import SETS
from core.verdict.numbers import Numbers, direction
from core.verdict.phrases import ADVERSARIAL, MISCLASSIFIED, count_runs, over_moves, than

Account = Literal["all", "part", "open"]
"""How much of the rise a counterpart accounts for; "open" where no test tells."""


def answer_in_short(numbers: Numbers) -> list[str]:
    """Rule 0."""
    if not numbers.compared:
        return []
    fitted = numbers.ladder.fitted
    ours = numbers.mean("adversarial", fitted, "misclassified")
    side = direction(ours - numbers.mean("misclassified", fitted, "adversarial"))
    far: dict[Direction, str] = {"higher": "further", "lower": "less far", "equal": "no further"}
    start = "In short" if numbers.testable else f"In short, as far as {count_runs(numbers.runs)} can tell"
    text = f"{start}: accuracy rises {far[side]} on {ADVERSARIAL} than on {MISCLASSIFIED}"
    accounts = {name: _account_of(numbers, name) for name in numbers.counterparts}
    same, part, less = (
        [name for name, account in accounts.items() if account == one] for one in ("all", "part", "open")
    )
    conclusion = ""
    if side != "higher":
        conclusion = ", which does not support the paper's claim"
    elif same:
        text += f", but as far or further still on {_name_controls(same)}"
        conclusion = ": such a rise is not particular to adversarial examples"
    elif part:
        conclusion = f", and {_name_controls(part)} cannot account for all of it"
    elif less:
        text += f"; less far on {_name_controls(less)}"
        conclusion = ", but no test tells them apart"
    else:
        text += "; no control that could account for it has been measured"
    return [f"{text}{conclusion if numbers.testable else ''}."]


def describe_controls(numbers: Numbers) -> list[str]:
    """Rule 5."""
    if not numbers.shared("adversarial"):
        return []
    return [_describe_control(numbers, name) for name in numbers.spec.controls]


def _describe_control(numbers: Numbers, name: str) -> str:
    ladder = numbers.ladder
    subject = f"The control {name} ({SETS[name].description})"
    both = len(numbers.shared(name, "adversarial"))
    over = f", over the {count_runs(both)} in which both have images" if both < numbers.runs else ""
    if not numbers.shared(name):
        return f"{subject} has no images."
    if not SETS[name].begins_at_zero():
        general, fitted = (numbers.mean(name, level, name) for level in (ladder.general, ladder.fitted))
        return (
            f"{subject} goes from {general:.3f} at {ladder.at(ladder.general)} to {fitted:.3f} at "
            f"{ladder.at(ladder.fitted)}."
        )
    if not both:
        return f"{subject} has images in no run in which the adversarial set has any."
    if counterpart := numbers.counterparts.get(name):
        return _compare_with(numbers, name, counterpart, over)
    other, ours = numbers.ends(name)
    side = than(direction(other - ours))
    at_end, elsewhere = _where_they_end(numbers, name)
    return f"{subject} comes to {other:.3f} at {at_end}, {side} than {ADVERSARIAL}{elsewhere}{over}."


def _where_they_end(numbers: Numbers, name: str) -> tuple[str, str]:
    """Where a control stops rising, and where the adversarial set does: "" if that is the same level."""
    ladder, end, ours = numbers.ladder, numbers.end(name), numbers.end("adversarial")
    return ladder.at(end), f" at {ladder.at(ours)}" if end != ours else ""


def _name_controls(names: Sequence[str]) -> str:
    return f"the control{'s' * (len(names) > 1)} {enumerate_words(names)}"


def _account_of(numbers: Numbers, name: str) -> Account:
    other, ours = numbers.ends(name)
    if direction(other - ours) != "lower":
        return "all"
    tested = numbers.testable and SETS[name].selected_at != "fitted"
    return "part" if tested and numbers.larger(name, "difference") else "open"


def _compare_with(numbers: Numbers, name: str, counterpart: Counterpart, over: str) -> str:
    """Whether a control does the same: by the means, then by the corrected test of each step and slope."""
    account = _account_of(numbers, name)
    at_end, elsewhere = _where_they_end(numbers, name)
    other, ours = numbers.ends(name)
    as_far, runs = numbers.as_far(name)
    remark = SETS[name].remarks(numbers.shared(name, "adversarial"))
    text = (
        f"{counterpart.subject} rise {'as far or further' if account == 'all' else 'less far'}: to {other:.3f} at "
        f"{at_end}, against {ours:.3f} on {ADVERSARIAL}{elsewhere}{over}"
        f"{f'; as far or further in {as_far} of {count_runs(runs)}' if runs > 1 else ''}."
        f"{f' {remark}' if remark else ''}"
    )
    if not numbers.testable:
        return text
    if SETS[name].selected_at == "fitted":
        # Its steps lie elsewhere: which of them is larger says nothing that a person could follow.
        return f"{text} {counterpart.conclusion}." if account == "all" else text
    larger = numbers.larger(name, "difference")
    if account == "all":
        but = f", although by the corrected test {_larger_steps(numbers, larger)} on them" if larger else ""
        return f"{text} {counterpart.conclusion}{but}.{_steeper(numbers, name)}"
    if larger:
        return (
            f"{text} By the corrected test {_larger_steps(numbers, larger)} on {ADVERSARIAL}: this control does "
            "not account for all of the effect."
        )
    return (
        f"{text} But by the corrected test no step is significantly larger on {ADVERSARIAL}: nothing shows that "
        "the effect is particular to them."
    )


def _steeper(numbers: Numbers, name: str) -> str:
    """The slopes that are significantly higher on the adversarial set than on a control that rises as far."""
    if not (names := [slope_name(j) for j in numbers.larger(name, "ratio")]):
        return ""
    verb = "are" if len(names) > 1 else "is"
    return f" By the corrected test {enumerate_words(names)} {verb} significantly higher on the adversarial images."


def _larger_steps(numbers: Numbers, steps: Sequence[str]) -> str:
    """That some steps, at least one, are significantly larger."""
    verb = "are" if len(steps) > 1 else "is"
    return f"{over_moves(numbers.ladder, steps)} {verb} significantly larger"
