"""Reads a study's file, as --study takes it: settings of all its experiments, lists of values, cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.errors import AefitError, RecordError, closest
from core.files.toml import read_toml
from core.records.types import Record, convert

EXAMPLE = """[base] dataset = "mnist", [grid] epsilon = [0.05, 0.1], or [[case]] tables"""


class StudyFileContent(Record, frozen=True, kw_only=True):
    """The keys as they stand in the file."""

    name: str = ""
    pair: bool = False
    base: dict[str, object] = msgspec.field(default_factory=dict)
    grid: dict[str, object] = msgspec.field(default_factory=dict)
    case: tuple[dict[str, object], ...] = ()


KEYS = StudyFileContent.__struct_fields__


@dataclass(frozen=True)
class StudyFile:
    """The content of a study's file.

    name: of the study, "" where there is none. paired: whether the lists are paired. settings: of `[base]` and
    `[grid]` together; a list stands for several values. cases: the `[[case]]` tables.
    """

    path: Path
    name: str
    paired: bool
    settings: Mapping[str, object]
    cases: tuple[Mapping[str, object], ...]

    @classmethod
    def read(cls, path: Path) -> StudyFile:
        """Read the file at a path. Raises AefitError where that cannot be read, or is no study's file."""
        try:
            content = read_toml(path)
        except OSError as error:
            raise AefitError(f"the study's file {path} cannot be read: {error.strerror}", EXAMPLE) from error
        except ValueError as error:  # not UTF-8, not TOML
            raise AefitError(f"the study's file {path} cannot be read: {error}", "mend it") from error
        for key in content:
            if key not in KEYS:
                near = closest(key, KEYS)
                raise AefitError(
                    f"{path}: there is no {key!r} in a study's file: expected {', '.join(KEYS)}",
                    f"did you mean {near}?" if near else f"settings stand in tables: {EXAMPLE}",
                )
        try:
            found = convert(content, StudyFileContent, "its content")
        except RecordError as error:
            raise AefitError(
                f"{path}: expected a text for name, true or false for pair, tables [base] and [grid], [[case]] "
                f"tables; {error}",
                EXAMPLE,
            ) from error
        if twice := next((key for key in found.grid if key in found.base), None):
            raise AefitError(f"{path}: {twice} stands in [base] and in [grid]", "leave it in one of them")
        return cls(path, found.name, found.pair, {**found.base, **found.grid}, found.case)
