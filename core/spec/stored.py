"""Making the specifications of many stored experiments, most of which differ in one or two settings."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from core.errors import AefitError
from core.spec.settings import PARTS
from core.spec.spec import SCHEMA_VERSION, Spec

DECISIVE = frozenset((*PARTS, "controls", "plugins", "schema_version"))
"""The keys on which it depends what others mean or can be."""

PLAIN = (str, int, float)
NAMED = (str, type(None))


class StoredSpecs:
    """Makes specifications from what was stored of them.

    What one has in common with an earlier one was checked there: of thousands only the first takes long.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], tuple[Mapping[str, object], Spec]] = {}

    def make(self, stored: Mapping[str, object]) -> Spec:
        """As `Spec.from_mapping` makes it of a stored mapping. Raises SpecError, PluginError as that does."""
        parts = [stored.get(part) for part in PARTS]
        # Earlier versions' keys were others, and depend on each other in ways of their own.
        if stored.get("schema_version") != SCHEMA_VERSION or not all(type(one) in NAMED for one in parts):
            return Spec.from_mapping(stored, stored=True)
        key = (*stored, *parts)
        known = self._made.get(key)
        if known is not None:
            before, spec = known
            # The same in every respect: 1, 1.0 and True are not, nor are 0.0 and -0.0, nor lists with these.
            different = {
                name: value
                for name, value in stored.items()
                if (one := before[name]) != value
                or type(one) is not type(value)
                or not ((value and type(value) in PLAIN) or repr(one) == repr(value))
            }
            if different.keys().isdisjoint(DECISIVE):
                with suppress(AefitError):  # which of several is told of first, is told below
                    return spec.varied(different) if different else spec
        made = Spec.from_mapping(stored, stored=True)
        self._made[key] = stored, made
        return made
