"""How the processes that fetch and export data sets speak: to the person, on standard error."""

from __future__ import annotations

from core.errors import AefitError
from core.files import channels
from core.files.exit_status import ExitStatus


def say(line: str) -> None:
    """One line."""
    channels.say(f"{line}\n")


def refuse(error: AefitError) -> ExitStatus:
    """Say what is wrong and what to do about it; the exit status for that."""
    say(f"aefit-tui: {error}")
    if error.hint:
        say(f"  {error.hint}")
    return ExitStatus.REFUSED
