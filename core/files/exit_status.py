"""The exit statuses of every process of this program: the command's, and those that it starts."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """How a process ended. CRASHED and LOCKED are a coordinator's only: a defect; somebody else computes.

    HUNG_UP and INTERRUPTED are those by which a shell reports SIGHUP and SIGINT: 128 + the signal. HUNG_UP is the
    lab's only: its terminal is gone.
    """

    COMPLETE = 0
    FAILED = 1
    REFUSED = 2
    CRASHED = 70
    LOCKED = 75
    HUNG_UP = 129
    INTERRUPTED = 130
