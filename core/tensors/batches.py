"""Work in batches, so that memory does not grow with the amount of it."""

from __future__ import annotations

from collections.abc import Iterator


def batches(count: int, size: int) -> Iterator[slice]:
    """Slices that cover range(count) in order, each of `size` but for the last."""
    return (slice(start, start + size) for start in range(0, count, size))
