"""Waiting for what was asked to stop."""

from __future__ import annotations

import time
from collections.abc import Callable

CANCEL_SECONDS = 30.0
"""How long `cancel` waits to see the work stop before it says that it has not yet."""
LOOK_SECONDS = 0.1


def wait_until_stopped(running: Callable[[], bool]) -> bool:
    """Whether it stops within CANCEL_SECONDS. running: whether it is still at work."""
    deadline = time.monotonic() + CANCEL_SECONDS
    while running():
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True
