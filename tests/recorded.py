"""Made-up experiment folders in every state, as a coordinator and its workers would have left them.

Nothing is computed but the statistics: accuracies are drawn around those that MNIST gives, times come from a
simulated clock. The same arguments give the same bytes, but for a running experiment's lock.
"""

from __future__ import annotations

import heapq
import json
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from core.data.catalogue import CATALOGUE
from core.engine.statistics import experiment_statistics
from core.records.arrays import write_arrays
from core.records.experiment import SPEC_FILE, Experiment, create
from core.records.journal import JournalReader, JournalWriter
from core.records.results import publish
from core.spec.spec import Spec
from tests.drawn_results import ENVIRONMENT, arrays_of, durations_of, held_out, metrics_of
from tui_aefit.following.fold import Fold
from tui_aefit.following.snapshot import Snapshot

State = Literal["created", "running", "finished", "failed", "interrupted", "newer"]

NOW = 1_795_000_000.0
"""The moment at which an experiment is looked at, seconds since 1970: 18 November 2026."""
HOST, PID = "node1", 4100
FAILURE = (
    "the surrogate did not learn: its loss is not a finite number",
    "use another seed, or fewer epochs",
)
REPORTS = 10
"""How often a stage reports progress."""


def make_experiment(
    home: Path,
    *,
    state: State = "finished",
    runs: int = 12,
    complete: int | None = None,
    dataset: str = "mnist",
    attack: str = "fgsm",
    now: float = NOW,
    jobs: int = 2,
    **settings: Any,
) -> Experiment:
    """Write an experiment's folder under `home`, looked at `now`.

    state: "created": only the spec. "running": `complete` runs are done (by default, a third of them), `jobs`
        are at work, in different stages where they can be, and this very process holds the lock, so that it
        is alive (`lock_of_the_dead` makes it that of a killed process). "interrupted": the same without the
        lock, stopped by a person. "failed": the worker of run 1 was killed once, and run 2 failed for good.
        "newer": complete, and then a line of a later schema version.
    dataset: a name of the catalogue. settings: further fields of the Spec.
    """
    if state == "failed" and runs < 3:
        raise ValueError(f"runs 1 and 2 are in trouble, but there are only {runs}")
    spec = Spec(dataset=dataset, attack=attack, runs=runs, **settings)
    experiment, new = create(home, spec)
    if not new:
        raise ValueError(f"{experiment.id} is there already: give another seed")
    metrics = [metrics_of(spec, run, durations_of(spec, run)) for run in range(runs)]
    timeline = sorted(
        _timeline(spec, metrics, jobs, in_trouble=state == "failed"), key=lambda event: event.time
    )
    if state in ("running", "interrupted"):
        done = runs // 3 if complete is None else complete
        timeline = timeline[: _moment(timeline, done, min(jobs, runs - done)) + 1]
    if state == "created":
        timeline = []
    begun = now - (timeline[-1].time if timeline else 0.0)
    _write(experiment, timeline, metrics, begun, status=None if state == "running" else _STATUS[state])
    if state == "running":
        experiment.lock.acquire()
    if state == "newer":
        _write_newer_line(experiment, now)
    os.utime(experiment.folder / SPEC_FILE, (begun, begun))
    return experiment


def snapshot_of(experiment: Experiment, now: float = NOW) -> Snapshot:
    """What a screen is shown of an experiment `now`."""
    reader = JournalReader(experiment.journal)
    alive = experiment.running
    fold = Fold(experiment.id, experiment.spec.to_json())
    fold.add(reader.poll())
    return fold.snapshot(
        now=now,
        alive=alive,
        metrics=experiment.results(),
        problems=tuple(problem.reason for problem in reader.problems),
        newer=reader.newer,
    )


def lock_of_the_dead(experiment: Experiment) -> None:
    """Turn a running experiment's lock into one that a process left which was killed."""
    lock = experiment.folder / "lock"
    holder = json.loads(lock.read_text(encoding="utf-8"))
    lock.write_text(json.dumps({**holder, "start_time": "0"}), encoding="utf-8")


_STATUS = {
    "created": None,
    "finished": "complete",
    "failed": "failed",
    "interrupted": "interrupted",
    "newer": "complete",
}


@dataclass(frozen=True)
class _Said:
    """What one writer journals at a time, in seconds after the coordinator began."""

    time: float
    writer: str
    kind: str
    fields: Mapping[str, object]


def _write(
    experiment: Experiment,
    timeline: Sequence[_Said],
    metrics: Sequence[Mapping[str, Any]],
    begun: float,
    *,
    status: str | None,
) -> None:
    """Journal the timeline, with the results of the runs that it completes and the statistics over them."""
    spec, moment = experiment.spec, begun
    writers: dict[str, JournalWriter] = {}
    results: dict[int, Mapping[str, Any]] = {}

    def write(writer: str, kind: str, fields: Mapping[str, object]) -> None:
        if writer not in writers:
            path = experiment.journal / f"0001-{writer}.jsonl"
            writers[writer] = JournalWriter(path, clock=lambda: moment)
        writers[writer].write(kind, **fields)

    for event in timeline:
        moment = begun + event.time
        run = event.fields.get("run")
        if event.kind == "run_completed" and isinstance(run, int):
            results[run] = metrics[run]
            publish(
                experiment.run_folder(run), metrics[run], partial(write_arrays, arrays=arrays_of(spec, run))
            )
        write(event.writer, event.kind, event.fields)
        if event.kind == "run_completed":
            write(
                "coordinator", "statistics", {"runs": sorted(results), **experiment_statistics(spec, results)}
            )
    if status is not None:
        write("coordinator", "finished", {"status": status})
    for writer in writers.values():
        writer.close()


def _write_newer_line(experiment: Experiment, now: float) -> None:
    line = {"seq": 1, "time": now, "v": 2, "event": "reviewed", "by": "a later version"}
    (experiment.journal / "0002-coordinator.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")


# What happens when


def _timeline(
    spec: Spec, metrics: Sequence[Mapping[str, Any]], jobs: int, *, in_trouble: bool
) -> Iterator[_Said]:
    """All that is journaled but statistics, in no order: runs go to whichever worker is free first."""
    pending = deque(range(spec.runs))
    begun: dict[str, object] = {"host": HOST, "pid": PID, "jobs": jobs, "pending": list(pending)}
    yield _Said(0.0, "coordinator", "coordinator_started", begun)
    free: list[tuple[float, int]] = []
    # The second worker starts when the first has read the data.
    for worker in range(1, min(jobs, spec.runs) + 1):
        yield from _worker_start(spec, worker, 0.1 if worker == 1 else 3.3)
        heapq.heappush(free, (3.2 if worker == 1 else 6.5, worker))
    attempts = dict.fromkeys(pending, 0)
    workers = len(free)
    while pending:
        time, worker = heapq.heappop(free)
        run = pending.popleft()
        attempts[run] += 1
        started = {"run": run, "worker": worker, "attempt": attempts[run]}
        yield _Said(time, "coordinator", "run_started", started)
        killed = in_trouble and run == 1 and attempts[run] == 1
        failed = in_trouble and run == 2
        course = list(_course(spec, run, worker, time + 0.02, metrics[run]))
        if killed or failed:
            course = [event for event in course if event.time < time + 0.3 * (course[-1].time - time)]
        yield from course
        time = course[-1].time + 0.05
        if killed:
            lost = {"worker": worker, "reason": "was killed (SIGKILL)"}
            yield _Said(time, "coordinator", "worker_lost", lost)
            again = {
                "run": run,
                "error": "its worker process was killed (SIGKILL)",
                "hint": "",
                "retry": True,
            }
            yield _Said(time + 0.01, "coordinator", "run_failed", again)
            pending.appendleft(run)
            worker = workers = workers + 1
            yield from _worker_start(spec, worker, time + 0.1)
            time += 3.2
        elif failed:
            for_good = {"run": run, "error": FAILURE[0], "hint": FAILURE[1], "retry": False}
            yield _Said(time, "coordinator", "run_failed", for_good)
        else:
            yield _Said(time, "coordinator", "run_completed", {"run": run})
        heapq.heappush(free, (time + 0.1, worker))


def _worker_start(spec: Spec, worker: int, time: float) -> Iterator[_Said]:
    entry, writer = CATALOGUE[spec.dataset], f"worker-{worker}"
    yield _Said(time, "coordinator", "worker_started", {"worker": worker, "pid": PID + worker})
    yield _Said(time + 2.2, writer, "environment", ENVIRONMENT)
    dataset = {
        "name": entry.name,
        "sha256": "5" * 64,
        "images": entry.train_size + entry.test_size,
        "shape": list(entry.shape),
        "classes": list(entry.class_names),
        "test_size": held_out(spec, entry),
        "notices": [],
    }
    yield _Said(time + 3.0, writer, "dataset", dataset)


def _course(spec: Spec, run: int, worker: int, time: float, metrics: Mapping[str, Any]) -> Iterator[_Said]:
    """A run's own events, from its worker."""
    writer = f"worker-{worker}"
    counts = metrics["counts"]
    totals = {
        "split": 1,
        "neighbours": counts["test"],
        "surrogate": spec.epochs * counts["train"],
        "candidates": counts["candidates"],
        "noise": counts["correct"] * (CATALOGUE[spec.dataset].classes - 1),
    }
    for stage, total in totals.items():
        if stage not in metrics["seconds"]:
            continue
        seconds = metrics["seconds"][stage]
        yield _Said(time, writer, "stage_started", {"run": run, "stage": stage, "total": total})
        for report in range(1, REPORTS + 1) if stage != "split" else ():
            at = time + seconds * (report - 0.02) / REPORTS
            done = total * report // REPORTS
            yield _Said(at, writer, "progress", {"run": run, "stage": stage, "done": done, "total": total})
        for epoch in range(1, spec.epochs + 1) if stage == "surrogate" else ():
            loss = round(0.31 / epoch**1.25 + 0.002 * run, 4)
            epoch_fields = {"run": run, "epoch": epoch, "epochs": spec.epochs, "loss": loss}
            yield _Said(time + seconds * (epoch - 0.01) / spec.epochs, writer, "epoch", epoch_fields)
        time += seconds
        yield _Said(time, writer, "stage_finished", {"run": run, "stage": stage, "seconds": seconds})
        time += 0.01


def _moment(timeline: Sequence[_Said], complete: int, at_work: int) -> int:
    """Of the events after which so many runs are complete and the others are on their way, the middle one of
    those at which these are in most different stages.
    """
    stages: dict[object, tuple[object, bool]] = {}
    done, most, found = 0, 0, [0]
    for position, event in enumerate(timeline):
        run = event.fields.get("run")
        if event.kind == "run_completed":
            done += 1
            del stages[run]
        elif event.kind in ("stage_started", "progress"):
            fields = event.fields
            stages[run] = fields["stage"], fields.get("done", 0) not in (0, fields["total"])
        if done != complete or len(stages) != at_work or not all(amid for _, amid in stages.values()):
            continue
        different = len({stage for stage, _ in stages.values()})
        found = [*found, position] if different == most else [position] if different > most else found
        most = max(most, different)
    return found[len(found) // 2]
