"""Experiment folders in every state, as a coordinator and its workers would have left them.

Nothing is computed but the statistics. The same arguments give the same bytes, but for the lock of a running
experiment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from core.engine.statistics import experiment_statistics
from core.records.arrays import write_arrays
from core.records.events import (
    SCHEMA_VERSION,
    CoordinatorStarted,
    Ending,
    Event,
    Finished,
    RunCompleted,
    RunFailed,
    RunStarted,
)
from core.records.experiment import CREATED_FILE, SPEC_FILE, Experiment
from core.records.home import create
from core.records.journal import JournalReader, JournalWriter
from core.records.metrics import RunMetrics
from core.records.results import publish
from core.spec.spec import Spec
from tests.fakes.arrays import draw_arrays
from tests.fakes.numbers import (
    Answers,
    draw_answers,
    draw_metrics,
    metrics_from_answers,
    statistics_of_drawn,
)
from tests.fakes.timeline import (
    COORDINATOR,
    Entry,
    begin,
    compute_all,
    cut_short,
    environment_reported,
    start_worker,
)
from tui_aefit.following.fold import Fold
from tui_aefit.following.snapshot import Snapshot

State = Literal["created", "running", "complete", "failed", "interrupted", "cancelled", "refused", "newer"]

NOW = 1_795_000_000.0
"""The moment at which an experiment is looked at, seconds since 1970: 18 November 2026."""
REFUSAL = ("images of class 3: there is 1, expected 2 or more", "add images, or leave that class out")
"""Why a "refused" experiment was, and what to do."""


def make_experiment(
    home: Path,
    *,
    state: State = "complete",
    runs: int = 12,
    complete: int | None = None,
    dataset: str = "mnist",
    attack: str = "fgsm",
    now: float = NOW,
    jobs: int = 2,
    name: str = "",
    deciding: bool = True,
    **settings: Any,
) -> Experiment:
    """Write an experiment's folder under `home`; settings: further ones of the specification, options among them.

    Otherwise as `make_experiment_of`.
    """
    spec = Spec.from_mapping({"dataset": dataset, "attack": attack, "runs": runs, **settings})
    return make_experiment_of(
        home, spec, state=state, complete=complete, now=now, jobs=jobs, name=name, deciding=deciding
    )


def make_experiment_of(
    home: Path,
    spec: Spec,
    *,
    state: State = "complete",
    complete: int | None = None,
    now: float = NOW,
    jobs: int = 2,
    name: str = "",
    deciding: bool = True,
) -> Experiment:
    """Write the folder of an experiment on a data set of the catalogue under `home`, looked at `now`.

    state: "created": only the spec. "running": `complete` runs are done (by default, a third of them), `jobs`
        are at work, in different stages where they can be, and this very process holds the lock, so that it
        is alive (`lock_of_the_dead` makes it that of a killed process). "interrupted", "cancelled": the same
        without the lock, stopped by a person. "failed": the worker of run 1 was killed once, and run 2 failed
        for good. "refused": its data were refused. "newer": complete, and then a line of a later version.
    name: of the folder, instead of the experiment's id, which depends on all its settings.
    deciding: see `draw_metrics`.
    """
    if state == "failed" and spec.runs < 3:
        raise ValueError(f"runs 1 and 2 are in trouble, but there are only {spec.runs}")
    experiment, new = create(home, spec)
    if not new:
        raise ValueError(f"{experiment.id} is there already: give another seed")
    if name:
        experiment = Experiment(experiment.folder.rename(experiment.folder.with_name(name)), spec)
    metrics = [draw_metrics(spec, run, deciding=deciding) for run in range(spec.runs)]
    timeline = _timeline(spec, metrics, state, complete, jobs)
    begun = now - (timeline[-1].time if timeline else 0.0)
    _write_journals(experiment, timeline, metrics, begun, _END[state], deciding=deciding)
    if state == "running":
        experiment.lock.acquire()
    if state == "newer":
        _write_newer_line(experiment, now)
    set_created(experiment, begun)
    return experiment


def set_created(experiment: Experiment, moment: float) -> None:
    """Have an experiment been made at a moment, seconds since 1970."""
    (experiment.folder / CREATED_FILE).write_text(f"{moment:.3f}\n", encoding="utf-8")
    os.utime(experiment.folder / SPEC_FILE, (moment, moment))


def snapshot_of(experiment: Experiment, now: float = NOW) -> Snapshot:
    """What a screen is shown of an experiment `now`."""
    reader = JournalReader(experiment.journal)
    alive = experiment.running
    fold = Fold(experiment.id, experiment.spec)
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


def end(experiment: Experiment, status: Ending) -> None:
    """What the coordinator of a running experiment does last."""
    append_events(experiment, Finished(status=status), writer="0009-coordinator")
    (experiment.folder / "lock").unlink()


def append_events(experiment: Experiment, *events: Event, writer: str = "0002-coordinator") -> None:
    """A further process journals these."""
    journal = JournalWriter(experiment.journal / f"{writer}.jsonl")
    for event in events:
        journal.write(event)
    journal.close()


# From answers


@dataclass(frozen=True)
class AnsweredExperiment:
    """An experiment on disk and the answers from which its numbers were counted, by run."""

    experiment: Experiment
    answers: dict[int, Answers]


def make_experiment_from_answers(
    home: Path,
    spec: Spec,
    *,
    answers: Sequence[Answers] | None = None,
    complete: Sequence[int] | None = None,
    failures: Mapping[int, tuple[str, str]] | None = None,
    statistics: bool = True,
    deciding: bool = True,
) -> AnsweredExperiment:
    """Write an experiment under `home` whose runs `complete` (all, by default) have results.

    answers: of each run; drawn by default. failures: run -> error and hint. statistics: whether the coordinator
    journaled them. deciding: see `draw_metrics`. Nobody computes it any more. Its arrays cannot be read.
    """
    experiment, _ = create(home, spec)
    runs = list(range(spec.runs)) if complete is None else list(complete)
    given = {run: answers[run] if answers else draw_answers(spec, run) for run in runs}
    coordinator = JournalWriter(experiment.journal / "0001-coordinator.jsonl")
    worker = JournalWriter(experiment.journal / "0001-worker-1.jsonl")
    coordinator.write(CoordinatorStarted(host="h", pid=1, jobs=1, pending=tuple(range(spec.runs))))
    worker.write(environment_reported())
    for run, by_set in given.items():
        coordinator.write(RunStarted(run=run, worker=1, attempt=1))
        metrics = metrics_from_answers(spec, run, by_set, deciding=deciding)
        publish(experiment.run_folder(run), metrics, write_no_arrays)
        coordinator.write(RunCompleted(run=run))
    for run, (error, hint) in (failures or {}).items():
        coordinator.write(RunFailed(run=run, error=error, hint=hint, retry=False))
    if statistics and given:
        coordinator.write(experiment_statistics(spec, experiment.results()))
    status: Ending = "complete" if len(given) == spec.runs else "failed" if failures else "interrupted"
    coordinator.write(Finished(status=status))
    coordinator.close()
    worker.close()
    return AnsweredExperiment(experiment, given)


def write_no_arrays(path: Path) -> None:
    """A file in the place of arrays that nobody reads."""
    path.write_bytes(b"nobody reads these")


# Writing it down

_END: dict[State, Finished | None] = {
    "created": None,
    "running": None,
    "complete": Finished(status="complete"),
    "failed": Finished(status="failed"),
    "interrupted": Finished(status="interrupted"),
    "cancelled": Finished(status="cancelled"),
    "refused": Finished(status="refused", error=REFUSAL[0], hint=REFUSAL[1]),
    "newer": Finished(status="complete"),
}


def _timeline(
    spec: Spec, metrics: Sequence[RunMetrics], state: State, complete: int | None, jobs: int
) -> Sequence[Entry]:
    """What is journaled up to that state but statistics and the end, in order."""
    if state == "created":
        return []
    if state == "refused":
        return [*begin(spec, jobs), *start_worker(spec, 1, 0.1)][:-1]
    entries = compute_all(spec, metrics, jobs, in_trouble=state == "failed")
    timeline = sorted(entries, key=lambda entry: entry.time)
    if state in ("running", "interrupted", "cancelled"):
        done = spec.runs // 3 if complete is None else complete
        return cut_short(timeline, done, min(jobs, spec.runs - done))
    return timeline


def _write_journals(
    experiment: Experiment,
    timeline: Sequence[Entry],
    metrics: Sequence[RunMetrics],
    begun: float,
    end: Finished | None,
    *,
    deciding: bool,
) -> None:
    """Journal the timeline, with the results of the runs that it completes and the statistics over them."""
    spec, moment = experiment.spec, begun
    writers: dict[str, JournalWriter] = {}
    complete: list[int] = []

    def write(writer: str, event: Event) -> None:
        if writer not in writers:
            path = experiment.journal / f"0001-{writer}.jsonl"
            writers[writer] = JournalWriter(path, clock=lambda: moment)
        writers[writer].write(event)

    for entry in timeline:
        moment = begun + entry.time
        if not isinstance(entry.event, RunCompleted):
            write(entry.writer, entry.event)
            continue
        run = entry.event.run
        complete = sorted([*complete, run])
        arrays = partial(write_arrays, arrays=draw_arrays(spec, run), ladder=spec.ladder)
        publish(experiment.run_folder(run), metrics[run], arrays)
        write(COORDINATOR, entry.event)
        write(COORDINATOR, statistics_of_drawn(spec, tuple(complete), deciding=deciding))
    if end is not None:
        write(COORDINATOR, end)
    for writer in writers.values():
        writer.close()


def _write_newer_line(experiment: Experiment, now: float) -> None:
    line = {"seq": 1, "time": now, "v": SCHEMA_VERSION + 1, "event": "reviewed", "by": "a later version"}
    path = experiment.journal / "0002-coordinator.jsonl"
    path.write_bytes(msgspec.json.encode(line) + b"\n")
