"""The status of a run and of an experiment: one enum each, and one function that finds it from records."""

from __future__ import annotations

from enum import StrEnum

from core.records.events import CoordinatorStarted, Event, Finished, RunFailed, RunStarted


class ExperimentStatus(StrEnum):
    """The status of an experiment. UNREADABLE, NEWER: its specification cannot be read, NEWER for being too new."""

    CREATED = "created"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    NEWER = "newer"
    UNREADABLE = "unreadable"


class RunStatus(StrEnum):
    """The status of a run."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"


def is_turning_point(event: Event) -> bool:
    """Whether an event can decide the status of an experiment that nobody computes now."""
    if isinstance(event, Finished):
        # "complete" says nothing once a result is lost, or more runs are asked for.
        return event.status != "complete"
    return isinstance(event, CoordinatorStarted)


def experiment_status(*, running: bool, lacking: int, turning_point: Event | None) -> ExperimentStatus:
    """The status of an experiment.

    running: whether a living coordinator holds its lock. lacking: runs without a result. turning_point: the
    newest event for which `is_turning_point` holds, None where there is none.
    """
    if running:
        return ExperimentStatus.RUNNING
    if lacking == 0:
        return ExperimentStatus.COMPLETE
    if isinstance(turning_point, Finished):
        return ExperimentStatus(turning_point.status)
    if turning_point is None:
        return ExperimentStatus.CREATED
    # A coordinator that never said how it ended was killed, or its machine went down. Or a result was lost, or
    # more runs were asked for, since a later one completed everything.
    return ExperimentStatus.INTERRUPTED


def run_status(*, complete: bool, running: bool, newest: RunStarted | RunFailed | None) -> RunStatus:
    """The status of a run.

    complete: whether it has a valid result. running: whether a living coordinator computes the experiment.
    newest: the run's newest start or failure under the last coordinator, else its final failure under an earlier
    one; None for neither.
    """
    if complete:
        return RunStatus.COMPLETE
    if isinstance(newest, RunFailed) and not newest.retry:
        return RunStatus.FAILED
    if running and isinstance(newest, RunStarted):
        return RunStatus.RUNNING
    return RunStatus.PENDING
