"""Keeps previews that take long to make in the cache, as the JSON that they are sent as."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from core import __version__
from core.errors import RecordError
from core.files.cache import Cache, key_of
from core.records.types import Record, parse, to_json

KIND = "previews"

T = TypeVar("T", bound=Record)


def cached_or_made(cache: Cache | None, depends_on: object, kind: type[T], make: Callable[[], T]) -> T:
    """The kept preview for `depends_on`, else what `make` returns, which is then kept.

    depends_on: all that the preview depends on besides this program's version; it counts by its `repr`.
    """
    key = key_of(kind.__name__, depends_on, __version__)
    found = cache.get(KIND, key) if cache is not None else None
    if found is not None:
        try:
            return parse(found["json"].tobytes(), kind, "a kept preview")
        except (KeyError, RecordError):
            pass  # of a development version of this program: made anew
    made = make()
    if cache is not None:
        cache.put(KIND, key, {"json": np.frombuffer(to_json(made), dtype=np.uint8)})
    return made
