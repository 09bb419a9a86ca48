"""The answer in a few clauses, each from the interval of what decides it: rule 1 of the verdict."""

from __future__ import annotations

from core.records.statistics import Claim
from core.verdict.numbers import AGAINST, Numbers
from core.verdict.phrases import estimate, percentage


def answer_in_short(numbers: Numbers) -> list[str]:
    """Rule 1."""
    clauses = [clause for clause in (_rise(numbers), _bias(numbers), _robustness(numbers)) if clause]
    if not clauses:
        return [
            "In short: these runs have not measured what decides the claim. What follows is the comparison that "
            "the paper makes, in which an image is measured by the classifier that selected it."
        ]
    if not numbers.testable:
        there = "there is 1" if numbers.runs == 1 else f"there are {numbers.runs}"
        return [f"In short: nothing is decided yet, since that takes 3 complete runs and {there}."]
    text = f"In short: {'; '.join([*clauses, *_selection(numbers)])}."
    if numbers.has_adversary:
        return [text]
    return [
        f"{text} This attack follows no gradient: what it makes is a control itself, and speaks neither for nor "
        "against the claim."
    ]


def _rise(numbers: Numbers) -> str:
    claim = numbers.claim("crossfit_rise", *AGAINST)
    if claim is None:
        return ""
    ladder = numbers.ladder
    rise = f"the rise of accuracy from {ladder.at(ladder.general)} to {ladder.at(ladder.fitted)}"
    both = "on adversarial images {} on ordinary mistakes"
    decided = {
        "higher": f"{rise} is higher {both.format('than')}",
        "lower": f"{rise} is lower {both.format('than')}",
        "same": f"{rise} is the same within {claim.margin:g} {both.format('as')}",
        "undecided": f"it is undecided whether {rise} differs between adversarial images and ordinary mistakes",
    }
    found = _with_prediction(numbers, claim, decided[claim.decision])
    return f"by the classifier that did not select the images, {found}"


def _bias(numbers: Numbers) -> str:
    claim = numbers.claim("bias_fall", *AGAINST)
    if claim is None:
        return ""
    decided = {
        "higher": "the fall of bias is higher on adversarial images",
        "lower": "the fall of bias is lower on adversarial images",
        "same": f"the fall of bias is the same within {claim.margin:g} on both",
        "undecided": "it is undecided on which bias falls further",
    }
    return _with_prediction(numbers, claim, decided[claim.decision])


def _robustness(numbers: Numbers) -> str:
    claim = numbers.claim("flips", "adversarial")
    if claim is None:
        return ""
    ladder = numbers.ladder
    general, fitted = ladder.at(ladder.general), ladder.at(ladder.fitted)
    decided = {
        "higher": f"robustness is higher at {fitted} than at {general}",
        "lower": f"robustness is lower at {fitted} than at {general}",
        "same": f"robustness is the same within {claim.margin:g} at {fitted} as at {general}",
        "undecided": f"it is undecided whether {fitted} or {general} is more robust",
    }
    return f"without selection, {_with_prediction(numbers, claim, decided[claim.decision])}"


def _with_prediction(numbers: Numbers, claim: Claim, decided: str) -> str:
    """A decision with its interval, and whether the claim predicts it: it predicts "higher" of all three."""
    predicted = ""
    if numbers.has_adversary and claim.decision != "undecided":
        predicted = (
            ", as the claim predicts" if claim.decision == "higher" else ", which the claim does not predict"
        )
    return f"{decided}{predicted} ({estimate(claim)})"


def _selection(numbers: Numbers) -> list[str]:
    share = numbers.claim("selection_share", "adversarial")
    if share is None:
        return []
    if share.decision == "higher":
        return [
            "of the rise by the classifier that selected the adversarial images, "
            f"{percentage(share)} is selection"
        ]
    if share.decision == "undecided":
        return [f"what part of the rise is selection is undecided ({percentage(share)})"]
    return [f"no part of the rise is selection ({percentage(share)})"]
