"""Checks that there is a terminal for the lab, and ends the process when the terminal goes away."""

from __future__ import annotations

import os
import select
import sys
import threading

from core.errors import AefitError
from core.files.exit_status import ExitStatus


def require_terminal() -> None:
    """Raises AefitError where the lab could not be shown or typed into."""
    # Textual draws on standard error.
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        raise AefitError(
            "the lab needs a terminal, and standard input, output or error is none",
            "without one use: aefit-tui --batch (see aefit-tui --help)",
        )
    if os.environ.get("TERM", "dumb") == "dumb":
        raise AefitError(
            "the lab needs a terminal that can move its cursor, and TERM says this one cannot",
            "set TERM (xterm-256color, say), or use aefit-tui --batch",
        )


def lab_is_possible() -> bool:
    """Whether the lab can be shown, see `require_terminal`."""
    try:
        require_terminal()
    except AefitError:
        return False
    return True


def leave_with_terminal() -> None:
    """From now on end this process as soon as its terminal is gone.

    Closing a terminal usually ends what runs in it (SIGHUP). Where that signal is ignored (nohup, some
    multiplexers) the thread that reads keys would read end-of-file again and again. Experiments are computed by
    other processes: nothing is lost.
    """
    watched = select.poll()
    # No event is asked for: poll reports a hang-up and an error in any case, and nothing else wakes us.
    watched.register(sys.stdin.fileno(), 0)

    def watch() -> None:
        # Some systems cannot watch a terminal and report POLLNVAL at once: then it is not watched.
        if any(event & (select.POLLHUP | select.POLLERR) for _, event in watched.poll()):
            os._exit(ExitStatus.HUNG_UP)

    threading.Thread(target=watch, name="terminal", daemon=True).start()
