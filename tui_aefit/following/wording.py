"""What the events of an experiment mean to a person, one sentence each: for the shell and for the log pane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.records.events import Event

ENDINGS = {
    "complete": "all runs are complete",
    "failed": "finished, but not all runs are complete",
    "cancelled": "stopped, as it was asked to",
    "interrupted": "interrupted",
}


def sentence(event: Event, name: str, runs: int, metrics: Mapping[str, Any] | None = None) -> str:
    """What an event means to a person who waits for results, "" where it is of no interest to them.

    name, runs: the experiment's id and number of runs. metrics: of the run that `event` completed, if it can
    be read. Fields of a wrong type are said as they are: nothing here raises.
    """
    match event.kind:
        case "coordinator_started":
            pending, jobs = event["pending"], event["jobs"]
            to_do = len(pending) if isinstance(pending, list) else 0
            done = runs - to_do
            return f"{name}: {to_do} run{'s' * (to_do != 1)} to compute, {jobs} at a time" + (
                f" ({done} {'is' if done == 1 else 'are'} done)" if done else ""
            )
        case "environment":
            threads = event["threads"]
            return f"computing on {event['device']}, {threads} thread{'s' * (threads != 1)} a run"
        case "dataset":
            shape = event["shape"]
            size = " x ".join(map(str, shape)) if isinstance(shape, list) else str(shape)
            classes = event["classes"]
            count = f" in {len(classes)} classes" if isinstance(classes, list) else ""
            test = f"{event['test_size']} of them for testing"
            return f"{event['name']}: {event['images']} images of {size}{count}, {test}"
        case "notice":
            return str(event["text"])
        case "worker_lost":
            return f"worker {event['worker']} {event['reason']}"
        case "run_completed":
            return f"run {run_number(event)} complete: {_counts(metrics)}"
        case "run_failed":
            again = "; it is begun again" if event["retry"] else ""
            return f"run {run_number(event)} failed: {event['error']}{again}"
    return ""


def progress_sentence(event: Event) -> str:
    """The steps within a run, for those who want to watch: a stage's end, a training epoch; "" for others."""
    match event.kind:
        case "stage_finished":
            return f"run {run_number(event)}: {event['stage']} done in {_decimal(event['seconds'], '.1f')} s"
        case "epoch":
            epoch = f"epoch {event['epoch']} of {event['epochs']}"
            return f"run {run_number(event)}: {epoch}, loss {_decimal(event['loss'], '.4f')}"
    return ""


def ending(event: Event) -> str:
    """How the computation ended, by a `finished` event."""
    status = str(event["status"])
    if status == "refused":
        return f"refused: {event.fields.get('error', 'no reason given')}"
    return ENDINGS.get(status, status)


def run_number(event: Event) -> int:
    """Runs are counted from 1 for people; 0 where the event does not say."""
    run = event["run"]
    return run + 1 if isinstance(run, int) else 0


def _decimal(value: object, form: str) -> str:
    # A whole number of hundreds of digits is JSON too, and no float.
    return format(value, form) if isinstance(value, int | float) and value < 1e15 else str(value)


def _counts(metrics: Mapping[str, Any] | None) -> str:
    try:
        counts = (metrics or {})["counts"]
        return (
            f"{counts['misclassified']:,} of {counts['test']:,} test images misclassified, "
            f"{counts['adversarial']:,} of {counts['candidates']:,} candidates adversarial"
        )
    except (KeyError, TypeError, ValueError):
        return "its result cannot be read"
