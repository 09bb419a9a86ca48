"""The order of the list: by any column, both ways, what has no value last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.records.overview import Overview
from core.records.status import ExperimentStatus
from core.spec.spec import Spec
from tests.unit.test_listing import UNREADABLE, found, overview
from tui_aefit.following.listing import COLUMNS
from tui_aefit.following.ordering import NEWEST_FIRST, URGENCY, Order, ordered

A = overview(
    Spec(epsilon=0.2, options={"z": 5}), folder="b", created=30, findings=found(0.5, 0.2), seconds=9.0
)
B = replace(
    overview(
        Spec(epsilon=0.1, options={"z": 9}), folder="a", created=20, findings=found(0.7, -0.1), seconds=7.0
    ),
    done=5,
)
C = replace(
    overview(
        Spec(options={"z": 11}),
        folder="C",
        created=10,
        status=ExperimentStatus.RUNNING,
        findings=found(None, None),
    ),
    done=0,
)
ALL = (A, B, C, replace(UNREADABLE, done=0))


def plain(value: Callable[[Overview], Any], reverse: bool) -> list[Overview]:
    """The order by a plain sort of those that have a value."""
    having = [one for one in ALL if value(one) is not None]
    return [*sorted(having, key=value, reverse=reverse), *(one for one in ALL if value(one) is None)]


VALUES: dict[str, Callable[[Overview], Any]] = {
    "epsilon": lambda one: one.experiment and one.experiment.spec.epsilon,
    "ladder": lambda one: one.experiment and int(one.experiment.spec.ladder.general),
    "accuracy": lambda one: one.findings and one.findings.accuracy and one.findings.accuracy.mean,
    "rise": lambda one: one.findings and one.findings.rise and one.findings.rise.estimate,
    "runs": lambda one: one.done if one.experiment else None,
    "time": lambda one: one.seconds if one.done and one.experiment else None,
    "name": lambda one: one.id.lower(),
    "age": lambda one: -one.created,
    "state": lambda one: URGENCY.index(one.status),
}


@pytest.mark.parametrize("column", VALUES)
@pytest.mark.parametrize("descending", [False, True])
def test_by_a_column_both_ways_and_without_a_value_last(column: str, descending: bool) -> None:
    assert list(ordered(ALL, Order(column, descending))) == plain(VALUES[column], descending)


def test_by_settings_and_marks() -> None:
    assert [one.id for one in ordered((A, B, C), Order("settings"))] == ["C", "b", "a"]  # z=11, z=5, z=9
    assert [one.id for one in ordered(ALL, Order("mark"), {"a", "rubbish"})][:2] == ["a", "rubbish"]


def test_equal_ones_stay_as_they_came() -> None:
    alike = [replace(A, folder=A.folder.with_name(name)) for name in "cab"]
    for descending in (False, True):
        assert list(ordered(alike, Order("epsilon", descending))) == alike


def test_every_state_has_a_place() -> None:
    assert set(URGENCY) == set(ExperimentStatus)


def test_turning_comes_by_every_column_both_ways_and_back() -> None:
    seen, order = [], NEWEST_FIRST
    for _ in range(2 * len(COLUMNS)):
        seen.append(order)
        order = order.turned(1)
    assert order == NEWEST_FIRST
    assert len(set(seen)) == len(seen) == 2 * len(COLUMNS)
    assert seen[1] == Order("age", descending=True)
    assert seen[2] == Order("time", descending=True)  # the longest first is usual there
    assert NEWEST_FIRST.turned(1).turned(-1) == NEWEST_FIRST


def test_pointing_at_a_column_sorts_by_it_and_again_the_other_way() -> None:
    first = NEWEST_FIRST.by("accuracy")
    assert (first, first.by("accuracy")) == (Order("accuracy", True), Order("accuracy", False))
    assert first.arrow != first.by("accuracy").arrow
