"""Several experiments side by side: what they are called, in which settings they differ, what each found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from core.families.ladder import Ladder
from core.records.statistics import Claim, Summary, SummaryTable
from core.records.status import ExperimentStatus
from core.report.formatting import ABSENT
from core.report.result import Result
from core.sets.registry import SETS, is_known
from core.spec.command import format_value, word_of
from core.spec.settings import PARTS
from core.spec.spec import Spec

LONGEST_NAME = 28
"""Characters that a name made of settings has at most."""
PLAIN = ("dataset", *PARTS)
"""The settings whose values need no name beside them."""


@dataclass(frozen=True)
class Compared:
    """One of the experiments. name: tells it from the others."""

    name: str
    result: Result

    @property
    def spec(self) -> Spec:
        """What was asked for."""
        return self.result.spec

    @property
    def status(self) -> ExperimentStatus:
        """How it stands."""
        return self.result.status

    @property
    def runs(self) -> int:
        """How many its numbers are over."""
        return len(self.result.statistics_runs)

    @property
    def ladder(self) -> Ladder:
        """Of its results."""
        return self.result.ladder

    @property
    def summary(self) -> SummaryTable | None:
        """The mean accuracies; None where there are none."""
        return self.result.summary

    @property
    def corrected(self) -> bool:
        """Whether its intervals allow for overlapping splits, as those of older versions do not."""
        return bool(self.result.claims)


Quantity = tuple[str, tuple[str, ...]]
"""A claim's name and its sets."""


def names(ids: Sequence[str], labels: Sequence[str], specs: Sequence[Spec]) -> list[str]:
    """A name for each: its label, else the settings that tell it from the others, else the digest of its id.

    The digest stands behind a name that another has too.
    """
    words = _telling(specs)
    chosen = [label or word for label, word in zip(labels, words, strict=True)]
    often = Counter(chosen)
    digests = [name.rpartition("-")[2] for name in ids]
    found = [
        name if name and often[name] == 1 else f"{name} {digest}".strip()
        for name, digest in zip(chosen, digests, strict=True)
    ]
    # A label may be another's digest: then only the ids are sure to differ.
    return found if len(set(found)) == len(found) else list(ids)


def _telling(specs: Sequence[Spec]) -> list[str]:
    """The first of the settings that differ, as many as tell a spec from all others; "" where they are too long."""
    known = {name: setting for spec in specs for name, setting in spec.settings.items()}
    telling = [name for name, _ in differing(specs) if known[name].identifies]
    words = [[_word(spec, name) if name in spec.values else "" for name in telling] for spec in specs]
    found = []
    for own in words:
        others = [other for other in words if other is not own]
        many = next((n for n in range(len(own) + 1) if all(own[:n] != other[:n] for other in others)), 0)
        text = " ".join(filter(None, own[:many]))
        found.append(text if len(text) <= LONGEST_NAME and text.isprintable() else "")
    return found


def _word(spec: Spec, name: str) -> str:
    """A setting's value, with its name where the value alone would say nothing."""
    value = spec.dataset_title if name == "dataset" else word_of(spec.values[name])
    return value if name in PLAIN else f"{name}={value}"


def differing(specs: Sequence[Spec]) -> list[tuple[str, list[str]]]:
    """The settings that are not the same in all specs, each with its value in every spec, as text.

    ABSENT stands for an option that an experiment with another attack, family or surrogate does not have. An
    option that has its default wherever there is one is left out.
    """
    settings = {name: setting for spec in specs for name, setting in spec.settings.items()}
    return [
        (name, [format_value(spec.values[name]) if name in spec.values else ABSENT for spec in specs])
        for name, setting in settings.items()
        if len({spec.values.get(name, setting.default) for spec in specs}) > 1
    ]


def sets_of(compared: Sequence[Compared]) -> list[str]:
    """The sets that any of them measured, in the order of `SETS`, then those of plug-ins that are not installed."""
    measured = dict.fromkeys(name for one in compared if one.summary for name in one.summary.accuracy)
    return [name for name in SETS if name in measured] + [name for name in measured if not is_known(name)]


def merge_levels(ladders: Iterable[Ladder]) -> tuple[str, ...]:
    """The levels of all ladders, in the order of each; where they contradict each other, as first met."""
    before: dict[str, list[str]] = {}
    for ladder in ladders:
        before |= {level: [] for level in ladder.levels if level not in before}
        for step in ladder.steps:
            before[step.fitted].append(step.general)
    try:
        return tuple(TopologicalSorter(before).static_order())
    except CycleError:
        return tuple(before)


def measured_on(compared: Sequence[Compared], name: str) -> list[Compared]:
    """Those that have a mean accuracy on a set and the knob of the first of these."""
    having = [one for one in compared if any(found.mean is not None for found in _by_level(one, name))]
    return [one for one in having if one.ladder.knob == having[0].ladder.knob]


def accuracies(compared: Sequence[Compared], name: str) -> list[tuple[str, list[Summary | None]]]:
    """The levels of those that `measured_on` gives, and the summary of every experiment there, None for none."""
    measured = measured_on(compared, name)
    tables = [
        one.summary.accuracy[name] if one in measured and one.summary is not None else {} for one in compared
    ]
    return [
        (
            level,
            [found if (found := table.get(level)) and found.mean is not None else None for table in tables],
        )
        for level in merge_levels(one.ladder for one in measured)
    ]


def claims_of(compared: Sequence[Compared]) -> list[tuple[Quantity, list[Claim | None]]]:
    """Every quantity that any of them decides, with the claim of each, None where it has none.

    First one of every name, those that a verdict begins with, then the others, both as they come.
    """
    by_quantity = [{(claim.name, claim.sets): claim for claim in one.result.claims} for one in compared]
    quantities = list(dict.fromkeys(quantity for found in by_quantity for quantity in found))
    first: dict[str, Quantity] = {}
    others = [one for one in quantities if first.setdefault(one[0], one) is not one]
    return [
        (quantity, [found.get(quantity) for found in by_quantity]) for quantity in (*first.values(), *others)
    ]


def _by_level(one: Compared, name: str) -> Iterable[Summary]:
    table = one.summary.accuracy.get(name, {}) if one.summary is not None else {}
    return [table[level] for level in one.ladder.levels if level in table]
