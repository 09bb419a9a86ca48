"""The errors that a person can put right, and how an unknown name is answered."""

from __future__ import annotations

from collections.abc import Iterable

from core.declarations.lazy import difflib


class AefitError(Exception):
    """Something a person can put right.

    `str(error)` says what was wrong and what was expected, in one or two sentences; `hint` says what to
    type or do instead (may be empty). Anything that is not an `AefitError` is a defect of the program.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SpecError(AefitError):
    """A wrong value in a specification: `field` names the setting, `value` is what was given."""

    def __init__(self, field: str, value: object, allowed: str, hint: str = "") -> None:
        super().__init__(f"{field} = {shown(value)} is not possible: {allowed}", hint)
        self.field = field
        self.value = value
        self.allowed = allowed


class DataError(AefitError):
    """A data set that is missing, truncated, corrupt, of an unknown form or not what it was."""


class PluginError(AefitError):
    """A plug-in that is not installed, cannot be loaded, or is not what its entry point says."""


class RecordError(AefitError):
    """A record on disk or from another process that does not have the form that this version reads."""


class ExperimentError(AefitError):
    """An experiment that cannot be found, or is not in the state that the request needs."""


class StudyError(AefitError):
    """A study that cannot be found, read or written, or is not in the state that the request needs."""


LONGEST_SHOWN = 500
"""Characters of a wrong value in an error."""


def shown(value: object) -> str:
    """A wrong value as an error names it, whatever it is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits; lists in each other without end
        return f"a value of type {type(value).__name__} that is too large to be shown"
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def closest(name: str, known: Iterable[str]) -> str:
    """The known name most like `name`, or "" where none resembles it (difflib ratio below 0.6)."""
    matches = difflib.get_close_matches(name.lower(), list(known), n=1)
    return matches[0] if matches else ""


def expected_names(name: str, known: Iterable[str]) -> tuple[str, str]:
    """What to say of an unknown name: ("expected one of a, b, c", hint with the nearest match or "")."""
    names = list(known)
    match = closest(name, names)
    return "expected one of " + ", ".join(names), f"did you mean {match}?" if match else ""
