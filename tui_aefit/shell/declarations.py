"""All settings of the command: those of an experiment, those of a call, and the options of plug-ins that it uses.

The help is answered from here, so that nothing is loaded that only computing needs.
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
    """The options of all installed plug-ins that the program itself has not, which loads them.

    One that cannot be loaded hides no other setting: who chooses it is told what is wrong with it.
    """
    found = known_options(plugins=True)
    return {name: setting for name, setting in found.items() if name not in SETTINGS}


def declared_with(parts: Mapping[str, str]) -> dict[str, Setting]:
    """The settings there are where these parts (attack, family, surrogate) are named: their options stand first.

    A name that nothing has adds nothing. Raises PluginError for a plug-in that cannot be loaded or used.
    """
    named = {part: name for part, name in parts.items() if name in PARTS[part]}
    options = {k: setting for part, name in named.items() for k, setting in part_options(part, name).items()}
    return {**SETTINGS, **options}


def read_word(setting: Setting, word: str, source: str) -> Value:
    """The value of a word. Raises AefitError that names the setting, the word and what is expected."""
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
    """The words of the values that a word with commas asks for; the word itself where it asks for one."""
    if not may_have_several(setting) or "," not in word:
        return [word]
    if isinstance(setting.kind, PathKind) and os.path.lexists(os.path.expanduser(word)):
        return [word]  # a file may be called so
    return [part.strip() for part in word.split(",")]


def explain(setting: Setting) -> str:
    """What a setting means, with the names that it can be where its own words leave them out."""
    names = setting.choices()
    if all(name in setting.help for name in names):
        return setting.help
    return f"{setting.help}: {', '.join(names)}"


def _as_decimal(setting: Setting, word: str) -> str:
    """What to type for a fraction, 8/255 say, in place of a number; "" where the word is none."""
    try:
        above, below = map(float, word.split("/"))
        return f", {above / below:.3g} for {word}" if isinstance(setting.kind, Number) else ""
    except (ValueError, ZeroDivisionError):
        return ""
