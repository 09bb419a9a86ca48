"""Asking a person before anything is deleted."""

from __future__ import annotations

import sys

from core.errors import AefitError
from tui_aefit.shell.console import Console


def may_delete(name: str, what: str, command: str, console: Console, problem: str = "") -> bool:
    """Whether a person at the terminal says yes to deleting the folder of that name. Raises AefitError without one.

    what: the folder and what is in it, in words. command: what deletes it without asking. problem: why it cannot be
    read, "" where it can.
    """
    if not sys.stdin.isatty():
        raise AefitError(f"deleting {what} needs a yes" + (f": {problem}" if problem else ""), command)
    if problem:
        console.narrate(f"{name} cannot be read: {problem}")
    return console.confirmed(f"delete {what}?")
