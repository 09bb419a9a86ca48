"""What would decide what is undecided: rule 13 of the verdict."""

from __future__ import annotations

from core.declarations.words import enumerate_words
from core.records.statistics import Claim
from core.sets.registry import SETS
from core.statistics.decision import runs_that_decide
from core.statistics.quantities import BOTH_ENDS
from core.statistics.summary import FEWEST_RUNS
from core.verdict.controls import stands_without_adversary
from core.verdict.numbers import AGAINST, Numbers
from core.verdict.phrases import count_runs


def describe_what_would_decide(numbers: Numbers) -> list[str]:
    """Rule 13: one quantity of each topic, and the controls that are compared."""
    if not numbers.testable:
        return []
    by_runs: list[str] = []
    by_images: list[str] = []
    by_sets: list[str] = []
    constant: list[str] = []
    for topic, claim in _undecided(numbers):
        if claim.ci95 is None:
            (constant if claim.constant else by_sets).append(topic)
        elif runs := runs_that_decide(claim, numbers.overlap):
            by_runs.append(f"{runs} runs in all for {topic}" if not by_runs else f"{runs} for {topic}")
        else:
            by_images.append(topic)
    found = []
    if by_runs:
        found.append(
            f"about {enumerate_words(by_runs)}, if mean and spread stay as they are: a rough guess from "
            f"{count_runs(numbers.runs)}"
        )
    if by_images:
        found.append(
            f"more images, since more runs that divide these would not do, for {enumerate_words(by_images)}"
        )
    if by_sets:
        found.append(f"{FEWEST_RUNS} runs in which both sets have images for {enumerate_words(by_sets)}")
    if constant:
        found.append(f"runs that differ for {enumerate_words(constant)}")
    return [f"What would decide what is undecided: {'; '.join(found)}."] if found else []


def _undecided(numbers: Numbers) -> list[tuple[str, Claim]]:
    """Topic -> its claim, of those that no interval decides."""
    topics = [
        ("the cross-fitted change", numbers.claim("crossfit_rise", *AGAINST)),
        ("bias", numbers.claim("bias_fall", *AGAINST)),
        ("robustness", numbers.claim("flips", "adversarial")),
        ("the paper's rise", numbers.claim("rise", *AGAINST)),
    ]
    compared = [
        name for name in numbers.controls if SETS[name].shuffles or stands_without_adversary(numbers, name)
    ]
    topics += [
        (f"the control {name}", numbers.claim("rise", SETS[name].shuffles or "adversarial", name))
        for name in compared
    ]
    topics.append(("both ends", numbers.claim("rise", *BOTH_ENDS)))
    return [(topic, claim) for topic, claim in topics if claim is not None and claim.decision == "undecided"]
