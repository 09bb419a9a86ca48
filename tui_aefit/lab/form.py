"""Checks the words of the set-up form: what is wrong with each field, or the experiments that they ask for.

Pure, except that it looks whether a user's own data set exists; the screen calls it at every key.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from core.declarations.printable import shell_word
from core.declarations.setting import Choice, Setting, Value, Words, by_name
from core.errors import AefitError, DataError, PluginError, SpecError, StudyError
from core.sets.registry import SETS
from core.spec.call import CALL
from core.spec.command import word_of
from core.spec.grid import pairs_of, specs_of
from core.spec.resolved import spec_of
from core.spec.settings import COMMON, PARTS, part_options
from core.spec.spec import Spec
from tui_aefit.following.size import Size, size_of
from tui_aefit.shell.declarations import read_word, words_of_list
from tui_aefit.shell.parallelism import jobs_of, threads_of

OF_CALL = ("jobs", "threads", "data_dir")
"""The settings of a call that the form has fields for."""
PAIRED = "paired"
STUDY: dict[str, Setting] = by_name(
    (
        Setting(
            name="pair", title="Lists", metavar="HOW", identifies=False, default="combined",
            kind=Choice({
                "combined": "every combination of their values",
                PAIRED: "the first value of each with the first of the others, and so on",
            }),
            help="how the values of several lists go together",
        ),
        Setting(
            name="name", title="Study", metavar="NAME", kind=Words(), identifies=False,
            default_text="by its settings",
            help="what the study is called; one of that name takes the experiments in",
        ),
    )
)  # fmt: skip
"""The form's fields of a study, shown where some setting has several values; the first where two settings have."""
Values = Mapping[str, tuple[object, ...]]


@dataclass(frozen=True)
class Checked:
    """The form, checked.

    specs: the experiments that it asks for, none while a field is wrong. jobs, threads: runs at the same time, and
    threads of each. problems: field -> what is wrong with it. data_dir: the data folder as typed, "" for that of
    the settings. study: the name of the study that the experiments make, "" for one experiment. asked: field that
    is not empty -> its values.
    """

    specs: tuple[Spec, ...] = ()
    jobs: int = 1
    threads: int = 1
    problems: Mapping[str, str] = field(default_factory=dict)
    data_dir: str = ""
    study: str = ""
    asked: Values = field(default_factory=dict)

    @property
    def spec(self) -> Spec | None:
        """The first experiment, None while a field is wrong."""
        return self.specs[0] if self.specs else None

    @property
    def runs(self) -> int:
        """The runs of all experiments together."""
        return sum(spec.runs for spec in self.specs)


def fields_of(words: Mapping[str, str]) -> dict[str, Setting]:
    """The form's fields, by name, for the attacks, families and surrogates that the words choose.

    They are the settings of every experiment, the options of these parts, those of OF_CALL, and, where the words
    make a study, those of STUDY. A part that does not exist or cannot be loaded has no options.
    """
    options: dict[str, Setting] = {}
    for part in PARTS:
        for name in chosen(words, part):
            with suppress(AefitError):
                for option, setting in part_options(part, name).items():
                    options.setdefault(option, setting)
    fields = {**COMMON, **options, **{name: CALL[name] for name in OF_CALL}}
    return {**fields, **of_study(lists_in(words, fields))}


def chosen(words: Mapping[str, str], part: str) -> list[str]:
    """The names in the word of a part, one at least: an empty one stands for the default."""
    found = words_of_list(COMMON[part], words.get(part, "").strip())
    return list(dict.fromkeys(name or str(COMMON[part].default) for name in found))


def lists_in(words: Mapping[str, str], fields: Mapping[str, Setting]) -> list[str]:
    """The fields that have several values, even if these are not possible."""
    return [
        name
        for name, setting in fields.items()
        if len(dict.fromkeys(words_of_list(setting, words.get(name, "").strip()))) > 1
    ]


def most_in(words: Mapping[str, str]) -> int:
    """How many experiments the words ask for, at most, counted without making them."""
    fields = fields_of(words)
    return math.prod(
        len(words_of_list(fields[name], words[name].strip())) for name in lists_in(words, fields)
    )


def of_study(lists: Sequence[str]) -> dict[str, Setting]:
    """The fields of a study in which the settings `lists` have several values; {} where none has."""
    return {name: setting for name, setting in STUDY.items() if len(lists) > (name == "pair")}


def check(words: Mapping[str, str], size: Size | None = None) -> Checked:
    """Check the words of the fields; an empty or absent word asks for the default. Every wrong field is named.

    size: of a user's own data set, where it is known.
    """
    values, problems = _read(words)
    while True:
        try:
            found = _asked(values, size)
            break
        except DataError as error:
            name, reason = "dataset", _reason(str(error), error.hint)
        except SpecError as error:
            name = "name" if error.field == "study" else error.field
            many = values.get(error.field, ())
            # Beside a field with one value the value need not be repeated.
            which = name != error.field or (len(many) > 1 and error.value in many)
            reason = _reason(f"{error.value}: {error.allowed}" if which else error.allowed, error.hint)
        except StudyError as error:
            name, reason = "name", str(error).rpartition(": ")[2]
        except PluginError as error:
            name, reason = _plugged_in(values), _reason(str(error), error.hint)
        # Replace the wrong value by the default, so that the next wrong field is found too.
        problems[name] = reason
        if name not in values:
            return Checked(problems=problems)
        del values[name]
    return Checked(problems=problems) if problems else found


def _asked(values: Values, size: Size | None) -> Checked:
    """The experiments that the values ask for. Raises AefitError for the first value that is not possible."""
    of_specs = {name: many for name, many in values.items() if name not in (*OF_CALL, *STUDY)}
    lists = {name: many for name, many in of_specs.items() if len(many) > 1}
    one = {name: many[0] for name, many in values.items()}
    base = {name: one[name] for name in of_specs if name not in lists}
    study = ""
    if lists:
        paired = one.get("pair") == PAIRED and len(lists) > 1
        specs = specs_of(base, {}, pairs_of(lists)) if paired else specs_of(base, lists)
        from core.records.study import check_name, default_name  # noqa: PLC0415  # the first picture has no study

        _refuse_unused(base, specs)
        study = check_name(str(one["name"])) if "name" in one else default_name(specs)
    else:
        specs = [spec_of(base)]
    runs = sum(spec.runs for spec in specs)
    threads = threads_of(one.get("threads"), runs)
    jobs = jobs_of(one.get("jobs"), threads, runs)
    CALL["data_dir"].check(one.get("data_dir", "."))
    for spec in specs:
        # The size that is known is that of the one own data set in the field.
        _check_test_size(spec, size if "dataset" not in lists else None)
    _check_controls(specs[0])
    return Checked(tuple(specs), jobs, threads, {}, str(one.get("data_dir", "")), study, values)


def _refuse_unused(base: Mapping[str, object], specs: Sequence[Spec]) -> None:
    """Raises SpecError for an option that no experiment of a study has."""
    for name, value in base.items():
        if not any(name in spec.values for spec in specs):
            allowed = "no attack, classifier or surrogate of this study has that option"
            raise SpecError(name, value, allowed, "leave it out")


def words_of(spec: Spec, jobs: int | None = None, threads: int | None = None) -> dict[str, str]:
    """The words of the fields that ask for a spec, for a form that begins from it."""
    values: dict[str, Value] = {**spec.values, "jobs": jobs, "threads": threads, "data_dir": None}
    return {name: word_of(value) for name, value in values.items()}


def command_line(checked: Checked, folders: Mapping[str, str]) -> str:
    """The shell command that computes what the form asks for; settings at their defaults are left out.

    checked: without problems. folders: `home` and `data_dir` where they are not the defaults.
    """
    words = _of_study(checked) if checked.study else _of_one(checked.specs[0])
    usual = threads_of(None, checked.runs)
    if checked.threads != usual:
        words["threads"] = str(checked.threads)
    if checked.jobs != jobs_of(None, checked.threads, checked.runs):
        words["jobs"] = str(checked.jobs)
    settings = {name: setting for spec in checked.specs for name, setting in spec.settings.items()}
    settings |= {**CALL, "name": STUDY["name"]}
    pairs = [(settings[name].option, word) for name, word in {**words, **folders}.items() if name != "pair"]
    flags = ["--pair"] if "pair" in words else []
    return " ".join(
        map(shell_word, ["aefit-tui", "--batch", *(part for pair in pairs for part in pair), *flags])
    )


def _of_one(spec: Spec) -> dict[str, str]:
    """The words of one experiment's settings that are not at their defaults."""
    parts = {part: spec.values[part] for part in PARTS}
    usual = {
        **spec_of({"dataset": spec.dataset, **parts}).values,
        **{part: COMMON[part].default for part in PARTS},
    }
    return {
        name: word_of(value)
        for name, value in spec.values.items()
        if name == "dataset" or value != usual[name]
    }


def _of_study(checked: Checked) -> dict[str, str]:
    """The words of a study's settings that are not at their defaults, "pair" and "name" among them."""
    fields = fields_of(words_as_asked(checked))
    words = {}
    for name, many in checked.asked.items():
        setting = fields[name]
        if name == "dataset":
            # A relative path would mean something else in another folder.
            words[name] = ",".join(dict.fromkeys(spec_of({"dataset": value}).dataset for value in many))
        elif name not in OF_CALL and (len(many) > 1 or setting.default_text or many[0] != setting.default):
            words[name] = _words_of(many)
    return words


def words_as_asked(checked: Checked) -> dict[str, str]:
    """The words of the fields that are not empty, as the form shows them."""
    return {name: _words_of(many) for name, many in checked.asked.items()}


def _words_of(values: Sequence[object]) -> str:
    return ",".join(word_of(value if isinstance(value, tuple) else str(value)) for value in values)


def _read(words: Mapping[str, str]) -> tuple[dict[str, tuple[object, ...]], dict[str, str]]:
    """The values of the words that can be read, and what is wrong with the others."""
    values: dict[str, tuple[object, ...]] = {}
    problems: dict[str, str] = {}
    fields = fields_of(words)
    for name, word in ((name, word.strip()) for name, word in words.items()):
        if word and name not in {**fields, **STUDY}:
            values[name] = (word,)  # an option of another part: the specification's error says of which
        elif word and name in fields:
            found = words_of_list(fields[name], word)
            try:
                values[name] = tuple(dict.fromkeys(_values_of(fields[name], found)))
            except AefitError as error:
                problems[name] = str(error)
    return values, problems


def _values_of(setting: Setting, words: Sequence[str]) -> Iterator[Value]:
    """The values of a field's words. Raises AefitError that says what is expected of the first that has none."""
    for word in words:
        if not word:
            raise AefitError("expected a value before and after each comma")
        try:
            yield read_word(setting, word, setting.name)
        except AefitError as error:
            # What is expected follows the last ": " of the error; the word before may hold anything.
            expected = str(error).rpartition(": ")[2]
            raise AefitError(f"{word}: {expected}" if len(words) > 1 else expected) from error


def _plugged_in(values: Values) -> str:
    """The part (attack, family, surrogate) whose plug-in cannot be loaded; else the last one of a plug-in,
    whose options then clash.
    """
    plugged_in = [
        (part, str(name)) for part in PARTS for name in values.get(part, ()) if name not in PARTS[part].own
    ]
    for part, name in plugged_in:
        try:
            part_options(part, name)
        except PluginError:
            return part
    return plugged_in[-1][0]


def _check_controls(spec: Spec) -> None:
    """Raises SpecError for a control of a plug-in that cannot be loaded: its cost could not be told."""
    for name in spec.controls:
        try:
            SETS[name]
        except PluginError as error:
            raise SpecError("controls", name, str(error), error.hint) from error


def _check_test_size(spec: Spec, size: Size | None) -> None:
    """Raises SpecError where the data set is too small for the test size; not while its size is unknown."""
    size = size_of(spec.dataset) or size
    if spec.test_size is None or size is None:
        return
    largest = size.images - size.classes
    if not size.classes <= spec.test_size <= largest:
        allowed = f"expected {size.classes} (one a class) to {largest} of the {size.images} images"
        raise SpecError("test_size", spec.test_size, allowed)


def _reason(text: str, hint: str) -> str:
    return f"{text}; {hint}" if hint else text
