"""What a journal's statistics say in short, read without nearly all of the tests, which are most of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from core.errors import RecordError
from core.families.ladder import Ladder
from core.records.events import StatisticsComputed
from core.records.statistics import Claim, StatisticalTest, Summary, SummaryTable
from core.records.tail import STATISTICS
from core.records.types import Count, Name, Record, parse

ADVERSARIAL = "adversarial"
RISE = ("crossfit_rise", (ADVERSARIAL, "misclassified"))
"""Name and sets of what is decided first: the cross-fitted rise on adversarial images less that on mistakes."""
TESTED = ("ratio", (ADVERSARIAL, "misclassified"))
"""Quantity and sets of the tests that the paper decides by."""
_PAIR, _QUANTITY = b'"adversarial","misclassified"', b'"ratio"'
"""What stands in the JSON of such a test: the others, some hundred, need not be read."""
_KIND = str(StatisticsComputed.__struct_config__.tag)


@dataclass(frozen=True)
class Findings:
    """runs: how many they are over. accuracy: at the most fitted level on the adversarial set, None where that was
    not measured. rise: the claim RISE, None in results of version 1. accuracies: set -> level -> its summary.
    claims: all of them. tests: those of TESTED at the most fitted level.
    """

    runs: int
    accuracy: Summary | None
    rise: Claim | None
    accuracies: Mapping[str, Mapping[str, Summary]] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    tests: tuple[StatisticalTest, ...] = ()

    def fits(self, ladder: Ladder) -> bool:
        """Whether they are of these levels."""
        by_level = self.accuracies.get(ADVERSARIAL, {})
        return not by_level or set(by_level) == set(ladder.levels)


class _Statistics(Record, frozen=True, kw_only=True):
    """Of `core.records.events.StatisticsComputed` what is wanted here; the rest is passed over."""

    event: Name
    runs: tuple[Count, ...]
    summary: SummaryTable
    claims: tuple[Claim, ...] = ()
    tests: tuple[msgspec.Raw, ...] = ()


def findings_in(line: bytes, ladder: Ladder) -> Findings | None:
    """What the line of a journal says of an experiment with that ladder.

    None for a line of another kind, one that cannot be read, and statistics of other levels.
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
    accuracies = found.summary.accuracy
    rise = next((claim for claim in found.claims if (claim.name, claim.sets) == RISE), None)
    fitted = accuracies.get(ADVERSARIAL, {}).get(ladder.fitted)
    findings = Findings(len(found.runs), fitted, rise, accuracies, found.claims, tests)
    return findings if findings.fits(ladder) else None


def _tests_at(level: str, tests: tuple[msgspec.Raw, ...]) -> tuple[StatisticalTest, ...]:
    """The tests of TESTED at a level. Raises RecordError."""
    j = b'"' + level.encode() + b'"'
    texts = (bytes(test) for test in tests)
    wanted = (text for text in texts if _PAIR in text and _QUANTITY in text and j in text)
    read = (parse(text, StatisticalTest, "a test") for text in wanted)
    return tuple(test for test in read if (test.quantity, test.sets) == TESTED and test.j == level)
