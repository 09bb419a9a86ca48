"""The exit statuses of every process of this program: the command's, and those that it starts."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """How a process ended. Only coordinators and supervisors are CRASHED (a defect) or LOCKED (not the holder)."""

    COMPLETE = 0
    FAILED = 1
    REFUSED = 2
    CRASHED = 70
    LOCKED = 75
    INTERRUPTED = 130
