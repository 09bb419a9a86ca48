"""Orders experiments by a column of the list, ascending or descending. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from core.records.findings import Findings
from core.records.overview import Overview
from core.records.status import ExperimentStatus
from core.spec.spec import Spec
from tui_aefit.following.listing import COLUMNS, settings_words, telling_settings

URGENCY = (
    ExperimentStatus.RUNNING, ExperimentStatus.FAILED, ExperimentStatus.REFUSED, ExperimentStatus.INTERRUPTED,
    ExperimentStatus.CANCELLED, ExperimentStatus.CREATED, ExperimentStatus.COMPLETE, ExperimentStatus.NEWER,
    ExperimentStatus.UNREADABLE,
)  # fmt: skip
"""Statuses in the order of the column of states: running, then what needs attention, then what is done."""


@dataclass(frozen=True)
class Order:
    """An order by a column, a key of `COLUMNS`; descending: from the largest down."""

    column: str
    descending: bool = False

    @property
    def arrow(self) -> str:
        """The arrow at the column's title."""
        return "▼" if self.descending else "▲"

    def turned(self, step: int) -> Order:
        """The order `step` places on in the cycle of all: each column in its usual direction, then reversed."""
        places = [
            Order(key, column.descending != other)
            for key, column in COLUMNS.items()
            for other in (False, True)
        ]
        return places[(places.index(self) + step) % len(places)]

    def by(self, column: str) -> Order:
        """The order after a person has chosen a column: in its usual direction, reversed if chosen again."""
        return (
            Order(column, not self.descending)
            if column == self.column
            else Order(column, COLUMNS[column].descending)
        )


NEWEST_FIRST = Order("age")


def ordered(
    overviews: Iterable[Overview], order: Order, marked: Collection[str] = ()
) -> tuple[Overview, ...]:
    """The experiments in an order; those without a value in the column come last, equal ones keep their order."""
    found = list(overviews)
    value = _value_in(order.column, found, marked)
    keys = [value(overview) for overview in found]
    having = [(key, overview) for key, overview in zip(keys, found, strict=True) if key is not None]
    having.sort(key=itemgetter(0), reverse=order.descending)
    lacking = (overview for key, overview in zip(keys, found, strict=True) if key is None)
    return (*(overview for _, overview in having), *lacking)


def _value_in(
    column: str, overviews: Collection[Overview], marked: Collection[str]
) -> Callable[[Overview], Any]:
    """A function that gives what an experiment is sorted by in a column, None where it has no such value."""
    if column == "mark":
        return lambda one: one.id not in marked
    if column == "settings":
        telling = telling_settings(overviews)
        return _of_spec(lambda spec: tuple(settings_words(spec, telling)) or None)
    return VALUES[column]


def _of_spec(value: Callable[[Spec], Any]) -> Callable[[Overview], Any]:
    return lambda one: value(one.experiment.spec) if one.experiment is not None else None


def _of_findings(value: Callable[[Findings], Any]) -> Callable[[Overview], Any]:
    return lambda one: value(one.findings) if one.findings is not None else None


def _sortable(value: float | str) -> tuple[bool, float, str]:
    """A sort key that puts numbers before words."""
    return (True, 0.0, value) if isinstance(value, str) else (False, float(value), "")


VALUES: Mapping[str, Callable[[Overview], Any]] = {
    "state": lambda one: (URGENCY.index(one.status), one.stopping, one.queued),
    "runs": lambda one: one.done if one.experiment is not None else None,
    "name": lambda one: one.id.casefold(),
    "epsilon": _of_spec(lambda spec: spec.epsilon),
    "ladder": _of_spec(
        lambda spec: (spec.ladder.knob, _sortable(spec.ladder.values[0]), len(spec.ladder.levels))
    ),
    "accuracy": _of_findings(lambda found: found.accuracy.mean if found.accuracy is not None else None),
    "rise": _of_findings(lambda found: found.rise.estimate if found.rise is not None else None),
    "age": lambda one: -one.created if one.created > 0 else None,
    "time": lambda one: one.seconds if one.done else None,
}
"""Column -> what an experiment is sorted by there, None where it has no such value."""
