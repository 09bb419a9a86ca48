"""What was compared, and how far accuracy rises: rules 1 to 3 of the verdict."""

from __future__ import annotations

from core.attacks.registry import ATTACKS
from core.declarations.words import enumerate_words
from core.records.statistics import Direction
from core.verdict.numbers import Numbers, direction
from core.verdict.phrases import (
    ADVERSARIAL,
    MISCLASSIFIED,
    at_levels,
    count_complete_runs,
    count_runs,
    format_range,
    plural_s,
    than,
)

SMALL_SET = 30
"""Images. In a smaller set a single one moves the accuracy by more than 1/30, and the verdict says so."""


def describe_comparison(numbers: Numbers) -> list[str]:
    """Rule 1."""
    spec, runs = numbers.spec, numbers.runs
    attack = ATTACKS[spec.attack]
    over = count_complete_runs(runs) + (f" of {spec.runs}" if runs < spec.runs else "")
    if 0 < numbers.compared < runs:
        over = f"the {numbers.compared} of {over} in which both have images"
    text = (
        f"{attack.title}, epsilon {spec.epsilon:g}, on {spec.dataset_title}, {numbers.ladder.span}: {ADVERSARIAL} "
        f"are compared with the misclassified test images over {over}."
    )
    if 0 < numbers.compared < runs:
        empty = {name: numbers.sizes(name).count(0) for name in ("adversarial", "misclassified")}
        lacking = [
            f"{count_runs(count)} {'has' if count == 1 else 'have'} no {name}"
            for name, count in empty.items()
            if count
        ]
        text = f"{text} Left out: {enumerate_words(lacking)} image."
    return [
        text if attack.uses_gradient else f"{text} This attack follows no gradient: it is a control itself."
    ]


def describe_sizes(numbers: Numbers) -> list[str]:
    """Rule 2."""
    ours, sources, theirs = numbers.sizes("adversarial"), numbers.sources, numbers.sizes("misclassified")
    sentences = [
        f"A run has {format_range(ours)} adversarial image{plural_s(ours)} from {format_range(sources)} "
        f"source{plural_s(sources)}, and {format_range(theirs)} misclassified one{plural_s(theirs)}."
    ]
    both = numbers.shared("adversarial", "misclassified")
    smallest = {
        name: min((run.counts.sets[name] for run in both), default=SMALL_SET)
        for name in ("adversarial", "misclassified")
    }
    shifts = [f"{1 / size:.3f} on the {name} ones" for name, size in smallest.items() if size < SMALL_SET]
    if shifts:
        sentences.append(
            f"Caution: sets of fewer than {SMALL_SET} images have coarse accuracies; here one image more or less "
            f"moves that of a run by up to {enumerate_words(shifts)}."
        )
    return sentences


def describe_rise(numbers: Numbers) -> list[str]:
    """Rule 3."""
    if not numbers.shared("adversarial"):
        return ["No candidate became adversarial, so there is nothing to compare."]
    if not numbers.shared("misclassified"):
        return [f"No test image is misclassified, so there is nothing to compare {ADVERSARIAL} with."]
    if not numbers.compared:
        return ["No run has both adversarial and misclassified images, so there is nothing to compare."]
    ladder = numbers.ladder
    general, fitted = ladder.at(ladder.general), ladder.at(ladder.fitted)
    ours, theirs = _means(numbers, ladder.fitted)
    return [
        f"From {general} to {fitted} {'mean ' * (numbers.compared > 1)}accuracy "
        f"rises from 0 to {ours:.3f} on {ADVERSARIAL} and from 0 to {theirs:.3f} on {MISCLASSIFIED}. "
        f"{_where_higher(numbers)}"
    ]


def _where_higher(numbers: Numbers) -> str:
    """At which levels mean accuracy is higher on the adversarial images, and at which lower."""
    ladder = numbers.ladder
    sides: dict[Direction, list[str]] = {}
    for step in ladder.steps:
        ours, theirs = _means(numbers, step.fitted)
        sides.setdefault(direction(ours - theirs), []).append(step.fitted)
    if len(sides) == 1:
        (side,) = sides
        return f"It is {than(side)} on {ADVERSARIAL} at every level after {ladder.at(ladder.general)}."
    found = [f"{side} at {at_levels(ladder, levels)}" for side, levels in sides.items()]
    return f"On {ADVERSARIAL} it is {enumerate_words(found)}."


def _means(numbers: Numbers, level: str) -> tuple[float, float]:
    """Mean accuracy on the adversarial and on the misclassified images, over the runs in which both have some."""
    return (
        numbers.mean("adversarial", level, "misclassified"),
        numbers.mean("misclassified", level, "adversarial"),
    )
