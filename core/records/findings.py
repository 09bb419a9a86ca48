"""What a journal's statistics say in two numbers, read without the tests, which are most of them."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import RecordError
from core.families.ladder import Ladder
from core.records.events import StatisticsComputed
from core.records.statistics import Claim, Summary, SummaryTable
from core.records.tail import STATISTICS
from core.records.types import Count, Name, Record, parse

ADVERSARIAL = "adversarial"
RISE = ("crossfit_rise", (ADVERSARIAL, "misclassified"))
"""Name and sets of what is decided first: the cross-fitted rise on adversarial images less that on mistakes."""
_KIND = str(StatisticsComputed.__struct_config__.tag)


@dataclass(frozen=True)
class Findings:
    """runs: how many they are over. accuracy: at the most fitted level on the adversarial set, None where that was
    not measured. rise: the claim RISE, None in results of version 1.
    """

    runs: int
    accuracy: Summary | None
    rise: Claim | None


class _Statistics(Record, frozen=True, kw_only=True):
    """Of `core.records.events.StatisticsComputed` what is wanted here; the rest is passed over."""

    event: Name
    runs: tuple[Count, ...]
    summary: SummaryTable
    claims: tuple[Claim, ...] = ()


def findings_in(line: bytes, ladder: Ladder) -> Findings | None:
    """What the line of a journal says of an experiment with that ladder.

    None for a line of another kind, one that cannot be read, and statistics of other levels.
    """
    if STATISTICS not in line:
        return None
    try:
        found = parse(line, _Statistics, _KIND)
    except RecordError:
        return None
    if found.event != _KIND:
        return None
    by_level = found.summary.accuracy.get(ADVERSARIAL, {})
    if by_level and set(by_level) != set(ladder.levels):
        return None
    rise = next((claim for claim in found.claims if (claim.name, claim.sets) == RISE), None)
    return Findings(len(found.runs), by_level.get(ladder.fitted), rise)
