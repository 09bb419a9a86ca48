"""Filters experiments by the words that a person types. Pure.

A word is looked for in id, label, tags, note, data set, attack and state. `attack:fgsm` (or `attack=fgsm`) is about
one field: the whole value where some experiment has it, else a part of it. `*` stands for anything. `!` before a
word leaves out what it would find. Quotation marks hold words together. `epsilon>0.05`, `z<=9`, `a>=0.6` compare
numbers.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from core.errors import closest
from core.records.overview import Overview
from core.report.formatting import enumerate_words
from core.spec.command import word_of
from core.spec.spec import DEFAULTS
from tui_aefit.following.listing import state_words

MOST_NAMED = 6
"""How many of a field's values a message names, at most."""

Values = Callable[[Overview], Iterable[str]]
"""An experiment's overview -> its values in a field: one, several or none."""


def _setting(name: str) -> Values:
    def values(one: Overview) -> list[str]:
        found = one.experiment.spec.values if one.experiment is not None else {}
        return [word_of(found[name])] if name in found else []

    return values


def _data_set(one: Overview) -> list[str]:
    return (
        [one.experiment.spec.dataset_title, one.experiment.spec.dataset] if one.experiment is not None else []
    )


def _decision(one: Overview) -> list[str]:
    rise = one.findings.rise if one.findings is not None else None
    return [rise.decision] if rise is not None else []


def _accuracy(one: Overview) -> list[str]:
    found = one.findings.accuracy if one.findings is not None else None
    return [str(found.mean)] if found is not None and found.mean is not None else []


def _rise(one: Overview) -> list[str]:
    rise = one.findings.rise if one.findings is not None else None
    return [str(rise.estimate)] if rise is not None and rise.estimate is not None else []


FIELDS: Mapping[str, Values] = {
    "id": lambda one: [one.id],
    "label": lambda one: [one.annotations.label],
    "tag": lambda one: one.annotations.tags,
    "note": lambda one: [one.annotations.notes],
    "state": lambda one: dict.fromkeys((state_words(one)[1], one.status.value)),
    "decision": _decision,
    "dataset": _data_set,
    "attack": _setting("attack"),
    "a": _accuracy,
    "rise": _rise,
}
"""Field -> its values; every setting is a field too. a, rise: the numbers of the columns "A on D", "rise D − M"."""
EVERYWHERE = ("id", "label", "tag", "note", "state", "dataset", "attack")
"""The fields in which a word is looked for that names no field."""
STUDY = "study"
"""The field for the studies that have an experiment."""
OTHER_NAMES = {
    "studies": STUDY,
    "status": "state",
    "data": "dataset",
    "eps": "epsilon",
    "tags": "tag",
    "notes": "note",
}

_WORDS = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_OF_A_FIELD = re.compile(r"([A-Za-z_][\w-]*)(?:[:=](?![<>])|:?([<>]=?))(.*)", re.DOTALL)
BOUNDS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""Sign -> its comparison of two numbers."""


@dataclass(frozen=True)
class Selection:
    """The experiments that fit a filter, in their former order, and a sentence for each word not understood."""

    overviews: tuple[Overview, ...]
    problems: tuple[str, ...] = ()


def select(
    overviews: Sequence[Overview], text: str, studies: Mapping[str, Sequence[str]] | None = None
) -> Selection:
    """The experiments that fit every word of the text. studies: id -> the studies that have the experiment."""
    found = tuple(overviews)
    problems = []
    for word in _WORDS.findall(text):
        negated = word.startswith("!") and len(word) > 1
        fits, problem = _understood(word[negated:], overviews, studies or {})
        if problem:
            problems.append(problem)
        if fits is not None:
            found = tuple(one for one in found if fits(one) != negated)
    return Selection(found, tuple(problems))


def _understood(
    word: str, overviews: Sequence[Overview], studies: Mapping[str, Sequence[str]]
) -> tuple[Callable[[Overview], bool] | None, str]:
    """The test of a word, None for an unfinished one (`attack:`); and what to tell the person about it, or ""."""
    match = _OF_A_FIELD.fullmatch(word)
    if match is None:
        return _anywhere(word.replace('"', "")), ""
    typed, sign, pattern = match[1].casefold(), match[2], match[3].replace('"', "")
    name = OTHER_NAMES.get(typed, typed).replace("-", "_")
    if name == STUDY:
        return _in_field(name, lambda one: studies.get(one.id, ()), pattern, overviews)
    values = FIELDS.get(name) or (_setting(name) if _is_setting(name, overviews) else None)
    if values is None:
        near = closest(name, [*FIELDS, STUDY, *DEFAULTS])
        known = enumerate_words([*FIELDS, STUDY])
        hint = f"did you mean {near}?" if near else f"expected {known} or a setting"
        return _anywhere(word.replace('"', "")), f"there is no field {typed}: {hint}"
    if sign is not None:
        return _within(name, values, sign, pattern, overviews)
    return _in_field(name, values, pattern, overviews)


def _in_field(
    name: str, values: Values, pattern: str, overviews: Sequence[Overview]
) -> tuple[Callable[[Overview], bool] | None, str]:
    """The test whether a value of one field fits a pattern, and a message: see `_understood`."""
    if not pattern:
        return None, f"{name}: {_named(values, overviews) or 'no experiment has one'}"
    compare = _comparison(pattern, {value for one in overviews for value in values(one)})
    if not any(compare(value) for one in overviews for value in values(one)):
        there = _named(values, overviews)
        return (lambda one: False), f"no {name} is like {pattern!r}{f': there are {there}' if there else ''}"
    return (lambda one: any(map(compare, values(one)))), ""


def _within(
    name: str, values: Values, sign: str, bound: str, overviews: Sequence[Overview]
) -> tuple[Callable[[Overview], bool] | None, str]:
    """The test whether a number in one field is on the right side of a bound, and a message: see `_understood`."""
    there = sorted(
        number for one in overviews for value in values(one) if (number := _number(value)) is not None
    )
    span = f"from {there[0]:.3g} to {there[-1]:.3g}" if there else "no experiment has a number"
    if not bound:
        return None, f"{name}: {span}"
    limit = _number(bound)
    if limit is None:
        return (lambda one: False), f"{name}{sign} is followed by a number, not by {bound!r}"
    if not any(BOUNDS[sign](number, limit) for number in there):
        return (lambda one: False), f"no {name} is {sign} {limit:g}: {span}"

    def fits(one: Overview) -> bool:
        numbers = map(_number, values(one))
        return any(number is not None and BOUNDS[sign](number, limit) for number in numbers)

    return fits, ""


def _anywhere(pattern: str) -> Callable[[Overview], bool]:
    compare = _comparison(pattern, ())
    return lambda one: any(compare(value) for name in EVERYWHERE for value in FIELDS[name](one))


def _comparison(pattern: str, there: Iterable[str]) -> Callable[[str], bool]:
    """The test of a value against a pattern. there: all values of the field; a whole one comes before a part."""
    wanted = pattern.casefold()
    if "*" in wanted:
        # `*` alone has a meaning; `[` and `?` are escaped, since a label may hold them.
        escaped = wanted.replace("[", "[[]").replace("?", "[?]")
        return lambda value: fnmatchcase(value.casefold(), escaped)
    number = _number(wanted)
    if number is not None and any(_number(value) == number for value in there):
        return lambda value: _number(value) == number
    if any(value.casefold() == wanted for value in there):
        return lambda value: value.casefold() == wanted
    return lambda value: wanted in value.casefold()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is_setting(name: str, overviews: Iterable[Overview]) -> bool:
    """Whether `name` is a setting of ours, or of a plug-in that some experiment uses."""
    return name in DEFAULTS or any(
        one.experiment is not None and name in one.experiment.spec.values for one in overviews
    )


def _named(values: Values, overviews: Iterable[Overview]) -> str:
    """The different values of a field, MOST_NAMED at most, cut where they are long; "" for none."""
    found = sorted({value for one in overviews for value in values(one) if value})
    shown = [value if len(value) <= 30 else f"{value[:29]}…" for value in found[:MOST_NAMED]]
    return ", ".join([*shown, *(["…"] if len(found) > MOST_NAMED else [])])
