"""Several experiments side by side: the settings in which they differ, their accuracies on one set. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.sets.catalogue import SETS
from core.spec.spec import DEFAULTS, Spec
from tui_aefit.lab.charts.data import AccuracyData, AccuracyPoint, accuracy_data

ABSENT = "-"


@dataclass(frozen=True)
class Compared:
    """One of the experiments.

    name: tells it from the others. status: as `State.status`. runs: how many its summary is over.
    summary: the mean accuracies as the JSON result has them; None where there are none that can be read.
    """

    name: str
    spec: Spec
    status: str
    runs: int
    summary: Mapping[str, Any] | None


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
    """The settings that are not the same in all specs, each with its value in every spec, as text."""
    rows = [(setting, [written(getattr(spec, setting)) for spec in specs]) for setting in DEFAULTS]
    return [(setting, values) for setting, values in rows if len(set(values)) > 1]


def written(value: object) -> str:
    """A setting's value for a person."""
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if isinstance(value, float):
        return repr(value)
    return "the data set's own" if value is None else str(value)


def sets_of(compared: Sequence[Compared]) -> list[str]:
    """The sets that any of them measured, in the order of `SETS`."""
    measured = dict.fromkeys(name for one in compared for name in (one.summary or {}).get("accuracy", {}))
    return sorted(measured, key=lambda name: list(SETS).index(name) if name in SETS else len(SETS))


def curves(compared: Sequence[Compared], name: str, *, fit: bool = False) -> AccuracyData | None:
    """Mean accuracy on set `name` against K, a curve for each that has any; None where none has.

    fit: as in AccuracyData.
    """
    found: dict[str, tuple[AccuracyPoint, ...]] = {}
    for one in compared:
        data = accuracy_data(one.summary, sets=[name])
        if data is not None:
            found[one.name] = data.curves[name]
    levels = sorted({point.level for points in found.values() for point in points}, reverse=True)
    places = {one.name: place for place, one in enumerate(compared)}
    return AccuracyData(tuple(levels), found, fit, places) if found else None


def numbers(compared: Sequence[Compared], name: str) -> list[tuple[int, list[str]]]:
    """K, from general to fitted, and every experiment's mean accuracy on set `name` there.

    A mean has half the width of its 95 % interval beside it, where it has an interval; ABSENT stands for none.
    """
    data = curves(compared, name)
    if data is None:
        return []
    by_level = {one: {point.level: _mean(point) for point in points} for one, points in data.curves.items()}
    return [
        (level, [by_level.get(one.name, {}).get(level, ABSENT) for one in compared]) for level in data.levels
    ]


def _mean(point: AccuracyPoint) -> str:
    if point.interval is None:
        return f"{point.mean:.4f}"
    low, high = point.interval
    return f"{point.mean:.4f} ± {(high - low) / 2:.4f}"
