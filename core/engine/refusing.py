"""The executor of a place where nothing can be computed."""

from __future__ import annotations

from core.engine.executor import Refused, Report, Task
from core.errors import AefitError


class Refusing:
    """An executor that could not be made: it says why, and computes nothing."""

    capacity = 1

    def __init__(self, error: AefitError) -> None:
        self._error = error

    def submit(self, task: Task) -> None:
        """See `Executor.submit`."""

    def next_report(self, timeout: float) -> Report | None:
        """See `Executor.next_report`."""
        return Refused(str(self._error), self._error.hint)

    def stop(self) -> None:
        """See `Executor.stop`."""
