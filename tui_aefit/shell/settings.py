"""Finds the value of every setting, and where it comes from.

Order of precedence: option, environment (AEFIT_EPSILON, ...), the project's `aefit.toml` (or `--config`), the
user's own settings file, default.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.memory_limit import SETTING as DATA_LIMIT
from core.data.memory_limit import VARIABLE
from core.declarations.printable import shell_word
from core.declarations.setting import PathKind, Setting, Value
from core.errors import AefitError, DataError, PluginError, SpecError, closest
from core.files.locations import cache_dir, default_data_dir, default_home, user_config
from core.files.toml import read_toml
from core.places.registry import PLACES
from core.spec.call import CALL, TYPED_ONLY
from core.spec.grid import pairs_of, specs_of
from core.spec.resolved import spec_of
from core.spec.settings import COMMON, PARTS, options_of, users_of
from core.spec.spec import Spec
from tui_aefit.shell.declarations import (
    PREFIX,
    SETTINGS,
    declared_with,
    explain,
    may_have_several,
    plugin_options,
    read_word,
    variable_of,
    words_of_list,
)
from tui_aefit.shell.parallelism import jobs_of, limit_of, threads_of
from tui_aefit.shell.sources import Given, choices_of_parts, of_environment, of_file, of_shell

if TYPE_CHECKING:
    from core.records.starting import How
    from tui_aefit.shell.study_file import StudyFile

PROJECT_FILE = "aefit.toml"
_OWNERS = (0,)
"""The user ids whose files are read besides one's own: root needs no settings file to do harm."""
KEYS = "keys"
"""The table of a settings file that changes the lab's keys; it is no setting."""


@dataclass(frozen=True)
class Found:
    """A setting's value and where it came from, in words."""

    value: object
    source: str


class Settings:
    """All settings of one call, read from all sources. Raises AefitError for a file or a word that is wrong."""

    def __init__(
        self,
        options: Mapping[str, object],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        config: Path | None = None,
        study: Path | None = None,
        no_cache: bool = False,
        forgiving: bool = False,
    ) -> None:
        """options: name -> word typed in the shell, or value; absent where not given. config: replaces aefit.toml.

        study: a study's file, which has precedence over the settings files; its [[case]] tables make `cases`.
        no_cache: surrogates and what was searched are neither taken from the cache nor kept there.
        forgiving: what is wrong with a file has no effect and becomes a warning.

        Attributes: found: name -> `Found`, of the settings that were set; several: name -> all values, of those
        that were given more than one (found has the first); cases: those of the study's file; declared: every
        setting, by name; keys: a binding of the lab by its id -> the key that a file gives it, unchecked; warnings:
        what looks like a mistake but stops nothing.
        """
        self.found: dict[str, Found] = {}
        self.several: dict[str, tuple[object, ...]] = {}
        self.keys: dict[str, Found] = {}
        self.warnings: list[str] = []
        self._forgiving = forgiving
        self._unread: AefitError | None = None
        self.no_cache = no_cache
        if config is not None and not os.path.isfile(config):  # no error for a name that no file can have
            raise AefitError(
                f"there is no settings file {config}", "give the path of a TOML file to --config"
            )
        variables = os.environ if environment is None else environment
        paths = [user_config(), *([config] if config is not None else self._project_file(folder))]
        files = {path: self._take_keys(path, self._read_file(path)) for path in paths}
        sources = [*map(of_file, files, files.values())]
        self._study = _read_study_file(study) if study is not None else None
        if self._study is not None:
            sources.append(of_file(self._study.path, self._study.settings))
        sources += [of_environment(variables), of_shell(options)]
        ranked = [
            {name: replace(given, rank=rank) for name, given in source.items()}
            for rank, source in enumerate(sources)
        ]
        self._choosing = choices_of_parts(ranked)
        self.declared = self._declare()
        nearest: dict[str, Given] = {}
        for source in ranked:
            nearest |= {name: given for name, given in source.items() if self._is_known(name, given)}
        in_use = self._options_in_use()
        for name, given in nearest.items():
            if in_use is None or name in in_use or not self._is_idle(name, given):
                values = self._values(name, given)
                self.found[name] = Found(values[0], given.source)
                if len(values) > 1:
                    self.several[name] = values
        self.cases = self._cases()
        self._warn_of_useless(variables)

    def __getitem__(self, name: str) -> object:
        """The value that was set, else the declared default (None where that depends on other things)."""
        found = self.found.get(name)
        return found.value if found else self.declared[name].default

    @property
    def home(self) -> Path:
        """The experiments home, absolute."""
        return self._path("home") or default_home()

    @property
    def typed_home(self) -> str:
        """The home if it was typed as an option, absolute; else "": another call finds it by itself."""
        found = self.found.get("home")
        typed = str(found.value) if found is not None and found.source == "option" else ""
        return os.path.abspath(os.path.expanduser(typed)) if typed else ""

    def certain_home(self) -> Path:
        """The home. Raises AefitError where a settings file that could not be read may name another one."""
        found = self.found.get("home")
        named = found is not None and found.source in ("option", variable_of("home"))
        if self._unread is not None and not named:
            raise AefitError(str(self._unread), "it may name the home: mend it, or type --home DIR")
        return self.home

    @property
    def data_dir(self) -> Path:
        """The data folder, absolute."""
        return self._path("data_dir") or default_data_dir(self.home)

    @property
    def cache_dir(self) -> Path:
        """The cache, absolute."""
        return cache_dir(self.home)

    @property
    def asks_for_study(self) -> bool:
        """Whether the settings ask for a study: by its file, or by several values of a setting."""
        return self._study is not None or bool(self.several)

    @property
    def study_name(self) -> str:
        """The study's name in its file, "" without one."""
        return self._study.name if self._study is not None else ""

    @property
    def paired(self) -> bool:
        """Whether the study's file asks for its lists to be paired."""
        return self._study is not None and self._study.paired

    def specs(self, *, paired: bool = False) -> list[Spec]:
        """The experiments of the study that these settings ask for. Raises AefitError, as `spec` does.

        paired: where settings have several values, combine the first ones, the second ones, and so on; else take
        every combination. Without several values and cases it is one experiment.
        """
        paired = paired or self.paired
        base = {
            name: found.value
            for name, found in self.found.items()
            if name not in CALL and name not in self.several
        }
        if paired and self.cases:
            raise AefitError("--pair and cases exclude each other", "put the pairs into [[case]] tables")
        self._refuse_overruled()
        with self._naming_sources():
            if paired:
                found = specs_of(base, {}, pairs_of(self.several))
            else:
                found = specs_of(base, self.several, self.cases)
            self._refuse_unused(found)
        return found

    def _refuse_overruled(self) -> None:
        """Raises AefitError where an option or the environment sets what a case of the study's file sets."""
        for name, found in self.found.items():
            nearer = found.source in ("option", variable_of(name))
            if nearer and any(name in case for case in self.cases):
                raise AefitError(
                    f"{name} = {found.value} was given, and stands in a case of the study's file",
                    "leave it out, or take it out of the cases",
                )

    def _refuse_unused(self, specs: Sequence[Spec]) -> None:
        """Raises SpecError for a typed option that no experiment of the study has."""
        for name, found in self.found.items():
            if found.source == "option" and name not in CALL and not any(name in one.values for one in specs):
                raise SpecError(
                    name, found.value, "no attack, classifier or surrogate of this study has that option",
                    "leave it out",
                )  # fmt: skip

    def for_processes(self) -> dict[str, str]:
        """The environment variables that child processes need to read data. Raises AefitError."""
        if DATA_LIMIT.name not in self.found:
            return {}
        try:
            return {VARIABLE: str(DATA_LIMIT.check(self[DATA_LIMIT.name]))}
        except SpecError as error:
            self._complain(self._with_source(error))
            return {}

    def spec(self) -> Spec:
        """The experiment that these settings ask for. Raises AefitError, which says where a wrong value is from."""
        for name, values in self.several.items():
            raise AefitError(
                f"{name} = {','.join(map(str, values))} are {len(values)} values, which make a study, and here one "
                "experiment is asked for",
                "compute the study with --batch, or give one value",
            )
        with self._naming_sources():
            return spec_of({name: found.value for name, found in self.found.items() if name not in CALL})

    @contextmanager
    def _naming_sources(self) -> Iterator[None]:
        """Within the block, errors about values are raised with where these came from."""
        try:
            yield
        except DataError as error:
            raise DataError(f"{error}{self._origin('dataset')}", error.hint) from error
        except SpecError as error:
            raise self._with_source(error) from error

    def jobs(self, runs: int) -> int:
        """How many of `runs` runs are computed at the same time, at least 1. Raises SpecError."""
        try:
            return jobs_of(self["jobs"], self.threads(runs), runs)
        except SpecError as error:
            raise self._with_source(error) from error

    def threads(self, runs: int) -> int:
        """Compute threads of each of `runs` runs, at least 1. Raises SpecError."""
        try:
            return threads_of(self["threads"], runs)
        except SpecError as error:
            raise self._with_source(error) from error

    def how(self, runs: int, *, data_dir: Path | None = None, now: bool = False) -> How:
        """How `runs` runs are computed. data_dir: where their data lie, by default as these settings say.

        now: wait for no other experiment of the home. Raises SpecError for wrong jobs or threads, a wrong setting
        of a place of PLACES, or settings of two places.
        """
        from core.records.starting import How  # noqa: PLC0415  # with all that reads records, which few calls need

        jobs, threads = self.jobs(runs), self.threads(runs)
        return How(
            jobs=jobs,
            threads=threads,
            limit=limit_of(self["jobs"], threads),
            data_dir=data_dir or self.data_dir,
            cache_dir=self.cache_dir,
            no_cache=self.no_cache,
            now=now,
            elsewhere=self.elsewhere(),
        )

    def elsewhere(self) -> tuple[str, ...]:
        """The coordinator's options by which other machines compute; none for this one. Raises SpecError."""
        found = {name: value for name in PLACES if (value := self._of_call(name, 1)) is not None}
        if len(found) > 1:
            name, other = list(found)[:2]
            error = SpecError(name, found[name], f"{CALL[other].option} is set too: expected one of the two")
            raise self._with_source(error)
        return tuple(word for name, value in found.items() for word in (CALL[name].option, str(value)))

    def shown(self) -> dict[str, Found]:
        """Every setting that applies, by name, with its final value. Raises AefitError for a wrong one.

        These are the settings of the experiment, with the options of its parts, and those of the call. A value is
        None where the data set decides it.
        """
        spec = self.spec()
        call = {name: self._of_call(name, spec.runs) for name in CALL}
        return {name: Found(value, self._source(name)) for name, value in {**spec.values, **call}.items()}

    def _of_call(self, name: str, runs: int) -> Value:
        """The value of a setting of CALL for a call that computes `runs` runs. Raises SpecError."""
        if name in DEPENDENT:
            return DEPENDENT[name](self, runs)
        try:
            return CALL[name].check(self[name])
        except SpecError as error:
            raise self._with_source(error) from error

    def as_set(self) -> dict[str, Found]:
        """Every setting, by name, as it was set, even if not possible; others: the default, or its words."""
        parts = {part: str(self[part]) for part in PARTS}
        chosen = {
            part: name if name in PARTS[part] else str(COMMON[part].default) for part, name in parts.items()
        }
        try:
            options = options_of(chosen)
        except PluginError:
            options = {}
        set_besides = {name: self.declared[name] for name in self.found if name not in CALL}
        return {
            name: self._as_found(name, setting)
            for name, setting in {**COMMON, **options, **set_besides, **CALL}.items()
        }

    def _as_found(self, name: str, setting: Setting) -> Found:
        """What a setting was set to, all values if several; else its default, in words where it has such."""
        found = self.found.get(name, Found(setting.default_text or setting.default, "default"))
        return replace(found, value=self.several[name]) if name in self.several else found

    def _source(self, name: str) -> str:
        return self.found[name].source if name in self.found else "default"

    def _path(self, name: str) -> Path | None:
        value = self[name]
        if value is None:
            return None
        try:
            return Path(str(CALL[name].check(value))).expanduser().resolve()
        except SpecError as error:
            raise self._with_source(error) from error
        except (RuntimeError, ValueError) as error:  # there is no such user; a NUL in the path
            raise self._with_source(SpecError(name, value, "expected the path of a folder")) from error

    def _declare(self) -> dict[str, Setting]:
        """The settings by name: ours, and the options of the chosen parts, which may be plug-ins'."""
        try:
            return declared_with({part: str(given.value) for part, given in self._choosing.items()})
        except PluginError as error:
            self._complain(error)
            return dict(SETTINGS)

    def _options_in_use(self) -> Collection[str] | None:
        """The names of the settings that apply to the chosen parts; None where a chosen part cannot be used."""
        chosen = {part: str(COMMON[part].default) for part in PARTS}
        chosen |= {part: str(given.value) for part, given in self._choosing.items()}
        try:
            return {*COMMON, *options_of(chosen), *CALL}
        except (PluginError, SpecError):
            return None

    def _is_known(self, name: str, given: Given) -> bool:
        """Whether there is a setting of this name; one in a file that there is not is an error."""
        known = self._is_setting(name)
        if not known and given.file is not None:
            near = closest(name, self.declared)
            hint = f"did you mean {near}?" if near else "`aefit-tui config show` lists the settings"
            self._complain(AefitError(f"{given.file}: there is no setting {name!r}", hint))
        return known

    def _is_setting(self, name: str) -> bool:
        """Whether there is a setting of this name; installed plug-ins are loaded where it is not known."""
        if name not in self.declared:
            self.declared = {**plugin_options(), **self.declared}
        return name in self.declared

    def _is_idle(self, name: str, given: Given) -> bool:
        """Whether to ignore an option that no chosen part has; one that is not ignored the specification refuses.

        An option of ours at its default, or at its first default, asks for nothing. Where a source with precedence
        chose the part, the option was meant for another part, and a warning says that it has no effect.
        """
        if name in SETTINGS and self._is_default(name, given):
            return True
        for part in users_of(name):
            choice = self._choosing.get(part)
            if choice is not None and choice.rank > given.rank:
                where = "" if given.source == "option" else f" (it is set in {given.source})"
                self.warnings.append(
                    f"{name} = {given.value} has no effect{where}: the {part} {choice.value} has no such option"
                )
                return True
        return False

    def _is_default(self, name: str, given: Given) -> bool:
        try:
            return self._value(name, given) in (SETTINGS[name].default, SETTINGS[name].first_default)
        except AefitError:
            return False

    def _values(self, name: str, given: Given) -> tuple[object, ...]:
        """The values given for a setting, one at least. Raises AefitError for a word or list not possible."""
        setting, value = self.declared[name], given.value
        if not may_have_several(setting):
            return (self._value(name, given),)
        if isinstance(value, list):
            if not value:
                raise AefitError(
                    f"{given.file or given.source}: {name} = [] holds no value", explain(setting)
                )
            return tuple(
                dict.fromkeys(self._value(name, replace(given, value=one)) for one in map(_single, value))
            )
        if not isinstance(value, str) or not given.label:
            return (self._value(name, given),)
        words = words_of_list(setting, value)
        return tuple(dict.fromkeys(self._value(name, replace(given, value=word)) for word in words))

    def _cases(self) -> list[dict[str, object]]:
        """The cases of the study's file, each name -> value. Raises AefitError for an unknown setting."""
        if self._study is None:
            return []
        found = []
        for case in self._study.cases:
            given = of_file(self._study.path, case)
            found.append(
                {name: self._value(name, one) for name, one in given.items() if self._is_known(name, one)}
            )
        return found

    def _value(self, name: str, given: Given) -> object:
        """The one value given for a setting. Raises AefitError for a word that is not possible."""
        setting, value = self.declared[name], given.value
        if not isinstance(value, str):
            return value
        if given.label:
            return read_word(setting, value, given.label)
        if given.file is not None and isinstance(setting.kind, PathKind):
            return setting.kind.beside(value, given.file.parent)
        return value

    def _project_file(self, folder: Path | None) -> list[Path]:
        """The path of the working folder's settings file, in a list; [] where it must not or cannot be read."""
        try:
            path = (folder or Path.cwd()) / PROJECT_FILE
            if os.path.exists(path) and _is_foreign(path):
                self._complain(
                    AefitError(
                        f"the settings file {path} is another user's, or anybody may write to it: it is not read",
                        f"if you trust it: --config {shell_word(str(path))}",
                    )
                )
                return []
            return [path]
        except OSError as error:
            self._complain(
                AefitError(
                    f"the working folder cannot be read: {error.strerror}", "change to one that is there"
                )
            )
            return []

    def _read_file(self, path: Path) -> Mapping[str, object]:
        try:
            return read_toml(path)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:  # not a file, not UTF-8, not TOML
            self._unread = AefitError(
                f"the settings file {path} cannot be read: {error}", "mend it or remove it"
            )
            self._complain(self._unread)
            return {}

    def _take_keys(self, path: Path, values: Mapping[str, object]) -> Mapping[str, object]:
        """Put the keys among a file's values into `keys`; return the other values."""
        for name, key in _flat(values.get(KEYS, {})).items():
            if isinstance(key, str) and name:
                self.keys[name] = Found(key, str(path))
            else:
                self._complain(
                    AefitError(
                        f"{path}: {name or KEYS} = {key!r} is no key",
                        f'[{KEYS}] holds lines such as "live.stop" = "K"; `aefit-tui config keys` lists the names',
                    )
                )
        return {name: value for name, value in values.items() if name != KEYS}

    def _complain(self, error: AefitError) -> None:
        if not self._forgiving:
            raise error
        self.warnings.append(f"{error}; {error.hint}")

    def _warn_of_useless(self, environment: Mapping[str, str]) -> None:
        for variable in sorted(name for name in environment if name.startswith(PREFIX)):
            name = variable.removeprefix(PREFIX).lower()
            if variable != variable_of(name) or not self._is_setting(name):
                self.warnings.append(self._useless(variable))

    def _useless(self, variable: str) -> str:
        """The warning for an environment variable that is no setting."""
        near = closest(variable.lower(), [variable_of(name).lower() for name in self.declared]).upper()
        hint = f"; did you mean {near}?" if near else ""
        name = variable.removeprefix(PREFIX).lower()
        if name in TYPED_ONLY:
            hint = f"; --{name.replace('_', '-')} can only be typed"
        return f"the environment's {variable} is no setting and has no effect{hint}"

    def _with_source(self, error: SpecError) -> SpecError:
        """`error`, extended by where the value came from if that was not the command line."""
        return SpecError(error.field, error.value, error.allowed + self._origin(error.field), error.hint)

    def _origin(self, name: str) -> str:
        """Where a setting's value came from, as the end of a sentence; "" for a typed option or a default."""
        found = self.found.get(name)
        return "" if found is None or found.source == "option" else f" (it is set in {found.source})"


DEPENDENT: Mapping[str, Callable[[Settings, int], Value]] = {
    "jobs": Settings.jobs,
    "threads": Settings.threads,
    "data_dir": lambda settings, runs: str(settings.data_dir),
    "home": lambda settings, runs: str(settings.home),
}
"""Setting of a call that depends on other settings or the number of runs -> the function that computes it."""


def _read_study_file(path: Path) -> StudyFile:
    """As `StudyFile.read`; loaded where there is such a file: help need not wait for what reads records."""
    from tui_aefit.shell.study_file import StudyFile  # noqa: PLC0415

    return StudyFile.read(path)


def _is_foreign(path: Path) -> bool:
    """Whether another user may have written a file: a settings file may name home and data. Raises OSError."""
    status = path.stat()
    return status.st_uid not in (*_OWNERS, os.geteuid()) or bool(status.st_mode & stat.S_IWOTH)


def _flat(values: object) -> dict[str, object]:
    """Dotted name -> value, of a table's values; {"": values} for what is no table."""
    if not isinstance(values, dict):
        return {"": values}
    found: dict[str, object] = {}
    for name, value in values.items():
        inner = _flat(value) if isinstance(value, dict) else {"": value}
        found |= {f"{name}.{rest}" if rest else name: one for rest, one in inner.items()}
    return found


def _single(value: object) -> object:
    """`value`, one of several in a file. Raises AefitError for a list or a table."""
    if isinstance(value, list | dict):
        raise AefitError(f"{value!r} is not possible as one of several values", "expected a number or a text")
    return value
