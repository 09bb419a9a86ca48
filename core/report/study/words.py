"""What changes along each axis of a study and what does not, in words that go no further than the intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from core.data.catalogue import CATALOGUE
from core.declarations.setting import Value
from core.declarations.words import counted, enumerate_words
from core.records.statistics import Claim, Decision
from core.report.comparison import PLAIN
from core.report.differences import key_title
from core.report.estimates import estimate_words
from core.report.formatting import ABSENT
from core.report.headline import LEADING_CLAIMS
from core.report.study.changes import Change
from core.report.study.result import StudyResult
from core.spec.command import word_of

FEW = 3
"""So many places are named at most, each with its interval; more are counted."""
DECISIONS: tuple[Decision, ...] = ("higher", "lower", "same", "undecided")
DIFFERENCES = "Differences of means over the runs with their 95 % intervals, decided as claims are."
UNADJUSTED = (
    "Each interval is a 95 % one by itself: of many differences that are none, one in twenty would seem to be one."
)  # fmt: skip
ADJUSTED_IN = "The table changes has p-values adjusted for their number."


@dataclass(frozen=True)
class Along:
    """What two values of an axis have to do with the quantities. title: "epsilon: 0.3 against 0.02".

    changed, same, undecided: a phrase for each quantity; the same within the margin. steps: of every quantity, how
    many neighbours differ.
    """

    axis: str
    title: str
    margin: float
    changed: tuple[str, ...]
    same: tuple[str, ...]
    undecided: tuple[str, ...]
    steps: tuple[str, ...] = ()

    @property
    def parts(self) -> list[tuple[str, tuple[str, ...]]]:
        """A heading and the phrases below it, for each of these that there is."""
        found = {
            "changes": self.changed,
            f"does not change by more than {self.margin:g}": self.same,
            "undecided": self.undecided,
            "step by step": self.steps,
        }
        return [(heading, phrases) for heading, phrases in found.items() if phrases]


def decided(result: StudyResult) -> list[str]:
    """For each quantity with which a verdict answers, how it was decided in the experiments."""
    lines = []
    for key in LEADING_CLAIMS:
        found = {
            cell.id: (cell.settings, claim)
            for cell in result.cells
            if (claim := cell.by_quantity.get((key.name, key.sets))) is not None
        }
        if found:
            phrases = [
                phrase for decision in DECISIONS if (phrase := _claims_phrase(decision, list(found.values())))
            ]
            lines.append(f"{key_title(key)}: {', '.join(phrases)}")
    return lines


def _claims_phrase(decision: Decision, found: Sequence[tuple[Mapping[str, Value], Claim]]) -> str:
    chosen = [(settings, claim) for settings, claim in found if claim.decision == decision]
    if not chosen:
        return ""
    estimates = [claim.estimate for _, claim in chosen]
    word = f"the same as 0 within {chosen[0][1].margin:g}" if decision == "same" else decision
    word += " than 0" if decision in ("higher", "lower") else ""
    where = _where([place_name(settings) for settings, _ in chosen], len(found), "experiment")
    return f"{word} {where} ({_range(estimates)})".replace("  ", " ")


def along(found: Sequence[Change]) -> list[Along]:
    """What the changes along one axis say: of each two values that words begin with."""
    pairs = dict.fromkeys((change.first, change.second) for change in found if change.leading)
    told = []
    for first, second in pairs:
        leading = [c for c in found if c.leading and (c.first, c.second) == (first, second)]
        axis = leading[0].axis
        phrases = {decision: list(_phrases(decision, leading)) for decision in DECISIONS}
        told.append(
            Along(
                axis=axis,
                title=f"{axis}: {value_word(axis, second)} against {value_word(axis, first)}",
                margin=leading[0].difference.margin,
                changed=tuple([*phrases["higher"], *phrases["lower"]]),
                same=tuple(phrases["same"]),
                undecided=tuple(phrases["undecided"]),
            )
        )
    steps = tuple(_steps(found))
    # What neighbours say is of the whole axis: it stands once, below the ends.
    if told and steps:
        told[-1] = replace(told[-1], steps=steps)
    return told


def _phrases(decision: Decision, leading: Sequence[Change]) -> Iterator[str]:
    """A phrase for each quantity that is decided so in some place."""
    for key in dict.fromkeys(change.key for change in leading):
        of_key = [change for change in leading if change.key == key]
        chosen = [change for change in of_key if change.difference.decision == decision]
        if not chosen:
            continue
        title = key_title(key)
        word = f" {decision}" if decision in ("higher", "lower") else ""
        if len(chosen) <= FEW:
            places = [
                f"{place_name(change.fixed)} {estimate_words(change.difference)}".strip() for change in chosen
            ]
            yield f"{title}{word} ({', '.join(places)})"
        else:
            where = _where([place_name(change.fixed) for change in chosen], len(of_key), "place")
            values = [c.difference.estimate for c in chosen if c.difference.estimate is not None]
            yield f"{title}{word} {where}" + (f" ({_range(values)})" if values else "")


def _steps(found: Sequence[Change]) -> Iterator[str]:
    """For each quantity, how its neighbours along an axis of numbers differ; none where there is one step only."""
    for key in dict.fromkeys(change.key for change in found):
        steps = [change for change in found if change.key == key and change.step]
        if not any(not change.leading for change in steps):
            continue
        counts = {
            decision: sum(change.difference.decision == decision for change in steps)
            for decision in DECISIONS
        }
        told = [f"{decision} in {count}" for decision, count in counts.items() if count]
        yield f"{key_title(key)} {', '.join(told)} of {len(steps)}"


def _where(places: Sequence[str], total: int, noun: str) -> str:
    """In which of so many places: all of them, their names where they are few, else their number."""
    if len(places) == total:
        return f"in all {counted(total, noun)}" if total > 1 else ""
    named = [place for place in places if place]
    if len(places) <= FEW and named:
        return f"for {enumerate_words(named)}"
    return f"in {len(places)} of {counted(total, noun)}"


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:+z.3f}" if f"{low:+z.3f}" == f"{high:+z.3f}" else f"{low:+z.3f} to {high:+z.3f}"


def place_name(settings: Mapping[str, Value]) -> str:
    """Values on some axes, with their names where a value alone would say nothing: "fgsm, epsilon 0.1"."""
    return ", ".join(
        value_word(name, value) if name in PLAIN else f"{name} {value_word(name, value)}"
        for name, value in settings.items()
        if value is not None
    )


def value_word(name: str, value: Value) -> str:
    """A setting's value in a table; ABSENT where an experiment has no such setting. A data set by its title."""
    if value is None:
        return ABSENT
    word = word_of(value)
    return PurePath(word).stem if name == "dataset" and word not in CATALOGUE else word
