"""What the paper counts and tests, by the classifier that selected: rules 5 to 7 and 12 of the verdict."""

from __future__ import annotations

from core.declarations.words import enumerate_words, uncapitalised
from core.families.ladder import rise_name, slope_name
from core.records.statistics import Direction, Reason, StatisticalTest
from core.statistics.slopes import REASONS
from core.statistics.summary import FEWEST_RUNS
from core.verdict.numbers import AGAINST, Numbers
from core.verdict.phrases import (
    ADVERSARIAL,
    MISCLASSIFIED,
    NAMES,
    compared_with,
    count_complete_runs,
    count_runs,
    format_difference,
    format_number,
    format_p,
    is_significant,
)

WITH_FIGURES = 4
"""So many slopes are told with their figures; of more the tables tell them."""


def describe_rise(numbers: Numbers) -> list[str]:
    """Rule 5."""
    if not numbers.shared("adversarial"):
        return ["No candidate became adversarial, so there is nothing to compare."]
    if not numbers.shared("misclassified"):
        return [f"No test image is misclassified, so there is nothing to compare {ADVERSARIAL} with."]
    if not numbers.compared:
        return ["No run has both adversarial and misclassified images, so there is nothing to compare."]
    ladder = numbers.ladder
    ours, theirs = (numbers.mean(name, ladder.fitted, other) for name, other in (AGAINST, AGAINST[::-1]))
    ends = (numbers.mean("test", level, "adversarial") for level in (ladder.general, ladder.fitted))
    text = (
        f"As the paper counts, by the classifier that selected, from {ladder.at(ladder.general)} to "
        f"{ladder.at(ladder.fitted)} accuracy goes from 0 to {format_number(ours)} on {ADVERSARIAL}, from 0 to "
        f"{format_number(theirs)} on {MISCLASSIFIED} and from {' to '.join(map(format_number, ends))} on "
        f"{NAMES['test']}"
    )
    found = {other: numbers.claim("rise", "adversarial", other) for other in ("misclassified", "test")}
    claims = {other: claim for other, claim in found.items() if claim is not None}
    if not claims or not numbers.testable:
        return [f"{text}."]
    return [
        f"{text}; the change on {ADVERSARIAL}, with its selection in it, is "
        f"{compared_with(claims, runs=numbers.runs)}."
    ]


def describe_reproduction(numbers: Numbers) -> list[str]:
    """Rule 6."""
    if not numbers.testable:
        return [f"With {count_complete_runs(numbers.runs)} no test is possible yet: it takes {FEWEST_RUNS}."]
    found = []
    if numbers.compared:
        found.append(
            f"The paper's first result, slopes that differ from those on {MISCLASSIFIED} by Welch's test, is "
            f"{_met(numbers, 'misclassified', ('higher', 'lower'))}."
        )
    if numbers.shared("adversarial"):
        found.append(
            f"The paper's second result, slopes that are higher than those on {NAMES['test']}, is "
            f"{_met(numbers, 'test', ('higher',))}."
        )
    return found


def _met(numbers: Numbers, other: str, wanted: tuple[Direction, ...]) -> str:
    """Whether the slopes that can be tested differ in a wanted direction by Welch's test, and what is found."""
    welch = {j: numbers.test("ratio", j, "welch", other) for j in numbers.steps}
    there = {j: test for j, test in welch.items() if test is not None and test.p is not None}
    if not there:
        return "not tested, since no slope can be"
    as_wanted = [test for test in there.values() if is_significant(test.p) and test.direction in wanted]
    met = "met" if len(as_wanted) == len(there) else "met in part" if as_wanted else "not met"
    found: dict[str, list[str]] = {}
    for j, test in there.items():
        corrected = numbers.test("ratio", j, "nadeau_bengio", other)
        p_holm = corrected.p_holm if corrected is not None else None
        over = f"over {count_runs(test.n)}, " if test.n < numbers.runs else ""
        figures = (
            f" ({over}{format_difference(test.mean_difference or 0.0)}, p = {format_p(test.p)}, corrected and "
            f"Holm-adjusted {format_p(p_holm)})"
        )
        name = slope_name(j) + (figures if len(there) <= WITH_FIGURES else "")
        found.setdefault(_word(test, corrected), []).append(name)
    told = [f"{enumerate_words(names)} {_be(names)} {word}" for word, names in found.items()]
    return f"{met}: {enumerate_words(told)}"


def _word(welch: StatisticalTest, corrected: StatisticalTest | None) -> str:
    """What both tests find of a slope: "significantly" is the word of the corrected one, Holm-adjusted."""
    if corrected is not None and is_significant(corrected.p_holm):
        alone = "" if is_significant(welch.p) else " by the corrected test alone"
        return f"significantly {corrected.direction}{alone}"
    return f"{welch.direction} by Welch's test alone" if is_significant(welch.p) else "undecided"


def _be(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def describe_slopes(numbers: Numbers) -> list[str]:
    """Rule 7."""
    if not numbers.testable:
        return []
    steps = [told for j in numbers.steps if (told := _without_ratio(numbers, j))]
    found = [f"where no slope exists, {enumerate_words(steps)}"] if steps else []
    against = [(j, rise) for j in numbers.steps if (rise := _against_its_slope(numbers, j)) is not None]
    if len(against) > WITH_FIGURES:
        found.append(
            f"the differences of {len(against)} steps point against the direction of their slopes: a slope divides "
            "by the accuracy before it"
        )
    else:
        found += [_disagreement(numbers, j, rise) for j, rise in against]
    return [f"By the corrected test, {'; '.join(found)}."] if found else []


def _without_ratio(numbers: Numbers, j: str) -> str:
    """What the corrected test finds of a step against the misclassified images that no ratio can express."""
    ratio, rise = (numbers.test(quantity, j, "nadeau_bengio") for quantity in ("ratio", "difference"))
    if ratio is None or rise is None or ratio.p is not None or rise.p is None:
        return ""
    return "" if ratio.reason == "zero_variance" else f"{rise_name(numbers.ladder, j)} is {_decided(rise)}"


def _against_its_slope(numbers: Numbers, j: str) -> StatisticalTest | None:
    """The test of the difference, where it points the other way than a slope that differs by either test."""
    ratio, rise = (numbers.test(quantity, j, "nadeau_bengio") for quantity in ("ratio", "difference"))
    welch = numbers.test("ratio", j, "welch")
    if ratio is None or rise is None or welch is None:
        return None
    differs = is_significant(ratio.p_holm) or is_significant(welch.p)
    return rise if differs and {rise.direction, ratio.direction} == {"higher", "lower"} else None


def _disagreement(numbers: Numbers, j: str, rise: StatisticalTest) -> str:
    """A sentence on a step whose difference `rise` points against its slope, with what the slope divides by."""
    before = numbers.ladder.before(j)
    ours, theirs = (numbers.mean(name, before, other) for name, other in (AGAINST, AGAINST[::-1]))
    return (
        f"against the direction of {slope_name(j)}, which divides by {format_number(ours)} on {ADVERSARIAL} and by "
        f"{format_number(theirs)} on {MISCLASSIFIED}, the difference {rise_name(numbers.ladder, j)} is "
        f"{_decided(rise)}"
    )


def _decided(test: StatisticalTest) -> str:
    """What the corrected test finds on the adversarial images against the misclassified ones."""
    significant = is_significant(test.p_holm) and test.direction in ("higher", "lower")
    word = f"significantly {test.direction} on {ADVERSARIAL}" if significant else "undecided"
    return f"{word} ({format_difference(test.mean_difference or 0.0)}, p = {format_p(test.p_holm)})"


def describe_untested(numbers: Numbers) -> list[str]:
    """Rule 12: the slopes without the cautious test against the misclassified images, by the reason."""
    if not numbers.testable or not numbers.compared:
        return []
    by_reason: dict[Reason, list[str]] = {}
    for j in numbers.steps:
        test = numbers.test("ratio", j, "nadeau_bengio")
        if test is not None and test.reason is not None:
            by_reason.setdefault(test.reason, []).append(slope_name(j))
    told = [
        f"{enumerate_words(names)}, since {uncapitalised(REASONS[reason])}"
        for reason, names in by_reason.items()
    ]
    return [f"What could not be tested: {'; '.join(told)}."] if told else []
