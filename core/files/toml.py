"""Reads TOML that anybody may have written: of bounded size and depth, with numbers of at most 64 bits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from core.declarations.lazy import tomllib
from core.files.reading import read_plain

LARGEST = 2**18
"""Bytes of a file, at most; specifications and settings have some thousand, annotations what a person writes."""
DEEPEST = 20
"""Levels of nested tables and lists, at most."""
MOST_PARTS = 50
"""Parts of a dotted key, at most: the parser's time grows with their square."""
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_TOO_MANY_PARTS = re.compile(
    rf"(?:^|[{{\[,])[ \t]*+{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MOST_PARTS}}}", re.MULTILINE
)
_BEYOND = 2**63


def read_toml(path: Path) -> dict[str, Any]:
    """The table in a TOML file. Raises OSError as `read_plain` does, and ValueError as `parse_toml` does."""
    return parse_toml(read_plain(path, LARGEST).decode())


def parse_toml(text: str) -> dict[str, Any]:
    """The table in a TOML text.

    Raises ValueError, which says what is wrong: it is no TOML, is nested too deep, or has a whole number of more
    than 64 bits, which TOML 1.0 lets a parser refuse, and which Python may refuse to print.
    """
    if text.count(".") >= MOST_PARTS and _TOO_MANY_PARTS.search(text):
        raise ValueError(f"a name has more than {MOST_PARTS} parts")
    try:
        found = tomllib.loads(text)
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels") from error
    _check(found)
    return found


def _check(table: dict[str, Any]) -> None:
    level: list[object] = [table]
    for _ in range(DEEPEST):
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner += value.values()
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, int) and not -_BEYOND <= value < _BEYOND:
                raise ValueError("it has a number of more than 64 bits")
        level = inner
    if level:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels")
