"""Reads the sources of settings (files, environment, shell), before it is known which settings there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.spec.settings import PARTS
from tui_aefit.shell.declarations import PREFIX, variable_of


@dataclass(frozen=True)
class Given:
    """What one source gives for a setting.

    source: its name. rank: of the source; the one with precedence has the highest. label: the setting's name in a
    source of words, which are still to be parsed: "--steps", "AEFIT_STEPS"; "" for a file. file: the settings file.
    """

    value: object
    source: str
    rank: int
    label: str = ""
    file: Path | None = None


def of_file(path: Path, values: Mapping[str, object]) -> dict[str, Given]:
    """The settings in a settings file, by name."""
    return {name: Given(value, str(path), 0, file=path) for name, value in values.items()}


def of_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    """The settings in the environment, by name; an empty variable sets nothing."""
    named = {
        name.removeprefix(PREFIX).lower(): word
        for name, word in environment.items()
        if name.startswith(PREFIX)
    }
    variables = {name: variable_of(name) for name in named}
    return {
        name: Given(environment[variable], variable, 0, label=variable)
        for name, variable in variables.items()
        if environment.get(variable)
    }


def of_shell(options: Mapping[str, object]) -> dict[str, Given]:
    """The settings that were typed, by name: words, or values."""
    return {
        name: Given(value, "option", 0, label="--" + name.replace("_", "-"))
        for name, value in options.items()
    }


def choices_of_parts(sources: Sequence[Mapping[str, Given]]) -> dict[str, Given]:
    """Part -> what chooses it, of the parts that any source chooses. sources: in ascending precedence."""
    return {
        part: source[part]
        for source in sources
        for part in PARTS
        if part in source and source[part].value and isinstance(source[part].value, str)
    }
