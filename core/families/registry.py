"""The classifier families, by the names of the setting `family`. A new one is a line here."""

from __future__ import annotations

from collections.abc import Collection

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


def unfilled_by(name: str) -> Collection[str]:
    """The sets that a family has no image for, see `Family.unfilled`.

    Raises SpecError, PluginError as `FAMILIES` does, and PluginError where a plug-in's family fails to say.
    """
    family = FAMILIES[name]
    with FAMILIES.blaming_plugin(name, "does not say which sets it cannot fill"):
        return frozenset(family.unfilled())
