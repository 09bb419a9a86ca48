"""On which set each slope is higher, how surely, and which could not be tested: rules 4 and 6 of the verdict."""

from __future__ import annotations

from core.declarations.words import enumerate_words
from core.families.ladder import rise_name, slope_name
from core.records.statistics import Direction, Reason, StatisticalTest
from core.statistics import FEWEST_RUNS, REASONS
from core.verdict.numbers import SIGNIFICANCE, Numbers
from core.verdict.phrases import ADVERSARIAL, MISCLASSIFIED, by, count_complete_runs, format_p, than


def describe_slopes(numbers: Numbers) -> list[str]:
    """Rule 4."""
    if not numbers.testable:
        return [f"With {count_complete_runs(numbers.runs)} no test is possible yet: it takes {FEWEST_RUNS}."]
    ladder = numbers.ladder
    sentences = []
    for j in numbers.steps:
        cautious = numbers.test("ratio", j, "nadeau_bengio")
        welch = numbers.test("ratio", j, "welch")
        if cautious.p is not None:
            subject = f"The slope {slope_name(j)} = A_{j} / A_{ladder.before(j)}"
            more = _disagreement(numbers, j, cautious.direction)
            sentences.append(_tested(numbers, subject, cautious, welch, ", the paper's reading") + more)
            continue
        rise = numbers.test("difference", j, "nadeau_bengio")
        if cautious.reason == "by_construction" and rise.p is not None:
            subject = f"The first step, {rise_name(ladder, j)}, which no ratio can express,"
            sentences.append(_tested(numbers, subject, rise, numbers.test("difference", j, "welch")))
    return sentences


def describe_untested(numbers: Numbers) -> list[str]:
    """Rule 6: the slopes without the cautious test, by the reason."""
    if not numbers.testable:
        return []
    by_reason: dict[Reason, list[str]] = {}
    for j in numbers.steps:
        reason = numbers.test("ratio", j, "nadeau_bengio").reason
        if reason is not None:
            by_reason.setdefault(reason, []).append(slope_name(j))
    return [
        f"{enumerate_words(names)} could not be tested. {REASONS[reason]}"
        for reason, names in by_reason.items()
    ]


def _tested(
    numbers: Numbers, subject: str, cautious: StatisticalTest, welch: StatisticalTest, reading: str = ""
) -> str:
    """On which set something is higher, by how much and how surely."""
    significantly, but = _how_surely(cautious, welch)
    over = f" in {cautious.n} of the runs" if cautious.n < numbers.runs else ""
    return (
        f"{subject} is {significantly}{than(cautious.direction)} on {ADVERSARIAL}{by(cautious)}{over}{but} "
        f"(p = {format_p(cautious.p_holm)} by the corrected test, Holm-adjusted; "
        f"{format_p(welch.p)} by Welch's{reading})."
    )


def _how_surely(cautious: StatisticalTest, welch: StatisticalTest) -> tuple[str, str]:
    """What to say before and after a direction."""
    if cautious.p_holm is not None and cautious.p_holm < SIGNIFICANCE:
        return "significantly ", ""
    if welch.p is not None and welch.p < SIGNIFICANCE:
        return "", ", but significantly so only by Welch's test"
    return "", ", but not significantly"


def _disagreement(numbers: Numbers, j: str, ratio: Direction | None) -> str:
    """Where the ratio and the difference point in opposite directions, with what the ratio divides by."""
    rise = numbers.test("difference", j, "nadeau_bengio")
    if {rise.direction, ratio} != {"higher", "lower"}:
        return ""
    before = numbers.ladder.before(j)
    ours = numbers.mean("adversarial", before, "misclassified")
    theirs = numbers.mean("misclassified", before, "adversarial")
    return (
        f" The difference {rise_name(numbers.ladder, j)} points the other way: {rise.direction}{by(rise)} (p = "
        f"{format_p(rise.p_holm)} by the corrected test, Holm-adjusted). The ratio divides by {ours:.3f} on "
        f"{ADVERSARIAL}, by {theirs:.3f} on {MISCLASSIFIED}."
    )
