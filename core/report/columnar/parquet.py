"""The long tables as Parquet: the same rows as the CSV, with types."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from core.report.formats import TableName
from core.report.result import Result
from core.report.tables.long import COLUMNS_OF, long_rows

_WHOLE = {"seed", "run", "size", "n"}
_TEXT = {
    "id", "dataset", "attack", "family", "knob", "set", "level", "quantity", "j", "first_set", "second_set", "test",
    "direction", "reason", "status", "decision", "part", "rule", "measure",
}  # fmt: skip


def long_parquet(result: Result, table: TableName = "accuracy") -> bytes:
    """A Parquet file with the columns of `COLUMNS_OF`: text, int64 and float64; what is undefined is null."""
    schema = pa.schema([(name, _type(name)) for name in COLUMNS_OF[table]])
    rows = [dict(zip(COLUMNS_OF[table], row, strict=True)) for row in long_rows(result, table)]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)
    return file.getvalue()


def _type(column: str) -> pa.DataType:
    return pa.string() if column in _TEXT else pa.int64() if column in _WHOLE else pa.float64()
