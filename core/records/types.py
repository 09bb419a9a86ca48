"""The types that records are made of: JSON is parsed into them once, and what was parsed is trusted.

A value that does not have its type, or lies outside its range, is refused; so are NaN and Infinity, which JSON does
not have. Fields that a version does not know are ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec

from core.errors import RecordError

LARGEST_COUNT = 2**53
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_COUNT)]
"""How many of something."""
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A part of a whole."""
Finite = Annotated[float, msgspec.Meta(ge=-1e300, le=1e300)]
"""Any number that further computation cannot overflow with."""
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
"""A duration."""
Moment = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
"""A point in time, seconds since 1970, UTC."""
Name = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""A word that names something; a terminal would obey a control character in it."""

T = TypeVar("T")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all records: frozen, with named fields."""


def parse(content: bytes, kind: type[T], what: str) -> T:
    """The record of type `kind` that a JSON text holds. what: names it in the error. Raises RecordError only."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError) as error:
        raise RecordError(f"{what} cannot be read: {error}") from error


def convert(value: object, kind: type[T], what: str) -> T:
    """The record of type `kind` in plain values (dicts, lists, numbers). what, errors: as in `parse`."""
    try:
        return msgspec.convert(value, type=kind)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise RecordError(f"{what} cannot be read: {error}") from error


def plain(record: object) -> Any:
    """A record as plain values that JSON can hold, its keys in the order of its fields."""
    return msgspec.to_builtins(record)


def to_json(record: object, *, indent: int = 0) -> bytes:
    """A record as JSON. Raises ValueError for NaN and Infinity: a reader would refuse them."""
    _refuse_endless(plain(record))
    content = msgspec.json.encode(record)
    return msgspec.json.format(content, indent=indent) if indent else content


def _refuse_endless(value: object) -> None:
    if isinstance(value, dict):
        for one in value.values():
            _refuse_endless(one)
    elif isinstance(value, list | tuple):
        for one in value:
            _refuse_endless(one)
    elif isinstance(value, float) and not -float("inf") < value < float("inf"):
        raise ValueError(f"{value} is not JSON")
