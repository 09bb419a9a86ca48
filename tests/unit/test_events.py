"""An event survives its line of text; a line that is no event is refused with a reason, never with a crash."""

from __future__ import annotations

import json
import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import RecordError
from core.records.events import (
    SCHEMA_VERSION,
    CoordinatorStarted,
    DatasetLoaded,
    EnvironmentReported,
    EpochFinished,
    Event,
    Finished,
    Notice,
    Progress,
    RunCompleted,
    RunFailed,
    RunStarted,
    StageFinished,
    StageStarted,
    StatisticsComputed,
    Unknown,
    WorkerLost,
    WorkerStarted,
    decode,
    encode,
)
from core.records.statistics import Claim, StatisticalTest, Summary, SummaryTable
from core.records.types import plain

LINE = {"seq": 3, "time": 1.5, "v": 1, "event": "run_completed", "run": 0}

runs = st.integers(0, 10**6)
counts = st.integers(0, 2**53)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)
finite = st.floats(-1e300, 1e300)
seconds = st.floats(0, 1e12)
versions = st.dictionaries(names, names, max_size=2)
test = StatisticalTest(
    quantity="log_ratio", j="1", sets=("adversarial", "noise"), test="welch", n=2, statistic=-1.5, df=1.25, p=0.5,
    mean_difference=0.25, ci95=(-1.0, 1.5), effect_size=None, direction="higher", reason=None, p_holm=1.0,
)  # fmt: skip
claim = Claim(
    name="bias_fall", sets=("adversarial", "misclassified"), estimate=-0.5, ci95=(-0.75, -0.25), margin=0.02,
    decision="lower", n=4,
)  # fmt: skip
summary = SummaryTable(
    accuracy={"test": {"1": Summary(mean=0.5, sd=None, ci95=None, n=1)}},
)

events: dict[type[Event], st.SearchStrategy[Event]] = {
    CoordinatorStarted: st.builds(
        CoordinatorStarted, host=texts, pid=counts, jobs=counts, pending=st.tuples(runs, runs), data_dir=texts
    ),
    WorkerStarted: st.builds(WorkerStarted, worker=counts, pid=counts),
    WorkerLost: st.builds(WorkerLost, worker=counts, reason=texts),
    RunStarted: st.builds(RunStarted, run=runs, worker=counts, attempt=counts),
    RunCompleted: st.builds(RunCompleted, run=runs),
    RunFailed: st.builds(RunFailed, run=runs, error=texts, hint=texts, retry=st.booleans()),
    StatisticsComputed: st.builds(
        StatisticsComputed,
        runs=st.tuples(runs),
        summary=st.just(summary),
        tests=st.sampled_from([(), (test,)]),
        claims=st.sampled_from([(), (claim,)]),
        verdict=st.tuples(texts),
    ),
    Notice: st.builds(Notice, text=texts),
    Finished: st.builds(
        Finished, status=st.sampled_from(["complete", "failed", "refused", "cancelled", "interrupted"]), error=texts
    ),
    EnvironmentReported: st.builds(
        EnvironmentReported, versions=versions, device=names, cpu=names, threads=counts, plugins=versions
    ),
    DatasetLoaded: st.builds(
        DatasetLoaded,
        name=texts,
        sha256=names,
        images=counts,
        shape=st.tuples(counts, counts, counts),
        classes=st.tuples(texts, texts),
        test_size=counts,
        notices=st.tuples(texts),
    ),
    StageStarted: st.builds(StageStarted, run=runs, stage=names, total=counts),
    Progress: st.builds(Progress, run=runs, stage=names, done=counts, total=counts),
    EpochFinished: st.builds(EpochFinished, run=runs, epoch=counts, epochs=counts, loss=finite),
    StageFinished: st.builds(StageFinished, run=runs, stage=names, seconds=seconds),
}  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def test_every_type_of_event_is_among_those_that_are_tested() -> None:
    assert set(events) == set(Event.__subclasses__())


@settings(max_examples=200)
@given(st.one_of(*events.values()), st.integers(1, 10**9), st.floats(0, 1e12))
def test_an_event_survives_its_line(event: Event, sequence: int, time: float) -> None:
    line = encode(event, seq=sequence, time=time)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    stamped = msgspec.structs.replace(event, seq=sequence, time=time)
    assert decode(line) == stamped
    record = json.loads(line)
    own = {"seq": sequence, "time": time, "v": SCHEMA_VERSION, "event": event.kind}
    assert record == json.loads(json.dumps(plain(stamped)))
    assert {name: record[name] for name in own} == own


@given(st.sampled_from(sorted(events, key=str)), st.data())
def test_fields_that_a_later_version_adds_are_passed_over(kind: type[Event], data: st.DataObject) -> None:
    event = msgspec.structs.replace(data.draw(events[kind]), seq=1)
    more = data.draw(st.dictionaries(texts.map(lambda name: f"x{name}"), anything, max_size=2))
    assert decode(json.dumps({**plain(event), **more}).encode()) == event


@pytest.mark.parametrize(
    "line", [b'{"event":"finished","status":"complete"}', b'{"seq":-5,"event":"notice","text":""}']
)
def test_a_line_that_does_not_count_itself_is_no_event(line: bytes) -> None:
    with pytest.raises(RecordError, match="seq"):
        decode(line)


def test_a_known_kind_in_the_form_of_a_newer_version_is_unknown_and_not_broken() -> None:
    line = b'{"seq":1,"time":2,"v":3,"event":"finished","status":{"word":"paused"}}'
    assert decode(line) == Unknown(seq=1, time=2.0, v=3, event="finished")
    with pytest.raises(RecordError):
        decode(line.replace(b'"v":3', b'"v":2'))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_refused_when_written(number: float) -> None:
    broken = SummaryTable(accuracy={"test": {"1": Summary(mean=number, sd=None, ci95=None, n=1)}})
    for event in (
        EpochFinished(run=0, epoch=1, epochs=1, loss=number),
        StatisticsComputed(runs=(0,), summary=broken, tests=()),
    ):
        with pytest.raises(ValueError, match="is not JSON"):
            encode(event, seq=1, time=0.0)


@settings(max_examples=200)
@given(st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
def test_no_line_whatever_its_bytes_raises_anything_else_than_a_record_error(line: bytes) -> None:
    with pytest.raises(RecordError):
        decode(line)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(json.dumps({**LINE, "time": math.nan}).encode(), id="time NaN"),
        pytest.param(json.dumps({**LINE, "time": 10**400}).encode(), id="time beyond every float"),
        pytest.param(json.dumps(LINE).replace("1.5", "1e999").encode(), id="time overflows"),
        pytest.param(json.dumps({**LINE, "time": "1.5"}).encode(), id="time as text"),
        pytest.param(json.dumps({**LINE, "seq": True}).encode(), id="seq true"),
        pytest.param(json.dumps({**LINE, "v": 1.5}).encode(), id="v a fraction"),
        pytest.param(json.dumps({**LINE, "event": None}).encode(), id="no kind"),
        pytest.param(json.dumps({**LINE, "loss": math.inf}).encode(), id="Infinity in a field"),
        pytest.param(json.dumps({**LINE, "run": -1}).encode(), id="a run before the first"),
        pytest.param(json.dumps({**LINE, "run": 10**7}).encode(), id="a run that nobody asks for"),
        pytest.param(json.dumps({**LINE, "run": None}).encode(), id="no run"),
        pytest.param(
            json.dumps({**LINE, "event": "finished", "status": "over"}).encode(), id="unknown ending"
        ),
        pytest.param(
            json.dumps({**LINE, "event": "epoch", "epoch": 1, "epochs": 1, "loss": 1e301}).encode(),
            id="a loss that sums overflow with",
        ),
        pytest.param(
            json.dumps({**LINE, "event": "progress", "stage": "x", "done": 2**53 + 1, "total": 1}).encode(),
            id="a count beyond exact floats",
        ),
        pytest.param(
            json.dumps({**LINE, "event": "stage_finished", "stage": "x", "seconds": -1.0}).encode(),
            id="a negative duration",
        ),
        pytest.param(
            json.dumps({key: LINE[key] for key in LINE if key != "run"}).encode(), id="a field missing"
        ),
        pytest.param(b"[" * 100_000, id="deeper than the parser goes"),
        pytest.param(b"\xff\xfe\n", id="not UTF-8"),
        pytest.param(b"\n", id="empty"),
    ],
)
def test_a_line_that_is_almost_an_event_is_refused(line: bytes) -> None:
    found = decode(json.dumps(LINE).encode())
    assert isinstance(found, RunCompleted)
    assert found.seq == 3
    with pytest.raises(RecordError):
        decode(line)


@pytest.mark.parametrize("sets", [(), ("adversarial", "misclassified", "noise")])
def test_a_claim_is_about_one_set_or_two(sets: tuple[str, ...]) -> None:
    of = msgspec.structs.replace(claim, sets=sets)
    line = encode(StatisticsComputed(runs=(0,), summary=summary, tests=(), claims=(of,)), seq=1, time=0.0)
    with pytest.raises(RecordError, match="length"):
        decode(line)


def test_a_line_of_the_first_version_is_read() -> None:
    line = {**LINE, "event": "coordinator_started", "host": "h", "pid": 1, "jobs": 1, "pending": [0, 2]}
    assert decode(json.dumps(line).encode()) == CoordinatorStarted(
        seq=3, time=1.5, v=1, host="h", pid=1, jobs=1, pending=(0, 2)
    )


def test_what_a_newer_version_writes_is_told_from_what_is_broken() -> None:
    line = json.dumps({"seq": 1, "time": 2, "v": 99, "event": "teleported", "where": ["a", None]}).encode()
    assert decode(line) == Unknown(seq=1, time=2.0, v=99, event="teleported")
