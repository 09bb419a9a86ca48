"""What the controls say of the rise that the paper counts, by the classifier that selected: rule 11."""

from __future__ import annotations

from collections.abc import Mapping

from core.declarations.words import enumerate_words
from core.records.statistics import Claim
from core.sets.registry import SETS
from core.statistics.quantities import BOTH_ENDS
from core.verdict.numbers import SMALL_SET, Numbers
from core.verdict.phrases import ADVERSARIAL, NAMES, count_runs, estimate, format_number, word_of

REVERSE = "reverse"


def describe_controls(numbers: Numbers) -> list[str]:
    """Rule 11."""
    if not numbers.shared("adversarial"):
        return []
    there = [name for name in numbers.controls if numbers.shared(name, "adversarial")]
    repeated = [name for name in there if SETS[name].draws and not numbers.has_adversary]
    without_adversary = [name for name in there if stands_without_adversary(numbers, name)]
    shuffled = {name: of for name in there if (of := SETS[name].shuffles) is not None}
    other_end, told = _at_the_other_end(numbers, there)
    apart = {*repeated, *without_adversary, *shuffled, *told}
    return [
        *(_without_adversary(numbers, name) for name in without_adversary),
        *_shuffled(numbers, shuffled),
        *other_end,
        *_by_their_means(numbers, [name for name in there if name not in apart]),
        *_caveats(numbers, there, repeated),
    ]


def stands_without_adversary(numbers: Numbers, name: str) -> bool:
    """Whether a control would have to rise less, were adversarial examples what rises.

    It begins at 0 as the adversarial set does, shares a run with it, and is neither made of the attack's candidates
    nor another draw of an attack that follows no gradient.
    """
    one = SETS[name]
    if one.counterpart is None or one.adversarial_itself or not one.begins_at_zero():
        return False
    return bool(numbers.shared(name, "adversarial")) and (numbers.has_adversary or not one.draws)


def _without_adversary(numbers: Numbers, name: str) -> str:
    """How far it rises, and whether the adversarial set rises further, by the interval of the difference."""
    ladder, counterpart = numbers.ladder, SETS[name].counterpart
    subject = f"The control {name}" if counterpart is None else counterpart.subject
    end, our_end = SETS[name].rise_ends_at(ladder), SETS["adversarial"].rise_ends_at(ladder)
    theirs, ours = numbers.mean(name, end, "adversarial"), numbers.mean("adversarial", our_end, name)
    shared = numbers.shared(name, "adversarial")
    over = (
        f", over the {count_runs(len(shared))} in which both have images"
        if len(shared) < numbers.runs
        else ""
    )
    remark = SETS[name].remarks(shared)
    text = (
        f"{subject} rise to {format_number(theirs)} at {ladder.at(end)}{f' ({remark})' if remark else ''}, against "
        f"{format_number(ours)} on "
        f"{ADVERSARIAL}{f' at {ladder.at(our_end)}' if end != our_end else ''}{over}"
    )
    claim = numbers.claim("rise", "adversarial", name)
    decided = f"; {_whose_rise(numbers, claim)}" if claim is not None and numbers.testable else ""
    return f"{text}{decided}."


def _whose_rise(numbers: Numbers, claim: Claim) -> str:
    """The decision, and what follows from it for an attack that follows a gradient."""
    if claim.decision == "undecided":
        return f"which rises further is undecided ({estimate(claim)})"
    follows = ""
    if numbers.has_adversary:
        follows = (
            ": this control does not account for all of it"
            if claim.decision == "higher"
            else ": such a rise needs no adversary"
        )
    return f"the rise on {ADVERSARIAL} is {word_of(claim)} ({estimate(claim)}){follows}"


def _shuffled(numbers: Numbers, there: Mapping[str, str]) -> list[str]:
    """What selection alone gives, where nearness tells nothing. there: set -> the one that it shuffles."""
    if not there:
        return []
    ladder = numbers.ladder
    ends = [
        f"{format_number(numbers.mean(name, ladder.fitted, 'adversarial'))} on {NAMES[of]} ({name})"
        for name, of in there.items()
    ]
    text = (
        "Judged by the same training images in random order, so that nearness tells nothing, accuracy still "
        f"goes from 0 at {ladder.at(ladder.general)} to {enumerate_words(ends)} at {ladder.at(ladder.fitted)}: so "
        "much selection alone gives"
    )
    found: dict[str, list[str]] = {}
    for name, of in there.items():
        if numbers.testable and (claim := numbers.claim("rise", of, name)) is not None:
            found.setdefault(word_of(claim), []).append(f"on {NAMES[of]} ({estimate(claim)})")
    decided = [f"{word} {enumerate_words(sets)}" for word, sets in found.items()]
    against = f"; the rise in true order, against that, is {enumerate_words(decided)}" if decided else ""
    return [f"{text}{against}."]


def _at_the_other_end(numbers: Numbers, there: list[str]) -> tuple[list[str], list[str]]:
    """Candidates that are selected at the other end, or from sources right at both: what to say, of which sets."""
    ladder = numbers.ladder
    general, fitted = ladder.at(ladder.general), ladder.at(ladder.fitted)
    found, told = [], []
    if REVERSE in there:
        back = format_number(numbers.mean(REVERSE, ladder.general, "adversarial"))
        decided = _against_it(numbers, numbers.claim("rise", "adversarial", REVERSE))
        found.append(
            f"selected at {fitted} instead, they rise to {back} as the knob is turned back to {general} ({REVERSE})"
            f"{f', and the rise on {ADVERSARIAL}{decided}' if decided else ''}"
        )
        told.append(REVERSE)
    ours, theirs = BOTH_ENDS
    if ours in there and theirs in there and numbers.shared(*BOTH_ENDS):
        first = format_number(numbers.mean(ours, ladder.fitted, theirs))
        second = format_number(numbers.mean(theirs, ladder.general, ours))
        decided = _against_it(numbers, numbers.claim("rise", *BOTH_ENDS))
        found.append(
            f"of those from sources that both ends get right, the ones selected at {general} rise to {first} "
            f"({ours}), the ones selected at {fitted} to {second} ({theirs})"
            f"{f', and the first rise{decided}' if decided else ''}"
        )
        told += BOTH_ENDS
    elif theirs in there and ours not in numbers.controls:
        back = format_number(numbers.mean(theirs, ladder.general, "adversarial"))
        found.append(
            f"selected at {fitted} instead, from sources that both ends get right, they rise to {back} ({theirs}) "
            f"as the knob is turned back to {general}, which has no equal here: the sources of {ADVERSARIAL} "
            f"need to be right at {general} only"
        )
        told.append(theirs)
    if not found:
        return [], []
    return [
        "The attack's own candidates show what selection does, and are no evidence against adversarial images: "
        f"{'; '.join(found)}."
    ], told


def _against_it(numbers: Numbers, claim: Claim | None) -> str:
    """After "the rise": the decision against what was named before; "" where nothing can be decided yet."""
    if claim is None or not numbers.testable:
        return ""
    return f", against that, is {word_of(claim)} ({estimate(claim)})"


def _by_their_means(numbers: Numbers, names: list[str]) -> list[str]:
    """Controls of which nothing is decided: accuracy at both ends of the ladder."""
    if not names:
        return []
    ladder = numbers.ladder
    told = []
    for name in names:
        ends = (format_number(numbers.mean(name, level, name)) for level in (ladder.general, ladder.fitted))
        told.append(f"from {' to '.join(ends)} on {name} ({SETS[name].description})")
    return [
        f"For description only: from {ladder.at(ladder.general)} to {ladder.at(ladder.fitted)} accuracy goes "
        f"{enumerate_words(told)}."
    ]


def _caveats(numbers: Numbers, there: list[str], repeated: list[str]) -> list[str]:
    """Which controls tell little or nothing, and why."""
    empty = [name for name in numbers.controls if not numbers.shared(name)]
    apart = [name for name in numbers.controls if name not in (*there, *empty)]
    small = [name for name in there if numbers.is_small(name) and name not in repeated]
    reasons = (
        (repeated, "{draw} anew what this attack draws, and so {are} no control of it"),
        (empty, "{have} no images"),
        (apart, "{have} images in no run in which the adversarial set has any"),
        (
            small,
            f"{{have}} fewer than {SMALL_SET} different images in some run, so that little follows from {{them}}",
        ),
        (numbers.strangers, "{are} of a plug-in that is not installed, so that nothing is said of {them}"),
    )
    sentences = [_of_controls(names, why, numbers.controls) for names, why in reasons if names]
    return [" ".join(sentences)] if sentences else []


def _of_controls(names: list[str], why: str, every: list[str]) -> str:
    """One sentence on one control or several; most of them by those that are left."""
    one = len(names) == 1
    verb = why.format(
        have="has" if one else "have",
        are="is" if one else "are",
        draw="draws" if one else "draw",
        them="it" if one else "them",
    )
    others = [name for name in every if name not in names]
    if 0 < len(others) <= 2 < len(names):
        return f"All controls but {enumerate_words(others)} {verb}."
    if not others and not one:
        return f"All controls {verb}."
    return f"The control{'' if one else 's'} {enumerate_words(names)} {verb}."
