"""An executor that computes nothing, and the result that a worker would have published."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from core.engine.executor import Assigned, Report, Task, WorkerReady, WorkerStarted
from core.records.experiment import Experiment
from core.records.results import publish
from tests.fakes.numbers import draw_answers, metrics_from_answers

DATA_SHA256 = "0" * 64
"""Of the images that `put_result`'s metrics say they were computed from."""


class FakeExecutor:
    """One worker that is ready at once. What becomes of a task is what `compute` gives; nothing: it never ends.

    submitted: all tasks so far. waiting: those that the worker has not begun. stopped: whether it was told to stop.
    """

    def __init__(
        self,
        compute: Callable[[Task], Sequence[Report]],
        *,
        capacity: int = 1,
        data_sha256: str = DATA_SHA256,
    ) -> None:
        self._compute = compute
        self.capacity = capacity
        self.submitted: list[Task] = []
        self.waiting: deque[Task] = deque()
        self.stopped = False
        self._begun: Task | None = None
        self._reports: deque[Report] = deque([WorkerStarted(1, 101), WorkerReady(1, data_sha256)])

    def submit(self, task: Task) -> None:
        self.submitted.append(task)
        self.waiting.append(task)

    def next_report(self, timeout: float) -> Report | None:
        if not self._reports and self._begun is not None:
            self._reports.extend(self._compute(self._begun))
            self._begun = None
        if not self._reports and self.waiting:
            self._begun = self.waiting.popleft()
            return Assigned(self._begun, 1)
        return self._reports.popleft() if self._reports else None

    def stop(self) -> None:
        self.stopped = True


def put_result(experiment: Experiment, run: int, stands: Callable[[int], bool] | None = None) -> None:
    """Publish made-up metrics of a run."""
    metrics = metrics_from_answers(experiment.spec, run, draw_answers(experiment.spec, run))
    publish(experiment.run_folder(run), metrics, write_no_arrays, stands=stands and (lambda: stands(run)))


def write_no_arrays(path: Path) -> None:
    """A file in the place of arrays that nobody reads."""
    path.write_bytes(b"arrays")
