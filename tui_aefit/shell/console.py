"""The shell's two channels: results on standard output, narration and errors on standard error."""

from __future__ import annotations

import re
import shlex
import shutil
import sys

from core.declarations.lazy import json
from core.errors import AefitError
from core.files.exit_status import ExitStatus
from tui_aefit.shell.subcommands import SUB_COMMANDS

_ALONE = [name for name, one in SUB_COMMANDS.items() if one.suggested and not one.takes_id]
_WITH_ID = [name for name, one in SUB_COMMANDS.items() if one.suggested and one.takes_id]
SUGGESTED = re.compile(
    rf"aefit-tui (?:{'|'.join(['--batch', *_ALONE])}|(?:{'|'.join(_WITH_ID)}) "
    r"(?>[\w-]+(?:\.[\w-]+)*))\b(?! --home)"
)
"""A command that a person is told to type and that depends on the home, up to its id."""


class Console:
    """The only place that writes to the shell's channels. `quiet` silences narration, never errors.

    typed_home: the home where it was typed for this call only. Every command that is suggested then carries it.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.typed_home = ""

    @property
    def width(self) -> int | None:
        """Characters of a line of the terminal that results go to; None where they go elsewhere."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    def result(self, text: str) -> None:
        """Something that was asked for."""
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()

    def result_json(self, value: object) -> None:
        """One JSON value, with no NaN or Infinity in it."""
        self.result(json.dumps(value, indent=2, allow_nan=False))

    def narrate(self, text: str) -> None:
        """Something worth knowing meanwhile."""
        if not self.quiet:
            sys.stderr.write(self._to_type(text) + "\n")
            sys.stderr.flush()

    def problem(self, text: str, hint: str = "") -> None:
        """What went wrong, and what to do about it."""
        sys.stderr.write(self._to_type(f"aefit-tui: {text}\n" + (f"  {hint}\n" if hint else "")))
        sys.stderr.flush()

    def confirmed(self, question: str) -> bool:
        """Whether a person at the terminal answers a question with yes."""
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def refuse(self, error: AefitError) -> int:
        """Say what is wrong with a request; the exit status for it."""
        self.problem(str(error), error.hint)
        return ExitStatus.REFUSED

    def _to_type(self, text: str) -> str:
        """`text` with commands that mean the experiments of this call when they are typed as they stand."""
        if not self.typed_home:
            return text
        home = f" --home {shlex.quote(self.typed_home)}"
        return SUGGESTED.sub(lambda command: command[0] + home, text)
