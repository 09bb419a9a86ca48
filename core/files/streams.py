"""How a process that the command starts for heavy work speaks: to the person, on standard error."""

from __future__ import annotations

import sys

from core.errors import AefitError

EXIT_REFUSED = 2


def say(line: str) -> None:
    """One line."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def refuse(error: AefitError) -> int:
    """Tell what is wrong and what to do about it; the exit status for that."""
    say(f"aefit-tui: {error}")
    if error.hint:
        say(f"  {error.hint}")
    return EXIT_REFUSED
