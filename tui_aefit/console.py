"""The shell's two channels: results on standard output, narration and errors on standard error."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping

from core.errors import AefitError

EXIT_COMPLETE = 0
EXIT_FAILED = 1
EXIT_WRONG_REQUEST = 2
EXIT_INTERRUPTED = 130


class Console:
    """The only place that writes to the shell's channels. `quiet` silences narration, never errors."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet

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
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def problem(self, text: str, hint: str = "") -> None:
        """What went wrong, and what to do about it."""
        sys.stderr.write(f"aefit-tui: {text}\n" + (f"  {hint}\n" if hint else ""))
        sys.stderr.flush()

    def refuse(self, error: AefitError) -> int:
        """Tell a person's mistake; the exit status for it."""
        self.problem(str(error), error.hint)
        return EXIT_WRONG_REQUEST


def listing(items: Mapping[str, str]) -> str:
    """Names with their descriptions, one a line, for help texts."""
    width = max(map(len, items))
    return "\n".join(f"  {name.ljust(width)}  {text}" for name, text in items.items())
