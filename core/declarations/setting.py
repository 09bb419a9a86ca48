"""The declaration of a setting: its name, its type and check, its words for people, its default.

Everything that handles settings follows from their declarations: the specification, the options of the
command, the environment, settings files, the form, `config show` and the help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from core.errors import SpecError, expected_names, shown

Value = str | int | float | tuple[str, ...] | None
"""What a setting can be set to; None asks for a default that depends on other settings."""


class Unfit(Exception):
    """A value that a setting cannot take. allowed: what it could be. hint: what to type instead, may be empty."""

    def __init__(self, allowed: str, hint: str = "") -> None:
        super().__init__(allowed)
        self.allowed = allowed
        self.hint = hint


class Kind(Protocol):
    """The type of a setting's value."""

    expected: ClassVar[str]
    """What a word must be for `read` to take it."""

    def read(self, word: str) -> Value:
        """The value that a word of the shell, the environment or the form stands for; ValueError for none."""
        ...

    def check(self, value: object) -> Value:
        """The value as it is kept; raises Unfit for one that is not possible."""
        ...

    def choices(self) -> Mapping[str, str]:
        """Every possible value with its meaning in a line; empty where there are too many to list."""
        ...


@runtime_checkable
class PathKind(Kind, Protocol):
    """The type of a setting whose values are paths, or may be."""

    def beside(self, value: str, folder: Path) -> str:
        """A value that stands in a settings file of that folder, from which its relative paths are meant."""
        ...


@dataclass(frozen=True)
class Whole:
    """A whole number from `lowest` to `highest`."""

    lowest: int
    highest: int

    expected: ClassVar[str] = "a whole number"

    def read(self, word: str) -> int:
        """See `Kind.read`."""
        return int(word)

    def check(self, value: object) -> int:
        """See `Kind.check`."""
        # bool is a kind of int in Python, but `runs = true` is a mistake.
        if type(value) is not int or not self.lowest <= value <= self.highest:
            raise Unfit(f"expected a whole number from {self.lowest} to {self.highest}")
        return value

    def choices(self) -> Mapping[str, str]:
        """None are listed."""
        return {}


@dataclass(frozen=True)
class Number:
    """A number above `above`, at most `at_most`. what: it in words; hint: what to type instead of a wrong one."""

    above: float
    at_most: float
    what: str
    hint: str = ""

    expected: ClassVar[str] = "a number"

    def read(self, word: str) -> float:
        """See `Kind.read`."""
        return float(word)

    def check(self, value: object) -> float:
        """See `Kind.check`."""
        # NaN is not above anything, infinity not at most anything.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unfit(f"expected {self.what}", self.hint)
        if not self.above < value <= self.at_most:
            raise Unfit(f"expected {self.what}", self.hint)
        return float(value)

    def choices(self) -> Mapping[str, str]:
        """None are listed."""
        return {}


@dataclass(frozen=True)
class Choice:
    """One of some names. names: each with its meaning in a line, or a function that gives them when asked."""

    names: Mapping[str, str] | Callable[[], Mapping[str, str]]

    expected: ClassVar[str] = "a name"

    def read(self, word: str) -> str:
        """See `Kind.read`."""
        return word

    def check(self, value: object) -> str:
        """See `Kind.check`."""
        known = self.choices()
        if not isinstance(value, str) or value not in known:
            raise Unfit(*expected_names(_name(value), known))
        return value

    def choices(self) -> Mapping[str, str]:
        """The names."""
        return self.names() if callable(self.names) else self.names


@dataclass(frozen=True)
class Names:
    """Some of some names, in the order of these, each at most once. names: as in `Choice`. what: "a control"."""

    names: Mapping[str, str] | Callable[[], Mapping[str, str]]
    what: str

    expected: ClassVar[str] = "names with commas between them, or none alone"

    def read(self, word: str) -> tuple[str, ...]:
        """See `Kind.read`."""
        names = tuple(part.strip() for part in word.split(","))
        if names == ("none",):
            return ()
        if "" in names or "none" in names:
            raise ValueError(word)
        return names

    def check(self, value: object) -> tuple[str, ...]:
        """See `Kind.check`."""
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise Unfit("expected a list of names", 'for example ["noise", "sources"]')
        known = self.choices()
        for name in value:
            if not isinstance(name, str) or name not in known:
                raise Unfit(*expected_names(_name(name), known))
        if len(set(value)) != len(value):
            raise Unfit(f"{self.what} is named twice")
        # One order for one choice, so that two ways of writing it are one experiment.
        return tuple(name for name in known if name in value)

    def choices(self) -> Mapping[str, str]:
        """The names."""
        return self.names() if callable(self.names) else self.names


@dataclass(frozen=True)
class Words:
    """Any text that is not empty. what: what is expected, such as "the path of a folder"."""

    what: str = "text"

    expected: ClassVar[str] = "text"

    def read(self, word: str) -> str:
        """See `Kind.read`."""
        return word

    def check(self, value: object) -> str:
        """See `Kind.check`."""
        if not isinstance(value, str) or not value:
            raise Unfit(f"expected {self.what}")
        return value

    def choices(self) -> Mapping[str, str]:
        """None are listed."""
        return {}


@dataclass(frozen=True)
class Folder:
    """The path of a folder, which need not be there; `~` begins that of a user's own."""

    expected: ClassVar[str] = "the path of a folder"

    def read(self, word: str) -> str:
        """See `Kind.read`."""
        return word

    def check(self, value: object) -> str:
        """See `Kind.check`."""
        if not isinstance(value, str) or not value:
            raise Unfit(f"expected {self.expected}")
        return value

    def choices(self) -> Mapping[str, str]:
        """None are listed."""
        return {}

    def beside(self, value: str, folder: Path) -> str:
        """See `PathKind.beside`."""
        return value if not value or value.startswith("~") else str(folder / value)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting.

    name: as it stands in a specification and in settings files; lower case, words joined by underscores.
    title: what the form calls it. help: its meaning in a line. metavar: what stands for its value in the help.
    kind: its type. default: its value where nobody sets it; None where that depends on other settings, which
    default_text then says in words.
    first_default: the default when the setting was introduced, never changed afterwards. An experiment's
        identity holds only what differs from it, so that new settings rename no old experiment.
    identifies: whether it is part of an experiment's identity: it can change a number, or what a result holds.
    main: whether lists and the form's first rows show it; the others are for who looks for them.
    """

    name: str
    title: str
    help: str
    metavar: str
    kind: Kind
    default: Value = None
    default_text: str = ""
    first_default: Value = field(default="")
    identifies: bool = True
    main: bool = False

    def __post_init__(self) -> None:
        if self.first_default == "":
            object.__setattr__(self, "first_default", self.default)

    @property
    def option(self) -> str:
        """As it is written in a shell."""
        return "--" + self.name.replace("_", "-")

    def check(self, value: object) -> Value:
        """The value as it is kept; None where that is the default.

        Raises SpecError, which names the setting, the value and what is allowed.
        """
        if value is None and self.default is None:
            return None
        try:
            return self.kind.check(value)
        except Unfit as unfit:
            raise SpecError(self.name, value, unfit.allowed, unfit.hint) from unfit

    def choices(self) -> Mapping[str, str]:
        """Every possible value with its meaning in a line; empty where there are too many to list."""
        return self.kind.choices()


def _name(value: object) -> str:
    """What was given for a name, be it one or not."""
    return value if isinstance(value, str) else shown(value)


def checked_values(settings: Iterable[Setting], given: Mapping[str, Value]) -> dict[str, Value]:
    """A value for each of the settings, by name: the given one, checked, or its default.

    Raises SpecError for a value that a setting cannot take, and TypeError for a name that none of them has.
    """
    declared = by_name(settings)
    for name in given:
        if name not in declared:
            raise TypeError(f"there is no option {name!r}: expected {', '.join(declared) or 'none'}")
    return {name: setting.check(given.get(name, setting.default)) for name, setting in declared.items()}


def by_name(settings: Iterable[Setting]) -> dict[str, Setting]:
    """The settings by their names. Raises ValueError where two have one name."""
    found: dict[str, Setting] = {}
    for setting in settings:
        if setting.name in found:
            raise ValueError(f"two settings are called {setting.name!r}")
        found[setting.name] = setting
    return found
