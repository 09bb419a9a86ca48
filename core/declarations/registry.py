"""Classes by name: ours, a line each, and those of installed plug-ins, found by their entry points.

Names can be listed without importing anything; a class is imported when it is asked for.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from core.declarations.plugins import may_be_installed
from core.errors import AefitError, PluginError, SpecError, expected_names

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")

NAMES = "[a-z0-9]+(-[a-z0-9]+)*"
"""What a registered name looks like: it is typed, and becomes part of the names of folders, arrays and labels."""
REMEDY = "mend or uninstall that package"
"""The hint where a plug-in's code is at fault."""


@dataclass(frozen=True)
class Origin:
    """The installed distribution that a plug-in comes from."""

    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


class Registry(Mapping[str, type[T]], Generic[T]):
    """Name -> class, in the order in which menus show them: ours first, then plug-ins in alphabetical order.

    what: the setting that takes its names, such as "attack" or "controls". group: the entry points' group, such
    as "aefit.attacks". base: the class that every registered class derives from. own: name -> "module:Class".
    noun: one of them in words, where the setting takes several.
    """

    def __init__(
        self, what: str, group: str, base: type[T], own: Mapping[str, str], *, noun: str = ""
    ) -> None:
        self.what = what
        self.noun = noun or what
        self.group = group
        self._base = base
        self._own = dict(own)
        self._loaded: dict[str, type[T]] = {}

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from self._plugins

    def __len__(self) -> int:
        return len(self._own) + len(self._plugins)

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._plugins

    def __getitem__(self, name: str) -> type[T]:
        """The class of that name.

        Raises SpecError for an unknown name, with the known ones; PluginError where a plug-in cannot be loaded
        or is not what its entry point says.
        """
        if name not in self._loaded:
            if name in self._own:
                module, _, attribute = self._own[name].partition(":")
                self._loaded[name] = getattr(importlib.import_module(module), attribute)
            elif name in self._plugins:
                self._loaded[name] = self._load(self._plugins[name])
            else:
                raise SpecError(self.what, name, *expected_names(name, self))
        return self._loaded[name]

    @property
    def own(self) -> tuple[str, ...]:
        """The names of ours."""
        return tuple(self._own)

    def origin(self, name: str) -> Origin | None:
        """Where a plug-in of that name comes from; None for one of ours."""
        if name in self._own or name not in self._plugins:
            return None
        found = self._plugins[name].dist
        return Origin(found.name, found.version) if found is not None else Origin("unknown", "0")

    @cached_property
    def _plugins(self) -> dict[str, EntryPoint]:
        if not may_be_installed():
            return {}
        # Not at the top: it costs more than all else that a command like `list` needs.
        from importlib.metadata import entry_points  # noqa: PLC0415

        found = sorted(entry_points(group=self.group), key=lambda entry: entry.name)
        return {entry.name: entry for entry in found if entry.name not in self._own}

    def _check_name(self, entry: EntryPoint) -> None:
        """Raises PluginError for a name that two packages claim, or that could not be typed or name a file."""
        from importlib.metadata import entry_points  # noqa: PLC0415  # as in `_plugins`

        claims = [one.dist for one in entry_points(group=self.group, name=entry.name)]
        packages = sorted({one.name for one in claims if one is not None})
        if len(packages) > 1:
            raise PluginError(
                f"the {self.noun} {entry.name} is claimed by the packages {' and '.join(packages)}",
                "uninstall all but one of them",
            )
        if not re.fullmatch(NAMES, entry.name):
            raise PluginError(
                f"a plug-in calls its {self.noun} {entry.name!r}: expected lower-case letters, digits and hyphens",
                f"rename the entry point in {', '.join(packages) or 'its package'}",
            )

    @contextmanager
    def blaming_plugin(self, name: str, fault: str) -> Iterator[None]:
        """Within the block whatever a plug-in's code raises, but an AefitError, becomes a PluginError.

        fault: what follows from it, as in "the family NAME of the plug-in DISTRIBUTION gives no ladder: ERROR".
        What one of our own classes raises stays as it is.
        """
        try:
            yield
        except AefitError:
            raise
        except Exception as error:  # whatever a third party's code raises
            if self.origin(name) is None:
                raise
            cause = f"{type(error).__name__}: {error}"
            raise PluginError(f"{self.whose(name)} {fault}: {cause}", REMEDY) from error

    def whose(self, name: str) -> str:
        """A plug-in's class in words: "the family NAME of the plug-in DISTRIBUTION"."""
        return f"the {self.noun} {name} of the plug-in {self.origin(name)}"

    def _load(self, entry: EntryPoint) -> type[T]:
        self._check_name(entry)
        whose = self.whose(entry.name)
        with self.blaming_plugin(entry.name, "cannot be loaded"):
            loaded: Any = entry.load()
        if not (isinstance(loaded, type) and issubclass(loaded, self._base)):
            raise PluginError(f"{whose} is no {self._base.__name__}: {entry.value}", REMEDY)
        if lacking := getattr(loaded, "__abstractmethods__", ()):
            raise PluginError(f"{whose} lacks {', '.join(sorted(lacking))}", REMEDY)
        if lacking := [word for word in self._words if not isinstance(getattr(loaded, word, None), str)]:
            raise PluginError(f"{whose} does not declare {', '.join(lacking)}", REMEDY)
        return loaded

    @property
    def _words(self) -> list[str]:
        """The texts that a class must declare: those of the base class that have no value there."""
        declared = dict(getattr(self._base, "__annotations__", {}))
        return [
            word
            for word, kind in declared.items()
            if kind == "ClassVar[str]" and not hasattr(self._base, word)
        ]
