"""Reads a study's file, as --study takes it: settings of all its experiments, lists of values, cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import AefitError, closest
from core.files.toml import read_toml

KEYS = ("name", "pair", "base", "grid", "case")
EXAMPLE = """[base] dataset = "mnist", [grid] epsilon = [0.05, 0.1], or [[case]] tables"""


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
            content: dict[str, Any] = read_toml(path)
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
        name, paired = content.get("name", ""), content.get("pair", False)
        base, grid, cases = content.get("base", {}), content.get("grid", {}), content.get("case", [])
        if not isinstance(name, str) or not isinstance(paired, bool):
            raise AefitError(f"{path}: expected a text for name, true or false for pair", EXAMPLE)
        if not isinstance(base, dict) or not isinstance(grid, dict):
            raise AefitError(f"{path}: expected tables [base] and [grid]", EXAMPLE)
        if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
            raise AefitError(f"{path}: expected [[case]] tables", EXAMPLE)
        if twice := next((key for key in grid if key in base), None):
            raise AefitError(f"{path}: {twice} stands in [base] and in [grid]", "leave it in one of them")
        return cls(path, name, paired, {**base, **grid}, tuple(cases))
