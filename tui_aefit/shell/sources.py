"""What each source of settings says, before it is known which settings there are: files, environment, shell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.spec.settings import PARTS
from tui_aefit.shell.declarations import PREFIX, variable_of


@dataclass(frozen=True)
class Given:
    """What one source says of a setting.

    rank: of the source; the nearest has the highest. label: what the setting is called in a source of words, which
    are still to be read: "--steps", "AEFIT_STEPS". file: the settings file that it stands in otherwise.
    """

    value: object
    source: str
    rank: int
    label: str = ""
    file: Path | None = None


def of_file(path: Path, values: Mapping[str, object]) -> dict[str, Given]:
    """What a settings file sets."""
    return {name: Given(value, str(path), 0, file=path) for name, value in values.items()}


def of_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    """What the environment sets; an empty variable sets nothing."""
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
    """What was typed: words, or values."""
    return {
        name: Given(value, "option", 0, label="--" + name.replace("_", "-"))
        for name, value in options.items()
    }


def choices_of_parts(sources: Sequence[Mapping[str, Given]]) -> dict[str, Given]:
    """Part -> what chooses it, where anything does. sources: the nearest last."""
    return {
        part: source[part]
        for source in sources
        for part in PARTS
        if part in source and source[part].value and isinstance(source[part].value, str)
    }
