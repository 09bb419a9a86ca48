"""`--launcher`: the words before each worker that take it elsewhere, such as `srun -n1 -c1` or `ssh node2`.

`{python}` stands for this Python, `{folder}` for the experiment's folder, and `{node1,node2,node3}` for one of
these in turn, the first for the first worker. A word stays one word, whatever is put into it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from core.declarations.setting import Unfit

FILLED = ("python", "folder")
"""What is put in by name."""
_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Launcher:
    """The words of a launcher, not yet filled in; `parse_launcher` makes one."""

    words: tuple[str, ...]

    def prefix(self, worker: int, *, python: str, folder: Path) -> list[str]:
        """The words before the command of a worker, which is counted from 1."""
        named = {"python": python, "folder": str(folder)}

        def fill(braces: re.Match[str]) -> str:
            content = braces[1]
            if content in named:
                return named[content]
            alternatives = content.split(",")
            return alternatives[(worker - 1) % len(alternatives)].strip()

        return [_BRACES.sub(fill, word) for word in self.words]


def parse_launcher(text: str) -> Launcher:
    """Raises Unfit for what is no command."""
    try:
        words = _split(text)
    except ValueError as error:
        raise Unfit(f"expected words as in a shell: {error}") from error
    if not words:
        raise Unfit("expected the command that starts another one, such as ssh node2")
    for word in words:
        for content in _BRACES.findall(word):
            alternatives = [one.strip() for one in content.split(",")]
            if content not in FILLED and (len(alternatives) < 2 or "" in alternatives):
                raise Unfit(
                    f"{{{content}}} stands for nothing: expected {{python}}, {{folder}}, "
                    "or names to be taken in turn such as {node1,node2}"
                )
    return Launcher(tuple(words))


def _split(text: str) -> list[str]:
    """The words of a shell's line; blanks within braces divide none. Raises ValueError."""
    closed = _BRACES.sub(lambda braces: "{" + re.sub(r"\s*,\s*", ",", braces[1].strip()) + "}", text)
    return shlex.split(closed)


@dataclass(frozen=True)
class LauncherKind:
    """The type of the setting: see `core.declarations.setting.Kind`."""

    expected: ClassVar[str] = "a command"

    def read(self, word: str) -> str:
        """See `Kind.read`."""
        return word

    def check(self, value: object) -> str:
        """See `Kind.check`."""
        if not isinstance(value, str):
            raise Unfit("expected the command that starts another one, such as ssh node2")
        parse_launcher(value)
        return value

    def choices(self) -> Mapping[str, str]:
        """None are listed."""
        return {}
