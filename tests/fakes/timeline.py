"""What a coordinator and its workers would have journaled of an experiment, and when: nothing is computed."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.data.catalogue import CATALOGUE
from core.records.events import (
    CoordinatorStarted,
    DatasetLoaded,
    EnvironmentReported,
    EpochFinished,
    Event,
    Progress,
    RunCompleted,
    RunFailed,
    RunStarted,
    StageFinished,
    StageStarted,
    WorkerLost,
    WorkerStarted,
)
from core.records.metrics import RunMetrics
from core.spec.spec import Spec
from tests.fakes.numbers import ENVIRONMENT, held_out

HOST, PID = "node1", 4100
FAILURE = (
    "the surrogate did not learn: its loss is not a finite number",
    "use another seed, or fewer epochs",
)
REPORTS = 10
"""How often a stage reports progress."""
COORDINATOR = "coordinator"


@dataclass(frozen=True)
class Entry:
    """What one writer journals, `time` seconds after the coordinator began."""

    time: float
    writer: str
    event: Event


def environment_reported() -> EnvironmentReported:
    """What a worker says of itself."""
    return EnvironmentReported(
        versions=ENVIRONMENT.versions, device=ENVIRONMENT.device, cpu=ENVIRONMENT.cpu, threads=1
    )


def dataset_loaded(spec: Spec) -> DatasetLoaded:
    """What a worker says of the data."""
    data = CATALOGUE[spec.dataset]
    return DatasetLoaded(
        name=data.name,
        sha256="5" * 64,
        images=data.train_size + data.test_size,
        shape=data.shape,
        classes=tuple(data.class_names),
        test_size=held_out(spec),
    )


def begin(spec: Spec, jobs: int) -> Iterator[Entry]:
    """A coordinator begins with all runs of an experiment."""
    started = CoordinatorStarted(host=HOST, pid=PID, jobs=jobs, pending=tuple(range(spec.runs)))
    yield Entry(0.0, COORDINATOR, started)


def start_worker(spec: Spec, worker: int, time: float) -> Iterator[Entry]:
    """A worker starts and reads the data."""
    yield Entry(time, COORDINATOR, WorkerStarted(worker=worker, pid=PID + worker))
    yield Entry(time + 2.2, f"worker-{worker}", environment_reported())
    yield Entry(time + 3.0, f"worker-{worker}", dataset_loaded(spec))


def compute_all(
    spec: Spec, metrics: Sequence[RunMetrics], jobs: int, *, in_trouble: bool = False
) -> Iterator[Entry]:
    """All but the statistics and the end, in no order: runs go to whichever worker is free first.

    in_trouble: run 1 loses its worker once, run 2 fails for good.
    """
    pending = deque(range(spec.runs))
    yield from begin(spec, jobs)
    free: list[tuple[float, int]] = []
    # The second worker starts when the first has read the data.
    for worker in range(1, min(jobs, spec.runs) + 1):
        yield from start_worker(spec, worker, 0.1 if worker == 1 else 3.3)
        heapq.heappush(free, (3.2 if worker == 1 else 6.5, worker))
    attempts = dict.fromkeys(pending, 0)
    workers = len(free)
    while pending:
        time, worker = heapq.heappop(free)
        run = pending.popleft()
        attempts[run] += 1
        yield Entry(time, COORDINATOR, RunStarted(run=run, worker=worker, attempt=attempts[run]))
        killed = in_trouble and run == 1 and attempts[run] == 1
        failed = in_trouble and run == 2
        course = list(_course(spec, run, worker, time + 0.02, metrics[run]))
        if killed or failed:
            course = [entry for entry in course if entry.time < time + 0.3 * (course[-1].time - time)]
        yield from course
        time = course[-1].time + 0.05
        if killed:
            yield Entry(time, COORDINATOR, WorkerLost(worker=worker, reason="was killed (SIGKILL)"))
            again = RunFailed(run=run, error="its worker process was killed (SIGKILL)", hint="", retry=True)
            yield Entry(time + 0.01, COORDINATOR, again)
            pending.appendleft(run)
            worker = workers = workers + 1
            yield from start_worker(spec, worker, time + 0.1)
            time += 3.2
        elif failed:
            yield Entry(time, COORDINATOR, RunFailed(run=run, error=FAILURE[0], hint=FAILURE[1], retry=False))
        else:
            yield Entry(time, COORDINATOR, RunCompleted(run=run))
        heapq.heappush(free, (time + 0.1, worker))


def _course(spec: Spec, run: int, worker: int, time: float, metrics: RunMetrics) -> Iterator[Entry]:
    """A run's own events, from its worker."""
    writer, counts = f"worker-{worker}", metrics.counts
    targets = CATALOGUE[spec.dataset].classes - 1
    totals = {
        "split": 1,
        "classifier": counts.test,
        "halves": counts.test,
        "surrogate": spec.epochs * counts.train,
        "candidates": counts.test * targets,
        "noise": counts.test * targets,
        "noise-matched": counts.correct * targets,
    }
    for stage, total in totals.items():
        if stage not in metrics.seconds:
            continue
        seconds = metrics.seconds[stage]
        yield Entry(time, writer, StageStarted(run=run, stage=stage, total=total))
        for report in range(1, REPORTS + 1) if stage != "split" else ():
            done = total * report // REPORTS
            at = time + seconds * (report - 0.02) / REPORTS
            yield Entry(at, writer, Progress(run=run, stage=stage, done=done, total=total))
        for epoch in range(1, spec.epochs + 1) if stage == "surrogate" else ():
            loss = round(0.31 / epoch**1.25 + 0.002 * run, 4)
            at = time + seconds * (epoch - 0.01) / spec.epochs
            yield Entry(at, writer, EpochFinished(run=run, epoch=epoch, epochs=spec.epochs, loss=loss))
        time += seconds
        yield Entry(time, writer, StageFinished(run=run, stage=stage, seconds=seconds))
        time += 0.01


def cut_short(timeline: Sequence[Entry], complete: int, at_work: int) -> Sequence[Entry]:
    """The timeline up to a moment at which so many runs are complete and so many amid a stage.

    Of these moments, the middle one of those at which the runs are in most different stages.
    """
    stages: dict[int, tuple[str, bool]] = {}
    done, most, found = 0, 0, [0]
    for position, entry in enumerate(timeline):
        event = entry.event
        if isinstance(event, RunCompleted):
            done += 1
            del stages[event.run]
        elif isinstance(event, StageStarted):
            stages[event.run] = event.stage, False
        elif isinstance(event, Progress):
            stages[event.run] = event.stage, event.done not in (0, event.total)
        if done != complete or len(stages) != at_work or not all(amid for _, amid in stages.values()):
            continue
        different = len({stage for stage, _ in stages.values()})
        found = [*found, position] if different == most else [position] if different > most else found
        most = max(most, different)
    return timeline[: found[len(found) // 2] + 1]
