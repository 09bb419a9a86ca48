"""Pieces of sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from core.declarations.words import counted, enumerate_words, p_value
from core.records.statistics import Claim, Decision

ADVERSARIAL, MISCLASSIFIED = "the adversarial images", "the misclassified ones"
SIGNIFICANCE = 0.05
"""Below this a p-value is called significant; the direction is always said with it."""
NAMES = {
    "adversarial": ADVERSARIAL,
    "misclassified": MISCLASSIFIED,
    "noise": "images with random noise",
    "test": "the whole test set",
}


def format_number(value: float) -> str:
    """Three decimals, never "-0.000"."""
    return f"{value:z.3f}"


def format_difference(value: float) -> str:
    """Three decimals with their sign: "+0.115"."""
    return f"{value:+z.3f}"


def format_p(p: float | None) -> str:
    """A p-value; "none" where there is none."""
    return "none" if p is None else p_value(p)


def count_runs(count: int) -> str:
    """How many runs: "1 run", "2 runs"."""
    return counted(count, "run")


def count_complete_runs(count: int) -> str:
    """How many complete runs: "1 complete run"."""
    return counted(count, "complete run")


def format_range(counts: Sequence[int]) -> str:
    """The least and the most of some counts, one at least: "3 to 1,200"."""
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def plural_s(counts: Sequence[int]) -> str:
    """The "s" after a noun that is counted so; "" where every count is 1."""
    return "" if max(counts) == min(counts) == 1 else "s"


def estimate(claim: Claim) -> str:
    """The estimate with its interval, or why it has none: "+0.115 [0.100, 0.130]", "+0.115 [no interval]"."""
    return _with_interval(claim, format_difference(claim.estimate), format_number)


def percentage(claim: Claim) -> str:
    """A share in the same way: "81% [70%, 92%]"."""
    return _with_interval(claim, _percent(claim.estimate), _percent)


def _with_interval(claim: Claim, number: str, format_end: Callable[[float], str]) -> str:
    if claim.ci95 is not None:
        low, high = map(format_end, claim.ci95)
        return f"{number} [{low}, {high}]"
    if claim.constant:
        return f"{number} [no interval: exactly the same in every run]"
    return number if claim.reason == "too_few_runs" else f"{number} [no interval]"


def _percent(share: float) -> str:
    return f"{share:z.0%}"


def word_of(claim: Claim) -> str:
    """The decision in a word or two: "higher", "the same within 0.02"."""
    return f"the same within {claim.margin:g}" if claim.decision == "same" else claim.decision


def compared_with(claims: Mapping[str, Claim], *, runs: int, predicts: str = "") -> str:
    """The decisions on one set against others: "higher than on the whole test set (+0.5 [0.4, 0.6])".

    claims: the other set's name -> the claim, one at least. runs: how many there are, for a remark where fewer have
    both sets. predicts: the other set on which the claim that is tested predicts less; remarked where the
    decision is another.
    """
    found: dict[Decision, list[str]] = {}
    for other, claim in claims.items():
        remarks = [estimate(claim)]
        if other == predicts and claim.decision != "higher":
            remarks.append("the claim predicts higher")
        if claim.n < runs:
            remarks.append(f"over {count_runs(claim.n)}")
        on = "" if claim.decision == "undecided" else "on "
        found.setdefault(claim.decision, []).append(f"{on}{NAMES[other]} ({'; '.join(remarks)})")
    (margin,) = {claim.margin for claim in claims.values()}
    start = {
        "higher": "higher than",
        "lower": "lower than",
        "same": f"the same within {margin:g} as",
        "undecided": "undecided against",
    }
    return enumerate_words(
        [f"{start[decision]} {enumerate_words(others)}" for decision, others in found.items()]
    )


def is_significant(p: float | None) -> bool:
    """Whether there is a p-value, and it is below 0.05."""
    return p is not None and p < SIGNIFICANCE
