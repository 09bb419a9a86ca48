"""What changes along an axis of a study: experiments that differ in nothing else, two by two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, pairwise

from core.declarations.setting import Value
from core.report.differences import Side, difference
from core.report.headline import LEADING
from core.report.quantities_by_run import Key
from core.report.study.result import CellResult, StudyResult
from core.statistics.between import Difference
from core.statistics.holm import holm


@dataclass(frozen=True)
class Change:
    """Two experiments that differ on one axis only.

    first, second: their values on it; the difference is the second's less the first's. fixed: their value on every
    other axis. ids: of both. step: whether no other stands between them. leading: whether words begin with it: the
    first and the last of an axis of numbers, each pair of one of names. p_holm: p adjusted over all pairs along the
    axis of the same quantity.
    """

    axis: str
    first: Value
    second: Value
    fixed: Mapping[str, Value]
    ids: tuple[str, str]
    key: Key
    step: bool
    leading: bool
    difference: Difference
    p_holm: float | None = None


@dataclass(frozen=True)
class Row:
    """The experiments with one value on every axis but one, in its order, as far as they have complete runs."""

    axis: str
    fixed: Mapping[str, Value]
    cells: tuple[CellResult, ...]

    @cached_property
    def ordered(self) -> bool:
        """Whether the axis has numbers."""
        return all(isinstance(cell.settings[self.axis], int | float) for cell in self.cells)

    @cached_property
    def pairs(self) -> list[tuple[CellResult, CellResult]]:
        """Neighbours, then both ends; where the axis has names instead of numbers, each with each."""
        if not self.ordered:
            return list(combinations(self.cells, 2))
        ends = [(self.cells[0], self.cells[-1])] if len(self.cells) > 2 else []
        return [*pairwise(self.cells), *ends]


def rows_along(result: StudyResult, axis: str) -> list[Row]:
    """The rows along an axis that have two experiments or more."""
    places = {value: place for place, value in enumerate(result.axes[axis])}
    rows: dict[tuple[Value, ...], list[CellResult]] = {}
    for cell in result.cells:
        if cell.measured is not None and cell.spec is not None:
            rows.setdefault(tuple(cell.settings[name] for name in result.axes if name != axis), []).append(
                cell
            )
    others = [name for name in result.axes if name != axis]
    return [
        Row(
            axis,
            dict(zip(others, fixed, strict=True)),
            tuple(sorted(cells, key=lambda cell: places[cell.settings[axis]])),
        )
        for fixed, cells in rows.items()
        if len(cells) > 1
    ]


def changes(result: StudyResult, axis: str, keys: Sequence[Key] = LEADING) -> list[Change]:
    """Every pair along an axis, for each quantity that both experiments have measured in some run."""
    rows = rows_along(result, axis)
    found: list[Change] = []
    for key in keys:
        of_key = [change for row in rows for change in _along(row, key)]
        adjusted = holm([change.difference.p for change in of_key])
        found += [replace(change, p_holm=p) for change, p in zip(of_key, adjusted, strict=True)]
    return found


def _along(row: Row, key: Key) -> Iterator[Change]:
    steps = {(one.id, other.id) for one, other in pairwise(row.cells)}
    ends = row.cells[0].id, row.cells[-1].id
    for pair in row.pairs:
        one, other = _side(pair[0]), _side(pair[1])
        if not (one.measured.has(key) and other.measured.has(key)):
            continue
        ids = pair[0].id, pair[1].id
        yield Change(
            axis=row.axis,
            first=pair[0].settings[row.axis],
            second=pair[1].settings[row.axis],
            fixed=row.fixed,
            ids=ids,
            key=key,
            step=ids in steps,
            leading=ids == ends or not row.ordered,
            difference=difference(one, other, key),
        )


def _side(cell: CellResult) -> Side:
    assert cell.spec is not None
    assert cell.measured is not None
    return Side(cell.spec, cell.measured)
