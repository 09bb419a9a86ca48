"""Holm's correction for several tests."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's (1979) step-down adjusted p-values, in the order given; None stays None and is not counted.

    Raises ValueError for a p outside [0, 1].
    """
    family = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for place, (p, index) in enumerate(family):
        if not 0 <= p <= 1:
            raise ValueError(f"a p-value lies in [0, 1], but number {index} is {p}")
        largest = max(largest, min(1.0, (len(family) - place) * p))
        adjusted[index] = largest
    return adjusted
