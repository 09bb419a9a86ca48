"""The shell's two channels: results on standard output, narration and errors on standard error."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from core.declarations.lazy import json
from core.declarations.printable import printable_text, shell_word
from core.errors import AefitError
from core.files.channels import say
from core.files.exit_status import ExitStatus
from tui_aefit.shell.subcommands import SUB_COMMANDS

_ALONE = [name for name, one in SUB_COMMANDS.items() if one.suggested and not one.takes_id]
_WITH_ID = [name for name, one in SUB_COMMANDS.items() if one.suggested and one.takes_id]
_PLAIN = r"(?>[\w-]+(?:\.[\w-]+)*)\b"
_QUOTED = r"""'[^']*'(?:"'"'[^']*')*|\$'(?:[^'\\]|\\.)*'"""
"""The forms of an id from `shell_word`: plain, as we make it, or quoted, as a folder's name may need."""
SUGGESTED = re.compile(
    rf"aefit-tui (?:(?:{'|'.join(['--batch', *_ALONE])})\b|(?:{'|'.join(_WITH_ID)}) (?:{_PLAIN}|{_QUOTED}))"
    r"(?! --home)"
)
"""A command in a message that a person is to type and that depends on the home, up to its id."""


class OutputError(Exception):
    """Standard output is closed or full. No AefitError, so that only `cli.main` catches it."""


@contextmanager
def output() -> Iterator[None]:
    """Within the block results are written. Raises BrokenPipeError where the reader has left, else OutputError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"the output cannot be written: {error.strerror}") from error


class Console:
    """The only place that writes to standard output and error. `quiet` silences narration, never errors.

    All texts are made printable, so that a terminal obeys none: see `core.declarations.printable`.

    typed_home: the home if it was typed for this call only, else "". It is added to every suggested command.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.typed_home = ""

    @property
    def width(self) -> int | None:
        """Characters of a line of the terminal that results go to; None where they go elsewhere."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    def result(self, text: str) -> None:
        """Print what was asked for to standard output. Raises OutputError, BrokenPipeError."""
        with output():
            sys.stdout.write(printable_text(text if text.endswith("\n") else text + "\n"))
            sys.stdout.flush()

    def result_json(self, value: object) -> None:
        """Print one JSON value. Raises as `result`, and ValueError for NaN and Infinity."""
        self.result(json.dumps(value, indent=2, allow_nan=False))

    def narrate(self, text: str) -> None:
        """Tell a person on standard error what goes on, unless quiet."""
        if not self.quiet:
            self._say(text + "\n")

    def problem(self, text: str, hint: str = "") -> None:
        """Tell a person on standard error what went wrong, and what to do about it."""
        self._say(f"aefit-tui: {text}\n" + (f"  {hint}\n" if hint else ""))

    def confirmed(self, question: str) -> bool:
        """Whether a person at the terminal answers a question with yes."""
        self._say(f"{question} [y/N] ")
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def refuse(self, error: AefitError) -> int:
        """Say what is wrong with a request; the exit status REFUSED."""
        self.problem(str(error), error.hint)
        return ExitStatus.REFUSED

    def _say(self, text: str) -> None:
        say(self._to_type(text))

    def _to_type(self, text: str) -> str:
        """`text` with --home added to the commands that it suggests, where this call's home was typed."""
        if not self.typed_home:
            return text
        home = f" --home {shell_word(self.typed_home)}"
        return SUGGESTED.sub(lambda command: command[0] + home, text)
