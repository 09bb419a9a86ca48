"""Several experiments side by side: the settings in which they differ, their accuracies on one set. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from core.families.ladder import Ladder
from core.records.statistics import SummaryTable
from core.records.status import ExperimentStatus
from core.report.formatting import ABSENT
from core.sets.registry import SETS, is_known
from core.spec.command import format_value
from core.spec.spec import Spec
from tui_aefit.lab.charts.data import AccuracyData, AccuracyPoint, curve_of


@dataclass(frozen=True)
class Compared:
    """One of the experiments.

    name: tells it from the others. runs: how many its summary is over. ladder: of its results.
    summary: the mean accuracies; None where there are none. corrected: whether its intervals allow for overlapping
    splits, as those of older versions do not.
    """

    name: str
    spec: Spec
    status: ExperimentStatus
    runs: int
    ladder: Ladder
    summary: SummaryTable | None
    corrected: bool = False


def names(ids: Sequence[str], labels: Sequence[str]) -> list[str]:
    """A name for each: its label, with the digest of its id where another has the same or it has none."""
    often = Counter(labels)
    digests = [name.rpartition("-")[2] for name in ids]
    found = [
        label if label and often[label] == 1 else f"{label} {digest}".strip()
        for label, digest in zip(labels, digests, strict=True)
    ]
    # A label may be another's digest: then only the ids are sure to differ.
    return found if len(set(found)) == len(found) else list(ids)


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


def curves(compared: Sequence[Compared], name: str, *, fit: bool = False) -> AccuracyData | None:
    """Mean accuracy on set `name` against the levels, a curve for each that has any; None where none has.

    Of experiments with another knob than the first of these has there is no curve. fit: as in AccuracyData.
    """
    measured = [one for one in compared if curve_of(one.summary, name, one.ladder)]
    if not measured:
        return None
    knob = measured[0].ladder.knob
    drawn = [one for one in measured if one.ladder.knob == knob]
    places = {one.name: place for place, one in enumerate(compared)}
    return AccuracyData(
        knob,
        merge_levels(one.ladder for one in drawn),
        {one.name: curve_of(one.summary, name, one.ladder) for one in drawn},
        fit,
        places,
        corrected=all(one.corrected for one in drawn),
    )


def numbers(compared: Sequence[Compared], name: str) -> list[tuple[str, list[str]]]:
    """The levels of `curves`, and every experiment's mean accuracy on set `name` there.

    A mean has half the width of its 95 % interval beside it, where it has an interval; ABSENT stands for none.
    """
    data = curves(compared, name)
    if data is None:
        return []
    by_level = {one: {point.level: _mean(point) for point in points} for one, points in data.curves.items()}
    return [
        (level, [by_level.get(one.name, {}).get(level, ABSENT) for one in compared]) for level in data.levels
    ]


def with_another_knob(compared: Sequence[Compared], data: AccuracyData) -> list[str]:
    """The names of those that have no place in `data`, their levels being of another knob than its."""
    return [one.name for one in compared if one.ladder.knob != data.knob]


def _mean(point: AccuracyPoint) -> str:
    if point.interval is None:
        return f"{point.mean:.4f}"
    low, high = point.interval
    return f"{point.mean:.4f} ± {(high - low) / 2:.4f}"
