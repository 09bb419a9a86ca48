"""The set-up form's words, checked: what is wrong with each field, or the experiment that they ask for.

Pure but for looking whether a user's own data set exists; the screen calls it at every key.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from core.declarations.printable import shell_word
from core.declarations.setting import Setting, Value
from core.errors import AefitError, DataError, PluginError, SpecError
from core.sets.registry import SETS
from core.spec.command import word_of
from core.spec.resolved import spec_of
from core.spec.settings import COMMON, PARTS, part_options
from core.spec.spec import Spec
from tui_aefit.following.size import Size, size_of
from tui_aefit.shell.declarations import CALL, read_word
from tui_aefit.shell.settings import jobs_of, threads_of

OF_CALL = ("jobs", "threads", "data_dir")
"""The settings of a call that the form asks for."""


@dataclass(frozen=True)
class Checked:
    """The form as it stands.

    spec, jobs, threads: what would be computed; None while a field is wrong. problems: field -> the reason.
    data_dir: the data folder as it was typed, "" for the settings' own.
    """

    spec: Spec | None
    jobs: int | None
    threads: int | None
    problems: Mapping[str, str] = field(default_factory=dict)
    data_dir: str = ""


def fields_of(words: Mapping[str, str]) -> dict[str, Setting]:
    """The form's fields, by name, for the attack, the family and the surrogate that the words choose.

    They are the settings of every experiment, the options of these parts, and how many runs are computed at the
    same time by how many threads. A part that there is not, or that cannot be loaded, has no options.
    """
    options: dict[str, Setting] = {}
    for part in PARTS:
        with suppress(AefitError):
            options |= part_options(part, _chosen(words, part))
    return {**COMMON, **options, **{name: CALL[name] for name in OF_CALL}}


def check(words: Mapping[str, str], size: Size | None = None) -> Checked:
    """Check the words of the fields; an empty or absent word asks for the default. Every wrong field is named.

    size: of a user's own data set, where it is known.
    """
    values, problems = _read(words)
    while True:
        try:
            spec = spec_of({name: value for name, value in values.items() if name not in OF_CALL})
            threads = threads_of(values.get("threads"), spec.runs)
            jobs = jobs_of(values.get("jobs"), threads, spec.runs)
            CALL["data_dir"].check(values.get("data_dir", "."))
            _check_test_size(spec, size)
            _check_controls(spec)
            break
        except DataError as error:
            name, reason = "dataset", _reason(str(error), error.hint)
        except SpecError as error:
            name, reason = error.field, _reason(error.allowed, error.hint)
        except PluginError as error:
            name, reason = _plugged_in(values), _reason(str(error), error.hint)
        # Its default stands in for the wrong value, so that the next wrong field is found too.
        problems[name] = reason
        if name not in values:
            return Checked(None, None, None, problems)
        del values[name]
    if problems:
        return Checked(None, None, None, problems)
    return Checked(spec, jobs, threads, {}, str(values.get("data_dir", "")))


def words_of(spec: Spec, jobs: int | None = None, threads: int | None = None) -> dict[str, str]:
    """The words that ask for a spec: what a form shows that begins from it."""
    values: dict[str, Value] = {**spec.values, "jobs": jobs, "threads": threads, "data_dir": None}
    return {name: word_of(value) for name, value in values.items()}


def command_line(spec: Spec, jobs: int, threads: int, folders: Mapping[str, str]) -> str:
    """The shell command that computes the same experiment headless; settings at their defaults are left out.

    folders: `home` and `data_dir` where they are not the defaults.
    """
    parts = {part: spec.values[part] for part in PARTS}
    usual = {
        **spec_of({"dataset": spec.dataset, **parts}).values,
        **{part: COMMON[part].default for part in PARTS},
    }
    chosen = {
        name: word_of(value)
        for name, value in spec.values.items()
        if name == "dataset" or value != usual[name]
    }
    if threads != threads_of(None, spec.runs):
        chosen["threads"] = str(threads)
    if jobs != jobs_of(None, threads, spec.runs):
        chosen["jobs"] = str(jobs)
    settings = {**spec.settings, **CALL}
    words = [word for name, value in {**chosen, **folders}.items() for word in (settings[name].option, value)]
    return " ".join(map(shell_word, ["aefit-tui", "--batch", *words]))


def _chosen(words: Mapping[str, str], part: str) -> str:
    return words.get(part, "").strip() or str(COMMON[part].default)


def _read(words: Mapping[str, str]) -> tuple[dict[str, object], dict[str, str]]:
    """The values of the words that can be read, and what is wrong with the others."""
    values: dict[str, object] = {}
    problems: dict[str, str] = {}
    fields = fields_of(words)
    for name, word in ((name, word.strip()) for name, word in words.items()):
        if word and name not in fields:
            values[name] = word  # an option of another part: the specification says whose
        elif word:
            try:
                values[name] = read_word(fields[name], word, name)
            except AefitError as error:
                # The word itself, which stands before, may hold anything.
                problems[name] = str(error).rpartition(": ")[2]
    return values, problems


def _plugged_in(values: Mapping[str, object]) -> str:
    """The attack, family or surrogate of a plug-in that cannot be loaded, else one whose options clash."""
    plugged_in = [part for part in PARTS if values.get(part) not in (None, *PARTS[part].own)]
    for part in plugged_in:
        try:
            part_options(part, str(values[part]))
        except PluginError:
            return part
    return plugged_in[-1]


def _check_controls(spec: Spec) -> None:
    """Raises SpecError for a control of a plug-in that cannot be loaded: what it costs could not be said."""
    for name in spec.controls:
        try:
            SETS[name]
        except PluginError as error:
            raise SpecError("controls", name, str(error), error.hint) from error


def _check_test_size(spec: Spec, size: Size | None) -> None:
    """Raises SpecError where the data set is too small for it; a user's own may still have to be looked at."""
    size = size_of(spec.dataset) or size
    if spec.test_size is None or size is None:
        return
    largest = size.images - size.classes
    if not size.classes <= spec.test_size <= largest:
        allowed = f"expected {size.classes} (one a class) to {largest} of the {size.images} images"
        raise SpecError("test_size", spec.test_size, allowed)


def _reason(text: str, hint: str) -> str:
    return f"{text}; {hint}" if hint else text
