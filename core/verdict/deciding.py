"""What decides the claim: cross-fitted selection, bias and variance, robustness: rules 8 to 10 of the verdict."""

from __future__ import annotations

from core.declarations.words import enumerate_words
from core.verdict.numbers import AGAINST, Numbers
from core.verdict.phrases import (
    ADVERSARIAL,
    NAMES,
    compared_with,
    estimate,
    percentage,
    word_of,
)

SELECTED = ("adversarial", "misclassified", "noise")
EVERY = (*SELECTED, "test")


def describe_crossfit(numbers: Numbers) -> list[str]:
    """Rule 8."""
    rises = _on_each(numbers, "crossfit_rise")
    if not rises:
        return []
    ladder = numbers.ladder
    general, fitted = ladder.at(ladder.general), ladder.at(ladder.fitted)
    measured = (
        "Cross-fitted, that is selected by the classifier of one half of the training images and measured by that "
        f"of the other, accuracy changes from {general} to {fitted} by {rises}{_shares(numbers)}."
    )
    decided = _against_others(numbers, "crossfit_rise")
    if not decided:
        return [measured]
    back = numbers.claim("crossfit_fitted_rise", *AGAINST)
    other_end = (
        f"; selected at {fitted} instead and measured back to {general}, it is "
        f"{compared_with({'misclassified': back}, runs=numbers.runs)}"
        if back is not None
        else ""
    )
    return [measured, f"On {ADVERSARIAL} this change is {decided}{other_end}."]


def describe_bias(numbers: Numbers) -> list[str]:
    """Rule 9."""
    falls = _on_each(numbers, "bias_fall")
    if not falls:
        return []
    ladder = numbers.ladder
    decided = _against_others(numbers, "bias_fall")
    return [
        f"Bias, on random halves of the half that did not select, falls from {ladder.at(ladder.general)} to "
        f"{ladder.at(ladder.fitted)} by {falls}{f'; on {ADVERSARIAL} this fall is {decided}' if decided else ''}."
    ]


def describe_robustness(numbers: Numbers) -> list[str]:
    """Rule 10."""
    ladder = numbers.ladder
    general, fitted = ladder.at(ladder.general), ladder.at(ladder.fitted)
    sentences = []
    success, worst_case, flips = (
        _decided(numbers, name) for name in ("attack_success", "worst_case", "flips")
    )
    if success and worst_case:
        predicted = "; the claim predicts less of the first and more of the second" * numbers.has_adversary
        sentences.append(
            f"Without selection, over all candidates of all test images, from {general} to {fitted} the attack's "
            f"success changes by {success}{_against_noise(numbers)} and the share of test images that stay right "
            f"under all their candidates by {worst_case}{predicted}."
        )
    if flips:
        gained, lost = numbers.flips
        sentences.append(
            f"Of the candidates whose source both get right, {gained:,} are right at {fitted} only and {lost:,} at "
            f"{general} only, over all runs; as shares these differ by {flips}."
        )
    return [" ".join(sentences)] if sentences else []


def _against_noise(numbers: Numbers) -> str:
    """The change of the attack's success against that of noise; "" where nothing is decided of it."""
    claim = numbers.claim("attack_success", "adversarial", "noise")
    if claim is None or not (numbers.testable and numbers.has_adversary):
        return ""
    return f", which against that of random noise of epsilon is {word_of(claim)} ({estimate(claim)}),"


def _decided(numbers: Numbers, name: str) -> str:
    """A quantity of the attack's candidates with its decision; "" where it was not measured."""
    claim = numbers.claim(name, "adversarial")
    if claim is None or not numbers.testable:
        return "" if claim is None else estimate(claim)
    return f"{estimate(claim)} ({word_of(claim)})"


def _on_each(numbers: Numbers, name: str) -> str:
    """A quantity on every set that has it: "+0.114 [0.075, 0.150] on the adversarial images and ..."."""
    found = [(one, numbers.claim(name, one)) for one in EVERY]
    told = [f"{estimate(claim)} on {NAMES[one]}" for one, claim in found if claim is not None]
    return enumerate_words(told) if told else ""


def _against_others(numbers: Numbers, name: str) -> str:
    """The decisions on a quantity of the adversarial images against the other selected sets; "" for none."""
    if not numbers.testable:
        return ""
    found = {other: numbers.claim(name, "adversarial", other) for other in SELECTED[1:]}
    claims = {other: claim for other, claim in found.items() if claim is not None}
    predicts = "misclassified" if numbers.has_adversary else ""
    return compared_with(claims, runs=numbers.runs, predicts=predicts) if claims else ""


def _shares(numbers: Numbers) -> str:
    """How much of each set's rise is selection."""
    found = [(one, numbers.claim("selection_share", one)) for one in SELECTED]
    told = [f"{percentage(claim)} on {NAMES[one]}" for one, claim in found if claim is not None]
    if not told:
        return ""
    return f"; of the rise by the classifier that selected, selection is {enumerate_words(told)}"
