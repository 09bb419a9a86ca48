"""How many workers one coordinator and one home can have: as many runs as there are workers, and nothing computed.

Simulated workers sleep, journal as real ones do, and publish real results of made-up numbers; they are all in one
process of their own. The coordinator's part is the real one: schedule, journal, statistics, the look for results.
Shown are the coordinator's processor time, how much longer all took than the sleeps alone, what the home has to
bear, and how long a screen takes to look whether a journal has grown. Then, from these, how many workers are too
many.
"""

from __future__ import annotations

import argparse
import heapq
import multiprocessing
import os
import random
import resource
import tempfile
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from benchmarks.measuring import report
from core.engine.computation import Computation
from core.engine.event_log import EventLog
from core.engine.executor import Assigned, Done, Report, Task, WorkerStarted
from core.engine.seen_results import SeenResults
from core.engine.statistics import experiment_statistics
from core.records.arrays import write_arrays
from core.records.events import Progress
from core.records.experiment import load
from core.records.home import create
from core.records.journal import JournalReader, JournalWriter
from core.records.results import publish
from core.spec.spec import Spec
from tests.fakes.arrays import draw_arrays
from tests.fakes.numbers import draw_metrics

MOST_RUNS = 1_000
"""Runs of an experiment, at most."""
ROUNDS = 3
"""Runs for each worker, where the experiment may have so many."""
SPREAD = 0.2
"""Runs take this share more or less than the mean."""
EVENTS_A_SECOND = 3
"""Of a worker that computes: in twelve runs of MNIST with all controls it was 300 in 90 seconds."""
DRAWN = 12
"""Different results: their numbers are drawn once, and published by many runs."""
PUBLICATIONS = 200
PUBLISHERS = 8
"""Threads that publish: each waits for the disk most of the time."""
REAL_SECONDS = 90.0
"""A run of MNIST with all controls on one processor, see docs/speed.md."""
LIGHT = Spec(dataset="digits", controls=("noise",), options={"z": 7})


class SimulatedWorkers:
    """An executor of `count` workers that sleep, all in the process at the other end of a connection."""

    def __init__(self, count: int, connection: Connection) -> None:
        self.capacity = count
        self._connection = connection
        self._reports: deque[Report] = deque()
        self._tasks: dict[int, Task] = {}

    def submit(self, task: Task) -> None:
        """See `Executor.submit`."""
        self._tasks[task.run] = task
        self._connection.send(task.run)

    def next_report(self, timeout: float) -> Report | None:
        """See `Executor.next_report`."""
        if not self._reports:
            if not self._connection.poll(timeout):
                return None
            kind, worker, run = self._connection.recv()
            if kind == "begun":
                self._reports += [WorkerStarted(worker, 1), Assigned(self._tasks[run], worker)]
            else:
                self._reports.append(Done(self._tasks.pop(run)))
        return self._reports.popleft() if self._reports else None

    def stop(self) -> None:
        """See `Executor.stop`."""
        self._connection.send(None)


def main() -> None:
    """Measure and print a table."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.weak_scaling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--workers", default="1,10,100,300,1000")
    made.add_argument("--seconds", type=float, default=20.0, help="of a run, in the mean (default: 20)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the measurements here too")
    chosen = made.parse_args()
    rows = [_measure(int(count), chosen.seconds) for count in chosen.workers.split(",")]
    rate = _publications()
    report(
        f"runs of {chosen.seconds:.0f} s that only sleep, as many at a time as there are workers",
        rows,
        threads=1,
        path=chosen.json,
    )
    cost = float(str(rows[-1]["coordinator, ms a run"])) / 1000
    print(
        f"at {1000 * cost:.1f} ms a run a coordinator is busy without a pause at {1 / cost:,.0f} runs a second, "
        f"as of {REAL_SECONDS / cost:,.0f} workers whose runs take {REAL_SECONDS:.0f} s; the disk takes {rate:.0f} "
        f"results a second of {PUBLISHERS} publishers, as of {REAL_SECONDS * rate:,.0f} workers"
    )


def _publications() -> float:
    """Results a second that this disk takes: each is two files and five calls of fsync."""
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(PUBLISHERS) as pool:
        experiment, _ = create(Path(home), LIGHT.changed(runs=PUBLICATIONS))
        spec = experiment.spec
        metrics, arrays = draw_metrics(spec, 0, deciding=True), draw_arrays(spec, 0)

        def publish_one(run: int) -> None:
            publish(
                experiment.run_folder(run),
                msgspec.structs.replace(metrics, index=run, experiment=spec.digest),
                lambda path: write_arrays(path, arrays, spec.ladder),
            )

        start = time.perf_counter()
        list(pool.map(publish_one, range(PUBLICATIONS)))
        return PUBLICATIONS / (time.perf_counter() - start)


def _measure(count: int, seconds: float) -> dict[str, object]:
    runs = min(MOST_RUNS, ROUNDS * count)
    draw = random.Random(count)
    sleeps = [seconds * draw.uniform(1 - SPREAD, 1 + SPREAD) for _ in range(runs)]
    with tempfile.TemporaryDirectory() as home:
        experiment, _ = create(Path(home), LIGHT.changed(runs=runs))
        experiment.journal.mkdir(exist_ok=True)
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        workers = multiprocessing.get_context("spawn").Process(
            target=_work, args=(experiment.folder, count, sleeps, theirs), daemon=True
        )
        workers.start()
        theirs.close()
        assert ours.recv() == "ready"
        log = EventLog(experiment.journal / "0001-coordinator.jsonl")
        busy, start = time.process_time(), time.perf_counter()
        ending = Computation(
            experiment,
            SeenResults(SimulatedWorkers(count, ours)),
            log.write,
            lambda: None,
            data_dir=Path(home),
        ).compute()
        took, busy = time.perf_counter() - start, time.process_time() - busy
        workers.join()
        assert ending == "complete", ending
        results = experiment.results()
        now = time.process_time()
        experiment_statistics(experiment.spec, results)
        statistics = time.process_time() - now
        files = sum(len(names) for _, _, names in os.walk(experiment.folder))
        size = sum((Path(f) / n).stat().st_size for f, _, names in os.walk(experiment.folder) for n in names)
        ideal = _ideal(sleeps, count)
        return {
            "workers": count,
            "runs": runs,
            "runs a second": runs / took,
            "coordinator, ms a run": 1000 * busy / runs,
            "busy": busy / took,
            "longer than the sleeps": took / ideal - 1,
            "statistics over all, s": statistics,
            "events a second": _events(experiment.journal) / took,
            "files a run": files / runs,
            "MB": size / 1e6,
            "a look at all journals, ms": 1000 * _look(experiment.journal),
        }


def _ideal(sleeps: list[float], count: int) -> float:
    """How long the sleeps take with so many workers and nothing else: each takes the next when it is free."""
    free = [0.0] * count
    for sleep in sleeps:
        heapq.heapreplace(free, free[0] + sleep)
    return max(free)


def _events(journal: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in journal.iterdir())


def _look(journal: Path) -> float:
    """Seconds for one look at journals that have not grown since, which a screen takes four times a second."""
    reader = JournalReader(journal, newest_only=True)
    reader.poll()
    start = time.perf_counter()
    reader.poll()
    return time.perf_counter() - start


def _work(folder: Path, count: int, sleeps: list[float], connection: Connection) -> None:
    """The workers: each takes the next run, journals while it sleeps, publishes."""
    # A journal each.
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2
    )
    experiment = load(folder)
    spec = experiment.spec
    drawn = [draw_metrics(spec, run, deciding=True) for run in range(DRAWN)]
    arrays = draw_arrays(spec, 0)
    journals = [
        JournalWriter(experiment.journal / f"0001-worker-{number}.jsonl") for number in range(1, count + 1)
    ]
    pool = ThreadPoolExecutor(PUBLISHERS)
    free = deque(range(count))
    waiting: deque[int] = deque()
    due: list[tuple[float, int, int, float]] = []  # moment, worker, run, its end
    over = False
    connection.send("ready")

    def finish(worker: int, run: int) -> tuple[int, int]:
        publish(
            experiment.run_folder(run),
            msgspec.structs.replace(
                drawn[run % DRAWN], index=run, experiment=spec.digest, data_sha256="0" * 64
            ),
            lambda path: write_arrays(path, arrays, spec.ladder),
        )
        return worker, run

    published: deque[Future[tuple[int, int]]] = deque()
    while not over or published:
        pause = min(0.01, max(0.0, due[0][0] - time.perf_counter())) if due else 0.01
        while connection.poll(pause):
            pause = 0.0
            run = connection.recv()
            if run is None:
                over = True
                break
            waiting.append(run)
        now = time.perf_counter()
        while waiting and free:
            worker, run = free.popleft(), waiting.popleft()
            connection.send(("begun", worker + 1, run))
            heapq.heappush(due, (now, worker, run, now + sleeps[run]))
        while due and due[0][0] <= now:
            moment, worker, run, end = heapq.heappop(due)
            if moment >= end:
                published.append(pool.submit(finish, worker, run))
                continue
            journals[worker].write(Progress(run=run, stage="filter", done=1, total=100))
            heapq.heappush(due, (min(end, moment + 1 / EVENTS_A_SECOND), worker, run, end))
        for _ in range(len(published)):
            future = published.popleft()
            if future.done():
                worker, run = future.result()
                free.append(worker)
                connection.send(("done", worker + 1, run))
            else:
                published.append(future)


if __name__ == "__main__":
    main()
