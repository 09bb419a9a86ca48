"""Every setting: its type, default and meaning, and where its value comes from.

Order of precedence: option, environment (AEFIT_EPSILON, ...), the project's `aefit.toml` (or `--config`), the
user's own settings file, default.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.attacks.catalogue import ATTACKS, BOUNDS, NORMS
from core.data.catalogue import CATALOGUE, OWN_DEFAULT_EPOCHS, resolve
from core.errors import AefitError, DataError, SpecError, closest
from core.files.locations import cache_dir, default_data_dir, default_home, user_config
from core.neighbours.catalogue import SEARCHES, TIE_RULES
from core.sets.catalogue import CONTROLS
from core.spec.spec import DEFAULTS, DEVICES, KEEPS, Spec

PREFIX = "AEFIT_"
PROJECT_FILE = "aefit.toml"
TYPED_ONLY = ("batch", "config", "detach", "json", "no-cache", "quiet", "yes")
"""Options that are no settings: neither the environment nor a file gives them."""
MOST_THREADS = 8
"""A LeNet-5 and blocks of a few thousand images gain nothing from more threads a run."""

Value = str | int | float | tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting. `read` turns a word of the shell or the environment into its value.

    default_text: what the default is, where it depends on others.
    """

    name: str
    read: Callable[[str], Value]
    summary: str
    metavar: str
    default_text: str = ""

    @property
    def option(self) -> str:
        """As it is written in a shell."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + self.name.upper()


def _names(text: str) -> tuple[str, ...]:
    """Comma-separated names; "none" alone is none of them. Raises ValueError for an empty name."""
    names = tuple(part.strip() for part in text.split(","))
    if names == ("none",):
        return ()
    if "" in names or "none" in names:
        raise ValueError(text)
    return names


EXPECTED: Mapping[Callable[[str], Value], str] = {
    int: "a whole number",
    float: "a number",
    _names: "names with commas between them, or none alone",
}
"""What a word must be for its reader to take it."""


def _either(names: Mapping[str, object] | tuple[str, ...]) -> str:
    return ", ".join(names)


SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(name="dataset", read=str, metavar="NAME|PATH",
                summary=f"{_either(CATALOGUE)}, or a .npz, a .zip or a folder with one sub-folder a class"),
        Setting(name="attack", read=str, metavar="NAME", summary=_either(ATTACKS)),
        Setting(name="epsilon", read=float, metavar="E", summary="largest change of a pixel, above 0, at most 1"),
        Setting(name="z", read=int, metavar="Z", summary="the most general K, odd; K falls from Z to 1"),
        Setting(name="runs", read=int, metavar="N", summary="repetitions with a new split each"),
        Setting(name="seed", read=int, metavar="N", summary="where all random numbers come from"),
        Setting(name="epochs", read=int, metavar="N", summary="passes over the training images",
                default_text="by data set"),
        Setting(name="controls", read=_names, metavar="A,B|none", summary=_either(CONTROLS), default_text="all"),
        Setting(name="tie_rule", read=str, metavar="RULE", summary=_either(TIE_RULES)),
        Setting(name="norm", read=str, metavar="NORM", summary=f"DeepFool's: {_either(NORMS)}"),
        Setting(name="bound", read=str, metavar="HOW", summary=f"DeepFool's: {_either(BOUNDS)}"),
        Setting(name="steps", read=int, metavar="N", summary="PGD's steps"),
        Setting(name="test_size", read=int, metavar="N", summary="test images of a run",
                default_text="the data set's own, else one seventh"),
        Setting(name="search", read=str, metavar="NAME", summary=_either(SEARCHES)),
        Setting(name="keep", read=str, metavar="WHAT", summary=f"images in a result: {_either(KEEPS)}"),
        Setting(name="device", read=str, metavar="NAME", summary=_either(DEVICES)),
        Setting(name="threads", read=int, metavar="N", summary="compute threads of a run",
                default_text="processors / runs, 1 to 8"),
        Setting(name="jobs", read=int, metavar="N", summary="runs computed at the same time",
                default_text="processors / threads"),
        Setting(name="data_dir", read=str, metavar="DIR",
                summary="where torchvision's data sets lie", default_text="HOME/data"),
        Setting(name="home", read=str, metavar="DIR",
                summary="where experiments are kept", default_text=str(default_home())),
    )
}  # fmt: skip
"""Every setting by name, those of the spec first."""


@dataclass(frozen=True)
class Found:
    """A setting's value and where it came from, in words."""

    value: object
    source: str


class Settings:
    """All settings of one call, read from everywhere. Raises AefitError for a file or a word that is wrong."""

    def __init__(
        self,
        options: Mapping[str, object],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        config: Path | None = None,
        no_cache: bool = False,
        forgiving: bool = False,
    ) -> None:
        """options: name -> value given in the shell (absent where not given). config: replaces aefit.toml.

        no_cache: surrogates and neighbours are neither taken from the cache nor kept there.
        forgiving: what is wrong with a file has no effect and becomes a warning.

        `warnings` then holds what looks like a mistake but stops nobody.
        """
        self.found: dict[str, Found] = {}
        self.warnings: list[str] = []
        self._forgiving = forgiving
        self._unread: AefitError | None = None
        self.no_cache = no_cache
        project = config or (folder or Path.cwd()) / PROJECT_FILE
        if config is not None and not config.is_file():
            raise AefitError(
                f"there is no settings file {config}", "give the path of a TOML file to --config"
            )
        for path in (user_config(), project):
            self._take_file(path)
        self._take_environment(os.environ if environment is None else environment)
        for name, value in options.items():
            self.found[name] = Found(value, "option")

    def __getitem__(self, name: str) -> object:
        """What was set, or the default that depends on nothing else (None where it does)."""
        found = self.found.get(name)
        return found.value if found else DEFAULTS.get(name)

    @property
    def home(self) -> Path:
        """The experiments home, absolute."""
        return self._path("home") or default_home()

    @property
    def typed_home(self) -> str:
        """The home where it was typed in the shell, absolute; "" where another call finds it without that."""
        found = self.found.get("home")
        typed = str(found.value) if found is not None and found.source == "option" else ""
        return os.path.abspath(os.path.expanduser(typed)) if typed else ""

    def certain_home(self) -> Path:
        """The home. Raises AefitError where a settings file that cannot be read may name another one."""
        found = self.found.get("home")
        named = found is not None and found.source in ("option", SETTINGS["home"].variable)
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

    def spec(self) -> Spec:
        """The experiment that these settings ask for. Raises AefitError; it names where a wrong value is from."""
        try:
            return spec_of({name: self.found[name].value for name in DEFAULTS if name in self.found})
        except DataError as error:
            raise DataError(f"{error}{self._origin('dataset')}", error.hint) from error
        except SpecError as error:
            raise self._with_source(error) from error

    def jobs(self, spec: Spec) -> int:
        """Runs computed at the same time, at least 1 and at most the runs there are."""
        try:
            return jobs_of(self["jobs"], spec)
        except SpecError as error:
            raise self._with_source(error) from error

    def shown(self) -> list[tuple[str, object, str]]:
        """Every setting, its value (None: the data set's own) and its source. Raises AefitError for a wrong one."""
        spec = self.spec()
        folders = {"data_dir": str(self.data_dir), "home": str(self.home)}
        values = {**spec.to_json(), "jobs": self.jobs(spec), **folders}
        return [(name, values[name], self._source(name)) for name in SETTINGS]

    def as_set(self) -> list[tuple[str, object, str]]:
        """Every setting as it was set, be it possible or not; the default in words where it depends on others."""
        return [
            (
                name,
                self[name] if name in self.found or name in DEFAULTS else setting.default_text,
                self._source(name),
            )
            for name, setting in SETTINGS.items()
        ]

    def _source(self, name: str) -> str:
        return self.found[name].source if name in self.found else "default"

    def _path(self, name: str) -> Path | None:
        value = self[name]
        if value is None:
            return None
        wrong = self._with_source(SpecError(name, value, "expected the path of a folder"))
        if not isinstance(value, str) or not value:
            raise wrong
        try:
            return Path(value).expanduser().resolve()
        except (RuntimeError, ValueError) as error:  # there is no such user; a NUL in the path
            raise wrong from error

    def _take_file(self, path: Path) -> None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:  # not UTF-8, not TOML, a number of thousands of digits
            self._unread = AefitError(
                f"the settings file {path} cannot be read: {error}", "mend it or remove it"
            )
            self._complain(self._unread)
            return
        for name, value in values.items():
            if name not in SETTINGS:
                near = closest(name, SETTINGS)
                hint = f"did you mean {near}?" if near else "`aefit-tui config show` lists the settings"
                self._complain(AefitError(f"{path}: there is no setting {name!r}", hint))
                continue
            self.found[name] = Found(_beside(path, name, value), str(path))

    def _complain(self, error: AefitError) -> None:
        if not self._forgiving:
            raise error
        self.warnings.append(f"{error}; {error.hint}")

    def _take_environment(self, environment: Mapping[str, str]) -> None:
        for setting in SETTINGS.values():
            word = environment.get(setting.variable, "")
            if word:
                self.found[setting.name] = Found(read_word(setting, word, setting.variable), setting.variable)
        known = {setting.variable for setting in SETTINGS.values()}
        for name in sorted(name for name in environment if name.startswith(PREFIX) and name not in known):
            near = closest(name.lower(), [variable.lower() for variable in known]).upper()
            hint = f"; did you mean {near}?" if near else ""
            option = name.removeprefix(PREFIX).lower().replace("_", "-")
            if option in TYPED_ONLY:
                hint = f"; --{option} can only be typed"
            self.warnings.append(f"the environment's {name} is no setting and has no effect{hint}")

    def _with_source(self, error: SpecError) -> SpecError:
        """The same error, saying where the value came from if that was not the command line."""
        return SpecError(error.field, error.value, error.allowed + self._origin(error.field), error.hint)

    def _origin(self, name: str) -> str:
        """Where a setting's value came from, as the end of a sentence; "" where the shell's line shows it."""
        found = self.found.get(name)
        return "" if found is None or found.source == "option" else f" (it is set in {found.source})"


def _beside(file: Path, name: str, value: object) -> object:
    """A value of a settings file; its relative paths are meant from the file's own folder."""
    is_path = name in ("home", "data_dir") or (name == "dataset" and value not in CATALOGUE)
    if not is_path or not isinstance(value, str) or not value or value.startswith("~"):
        return value
    path = file.parent / value
    return str(path) if name != "dataset" or path.exists() else value


def spec_of(values: Mapping[str, object]) -> Spec:
    """The spec with these values; those left out take their defaults, which depend on data set and machine.

    Raises DataError for a data set that is neither a name nor there, SpecError for any other wrong value.
    """
    given = dict(values)
    dataset = resolve(str(given.get("dataset", DEFAULTS["dataset"])))
    given["dataset"] = str(dataset.resolve()) if isinstance(dataset, Path) else dataset.name
    given.setdefault("epochs", OWN_DEFAULT_EPOCHS if isinstance(dataset, Path) else dataset.default_epochs)
    runs = given.get("runs", DEFAULTS["runs"])
    given.setdefault("threads", default_threads(runs) if type(runs) is int else 1)
    return Spec.from_mapping(given)


def jobs_of(value: object, spec: Spec) -> int:
    """Runs computed at the same time, at most the runs there are; None asks for what suits the machine.

    Raises SpecError unless it is a whole number, at least 1.
    """
    wanted = max(1, processors() // spec.threads) if value is None else value
    if type(wanted) is not int or wanted < 1:
        raise SpecError("jobs", value, "expected a whole number, at least 1")
    return min(wanted, spec.runs)


def read_word(setting: Setting, word: str, source: str) -> Value:
    """The value of a word. Raises AefitError that names the setting, the word and what is expected."""
    try:
        return setting.read(word)
    except ValueError as error:
        kind = EXPECTED[setting.read] + _as_decimal(setting, word)
        raise AefitError(f"{source} = {word!r} is not possible: expected {kind}", setting.summary) from error


def _as_decimal(setting: Setting, word: str) -> str:
    """What to type for a fraction, 8/255 say, in place of a number; "" where the word is none."""
    try:
        above, below = map(float, word.split("/"))
        return f", {above / below:.3g} for {word}" if setting.read is float else ""
    except (ValueError, ZeroDivisionError):
        return ""


def processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_threads(runs: int) -> int:
    """Threads of a run where nobody says: for small networks many runs of one thread beat one of many."""
    return max(1, min(MOST_THREADS, processors() // max(1, runs)))


def written(value: object) -> str:
    """A setting's value for a person."""
    if isinstance(value, list):
        return ",".join(map(str, value)) or "none"
    return "the data set's own" if value is None else str(value)
