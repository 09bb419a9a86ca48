"""The events of an experiment as sentences for a person, for the shell and the log pane. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from core.records.events import (
    CoordinatorStarted,
    DatasetLoaded,
    EnvironmentReported,
    EpochFinished,
    Event,
    Finished,
    Notice,
    RunCompleted,
    RunFailed,
    StageFinished,
    WorkerLost,
)
from core.records.metrics import RunMetrics
from core.report.attack_figures import COLUMNS, RATES, mean_of
from core.report.formatting import counted

ENDINGS = {
    "complete": "all runs are complete",
    "failed": "finished, but not all runs are complete",
    "cancelled": "stopped, as it was asked to",
    "interrupted": "interrupted",
}


def describe(event: Event, name: str, metrics: RunMetrics | None = None) -> str:
    """An event as a sentence for a person who waits for results, "" for one that is not told.

    name: the experiment's id. metrics: of the run that `event` completed, None where they cannot be read.
    """
    match event:
        case CoordinatorStarted(pending=pending, jobs=jobs, complete=done):
            already = f" ({done} {'is' if done == 1 else 'are'} done)" if done else ""
            return f"{name}: {counted(len(pending), 'run')} to compute, {jobs} at a time{already}"
        case EnvironmentReported(device=device, threads=threads):
            return f"computing on {device}, {counted(threads, 'thread')} a run"
        case DatasetLoaded():
            size = " x ".join(map(str, event.shape))
            return (
                f"{event.name}: {event.images} images of {size} in {len(event.classes)} classes, "
                f"{event.test_size} of them for testing"
            )
        case Notice(text=text):
            return text
        case WorkerLost(worker=worker, reason=reason):
            return f"worker {worker} {reason}"
        case RunCompleted(run=run):
            return f"run {run + 1} complete: {_describe_counts(metrics)}"
        case RunFailed(run=run, error=error, retry=retry):
            return f"run {run + 1} failed: {error}{'; it is begun again' if retry else ''}"
    return ""


def describe_progress(event: Event) -> str:
    """A step within a run as a sentence: a stage's end, a training epoch; "" for other events."""
    match event:
        case StageFinished(run=run, stage=stage, seconds=seconds):
            return f"run {run + 1}: {stage} done in {seconds:.1f} s"
        case EpochFinished(run=run, epoch=epoch, epochs=epochs, loss=loss):
            return f"run {run + 1}: epoch {epoch} of {epochs}, loss {loss:.4f}"
    return ""


def describe_ending(event: Finished) -> str:
    """How the computation ended, in words."""
    if event.status == "refused":
        return f"refused: {event.error or 'no reason given'}"
    return ENDINGS[event.status]


def describe_rates(metrics: Iterable[RunMetrics]) -> str:
    """The attack's rates on the surrogate, means over runs: "fooled 35.12 %, target hit 20.98 %"; "" for none."""
    figures = [run.attack for run in metrics]
    means = {COLUMNS[field][0]: mean_of(figures, field) for field in RATES}
    return ", ".join(f"{word} {100 * mean:.2f} %" for word, mean in means.items() if mean is not None)


def _describe_counts(metrics: RunMetrics | None) -> str:
    if metrics is None:
        return "its result cannot be read"
    counts = metrics.counts
    return (
        f"{counts.misclassified:,} of {counts.test:,} test images misclassified, "
        f"{counts.adversarial:,} of {counts.candidates:,} candidates adversarial"
    )
