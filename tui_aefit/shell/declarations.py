"""All settings of the command: those of an experiment, those of a call, and the options of plug-ins that it uses.

The help is made from here, so this imports nothing that only computing needs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from core.declarations.setting import Names, Number, PathKind, Setting, Value
from core.errors import AefitError
from core.spec.call import CALL
from core.spec.settings import COMMON, PARTS, known_options, part_options

PREFIX = "AEFIT_"

SETTINGS: dict[str, Setting] = {**COMMON, **known_options(plugins=False), **CALL}
"""Every setting that comes with the program, by name."""


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def plugin_options() -> dict[str, Setting]:
    """The options of all installed plug-ins that are not among SETTINGS. Loads the plug-ins.

    One that cannot be loaded is left out: a person who chooses it is told what is wrong with it.
    """
    found = known_options(plugins=True)
    return {name: setting for name, setting in found.items() if name not in SETTINGS}


def declared_with(parts: Mapping[str, str]) -> dict[str, Setting]:
    """SETTINGS with the options of these parts (attack, family, surrogate -> name), which replace others of a name.

    An unknown name adds nothing. Raises PluginError for a plug-in that cannot be loaded or used.
    """
    named = {part: name for part, name in parts.items() if name in PARTS[part]}
    options = {k: setting for part, name in named.items() for k, setting in part_options(part, name).items()}
    return {**SETTINGS, **options}


def read_word(setting: Setting, word: str, source: str) -> Value:
    """The value of a word for a setting. Raises AefitError that names source, word and what is expected."""
    try:
        return setting.kind.read(word)
    except ValueError as error:
        expected = setting.kind.expected + _as_decimal(setting, word)
        raise AefitError(
            f"{source} = {word!r} is not possible: expected {expected}", explain(setting)
        ) from error


def may_have_several(setting: Setting) -> bool:
    """Whether several values of a setting make several experiments: not where one value is a list already."""
    return setting.identifies and not isinstance(setting.kind, Names)


def words_of_list(setting: Setting, word: str) -> list[str]:
    """The words between a word's commas; the word itself where the setting takes one value, or it is a path."""
    if not may_have_several(setting) or "," not in word:
        return [word]
    if isinstance(setting.kind, PathKind) and os.path.lexists(os.path.expanduser(word)):
        return [word]  # a file may be called so
    return [part.strip() for part in word.split(",")]


def explain(setting: Setting) -> str:
    """The help of a setting, with its possible names where the help does not have them."""
    names = setting.choices()
    if all(name in setting.help for name in names):
        return setting.help
    return f"{setting.help}: {', '.join(names)}"


def _as_decimal(setting: Setting, word: str) -> str:
    """The end of a hint on what to type for a fraction such as 8/255; "" where the word is none."""
    try:
        above, below = map(float, word.split("/"))
        return f", {above / below:.3g} for {word}" if isinstance(setting.kind, Number) else ""
    except (ValueError, ZeroDivisionError):
        return ""
