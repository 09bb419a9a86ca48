"""How many workers one coordinator and one home can have: as many runs as there are workers, and nothing computed.

Simulated workers journal as real ones do and publish real results of made-up numbers. The coordinator's part is the
real one: schedule, journal, statistics, the look for results. Nobody sleeps: a clock of our own jumps to the next
moment at which a worker has something to say, and goes on by the processor time that the coordinator takes in
between. What the simulation itself computes stands outside of it: a thousand workers are no slower for being
played by one process, and a busy machine makes nobody wait.

Shown are the coordinator's processor time, how much longer all took than the sleeps alone, what the home has to
bear, and how long a screen takes to look whether a journal has grown. Then, from these, how many workers are too
many.
"""

from __future__ import annotations

import argparse
import heapq
import os
import random
import resource
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
from core.records.experiment import Experiment
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
"""Threads that publish, where it is measured how much the disk takes: each waits for it most of the time."""
REAL_SECONDS = 90.0
"""A run of MNIST with all controls on one processor, see docs/speed.md."""
LIGHT = Spec(dataset="digits", controls=("noise",), options={"z": 7})


class SimulatedClock:
    """Seconds that pass as somebody waits, or as this process computes, but for what is `outside` of it."""

    def __init__(self) -> None:
        self._waited = 0.0
        self._outside = 0.0
        self._start = time.process_time()

    def __call__(self) -> float:
        """Seconds since it was made."""
        return self._waited + self.computed

    @property
    def computed(self) -> float:
        """The processor time in it."""
        return time.process_time() - self._start - self._outside

    def wait_until(self, moment: float) -> None:
        """Go on to a moment, unless that has passed."""
        self._waited += max(0.0, moment - self())

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Within the block computing takes no time."""
        start = time.process_time()
        try:
            yield
        finally:
            self._outside += time.process_time() - start


class SimulatedWorkers:
    """An executor of `count` workers that sleep by `clock`. sleeps: seconds of each run."""

    def __init__(
        self, experiment: Experiment, count: int, sleeps: Sequence[float], clock: SimulatedClock
    ) -> None:
        self.capacity = count
        self._experiment = experiment
        self._sleeps = sleeps
        self._clock = clock
        spec = experiment.spec
        self._drawn = [draw_metrics(spec, run, deciding=True) for run in range(DRAWN)]
        self._arrays = draw_arrays(spec, 0)
        self._journals = [
            JournalWriter(experiment.journal / f"0001-worker-{number}.jsonl", clock=clock)
            for number in range(1, count + 1)
        ]
        self._free = deque(range(count))
        self._waiting: deque[Task] = deque()
        self._reports: deque[Report] = deque()
        self._ends: list[tuple[float, int, Task]] = []
        self._started: set[int] = set()

    def submit(self, task: Task) -> None:
        """See `Executor.submit`."""
        with self._clock.outside():
            self._waiting.append(task)

    def next_report(self, timeout: float) -> Report | None:
        """See `Executor.next_report`."""
        with self._clock.outside():
            while self._waiting and self._free:
                self._begin(self._free.popleft(), self._waiting.popleft())
            if self._reports:
                return self._reports.popleft()
            deadline = self._clock() + timeout
            if not self._ends or self._ends[0][0] > deadline:
                self._clock.wait_until(deadline)
                return None
            moment, worker, task = heapq.heappop(self._ends)
            self._clock.wait_until(moment)
            self._finish(worker, task.run)
            return Done(task)

    def stop(self) -> None:
        """See `Executor.stop`."""
        for journal in self._journals:
            journal.close()

    def _begin(self, worker: int, task: Task) -> None:
        if worker not in self._started:
            self._started.add(worker)
            self._reports.append(WorkerStarted(worker + 1, 1))
        self._reports.append(Assigned(task, worker + 1))
        heapq.heappush(self._ends, (self._clock() + self._sleeps[task.run], worker, task))

    def _finish(self, worker: int, run: int) -> None:
        """All that a worker writes of a run, which a real one has written by and by."""
        for done in range(int(EVENTS_A_SECOND * self._sleeps[run])):
            self._journals[worker].write(Progress(run=run, stage="filter", done=done, total=10_000))
        spec = self._experiment.spec
        metrics = msgspec.structs.replace(
            self._drawn[run % DRAWN], index=run, experiment=spec.digest, data_sha256="0" * 64
        )
        publish(
            self._experiment.run_folder(run),
            metrics,
            lambda path: write_arrays(path, self._arrays, spec.ladder),
        )
        self._free.append(worker)


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
    # Each worker has a journal.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
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
        clock = SimulatedClock()
        with clock.outside():
            workers = SimulatedWorkers(experiment, count, sleeps, clock)
        log = EventLog(experiment.journal / "0001-coordinator.jsonl")
        computation = Computation(
            experiment,
            SeenResults(workers, clock=clock),
            log.write,
            lambda: None,
            data_dir=Path(home),
            clock=clock,
        )
        ending = computation.compute()
        took, busy = clock(), clock.computed
        assert ending == "complete", ending
        results = experiment.results()
        now = time.process_time()
        experiment_statistics(experiment.spec, results)
        statistics = time.process_time() - now
        files = sum(len(names) for _, _, names in os.walk(experiment.folder))
        size = sum((Path(f) / n).stat().st_size for f, _, names in os.walk(experiment.folder) for n in names)
        return {
            "workers": count,
            "runs": runs,
            "runs a second": runs / took,
            "coordinator, ms a run": 1000 * busy / runs,
            "busy": busy / took,
            "longer than the sleeps": took / _ideal(sleeps, count) - 1,
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
    """Seconds of processor for one look at journals that have not grown since, of which a screen takes four a
    second.
    """
    reader = JournalReader(journal, newest_only=True)
    reader.poll()
    start = time.process_time()
    reader.poll()
    return time.process_time() - start


if __name__ == "__main__":
    main()
