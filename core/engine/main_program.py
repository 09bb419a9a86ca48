"""What the main programs of this room have in common: when they stop, and how they answer for what goes wrong."""

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
    """Do the work on a folder; the exit status, where it raises too, of which the log then says why.

    foreground: stop when standard input ends. doing: what cannot be done in the folder, in words.
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
