"""The long tables as Parquet: the same rows as the CSV, with types."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from core.declarations.setting import Value
from core.report.formats import TableName
from core.report.result import Result
from core.report.study.tables import Table, type_of
from core.report.tables.long import COLUMNS_OF, Cell, long_rows

_WHOLE = {"seed", "run", "size", "n", "complete", "runs", "statistics_runs", "step", "leading"}
_TEXT = {
    "id", "dataset", "attack", "family", "knob", "set", "level", "quantity", "j", "first_set", "second_set", "test",
    "direction", "reason", "status", "decision", "part", "rule", "measure", "axis", "first", "second", "first_id",
    "second_id",
}  # fmt: skip
_TYPES = {int: pa.int64(), float: pa.float64(), str: pa.string()}


def long_parquet(result: Result, table: TableName = "accuracy") -> bytes:
    """A Parquet file with the columns of `COLUMNS_OF`: text, int64 and float64; what is undefined is null."""
    return _written(COLUMNS_OF[table], long_rows(result, table), {})


def study_parquet(table: Table, axes: Mapping[str, tuple[Value, ...]]) -> bytes:
    """A Parquet file of a study's table. axes: the study's; numbers where all values of one are, else text."""
    return _written(table.columns, table.rows, axes)


def _written(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], axes: Mapping[str, tuple[Value, ...]]
) -> bytes:
    schema = pa.schema([(name, _type(name, axes)) for name in columns])
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [
        pa.array(_of_type(column, kind.type), kind.type) for column, kind in zip(values, schema, strict=True)
    ]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), file)
    return file.getvalue()


def _of_type(values: Sequence[Cell], kind: pa.DataType) -> list[Cell]:
    """Words for numbers where some other value of a column is a word."""
    return [value if value is None or kind != pa.string() else str(value) for value in values]


def _type(column: str, axes: Mapping[str, tuple[Value, ...]]) -> pa.DataType:
    if (kind := type_of(column, axes)) is not None:
        return _TYPES[kind]
    if column in _TEXT or column.endswith("_decision"):
        return pa.string()
    return pa.int64() if column in _WHOLE else pa.float64()
