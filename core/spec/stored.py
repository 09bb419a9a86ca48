"""Making the specifications of many stored experiments, most of which differ in one or two settings."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from core.errors import AefitError
from core.spec.settings import PARTS
from core.spec.spec import SCHEMA_VERSION, Spec

DECISIVE = frozenset((*PARTS, "controls", "plugins", "schema_version"))
"""The keys on which it depends what others mean or can be."""

NAMED = (str, type(None))


class StoredSpecs:
    """Makes specifications from what was stored of them.

    What one has in common with an earlier one was checked there: of thousands only the first takes long.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], tuple[Mapping[str, object], frozenset[str], Spec]] = {}

    def make(self, stored: Mapping[str, object]) -> Spec:
        """As `Spec.from_mapping` makes it of a stored mapping. Raises SpecError, PluginError as that does."""
        parts = [stored.get(part) for part in PARTS]
        # Earlier versions' keys were others, and depend on each other in ways of their own.
        if stored.get("schema_version") != SCHEMA_VERSION or not all(type(one) in NAMED for one in parts):
            return Spec.from_mapping(stored, stored=True)
        key = (*stored, *parts)
        known = self._made.get(key)
        if known is not None:
            before, vague, spec = known
            different = {
                name: value
                for name, value in stored.items()
                if (one := before[name]) != value or type(one) is not type(value) or name in vague
            }
            if different.keys().isdisjoint(DECISIVE):
                with suppress(AefitError):  # which of several is told of first, is told below
                    return spec.varied(different) if different else spec
        made = Spec.from_mapping(stored, stored=True)
        vague = frozenset(name for name, value in stored.items() if not _is_exact(value))
        self._made[key] = stored, vague, made
        return made


def _is_exact(value: object) -> bool:
    """Whether what equals a value of a type, and is of the same type, is the same in every respect.

    0.0 and -0.0 are not, nor are lists of 1, 1.0 and True.
    """
    if isinstance(value, list):
        return all(isinstance(one, str) for one in value)
    return isinstance(value, str) or (isinstance(value, int | float) and bool(value))
