"""The events of a journal, one frozen type each, and their form on a line.

A line is one JSON object: `seq` (whole numbers from 1, a writer's own), `time` (seconds since 1970, UTC),
`v` (the schema version), `event` (which type), and the fields of that type.
"""

from __future__ import annotations

from typing import Annotated, Literal, Union

import msgspec

from core.errors import RecordError
from core.records.statistics import Claim, StatisticalTest, SummaryTable
from core.records.types import Count, Finite, Moment, Name, Record, Seconds, parse, to_json
from core.sets.first_version import by_new_names, new_name

SCHEMA_VERSION = 2
"""To be raised when an event changes its meaning. Version 1 lacked the fields with a default; they get it."""

Ending = Literal["complete", "failed", "refused", "cancelled", "interrupted"]
"""How a coordinator's work ended."""
RunNumber = Annotated[int, msgspec.Meta(ge=0, le=10**6)]
"""A run, counted from 0."""


class Event(Record, frozen=True, kw_only=True, tag_field="event"):
    """The fields of every event; the journal fills seq and time in when the event is written."""

    seq: int = 0
    time: Moment = 0.0
    v: Count = SCHEMA_VERSION

    @property
    def kind(self) -> str:
        """The name of the event's type on a line."""
        return str(self.__struct_config__.tag)


# Written by the coordinator


class CoordinatorStarted(Event, frozen=True, kw_only=True, tag="coordinator_started"):
    """A coordinator has taken the lock.

    jobs: runs at the same time. pending: the runs to compute. complete: how many have a result, None in older
    journals. data_dir: where the data lie, "" in older journals.
    """

    host: str
    pid: int
    jobs: Count
    pending: tuple[RunNumber, ...]
    complete: Count | None = None
    data_dir: str = ""


class WorkerStarted(Event, frozen=True, kw_only=True, tag="worker_started"):
    """A worker process has been started."""

    worker: Count
    pid: int


class WorkerLost(Event, frozen=True, kw_only=True, tag="worker_lost"):
    """A worker is gone. reason: how, in words."""

    worker: Count
    reason: str


class RunStarted(Event, frozen=True, kw_only=True, tag="run_started"):
    """A run was given to a worker, for the attempt-th time."""

    run: RunNumber
    worker: Count
    attempt: Count


class RunCompleted(Event, frozen=True, kw_only=True, tag="run_completed"):
    """A run has a valid result."""

    run: RunNumber


class RunFailed(Event, frozen=True, kw_only=True, tag="run_failed"):
    """A run could not be computed. retry: it is begun once more."""

    run: RunNumber
    error: str
    hint: str
    retry: bool


class StatisticsComputed(Event, frozen=True, kw_only=True, tag="statistics"):
    """The statistics over `runs`, those that were complete at that time. verdict: sentences."""

    runs: tuple[RunNumber, ...]
    summary: SummaryTable
    tests: tuple[StatisticalTest, ...]
    claims: tuple[Claim, ...] = ()
    verdict: tuple[str, ...] = ()


class Notice(Event, frozen=True, kw_only=True, tag="notice"):
    """Something worth knowing."""

    text: str


class Finished(Event, frozen=True, kw_only=True, tag="finished"):
    """The coordinator has ended. error, hint: why it refused or failed as a whole, "" otherwise."""

    status: Ending
    error: str = ""
    hint: str = ""


# Written by a worker


class EnvironmentReported(Event, frozen=True, kw_only=True, tag="environment"):
    """What a worker computes with: the fields of `core.records.environment.Environment`, and its threads."""

    versions: dict[Name, Name]
    device: Name
    cpu: Name
    threads: Count
    plugins: dict[Name, Name] = msgspec.field(default_factory=dict)


class DatasetLoaded(Event, frozen=True, kw_only=True, tag="dataset"):
    """A worker has read the data. shape: height, width, channels of an image. classes: their names."""

    name: str
    sha256: Name
    images: Count
    shape: tuple[Count, Count, Count]
    classes: tuple[str, ...]
    test_size: Count
    notices: tuple[str, ...] = ()


class StageStarted(Event, frozen=True, kw_only=True, tag="stage_started"):
    """A run begins a stage of `total` steps."""

    run: RunNumber
    stage: Name
    total: Count


class Progress(Event, frozen=True, kw_only=True, tag="progress"):
    """`done` of the `total` steps of a stage are done."""

    run: RunNumber
    stage: Name
    done: Count
    total: Count


class EpochFinished(Event, frozen=True, kw_only=True, tag="epoch"):
    """The surrogate has seen all training images once more; loss: the mean of its batches."""

    run: RunNumber
    epoch: Count
    epochs: Count
    loss: Finite


class StageFinished(Event, frozen=True, kw_only=True, tag="stage_finished"):
    """A stage is done."""

    run: RunNumber
    stage: Name
    seconds: Seconds


class Unknown(Record, frozen=True, kw_only=True):
    """An event of a kind that this version does not know: written by a newer one."""

    seq: int
    time: Moment
    v: Count
    event: Name


RunEvent = RunStarted | RunCompleted | RunFailed | StageStarted | Progress | EpochFinished | StageFinished
"""The events that concern one run."""

# Every type above: a new one is its class and nothing else.
_TYPES = tuple(Event.__subclasses__())
_KINDS = frozenset(str(one.__struct_config__.tag) for one in _TYPES)
_DECODER: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Union[_TYPES])  # noqa: UP007


def encode(event: Event, *, seq: int, time: float) -> bytes:
    """One journal line with its newline. Raises ValueError for NaN and Infinity."""
    return to_json(msgspec.structs.replace(event, seq=seq, time=time)) + b"\n"


def decode(line: bytes) -> Event | Unknown:
    """The event in one complete line; Unknown for one of a kind or form that only a newer version knows.

    Raises RecordError for any other line.
    """
    try:
        event = _DECODER.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError) as error:
        try:
            unknown = parse(line, Unknown, "a line")
        except RecordError:
            unknown = None
        if unknown is not None and (unknown.event not in _KINDS or unknown.v > SCHEMA_VERSION):
            return unknown
        raise RecordError(f"not an event: {error}") from error
    if event.seq < 1:
        raise RecordError("not an event: seq is missing, or not counted from 1")
    return _from_first_version(event) if event.v == 1 and isinstance(event, StatisticsComputed) else event


def _from_first_version(event: StatisticsComputed) -> StatisticsComputed:
    """Statistics of version 1 with the names that sets have now."""
    return msgspec.structs.replace(
        event,
        summary=SummaryTable(accuracy=by_new_names(event.summary.accuracy)),
        tests=tuple(
            msgspec.structs.replace(test, sets=(new_name(test.sets[0]), new_name(test.sets[1])))
            for test in event.tests
        ),
    )
