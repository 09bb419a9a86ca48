"""What was compared: rules 2 and 4 of the verdict."""

from __future__ import annotations

from core.attacks.registry import ATTACKS
from core.declarations.words import enumerate_words
from core.verdict.numbers import AGAINST, SMALL_SET, Numbers
from core.verdict.phrases import (
    ADVERSARIAL,
    count_complete_runs,
    count_runs,
    format_number,
    format_range,
    plural_s,
)


def describe_comparison(numbers: Numbers) -> list[str]:
    """Rule 2."""
    spec, runs = numbers.spec, numbers.runs
    over = count_complete_runs(runs) + (f" of {spec.runs}" if runs < spec.runs else "")
    if 0 < numbers.compared < runs:
        over = f"the {numbers.compared} of {over} in which both have images"
    in_name_only = ", adversarial in name only since no gradient was followed," * (not numbers.has_adversary)
    text = (
        f"{ATTACKS[spec.attack].title}, epsilon {spec.epsilon:g}, on {spec.dataset_title}, {numbers.ladder.span}: "
        f"{ADVERSARIAL}{in_name_only} are compared with the misclassified test images over {over}"
    )
    if 0 < numbers.compared < runs:
        empty = {name: numbers.sizes(name).count(0) for name in AGAINST}
        lacking = [
            f"{count_runs(count)} {'has' if count == 1 else 'have'} no {name}"
            for name, count in empty.items()
            if count
        ]
        text = f"{text} ({enumerate_words(lacking)} image)"
    return [f"{text}."]


def describe_sizes(numbers: Numbers) -> list[str]:
    """Rule 4."""
    ours, sources, theirs = numbers.sizes("adversarial"), numbers.sources, numbers.sizes("misclassified")
    text = (
        f"A run has {format_range(ours)} adversarial image{plural_s(ours)} from {format_range(sources)} "
        f"source{plural_s(sources)}, and {format_range(theirs)} misclassified one{plural_s(theirs)}"
    )
    smallest = {
        name: min((run.counts.sets[name] for run in numbers.shared(*AGAINST)), default=SMALL_SET)
        for name in AGAINST
    }
    shifts = [
        f"{format_number(1 / size)} on the {name} ones" for name, size in smallest.items() if size < SMALL_SET
    ]
    if not shifts:
        return [f"{text}."]
    return [f"{text}; with so few, one image moves the accuracy of a run by up to {enumerate_words(shifts)}."]
