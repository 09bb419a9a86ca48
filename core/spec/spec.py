"""What to run: one experiment's settings, frozen and checked, with TOML and JSON forms and a lasting identity."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import PurePath
from typing import Any

import tomli_w

from core.data.catalogue import CATALOGUE
from core.declarations.lazy import hashlib, json
from core.declarations.setting import Setting, Value
from core.errors import PluginError, SpecError
from core.families.family import Family
from core.families.ladder import Ladder
from core.families.registry import FAMILIES, unfilled_by
from core.files.toml import parse_toml
from core.sets.registry import PAPER_SETS, SETS
from core.spec.first_version import from_first_version
from core.spec.settings import (
    COMMON,
    PARTS,
    CommonSettings,
    known_options,
    no_such_setting,
    options_of,
    users_of,
)

SCHEMA_VERSION = 2
"""Raised when a setting changes its meaning; a file with a higher number was made by a newer version."""


@dataclass(frozen=True, kw_only=True)
class Spec(CommonSettings):
    """One experiment: `runs` independent repetitions of the protocol on one data set with one attack.

    The first fields are those of `CommonSettings`, which says what they mean and can be.

    options: the options of the chosen attack, family and surrogate, by name; those left out have their defaults.
    plugins: what plug-ins supply, such as "attack swirl" -> "aefit-swirl 1.0"; by default as they are installed.
    schema_version: of the file that it was read from. An experiment of version 1 is shown, but not computed.

    Raises SpecError, which names the setting, the value and what is allowed; PluginError where a plug-in that
    it names is not installed or cannot be loaded.
    """

    options: Mapping[str, Value] = field(default_factory=dict)
    plugins: Mapping[str, str] = field(default_factory=dict)
    schema_version: int = field(default=SCHEMA_VERSION, compare=False)

    def __post_init__(self) -> None:
        self._refuse_missing_plugins()
        for name, setting in COMMON.items():
            object.__setattr__(self, name, setting.check(getattr(self, name)))
        declared = self.declared_options
        for name in self.options:
            if name not in declared:
                raise _misplaced(name, self.options[name], self._parts)
        chosen = {name: one.check(self.options.get(name, one.default)) for name, one in declared.items()}
        object.__setattr__(self, "options", chosen)
        if not self.plugins:
            object.__setattr__(self, "plugins", self._installed_plugins())
        self.ladder  # noqa: B018  # an option that makes no ladder is refused now
        unfilled_by(self.family)  # so is a family that lists of experiments could not ask

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def _parts(self) -> dict[str, str]:
        return {part: getattr(self, part) for part in PARTS}

    @cached_property
    def declared_options(self) -> dict[str, Setting]:
        """The options that its parts have, by name."""
        return options_of(self._parts)

    @property
    def settings(self) -> dict[str, Setting]:
        """Every setting that it has, by name."""
        return {**COMMON, **self.declared_options}

    @property
    def values(self) -> dict[str, Value]:
        """Every setting's value, by name."""
        return {**{name: getattr(self, name) for name in COMMON}, **self.options}

    def part_options(self, part: str) -> dict[str, Value]:
        """The options of one part ("attack", "family", "surrogate"), by name."""
        return {s.name: self.options[s.name] for s in PARTS[part][getattr(self, part)].options}

    def make_family(self) -> Family:
        """The classifier family with its options."""
        return FAMILIES[self.family](**self.part_options("family"))

    @cached_property
    def ladder(self) -> Ladder:
        """The levels of the classifier family, from general to fitted."""
        with FAMILIES.blaming_plugin(self.family, "gives no ladder"):
            try:
                return self.make_family().ladder
            except ValueError as error:
                raise SpecError("family", self.family, f"its options make no ladder: {error}") from error

    @property
    def sets(self) -> tuple[str, ...]:
        """The names of the sets that are measured, in the order of tables."""
        return (*PAPER_SETS, *self.controls)

    @cached_property
    def identity(self) -> dict[str, Value]:
        """What changes its numbers or what its results hold, where that is not as when the setting was introduced.

        Not in it: how many runs (run i does not depend on how many follow), where and by how many threads and
        processes they are computed.
        """
        values = self.values
        chosen: dict[str, Value] = {}
        for name, setting in self.settings.items():
            value, first = values[name], setting.first_default
            if setting.identifies and value != first and _unordered(value) != _unordered(first):
                chosen[name] = _unordered(value)
        return {
            "dataset": self.dataset,
            **chosen,
            **{f"plugin {key}": by for key, by in self.plugins.items()},
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the identity in canonical JSON: specs that give the same numbers share it."""
        canonical = json.dumps(self.identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def dataset_title(self) -> str:
        """The data set's name, or the last part of its path without the suffix."""
        return self.dataset if self.dataset in CATALOGUE else PurePath(self.dataset).stem

    def check_plugins(self) -> None:
        """Raises PluginError where an installed plug-in is another version than the one it was made with."""
        if (installed := self._installed_plugins()) != dict(self.plugins):
            was, now = (", ".join(found.values()) or "none" for found in (self.plugins, installed))
            raise PluginError(
                f"it was made with {was}, and installed is {now}", f"install {was} to go on with it"
            )

    def _installed_plugins(self) -> dict[str, str]:
        named = [(part, PARTS[part], name) for part, name in self._parts.items()]
        named += [("set", SETS, name) for name in self.controls]
        origins = {f"{what} {name}": registry.origin(name) for what, registry, name in named}
        return {key: str(origin) for key, origin in origins.items() if origin is not None}

    def _refuse_missing_plugins(self) -> None:
        registries: dict[str, Collection[str]] = {"set": SETS, **PARTS}
        for key, by in self.plugins.items():
            part, _, name = key.partition(" ")
            if name not in registries.get(part, ()):
                raise PluginError(
                    f"the {key} comes from the plug-in {by}, which is not installed", f"install {by}"
                )

    def to_json(self) -> dict[str, Any]:
        """Every setting as JSON can hold it, with `schema_version`, and `plugins` where there are any."""
        values = {name: list(v) if isinstance(v, tuple) else v for name, v in self.values.items()}
        used = {"plugins": dict(self.plugins)} if self.plugins else {}
        return {"schema_version": self.schema_version, **values, **used}

    def to_store(self) -> dict[str, Any]:
        """As `to_json`, without what a stored specification that lacks it has anyway."""
        plain = self.to_json()
        for name, setting in self.settings.items():
            if plain[name] is None or self.values[name] == setting.first_default:
                del plain[name]
        return plain

    def to_toml(self) -> str:
        """The text of `spec.toml`; settings that are None are left out, since TOML has no null."""
        return tomli_w.dumps({key: value for key, value in self.to_json().items() if value is not None})

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object], *, stored: bool = False) -> Spec:
        """The spec that `to_json` describes; settings left out take their defaults.

        stored: it is an existing experiment's, which was made before a setting that it lacks: this takes its first
        default, under which that experiment was computed.

        Raises SpecError for an unknown setting (with the nearest one), a wrong value, or a newer schema.
        """
        values: dict[str, Any] = dict(mapping)
        version = values.pop("schema_version", SCHEMA_VERSION)
        if type(version) is not int or not 1 <= version <= SCHEMA_VERSION:
            raise SpecError(
                "schema_version", version, f"this program reads versions 1 to {SCHEMA_VERSION}",
                "open it with the newer aefit-tui that wrote it",
            )  # fmt: skip
        if version == 1:
            values = from_first_version(values)
        if stored:
            values = _as_introduced(values)
        plugins = values.pop("plugins", {})
        if not isinstance(plugins, dict) or not all(isinstance(by, str) for by in plugins.values()):
            raise SpecError("plugins", plugins, "expected a table of texts")
        options = {name: values.pop(name) for name in list(values) if name not in COMMON}
        return cls(**values, options=options, plugins=plugins, schema_version=version)

    @classmethod
    def from_toml(cls, text: str) -> Spec:
        """The spec in the text of a `spec.toml`. Raises SpecError, also where the text is not TOML."""
        try:
            mapping = parse_toml(text)
        except ValueError as error:
            raise SpecError("spec.toml", text[:40], f"it is not valid TOML: {error}") from error
        return cls.from_mapping(mapping, stored=True)

    def varied(self, values: Mapping[str, object]) -> Spec:
        """A copy with other values for some of its settings; only these values are checked, which is fast.

        Not for parts, controls and plug-ins, on which other settings depend: use `changed` for these.
        Raises SpecError for a value that is not possible.
        """
        made = object.__new__(Spec)
        kept = made.__dict__
        kept |= self.__dict__
        kept.pop("identity", None)
        kept.pop("digest", None)
        options = {name: value for name, value in values.items() if name not in COMMON}
        for name, value in values.items():
            if name not in options:
                kept[name] = COMMON[name].check(value)
        if options:
            checked = {name: self.declared_options[name].check(value) for name, value in options.items()}
            kept["options"] = {**self.options, **checked}
            del kept["ladder"]
            made.ladder  # noqa: B018  # an option that makes no ladder is refused now
        return made

    def changed(self, **values: object) -> Spec:
        """A copy, of the present schema version, with other values for some settings or options; None: the default.

        Options of a part that is exchanged are dropped. Raises SpecError, PluginError as the class does.
        """
        mapping = {name: v for name, v in {**self.values, **values}.items() if v is not None}
        if any(part in values for part in PARTS):
            # Options of a part that is exchanged go with it.
            kept = {
                **COMMON,
                **options_of({part: str(mapping.get(part, COMMON[part].default)) for part in PARTS}),
            }
            mapping = {name: v for name, v in mapping.items() if name in kept or name in values}
        return Spec.from_mapping(mapping)


def _unordered(value: Value) -> Value:
    """A value as identities compare it: the order of names follows menus, which may change."""
    return _sorted(value) if isinstance(value, tuple) else value


@lru_cache(maxsize=100)
def _sorted(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in an order of their own: most specifications of a home name the same ones."""
    return tuple(sorted(names))


def _as_introduced(values: Mapping[str, Any]) -> dict[str, Any]:
    """A stored spec's settings, those that it lacks as they were before they could be set: earlier defaults."""
    parts = {part: values.get(part, COMMON[part].first_default) for part in PARTS}
    if not all(isinstance(name, str) and name in PARTS[part] for part, name in parts.items()):
        return dict(values)  # refused in words by who makes the spec
    changed = {
        name: one.first_default
        for name, one in {**COMMON, **options_of(parts)}.items()
        if one.first_default != one.default
    }
    return {**changed, **values}


def _misplaced(name: str, value: object, parts: Mapping[str, str]) -> SpecError:
    """The error for an option that none of the chosen parts has."""
    if name not in known_options(plugins=True):
        return no_such_setting(name, value)
    (part, users), *_ = users_of(name).items()
    return SpecError(
        name, value, f"the {part} {parts[part]} has no such option; it belongs to {', '.join(users)}",
        f"leave {name} out, or choose one of these with {part}",
    )  # fmt: skip


DEFAULTS: dict[str, Value] = {
    **{name: setting.default for name, setting in known_options(plugins=False).items()},
    **{name: setting.default for name, setting in COMMON.items()},
}
"""The default of every setting that comes with the program, by name."""
