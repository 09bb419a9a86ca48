"""An executor that is made with the first task: while an experiment waits for its turn it occupies no cluster."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.engine.executor import Executor, Report, Task


class Postponed:
    """Behaves like the executor that `make` returns, which is called when the first task is submitted.

    capacity: what it says until then. sleep: waits for so many seconds.
    """

    def __init__(
        self, capacity: int, make: Callable[[], Executor], *, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._capacity = capacity
        self._make = make
        self._sleep = sleep
        self._executor: Executor | None = None

    @property
    def capacity(self) -> int:
        """See `Executor.capacity`."""
        return self._capacity if self._executor is None else self._executor.capacity

    def submit(self, task: Task) -> None:
        """See `Executor.submit`."""
        if self._executor is None:
            self._executor = self._make()
        self._executor.submit(task)

    def next_report(self, timeout: float) -> Report | None:
        """See `Executor.next_report`."""
        if self._executor is not None:
            return self._executor.next_report(timeout)
        self._sleep(timeout)
        return None

    def stop(self) -> None:
        """See `Executor.stop`."""
        if self._executor is not None:
            self._executor.stop()
