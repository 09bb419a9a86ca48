"""The classifier families, by the names of the setting `family`. A new one is a line here."""

from __future__ import annotations

from core.declarations.registry import Registry
from core.families.family import Family

FAMILIES: Registry[Family] = Registry(
    "family",
    "aefit.families",
    Family,  # type: ignore[type-abstract]
    {
        "knn": "core.families.knn:KNearestNeighbours",
    },
)
