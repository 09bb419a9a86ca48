"""What coordinator and supervisor have in common: what makes them stop, and the exit status for each error."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

from core.engine.stopping import ProcessStops
from core.errors import AefitError
from core.files import channels
from core.files.exit_status import ExitStatus
from core.records.lock import LockHeld


def answer(
    work: Callable[[ProcessStops], ExitStatus], folder: Path, *, foreground: bool, doing: str
) -> ExitStatus:
    """Call `work`; return its exit status, or that of the error that it raises.

    Errors are told on standard error, but for LockHeld: LOCKED, or INTERRUPTED where a stop was asked for.
    foreground: stop when standard input ends. doing: the verb for the message, as in "cannot compute in FOLDER".
    """
    stops = ProcessStops()
    stops.watch_signals()
    if foreground:
        stops.watch_parent()
    try:
        return work(stops)
    except LockHeld:
        return ExitStatus.INTERRUPTED if stops() else ExitStatus.LOCKED
    except OSError as error:
        channels.say(f"cannot {doing} {folder}: {error.strerror or error}\n")
        return ExitStatus.REFUSED
    except AefitError as error:
        channels.say(f"{error}\n{error.hint}\n")
        return ExitStatus.REFUSED
    except Exception:  # noqa: BLE001  # it is in the log, and has a status of its own
        traceback.print_exc()
        return ExitStatus.CRASHED
