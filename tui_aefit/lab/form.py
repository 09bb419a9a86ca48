"""The set-up form's words, checked: what is wrong with each field, or the experiment that they ask for.

Pure but for looking whether a user's own data set exists; the screen calls it at every key.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.data.catalogue import CATALOGUE
from core.errors import AefitError, DataError, SpecError
from core.spec.spec import DEFAULTS, Spec
from tui_aefit.shell.settings import SETTINGS, jobs_of, read_word, spec_of

FIELDS = (*DEFAULTS, "jobs")
"""The names of the form's fields: every setting of a spec, and the runs computed at the same time."""


@dataclass(frozen=True)
class Checked:
    """The form as it stands.

    spec, jobs: what would be computed; None while a field is wrong. problems: field -> the reason.
    """

    spec: Spec | None
    jobs: int | None
    problems: Mapping[str, str] = field(default_factory=dict)


def check(words: Mapping[str, str]) -> Checked:
    """Check the words of all FIELDS; an empty or absent word asks for the default. Every wrong field is named."""
    values, problems = _read(words)
    while True:
        try:
            spec = spec_of({name: value for name, value in values.items() if name in DEFAULTS})
            jobs = jobs_of(values.get("jobs"), spec)
            _check_test_size(spec)
            break
        except DataError as error:
            name, reason = "dataset", _reason(str(error), error.hint)
        except SpecError as error:
            name, reason = error.field, _reason(error.allowed, error.hint)
        # Its default stands in for the wrong value, so that the next wrong field is found too.
        problems[name] = reason
        if name not in values:
            return Checked(None, None, problems)
        del values[name]
    return Checked(None, None, problems) if problems else Checked(spec, jobs)


def words_of(spec: Spec, jobs: int | None = None) -> dict[str, str]:
    """The words that ask for a spec: what a form shows that begins from it."""
    values: dict[str, object] = {**spec.to_json(), "jobs": jobs}
    return {name: word_of(values[name]) for name in FIELDS}


def word_of(value: object) -> str:
    """The word that asks for a setting's value; "" for None, the default."""
    if value is None:
        return ""
    return (",".join(map(str, value)) or "none") if isinstance(value, list | tuple) else str(value)


def command_line(spec: Spec, jobs: int, folders: Mapping[str, str]) -> str:
    """The shell command that computes the same experiment headless; settings at their defaults are left out.

    folders: `home` and `data_dir` where they are not the defaults.
    """
    default = spec_of({"dataset": spec.dataset, "runs": spec.runs})
    values: dict[str, object] = spec.to_json()
    chosen = {
        name: word_of(values[name])
        for name in DEFAULTS
        if name == "dataset" or getattr(spec, name) != getattr(default, name)
    }
    if spec.runs != DEFAULTS["runs"]:
        chosen["runs"] = str(spec.runs)
    if jobs != jobs_of(None, spec):
        chosen["jobs"] = str(jobs)
    words = [word for name, value in {**chosen, **folders}.items() for word in (SETTINGS[name].option, value)]
    return shlex.join(["aefit-tui", "--batch", *words])


def _read(words: Mapping[str, str]) -> tuple[dict[str, object], dict[str, str]]:
    """The values of the words that can be read, and what is wrong with the others."""
    values: dict[str, object] = {}
    problems: dict[str, str] = {}
    for name in FIELDS:
        word = words.get(name, "").strip()
        if word:
            try:
                values[name] = read_word(SETTINGS[name], word, name)
            except AefitError as error:
                # The word itself, which stands before, may hold anything.
                problems[name] = str(error).rpartition(": ")[2]
    return values, problems


def _check_test_size(spec: Spec) -> None:
    """Raises SpecError where a named set is too small for it; a user's own is measured when it is read."""
    if spec.test_size is None or spec.dataset not in CATALOGUE:
        return
    entry = CATALOGUE[spec.dataset]
    images = entry.train_size + entry.test_size
    largest = images - entry.classes
    if not entry.classes <= spec.test_size <= largest:
        allowed = f"expected {entry.classes} (one a class) to {largest} of the {images} images"
        raise SpecError("test_size", spec.test_size, allowed)


def _reason(text: str, hint: str) -> str:
    return f"{text}; {hint}" if hint else text
