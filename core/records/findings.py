"""The main numbers of a journal's statistics, read without parsing most of the tests, which fill such a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from core.errors import RecordError
from core.families.ladder import Ladder
from core.records.events import StatisticsComputed
from core.records.statistics import Claim, StatisticalTest, Summary, SummaryTable
from core.records.tail import STATISTICS
from core.records.types import Count, Name, Record, parse

ADVERSARIAL = "adversarial"
RISE = ("crossfit_rise", (ADVERSARIAL, "misclassified"))
"""Name and sets of the first claim: the cross-fitted rise on adversarial images less that on misclassified ones."""
TESTED = ("ratio", (ADVERSARIAL, "misclassified"))
"""Quantity and sets of the tests that the paper decides by."""
_PAIR, _QUANTITY = b'"adversarial","misclassified"', b'"ratio"'
"""What the JSON of each test of TESTED contains: the others, some hundred, need not be parsed."""
_KIND = str(StatisticsComputed.__struct_config__.tag)


class Details(Record, frozen=True, kw_only=True):
    """The part of findings that lists do not show.

    accuracies: set -> level -> its summary. claims: all. tests: those of TESTED at the most fitted level.
    """

    accuracies: dict[Name, dict[Name, Summary]] = msgspec.field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    tests: tuple[StatisticalTest, ...] = ()

    def fits(self, ladder: Ladder) -> bool:
        """Whether the accuracies have the ladder's levels."""
        by_level = self.accuracies.get(ADVERSARIAL, {})
        return not by_level or set(by_level) == set(ladder.levels)


@dataclass(frozen=True, eq=False)
class Findings:
    """The main numbers of an experiment's statistics.

    runs: how many they are over. accuracy: at the most fitted level on the adversarial set, None where that was
    not measured. rise: the claim RISE, None in results of version 1. read_details: reads the rest, None where that
    cannot be read now; never raises. To compare two findings that are otherwise equal may read files.
    """

    runs: int
    accuracy: Summary | None
    rise: Claim | None
    read_details: Callable[[], Details | None] = Details

    @property
    def details(self) -> Details:
        """The rest: read when it is first asked for, empty where it cannot be read now, and then tried again."""
        found: Details | None = self.__dict__.get("_details")
        if found is None and (found := self.read_details()) is not None:
            self.__dict__["_details"] = found
        return found if found is not None else Details()

    @property
    def accuracies(self) -> Mapping[str, Mapping[str, Summary]]:
        """Set -> level -> its summary."""
        return self.details.accuracies

    @property
    def claims(self) -> tuple[Claim, ...]:
        """All claims."""
        return self.details.claims

    @property
    def tests(self) -> tuple[StatisticalTest, ...]:
        """The tests of TESTED at the most fitted level."""
        return self.details.tests

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Findings):
            return NotImplemented
        headlines = [(one.runs, one.accuracy, one.rise) for one in (self, other)]
        return self is other or (headlines[0] == headlines[1] and self.details == other.details)


class _Statistics(Record, frozen=True, kw_only=True):
    """The fields of `core.records.events.StatisticsComputed` that are read here, its tests unparsed."""

    event: Name
    runs: tuple[Count, ...]
    summary: SummaryTable
    claims: tuple[Claim, ...] = ()
    tests: tuple[msgspec.Raw, ...] = ()


def findings_in(line: bytes, ladder: Ladder) -> Findings | None:
    """The findings in a line of a journal of an experiment with that ladder.

    None for a line that has no statistics, one that cannot be read, and statistics of other levels.
    """
    if STATISTICS not in line:
        return None
    try:
        found = parse(line, _Statistics, _KIND)
        tests = _tests_at(ladder.fitted, found.tests)
    except RecordError:
        return None
    if found.event != _KIND:
        return None
    details = Details(accuracies=found.summary.accuracy, claims=found.claims, tests=tests)
    rise = next((claim for claim in details.claims if (claim.name, claim.sets) == RISE), None)
    fitted = details.accuracies.get(ADVERSARIAL, {}).get(ladder.fitted)
    return Findings(len(found.runs), fitted, rise, lambda: details) if details.fits(ladder) else None


def _tests_at(level: str, tests: tuple[msgspec.Raw, ...]) -> tuple[StatisticalTest, ...]:
    """The tests of TESTED at a level. Raises RecordError."""
    j = b'"' + level.encode() + b'"'
    texts = (bytes(test) for test in tests)
    wanted = (text for text in texts if _PAIR in text and _QUANTITY in text and j in text)
    read = (parse(text, StatisticalTest, "a test") for text in wanted)
    return tuple(test for test in read if (test.quantity, test.sets) == TESTED and test.j == level)
