"""The settings of the command: those of an experiment, those of a call, and the options of plug-ins.

The help is made from here, so this imports nothing that only computing needs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from core.data.limit import SETTING as DATA_LIMIT
from core.declarations.setting import Folder, Names, Number, PathKind, Setting, Value, Whole, by_name
from core.errors import AefitError
from core.files.locations import default_home
from core.places.dask import DaskKind
from core.places.launcher import LauncherKind
from core.spec.settings import COMMON, PARTS, known_options, part_options

PREFIX = "AEFIT_"
TYPED_ONLY = ("batch", "config", "detach", "json", "no-cache", "now", "pair", "quiet", "yes")
"""Options that are no settings: they cannot be set in the environment or a file."""
MOST_THREADS = 8
"""Threads of a run by default, at most: LeNet-5 and blocks of a few thousand images gain nothing from more."""

CALL: dict[str, Setting] = by_name(
    (
        Setting(
            name="jobs", title="Runs at a time", metavar="N", kind=Whole(1, 10_000), identifies=False,
            default_text="processors / threads", help="runs computed at the same time",
        ),
        Setting(
            name="threads", title="Threads a run", metavar="N", kind=Whole(1, 1_024), identifies=False,
            default_text=f"processors / runs, 1 to {MOST_THREADS}",
            help="compute threads of a run; they change no number",
        ),
        Setting(
            name="launcher", title="Launcher", metavar="COMMAND", kind=LauncherKind(), identifies=False,
            default_text="none: processes on this machine",
            help="what to put before each worker, such as 'srun -n1' or 'ssh {node1,node2}'; --jobs says how many",
        ),
        Setting(
            name="dask", title="Dask cluster", metavar="CLUSTER", kind=DaskKind(), identifies=False,
            default_text="none: processes on this machine",
            help="compute on Dask: ADDRESS, FILE.json, slurm, ssh:HOST,HOST or local; --jobs says how many",
        ),
        Setting(
            name="data_dir", title="Data folder", metavar="DIR", kind=Folder(),
            identifies=False, default_text="HOME/data", help="where torchvision's data sets lie",
        ),
        Setting(
            name="home", title="Home", metavar="DIR", kind=Folder(), identifies=False,
            default_text=str(default_home()), help="where experiments are kept",
        ),
        DATA_LIMIT,
    )
)  # fmt: skip
"""The settings of a call, by name: how and where it computes. They are no part of an experiment."""

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
    """Whether a setting may be given several values, for as many experiments; not one whose value is a list."""
    return setting.identifies and setting.name != "runs" and not isinstance(setting.kind, Names)


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
